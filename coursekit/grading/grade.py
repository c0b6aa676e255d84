"""Submissions -> marks in the gradebook and executed notebooks in autograded/.

Workers make an outcome out of each submission and change nothing; one writer records them. The submitted folder is only
read, and one student's failure never touches another's. What has not changed since it was graded is not graded again,
so that a grading which was stopped, in whatever way, is finished by starting it again.
"""

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from traitlets.log import get_logger

from coursekit.grading import converters, fingerprints, lock, registration, roster, workers
from coursekit.grading.options import DEFAULTS, GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.grading.penalties import Repriced
from coursekit.grading.recorder import NothingCanBeWritten, Recorder
from coursekit.marking import marker as marking
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.reference import assignments
from coursekit.reference.process import ReferenceProcess
from coursekit.system import processors


@dataclass(frozen=True)
class Graded:
    """How grading one submission went; ``problem`` is empty when there was something to grade."""

    student: str
    problem: str = ""
    notes: tuple[str, ...] = ()
    failed: bool = False  # our own failure: no mark was written
    unchanged: bool = False  # since it was graded: the marks stand as they are
    repriced: Repriced | None = None  # the totals before and after, where only the late penalty has changed


def default_jobs() -> int:
    """As many workers as this process may use processors: more would only make each of them slower."""
    return processors.available()


def grade(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    options: GradingOptions = DEFAULTS,
    report: Callable[[Graded], None] = lambda _: None,
    force: bool = False,
) -> list[Graded]:
    """Grade the submissions of an assignment, by student; ``report`` is called after each, first for the unchanged.

    Where several processes work, the order of the reports is that in which they end. ``force`` grades the unchanged
    too. Raises CourseError where somebody else grades in this course, where this machine has no sandbox, unless
    ``options.sandbox`` is ``none``, and where nothing can be written any more.
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
            unchanged = frozenset[str]() if force else recorder.standing(wanted)
            repriced = recorder.penalise(unchanged)
            for student in sorted(unchanged):
                note(Graded(student, unchanged=True, repriced=repriced.get(student)))
            waiting = [student for student in chosen if student not in unchanged]
            with closing(examine(course, assignment, waiting, options)) as outcomes:
                for outcome in outcomes:
                    note(_record(course, recorder, outcome, wanted[outcome.student]))
    return sorted(done, key=lambda one: one.student)


def examine(
    course: Course, assignment: str, students: Sequence[str], options: GradingOptions
) -> Generator[Outcome, None, None]:
    """The outcomes of these submissions; nothing is recorded. Close it, and whoever works for it has ended."""
    _check_points(course, assignment)
    if students:
        with ReferenceProcess(course.root, assignment) as reference:
            reference.ask("ready")
    if not options.scheduler:  # the workers of a cluster have walls of their own
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
            repriced = recorder.record(outcome, fingerprint)
            notes = () if outcome.problem else outcome.notes
            return Graded(outcome.student, outcome.problem, notes, repriced=repriced)
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
    """Raise CourseError where the assignment's files do not agree, such as a test cell that promises other points."""
    known = assignments.load(course, assignment)
    if known.gaps:
        raise CourseError(f"source/{assignment}", known.gaps[0], "run `coursekit check`")
    points = assignments.points(known.exercises)
    for cell in notebooks.read(course.source(assignment)).cells:
        given = points.get(notebooks.grade_id(cell) or "")
        if given is not None and notebooks.grader_metadata(cell).get("points") != given:
            promised = notebooks.grader_metadata(cell).get("points")
            where = f"source/{assignment}/{assignment}.ipynb[{cell.id}]"
            found = f"{promised} points, but {given:g} in hidden/{assignment}/exercises.py"
            raise CourseError(where, found, "make them agree")
