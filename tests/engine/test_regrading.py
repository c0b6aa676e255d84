"""`--dry-run` says whose mark would change, by how much and why; it writes nothing, and what it says comes true."""

import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from coursekit.grading import grade, gradebook, regrading
from coursekit.model.course import Course
from selfcheck import recordings
from tests.classroom import ASSIGNMENT, answered, change_recording, hand_in, small_course

COST = "cost = np.sum(losses) / m"


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Anna is right, ben's cost is twice what it should be, and a person gave cleo, who is right, 7 for hers."""
    from nbgrader.api import Gradebook

    course = small_course(tmp_path_factory.mktemp("before") / "course")
    for student in ("anna", "cleo"):
        hand_in(course, student, answered(course))
    hand_in(course, "ben", answered(course, COST, COST + " * 2"))
    grade.grade(course, ASSIGNMENT)
    with Gradebook(course.db_url) as book:
        book.find_grade("compute-cost-test", ASSIGNMENT, ASSIGNMENT, "cleo").manual_score = 7
        book.db.commit()
    return course


@pytest.fixture
def graded(before, tmp_path):
    """A copy of that course for one test."""
    return Course(shutil.copytree(before.root, tmp_path / "course"))


def expect_twice_the_cost(course: Course) -> None:
    """As if the author had made up their mind: solution and hidden cases ask for what ben computes."""

    def twice(arrays):
        arrays["compute_cost/outputs.numbers"] *= 2

    change_recording(course.hidden(ASSIGNMENT) / recordings.NAME, twice)
    source = course.source(ASSIGNMENT)
    source.write_text(source.read_text(encoding="utf-8").replace(COST, f"{COST} * 2"), encoding="utf-8")


def everything(course: Course) -> dict[str, str]:
    """What a grading writes: the gradebook and autograded/, byte by byte."""
    files = [course.root / "gradebook.db", *(course.root / "autograded").rglob("*")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}


def told(preview: regrading.Preview) -> dict[tuple[str, str], tuple[float | None, float, float]]:
    return {
        (change.student, change.grade_id): (change.before, change.after, change.difference)
        for change in preview.changes
    }


def test_where_nothing_changed_no_mark_would(graded):
    preview = regrading.preview(graded, ASSIGNMENT)
    assert (preview.changes, preview.students, preview.failures) == ((), 3, ())


def test_after_a_change_to_hidden_cases_it_says_whose_mark_would_change_and_why(graded):
    """All are examined again though no submission changed, and nothing at all is written."""
    before = everything(graded)
    expect_twice_the_cost(graded)
    seen = []
    preview = regrading.preview(graded, ASSIGNMENT, report=seen.append)
    assert everything(graded) == before
    assert sorted(seen) == ["anna", "ben", "cleo"]
    found = told(preview)
    assert set(found) == {(student, "compute-cost") for student in ("anna", "ben", "cleo")}
    was, then, difference = found["anna", "compute-cost"]
    assert (was, then < 10, difference) == (10, True, then - 10)
    was, then, difference = found["ben", "compute-cost"]
    assert (was, then > 0, difference) == (0, True, then)
    assert all(change.reason for change in preview.changes)


def test_a_persons_mark_is_told_as_staying(graded):
    expect_twice_the_cost(graded)
    (cleo,) = regrading.preview(graded, ASSIGNMENT, ["cleo"]).changes
    assert (cleo.before, cleo.kept, cleo.difference) == (10, 7, 0)
    assert cleo.after < 10


def test_a_changed_submission_and_a_new_one_are_told(graded):
    hand_in(graded, "ben", answered(graded))
    hand_in(graded, "dario", answered(graded))
    before = everything(graded)
    preview = regrading.preview(graded, ASSIGNMENT)
    assert everything(graded) == before
    found = told(preview)
    assert found.pop(("ben", "compute-cost")) == (0, 10, 10)
    assert {student for student, _ in found} == {"dario"}
    assert sum(difference for was, _, difference in found.values() if was is None) == 100


def test_those_who_could_not_be_graded_are_told(graded):
    hand_in(graded, "no+id", answered(graded))
    preview = regrading.preview(graded, ASSIGNMENT)
    ((student, why),) = preview.failures
    assert student == "no+id"
    assert "cannot be a student's id" in why
    assert preview.changes == ()


def test_before_the_first_grading_every_mark_is_new(graded):
    (graded.root / "gradebook.db").unlink()
    preview = regrading.preview(graded, ASSIGNMENT, ["anna"])
    assert {change.before for change in preview.changes} == {None}
    assert sum(change.difference for change in preview.changes) == 100
    assert not (graded.root / "gradebook.db").exists()


def test_what_it_says_comes_true(graded):
    expect_twice_the_cost(graded)
    preview = regrading.preview(graded, ASSIGNMENT)
    was = {one.student: one.earned for one in gradebook.read(graded, ASSIGNMENT)}
    grade.grade(graded, ASSIGNMENT)
    for one in gradebook.read(graded, ASSIGNMENT):
        change = sum(change.difference for change in preview.changes if change.student == one.student)
        assert one.earned == pytest.approx(was[one.student] + change)


def test_the_command_shows_a_table_and_says_that_nothing_was_written(graded):
    expect_twice_the_cost(graded)
    hand_in(graded, "no+id", answered(graded))
    before = everything(graded)
    command = [sys.executable, "-W", "ignore", "-m", "coursekit", "grade", ASSIGNMENT, "--dry-run", "--jobs", "1"]
    done = subprocess.run(
        command, cwd=graded.root, env=os.environ | {"COLUMNS": "120"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert everything(graded) == before
    assert "FAILED no+id: " in done.stdout
    assert "A person's mark of 7 stays, and has to be confirmed." in done.stdout
    assert done.stdout.splitlines()[-1] == "3 marks of 3 of 4 students would change; nothing was written"
