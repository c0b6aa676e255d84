"""Marks out of nbgrader's gradebook, as values."""

from dataclasses import dataclass
from typing import Any

from coursekit.course import Course
from coursekit.errors import CourseError

NOT_JUDGED = "grading was stopped or failed; grade again"
WAITING = "waits for a person"


@dataclass(frozen=True)
class Mark:
    """One exercise of one student. ``reason`` says why marks are lost, ``manual`` whether a person set the mark."""

    grade_id: str
    earned: float
    points: float
    reason: str = ""
    manual: bool = False
    waiting: bool = False  # for a person
    judged: bool = True  # False: grading never came to an end; ``earned`` means nothing


@dataclass(frozen=True)
class StudentMarks:
    """All marks of one student in one assignment, in the order of the notebook."""

    student: str
    assignment: str
    marks: tuple[Mark, ...]

    @property
    def judged(self) -> bool:
        """Whether every exercise was judged; if not, the submission wants to be graded again."""
        return all(mark.judged for mark in self.marks)

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


def _student(entry: Any, assignment: str) -> StudentMarks:
    marks = []
    for notebook in entry.notebooks:
        reasons = {comment.name: comment.comment or "" for comment in notebook.comments}
        written = {cell.name for cell in notebook.notebook.solution_cells}
        order = [cell.name for cell in notebook.notebook.source_cells]
        for grade in sorted(notebook.grades, key=lambda grade: order.index(grade.name)):
            marks.append(_mark(grade, reasons.get(grade.name.removesuffix("-test"), ""), grade.name in written))
    return StudentMarks(entry.student.id, assignment, tuple(marks))


def _mark(grade: Any, reason: str, by_person: bool) -> Mark:
    manual, waits = grade.manual_score is not None, bool(grade.needs_manual_grade)
    judged = by_person or manual or grade.auto_score is not None
    if not judged:
        reason = NOT_JUDGED
    elif waits and not manual:
        reason = reason or WAITING
    exercise = grade.name.removesuffix("-test")
    return Mark(exercise, float(grade.score), float(grade.max_score), reason, manual, waits, judged)
