"""Interrupting a long command: the first signal stops it, further ones are ignored during clean-up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopped_once() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first Ctrl-C, SIGTERM or SIGHUP; ignore further ones until clean-up is done."""
    watched = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.getsignal(number) for number in watched}

    def stop(number: int, _: object) -> None:
        for one in watched:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    for number in watched:
        if before[number] is not signal.SIG_IGN:  # it is ignored under nohup
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code(stopped: KeyboardInterrupt) -> int:
    return 128 + (stopped.args[0] if stopped.args else 2)
