"""One child of the fork server: it restricts itself, writes its files, and serves requests until it is killed."""

import fcntl
import os
import random
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import channel, restrict
from .helpers import ANSWER, Helpers

CHANNEL = 3  # a fixed number: what a submission sees does not depend on earlier submissions
_FIRST_SPARE_DESCRIPTOR = 64  # above all descriptors that a child keeps
IGNORED_BY_SERVER = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
SEED = 739_391  # of the global random states: a notebook without a seed gets the same numbers in every grading


@dataclass(frozen=True)
class ServerSettings:
    """The settings that the grader sends to the server at its start."""

    limits: Mapping[str, int]
    home: str  # HOME, which contains all that a child may write
    folder: str  # where the notebook runs, below home
    scratch: tuple[str, ...]  # the folders that are emptied after every child, home first
    namespaced: bool  # the server is pid 1 of its own namespace
    landlock: bool
    filter: bytes  # seccomp: refuses what a child no longer needs; empty if there are no filters
    trusted: Mapping[str, bytes]  # the trusted files, by name below ``folder``
    at_home: Mapping[str, bytes]  # files that lie below ``home``


def serve(shell: Any, settings: ServerSettings, line: int, bundle: int, table: list[tuple[str, int]]) -> None:
    """Serve requests on the descriptor ``line`` until it is closed. Never returns.

    ``bundle`` is the descriptor of a file with the concatenated student files, ``table`` has their names and sizes.
    """
    try:
        os.setsid()
        for name in IGNORED_BY_SERVER:
            signal.signal(name, signal.SIG_DFL)  # as in a kernel: `terminate()` ends what a cell has started
        sock, bundle = _close_other_descriptors(line, bundle)
        try:
            _prepare(settings, bundle, table)
        except BaseException as error:
            sock.sendall(channel.encode({"failed": f"{type(error).__name__}: {error}"}))
            raise
        _serve_requests(shell, settings.folder, sock)
    finally:
        os._exit(1)


def _prepare(settings: ServerSettings, bundle: int, table: list[tuple[str, int]]) -> None:
    restrict.show_memory()
    if settings.namespaced:
        restrict.set_limits(settings.limits)
    else:  # RLIMIT_NPROC counts all processes of a user, and this user has others
        restrict.die_with_parent()
        restrict.set_limits({**settings.limits, "processes": -1})
    if settings.landlock:
        restrict.enforce(restrict.landlock_ruleset(settings.scratch))
    if settings.filter:
        restrict.load_seccomp_filter(settings.filter)
    write_course_files(settings)
    _unpack(Path(settings.folder), bundle, table)
    restrict.limit_file_size(settings.limits["file_mib"])
    os.chdir(settings.folder)


def _close_other_descriptors(line: int, bundle: int) -> tuple[socket.socket, int]:
    """Close every other descriptor, so that a child has none of the server's; returns the socket and the bundle."""
    opened = os.open(os.devnull, os.O_RDWR)
    null, *high = (fcntl.fcntl(fd, fcntl.F_DUPFD, _FIRST_SPARE_DESCRIPTOR) for fd in (opened, line, bundle))
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.dup2(high[0], CHANNEL, inheritable=False)
    os.dup2(high[1], CHANNEL + 1, inheritable=False)
    os.closerange(CHANNEL + 2, max(65536, null + 1))
    return socket.socket(fileno=CHANNEL), CHANNEL + 1


def write_course_files(settings: ServerSettings) -> None:
    """Write fresh copies of the trusted files into the folder, and of the cached files below the home."""
    for root, files in ((settings.home, settings.at_home), (settings.folder, settings.trusted)):
        for name, data in files.items():
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            os.utime(path, (0, 0))
    Path(settings.folder).mkdir(parents=True, exist_ok=True)


def _unpack(folder: Path, bundle: int, table: list[tuple[str, int]]) -> None:
    offset = 0
    for name, size in table:
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.pread(bundle, size, offset))
            os.utime(path, (0, 0))
        except OSError:  # a file in place of a folder, or the disk quota is used up: only this file is missing
            continue
        finally:
            offset += size
    os.close(bundle)


def _serve_requests(shell: Any, folder: str, sock: socket.socket) -> None:
    own = os.getpid()
    send, messages = channel.Sender(sock), channel.Receiver(sock)
    shell.attach(send, folder)
    random.seed(SEED)
    np.random.seed(SEED)
    send({"ready": True})
    helpers = Helpers(send, messages)
    while (request := messages.receive()) is not None:
        if ANSWER in request:  # to a call that was interrupted
            continue
        try:
            done = _dispatch(shell, request, helpers)
        except BaseException as error:  # a bug here, or damage by the student's code: the grader decides
            done = {"problem": f"{type(error).__name__}: {error}"[:500]}
        if os.getpid() != own:  # a process that the student's code forked has reached the end of its cell
            os._exit(0)
        send({**done, "done": True, "id": request.get("id")})


def _dispatch(shell: Any, request: dict[str, Any], helpers: Helpers) -> dict[str, Any]:
    from . import caller
    from .shell import interruptible

    match request.get("op"):
        case "run":
            return dict(shell.run(request["source"], bool(request.get("store_history", True))))
        case "keep":
            shell.take_snapshot(request["name"])
            return {}
        case "probe":
            with interruptible():
                return dict(caller.answer_call(shell, request, helpers))
        case op:
            return {"problem": f"unknown request: {op}"}


def remove_own_path() -> None:
    """Remove the server's package from the module search path, also for processes that are started later."""
    own = str(Path(__file__).parent.parent)
    sys.path[:] = [entry for entry in sys.path if entry != own]
    others = [entry for entry in os.environ.pop("PYTHONPATH", "").split(":") if entry not in ("", own)]
    if others:
        os.environ["PYTHONPATH"] = ":".join(others)
