"""Stock ``nbgrader autograde`` and the Formgrader's button give damaged hand-ins the marks that our command gives."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coursekit.grading import grade, gradebook, registration
from tests.classroom import ASSIGNMENT, ROOT, copy_course, fill_in, hand_in, released_notebook, solution_cells

# The command and then the button, in one process: it takes nbgrader longer to start than to grade this class.
STOCK = """
import json, sys
from pathlib import Path
from jupyter_core.application import NoStart
from nbgrader.apps import NbGrader, NbGraderAPI
from nbgrader.apps.nbgraderapp import NbGraderApp
from coursekit.model.course import Course
sys.path.insert(0, {root!r})
from tests.engine.test_stock_reading import forget, marks, penalties

course, told = Course(Path.cwd()), []
def tell():
    told.append([marks(course), penalties(course)])

command = NbGraderApp()
command.initialize(["autograde", "step-by-step", "--force"])
try: command.start()
except NoStart: pass  # so Jupyter says that a subcommand has run
tell()
forget(course, "zoe")
app = NbGrader()
app.initialize([])
before = app.coursedir.submitted_directory
result = NbGraderAPI(coursedir=app.coursedir, parent=app).autograde("step-by-step", "zoe")
assert result["success"], result
result = NbGraderAPI(coursedir=app.coursedir, parent=app).autograde("step-by-step", "nobody")
assert not result["success"], result
assert app.coursedir.submitted_directory == before
tell()
print(json.dumps(told))
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
    registration.register(course, ASSIGNMENT)
    with gradebook.opened(course) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate="2026-03-01")
    before = {path: path.read_bytes() for path in (course.root / "submitted").rglob("*") if path.is_file()}
    grade.grade(course, ASSIGNMENT)
    ours = marks(course)
    assert penalties(course) == LATE, "our command"
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-W", "ignore", "-c", STOCK.replace("{root!r}", repr(str(ROOT)))]
    done = subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (stock, late), (by_button, late_by_button) = json.loads(done.stdout.splitlines()[-1])
    assert late == LATE, "nbgrader autograde"
    assert late_by_button == LATE, "the Formgrader's button"
    after = {path: path.read_bytes() for path in (course.root / "submitted").rglob("*") if path.is_file()}
    return course, ours, stock, by_button, done.stderr, before == after


def marks(course) -> dict[str, dict[str, list]]:
    return {
        one.student: {mark.grade_id: [mark.earned, mark.reason] for mark in one.marks}
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
    _, ours, stock, *_ = graded
    assert stock == ours


def test_the_stock_command_tells_the_instructor_what_was_repaired(graded):
    log = graded[4]
    assert "mona: The notebook was called my homework (1).ipynb" in log
    assert "pia: step-by-step.ipynb: no notebook was handed in" in log


def test_the_formgraders_button_gives_the_same_marks(graded):
    """One student at a time, whose folder holds no notebook at all: nbgrader alone would stop there."""
    _, ours, _, by_button, *_ = graded
    assert by_button == ours


def test_what_was_repaired_stands_in_the_notebook(graded):
    for student, said in (("zoe", "taken out of homework"), ("noah", "breaks off in the middle")):
        text = (graded[0].autograded(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8")
        assert said in text


def test_nothing_handed_in_was_changed_and_no_copy_is_left(graded):
    course, *_, unchanged = graded
    assert unchanged
    assert not list((course.root / ".coursekit").glob("scratch-*"))
