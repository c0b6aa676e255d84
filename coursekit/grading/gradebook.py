"""Read marks from nbgrader's gradebook, as values."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from coursekit.grading.student_marks import Mark, StudentMarks
from coursekit.model import database
from coursekit.model.course import Course
from coursekit.model.errors import CourseError

NOT_JUDGED = "grading was stopped or failed; grade again"
WAITING = "waits for a person"


translated_errors = database.translated_errors


@contextmanager
def opened(course: Course) -> Iterator[Any]:
    """Yield nbgrader's Gradebook of the course. Raises CourseError if it is in use, damaged or cannot be reached."""
    from nbgrader.api import Gradebook

    address = course.db_url
    database.prepare(address, course.facts.course_id)
    with translated_errors(address), Gradebook(address) as book:
        yield book


def exists(course: Course) -> bool:
    """Whether the gradebook exists. Raises CourseError if its server cannot be reached."""
    address = course.db_url
    if database.is_file(address):
        from sqlalchemy.engine import make_url

        file = make_url(address).database
        return bool(file) and Path(str(file)).is_file()
    with translated_errors(address), database.connected(address) as engine:
        return database.has_tables(engine)


def knows(course: Course, student: str) -> bool:
    """Whether the gradebook has this student, with or without a submission."""
    from nbgrader.api import MissingEntry

    with opened(course) as book:
        try:
            book.find_student(student)
        except MissingEntry:
            return False
        return True


def students(course: Course) -> frozenset[str]:
    """All students whom the gradebook has, with or without a submission."""
    if not exists(course):
        return frozenset()
    with opened(course) as book:
        return frozenset(student.id for student in book.students)


def returned(course: Course, assignment: str) -> frozenset[str]:
    """The students whose work was returned."""
    if not exists(course):
        return frozenset()
    from coursekit.grading import returned

    with opened(course) as book:
        return frozenset(returned.of(book, assignment))


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


def read(course: Course, assignment: str, everybody: bool = False) -> list[StudentMarks]:
    """The marks of all students who were graded in this assignment, sorted by student id.

    ``everybody`` adds students whose submission is not graded yet, and those in the gradebook without a submission.
    """
    if not exists(course):
        where = database.redacted(course.db_url)
        raise CourseError(where, "there is no gradebook yet", f"run `coursekit grade {assignment}` first")
    from nbgrader.api import MissingEntry  # takes seconds: only imported if there is a gradebook

    from coursekit.grading import returned, reviews

    with opened(course) as book:
        try:
            problems, back = reviews.problems(book), returned.of(book, assignment)
            found = [
                replace(marks_of(one, problems.get(one.id, "")), returned=back.get(one.student.id))
                for one in book.assignment_submissions(assignment)
            ]
            others = _not_graded(course, book, assignment, {one.student for one in found}) if everybody else []
        except MissingEntry:
            return []
        return sorted([*found, *others], key=lambda marks: marks.student)


def _not_graded(course: Course, book: Any, assignment: str, graded: set[str]) -> list[StudentMarks]:
    master = book.find_assignment(assignment)
    marks = tuple(
        Mark(cell.name.removesuffix("-test"), 0.0, float(cell.max_score), judged=False)
        for notebook in master.notebooks
        for cell in _graded_cells(notebook)
    )
    handed_in = set(course.students(assignment))
    known = {student.id for student in book.students} | handed_in
    return [
        StudentMarks(student, assignment, marks, due=master.duedate, absent=student not in handed_in, entered=False)
        for student in known - graded
    ]


def _graded_cells(notebook: Any) -> list[Any]:
    return _in_order([*notebook.grade_cells, *notebook.task_cells], notebook)


def _in_order(named: list[Any], notebook: Any) -> list[Any]:
    """Sorted by the order of the cells in the source notebook."""
    place = {cell.name: number for number, cell in enumerate(notebook.source_cells)}
    return sorted(named, key=lambda one: place.get(one.name, len(place)))


def marks_of(entry: Any, problem: str = "") -> StudentMarks:
    """The marks in nbgrader's SubmittedAssignment, as a value. ``problem``: why there was nothing to grade."""
    marks = []
    for notebook in entry.notebooks:
        reasons = {comment.name: comment.comment or "" for comment in notebook.comments}
        written = {cell.name for cell in (*notebook.notebook.solution_cells, *notebook.notebook.task_cells)}
        for grade in _in_order(list(notebook.grades), notebook.notebook):
            marks.append(_mark(grade, reasons.get(grade.name.removesuffix("-test"), ""), grade.name in written))
    penalty = float(entry.late_submission_penalty or 0)
    due, extension = entry.assignment.duedate, entry.extension
    return StudentMarks(
        entry.student.id, entry.name, tuple(marks), penalty, entry.timestamp, due, extension, problem=problem
    )


def _mark(grade: Any, reason: str, by_person: bool) -> Mark:
    manual, waits = grade.manual_score is not None, bool(grade.needs_manual_grade)
    judged = by_person or manual or grade.auto_score is not None
    if not judged:
        reason = NOT_JUDGED
    elif waits and not manual:
        reason = reason or WAITING
    exercise = grade.name.removesuffix("-test")
    automatic = None if grade.auto_score is None else float(grade.auto_score)
    extra = float(grade.extra_credit or 0)
    return Mark(exercise, float(grade.score), float(grade.max_score), reason, manual, waits, judged, automatic, extra)
