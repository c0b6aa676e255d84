"""Returned work: the instructor says that students have their marks. Grading leaves it alone unless told otherwise.

A table of ours in the gradebook records it, where neither a deleted autograded/ folder nor nbgrader loses it. It keeps
the total that was returned, so that a total that has changed since can be told.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from nbgrader import api
from sqlalchemy import Column, DateTime, Float, MetaData, String, Table, delete, insert, inspect, select

from coursekit.grading.student_marks import Returned
from coursekit.model import database

_RETURNED = Table(
    "coursekit_returned",
    MetaData(),
    Column("submission_id", String(32), primary_key=True),
    Column("at", DateTime, nullable=False),  # UTC, as in nbgrader
    Column("total", Float, nullable=False),
)
_SUBMISSION = api.SubmittedAssignment.__table__


def of(book: Any, assignment: str) -> dict[str, Returned]:
    """The returned work of an assignment, by student."""
    if not inspect(book.engine).has_table(_RETURNED.name):
        return {}
    rows = (
        select(_SUBMISSION.c.student_id, _RETURNED.c.at, _RETURNED.c.total)
        .join(_SUBMISSION, _SUBMISSION.c.id == _RETURNED.c.submission_id)
        .join(api.Assignment, api.Assignment.id == _SUBMISSION.c.assignment_id)
        .where(api.Assignment.name == assignment)
    )
    return {student: Returned(at, total) for student, at, total in book.db.execute(rows)}


def enter(book: Any, assignment: str, totals: Mapping[str, float]) -> None:
    """Record that these students now have their marks, with these totals; an earlier return is replaced."""
    database.create_table(book.engine, _RETURNED)
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with _deleted(book, assignment, totals) as ids:
        rows = [{"submission_id": ids[student], "at": now, "total": totals[student]} for student in ids]
        if rows:
            book.db.execute(insert(_RETURNED), rows)


def undo(book: Any, assignment: str, students: Iterable[str]) -> None:
    """Forget that the work of these students was returned."""
    if inspect(book.engine).has_table(_RETURNED.name):
        with _deleted(book, assignment, students):
            pass


@contextmanager
def _deleted(book: Any, assignment: str, students: Iterable[str]) -> Iterator[dict[str, str]]:
    """Delete the rows of these students, and commit after the block. Yields the ids of their submissions."""
    theirs = (
        select(_SUBMISSION.c.student_id, _SUBMISSION.c.id)
        .join(api.Assignment, api.Assignment.id == _SUBMISSION.c.assignment_id)
        .where(api.Assignment.name == assignment, _SUBMISSION.c.student_id.in_(list(students)))
    )
    try:
        ids = {row.student_id: row.id for row in book.db.execute(theirs)}
        book.db.execute(delete(_RETURNED).where(_RETURNED.c.submission_id.in_(ids.values())))
        yield ids
        book.db.commit()
    except BaseException:
        book.db.rollback()
        raise
