"""One student's marks as values: the marks in the gradebook, and the verdicts that explain them.

The verdicts are in the metadata of the autograded notebook (``graded_verdicts``). They quote the student, so every text
here is untrusted. Without verdicts (graded by an older version) the comments in the gradebook take their place.
"""

import math
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from traitlets.config import Config

from coursekit.grading import gradebook
from coursekit.grading.gradebook import NOT_JUDGED
from coursekit.grading.student_marks import StudentMarks, format_duration, format_time
from coursekit.marking import graded_verdicts
from coursekit.marking.graded_verdicts import MAX_CHARS, GradedExercise
from coursekit.marking.verdicts import NOTHING_ELSE, CheckResult, gist
from coursekit.model import notebooks
from coursekit.model.errors import CourseError
from coursekit.reference.assignments import Assignment


@dataclass(frozen=True)
class ExerciseFeedback:
    """The feedback on one graded answer. ``earned`` is the mark, ``automatic`` the mark by the grader alone."""

    grade_id: str
    name: str
    points: float
    earned: float
    number: int | None = None
    automatic: float | None = None
    checks: tuple[CheckResult, ...] = ()
    summary: str = ""
    hints: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    look: str = ""
    comment: str = ""  # a person's, Markdown
    by_person: bool = False  # a person set the mark
    written: bool = False  # an answer in words, which a person marks
    waiting: bool = False  # for a person
    judged: bool = True

    @property
    def status(self) -> str:
        """The key of colour and sign: ``right``, ``partly``, ``wrong``, ``blank``, ``waiting``, ``unknown``."""
        if self.waiting and not self.by_person:
            return "waiting"
        if not self.judged:
            return "unknown"
        if self.earned >= self.points:
            return "right"
        if self.earned > 0:
            return "partly"
        return "blank" if self.not_written else "wrong"

    @property
    def not_written(self) -> bool:
        return self.summary.endswith("is not written yet.") and "\n" not in self.summary

    @property
    def lost_checks(self) -> bool:
        return any(not check.passed for check in self.checks)

    @property
    def found(self) -> tuple[CheckResult, ...]:
        """The failed checks, one per reason; the reason "nothing else is right" is dropped if there is another."""
        by_gist: dict[str, CheckResult] = {}
        for check in self.checks:
            if not check.passed and check.reason:
                by_gist.setdefault(gist(check.reason), check)
        if len(by_gist) > 1:
            by_gist.pop(NOTHING_ELSE, None)
        return tuple(by_gist.values())


@dataclass(frozen=True)
class Marks:
    """One student's marks in one assignment. ``problem`` says why nothing could be graded."""

    assignment: str
    student: str
    person: str  # first and last name, if the gradebook has them
    result: StudentMarks
    notes: tuple[str, ...]
    problem: str
    exercises: tuple[ExerciseFeedback, ...]
    outdated: bool = False  # the late penalty in the total is out of date

    @property
    def points(self) -> float:
        return self.result.points

    @property
    def total(self) -> float:
        return self.result.total

    @property
    def deadline(self) -> str:
        """Extension, lateness and penalty in sentences; "" if there is nothing to say."""
        result = self.result
        said = [f"You had an extension until {format_time(result.extended_until)}."] if result.extended_until else []
        if result.late:
            when = f" ({format_time(result.submitted)})" if result.submitted else ""
            free = not (result.taken_off or self.outdated)
            ending = "; nothing was taken off for that" if free else ""
            said.append(f"Handed in {format_duration(result.late)} late{when}{ending}.")
        if self.outdated:
            said.append("The penalty for being late is that of an earlier date or rule; your total may still change.")
        return " ".join(said)

    @property
    def right(self) -> int:
        return sum(exercise.status == "right" for exercise in self.exercises)

    @property
    def waiting(self) -> float:
        """Points that a person has not decided on yet."""
        return sum(exercise.points for exercise in self.exercises if exercise.status == "waiting")

    @property
    def first_to_fix(self) -> ExerciseFeedback | None:
        """The first exercise with an error of its own: fixing it may fix others."""
        lost = [
            exercise for exercise in self.exercises if exercise.lost_checks or exercise.status in ("wrong", "blank")
        ]
        return next((exercise for exercise in lost if not exercise.calls), lost[0] if lost else None)


