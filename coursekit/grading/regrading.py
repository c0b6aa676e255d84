"""Dry run: whose marks grading again would change, by how much, and why. Nothing is written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from coursekit.grading import changes, converters, gradebook, roster
from coursekit.grading import grade as grading
from coursekit.grading.changes import Changes, MarkChange
from coursekit.grading.options import DEFAULTS, ONLY_OUTDATED, Again, GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.grading.penalties import TotalChange
from coursekit.model.course import Course


@dataclass(frozen=True)
class Preview:
    """``changes`` by student and exercise; ``failures``: students who could not be graded, and why.

    ``late``: students with changes whose late penalty will be computed again as well. ``total_changes``: students
    without changes whose total would change by another penalty. ``returned``: students who were left out, because they
    have their work back.
    """

    changes: tuple[MarkChange, ...]
    students: int
    failures: tuple[tuple[str, str], ...] = ()
    late: tuple[str, ...] = ()
    total_changes: tuple[TotalChange, ...] = ()
    returned: tuple[str, ...] = ()


def preview(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    options: GradingOptions = DEFAULTS,
    report: Callable[[str], None] = lambda _: None,
    again: Again = ONLY_OUTDATED,
) -> Preview:
    """Grade without recording: gradebook and autograded/ do not change. Calls ``report`` with each student.

    Up-to-date work is graded, too; returned work only if ``again`` says so.
    """
    chosen = roster.submitted(course, assignment, students)
    back = frozenset() if again.returned else gradebook.returned(course, assignment)
    waiting = [student for student in chosen if student not in back]
    with closing(grading.examine(course, assignment, waiting, options)) as outcomes:
        found = compared(course, assignment, outcomes, report)
    return replace(found, returned=tuple(student for student in chosen if student in back))


def compared(
    course: Course, assignment: str, outcomes: Iterable[Outcome], report: Callable[[str], None] = lambda _: None
) -> Preview:
    """What recording these outcomes would change in the gradebook."""
    found: dict[str, Changes] = {}
    failures: list[tuple[str, str]] = []
    students = 0
    with _comparing(course, assignment) as compare:
        for outcome in outcomes:
            students += 1
            if outcome.failure:
                failures.append((outcome.student, outcome.failure))
            else:
                found[outcome.student] = compare(outcome)
            report(outcome.student)
    return of_changes(found, students, failures)


@contextmanager
def _comparing(course: Course, assignment: str) -> Iterator[Callable[[Outcome], Changes]]:
    """Yield the function that compares an outcome with the gradebook, if there is one."""
    if not gradebook.exists(course):
        yield changes.of_new
        return
    config = converters.course_config(course)
    with gradebook.opened(course) as book:
        yield lambda outcome: changes.of(book, course, assignment, outcome, config)


def of_changes(found: Mapping[str, Changes], students: int, failures: Iterable[tuple[str, str]] = ()) -> Preview:
    """The preview of what these students' results would change, of so many students."""
    by_student = [found[student] for student in sorted(found)]
    return Preview(
        tuple(mark for one in by_student for mark in one.marks),
        students,
        tuple(sorted(failures)),
        tuple(one.marks[0].student for one in by_student if one.marks and one.late),
        tuple(one.total for one in by_student if one.total),
    )
