"""What runs in a Dask worker: bytes in, bytes out. The grading itself is done by a process beside it (cluster_desk).

Imports nothing of the course, which comes as data. A worker needs this package and bubblewrap, and shares no files.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from filelock import FileLock

from coursekit import PACKAGE
from coursekit.grading.cluster import wire_format
from coursekit.system import versions

LOCK = ".lock"  # in the folder of a process, held by it
_PREFIX = "coursekit-desk-"
_CLEANER = 'cat; chmod -R u+rwX -- "$1"; rm -rf -- "$1"'  # students' folders may be closed
_NOT_FOR_THE_DESK = ("COURSE_ROOT", "COURSE_DB_URL")
_mine = threading.local()  # a sandbox belongs to one thread, and so does the process that has it


class DeskLost(Exception):
    """The process died before it answered."""


@functools.cache
def engine() -> str:
    """The digest of this package's own code, and of what it stands on: where it differs, so may the marks."""
    whole = hashlib.sha256()
    whole.update(repr(versions.installed()).encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        data = path.read_bytes()
        whole.update(f"{path.relative_to(PACKAGE).as_posix()} {len(data)}\n".encode())
        whole.update(data)
    return whole.hexdigest()


def course_pack(pack: bytes) -> bytes:
    """The pack itself: as the result of a task, Dask brings it to every worker once, and again if it gets lost."""
    return pack


def examine(pack: bytes, order: bytes, wanted: str, attempts: int) -> bytes:
    """The answer to a packed submission of a packed course, the same wherever and however often it is asked for.

    Where it kills the process that grades it, it is tried again in a fresh one, and given up after ``attempts``.
    """
    if engine() != wanted:
        settings = ", ".join(versions.ARITHMETIC)
        found = f"its coursekit, Python or packages are not the grader's, or its settings of NumPy ({settings})"
        remedy = "install and set the same there, and start the worker again"
        return wire_format.packed({"refused": ["worker", found, remedy]})
    for _ in range(attempts):
        desk = _desk(pack)
        try:
            return desk.ask(order)
        except DeskLost:
            desk.close()
    return wire_format.packed({"killed": attempts})


class Desk:
    """The process, with a course pack unpacked in a folder of its own.

    What is hidden lies there, so the folder goes however this ends: a cleaner holds the other end of a pipe that closes
    with the process, and then removes the folder, into which nobody writes any more. Where both are killed at once, the
    next one to begin on that machine removes it.
    """

    def __init__(self, pack: bytes) -> None:
        self.digest = hashlib.sha256(pack).digest()
        _sweep(Path(tempfile.gettempdir()))
        folder = tempfile.mkdtemp(prefix=_PREFIX)
        ends, lives = os.pipe()
        try:
            self._cleaner = subprocess.Popen(
                ["/bin/sh", "-c", _CLEANER, "sh", folder],
                stdin=ends,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "coursekit.grading.cluster.worker_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=folder,
                env={name: value for name, value in os.environ.items() if name not in _NOT_FOR_THE_DESK}
                | {"PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,  # Ctrl-C is for the worker; this process ends when the worker has
                pass_fds=(lives,),
            )
        finally:
            for one in (ends, lives):
                os.close(one)
        self._unsent = pack

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, order: bytes) -> bytes:
        """The answer. Raises DeskLost."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if self._unsent:
                wire_format.send(self._process.stdin, self._unsent)
                self._unsent = b""
            wire_format.send(self._process.stdin, order)
            answer = wire_format.receive(self._process.stdout)
        except OSError as error:
            raise DeskLost from error
        if answer is None:
            raise DeskLost
        return answer

    def close(self) -> None:
        """The process is gone, with its folder."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what was not written yet has nobody to read it
        self._cleaner.wait()


def _sweep(room: Path) -> None:
    """The folders of processes that live no more are gone."""
    for lock in room.glob(f"{_PREFIX}*/{LOCK}"):
        try:
            with FileLock(lock, fallback_to_soft=False).acquire(timeout=0):
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # in use (filelock's Timeout is one), already gone, or somebody else's
            continue


def _desk(pack: bytes) -> Desk:
    """This thread's process for the pack; one that has died, or is for another pack, is replaced."""
    desk: Desk | None = getattr(_mine, "desk", None)
    if desk is not None and (not desk.lives or desk.digest != hashlib.sha256(pack).digest()):
        desk.close()
        desk = None
    if desk is None:
        desk = _mine.desk = Desk(pack)
    return desk
