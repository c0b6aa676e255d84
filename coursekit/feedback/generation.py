"""Write feedback pages from the autograded notebooks and the gradebook, by nbgrader's generate_feedback."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coursekit.grading import converters, roster, workspace
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.system import atomic_write


@dataclass(frozen=True)
class FeedbackPage:
    """One student's page; ``problem`` says why it could not be written."""

    student: str
    path: Path
    problem: str = ""


def feedback(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    report: Callable[[FeedbackPage], None] = lambda _: None,
) -> list[FeedbackPage]:
    """Write ``feedback/<student>/<assignment>/<assignment>.html`` for all students who were graded.

    A failure is reported in the ``FeedbackPage`` of its student, and does not affect the others.
    """
    pages = []
    for student in roster.graded(course, assignment, students):
        pages.append(_write(course, assignment, student))
        report(pages[-1])
    return pages


def _write(course: Course, assignment: str, student: str) -> FeedbackPage:
    """Write one page atomically: until then, and if it fails, an earlier page stays."""
    target = course.feedback(assignment, student)
    path = target / f"{assignment}.html"
    with workspace.folder(course) as folder:
        config = converters.course_config(course, feedback_directory=str(folder))
        try:
            converters.convert(
                "GenerateFeedback", config, assignment, course.root / ".coursekit" / "feedback.log", student
            )
            atomic_write.replace_folder(folder / student / assignment, target, folder / "old")
        except CourseError as error:
            return FeedbackPage(student, path, str(error))
        except OSError as error:
            return FeedbackPage(student, path, f"cannot be written ({error}); make room, or fix its permissions")
    return FeedbackPage(student, path)
