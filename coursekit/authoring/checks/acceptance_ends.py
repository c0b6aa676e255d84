"""The two extremes: the solution earns all points without messages; the untouched release earns and reveals nothing."""

import html
import re

from nbformat import NotebookNode

from coursekit.authoring.checks import acceptance_courses, acceptance_text
from coursekit.authoring.checks.acceptance_courses import AcceptanceResult
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.authoring.checks.released import SECRETS, solution_lines
from coursekit.feedback import generation
from coursekit.grading.student_marks import StudentMarks
from coursekit.model import notebooks
from coursekit.model.course import Course
from selfcheck import recordings

SOLUTION, UNTOUCHED = "solution", "untouched"


def marks(course: Course, scratch: Course, source: Source, experiments: bool = True) -> AcceptanceResult:
    """Check full marks for the solution, whose cells write no messages; no marks for the untouched release."""
    name = source.assignment
    acceptance_courses.set_up(scratch, source, notebooks.dumps(source.notebook))
    acceptance_courses.hand_in(scratch, name, {SOLUTION: notebooks.dumps(source.notebook)})
    released = course.release(name) / f"{name}.ipynb"
    if released.is_file():
        acceptance_courses.hand_in(scratch, name, {UNTOUCHED: released.read_text(encoding="utf-8")})
    findings, earned = acceptance_courses.graded(scratch, source, experiments=experiments)
    solution, untouched = earned.get(SOLUTION), earned.get(UNTOUCHED)
    if solution is not None:
        executed = notebooks.read(scratch.autograded(name, SOLUTION) / f"{name}.ipynb")
        findings += [*_full(source, solution), *_silent(source, executed), *acceptance_text.check(source, executed)]
    if untouched is not None:
        findings += _nothing(source, untouched)
    return findings, f"solution {_sum(solution)}, untouched release {_sum(untouched)}"


def leaks(course: Course, scratch: Course, source: Source) -> AcceptanceResult:
    """Check that neither the feedback page of the untouched release nor the released recordings reveal anything.

    That is: no line of a solution and no hidden test. The release was graded before; ``released`` checks other files.
    """
    (page,) = generation.feedback(scratch, source.assignment, [UNTOUCHED])
    if page.problem:
        return [Finding("G704", source.where, page.problem[:300], "fix what it says")], "not written"
    text = page.path.read_text(encoding="utf-8")
    shown = "".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())
    found = [line for line in solution_lines(source) if line in shown]
    if secret := SECRETS.search("".join(text.split())):
        found.append(secret[0])
    where = f"feedback on the untouched {source.assignment}"
    findings = [Finding("G709", where, f"shows {line!r}", "keep it off the page") for line in found]
    recorded = _recordings(course, source)
    where = f"release/{source.assignment}"
    findings += [Finding("G709", where, f"a recording of {name!r}", "run `./course record`") for name in recorded]
    return (
        findings,
        f"{len(findings) or 'none'} on the feedback page of the untouched release and in the released recording",
    )


def _recordings(course: Course, source: Source) -> list[str]:
    """Hidden cases and names of mistakes in the recordings that are released."""
    path, found = course.release(source.assignment) / recordings.NAME, []
    if not source.exercises:
        return []
    rows = {row.function: row for row in source.exercises}
    for function in sorted(recordings.functions(path)):
        outputs, known = recordings.read(path, function)
        public = {case.name for case in rows[function].public_cases} if function in rows else set()
        cases = {*outputs, *(name for mistake in known for name in mistake.cases)}
        found += [f"{function}/{name}" for name in sorted(cases - public)]
        found += [f"{function}:{mistake.name}" for mistake in known if mistake.name]
    return found


def _sum(marks: StudentMarks | None) -> str:
    return f"{marks.earned:g} of {marks.points:g}" if marks else "not graded"


def _full(source: Source, marks: StudentMarks) -> list[Finding]:
    findings = []
    by_exercise = {mark.grade_id.removesuffix("-test"): mark for mark in marks.marks}
    for row in source.exercises:
        mark = by_exercise.get(row.grade_id)
        if mark is None or mark.earned != row.points:
            what = f"the solution earns {mark.earned if mark else 0:g} of {row.points:g}" + (
                f" ({mark.reason[:200]})" if mark and mark.reason else ""
            )
            remedy = "fix the solution, its test cell, or the table"
            findings.append(Finding("G701", f"{source.where}[{row.grade_id}]", what, remedy))
    return findings


def _nothing(source: Source, marks: StudentMarks) -> list[Finding]:
    where = f"release/{source.assignment}/{source.assignment}.ipynb"
    return [
        Finding(
            "G702",
            f"{where}[{mark.grade_id}]",
            f"earns {mark.earned:g} as it is",
            "look for the solution in it",
        )
        for mark in marks.marks
        if mark.earned
    ]


def _silent(source: Source, executed: NotebookNode) -> list[Finding]:
    """Findings on exceptions, messages and displayed values of the executed solution notebook."""
    findings = []
    for cell in executed.cells:
        for output in cell.get("outputs", ()):
            what = ""
            if output.output_type == "error":
                what = f"raises {output.ename}: {output.evalue}"[:300]
            elif notebooks.is_test(cell) and output.output_type == "execute_result":
                what = "displays a value"
            elif notebooks.is_test(cell) and output.get("name") == "stderr":
                what = f"writes on stderr: {output.text.strip().splitlines()[0] if output.text.strip() else ''}"[:300]
            if what:
                findings.append(Finding("G703", source.at(cell), what, "fix the cell or what it calls"))
    return findings
