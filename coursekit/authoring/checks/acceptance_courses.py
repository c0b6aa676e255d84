"""Scratch courses for the acceptance checks: hand in, grade like a class, and read the marks."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from coursekit.authoring.checks.findings import Finding, Source
from coursekit.grading import grade, gradebook, workspace
from coursekit.grading.options import GradingOptions
from coursekit.grading.student_marks import StudentMarks
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.sandbox import isolation
from coursekit.sandbox.isolation import Isolation

AcceptanceResult = tuple[list[Finding], str]  # findings and the figure


@contextmanager
def scratch(course: Course) -> Iterator[Course]:
    """Yield a temporary course with only the modules of ``course``; a killed process leaves it to the next sweep."""
    with workspace.folder(course) as folder:
        yield course.copy_modules_to(folder)


def set_up(scratch_course: Course, source: Source, text: str) -> None:
    """Put the assignment into a scratch course, with ``text`` as its notebook."""
    folder = scratch_course.source(source.assignment).parent
    if not folder.exists():
        shutil.copytree(source.path.parent, folder, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    scratch_course.source(source.assignment).write_text(text, encoding="utf-8", newline="\n")


def hand_in(scratch_course: Course, assignment: str, notebooks_by_student: Mapping[str, str]) -> None:
    for student, text in notebooks_by_student.items():
        folder = scratch_course.submitted(assignment, student)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{assignment}.ipynb").write_text(text, encoding="utf-8", newline="\n")


def available_isolation() -> Isolation:
    """The isolation of this computer, or none: it is not required, because the notebooks are the course's own."""
    try:
        return isolation.require()
    except CourseError:
        return isolation.NONE


def graded(
    scratch_course: Course, source: Source, jobs: int = 1, experiments: bool = True
) -> tuple[list[Finding], dict[str, StudentMarks]]:
    """Grade all submissions; returns the findings, and the marks by student."""
    sandbox = "none" if available_isolation() == isolation.NONE else "auto"
    options = GradingOptions(TimeLimits(experiments=experiments), jobs, sandbox)
    findings = [
        Finding("G704", source.where, f"the {one.student} notebook: {one.problem}"[:300], "fix what it says")
        for one in grade.grade(scratch_course, source.assignment, options=options)
        if one.problem
    ]
    return findings, {student.student: student for student in gradebook.read(scratch_course, source.assignment)}
