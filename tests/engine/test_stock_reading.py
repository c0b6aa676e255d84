"""Stock ``nbgrader autograde`` and the Formgrader's button give damaged hand-ins the marks that our command gives."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coursekit import grade, gradebook, release
from tests.classroom import ASSIGNMENT, copy_course, fill_in, hand_in, released_notebook, solution_cells

BUTTON = """
from nbgrader.apps import NbGrader, NbGraderAPI
app = NbGrader()
app.initialize([])
before = app.coursedir.submitted_directory
result = NbGraderAPI(coursedir=app.coursedir, parent=app).autograde("step-by-step", "zoe")
assert result["success"], result
result = NbGraderAPI(coursedir=app.coursedir, parent=app).autograde("step-by-step", "nobody")
assert not result["success"], result
assert app.coursedir.submitted_directory == before
"""


LATE = {"mona": 0, "noah": 0, "pia": 0, "zoe": 100}  # the penalties, however it is graded


def penalties(course) -> dict[str, float]:
    return {one.student: one.penalty for one in gradebook.read(course, ASSIGNMENT)}


def in_zip(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"homework/{ASSIGNMENT}.ipynb", text)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of damaged hand-ins after our own grading, and its marks and files after each of the stock ways."""
    course = copy_course(tmp_path_factory.mktemp("class") / "course")
    text = json.dumps(fill_in(released_notebook(course), solution_cells(course)))
    hand_in(course, "mona", text, "my homework (1).ipynb")
    hand_in(course, "noah", text[: len(text) // 2])
    hand_in(course, "zoe", in_zip(text), "homework.zip")
    hand_in(course, "pia", b"%PDF-1.7", "homework.pdf")
    config = course.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nget_config().LateSubmissionPlugin.penalty_method = 'zero'\n")
    (course.submitted(ASSIGNMENT, "zoe") / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC")
    release.register(course, ASSIGNMENT)
    with gradebook.opened(course) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate="2026-03-01")
    before = {path: path.read_bytes() for path in (course.root / "submitted").rglob("*") if path.is_file()}
    grade.grade(course, ASSIGNMENT)
    ours = marks(course)
    assert penalties(course) == LATE, "our command"
    code = run(course, "-m", "nbgrader", "autograde", ASSIGNMENT, "--force")
    stock = marks(course)
    assert penalties(course) == LATE, "nbgrader autograde"
    forget(course, "zoe")
    button = run(course, "-c", BUTTON)
    assert penalties(course) == LATE, "the Formgrader's button"
    after = {path: path.read_bytes() for path in (course.root / "submitted").rglob("*") if path.is_file()}
    return course, ours, (code, stock), (button, marks(course)), before == after


def run(course, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True, check=False)


def marks(course) -> dict[str, dict[str, tuple[float, str]]]:
    return {
        one.student: {mark.grade_id: (mark.earned, mark.reason) for mark in one.marks}
        for one in gradebook.read(course, ASSIGNMENT)
    }


def forget(course, student: str) -> None:
    """The gradebook has nothing of this student any more."""
    from nbgrader.api import Gradebook

    with Gradebook(course.db_url) as book:
        book.remove_student(student)


def earned(marks_of_one) -> float:
    return sum(points for points, _ in marks_of_one.values())


def test_our_own_grading_finds_what_is_there(graded):
    assert {student: earned(one) for student, one in graded[1].items()} == {
        "mona": 100,
        "noah": 35,
        "pia": 0,
        "zoe": 100,
    }


def test_no_zero_is_without_a_reason(graded):
    for student, one in graded[1].items():
        assert all(reason for points, reason in one.values() if points == 0), student
    assert all(
        "no notebook was handed in, only homework.pdf (a PDF)" in reason for _, reason in graded[1]["pia"].values()
    )


def test_the_stock_command_gives_the_same_marks_and_reasons(graded):
    _, ours, (finished, stock), _, _ = graded
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert stock == ours


def test_the_stock_command_tells_the_instructor_what_was_repaired(graded):
    log = graded[2][0].stderr
    assert "mona: The notebook was called my homework (1).ipynb" in log
    assert "pia: step-by-step.ipynb: no notebook was handed in" in log


def test_the_formgraders_button_gives_the_same_marks(graded):
    """One student at a time, whose folder holds no notebook at all: nbgrader alone would stop there."""
    _, ours, _, (finished, by_button), _ = graded
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert by_button == ours


def test_what_was_repaired_stands_in_the_notebook(graded):
    for student, said in (("zoe", "taken out of homework"), ("noah", "breaks off in the middle")):
        text = (graded[0].autograded(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8")
        assert said in text


def test_nothing_handed_in_was_changed_and_no_copy_is_left(graded):
    course, *_, unchanged = graded
    assert unchanged
    assert not list((course.root / ".coursekit").glob("scratch-*"))
