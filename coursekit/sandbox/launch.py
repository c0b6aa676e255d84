"""A small program of its own that becomes the sandbox: ``python -I -S launch.py``, its orders in JSON on descriptor 0.

The orders: ``argv``, what to become; ``uid``, the user to be then, or null; ``parent``, the process that ordered it,
with which it ends, or null; ``sources``, by index the paths of this machine in ``argv``, each a folder and the rest.
As root it first binds the folders, in a mount namespace of its own, to places that every user can reach: bubblewrap is
started as an unprivileged user, who may not look into, say, /root. Nothing can be changed by way of these places, not
even the times of a device, which can still be written to.
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
    """Become the program that the orders name. Does not return."""
    with open(0, "rb", closefd=False) as orders_file:
        orders = json.load(orders_file)
    argv: list[str] = orders["argv"]
    _default_signals()
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "personality"):  # the addresses that a submission prints are the same in every grading
        libc.personality(libc.personality(0xFFFFFFFF) | _NO_RANDOM_ADDRESSES)
    if orders["uid"] is not None:
        _stage(libc, argv, {int(index): tuple(path) for index, path in orders["sources"].items()})
        os.setgroups([])
        os.setgid(orders["uid"])
        os.setuid(orders["uid"])
    if orders["parent"] is not None:  # bubblewrap sees to that too, but is not killed by a parent that has gone before
        if hasattr(libc, "prctl"):
            libc.prctl(_SET_DEATH_SIGNAL, _KILL, 0, 0, 0)
        if os.getppid() != orders["parent"]:
            raise OSError(errno.ESRCH, "the process that ordered it is gone")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.execvp(argv[0], argv)


def _default_signals() -> None:
    """However the grader was started (`nohup`, a CI runner): else cells would run differently, and limits not hold."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _stage(libc: ctypes.CDLL, argv: list[str], sources: dict[int, tuple[str, str]]) -> None:
    """``argv`` names the sources by paths that any user can walk; unchanged where mounting is forbidden."""
    if libc.unshare(_NEW_MOUNT_NAMESPACE) != 0:
        return
    _mount(libc, "none", "/", _RECURSIVE | _PRIVATE)
    opened = {index: os.open(folder, os.O_PATH) for index, (folder, _) in sources.items()}
    _mount(libc, "tmpfs", _STAGE, _NO_SUID | _NO_DEVICES, "tmpfs", "mode=0755")
    for index, descriptor in opened.items():
        place = f"{_STAGE}/{index}"
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112 - nothing is imported that is not needed
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
