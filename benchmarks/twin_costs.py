"""What twins cost: processor time of one submission with and without them, one after the other in the same run.

All processes count: the grader, the sandbox with its children, and the reference process that draws.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks import classes
from benchmarks.watching import look_at
from coursekit.grading import outcomes
from coursekit.marking.limits import TimeLimits
from coursekit.marking.marker import Marker
from coursekit.marking.twins import TwinSource
from coursekit.model.course import Course
from coursekit.model.exercise import Twin
from coursekit.sandbox import isolation

LIMITS = TimeLimits(cell_timeout_s=120)


class NoTwins(TwinSource):
    """Draws none. Only here: with these, a table of recorded results would earn marks."""

    def begin(self, nonce: str) -> None:
        """Nothing is drawn."""

    def drawn(self) -> dict[str, tuple[Twin, ...]]:
        """None at all."""
        return {}


def measure(course: Course, assignment: str, pairs: int, folder: Path) -> tuple[float, float]:
    """Seconds of processor time of one submission without twins, and with them: the means of so many pairs."""
    made = classes.ours(course, assignment, len(classes.recipes(assignment)), folder)
    students = classes.students(len(classes.recipes(assignment)))
    with ExitStack() as stack:
        markers = {
            with_twins: stack.enter_context(_marker(made, assignment, with_twins)) for with_twins in (True, False)
        }
        total = dict.fromkeys(markers, 0.0)
        for student in students:  # processes start, and caches fill
            for marker in markers.values():
                _cpu_s(made, assignment, student, marker)
        for number in range(pairs):
            for with_twins in _order(number):
                student = students[number % len(students)]
                total[with_twins] += _cpu_s(made, assignment, student, markers[with_twins])
    return total[False] / pairs, total[True] / pairs


def _order(number: int) -> Iterator[bool]:
    """Each of the two comes first in every other pair."""
    return iter((True, False) if number % 2 else (False, True))


def _marker(course: Course, assignment: str, with_twins: bool) -> Marker:
    marker = Marker(course, assignment, LIMITS, isolation.require())
    if not with_twins:
        marker._twins = NoTwins(course.root, assignment)
    return marker


def _cpu_s(course: Course, assignment: str, student: str, marker: Marker) -> float:
    """Processor time of marking a submission. Raises RuntimeError if it has no marks to speak of."""
    begun = look_at(os.getpid()).cpu_s
    outcome = outcomes.examine(course, assignment, student, marker)
    used_s = look_at(os.getpid()).cpu_s - begun
    if outcome.failure or not any(one.earned for one in outcome.verdicts.exercises):
        raise RuntimeError(f"{student} has no marks ({outcome.failure}): this is no measurement")
    return used_s
