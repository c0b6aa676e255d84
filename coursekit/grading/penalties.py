"""Late penalties, by the plug-in of the course; and the totals that have changed, or would change, by them alone.

nbgrader keeps the penalty that was recorded, also after a due date, an extension or the policy has changed. So do we,
so that there is one total; a remark says that grading again would change it.
"""

import io
import logging
import math
from collections.abc import Collection, Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbgrader import api
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import select, update
from traitlets.config import Config

from coursekit.grading import converters, gradebook, returned
from coursekit.grading.student_marks import format_number
from coursekit.model import settings
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.model.wording import first_few, joined

MAX_NAMED = 10  # students in one line
_NOTEBOOK = api.SubmittedNotebook.__table__
_SUBMISSION = api.SubmittedAssignment
_DISCARDED = logging.Logger(
    "coursekit.grading.penalties"
)  # log messages of nbgrader's step belong to grading, not to a table of marks
_DISCARDED.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class TotalChange:
    """A student's total before and after a change of the late penalty alone."""

    student: str
    before: float
    after: float


def described(changes: Iterable[TotalChange]) -> str:
    """The changes in words: ``bob 90 → 87.5, fay 90 → 88 and 5 more``."""
    everybody = sorted(changes, key=lambda one: one.student)
    named = [f"{joined([one.student])} {format_number(one.before)} → {format_number(one.after)}" for one in everybody]
    return first_few(named, MAX_NAMED)


def assign(db: Any, submission: str, dated: bool, config: Config) -> None:
    """Set the current late penalty of a submission; the caller commits. Raises CourseError if the plug-in fails.

    ``dated``: the due date and the time of submission are both known.
    """
    step = _late_step(config)
    if step is None:
        return
    db.execute(update(_NOTEBOOK).where(_NOTEBOOK.c.assignment_id == submission).values(late_submission_penalty=None))
    if not dated:
        return
    late = db.get(_SUBMISSION, submission, populate_existing=True)
    if late.total_seconds_late <= 0:
        return
    for notebook, penalty in _penalties(db, late, late.total_seconds_late, step):
        notebook.late_submission_penalty = penalty


def refresh(book: Gradebook, assignment: str, students: Iterable[str], config: Config) -> dict[str, TotalChange]:
    """Set the current late penalties of these students; returns the totals that changed."""
    wanted = set(students)
    try:
        before = [row for row in _rows(book, assignment) if row.student_id in wanted]
        for row in before:
            assign(book.db, row.id, None not in (row.duedate, row.timestamp), config)
        after = [row for row in _rows(book, assignment) if row.student_id in wanted]
        book.db.commit()
    except BaseException:
        book.db.rollback()
        raise
    return total_changes(_totals(before), _totals(after))


def totals(book: Gradebook, assignment: str, student: str) -> dict[str, tuple[float, float]]:
    """By student, the sum of the marks and the total in the gradebook; empty if the student was not graded."""
    return _totals(_rows(book, assignment, student))


def _totals(rows: Iterable[Any]) -> dict[str, tuple[float, float]]:
    return {row.student_id: (float(row.score or 0), _total(row.score, row.penalty)) for row in rows}


def total_changes(
    before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]
) -> dict[str, TotalChange]:
    """Of ``totals`` before and after, those with the same marks and another total."""
    return {
        student: TotalChange(student, before[student][1], total)
        for student, (marks, total) in after.items()
        if student in before and not _differ(before[student][0], marks) and _differ(before[student][1], total)
    }


def outdated(
    book: Gradebook,
    assignment: str,
    config: Config,
    *student: str,
    handed_in: Mapping[str, datetime] = {},
    returned_too: bool = False,
) -> dict[str, TotalChange]:
    """The totals that would change if the late penalties were computed now; writes nothing.

    ``student``: only this one. ``handed_in``: times of submission that replace those in the gradebook. The totals of
    returned work stay, unless ``returned_too``. Raises CourseError if the plug-in fails.
    """
    step = _late_step(config, _DISCARDED)
    if step is None:
        return {}
    found = {}
    stay = {} if returned_too else returned.of(book, assignment)
    for row in _rows(book, assignment, *student):
        if row.student_id in stay:
            continue
        timestamp = handed_in.get(row.student_id, row.timestamp)
        late_s = 0.0
        if None not in (row.duedate, timestamp):
            late_s = (timestamp - row.duedate).total_seconds() - (row.extension.total_seconds() if row.extension else 0)
        penalty = 0.0
        if late_s > 0:
            with redirect_stdout(io.StringIO()):  # standard output may be a CSV file, and a plug-in may print
                late = book.db.get(_SUBMISSION, row.id)
                penalty = sum(value or 0.0 for _, value in _penalties(book.db, late, late_s, step))
        before, after = _total(row.score, row.penalty), _total(row.score, penalty)
        if _differ(before, after):
            found[row.student_id] = TotalChange(row.student_id, before, after)
    return found


