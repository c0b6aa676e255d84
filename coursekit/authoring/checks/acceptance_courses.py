"""Scratch courses for the gates: hand in, grade as any class is graded, and read the marks."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from coursekit.authoring.checks.findings import Finding, Source
from coursekit.grading import grade, gradebook, workspace
from coursekit.grading.options import GradingOptions
from coursekit.grading.student_marks import StudentMarks
from coursekit.marking.limits import Limits
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.sandbox import isolation
from coursekit.sandbox.isolation import Walls

Gate = tuple[list[Finding], str]  # what is wrong, and the figure


@contextmanager
def scratch(course: Course) -> Iterator[Course]:
    """A course with the modules and nothing else in it, for as long as it is needed."""
    with workspace.folder(course) as folder:
        yield course.copy_modules_to(folder)


def set_up(there: Course, source: Source, text: str) -> None:
    """The assignment in a scratch course: the files beside its notebook, and in its place ``text``."""
    folder = there.source(source.assignment).parent
    if not folder.exists():
        shutil.copytree(source.path.parent, folder, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    there.source(source.assignment).write_text(text, encoding="utf-8", newline="\n")


def hand_in(there: Course, assignment: str, notebooks_by_student: Mapping[str, str]) -> None:
    for student, text in notebooks_by_student.items():
        folder = there.submitted(assignment, student)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{assignment}.ipynb").write_text(text, encoding="utf-8", newline="\n")


def standing() -> Walls:
    """The walls of this machine; the notebooks are ours, so that they are good, but not needed."""
    try:
        return isolation.require()
    except CourseError:
        return isolation.NONE


def graded(
    there: Course, source: Source, jobs: int = 1, experiments: bool = True
) -> tuple[list[Finding], dict[str, StudentMarks]]:
    """Everything that was handed in, graded; with experiments, unless told otherwise."""
    sandbox = "none" if standing() == isolation.NONE else "auto"
    options = GradingOptions(Limits(experiments=experiments), jobs, sandbox)
    findings = [
        Finding("G704", source.where, f"the {one.student} notebook: {one.problem}"[:300], "fix what it says")
        for one in grade.grade(there, source.assignment, options=options)
        if one.problem
    ]
    return findings, {student.student: student for student in gradebook.read(there, source.assignment)}
