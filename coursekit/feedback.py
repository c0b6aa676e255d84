"""Feedback pages from the autograded notebooks and the gradebook, through nbgrader's own generate_feedback."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coursekit import stock
from coursekit.course import Course
from coursekit.errors import CourseError


@dataclass(frozen=True)
class Page:
    """One student's page, or in ``problem`` why there is none."""

    student: str
    path: Path
    problem: str = ""


def feedback(
    course: Course, assignment: str, students: Sequence[str] = (), report: Callable[[Page], None] = lambda _: None
) -> list[Page]:
    """Write ``feedback/<student>/<assignment>/<assignment>.html`` for everybody who was graded.

    One student's failure is told in that student's ``Page`` and keeps nobody else from theirs.
    """
    graded = sorted(
        path.parent.name for path in course.root.glob(f"autograded/*/{course.require(assignment)}") if path.is_dir()
    )
    unknown = sorted(set(students) - set(graded))
    if unknown or not graded:
        found = f"{unknown[0]} was not graded yet" if unknown else "nobody was graded yet"
        raise CourseError(assignment, found, f"run `coursekit grade {assignment}` first")
    pages = []
    for student in graded:
        if not students or student in students:
            pages.append(_write(course, assignment, student))
            report(pages[-1])
    return pages


def _write(course: Course, assignment: str, student: str) -> Page:
    path = course.feedback(assignment, student) / f"{assignment}.html"
    config = stock.course_config(course)
    config.GenerateFeedback.force = True
    try:
        stock.convert("GenerateFeedback", config, assignment, course.root / ".coursekit" / "feedback.log", student)
    except CourseError as error:
        return Page(student, path, str(error))
    return Page(student, path)
