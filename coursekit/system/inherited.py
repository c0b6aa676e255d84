"""Resets what a process inherits from its parent: signal handling and standard streams.

`nohup`, `trap '' …` in a script, a service manager or a CI runner start programs with ignored or blocked signals, and
with a closed standard input. Python and its libraries do not expect that: with SIGCHLD ignored, for instance, the exit
status of a child is lost, and with a closed input the first opened file becomes the standard input of children.
"""

import os
import signal

# These may be ignored on purpose (Ctrl-C, a closed terminal, `kill`, job control); Python ignores the last two itself.
_ON_PURPOSE = ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGPIPE", "SIGXFSZ")


def reset() -> None:
    """Unblock all signals, restore those not ignored on purpose, and open closed standard streams."""
    for descriptor in (0, 1, 2):
        _open(descriptor)
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN and getattr(number, "name", "") not in _ON_PURPOSE:
            signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _open(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)  # the lowest free number, usually this one
        if null != descriptor:
            os.dup2(null, descriptor)
            os.close(null)
        os.set_inheritable(descriptor, True)
