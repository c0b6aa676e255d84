"""Time limits that a busy machine does not shorten.

A limit is time on the clock, so that a cell which sleeps is stopped too. But where other programs had the processors, a
right answer that computes is slow without any fault of its own: what it has waited for them is given back to it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

LOOK_S = 1.0  # what takes less is not looked at, and costs nothing
MAX_CELL_RUNS = 1_500  # of one submission, however often it has to be run again
MOST = 9  # times the limit, on top of it: a machine as busy as that grades nobody


@dataclass(frozen=True)
class Usage:
    """Of all processes of a child, since they began: seconds that one has waited, and that they have computed."""

    waited_s: float = 0.0
    used_s: float = 0.0


class Patience:
    """How long a request may take: its limit, and what its processes have waited for a processor meanwhile.

    ``usage`` tells what was waited and used so far. It is asked once after a while, and again when the time is over.
    """

    def __init__(self, usage: Callable[[], Usage], limit_s: float) -> None:
        self._usage, self._limit_s, self._began = usage, limit_s, time.monotonic()
        self._first: Usage | None = None
        self._looked = self._began + min(LOOK_S, limit_s / 10)  # or will look, as long as there is no ``_first``
        self._deadline = self._began + limit_s

    def left_s(self) -> float:
        """Until there is something to do here: zero or less when the time is over."""
        now = time.monotonic()
        if self._first is None and now >= self._looked:
            self._first, self._looked = self._usage(), time.monotonic()
        if now >= self._deadline:
            self._deadline = self._began + self._limit_s + min(self.given_back_s(), MOST * self._limit_s)
        until = self._deadline if self._first is not None else min(self._looked, self._deadline)
        return until - time.monotonic()

    def given_back_s(self) -> float:
        """What others had of this time. What the child's own processes took from each other is not given back."""
        return 0.0 if self._first is None else others_had_s(self._first, self._usage(), time.monotonic() - self._looked)


def others_had_s(before: Usage, now: Usage, elapsed_s: float) -> float:
    """How much of a time other programs had, of what was waited in it."""
    idle_s = elapsed_s - (now.used_s - before.used_s)
    return max(0.0, min(now.waited_s - before.waited_s, idle_s))


class Hold:
    """How long a submission may hold a worker, over all its runs: a limit, and what other programs had of the time.

    And how many cells are run in all, since each costs the grader some work of its own, too.
    """

    def __init__(self, limit_s: float, cells: int = MAX_CELL_RUNS) -> None:
        self._limit_s, self._began, self._given_back_s = limit_s, time.monotonic(), 0.0
        self._cells = cells

    def play(self, cells: int) -> None:
        """A notebook of so many cells is run, perhaps not for the first time."""
        self._cells -= cells

    def give_back(self, had_s: float) -> None:
        """So much of a child's life that is over was other programs'."""
        self._given_back_s += had_s

    def left_s(self, had_s: float = 0.0) -> float:
        """Until it is over, where other programs had so much of the life of the child that runs now."""
        given_back_s = min(self._given_back_s + had_s, MOST * self._limit_s)
        return self._began + self._limit_s + given_back_s - time.monotonic()

    @property
    def over(self) -> bool:
        """Whether nothing more is begun."""
        return self._cells <= 0 or self.left_s() <= 0
