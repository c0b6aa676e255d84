"""Marks out of nbgrader's gradebook, as values."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursekit import database
from coursekit.course import Course
from coursekit.errors import CourseError

NOT_JUDGED = "grading was stopped or failed; grade again"
WAITING = "waits for a person"


@dataclass(frozen=True)
class Mark:
    """One exercise of one student. ``reason`` says why marks are lost, ``manual`` whether a person set the mark.

    ``automatic`` is what the grader gave, None where it gave nothing (yet).
    """

    grade_id: str
    earned: float
    points: float
    reason: str = ""
    manual: bool = False
    waiting: bool = False  # for a person
    judged: bool = True  # False: grading never came to an end; ``earned`` means nothing
    automatic: float | None = None


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


told = database.told


@contextmanager
def opened(course: Course) -> Iterator[Any]:
    """nbgrader's Gradebook of the course. Raises CourseError where it cannot be had: in use, damaged, out of reach."""
    from nbgrader.api import Gradebook

    address = course.db_url
    database.prepare(address)
    with told(address), Gradebook(address) as book:
        yield book


def exists(course: Course) -> bool:
    """Whether there is a gradebook yet. Raises CourseError where its server cannot be reached."""
    address = course.db_url
    if database.is_file(address):
        from sqlalchemy.engine import make_url

        file = make_url(address).database
        return bool(file) and Path(str(file)).is_file()
    with told(address), database.connected(address) as engine:
        return database.has_tables(engine)


def cells(course: Course, assignment: str) -> dict[str, float]:
    """The automatically graded cells of an assignment that the gradebook knows, with their points."""
    from nbgrader.api import MissingEntry

    if not exists(course):
        return {}
    with opened(course) as book:
        try:
            notebooks = book.find_assignment(assignment).notebooks
        except MissingEntry:
            return {}
        written = {cell.name for notebook in notebooks for cell in notebook.solution_cells}
        return {
            cell.name: float(cell.max_score)
            for notebook in notebooks
            for cell in notebook.grade_cells
            if cell.name not in written
        }


def read(course: Course, assignment: str) -> list[StudentMarks]:
    """The marks of everybody who was graded in this assignment, by student id; empty when nobody was yet."""
    if not exists(course):
        where = database.shown(course.db_url)
        raise CourseError(where, "there is no gradebook yet", f"run `coursekit grade {assignment}` first")
    from nbgrader.api import MissingEntry  # takes seconds, which nobody waits for without a gradebook

    with opened(course) as book:
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
    automatic = None if grade.auto_score is None else float(grade.auto_score)
    return Mark(exercise, float(grade.score), float(grade.max_score), reason, manual, waits, judged, automatic)
