"""What a process gets from the one that starts it, and what must not decide anything here.

`nohup`, `trap '' …` in a script, a service manager or a CI runner start programs with signals that are ignored or
blocked, and with a closed input. Python and its libraries do not expect that: with SIGCHLD ignored, for instance, how a
child has ended cannot be told, and the first file that is opened becomes the standard input of what is started.
"""

import os
import signal

# Ctrl-C, a closed terminal, `kill` and job control may be ignored on purpose; the last two always are, by Python.
_ON_PURPOSE = ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGPIPE", "SIGXFSZ")


def settle() -> None:
    """No signal is blocked, none ignored but on purpose, and the standard streams lead somewhere."""
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
        null = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, so this one
        if null != descriptor:
            os.dup2(null, descriptor)
            os.close(null)
        os.set_inheritable(descriptor, True)
