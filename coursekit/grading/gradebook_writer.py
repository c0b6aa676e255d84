"""Write marks to nbgrader's gradebook, one transaction per submission. A person's marks and comments are never changed.

It uses SQL statements over whole tables: with nbgrader's own objects a submission takes three times as long.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from nbgrader import api
from nbgrader.api import Gradebook
from sqlalchemy import bindparam, insert, select, update
from traitlets.config import Config

from coursekit.grading import fingerprints, penalties, reviews
from coursekit.grading.reviews import Reviews
from coursekit.marking.graded_verdicts import GradedVerdicts
from coursekit.model.errors import CourseError

NO_RESPONSE = "No response."
_PERSON, _SUBMISSION, _NOTEBOOK = (
    kind.__table__ for kind in (api.Student, api.SubmittedAssignment, api.SubmittedNotebook)
)
_GRADE, _COMMENT, _CELL = (kind.__table__ for kind in (api.Grade, api.Comment, api.BaseCell))
# By kind of cell in the source notebook: the tables in which a submission has a row for it.
_ROWS = {"GradeCell": (_GRADE,), "SolutionCell": (_COMMENT,), "TaskCell": (_COMMENT, _GRADE)}


@contextmanager
def entering(
    book: Gradebook,
    student: str,
    verdicts: GradedVerdicts,
    timestamp: datetime | None,
    config: Config,
    shown: Callable[[], Mapping[str, str]] = dict,
) -> Iterator[str]:
    """Enter the marks and comments of one submission; the transaction is committed if the block raises no error.

    Yields the hash of the entries. ``shown`` is called only if a person has set a mark: it returns the answers
    (``answer_hashes``) in the notebook that this person has seen. Raises CourseError if the assignment was never
    released.
    """
    try:
        entries = _enter(book.db, student, verdicts, timestamp, config, shown)
        yield fingerprints.of_entries(entries)
        book.db.commit()
    except BaseException:
        book.db.rollback()
        raise


def entered(book: Gradebook, assignment: str) -> dict[str, str]:
    """By student, the hash of the entries that the grader wrote for this assignment."""
    found: dict[str, dict[tuple[str, str], float | str | None]] = {}
    for table, column in ((_GRADE, _GRADE.c.auto_score), (_COMMENT, _COMMENT.c.auto_comment)):
        rows = (
            select(_SUBMISSION.c.student_id, _CELL.c.name, column)
            .join(_NOTEBOOK, _NOTEBOOK.c.assignment_id == _SUBMISSION.c.id)
            .join(table, table.c.notebook_id == _NOTEBOOK.c.id)
            .join(_CELL, _CELL.c.id == table.c.cell_id)
            .join(api.Assignment, api.Assignment.id == _SUBMISSION.c.assignment_id)
            .where(api.Assignment.name == assignment)
        )
        for student, name, value in book.db.execute(rows):
            found.setdefault(student, {})[table.name, name] = value
    book.db.rollback()  # end the read transaction: it must not stay open while submissions run
    return {student: fingerprints.of_entries(entries) for student, entries in found.items()}


def _enter(
    db: Any,
    student: str,
    verdicts: GradedVerdicts,
    timestamp: datetime | None,
    config: Config,
    shown: Callable[[], Mapping[str, str]],
) -> dict[tuple[str, str], float | str | None]:
    assignment = verdicts.assignment
    master = db.execute(
        select(api.Assignment.id, api.Assignment.duedate).where(api.Assignment.name == assignment)
    ).one_or_none()
    if master is None:
        raise CourseError(assignment, "the gradebook does not know it", f"run `coursekit release {assignment}`")
    theirs = (_SUBMISSION.c.assignment_id == master.id, _SUBMISSION.c.student_id == student)
    there = db.execute(select(_SUBMISSION.c.id, _SUBMISSION.c.timestamp).where(*theirs)).one_or_none()
    submission = there.id if there else _new(db, master.id, student, timestamp)
    if there and timestamp is not None:
        db.execute(update(_SUBMISSION).where(_SUBMISSION.c.id == submission).values(timestamp=timestamp))
    grades = [after for _, after in new_grades(db, submission, verdicts, shown)]
    said = comments(verdicts)
    remarks = [row | {"auto_comment": said.get(row["name"])} for row in _rows(db, submission, _COMMENT)]
    _store(db, _GRADE, grades, ("auto_score", "needs_manual_grade"))
    _store(db, _COMMENT, remarks, ("auto_comment",))
    reviews.keep(db, submission, verdicts.answers, new=not there, problem=verdicts.problem)
    dated = master.duedate is not None and (timestamp is not None or (there and there.timestamp is not None))
    if there or dated:
        penalties.assign(db, submission, bool(dated), config)
    return {("grade", row["name"]): row["auto_score"] for row in grades} | {
        ("comment", row["name"]): row["auto_comment"] for row in remarks
    }


def _rows(db: Any, submission: str, table: Any) -> list[dict[str, Any]]:
    query = (
        select(table, _CELL.c.name)
        .join(_CELL, _CELL.c.id == table.c.cell_id)
        .join(_NOTEBOOK, _NOTEBOOK.c.id == table.c.notebook_id)
        .where(_NOTEBOOK.c.assignment_id == submission)
    )
    return [dict(row) for row in db.execute(query).mappings()]


def new_grades(
    db: Any, submission: str, verdicts: GradedVerdicts, shown: Callable[[], Mapping[str, str]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each grade of a submission as it is and as the verdicts make it. Writes nothing; ``shown``: see ``entering``."""
    rows = _rows(db, submission, _GRADE)
    set_by_person = any(row["manual_score"] is not None for row in rows)
    answers = verdicts.answers
    looked_at = Reviews(answers, reviews.graded(db, submission), shown()) if set_by_person else Reviews(answers, {}, {})
    return [(row, entry(row, verdicts, looked_at)) for row in rows]