def outdated_in(course: Course, assignment: str) -> dict[str, TotalChange]:
    """The totals of all students in a course's gradebook that would change if the penalties were computed now."""
    with gradebook.opened(course) as book:
        return outdated(book, assignment, converters.course_config(course))


def remark(course: Course, assignment: str, students: Collection[str] = ()) -> str:
    """One line about totals that are out of date; "" if there are none. A failing policy is reported, not raised.

    ``students``: only theirs, if any are named.
    """
    try:
        everybody = outdated_in(course, assignment)
    except CourseError as error:
        return f"whether late penalties are up to date is not known: {error}"
    found = {name: one for name, one in everybody.items() if not students or name in students}
    if not found:
        return ""
    many = len(found)
    what = f"{many} late penalt{'ies are' if many > 1 else 'y is'} not that of the due date, policy and marks of now"
    gone = sorted(found.keys() - set(course.students(assignment)))
    again = f"run `coursekit grade {assignment}` again"
    if gone:
        shown = joined(gone[:MAX_NAMED]) + (" and others" if len(gone) > MAX_NAMED else "")
        again += f" (with what is missing put back into submitted/: {shown})"
    return f"{assignment}: {what} ({described(found.values())}); {again}"


def _rows(book: Gradebook, assignment: str, *student: str) -> list[Any]:
    """Dates, score and penalty of every submission of an assignment, or of one student's, from the gradebook."""
    query = (
        select(
            _SUBMISSION.id,
            _SUBMISSION.student_id,
            _SUBMISSION.timestamp,
            _SUBMISSION.extension,
            api.Assignment.duedate,
            _SUBMISSION.score,
            _SUBMISSION.late_submission_penalty.label("penalty"),
        )
        .join(api.Assignment, api.Assignment.id == _SUBMISSION.assignment_id)
        .where(api.Assignment.name == assignment)
    )
    return list(book.db.execute(query.where(_SUBMISSION.student_id.in_(student)) if student else query).all())


def _total(score: float | None, penalty: float | None) -> float:
    return max(0.0, float(score or 0) - float(penalty or 0))


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > 1e-9


def _penalties(db: Any, late: Any, late_s: float, step: AssignLatePenalties) -> list[tuple[Any, float | None]]:
    """The penalty of each notebook of a submission, computed by nbgrader's step."""
    step.init_plugin()
    found = []
    for notebook in late.notebooks:
        db.refresh(notebook)  # its score is computed by the database
        found.append((notebook, _penalty(step, late, notebook, late_s)))
    return found


def _penalty(step: AssignLatePenalties, late: Any, notebook: Any, late_s: float) -> float | None:
    plugin: Any = step.plugin_inst
    try:
        penalty = plugin.late_submission_penalty(late.student_id, notebook.score, late_s)
        if penalty is not None and not math.isfinite(penalty):
            raise ValueError(f"the penalty is {penalty}")
        return None if penalty is None else step._check_late_penalty(notebook, float(penalty))
    except Exception as error:  # it is code of the course
        said = one_line_with_type(error)
        where = f"{settings.CONFIG}: AssignLatePenalties.plugin_class"
        raise CourseError(where, f"{type(plugin).__name__} failed for {late.student_id} ({said})", "fix it") from error


def _late_step(config: Config, log: logging.Logger | None = None) -> AssignLatePenalties | None:
    """nbgrader's step, or the subclass that the course uses; None if the course has no such step or disabled it."""
    # In an application of nbgrader they are names.
    steps = settings.steps(config.Autograde.get("autograde_preprocessors", [AssignLatePenalties]))
    found = next((one for one in steps if isinstance(one, type) and issubclass(one, AssignLatePenalties)), None)
    step = found(config=config, **({"log": log} if log else {})) if found else None
    return step if step is not None and step.enabled else None
