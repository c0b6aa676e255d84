"""Submissions -> marks in the gradebook and executed notebooks in autograded/.

Workers turn each submission into an outcome and write nothing; one writer records the outcomes. The submitted folder
is only read, and one student's failure does not affect the others. Submissions with an up-to-date receipt are not
graded again, so a run that was stopped or killed is completed by starting it again.
"""

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain

from traitlets.log import get_logger

from coursekit.grading import converters, fingerprints, lock, registration, roster, workers
from coursekit.grading.options import DEFAULTS, GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.grading.penalties import TotalChange
from coursekit.grading.recorder import NothingCanBeWritten, Recorder
from coursekit.marking import marker as marking
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.reference import assignments
from coursekit.reference.process import ReferenceProcess


@dataclass(frozen=True)
class Graded:
    """What a command reports about one submission; ``problem`` says why there was nothing to grade."""

    student: str
    problem: str = ""
    notes: tuple[str, ...] = ()
    failed: bool = False  # an error of the engine: no mark was written
    unchanged: bool = False  # its receipt is up to date: the marks stay
    total_change: TotalChange | None = None  # the totals before and after, where only the late penalty has changed


def grade(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    options: GradingOptions = DEFAULTS,
    report: Callable[[Graded], None] = lambda _: None,
    force: bool = False,
) -> list[Graded]:
    """Grade the submissions of an assignment. Calls ``report`` after each, first for the unchanged ones.

    With several workers, reports come in the order in which the submissions are finished. ``force`` also grades
    unchanged submissions again. Raises CourseError if another process grades in this course, if this computer has no
    sandbox (unless ``options.sandbox`` is ``none``), and if nothing can be written any more.
    """
    chosen = roster.submitted(course, assignment, students)
    limits = options.limits
    done: list[Graded] = []

    def note(one: Graded) -> None:
        done.append(one)
        report(one)

    with lock.held(course, assignment):
        registration.register(course, assignment)
        wanted = fingerprints.of_submissions(course, assignment, chosen, limits, options.sandbox)
        with Recorder(course, assignment, limits.experiments) as recorder:
            unchanged = frozenset[str]() if force else recorder.up_to_date(wanted)
            changes = recorder.update_penalties(unchanged)
            for student in sorted(unchanged):
                note(Graded(student, unchanged=True, total_change=changes.get(student)))
            waiting = [student for student in chosen if student not in unchanged]
            with closing(examine(course, assignment, waiting, options)) as outcomes:
                for outcome in outcomes:
                    note(_record(course, recorder, outcome, wanted[outcome.student]))
    return sorted(done, key=lambda one: one.student)


def examine(
    course: Course, assignment: str, students: Sequence[str], options: GradingOptions
) -> Generator[Outcome, None, None]:
    """Yield the outcomes of these submissions; record nothing. Closing the generator ends all its workers."""
    _check_points(course, assignment)
    if students:
        with ReferenceProcess(course.root, assignment) as reference:
            reference.ask("ready")
    if not options.scheduler:  # the workers of a cluster have sandboxes of their own
        marking.resolve_isolation(options.sandbox)
    (course.root / ".coursekit").mkdir(exist_ok=True)
    return _examine(course, assignment, students, options)


def _examine(
    course: Course, assignment: str, students: Sequence[str], options: GradingOptions
) -> Generator[Outcome, None, None]:
    if students:
        options = replace(options, jobs=min(options.jobs, len(students)))
        yield from workers.examine_all(course, assignment, students, options)


def _record(course: Course, recorder: Recorder, outcome: Outcome, fingerprint: str) -> Graded:
    failure, log = outcome.failure, outcome.log
    if not failure:
        try:
            change = recorder.record(outcome, fingerprint)
            said = outcome.verdicts
            return Graded(outcome.student, said.problem, () if said.problem else said.notes, total_change=change)
        except NothingCanBeWritten:
            raise
        except CourseError as error:
            failure = str(error)
        except Exception as error:  # the boundary of one submission: the others are still recorded
            failure, log = one_line_with_type(error), "".join(traceback.format_exception(error))
    path = course.root / ".coursekit" / "grade.log"
    if log:
        with converters.logging_to(path):
            get_logger().error(log)
    return Graded(outcome.student, failure + (f"; see {path}" if log else ""), failed=True)


def _check_points(course: Course, assignment: str) -> None:
    """Raise CourseError if the assignment's files disagree, for instance on the points of a test cell."""
    known = assignments.load(course, assignment)
    if gap := next(chain(known.gaps, known.useless_checks()), ""):
        raise CourseError(f"source/{assignment}", gap, "run `coursekit check`")
    points = assignments.points(known.exercises)
    for cell in notebooks.read(course.source(assignment)).cells:
        given = points.get(notebooks.grade_id(cell) or "")
        if given is not None and notebooks.grader_metadata(cell).get("points") != given:
            promised = notebooks.grader_metadata(cell).get("points")
            where = f"source/{assignment}/{assignment}.ipynb[{cell.id}]"
            found = f"{promised} points, but {given:g} in hidden/{assignment}/exercises.py"
            raise CourseError(where, found, "make them agree")
