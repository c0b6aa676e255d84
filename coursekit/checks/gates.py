"""The solution notebook earns everything and the untouched release nothing, in the real grading pipeline.

Both are handed in to a scratch course and graded there as any submission is.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from coursekit import grade, gradebook, notebooks
from coursekit.checks.findings import Finding, Source
from coursekit.course import COURSE_FILES, Course
from coursekit.errors import CourseError
from coursekit.gradebook import StudentMarks
from hidden_tests import exercises

SOLUTION, UNTOUCHED = "solution", "untouched"


def check(course: Course, sources: list[Source], say: Callable[[str], None]) -> list[Finding]:
    """Findings G7xx; ``say`` is told what the two notebooks of each assignment earned."""
    findings: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="gates-") as folder:
        scratch = Course(Path(folder).resolve())
        for name in COURSE_FILES:
            if (course.root / name).is_file():
                shutil.copyfile(course.root / name, scratch.root / name)
        for source in sources:
            try:
                _hand_in(course, scratch, source)
                findings += _grade(scratch, source, say)
            except Exception as error:  # the boundary of one assignment: the others are still tried
                what = error.found if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
                findings.append(Finding("G704", source.where, what[:300], "mend the findings above, and check again"))
    return findings


def _hand_in(course: Course, scratch: Course, source: Source) -> None:
    """The source notebook and both submissions in the scratch course; without a release only the solution."""
    text = notebooks.dumps(source.notebook)
    name = source.assignment
    shutil.copytree(source.path.parent, scratch.source(name).parent)
    for path in (scratch.source(name), scratch.submitted(name, SOLUTION) / f"{name}.ipynb"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    released = course.release(name) / f"{name}.ipynb"
    if released.is_file():
        scratch.submitted(name, UNTOUCHED).mkdir(parents=True)
        shutil.copyfile(released, scratch.submitted(name, UNTOUCHED) / released.name)


def _grade(scratch: Course, source: Source, say: Callable[[str], None]) -> list[Finding]:
    name = source.assignment
    start = time.monotonic()
    findings = [
        Finding("G704", source.where, f"the {one.student} notebook: {one.problem}"[:300], "mend what it says")
        for one in grade.grade(scratch, name)
        if one.problem
    ]
    marks = {student.student: student for student in gradebook.read(scratch, name)}
    solution, untouched = marks.get(SOLUTION), marks.get(UNTOUCHED)
    if solution is not None:
        findings += [*_full(source, solution), *_silent(scratch, source)]
    if untouched is not None:
        findings += _nothing(source, untouched)
    took_s = time.monotonic() - start
    say(f"{name}: solution {_sum(solution)}, untouched release {_sum(untouched)} ({took_s:.1f} s)")
    return findings


def _sum(marks: StudentMarks | None) -> str:
    return f"{marks.earned:g} of {marks.points:g}" if marks else "not graded"


def _full(source: Source, marks: StudentMarks) -> list[Finding]:
    findings = []
    by_exercise = {mark.grade_id.removesuffix("-test"): mark for mark in marks.marks}
    for row in exercises(source.assignment):
        mark = by_exercise.get(row.grade_id)
        if mark is None or mark.earned != row.points:
            what = f"the solution earns {mark.earned if mark else 0:g} of {row.points:g}" + (
                f" ({mark.reason[:200]})" if mark and mark.reason else ""
            )
            remedy = "mend the solution, its test cell, or the table"
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


def _silent(scratch: Course, source: Source) -> list[Finding]:
    """What the solution notebook's cells wrote and showed when it was run."""
    executed = notebooks.read(scratch.autograded(source.assignment, SOLUTION) / f"{source.assignment}.ipynb")
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
                findings.append(Finding("G703", source.at(cell), what, "mend the cell or what it calls"))
    return findings
