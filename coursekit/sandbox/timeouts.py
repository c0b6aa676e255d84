"""Load-aware timeouts: CPU steal time extends a limit.

A limit is wall-clock time, so that a cell that sleeps is stopped too. But while other programs use the processors, a
right answer computes slowly without any fault of its own. So the time that it waits for a processor extends its limit.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

POLL_INTERVAL_S = 1.0  # a request that takes less is never measured, which would cost time
MAX_CELL_RUNS = 1_500  # for one submission, counting every time that a cell is run again
MAX_EXTENSION = 9  # in multiples of the limit, added to it; beyond this load, give up instead of waiting


@dataclass(frozen=True)
class CpuUsage:
    """CPU wait and CPU time of a child since it began.

    ``waited_s`` is the largest wait of any of its processes, ``used_s`` the sum of their processor time.
    """

    waited_s: float = 0.0
    used_s: float = 0.0


class LoadAwareTimeout:
    """The time limit of one request, extended by its CPU steal time.

    ``usage`` measures CPU wait and CPU time so far. It is called once after ``POLL_INTERVAL_S``, and again each time
    that the limit is reached.
    """

    def __init__(self, usage: Callable[[], CpuUsage], limit_s: float) -> None:
        self._usage, self._limit_s, self._began = usage, limit_s, time.monotonic()
        self._first: CpuUsage | None = None
        # The time of the measurement ``_first``, planned or done.
        self._polled = self._began + min(POLL_INTERVAL_S, limit_s / 10)
        self._deadline = self._began + limit_s

    def left_s(self) -> float:
        """Seconds until the next call of this method is due; zero or less when the time is over."""
        now = time.monotonic()
        if self._first is None and now >= self._polled:
            self._first, self._polled = self._usage(), time.monotonic()
        if now >= self._deadline:
            self._deadline = self._began + self._limit_s + min(self.extension_s(), MAX_EXTENSION * self._limit_s)
        until = self._deadline if self._first is not None else min(self._polled, self._deadline)
        return until - time.monotonic()

    def exclude(self, seconds: float) -> None:
        """Extend the limit by time in which the child waited for the grader."""
        self._began += seconds
        self._deadline += seconds

    def extension_s(self) -> float:
        """CPU steal time since the first measurement. Waits for the child's own processes do not extend the limit."""
        return 0.0 if self._first is None else cpu_steal_s(self._first, self._usage(), time.monotonic() - self._polled)


def cpu_steal_s(before: CpuUsage, now: CpuUsage, elapsed_s: float) -> float:
    """CPU steal time: the CPU wait between two measurements in which other programs had the processors.

    Time in which the child's own processes compute is no steal time: they may be what the waiting process waits for.
    """
    idle_s = elapsed_s - (now.used_s - before.used_s)
    return max(0.0, min(now.waited_s - before.waited_s, idle_s))


class SubmissionBudget:
    """What a submission may use of a worker over all its runs: time, extended by CPU steal time, and cell runs.

    Cell runs are counted because each one costs the grader some work of its own, too.
    """

    def __init__(self, limit_s: float, cells: int = MAX_CELL_RUNS) -> None:
        self._limit_s, self._began, self._extension_s = limit_s, time.monotonic(), 0.0
        self._cells = cells

    def spend(self, cells: int) -> None:
        """Count one more run of a notebook with this number of cells."""
        self._cells -= cells

    def extend(self, steal_s: float) -> None:
        """Add the CPU steal time of a child that has ended."""
        self._extension_s += steal_s

    def left_s(self, steal_s: float = 0.0) -> float:
        """Seconds that are left; ``steal_s`` is the CPU steal time of the child that runs now."""
        extension_s = min(self._extension_s + steal_s, MAX_EXTENSION * self._limit_s)
        return self._began + self._limit_s + extension_s - time.monotonic()

    @property
    def used_up(self) -> bool:
        """Whether no further run may begin."""
        return self._cells <= 0 or self.left_s() <= 0
