"""Every kind of cell that a person grades waits for that person: an answer in words, code without tests, a task."""

import json

import pytest

from coursekit.grading import grade, gradebook
from coursekit.grading.options import Again
from coursekit.model.course import Course
from tests.toy import ASSIGNMENT, hand_in, solved, toy_course

ABOUT = {"grade": True, "locked": False, "points": 5, "schema_version": 3, "solution": True, "task": False}
CELLS = (
    {"cell_type": "code", "id": "plot", "source": "### BEGIN SOLUTION\nprint(1)\n### END SOLUTION",
     "outputs": [], "execution_count": None, "metadata": {"nbgrader": ABOUT | {"grade_id": "plot"}}},
    {"cell_type": "markdown", "id": "essay", "source": "Write an essay, in cells of your own.",
     "metadata": {"nbgrader": ABOUT | {"grade_id": "essay", "grade": False, "solution": False, "task": True}}},
)  # fmt: skip


@pytest.fixture
def course(tmp_path) -> Course:
    """A toy course with two more cells that a person grades."""
    course = toy_course(tmp_path / "course")
    source = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    source["cells"] += CELLS
    course.source(ASSIGNMENT).write_text(json.dumps(source), encoding="utf-8")
    return course


def test_it_waits_for_that_person_until_the_mark_is_given(course):
    notebook = solved(course)
    notebook["cells"] += CELLS
    hand_in(course, "anna", notebook)
    grade.grade(course, ASSIGNMENT)
    (anna,) = gradebook.read(course, ASSIGNMENT)
    assert {mark.grade_id for mark in anna.pending} >= {"plot", "essay"}
    assert anna.status == "pending"
    with gradebook.opened(course) as book:
        for mark in anna.pending:
            row = book.find_grade(mark.grade_id, ASSIGNMENT, ASSIGNMENT, "anna")
            row.manual_score, row.needs_manual_grade = 3, False
        book.db.commit()
    grade.grade(course, ASSIGNMENT, again=Again(force=True))
    (anna,) = gradebook.read(course, ASSIGNMENT)
    assert anna.status == "final"


def test_of_an_unreadable_submission_nothing_waits(course):
    hand_in(course, "pia", b"%PDF-1.7")
    grade.grade(course, ASSIGNMENT)
    (pia,) = gradebook.read(course, ASSIGNMENT)
    assert (pia.status, pia.pending) == ("unreadable", ())
