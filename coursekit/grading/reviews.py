"""Whether a person has to review a mark: the answer has no mark yet, or has changed since a person marked it.

The hashes of the answers that were graded last are in a table of our own in the gradebook, written in the same
transaction as the marks, so that they survive a kill. The table also records why there was nothing to grade: without
that, the marks would look like any other zeros.
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, MetaData, String, Table, Text, insert, inspect, select, update

from coursekit.model import database

_ANSWERS = Table(
    "coursekit_answers",
    MetaData(),
    Column("submission_id", String(32), primary_key=True),
    Column("answers", Text, nullable=False),  # JSON: the hash of each answer by its grade_id
)
_PROBLEM = ""  # the key, not a grade_id, under which the reason is stored why there was nothing to grade


@dataclass(frozen=True)
class Reviews:
    """Hashes of one submission's answers: ``now`` in it, ``graded`` last, ``shown`` in the notebook that a person sees.

    ``graded`` and ``shown`` are empty if unknown. If both are unknown for an answer, a person has to confirm its mark.
    """

    now: Mapping[str, str]
    graded: Mapping[str, str]
    shown: Mapping[str, str]

    def needed(self, row: Mapping[str, Any], automatic: float | None) -> bool:
        """Whether a person has to review this grade, whose new automatic mark is ``automatic``.

        ``row`` has the earlier ``name``, ``auto_score``, ``manual_score`` and ``needs_manual_grade``.
        """
        if row["manual_score"] is None:
            return automatic is None
        return bool(row["needs_manual_grade"]) or self._changed(row["name"]) or _differ(row["auto_score"], automatic)

    def _changed(self, name: str) -> bool:
        key = name.removesuffix("-test")
        before = {known[key] for known in (self.graded, self.shown) if key in known}
        return before != {self.now.get(key)}


def _differ(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before is not now
    return not math.isclose(before, now, abs_tol=1e-9)


def prepare(book: Any) -> None:
    """Create the table if it is missing."""
    database.create_table(book.engine, _ANSWERS)


def graded(db: Any, submission: str) -> dict[str, str]:
    """The hashes of this submission's answers when they were graded last; empty if unknown."""
    if not inspect(db.connection()).has_table(_ANSWERS.name):  # for a dry run, which creates nothing
        return {}
    found = db.scalar(select(_ANSWERS.c.answers).where(_ANSWERS.c.submission_id == submission))
    return {name: digest for name, digest in json.loads(found).items() if name != _PROBLEM} if found else {}


def problems(book: Any) -> dict[str, str]:
    """Why there was nothing to grade, by the id of the submission in the gradebook."""
    if not inspect(book.engine).has_table(_ANSWERS.name):
        return {}
    marked = _ANSWERS.c.answers.startswith(f'{{"{_PROBLEM}": ')
    rows = book.db.execute(select(_ANSWERS.c.submission_id, _ANSWERS.c.answers).where(marked))
    return {submission: str(json.loads(answers)[_PROBLEM]) for submission, answers in rows}


def keep(db: Any, submission: str, now: Mapping[str, str], new: bool = False, problem: str = "") -> None:
    """Store these as the answers that were graded last; the caller commits.

    ``new``: the submission has no row yet. ``problem``: why there was nothing to grade.
    """
    answers = json.dumps(({_PROBLEM: problem} if problem else {}) | dict(now))
    changed = update(_ANSWERS).where(_ANSWERS.c.submission_id == submission).values(answers=answers)
    if new or not db.execute(changed).rowcount:
        db.execute(insert(_ANSWERS).values(submission_id=submission, answers=answers))


def rename(db: Any, submission: str, renamed: Mapping[str, str], removed: Collection[str]) -> None:
    """Give the hashes of a submission's answers the new names of their cells; the caller commits."""
    mine = _ANSWERS.c.submission_id == submission
    if found := db.scalar(select(_ANSWERS.c.answers).where(mine)):
        kept = {name: digest for name, digest in json.loads(found).items() if name not in removed}
        answers = json.dumps({renamed.get(name, name): digest for name, digest in kept.items()})
        db.execute(update(_ANSWERS).where(mine).values(answers=answers))
