"""Marks out of nbgrader's gradebook, as values."""

from dataclasses import dataclass

from coursekit.course import Course
from coursekit.errors import CourseError


@dataclass(frozen=True)
class Mark:
    """One exercise of one student. ``reason`` says why marks are lost, ``manual`` whether a person set the mark."""

    grade_id: str
    earned: float
    points: float
    reason: str = ""
    manual: bool = False
    waiting: bool = False  # for a person


@dataclass(frozen=True)
class StudentMarks:
    """All marks of one student in one assignment, in the order of the notebook."""

    student: str
    assignment: str
    marks: tuple[Mark, ...]

    @property
    def earned(self) -> float:
        return sum(mark.earned for mark in self.marks)

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)


def read(course: Course, assignment: str) -> list[StudentMarks]:
    """The marks of everybody who was graded in this assignment, by student id; empty when nobody was yet."""
    from nbgrader.api import Gradebook, MissingEntry

    if not (course.root / "gradebook.db").is_file():
        raise CourseError("gradebook.db", "there is no gradebook yet", f"run `coursekit grade {assignment}` first")
    with Gradebook(course.db_url) as book:
        try:
            submissions = book.assignment_submissions(assignment)
        except MissingEntry:
            return []
        return sorted((_student(entry, assignment) for entry in submissions), key=lambda marks: marks.student)


def _student(entry: object, assignment: str) -> StudentMarks:
    marks = []
    for notebook in entry.notebooks:  # type: ignore[attr-defined]
        reasons = {comment.name: comment.comment or "" for comment in notebook.comments}
        order = [cell.name for cell in notebook.assignment.assignment.notebooks[0].source_cells]
        for grade in sorted(notebook.grades, key=lambda grade: order.index(grade.name)):
            exercise = grade.name.removesuffix("-test")
            waits = "waits for a person" if grade.needs_manual_grade and grade.manual_score is None else ""
            marks.append(
                Mark(exercise, float(grade.score), float(grade.max_score), reasons.get(exercise) or waits,
                     grade.manual_score is not None, bool(grade.needs_manual_grade))
            )  # fmt: skip
    return StudentMarks(entry.student.id, assignment, tuple(marks))  # type: ignore[attr-defined]
