"""Submissions -> marks in the gradebook and executed notebooks in autograded/.

Workers turn each submission into an outcome and write nothing; one writer records the outcomes. The submitted folder
is only read, and one student's failure does not affect the others. Submissions with an up-to-date receipt are not
graded again, so a run that was stopped or killed is completed by starting it again. After an upgrade, marks that would
change are held back until they are accepted.
"""

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain

from traitlets.log import get_logger

from coursekit.grading import agenda, converters, fingerprints, lock, registration, roster, workers
from coursekit.grading.changes import Changes
from coursekit.grading.fingerprints import Fingerprint
from coursekit.grading.options import DEFAULTS, ONLY_OUTDATED, Again, GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.grading.penalties import TotalChange
from coursekit.grading.recorder import NothingCanBeWritten, Recorder
from coursekit.marking import marker as marking
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.reference import assignments
from coursekit.reference.process import ReferenceProcess

HANDED_IN_AGAIN = "Its files have changed since it was graded and returned. The marks stay; --returned grades it again."


@dataclass(frozen=True)
class Graded:
    """What a command reports about one submission; ``problem`` says why there was nothing to grade."""

    student: str
    problem: str = ""
    notes: tuple[str, ...] = ()
    failed: bool = False  # an error of the engine: no mark was written
    unchanged: bool = False  # its receipt is up to date: the marks stay
    returned: bool = False  # the student has it back: nothing was done
    held: Changes | None = None  # what another version of the grader would change: nothing was written
    contradicted: tuple[str, ...] = ()  # functions that are right with recorded cases and wrong with twins
    total_change: TotalChange | None = None  # the totals before and after, where only the late penalty has changed


def grade(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    options: GradingOptions = DEFAULTS,
    report: Callable[[Graded], None] = lambda _: None,
    again: Again = ONLY_OUTDATED,
) -> list[Graded]:
    """Grade the submissions of an assignment. Calls ``report`` after each, first for those that are left alone.

    With several workers, reports come in the order in which the submissions are finished. ``again``: what is graded
    that would be left alone. Raises CourseError if another process grades in this course, if this computer has no
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
            todo = agenda.of(recorder.standings(wanted), recorder.returned(), again)
            changes = recorder.update_penalties(todo.unchanged)
            for student in todo.returned:
                note(Graded(student, notes=(HANDED_IN_AGAIN,) * (student in todo.handed_in_again), returned=True))
            for student in todo.unchanged:
                note(Graded(student, unchanged=True, total_change=changes.get(student)))
            with closing(examine(course, assignment, todo.waiting, options)) as outcomes:
                for outcome in outcomes:
                    student = outcome.student
                    note(_record(course, recorder, outcome, wanted[student], tried=student in todo.tried))
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


def _record(course: Course, recorder: Recorder, outcome: Outcome, fingerprint: Fingerprint, tried: bool) -> Graded:
    failure, log = outcome.failure, outcome.log
    if not failure:
        try:
            if tried and (held := recorder.changes(outcome)):
                return Graded(outcome.student, held=held)
            change = recorder.record(outcome, fingerprint)
            said = outcome.verdicts
            return Graded(
                outcome.student,
                said.problem,
                () if said.problem else said.notes,
                contradicted=tuple(one.function for one in said.exercises if one.contradicted),
                total_change=change,
            )
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
