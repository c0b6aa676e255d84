"""When something else than a submission goes wrong: nothing is lost, nobody else is affected, the reason is told."""

import sqlite3

import pytest

from coursekit.grading import grade, gradebook, registration
from coursekit.grading.options import Again
from coursekit.model.course import find_course
from coursekit.model.errors import CourseError
from coursekit.reports import marks_table
from coursekit.submission import loading
from tests.classroom import ASSIGNMENT, copy_course, hand_in


def test_an_unexpected_failure_fails_one_submission_only(scratch, solved, monkeypatch):
    for student in ("anna", "ben"):
        hand_in(scratch, student, solved)
    load = loading.load

    def fails_once(course, assignment, student):
        if student == "anna":
            raise ZeroDivisionError("a bug of ours")
        return load(course, assignment, student)

    monkeypatch.setattr(loading, "load", fails_once)
    anna, ben = grade.grade(scratch, ASSIGNMENT)
    assert anna.failed
    assert "ZeroDivisionError: a bug of ours" in anna.problem
    assert not ben.failed
    assert "a bug of ours" in (scratch.root / ".coursekit" / "grade.log").read_text()
    assert [student.student for student in gradebook.read(scratch, ASSIGNMENT)] == ["ben"]


def test_a_grading_that_never_ended_is_no_zero(scratch, solved, tmp_path):
    """Stock nbgrader makes the rows of the gradebook before it runs anything, and may be stopped then."""
    from nbgrader.api import Gradebook

    hand_in(scratch, "anna", solved)
    registration.register(scratch, ASSIGNMENT)
    with Gradebook(scratch.db_url) as book:
        book.add_student("anna")
        book.add_submission(ASSIGNMENT, "anna")
    (anna,) = gradebook.read(scratch, ASSIGNMENT)
    assert not anna.judged
    assert {mark.reason for mark in anna.marks} == {"grading was stopped or failed; grade again"}
    marks_table.write_csv([anna], tmp_path / "marks.csv")
    assert (tmp_path / "marks.csv").read_text().splitlines()[
        1
    ] == f"anna,{ASSIGNMENT},,,,,,,,,,,,100,not graded" + "," * 9


def test_a_grading_that_is_stopped_leaves_whole_submissions_only(scratch, solved):
    """Ctrl-C behind the first of two: that one is there with every mark, of the other nothing."""
    for student in ("anna", "ben"):
        hand_in(scratch, student, solved)

    def stop(one):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade.grade(scratch, ASSIGNMENT, report=stop)
    (anna,) = gradebook.read(scratch, ASSIGNMENT)
    assert (anna.student, anna.judged, anna.earned) == ("anna", True, 100)
    assert not scratch.autograded(ASSIGNMENT, "ben").exists()


def test_points_that_disagree_with_the_table_are_refused(scratch, solved):
    hand_in(scratch, "anna", solved)
    source = scratch.source(ASSIGNMENT)
    source.write_text(source.read_text().replace('"points": 15', '"points": 4', 1))
    with pytest.raises(CourseError, match=r"4 points, but 15 in hidden/step-by-step/exercises\.py; make them agree"):
        grade.grade(scratch, ASSIGNMENT)


def test_a_gradebook_in_use_is_told_as_that(scratch, solved):
    hand_in(scratch, "anna", solved)
    registration.register(scratch, ASSIGNMENT)
    with sqlite3.connect(scratch.root / "gradebook.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CourseError, match=r"gradebook\.db: in use by another program; close it"):
            grade.grade(scratch, ASSIGNMENT)
    other.close()


def test_other_graded_cells_than_before_are_told_with_a_way_out(scratch, solved):
    hand_in(scratch, "anna", solved)
    grade.grade(scratch, ASSIGNMENT)
    source = scratch.source(ASSIGNMENT)
    source.write_text(source.read_text().replace('"grade_id": "compute-cost-test"', '"grade_id": "cost-test"'))
    with pytest.raises(CourseError, match="run `coursekit upgrade`, which keeps their marks and comments"):
        registration.register(scratch, ASSIGNMENT)


def test_a_persons_mark_and_comment_survive_regrading(scratch, solved):
    from nbgrader.api import Gradebook

    hand_in(scratch, "anna", solved)
    grade.grade(scratch, ASSIGNMENT)
    with Gradebook(scratch.db_url) as book:
        mark = book.find_grade("compute-cost-test", ASSIGNMENT, ASSIGNMENT, "anna")
        mark.manual_score, mark.extra_credit = 7, 1
        book.find_comment("compute-cost", ASSIGNMENT, ASSIGNMENT, "anna").manual_comment = "Talk to me."
        book.db.commit()
    grade.grade(scratch, ASSIGNMENT, again=Again(force=True))
    (anna,) = gradebook.read(scratch, ASSIGNMENT)
    cost = next(mark for mark in anna.marks if mark.grade_id == "compute-cost")
    assert (cost.earned, cost.reason, cost.manual) == (8, "Talk to me.", True)


def test_a_course_may_lie_in_any_ordinary_folder(tmp_path, solved):
    course = copy_course(tmp_path / "o'neil, per%41#h, with ümlaut")
    hand_in(course, "anna", solved)
    assert not grade.grade(course, ASSIGNMENT)[0].failed
    assert (course.root / "gradebook.db").is_file()
    assert gradebook.read(course, ASSIGNMENT)[0].earned == 100


def test_a_folder_whose_name_is_a_pattern_is_refused(tmp_path):
    copy_course(tmp_path / "br[1]")
    with pytest.raises(CourseError, match="rename the folder"):
        find_course(tmp_path / "br[1]")


def test_hand_ins_in_the_wrong_place_are_named(scratch, solved):
    hand_in(scratch, "anna", solved)
    (scratch.root / "submitted" / "ben").mkdir()
    (scratch.root / "submitted" / "ben" / "step-by-step.ipynb").write_text("{}")
    (scratch.root / "submitted" / "cleo" / "Step-by-Step").mkdir(parents=True)
    (scratch.root / "submitted" / "loose.ipynb").write_text("{}")
    assert scratch.misplaced_files() == ("ben/step-by-step.ipynb", "cleo/Step-by-Step", "loose.ipynb")


def test_nobodys_own_startup_files_take_part(scratch, solved, tmp_path, monkeypatch):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("raise SystemExit('started')\nnp = 1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    hand_in(scratch, "anna", solved)
    grade.grade(scratch, ASSIGNMENT)
    assert gradebook.read(scratch, ASSIGNMENT)[0].earned == 100
