"""Check that twins decide something: that their results vary, and that nobody guesses all of them."""

import math
from typing import Any

from coursekit.authoring.checks.findings import Finding, Source
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.reference.process import ReferenceProcess

MAX_CHANCE = 0.01  # of guessing the results of all twins of a check
ALWAYS = 0.9  # a result as common as this is not guessed: it is known, and more twins do not help


def check(course: Course, sources: list[Source]) -> list[Finding]:
    """Findings E314 and E315 of the assignments that have cased exercises."""
    return [finding for source in sources if source.exercises for finding in _assignment(course, source)]


def _assignment(course: Course, source: Source) -> list[Finding]:
    try:
        with ReferenceProcess(course.root, source.assignment) as reference:
            reference.ask("ready")
            varieties = reference.ask("varieties")
    except CourseError as error:
        what = f"no twins can be drawn ({error.where}: {error.found})"[:300]
        return [Finding("X602", source.where, what, error.remedy or "fix the solutions or the cases")]
    return [finding for one in varieties for finding in _of_check(f"hidden/{source.assignment}/exercises.py", one)]


def _of_check(path: str, variety: dict[str, Any]) -> list[Finding]:
    where, share, twins = f"{path}[{variety['function']}: {variety['check']}]", variety["share"], variety["twins"]
    known = variety["same"] or share >= ALWAYS
    if not twins:
        remedy = "take `twins=0` off the check"
        return [] if known else [Finding("E315", where, "it has no twins, but its results vary", remedy)]
    if known:
        what = "all its twins are the same" if variety["same"] else "its twins have the same result almost always"
        return [Finding("E315", where, what, "name `twins` with other values, or give the check `twins=0`")]
    enough = math.ceil(round(math.log(MAX_CHANCE) / math.log(share), 6)) if share else 1
    if twins >= enough:
        return []
    what = f"{100 * share**twins:.0f} % of guesses at the results of all its twins are right"
    return [Finding("E314", where, what, f"give it `twins={enough}`, or larger `twins`")]
