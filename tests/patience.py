"""Time limits of tests, none of which a slow or busy machine meets by itself.

Waiting: a limit exists to end a hang. ``Wait`` takes what a quiet machine needs, allows ten times that, and ten times
that again where others have the processors. Computing: ``spends_at_most`` counts processor time, by the speed of this
very machine at this very moment.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from coursekit.system.deadline import Deadline

T = TypeVar("T")
GENEROSITY = 10
LEAST_S = 60.0  # whatever is quick
STINT, STINT_S = 100_000, 0.006  # steps of a loop, and the processor time of the machine on which limits were chosen


class Wait(Deadline):
    """A generous limit for what takes ``quiet_s`` on a quiet machine."""

    def __init__(self, quiet_s: float = 6.0) -> None:
        super().__init__(max(LEAST_S, quiet_s * GENEROSITY))


def until(found: Callable[[], T], what: str = "it", quiet_s: float = 6.0) -> T:
    """What ``found`` gives, as soon as that is anything. Fails where it never is."""
    wait, pause_s = Wait(quiet_s), 0.005
    while not (result := found()):
        assert wait.left_s() > 0, f"waited in vain for {what}"
        time.sleep(pause_s)  # between two looks at another process: that says nothing of its own accord
        pause_s = min(0.1, pause_s * 1.5)
    return result


def communicate(process: subprocess.Popen[str], quiet_s: float = 6.0) -> tuple[str, str]:
    """All that the process says until it ends. One that never ends is killed, with its group where it has its own."""
    wait = Wait(quiet_s)
    while True:
        try:
            return process.communicate(timeout=max(0.1, wait.slice_s()))
        except subprocess.TimeoutExpired:
            if wait.left_s() <= 0:
                kill_group(process)
                out, err = process.communicate()
                raise AssertionError(f"it never ended, and said: {out!r} {err!r}") from None


def ended(process: "subprocess.Popen[bytes] | subprocess.Popen[str]", quiet_s: float = 6.0) -> int:
    """The exit code of a process that ends by itself; one that never does is killed."""
    wait = Wait(quiet_s)
    while True:
        try:
            return process.wait(max(0.1, wait.slice_s()))
        except subprocess.TimeoutExpired:
            if wait.left_s() <= 0:
                kill_group(process)
                process.wait()
                raise AssertionError("it never ended") from None


def kill_group(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    """The process is killed, and with it all that it has started, where it leads a group."""
    if process.poll() is None and os.getpgid(process.pid) == process.pid:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


@contextmanager
def spends_at_most(seconds: float) -> Iterator[None]:
    """The block uses no more processor time than that, on a machine as fast as the one where the limit was chosen."""
    before, began = _slowness(), time.process_time()
    yield
    spent_s = time.process_time() - began
    if spent_s >= seconds:  # else nobody need know how fast the machine is
        slower = max(1.0, before, _slowness())
        assert spent_s < seconds * slower, (
            f"{spent_s:.2f} s of processor time; {seconds:g} s are allowed × {slower:.1f}"
        )


def _slowness() -> float:
    began, total = time.process_time(), 0
    for number in range(STINT):
        total += number * number % 7
    return (time.process_time() - began) / STINT_S
