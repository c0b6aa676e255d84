"""Feedback pages from the autograded notebooks and the gradebook, through nbgrader's own generate_feedback."""

from collections.abc import Callable, Sequence
from pathlib import Path

from coursekit import stock
from coursekit.course import Course
from coursekit.errors import CourseError


def feedback(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    report: Callable[[Path], None] = lambda _: None,
) -> list[Path]:
    """Write ``feedback/<student>/<assignment>/<assignment>.html`` for everybody who was graded; returns the pages."""
    graded = sorted(
        path.parent.name for path in course.root.glob(f"autograded/*/{course.require(assignment)}") if path.is_dir()
    )
    unknown = sorted(set(students) - set(graded))
    if unknown or not graded:
        who = unknown[0] if unknown else "nobody"
        found = "was not graded yet" if unknown else "was graded yet"
        raise CourseError(assignment, f"{who} {found}", f"run `coursekit grade {assignment}` first")
    pages = []
    for student in graded:
        if students and student not in students:
            continue
        config = stock.course_config(course)
        config.GenerateFeedback.force = True
        stock.convert("GenerateFeedback", config, assignment, course.root / ".coursekit" / "feedback.log", student)
        pages.append(course.feedback(assignment, student) / f"{assignment}.html")
        report(pages[-1])
    return pages
