"""Returned work is left alone, whatever changes, until somebody says otherwise."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.grading import grade, gradebook, penalties, regrading
from coursekit.grading.options import Again
from coursekit.reports import class_report, marks_table
from tests import toy

LATE = """
from nbgrader.plugins import LateSubmissionPlugin

class OneADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 86400

c.AssignLatePenalties.plugin_class = OneADay
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A graded class of two, handed in on 2 March, in time."""
    course = toy.toy_course(tmp_path_factory.mktemp("returned") / "course")
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write(LATE + "c.CourseDirectory.course_id = 'toy'\n")
    for student in ("anna", "ben"):
        toy.hand_in(course, student, toy.solved(course))
        (course.submitted(toy.ASSIGNMENT, student) / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC")
        (course.submitted(toy.ASSIGNMENT, student) / "submission_secret.txt").write_text(f"secret of {student}")
    assert not any(one.failed for one in grade.grade(course, toy.ASSIGNMENT))
    return course


@pytest.fixture
def graded(before, tmp_path, monkeypatch):
    return toy.working_copy(before, tmp_path / "course", monkeypatch)


def run(*arguments):
    done = CliRunner().invoke(app.app, [*arguments], env={"COLUMNS": "120"})
    return done.exit_code, done.stdout.splitlines()


def totals(course):
    return {one.student: one.total for one in gradebook.read(course, toy.ASSIGNMENT)}


def due(course, date):
    with Gradebook(course.db_url) as book:
        book.update_or_create_assignment(toy.ASSIGNMENT, duedate=date)
        book.db.commit()


def test_returned_work_is_not_graded_again_and_it_is_said(graded):
    code, said = run("return", toy.ASSIGNMENT, "--student", "anna")
    assert (code, said) == (
        0,
        [
            "returned though something waits for a person: anna",
            "returned 1 of 1; `coursekit grade` leaves them alone; --undo takes it back",
        ],
    )
    for student in ("anna", "ben"):
        toy.hand_in(graded, student, toy.solved(graded, "2 / m", "1 / m"))
    shutil.rmtree(graded.autograded(toy.ASSIGNMENT, "ben"))
    preview = regrading.preview(graded, toy.ASSIGNMENT)
    assert (preview.students, preview.returned) == (1, ("anna",))
    code, said = run("grade", toy.ASSIGNMENT, "--force", "--jobs", "1")
    assert (code, said[-2:]) == (
        0,
        [
            f"anna: {grade.HANDED_IN_AGAIN}",
            "graded 1 of 1, 1 returned (--returned grades them, too);"
            " `coursekit marks linear-regression` shows the marks",
        ],
    )
    assert totals(graded) == {"anna": 10, "ben": 4}
    shutil.rmtree(graded.root / "autograded")
    assert [one.returned for one in grade.grade(graded, toy.ASSIGNMENT)] == [True, False]
    assert totals(graded) == {"anna": 10, "ben": 4}
    (anna,) = grade.grade(graded, toy.ASSIGNMENT, ["anna"], again=Again(returned=True))
    assert not anna.returned
    assert totals(graded) == {"anna": 4, "ben": 4}
    (anna,) = grade.grade(graded, toy.ASSIGNMENT, ["anna"])
    assert anna.returned
    assert run("return", toy.ASSIGNMENT, "--undo")[0] == 0
    assert [one.unchanged for one in grade.grade(graded, toy.ASSIGNMENT)] == [True, True]


def test_a_late_penalty_of_returned_work_stays_and_nobody_is_told_to_grade_it_again(graded):
    run("return", toy.ASSIGNMENT, "--student", "anna")
    due(graded, "2026-03-01 12:00:00 UTC")
    assert "(ben 10 → 9)" in penalties.remark(graded, toy.ASSIGNMENT)
    grade.grade(graded, toy.ASSIGNMENT)
    assert totals(graded) == {"anna": 10, "ben": 9}
    assert penalties.remark(graded, toy.ASSIGNMENT) == ""
    grade.grade(graded, toy.ASSIGNMENT, again=Again(returned=True))
    assert totals(graded) == {"anna": 9, "ben": 9}


def test_marks_show_what_was_returned_when_and_with_which_total(graded, tmp_path):
    run("return", toy.ASSIGNMENT)
    toy.set_grade(graded, "ben", "why", manual_score=2, needs_manual_grade=False)
    anna, ben = marks = gradebook.read(graded, toy.ASSIGNMENT)
    assert anna.remarks == ("pending", "returned")
    assert (ben.remarks, ben.total) == (("returned with 10",), 12)
    marks_table.write_csv(marks, tmp_path / "marks.csv")
    header, row, _ = (line.split(",") for line in (tmp_path / "marks.csv").read_text().splitlines())
    when = datetime.fromisoformat(row[header.index("returned")])
    assert timedelta() <= datetime.now(UTC) - when < timedelta(minutes=10)
    verdicts = class_report.read_verdicts(graded, toy.ASSIGNMENT)
    assert class_report.summarise(toy.ASSIGNMENT, verdicts, marks).states["returned"] == ("anna", "ben")


def test_only_graded_work_can_be_returned(graded):
    toy.hand_in(graded, "cleo", toy.solved(graded))
    code, said = run("return", toy.ASSIGNMENT)
    assert code == 1
    assert said[-2:] == [
        "returned 2 of 3; `coursekit grade` leaves them alone; --undo takes it back",
        "not graded, so not returned: cleo; run `coursekit grade linear-regression`",
    ]
    with pytest.raises(Exception, match=r"^dora: handed in nothing for linear-regression"):
        CliRunner().invoke(app.app, ["return", toy.ASSIGNMENT, "-s", "dora"], catch_exceptions=False)


def nbgrader(course, *arguments):
    command = [sys.executable, "-W", "ignore", "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course.root, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.nightly
def test_feedback_that_nbgrader_releases_is_returned_and_its_autograde_asks_for_force(graded):
    """Who handed in without the exchange, or is not in the gradebook, does not stop the others."""
    assert run("feedback", toy.ASSIGNMENT)[0] == 0
    for student in ("gone", "without"):
        shutil.copytree(graded.feedback(toy.ASSIGNMENT, "anna"), graded.feedback(toy.ASSIGNMENT, student))
    shutil.copytree(graded.submitted(toy.ASSIGNMENT, "anna"), graded.submitted(toy.ASSIGNMENT, "gone"))
    exchange = graded.root / ".coursekit" / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    said = nbgrader(graded, "release_feedback", toy.ASSIGNMENT, "--CourseDirectory.student_id_exclude=ben")
    assert "without: not handed in through the exchange" in said
    assert gradebook.returned(graded, toy.ASSIGNMENT) == {"anna"}
    assert len(list((exchange / "toy" / "feedback").glob("*.html"))) == 1  # of one secret
    shutil.rmtree(graded.submitted(toy.ASSIGNMENT, "gone"))
    for student in ("anna", "ben"):
        toy.hand_in(graded, student, toy.solved(graded, "2 / m", "1 / m"))
        (graded.submitted(toy.ASSIGNMENT, student) / "timestamp.txt").write_text("2026-03-02 13:00:00 UTC")
    nbgrader(graded, "autograde", toy.ASSIGNMENT)
    assert totals(graded) == {"anna": 10, "ben": 4}
    nbgrader(graded, "autograde", toy.ASSIGNMENT, "--force")
    assert totals(graded) == {"anna": 4, "ben": 4}