def entry(row: Mapping[str, Any], verdicts: GradedVerdicts, looked_at: Reviews) -> dict[str, Any]:
    """The row of a grade with the grader's mark and the flag for review; a person's mark in it stays.

    A cell that is not in the verdicts stays as it is.
    """
    automatic = verdicts.automatic
    if row["name"] not in automatic:
        return dict(row)
    mark = automatic[row["name"]]
    return {**row, "auto_score": mark, "needs_manual_grade": looked_at.needed(row, mark)}


def comments(verdicts: GradedVerdicts) -> dict[str, str | None]:
    """The grader's comment on each answer, by the name of its cell."""
    said = {one.grade_id: _storable(one.summary or None) for one in verdicts.exercises}
    return said | {one.grade_id: None if one.answered else NO_RESPONSE for one in verdicts.written}


def _storable(text: str | None) -> str | None:
    """The text without characters that databases refuse; it may quote a student's error message."""
    return text and text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _store(db: Any, table: Any, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    statement = update(table).where(table.c.id == bindparam("row")).values({name: bindparam(name) for name in columns})
    if rows:
        db.connection().execute(statement, [{"row": row["id"]} | {name: row[name] for name in columns} for row in rows])


def _new(db: Any, master: str, student: str, timestamp: datetime | None) -> str:
    """A submission with an empty grade and comment for every cell, as nbgrader makes it, but not yet committed."""
    if db.scalar(select(_PERSON.c.id).where(_PERSON.c.id == student)) is None:
        db.execute(insert(_PERSON).values(id=student))
    submission = str(api.new_uuid())
    db.execute(insert(_SUBMISSION).values(id=submission, assignment_id=master, student_id=student, timestamp=timestamp))
    cells = (
        select(_CELL.c.id, _CELL.c.type, _CELL.c.notebook_id)
        .join(api.Notebook, api.Notebook.id == _CELL.c.notebook_id)
        .where(api.Notebook.assignment_id == master)
    )
    notebooks = {name: api.new_uuid() for name in db.scalars(select(api.Notebook.id).filter_by(assignment_id=master))}
    for theirs, own in notebooks.items():
        db.execute(insert(_NOTEBOOK).values(id=own, assignment_id=submission, notebook_id=theirs))
    rows: dict[Any, list[dict[str, Any]]] = {_GRADE: [], _COMMENT: []}
    for cell, kind, notebook in db.execute(cells):
        for table in _ROWS.get(kind, ()):
            rows[table].append({"id": api.new_uuid(), "cell_id": cell, "notebook_id": notebooks[notebook]})
    for table, new in rows.items():
        if new:
            db.connection().execute(insert(table), new)
    return submission
