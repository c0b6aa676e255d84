"""After an upgrade: equal marks are recorded, other ones are shown and held back until somebody accepts them."""

import contextlib
import hashlib
import json
import sqlite3

import pytest
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.grading import grade, gradebook, receipts, recorder, regrading
from coursekit.grading.options import Again, GradingOptions
from tests import toy

CLASS = ("anna", "ben", "cleo")
AS_IT_IS = ("", "")
WRONG = ("dw = 2 / m", "dw = 1 / m")
RIGHT_NOW = {"anna": 10, "ben": 7, "cleo": 10}


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A graded class of three; of ben's slopes, one is wrong."""
    course = toy.toy_course(tmp_path_factory.mktemp("upgrade") / "course")
    toy.grade_class(course, dict.fromkeys(CLASS, AS_IT_IS) | {"ben": WRONG})
    assert earned(course) == RIGHT_NOW
    return course


@pytest.fixture
def graded(before, tmp_path, monkeypatch):
    """A copy of that course as an earlier version would have left it: ben had 1 point more, cleo 2 less."""
    course = toy.working_copy(before, tmp_path / "course", monkeypatch)
    for student in CLASS:
        of_an_earlier_version(course, student)
    toy.set_grade(course, "ben", "slopes-test", auto_score=4)
    toy.set_grade(course, "cleo", "predict-line-test", auto_score=2)
    return course


def of_an_earlier_version(course, student):
    fields = {"fingerprint": "0" * 64, "notebook": "", "entries": "", "experiments": False}
    (course.autograded(toy.ASSIGNMENT, student) / receipts.NAME).write_text(json.dumps(fields))


def earned(course):
    return {one.student: one.earned for one in gradebook.read(course, toy.ASSIGNMENT)}


def digests(course, student=""):
    files = (course.root / "autograded" / student).rglob("*")
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}


def held(done):
    return {one.student for one in done if one.held}


def run(*arguments):
    done = CliRunner().invoke(app.app, ["grade", toy.ASSIGNMENT, *arguments], env={"COLUMNS": "120"})
    return done.exit_code, done.stdout


def test_marks_that_an_upgrade_would_change_are_shown_and_nothing_is_written(graded):
    stood = [digests(graded, student) for student in ("ben", "cleo")]
    code, said = run("--jobs", "2")
    assert code == 1
    assert earned(graded) == {"anna": 10, "ben": 8, "cleo": 8}
    assert [digests(graded, student) for student in ("ben", "cleo")] == stood
    *table, why, last = said.splitlines()
    rows = [[part.strip() for part in line.split("│")[1:-1]] for line in table if "│" in line]
    assert ["ben", "2 slopes", "4", "3", "-1"] in [row[:5] for row in rows], said
    assert ["cleo", "1 predict_line", "2", "4", "+2", "everything is right"] in rows, said
    assert why == (
        "held back: ben, cleo; their marks come from another version of coursekit, or from other limits;"
        " `coursekit grade linear-regression --accept` records the new ones"
    )
    assert last.startswith("graded 1 of 3, 2 held back;")
    code, said = run("--accept", "--student", "ben", "--jobs", "1")
    assert code == 0
    assert earned(graded) == {"anna": 10, "ben": 7, "cleo": 8}
    again = grade.grade(graded, toy.ASSIGNMENT)  # what is held back is said again
    assert (held(again), {one.student for one in again if one.unchanged}) == ({"cleo"}, {"anna", "ben"})
    assert earned(graded)["cleo"] == 8


def test_a_new_submission_is_not_held_back(graded):
    """Only after it was graded once by this version; an old receipt does not say what it is for."""
    done = grade.grade(graded, toy.ASSIGNMENT, again=Again(accept=True))
    assert not held(done)
    receipt = graded.autograded(toy.ASSIGNMENT, "ben") / receipts.NAME
    receipt.write_text(json.dumps(json.loads(receipt.read_text()) | {"grader": "another"}))
    toy.hand_in(graded, "ben", toy.solved(graded))
    (ben,) = [one for one in grade.grade(graded, toy.ASSIGNMENT) if not one.unchanged]
    assert (ben.student, ben.held) == ("ben", None)
    assert earned(graded)["ben"] == 10


def test_a_persons_mark_stays_and_is_not_put_up_for_review_unasked(graded):
    toy.set_grade(graded, "cleo", "predict-line-test", manual_score=3, needs_manual_grade=False)
    (cleo,) = grade.grade(graded, toy.ASSIGNMENT, ["cleo"])
    (change,) = cleo.held.marks
    assert (change.before, change.after, change.kept, change.review) == (2, 4, 3, True)
    assert marks(graded, "cleo")["predict-line"].waiting is False
    grade.grade(graded, toy.ASSIGNMENT, ["cleo"], again=Again(accept=True))
    mark = marks(graded, "cleo")["predict-line"]
    assert (mark.earned, mark.automatic, mark.manual, mark.waiting) == (3, 4, True, True)


def marks(course, student):
    (found,) = [one for one in gradebook.read(course, toy.ASSIGNMENT) if one.student == student]
    return {mark.grade_id: mark for mark in found.marks}


def test_a_written_answer_that_would_wait_for_a_person_is_a_change_too(graded):
    """It was 0 and final; now somebody would have to read it, and the total would not be final."""
    toy.set_grade(graded, "anna", "why", auto_score=0, needs_manual_grade=False)
    (anna,) = grade.grade(graded, toy.ASSIGNMENT, ["anna"])
    assert [(one.grade_id, one.before, one.after) for one in anna.held.marks] == [("why", 0, None)]
    assert {one.student: one.after for one in regrading.preview(graded, toy.ASSIGNMENT, ["anna"]).changes} == {
        "anna": None
    }


def test_a_dry_run_reads_a_gradebook_that_only_nbgrader_wrote(graded):
    """It has none of our tables, and a person's marks."""
    toy.set_grade(graded, "cleo", "predict-line-test", manual_score=3, needs_manual_grade=False)
    with contextlib.closing(sqlite3.connect(graded.root / "gradebook.db")) as book:
        book.execute("drop table coursekit_answers")
        book.commit()
    (change,) = regrading.preview(graded, toy.ASSIGNMENT, ["cleo"]).changes
    assert (change.before, change.after, change.kept) == (2, 4, 3)


def test_a_run_that_accepts_and_is_stopped_between_gradebook_and_files_is_completed_without_a_question(
    graded, monkeypatch
):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recorder.atomic_write, "replace_folder", stop)
        with pytest.raises(KeyboardInterrupt):
            grade.grade(graded, toy.ASSIGNMENT, ["ben"], GradingOptions(), again=Again(accept=True))
    assert earned(graded)["ben"] == 7
    (ben,) = grade.grade(graded, toy.ASSIGNMENT, ["ben"])
    assert (ben.held, ben.unchanged) == (None, False)
    (ben,) = grade.grade(graded, toy.ASSIGNMENT, ["ben"])
    assert ben.unchanged
