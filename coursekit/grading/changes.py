"""What recording an outcome would change in the gradebook: marks, reviews, or only the late penalty. Writes nothing."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from nbgrader.api import MissingEntry
from traitlets.config import Config

from coursekit.grading import gradebook, gradebook_writer, penalties
from coursekit.grading.outcomes import Outcome
from coursekit.grading.penalties import TotalChange
from coursekit.grading.reviews import Reviews
from coursekit.model.course import Course
from coursekit.submission import answer_hashes

_NO_ROW: Mapping[str, Any] = dict.fromkeys(("auto_score", "manual_score", "extra_credit"))


@dataclass(frozen=True)
class MarkChange:
    """The change of one automatic mark: one exercise of one student.

    ``before`` is None if there is no mark yet, ``after`` if a person has to give it. ``kept`` is a person's mark, which
    is never replaced; ``review``: this person would have to look at it again, and had not before.
    """

    student: str
    grade_id: str
    before: float | None
    after: float | None
    reason: str
    kept: float | None = None
    review: bool = False

    @property
    def difference(self) -> float:
        """By how much the student's total would change."""
        return 0.0 if self.kept is not None else (self.after or 0.0) - (self.before or 0.0)


@dataclass(frozen=True)
class Changes:
    """What recording one outcome would change; false if nothing.

    ``late``: the late penalty would be computed again with the marks. ``total``: the total before and after, where no
    mark but the late penalty would change.
    """

    marks: tuple[MarkChange, ...] = ()
    late: bool = False
    total: TotalChange | None = None

    def __bool__(self) -> bool:
        return bool(self.marks or self.total)


def of(book: Any, course: Course, assignment: str, outcome: Outcome, config: Config) -> Changes:
    """The changes that recording this outcome would make."""
    try:
        entered = book.find_submission(assignment, outcome.student)
        shown = seen(course, assignment, outcome.student)
        rows = gradebook_writer.new_grades(book.db, entered.id, outcome.verdicts, shown)
        if marks := tuple(_changed(outcome, rows)):
            before = gradebook.marks_of(entered)
            return Changes(marks, late=bool(before.late or before.penalty))
        when = outcome.handed_in_at
        handed_in = {outcome.student: when} if when else {}
        found = penalties.outdated(book, assignment, config, outcome.student, handed_in=handed_in, returned_too=True)
        return Changes(total=found.get(outcome.student))
    except MissingEntry:
        return of_new(outcome)
    finally:
        book.db.rollback()  # end the read transaction: it must not stay open while submissions run


def seen(course: Course, assignment: str, student: str) -> Callable[[], Mapping[str, str]]:
    """Reads the answers in the autograded notebook, which a person who has marked them saw."""
    return partial(answer_hashes.in_file, course.autograded(assignment, student) / f"{assignment}.ipynb")


def of_new(outcome: Outcome) -> Changes:
    """The marks of a submission that is not in the gradebook."""
    nobody = Reviews(outcome.verdicts.answers, {}, {})
    rows = [{**_NO_ROW, "name": name, "needs_manual_grade": False} for name in outcome.verdicts.automatic]
    pairs = [(row, gradebook_writer.entry(row, outcome.verdicts, nobody)) for row in rows]
    return Changes(tuple(_changed(outcome, pairs)))


def _changed(outcome: Outcome, rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[MarkChange]:
    said = gradebook_writer.comments(outcome.verdicts)
    order = {name: place for place, name in enumerate(said)}
    for before, after in sorted(rows, key=lambda row: order.get(row[0]["name"].removesuffix("-test"), len(order))):
        grade_id, manual = before["name"].removesuffix("-test"), before["manual_score"]
        review = manual is not None and after["needs_manual_grade"] and not before["needs_manual_grade"]
        was, now = before["auto_score"], after["auto_score"]
        if review or not _equal(was, now):
            kept = None if manual is None else manual + (before["extra_credit"] or 0)
            yield MarkChange(outcome.student, grade_id, was, now, said.get(grade_id) or "", kept, review)


def _equal(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else math.isclose(one, other, abs_tol=1e-9)
