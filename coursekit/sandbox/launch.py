"""A small program that becomes the sandbox: ``python -I -S launch.py``, with its parameters as JSON on descriptor 0.

The parameters: ``argv``, the command to execute; ``uid``, the user to switch to, or null; ``parent``, the process that
started it and with which it ends, or null; ``sources``, the host paths in ``argv`` by index, each as (folder, rest).

As root it first binds the folders, in a mount namespace of its own, to places that every user can reach: bubblewrap
runs as an unprivileged user, who cannot read, for example, /root. These mounts are read-only: through them not even
the times of a device can be changed, though a device can still be written to.
"""

import ctypes
import errno
import json
import os
import signal
import sys

_NO_RANDOM_ADDRESSES = 0x0040000
_SET_DEATH_SIGNAL, _KILL = 1, 9
_NEW_MOUNT_NAMESPACE = 0x00020000
_BIND, _RECURSIVE, _PRIVATE, _NO_SUID, _NO_DEVICES, _READ_ONLY, _AGAIN = 4096, 16384, 1 << 18, 2, 4, 1, 32
_STAGE = "/mnt"


def main() -> None:
    """Execute ``argv`` in place of this process. Does not return."""
    with open(0, "rb", closefd=False) as params_file:
        params = json.load(params_file)
    argv: list[str] = params["argv"]
    _default_signals()
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "personality"):  # the memory addresses that a submission prints are the same in every grading
        libc.personality(libc.personality(0xFFFFFFFF) | _NO_RANDOM_ADDRESSES)
    if params["uid"] is not None:
        _stage(libc, argv, {int(index): tuple(path) for index, path in params["sources"].items()})
        os.setgroups([])
        os.setgid(params["uid"])
        os.setuid(params["uid"])
    if params["parent"] is not None:  # bubblewrap does this too, but misses a parent that ended before it started
        if hasattr(libc, "prctl"):
            libc.prctl(_SET_DEATH_SIGNAL, _KILL, 0, 0, 0)
        if os.getppid() != params["parent"]:
            raise OSError(errno.ESRCH, "the process that ordered it is gone")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.execvp(argv[0], argv)


def _default_signals() -> None:
    """Reset ignored and blocked signals, however the grader was started (`nohup`, a CI runner).

    Otherwise cells would run differently, and limits that are enforced by signals would not work.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _stage(libc: ctypes.CDLL, argv: list[str], sources: dict[int, tuple[str, str]]) -> None:
    """Replace the host paths in ``argv`` by mounts that any user can reach; no change where mounting is forbidden."""
    if libc.unshare(_NEW_MOUNT_NAMESPACE) != 0:
        return
    _mount(libc, "none", "/", _RECURSIVE | _PRIVATE)
    opened = {index: os.open(folder, os.O_PATH) for index, (folder, _) in sources.items()}
    _mount(libc, "tmpfs", _STAGE, _NO_SUID | _NO_DEVICES, "tmpfs", "mode=0755")
    for index, descriptor in opened.items():
        place = f"{_STAGE}/{index}"
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112 - pathlib is not imported, to save time
            os.mkdir(place)  # noqa: PTH102
        else:
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
        _mount(libc, f"/proc/self/fd/{descriptor}", place, _BIND | _RECURSIVE)
        _mount(libc, "none", place, _BIND | _AGAIN | _READ_ONLY | _NO_SUID)
        os.close(descriptor)
        argv[index] = place + sources[index][1]


def _mount(libc: ctypes.CDLL, source: str, target: str, flags: int, kind: str = "none", options: str = "") -> None:
    if libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), target)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"launch: {error}")
