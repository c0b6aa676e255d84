"""The students a command works on: those with a submission, or those who were graded. No heavy imports."""

from collections.abc import Sequence

from coursekit.model import database
from coursekit.model.course import Course
from coursekit.model.errors import CourseError


def submitted(course: Course, assignment: str, students: Sequence[str] = ()) -> list[str]:
    """The students with a submission; only those named, if any are. Raises CourseError."""
    there = course.students(course.require(assignment))
    unknown = sorted(set(students) - set(there))
    if unknown:
        raise _no_such(unknown[0], assignment)
    if not there:
        raise CourseError(course.submitted(assignment).relative_to(course.root), "no submissions found",
                          f"put each student's notebook into submitted/<student>/{assignment}/")  # fmt: skip
    return [student for student in there if not students or student in students]


def require_gradebook(course: Course, assignments: Sequence[str]) -> None:
    """Raise CourseError if it is certain that there is no gradebook."""
    if database.is_plainly_missing(course.root):
        wanted = assignments[0] if assignments else "<assignment>"
        raise CourseError("gradebook.db", "there is no gradebook yet", f"run `coursekit grade {wanted}` first")


def graded(course: Course, assignment: str, students: Sequence[str] = ()) -> list[str]:
    """The students who were graded; only those named, if any are. Raises CourseError."""
    there = sorted(
        path.parent.name for path in course.root.glob(f"autograded/*/{course.require(assignment)}") if path.is_dir()
    )
    unknown = sorted(set(students) - set(there))
    handed_in = course.students(assignment)
    for student in unknown:
        if student not in handed_in:
            raise _absent(course, student, assignment)
    if unknown or not there:
        found = f"{unknown[0]} was not graded yet" if unknown else "nobody was graded yet"
        raise CourseError(assignment, found, f"run `coursekit grade {assignment}` first")
    return [student for student in there if not students or student in students]


def _no_such(student: str, assignment: str) -> CourseError:
    where = f"submitted/{student}/{assignment}"
    return CourseError(where, "there is no such submission", "check the student's id")


def _absent(course: Course, student: str, assignment: str) -> CourseError:
    """The error for a student without a submission: absent if the gradebook has them, else unknown."""
    if not database.is_plainly_missing(course.root):
        from coursekit.grading import gradebook  # takes seconds: only imported if there is a gradebook

        if gradebook.exists(course) and gradebook.knows(course, student):
            found = f"{student} handed in nothing, so that there is no page"
            return CourseError(assignment, found, f"`coursekit marks {assignment}` shows who is absent")
    return _no_such(student, assignment)
