"""What grading again would change, before anything is written: whose marks, by how much, and why."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from coursekit import grade as grading
from coursekit import gradebook, selection
from coursekit.course import Course
from coursekit.marking.runner import Limits
from coursekit.outcomes import Outcome
from coursekit.student_marks import Mark


@dataclass(frozen=True)
class Change:
    """One exercise of one student whose automatic mark would become another.

    ``before`` is None where there is no mark yet. ``kept`` is a person's mark, which stays whatever the grader finds.
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
    """``changes`` by student and exercise; ``failures`` are those who could not be graded, with why."""

    changes: tuple[Change, ...]
    students: int
    failures: tuple[tuple[str, str], ...] = ()


def preview(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    limits: Limits = grading.LIMITS,
    report: Callable[[str], None] = lambda _: None,
    jobs: int = 1,
    sandbox: str = "auto",
    scheduler: str = "",
) -> Preview:
    """Grades without recording: neither gradebook nor autograded/ is touched. ``report`` is told each student."""
    chosen = selection.submitted(course, assignment, students)
    before = _before(course, assignment)
    changes: list[Change] = []
    failures: list[tuple[str, str]] = []
    with closing(grading.examine(course, assignment, chosen, limits, jobs, sandbox, scheduler)) as outcomes:
        for outcome in outcomes:
            if outcome.failure:
                failures.append((outcome.student, outcome.failure))
            else:
                changes += _changes(outcome, before.get(outcome.student, {}))
            report(outcome.student)
    changes.sort(key=lambda change: change.student)
    return Preview(tuple(changes), len(chosen), tuple(sorted(failures)))


def _before(course: Course, assignment: str) -> dict[str, dict[str, Mark]]:
    if not gradebook.exists(course):
        return {}
    return {
        student.student: {mark.grade_id.removesuffix("-test"): mark for mark in student.marks}
        for student in gradebook.read(course, assignment)
    }


def _changes(outcome: Outcome, before: dict[str, Mark]) -> list[Change]:
    found = []
    for row in outcome.verdicts["exercises"]:
        mark = before.get(row["grade_id"])
        old = mark.automatic if mark else None
        if old is None or abs(old - row["earned"]) > 1e-9:
            kept = mark.earned if mark and mark.manual else None
            found.append(Change(outcome.student, row["grade_id"], old, row["earned"], row["summary"], kept))
    return found
