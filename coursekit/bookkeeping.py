"""Marks into nbgrader's gradebook: one submission, one transaction. What a person has set is never touched."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nbgrader import api
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from coursekit.errors import CourseError

NO_RESPONSE = "No response."


def enter(
    book: Gradebook, student: str, verdicts: Mapping[str, Any], timestamp: datetime | None, config: Config
) -> None:
    """The marks and comments of one submission are in the gradebook, all of them or none.

    ``verdicts`` is what ``verdicts.as_data`` made. Raises CourseError where the assignment was never released.
    """
    assignment = str(verdicts["assignment"])
    try:
        _enter(book.db, assignment, student, verdicts, timestamp, config)
        book.db.commit()
    except BaseException:
        book.db.rollback()
        raise


def _enter(
    db: Any, assignment: str, student: str, verdicts: Mapping[str, Any], timestamp: datetime | None, config: Config
) -> None:
    master = db.query(api.Assignment).filter_by(name=assignment).one_or_none()
    if master is None:
        raise CourseError(assignment, "the gradebook does not know it", f"run `coursekit release {assignment}`")
    submission = db.query(api.SubmittedAssignment).filter_by(assignment_id=master.id, student_id=student).one_or_none()
    if submission is None:
        submission = _new(db, master, student)
    if timestamp is not None:
        submission.timestamp = timestamp
    by_cell = {f"{row['grade_id']}-test": row for row in verdicts["exercises"]}
    reasons = {row["grade_id"]: row["summary"] or None for row in verdicts["exercises"]}
    answered = {row["grade_id"]: row["answered"] for row in verdicts["written"]}
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            if grade.name in by_cell:
                grade.auto_score = by_cell[grade.name]["earned"]
                grade.needs_manual_grade = grade.manual_score is not None
            elif grade.name in answered:
                grade.auto_score = None if answered[grade.name] else 0
                grade.needs_manual_grade = answered[grade.name] or grade.manual_score is not None
        for comment in notebook.comments:
            if comment.name in answered:
                comment.auto_comment = None if answered[comment.name] else NO_RESPONSE
            else:
                comment.auto_comment = reasons.get(comment.name)
        _penalise(db, submission, notebook, config)


def _new(db: Any, master: Any, student: str) -> Any:
    """A submission with an empty grade and comment for every cell, as nbgrader makes it, but not yet committed."""
    person = db.get(api.Student, student)
    if person is None:
        person = api.Student(id=student)
        db.add(person)
    submission = api.SubmittedAssignment(assignment=master, student=person)
    db.add(submission)
    for notebook in master.notebooks:
        theirs = api.SubmittedNotebook(notebook=notebook, assignment=submission)
        db.add(theirs)
        for cells, kinds in (
            (notebook.grade_cells, (api.Grade,)),
            (notebook.solution_cells, (api.Comment,)),
            (notebook.task_cells, (api.Comment, api.Grade)),
        ):
            db.add_all(kind(cell_id=cell.id, notebook=theirs) for cell in cells for kind in kinds)
    db.flush()
    return submission


def _penalise(db: Any, submission: Any, notebook: Any, config: Config) -> None:
    """The late penalty, by whatever plugin the course is configured with."""
    notebook.late_submission_penalty = None
    if submission.timestamp is None or submission.total_seconds_late <= 0:
        return
    db.flush()
    db.refresh(notebook)  # its score is worked out by the database
    step = AssignLatePenalties(config=config)
    step.init_plugin()
    penalty = step.plugin_inst.late_submission_penalty(
        submission.student_id, notebook.score, submission.total_seconds_late
    )
    if penalty is not None:
        notebook.late_submission_penalty = step._check_late_penalty(notebook, penalty)