def read_marks(nb: NotebookNode, known: Assignment, notebook: str, student: str, db_url: str, config: Config) -> Marks:
    """The marks of the student's notebook, in its order. Raises nbgrader's MissingEntry if it was never graded.

    Raises CourseError if the gradebook has other cells than the notebook.
    ``known`` is the assignment; ``config`` is nbgrader's configuration, with the late policy.
    """
    from nbgrader.api import Gradebook

    from coursekit.grading import penalties

    about = graded_verdicts.of_notebook(nb.metadata)
    verdicts = {one.grade_id: one for one in about.exercises}
    assignment, rows = known.name, {exercise.grade_id: exercise for exercise in known.exercises}
    with Gradebook(db_url) as book:
        entry = book.find_submission_notebook(notebook, assignment, student)
        grades = {grade.name: grade for grade in entry.grades}
        comments = {comment.name: comment for comment in entry.comments}
        found = []
        for cell in nb.cells:
            if notebooks.grader_metadata(cell).get("grade") or notebooks.grader_metadata(cell).get("task"):
                name = notebooks.grade_id(cell) or ""
                if name not in grades:
                    raise _renamed(assignment, student, name)
                key = name.removesuffix("-test")
                comment = comments.get(key) or comments.get(name)
                found.append(_exercise(cell, key, grades.get(name), comment, verdicts.get(key), rows.get(key)))
        person = " ".join(filter(None, (entry.student.first_name, entry.student.last_name)))
        result = gradebook.marks_of(entry.assignment, about.problem)
        try:
            outdated = bool(penalties.outdated(book, assignment, config, student))
        except CourseError:  # the late policy fails, which `grade` reports
            outdated = False
    return Marks(assignment, student, person, result, about.notes, about.problem, tuple(found), outdated)


def _renamed(assignment: str, student: str, name: str) -> CourseError:
    """The error for a notebook that was graded before `coursekit upgrade`: its page would show no marks."""
    found = f"graded before its grade ids were changed, and the gradebook has no {name} any more"
    again = f"run `coursekit grade {assignment} --student {student}`, with --returned if that leaves it alone"
    return CourseError(f"autograded/{student}/{assignment}", found, again)


def _exercise(
    cell: NotebookNode, key: str, grade: Any, comment: Any, verdict: GradedExercise | None, row: Any
) -> ExerciseFeedback:
    automatic = None if grade is None else grade.auto_score
    grader = notebooks.grader_metadata(cell)
    by_person = grade is not None and grade.manual_score is not None
    written = notebooks.is_solution(cell) or bool(grader.get("task"))
    if verdict is None or (automatic is not None and not math.isclose(automatic, verdict.earned, abs_tol=1e-9)):
        verdict = GradedExercise(key, "")  # no verdict, or one of an older run: the gradebook decides
    said = "" if comment is None else comment.auto_comment or ""
    from_person = "" if comment is None else comment.manual_comment or ""
    judged = by_person or written or automatic is not None
    return ExerciseFeedback(
        grade_id=key,
        name=verdict.function or (row.function if row else key.replace("-", " ").capitalize()),
        points=float(grade.max_score) if grade is not None else graded_verdicts.number(grader, "points"),
        earned=float(grade.score) if grade is not None else 0.0,
        number=verdict.number or (row.number if row else None),
        automatic=automatic,
        checks=verdict.checks,
        summary=(verdict.summary or said[:MAX_CHARS]) if judged else NOT_JUDGED,
        hints=tuple(mistake.hint for mistake in verdict.mistakes),
        follows=verdict.follows,
        calls=verdict.calls,
        look=verdict.look or (row.look if row else ""),
        comment="" if from_person.strip() == said.strip() else from_person,
        by_person=by_person,
        written=written,
        waiting=grade is not None and bool(grade.needs_manual_grade),
        judged=judged,
    )
