"""The demo's class: right marks, a reason beside each lost one. At night all classes, also by stock nbgrader."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.authoring import demo
from coursekit.grading import gradebook, registration
from coursekit.grading.options import Again
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from tests.classroom import ASSIGNMENT, brief_course
from tests.tables import ASSIGNMENTS, loaded

POINTS = {row.grade_id: row.points for row in loaded(ASSIGNMENT).exercises}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The scratch course after our own grading and feedback of the first assignment's class.

    Also what the submissions were before.
    """
    return graded_classes(tmp_path_factory.mktemp("ours"), [ASSIGNMENT])


@pytest.fixture(scope="module")
def all_graded(tmp_path_factory):
    """The same of all classes."""
    return graded_classes(tmp_path_factory.mktemp("all"), ASSIGNMENTS)


def graded_classes(folder, assignments):
    course = brief_course(folder)
    for name in {*ASSIGNMENTS} - {*assignments}:
        (course.hidden(name) / "demo.py").unlink()
    made = demo.prepare(course)
    before = fingerprint(made.scratch.root / "submitted")
    done = demo.grade(made, lambda _: None)
    pages = demo.feedback(made, lambda _: None)
    first = len(made.classes[0].about)
    return made, before, {one.student: one for one in done[:first]}, pages


@pytest.fixture(scope="module")
def scratch(graded):
    return graded[0].scratch


@pytest.fixture(scope="module")
def marks(scratch):
    return marks_of(scratch, ASSIGNMENT)


def marks_of(course, assignment):
    return {who.student: {m.grade_id: m for m in who.marks} for who in gradebook.read(course, assignment)}


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def total(marks_of_one) -> float:
    return sum(mark.earned for mark in marks_of_one.values())


@pytest.mark.parametrize("student", ["anna", "ben", "chloe", "kira", "liam", "mona", "olga"])
def test_a_right_answer_has_full_marks_whatever_its_style_and_its_file(marks, student):
    assert {cell: mark.earned for cell, mark in marks[student].items()} == POINTS
    assert all(mark.reason == "" for mark in marks[student].values())


def test_nothing_written_earns_nothing_and_says_why(marks):
    assert total(marks["dario"]) == 0
    assert all(mark.reason for mark in marks["dario"].values())


def test_of_half_a_file_the_whole_cells_count_and_that_is_told(graded, marks):
    assert 0 < total(marks["noah"]) < 100
    assert any("breaks off in the middle" in note for note in graded[2]["noah"].notes)


@pytest.mark.parametrize(
    ("student", "cell", "earned", "said"),
    [
        ("emma", "linear-backward", 6, "averaged over the examples"),
        ("hugo", "update-parameters", 3, "changes its own input"),
        ("ines", "compute-cost", 0, "ValueError: I do not know how"),
        ("jonas", "compute-cost", 0, "loop without an end"),
    ],
)
def test_one_mistake_loses_marks_in_its_exercise_with_its_reason(marks, student, cell, earned, said):
    assert marks[student][cell].earned == earned
    assert said in marks[student][cell].reason


@pytest.mark.parametrize(
    ("student", "spoilt"),
    [
        ("emma", "linear-backward"),
        ("farid", "linear-forward"),
        ("gita", "l-model-backward"),
        ("hugo", "update-parameters"),
        ("ines", "compute-cost"),
        ("jonas", "compute-cost"),
    ],
)
def test_no_other_exercise_loses_a_mark(marks, student, spoilt):
    """Also where others call the wrong function: these are right by themselves."""
    assert {cell for cell, mark in marks[student].items() if mark.earned < mark.points} == {spoilt}


@pytest.mark.parametrize(
    ("student", "follower", "culprit"),
    [("emma", "linear-activation-backward", "linear_backward"), ("farid", "l-model-forward", "linear_forward")],
)
def test_a_right_function_that_calls_a_wrong_one_is_told_whose_error_it_was(marks, student, follower, culprit):
    mark = marks[student][follower]
    assert mark.earned == mark.points
    assert mark.reason.endswith(f" is right; the error comes from {culprit}.")


def test_every_lost_mark_has_a_reason(marks):
    for student, by_cell in marks.items():
        for cell, mark in by_cell.items():
            told = mark.reason.replace("is right; the error comes from", "")
            assert mark.reason if mark.earned < mark.points else told != mark.reason or not told, (student, cell)


