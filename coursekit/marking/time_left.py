"""The time that is left for one run of a notebook, and the limit that stopped something."""

import time
from collections.abc import Callable

from coursekit.marking.limits import TimeLimits
from coursekit.marking.stop_reasons import OUT_OF_TIME
from coursekit.sandbox.timeouts import MAX_EXTENSION, SubmissionBudget


class TimeLeft:
    """The time for all cells, and then again for all calls, within the budget of the submission.

    ``cpu_steal_s`` returns the CPU steal time of the current child.
    """

    def __init__(self, limits: TimeLimits, budget: SubmissionBudget, cpu_steal_s: Callable[[], float]) -> None:
        self._limits, self._budget, self._cpu_steal_s = limits, budget, cpu_steal_s
        self.restart()

    def restart(self) -> None:
        """Start the notebook's time limit again: time that the cells took is not taken from the calls."""
        self._deadline = time.monotonic() + self._limits.notebook_timeout_s

    def add(self, seconds: float) -> None:
        """Extend the limit by time that does not count for the notebook."""
        self._deadline += seconds

    def for_a_cell_s(self) -> float:
        """Seconds that the next cell or call may take."""
        return max(1.0, min(self._limits.cell_timeout_s, self._left_s()))

    def late(self) -> str:
        """The sentence for an exceeded time limit; empty while there is time left."""
        return OUT_OF_TIME.format(limit=self._limit_reached_s()) if self._left_s() < 0 else ""

    def reason(self, of_the_cell: str, of_the_notebook: str, allowed_s: float) -> str:
        """The sentence for the limit that stopped something for which ``allowed_s`` were allowed."""
        if allowed_s < self._limits.cell_timeout_s:
            return of_the_notebook.format(limit=self._limit_reached_s())
        return of_the_cell.format(limit=self._limits.cell_timeout_s)

    def _limit_reached_s(self) -> float:
        """The limit that is reached first: the notebook's, or the submission's."""
        submission_first = self._budget.left_s() < self._deadline - time.monotonic()
        return self._limits.submission_timeout_s if submission_first else self._limits.notebook_timeout_s

    def _left_s(self) -> float:
        """The time that is left of both limits. Only when little is left, CPU steal time is measured and added."""
        left_s, steal_s = self._deadline - time.monotonic(), 0.0
        if min(left_s, self._budget.left_s()) < self._limits.cell_timeout_s:
            steal_s = self._cpu_steal_s()
        return min(left_s + min(steal_s, MAX_EXTENSION * self._limits.notebook_timeout_s), self._budget.left_s(steal_s))
