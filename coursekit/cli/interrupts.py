"""How a long command is stopped: at once, and only once, so that its cleaning up is not disturbed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopped_once() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal raise KeyboardInterrupt, the first time: cleaning up is not disturbed."""
    watched = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.getsignal(number) for number in watched}

    def stop(number: int, _: object) -> None:
        for one in watched:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    for number in watched:
        if before[number] is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code(stopped: KeyboardInterrupt) -> int:
    return 128 + (stopped.args[0] if stopped.args else 2)
