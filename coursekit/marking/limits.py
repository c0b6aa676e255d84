"""Time limits for a student's code, and whether experiments are run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimeLimits:
    """Time limits in seconds. CPU steal time does not count: marks do not depend on the load of the computer.

    cell_timeout_s          one cell
    call_timeout_s          one call of a function by the grader
    notebook_timeout_s      all cells together, and again all calls together
    submission_timeout_s    everything that is done for one submission, with retries and repeated runs
    experiments             whether to run the cells tagged as experiments too; no mark depends on it
    """

    cell_timeout_s: float = 30
    call_timeout_s: float = 5.0
    notebook_timeout_s: float = 300
    submission_timeout_s: float = 400
    experiments: bool = False
