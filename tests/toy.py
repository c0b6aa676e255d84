"""A toy course that is made in seconds: one assignment, `linear-regression`, two cased exercises, a written answer."""

import json
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from coursekit.authoring import recording, release
from coursekit.grading import grade
from coursekit.model import notebooks
from coursekit.model.course import Course
from tests.classroom import ROOT

ASSIGNMENT = "linear-regression"
FILES = Path(__file__).with_name("linear_regression")
CONFIG = """\
from pathlib import Path

from coursekit.config import configure

c = get_config()
configure(c, Path(__file__).resolve().parent)
c.CourseKit.assignments = ["linear-regression"]
c.CourseKit.shared_files = ["public_tests.py"]
"""


def add_assignment(course: Course, name: str = ASSIGNMENT) -> None:
    """Copy the two folders of ``linear-regression`` into the course, under this name."""
    for where in ("source", "hidden"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(FILES / where / ASSIGNMENT, course.root / where / name, ignore=ignored)
    (course.folder(name) / f"{ASSIGNMENT}.ipynb").rename(course.source(name))


def write_course(to: Path) -> Course:
    """The toy course as its author writes it: not recorded or released yet."""
    to.mkdir(parents=True, exist_ok=True)
    (to / "nbgrader_config.py").write_text(CONFIG)
    (to / "README.md").write_text("# A toy course\n")
    shutil.copyfile(ROOT / "public_tests.py", to / "public_tests.py")
    course = Course(to.resolve())
    add_assignment(course)
    return course


def toy_course(to: Path) -> Course:
    """The toy course, recorded and released."""
    shutil.copytree(_made(), to)
    return Course(to.resolve())


@cache
def _made() -> Path:
    """The recorded and released toy course, made once in this process."""
    course = write_course(Path(mkdtemp(prefix="toy-course-")) / "course")
    recording.record(course, ASSIGNMENT)
    release.release(course, ASSIGNMENT)
    return course.root


def released(course: Course) -> dict[str, Any]:
    """The released notebook as a new plain dict."""
    return json.loads((course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8"))


def solved(course: Course, old: str = "", new: str = "") -> dict[str, Any]:
    """The released notebook with the solutions filled in; in them, the text ``old`` is replaced by ``new``."""
    notebook = released(course)
    cells = notebooks.read(course.source(ASSIGNMENT)).cells
    answers = {cell.id: cell.source for cell in cells if notebooks.is_solution(cell)}
    assert any(old in source for source in answers.values()), old
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
        if old and cell["id"] in answers:
            cell["source"] = cell["source"].replace(old, new)
    return notebook


def hand_in(course: Course, student: str, notebook: Any) -> None:
    """Write the notebook (a dict, text or bytes) to the student's submitted folder."""
    folder = course.submitted(ASSIGNMENT, student)
    folder.mkdir(parents=True, exist_ok=True)
    data = notebook if isinstance(notebook, bytes | str) else json.dumps(notebook)
    (folder / f"{ASSIGNMENT}.ipynb").write_bytes(data if isinstance(data, bytes) else data.encode())


def grade_class(course: Course, changes: Mapping[str, tuple[str, str]]) -> None:
    """Hand in and grade the solutions of these students, each with a text of them replaced by another."""
    for student, change in changes.items():
        hand_in(course, student, solved(course, *change))
    assert not any(one.failed for one in grade.grade(course, ASSIGNMENT))


def working_copy(course: Course, to: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A copy of the course for one test, as the working directory."""
    copied = Course(shutil.copytree(course.root, to))
    monkeypatch.chdir(copied.root)
    monkeypatch.setattr("sys.path", [*sys.path])  # a command adds the course
    return copied


def set_grade(course: Course, student: str, name: str, **columns: Any) -> None:
    """Change columns of one grade in the gradebook, as a person in the Formgrader does."""
    from nbgrader.api import Gradebook

    with Gradebook(course.db_url) as book:
        row = book.find_grade(name, ASSIGNMENT, ASSIGNMENT, student)
        for column, value in columns.items():
            setattr(row, column, value)
        book.db.commit()
