"""Check that recordings are up to date: the outputs of the solutions for every case, the results of every mistake."""

from coursekit.authoring import recording
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.reference.process import ReferenceProcess

REMEDY = "run `./course record`, and see what it changes"


def check(course: Course, sources: list[Source], brief: bool = False) -> list[Finding]:
    """Findings X6xx of the assignments that have cased exercises. ``brief``: each mistake in its first case only."""
    return [finding for source in sources if source.exercises for finding in _assignment(course, source, brief)]


def _assignment(course: Course, source: Source, brief: bool) -> list[Finding]:
    try:
        with ReferenceProcess(course.root, source.assignment) as reference:
            reference.ask("ready")
            misfits = reference.ask("misfits")
            differences = recording.check_with(reference, course, source.assignment, brief)
    except CourseError as error:
        what = f"the solutions cannot be run ({error.where}: {error.found})"[:300]
        return [Finding("X602", source.where, what, error.remedy or "fix the solutions or the cases")]
    findings = []
    for said in misfits:
        answer, _, what = said.partition(": ")
        found, remedy = what.split("; ", 1)
        findings.append(Finding("X601", f"hidden/{source.assignment}/mistakes.py[{answer}]", found, remedy))
    for path, difference in differences:
        case, colon, what = difference.partition(": ")
        name = path.relative_to(course.root).as_posix()
        where = f"{name}[{case}]" if colon and not case.startswith("not a") else name
        findings.append(Finding("X601", where, what if where != name else difference, REMEDY))
    return findings
