"""Late penalties: by whatever plug-in the course is configured with; and whose total they would make another now.

nbgrader shows the penalty that was recorded, also after a due date, an extension or the policy became another. So do
we: there is one total. But it is said that grading again would change it.
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

from coursekit.grading import converters, gradebook
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
)  # what nbgrader's step says is for a grading, not for a table of marks
_DISCARDED.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class TotalChange:
    """A student whose total is, or would be, another by the late penalty alone."""

    student: str
    before: float
    after: float


def described(changes: Iterable[TotalChange]) -> str:
    """Whose totals, from what to what: ``bob 90 → 87.5, fay 90 → 88 and 5 more``."""
    everybody = sorted(changes, key=lambda one: one.student)
    named = [f"{joined([one.student])} {format_number(one.before)} → {format_number(one.after)}" for one in everybody]
    return first_few(named, MAX_NAMED)


def assign(db: Any, submission: str, dated: bool, config: Config) -> None:
    """The late penalty of a submission is that of now; the caller commits. Raises CourseError where the plug-in fails.

    ``dated``: both when it was due and when it was handed in are known.
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
    """The late penalties of these students are those of now; returns those whose total has become another."""
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
    """By student, for one who was graded, the sum of the marks and the total, as the gradebook holds them."""
    return _totals(_rows(book, assignment, student))


def _totals(rows: Iterable[Any]) -> dict[str, tuple[float, float]]:
    return {row.student_id: (float(row.score or 0), _total(row.score, row.penalty)) for row in rows}


def total_changes(
    before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]
) -> dict[str, TotalChange]:
    """Of ``totals`` before and after, those whose marks stayed and whose total became another."""
    return {
        student: TotalChange(student, before[student][1], total)
        for student, (marks, total) in after.items()
        if student in before and not _differ(before[student][0], marks) and _differ(before[student][1], total)
    }


def outdated(
    book: Gradebook, assignment: str, config: Config, *student: str, handed_in: Mapping[str, datetime] = {}
) -> dict[str, TotalChange]:
    """Whose total would become another if the late penalties were worked out now; nothing is written.

    ``student``: only this one. ``handed_in``: when, where that is another date than the gradebook holds. Raises
    CourseError where the plug-in fails.
    """
    step = _late_step(config, _DISCARDED)
    if step is None:
        return {}
    found = {}
    for row in _rows(book, assignment, *student):
        timestamp = handed_in.get(row.student_id, row.timestamp)
        late_s = 0.0
        if None not in (row.duedate, timestamp):
            late_s = (timestamp - row.duedate).total_seconds() - (row.extension.total_seconds() if row.extension else 0)
        penalty = 0.0
        if late_s > 0:
            with redirect_stdout(io.StringIO()):  # which may be a CSV file
                late = book.db.get(_SUBMISSION, row.id)
                penalty = sum(value or 0.0 for _, value in _penalties(book.db, late, late_s, step))
        before, after = _total(row.score, row.penalty), _total(row.score, penalty)
        if _differ(before, after):
            found[row.student_id] = TotalChange(row.student_id, before, after)
    return found


def outdated_in(course: Course, assignment: str) -> dict[str, TotalChange]:
    """The same for everybody in a course's gradebook."""
    with gradebook.opened(course) as book:
        return outdated(book, assignment, converters.course_config(course))


def remark(course: Course, assignment: str, students: Collection[str] = ()) -> str:
    """One line on totals that are out of date; "" where there are none. A policy that fails is told, not raised.

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
    """What the gradebook holds of every submission of an assignment, or of one student's."""
    query = (
        select(_SUBMISSION.id, _SUBMISSION.student_id, _SUBMISSION.timestamp, _SUBMISSION.extension, api.Assignment.duedate, _SUBMISSION.score,
               _SUBMISSION.late_submission_penalty.label("penalty"))
        .join(api.Assignment, api.Assignment.id == _SUBMISSION.assignment_id)
        .where(api.Assignment.name == assignment)
    )  # fmt: skip
    return list(book.db.execute(query.where(_SUBMISSION.student_id.in_(student)) if student else query).all())


def _total(score: float | None, penalty: float | None) -> float:
    return max(0.0, float(score or 0) - float(penalty or 0))


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > 1e-9


def _penalties(db: Any, late: Any, late_s: float, step: AssignLatePenalties) -> list[tuple[Any, float | None]]:
    """The penalty of each notebook of a submission, as nbgrader's step works it out."""
    step.init_plugin()
    found = []
    for notebook in late.notebooks:
        db.refresh(notebook)  # its score is worked out by the database
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
    """nbgrader's step, or the course's own in its place; None where the course has no such step, or switched it off."""
    steps = config.Autograde.get("autograde_preprocessors", [AssignLatePenalties])
    found = next((one for one in steps if isinstance(one, type) and issubclass(one, AssignLatePenalties)), None)
    step = found(config=config, **({"log": log} if log else {})) if found else None
    return step if step is not None and step.enabled else None
