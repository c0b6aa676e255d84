"""Submissions -> marks in the gradebook and executed notebooks in autograded/.

Workers make an outcome out of each submission and change nothing; one writer records them. The submitted folder is only
read, and one student's failure never touches another's.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from traitlets.log import get_logger

from coursekit import marking, notebooks, release, stock, workers
from coursekit.course import Course
from coursekit.errors import CourseError
from coursekit.outcomes import Outcome
from coursekit.recorder import Recorder
from coursekit.runner import Limits
from hidden_tests import exercises

LIMITS = Limits()


@dataclass(frozen=True)
class Graded:
    """How grading one submission went; ``problem`` is empty when there was something to grade."""

    student: str
    problem: str = ""
    notes: tuple[str, ...] = ()
    failed: bool = False  # our own failure: no mark was written


def default_jobs() -> int:
    """As many workers as this process may use processors."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def grade(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    limits: Limits = LIMITS,
    report: Callable[[Graded], None] = lambda _: None,
    jobs: int = 1,
    sandbox: str = "auto",
) -> list[Graded]:
    """Grade the submissions of an assignment, by student; ``report`` is called after each.

    ``jobs`` processes work side by side: the order of the reports is then the order in which they end. Raises
    CourseError where this machine has no sandbox, unless ``sandbox`` is ``none``.
    """
    chosen = choose(course, assignment, students)
    release.register(course, assignment)
    done = []
    with Recorder(course, assignment) as recorder:
        for outcome in examine(course, assignment, chosen, limits, jobs, sandbox):
            done.append(_record(course, recorder, outcome))
            report(done[-1])
    return sorted(done, key=lambda one: one.student)


def choose(course: Course, assignment: str, students: Sequence[str]) -> list[str]:
    """The students whose submissions are there and wanted: all, if none is named. Raises CourseError."""
    there = course.students(course.require(assignment))
    unknown = sorted(set(students) - set(there))
    if unknown:
        raise CourseError(
            f"submitted/{unknown[0]}/{assignment}", "there is no such submission", "check the student's id"
        )
    if not there:
        raise CourseError(course.submitted(assignment).relative_to(course.root), "no submissions found",
                          f"put each student's notebook into submitted/<student>/{assignment}/")  # fmt: skip
    return [student for student in there if not students or student in students]


def examine(
    course: Course, assignment: str, students: Sequence[str], limits: Limits, jobs: int, sandbox: str
) -> Iterator[Outcome]:
    """The outcomes of these submissions; nothing is recorded."""
    _check_points(course, assignment)
    marking.standing(sandbox)
    (course.root / ".coursekit").mkdir(exist_ok=True)
    return workers.examine_all(course, assignment, students, limits, sandbox, min(jobs, len(students)))


def _record(course: Course, recorder: Recorder, outcome: Outcome) -> Graded:
    if not outcome.failure:
        try:
            recorder.record(outcome)
            return Graded(outcome.student, outcome.problem, () if outcome.problem else outcome.notes)
        except CourseError as error:
            return Graded(outcome.student, str(error), failed=True)
    log = course.root / ".coursekit" / "grade.log"
    if outcome.log:
        with stock.logging_to(log):
            get_logger().error(outcome.log)
    return Graded(outcome.student, outcome.failure + (f"; see {log}" if outcome.log else ""), failed=True)


def _check_points(course: Course, assignment: str) -> None:
    """Raise CourseError where a test cell promises other points than the table of exercises gives."""
    rows = {f"{row.grade_id}-test": row for row in exercises(assignment)}
    for cell in notebooks.read(course.source(assignment)).cells:
        row = rows.get(notebooks.grade_id(cell) or "")
        if row is not None and notebooks.grader_metadata(cell).get("points") != row.points:
            promised = notebooks.grader_metadata(cell).get("points")
            where = f"source/{assignment}/{assignment}.ipynb[{cell.id}]"
            raise CourseError(where, f"{promised} points, but {row.points:g} in hidden_tests.py", "make them agree")
