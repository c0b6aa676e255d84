"""Acceptance checks: what has to be true before marks can be trusted, each with a figure.

    ends      the solution notebook earns everything, the untouched release nothing
    costs     a cell that takes longer than a second and decides no mark is an experiment; others run without these
    class     each exercise left blank or wrong costs only its own points; twenty gradings of a submission are equal
    answers   every mistake of the catalogue is caught, every right answer keeps full marks
    mutants   every mutant of a solution loses marks, or is listed as equivalent

``ends`` and ``class`` grade submissions in scratch courses, ``costs`` runs the solution notebook; the others call
single functions. A brief check is for every commit: ``ends`` without experiments, and a fixed sample of answers and
mutants.
"""

import time
from collections.abc import Callable

from coursekit.authoring.checks import (
    acceptance_answers,
    acceptance_class,
    acceptance_courses,
    acceptance_ends,
    acceptance_experiments,
    acceptance_mutants,
)
from coursekit.authoring.checks.acceptance_courses import AcceptanceResult
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.reference.process import ReferencePool

Say = Callable[[str], None]
JOBS = 2
BRIEF_ANSWERS = 1  # of an exercise: its first mistake and its first right answer
BRIEF_MUTANTS = 40  # one in so many


def check(course: Course, sources: list[Source], say: Say, every: int = 1, brief: bool = False) -> list[Finding]:
    """Findings G7xx; calls ``say`` with the figures of each assignment.

    ``every``: try every mutant (1), every third (3), or none (0). ``brief``: a sample, as described above.
    """
    findings: list[Finding] = []
    with acceptance_courses.scratch(course) as full_course, acceptance_courses.scratch(course) as short_course:
        for source in sources:
            with ReferencePool(course.root, source.assignment, JOBS) as pool:
                findings += _AcceptanceChecks(course, source, say).check(full_course, short_course, pool, every, brief)
    return findings


class _AcceptanceChecks:
    """Runs the acceptance checks of one assignment; a check that raises gives a finding, and the others still run."""

    def __init__(self, course: Course, source: Source, say: Say) -> None:
        self._course, self._source, self._say = course, source, say
        self._findings: list[Finding] = []

    def check(
        self, full_course: Course, short_course: Course, pool: ReferencePool, every: int, brief: bool
    ) -> list[Finding]:
        course, source = self._course, self._source
        self._try("marks", lambda: acceptance_ends.marks(course, full_course, source, experiments=not brief))
        if self._findings:
            self._say(f"{source.assignment}: the other acceptance checks run when this is fixed")
            return self._findings
        self._try("leaks", lambda: acceptance_ends.leaks(course, full_course, source))
        if not brief:
            self._try("costs", lambda: acceptance_experiments.check(course, source))
            self._try("class", lambda: acceptance_class.check(short_course, source, pool))
        self._try("answers", lambda: acceptance_answers.check(source, pool, BRIEF_ANSWERS if brief else None))
        if every:
            every = max(every, BRIEF_MUTANTS) if brief else every
            self._try("mutants", lambda: acceptance_mutants.check(source, pool, every))
        return self._findings

    def _try(self, name: str, check: Callable[[], AcceptanceResult]) -> None:
        start = time.monotonic()
        try:
            found, figure = check()
        except Exception as error:  # the boundary of one check
            what = error.found if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
            remedy = "fix the findings above, and check again"
            found, figure = [Finding("G704", self._source.where, what[:300], remedy)], "could not be tried"
        self._findings += found
        self._say(f"{self._source.assignment}: {name}: {figure} ({time.monotonic() - start:.1f} s)")
