"""Dry run: whose marks grading again would change, by how much, and why. Nothing is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from coursekit.grading import converters, gradebook, penalties, roster
from coursekit.grading import grade as grading
from coursekit.grading.options import DEFAULTS, GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.grading.penalties import TotalChange
from coursekit.grading.recorder import handed_in_at
from coursekit.grading.student_marks import StudentMarks
from coursekit.model.course import Course


@dataclass(frozen=True)
class MarkChange:
    """The change of one automatic mark: one exercise of one student.

    ``before`` is None if there is no mark yet. ``kept`` is a person's mark, which is never replaced.
    """

    student: str
    grade_id: str
    before: float | None
    after: float
    reason: str
    kept: float | None = None

    @property
    def difference(self) -> float:
        """By how much the student's total would change."""
        return 0.0 if self.kept is not None else self.after - (self.before or 0.0)


@dataclass(frozen=True)
class Preview:
    """``changes`` by student and exercise; ``failures``: students who could not be graded, and why.

    ``late``: students with changes whose late penalty will be computed again as well. ``total_changes``: students
    without changes whose total would change by another penalty.
    """

    changes: tuple[MarkChange, ...]
    students: int
    failures: tuple[tuple[str, str], ...] = ()
    late: tuple[str, ...] = ()
    total_changes: tuple[TotalChange, ...] = ()


def preview(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    options: GradingOptions = DEFAULTS,
    report: Callable[[str], None] = lambda _: None,
) -> Preview:
    """Grade without recording: gradebook and autograded/ do not change. Calls ``report`` with each student."""
    chosen = roster.submitted(course, assignment, students)
    with closing(grading.examine(course, assignment, chosen, options)) as outcomes:
        return compared(course, assignment, outcomes, report)


def compared(
    course: Course, assignment: str, outcomes: Iterable[Outcome], report: Callable[[str], None] = lambda _: None
) -> Preview:
    """What recording these outcomes would change in the gradebook."""
    before = _before(course, assignment)
    changes: list[MarkChange] = []
    failures: list[tuple[str, str]] = []
    handed_in: dict[str, datetime | None] = {}
    students = 0
    for outcome in outcomes:
        students += 1
        if outcome.failure:
            failures.append((outcome.student, outcome.failure))
        else:
            changes += _mark_changes(outcome, before.get(outcome.student))
            handed_in[outcome.student] = handed_in_at(outcome.files)
        report(outcome.student)
    changes.sort(key=lambda change: change.student)
    changed = dict.fromkeys(change.student for change in changes)
    late = tuple(one for one in changed if one in before and (before[one].late or before[one].penalty))
    alone = {student: when for student, when in handed_in.items() if student in before and student not in changed}
    return Preview(tuple(changes), students, tuple(sorted(failures)), late, _total_changes(course, assignment, alone))


def _total_changes(
    course: Course, assignment: str, handed_in: Mapping[str, datetime | None]
) -> tuple[TotalChange, ...]:
    """The totals of these students that the current late penalty would change."""
    if not handed_in:
        return ()
    dates = {student: when for student, when in handed_in.items() if when is not None}
    with gradebook.opened(course) as book:
        found = penalties.outdated(book, assignment, converters.course_config(course), handed_in=dates)
    return tuple(found[student] for student in sorted(found.keys() & handed_in.keys()))


def _before(course: Course, assignment: str) -> dict[str, StudentMarks]:
    if not gradebook.exists(course):
        return {}
    return {student.student: student for student in gradebook.read(course, assignment)}


def _mark_changes(outcome: Outcome, before: StudentMarks | None) -> list[MarkChange]:
    marks = {mark.grade_id: mark for mark in before.marks} if before else {}
    found = []
    for exercise in outcome.verdicts.exercises:
        mark = marks.get(exercise.grade_id)
        old = mark.automatic if mark else None
        if old is None or abs(old - exercise.earned) > 1e-9:
            kept = mark.earned if mark and mark.manual else None
            found.append(MarkChange(outcome.student, exercise.grade_id, old, exercise.earned, exercise.summary, kept))
    return found
