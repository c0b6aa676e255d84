"""How long the student's code may take, and which of the cells are run at all."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimeLimits:
    """How long the student's code may take, in seconds: one cell, one call by the grader, all cells (and all calls).

    ``experiments``: whether the cells are run, too, that the author has tagged as experiments. No mark depends on it.

    The last limit is for all that is done for one submission, with second tries and whatever has to be run again.

    Time in which other programs had the processors does not count: marks do not depend on how busy a machine is.
    """

    cell_timeout_s: float = 30
    call_timeout_s: float = 5.0
    notebook_timeout_s: float = 300
    submission_timeout_s: float = 400
    experiments: bool = False
