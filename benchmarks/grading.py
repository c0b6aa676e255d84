"""``python -m benchmarks.grading ROOT ASSIGNMENT JOBS``: grades the class, and tells on each line when one was done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursekit.grading.grade import Graded


def main(root: str, assignment: str, jobs: str) -> None:
    """A line for every submission; exit status 1 where grading one of them failed."""
    # Each worker imports this module again: what only the grader needs is not for them, as in `coursekit grade`.
    from coursekit.grading.grade import grade
    from coursekit.grading.options import GradingOptions
    from coursekit.marking.limits import TimeLimits
    from coursekit.model.course import Course

    def tell(one: Graded) -> None:
        print(f"{one.student} {'FAILED' if one.failed else 'done'}: {one.problem}", flush=True)

    options = GradingOptions(TimeLimits(cell_timeout_s=120), jobs=int(jobs))
    done = grade(Course(Path(root)), assignment, options=options, report=tell)
    sys.exit(any(one.failed for one in done))


if __name__ == "__main__":
    main(*sys.argv[1:])