def test_repairs_are_told(graded, scratch):
    notes = {student: one.notes for student, one in graded[2].items()}
    assert "The test cell linear-backward-test was missing; it is back." in notes["kira"]
    assert "The cell linear-forward was there 2 times; the last answer counts." in notes["liam"]
    assert notes["mona"] == ("The notebook was called my homework.ipynb; it was graded as step-by-step.ipynb.",)
    liam = (scratch.autograded(ASSIGNMENT, "liam") / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8")
    assert "was there 2 times" in liam


def test_what_was_handed_in_is_as_it_was(graded, scratch):
    assert fingerprint(scratch.root / "submitted") == graded[1]


def test_everybody_gets_a_page_with_marks_reasons_and_no_hidden_test(graded):
    made, _, _, pages = graded
    assert len(pages) == made.size == sum(len(one.about) for one in made.classes)
    for page in pages:
        html = page.path.read_text(encoding="utf-8")
        assert "coursekit.author" not in html
    emma = next(page for page in pages if page.student == "emma" and ASSIGNMENT in page.path.parts).path.read_text(
        encoding="utf-8"
    )
    assert "averaged over the examples" in emma


def test_grading_again_gives_the_same_marks(graded, scratch, marks):
    """Twice, for two students: marks do not depend on luck, and nothing is counted twice."""
    for _ in range(2):
        for student in ("emma", "liam"):
            options = graded[0].classes[0].options
            demo.grading.grade(scratch, ASSIGNMENT, [student], options, again=Again(force=True))
    assert marks_of(scratch, ASSIGNMENT) == marks


@pytest.mark.nightly
def test_the_network_put_to_work_is_graded_too(all_graded):
    marks = marks_of(all_graded[0].scratch, "application")
    points = {row.grade_id: row.points for row in loaded("application").exercises}
    assert {cell: mark.earned for cell, mark in marks["anna"].items()} == points
    assert total(marks["dario"]) == 0
    lost = {cell for cell, mark in marks["emma"].items() if mark.earned < mark.points}
    assert lost == {"l-layer-model"}


@pytest.mark.nightly
def test_the_digits_are_graded_too_and_the_written_answer_waits(all_graded):
    marks = marks_of(all_graded[0].scratch, "digits")
    points = {row.grade_id: row.points for row in loaded("digits").exercises}
    written = {student: by_cell.pop("comparison") for student, by_cell in marks.items()}
    assert {cell: mark.earned for cell, mark in marks["anna"].items()} == points
    assert (written["anna"].waiting, written["anna"].reason) == (True, "waits for a person")
    assert total(marks["dario"]) == 0
    assert (written["dario"].waiting, written["dario"].earned) == (False, 0)
    assert marks["farid"]["softmax"].earned < points["softmax"]
    assert marks["farid"]["linear-backward"].earned == points["linear-backward"]


def limits_of(made: demo.Demo, assignment: str) -> list[str]:
    """Those of our own grading, for nbgrader's commands."""
    (limits,) = [one.options.limits for one in made.classes if one.assignment == assignment]
    return [f"--CourseKit.{name}={getattr(limits, name)}" for name in ("cell_timeout_s", "call_timeout_s")]


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def stock(tmp_path_factory, all_graded, request):
    """The same class graded with stock nbgrader commands only, in another copy of the course; an assignment each."""
    assignment = request.param
    root = tmp_path_factory.mktemp("stock") / "course"
    scratch = brief_course(root)
    copy_submissions(all_graded[0].scratch, scratch, assignment)
    shutil.rmtree(root / "release")
    codes = {
        "generate_assignment": nbgrader(root, "generate_assignment", assignment),
        "autograde": nbgrader(root, "autograde", assignment, *limits_of(all_graded[0], assignment)),
        "generate_feedback": nbgrader(root, "generate_feedback", assignment),
    }
    return scratch, assignment, codes


def copy_submissions(of: Course, to: Course, assignment: str) -> None:
    for student in of.students(assignment):
        shutil.copytree(of.submitted(assignment, student), to.submitted(assignment, student))


# What the Formgrader does when somebody clicks its button for a student (tests/course clicks it, in a browser).
BUTTON = """
import sys
from nbgrader.apps import NbGrader, NbGraderAPI
assignment, students, *options = sys.argv[1:]
app = NbGrader()
app.initialize(options)
for student in students.split(","):
    result = NbGraderAPI(coursedir=app.coursedir, parent=app).autograde(assignment, student)
    assert result["success"], (student, result)
"""


@pytest.mark.nightly
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_formgraders_button_agrees_on_every_submission(tmp_path, all_graded, assignment):
    """Student by student, in a third copy of the course."""
    third = brief_course(tmp_path / "course")
    copy_submissions(all_graded[0].scratch, third, assignment)
    registration.register(third, assignment)
    students = ",".join(third.students(assignment))
    done = python(third.root, "-c", BUTTON, assignment, students, *limits_of(all_graded[0], assignment))
    assert done.returncode == 0, done.stderr[-2000:]
    assert marks_of(third, assignment) == marks_of(all_graded[0].scratch, assignment)


def nbgrader(root: Path, *arguments: str) -> int:
    return python(root, "-m", "nbgrader", *arguments).returncode


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.nightly
def test_stock_generate_assignment_gives_our_release(stock, all_graded):
    scratch, assignment, codes = stock
    assert codes["generate_assignment"] == 0
    assert fingerprint(scratch.release(assignment)) == fingerprint(all_graded[0].scratch.release(assignment))


@pytest.mark.nightly
def test_stock_autograde_agrees_on_every_submission(stock, all_graded):
    """Marks, and the reasons to the last word; a renamed notebook, half a file and a zip archive included."""
    scratch, assignment, codes = stock
    assert codes["autograde"] == 0
    assert marks_of(scratch, assignment) == marks_of(all_graded[0].scratch, assignment)


@pytest.mark.nightly
def test_stock_generate_feedback_gives_the_same_pages(stock, all_graded):
    scratch, assignment, codes = stock
    assert codes["generate_feedback"] == 0
    for student in all_graded[0].scratch.students(assignment):
        ours = all_graded[0].scratch.feedback(assignment, student) / f"{assignment}.html"
        theirs = scratch.feedback(assignment, student) / f"{assignment}.html"
        assert theirs.read_bytes() == ours.read_bytes(), student


def test_the_class_is_about_a_dozen_of_different_kinds(graded):
    first = [*graded[0].classes[0].about.values()]
    assert 12 <= len(first) <= 18
    assert len(set(first)) == len(first)


def test_every_assignment_has_a_class(course):
    assert [name for name in ASSIGNMENTS if (course.hidden(name) / "demo.py").is_file()] == [*ASSIGNMENTS]


def test_a_course_without_a_class_says_what_to_write(tmp_path):
    with pytest.raises(CourseError, match=r"hidden/: no assignment has a class .* write hidden/<assignment>/demo\.py"):
        demo.prepare(Course(tmp_path))
