"""How long one run of a notebook may still take, and by which limit something was stopped."""

import time
from collections.abc import Callable

from coursekit.marking.limits import TimeLimits
from coursekit.marking.stop_reasons import OUT_OF_TIME
from coursekit.sandbox.timeouts import MAX_EXTENSION, SubmissionBudget


class TimeLeft:
    """The time of all cells (then of all calls), within the time of all that is done for the submission.

    ``others_had_s`` says how long other programs had the processors that the present child has waited for.
    """

    def __init__(self, limits: TimeLimits, budget: SubmissionBudget, cpu_steal_s: Callable[[], float]) -> None:
        self._limits, self._budget, self._cpu_steal_s = limits, budget, cpu_steal_s
        self.restart()

    def restart(self) -> None:
        """From now on there is all of the notebook's time again: slow cells cost no function its time."""
        self._deadline = time.monotonic() + self._limits.notebook_timeout_s

    def add(self, seconds: float) -> None:
        """So much was no time of the notebook's."""
        self._deadline += seconds

    def for_a_cell_s(self) -> float:
        """How long the next cell, or call, may take."""
        return max(1.0, min(self._limits.cell_timeout_s, self._left_s()))

    def late(self) -> str:
        """In words, that the time is over; empty while it is not."""
        return OUT_OF_TIME.format(limit=self._limit_reached_s()) if self._left_s() < 0 else ""

    def reason(self, of_the_cell: str, of_the_notebook: str, allowed_s: float) -> str:
        """In words, by which limit something was stopped for which so much time was allowed."""
        if allowed_s < self._limits.cell_timeout_s:
            return of_the_notebook.format(limit=self._limit_reached_s())
        return of_the_cell.format(limit=self._limits.cell_timeout_s)

    def _limit_reached_s(self) -> float:
        """The limit that ends first: of all cells (or all calls), or of all that is done for the submission."""
        held = self._budget.left_s() < self._deadline - time.monotonic()
        return self._limits.submission_timeout_s if held else self._limits.notebook_timeout_s

    def _left_s(self) -> float:
        """Of the notebook's time, and the submission's; where little is left, with what other programs had of it."""
        left_s, steal_s = self._deadline - time.monotonic(), 0.0
        if min(left_s, self._budget.left_s()) < self._limits.cell_timeout_s:
            steal_s = self._cpu_steal_s()
        return min(left_s + min(steal_s, MAX_EXTENSION * self._limits.notebook_timeout_s), self._budget.left_s(steal_s))
