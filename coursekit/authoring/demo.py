"""A small class of demo submissions, graded in a scratch course: each is the release, filled in by a recipe.

The recipes are part of the course, in ``hidden/<assignment>/demo.py``.
"""

import shutil
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coursekit.authoring import release
from coursekit.feedback import generation as pages
from coursekit.grading import grade as grading
from coursekit.grading.options import GradingOptions
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.reference.process import ReferenceProcess

FOLDER = ".coursekit/demo"
JOBS = 2


@dataclass(frozen=True)
class DemoClass:
    """The demo's submissions of one assignment. ``about``: a description of each, by student."""

    assignment: str
    about: Mapping[str, str]
    options: GradingOptions


@dataclass(frozen=True)
class Demo:
    """The scratch course with all submissions."""

    scratch: Course
    classes: tuple[DemoClass, ...]

    @property
    def size(self) -> int:
        """The number of submissions."""
        return sum(len(one.about) for one in self.classes)


def prepare(course: Course) -> Demo:
    """Make a scratch course with all submissions. Raises CourseError if the course has no demo class."""
    root = course.root / FOLDER
    shutil.rmtree(root, ignore_errors=True)
    scratch = course.copy_to(root)
    classes = []
    for assignment in scratch.assignments():
        if (scratch.hidden(assignment) / "demo.py").is_file():
            release.release(scratch, assignment)
            with ReferenceProcess(scratch.root, assignment) as reference:
                classes.append(_hand_in(scratch, assignment, reference.ask("submissions")))
    if not classes:
        raise CourseError("hidden/", "no assignment has a class for the demo", "write hidden/<assignment>/demo.py")
    return Demo(scratch, tuple(classes))


def _hand_in(scratch: Course, assignment: str, made: Mapping[str, Any]) -> DemoClass:
    for one in made["submissions"]:
        folder = scratch.submitted(assignment, one["student"])
        folder.mkdir(parents=True)
        (folder / one["file_name"]).write_bytes(b64decode(one["content"]))
    about = {one["student"]: one["about"] for one in made["submissions"]}
    return DemoClass(assignment, about, GradingOptions(TimeLimits(**made["limits"]), JOBS))


def grade(demo: Demo, report: Callable[[grading.Graded], None]) -> list[grading.Graded]:
    """Grade the demo's class."""
    return [
        graded
        for one in demo.classes
        for graded in grading.grade(demo.scratch, one.assignment, options=one.options, report=report)
    ]


def feedback(demo: Demo, report: Callable[[pages.FeedbackPage], None]) -> list[pages.FeedbackPage]:
    """Write the demo's feedback pages."""
    return [page for one in demo.classes for page in pages.feedback(demo.scratch, one.assignment, report=report)]


def where_next(course: Course, demo: Demo, written: list[pages.FeedbackPage]) -> list[str]:
    """Suggestions after the demo: a page, the notebook, JupyterLab, the commands for a real class."""
    partly = [page for page in written if not page.problem and page.student == "emma"]
    first = demo.classes[0].assignment
    return [
        f"a feedback page             {(partly or written)[0].path.relative_to(course.root)}",
        f"what a student gets         {course.release(first).relative_to(course.root)}/",
        f"the authored notebook       {course.source(first).relative_to(course.root)}",
        "the notebook in JupyterLab  ./course lab --student",
        f"this class in Formgrader    COURSE_ROOT={demo.scratch.root.relative_to(course.root)} ./course lab",
        f"your own class              submitted/<student>/{first}/ and ./course grade {first}",
    ]
