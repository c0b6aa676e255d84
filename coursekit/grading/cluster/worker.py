"""The tasks of a Dask worker: bytes in, bytes out. A separate process does the grading (``worker_process``).

It imports nothing of the course, which is sent as data. A worker needs this package and bubblewrap, no shared files.
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

LOCK = ".lock"  # in the folder of a worker process, which holds it
_PREFIX = "coursekit-desk-"
_CLEANER = 'cat; chmod -R u+rwX -- "$1"; rm -rf -- "$1"'  # a student's folder may have no permissions
_NOT_INHERITED = ("COURSE_ROOT", "COURSE_DB_URL")
_thread = threading.local()  # a sandbox belongs to one thread, and so does its worker process


class WorkerProcessDied(Exception):
    """The process died before it answered."""


@functools.cache
def engine_digest() -> str:
    """The digest of this package and the versions of its dependencies: with another digest, marks may differ."""
    whole = hashlib.sha256()
    whole.update(repr(versions.installed()).encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        data = path.read_bytes()
        whole.update(f"{path.relative_to(PACKAGE).as_posix()} {len(data)}\n".encode())
        whole.update(data)
    return whole.hexdigest()


def course_payload(course: bytes) -> bytes:
    """Return the course: as the result of a task, Dask sends it to every worker once, and again if it is lost."""
    return course


def examine(course: bytes, submission: bytes, wanted: str, attempts: int) -> bytes:
    """The encoded outcome of a submission payload; the same on every worker and at every repetition.

    If the worker process is killed, the submission is tried in a new one, at most ``attempts`` times.
    """
    if engine_digest() != wanted:
        settings = ", ".join(versions.ARITHMETIC)
        found = f"its coursekit, Python or packages are not the grader's, or its settings of NumPy ({settings})"
        remedy = "install and set the same there, and start the worker again"
        return wire_format.encode({"refused": ["worker", found, remedy]})
    for _ in range(attempts):
        process = _worker_process(course)
        try:
            return process.ask(submission)
        except WorkerProcessDied:
            process.close()
    return wire_format.encode({"killed": attempts})


class WorkerProcess:
    """A process that grades submissions of one course, whose files it unpacks in a folder of its own.

    The folder holds hidden tests, so it has to be deleted however the process ends. A cleaner process waits for the
    end of a pipe that the worker process holds open, and then deletes the folder, when nobody writes into it any more.
    If both are killed, the next worker process on that computer deletes it.
    """

    def __init__(self, course: bytes) -> None:
        self.digest = hashlib.sha256(course).digest()
        _delete_leftovers(Path(tempfile.gettempdir()))
        folder = tempfile.mkdtemp(prefix=_PREFIX)
        read_end, write_end = os.pipe()
        try:
            self._cleaner = subprocess.Popen(
                ["/bin/sh", "-c", _CLEANER, "sh", folder],
                stdin=read_end,
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
                env={name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
                | {"PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,  # Ctrl-C is handled by the worker; this process ends with the worker
                pass_fds=(write_end,),
            )
        finally:
            for one in (read_end, write_end):
                os.close(one)
        self._unsent = course

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, submission: bytes) -> bytes:
        """The encoded outcome. Raises WorkerProcessDied."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if self._unsent:
                wire_format.send(self._process.stdin, self._unsent)
                self._unsent = b""
            wire_format.send(self._process.stdin, submission)
            answer = wire_format.receive(self._process.stdout)
        except OSError as error:
            raise WorkerProcessDied from error
        if answer is None:
            raise WorkerProcessDied
        return answer

    def close(self) -> None:
        """End the process; its cleaner then deletes its folder."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # the data that was not written yet has no reader
        self._cleaner.wait()


def _delete_leftovers(parent: Path) -> None:
    """Delete the folders of processes that have ended."""
    for lock in parent.glob(f"{_PREFIX}*/{LOCK}"):
        try:
            with FileLock(lock, fallback_to_soft=False).acquire(timeout=0):
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # in use (filelock's Timeout is one), already gone, or somebody else's
            continue


def _worker_process(course: bytes) -> WorkerProcess:
    """This thread's process for the course; one that has died, or is for another course, is replaced."""
    process: WorkerProcess | None = getattr(_thread, "process", None)
    if process is not None and (not process.is_alive or process.digest != hashlib.sha256(course).digest()):
        process.close()
        process = None
    if process is None:
        process = _thread.process = WorkerProcess(course)
    return process
