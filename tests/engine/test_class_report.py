"""The report about a class says who found what hard, from the verdicts beside the autograded notebooks."""

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from coursekit.grading.student_marks import Mark, StudentMarks
from coursekit.marking import graded_verdicts, verdicts
from coursekit.model.course import Course
from coursekit.reports import class_report
from tests.tables import exercise

NAME = "step-by-step"
FORWARD, BACKWARD = exercise(f"{NAME}/linear_forward"), exercise(f"{NAME}/linear_backward")
NOT_AVERAGED = verdicts.NamedMistake("not-averaged", "The gradients of parameters are averaged over the examples.")
FLAT = verdicts.NamedMistake("db-flat", "db should be a column like b.")


def verdict(row, lost=(), mistake=None, follows=()):
    results = (verdicts.CheckResult(check.name, check.points, check.name not in lost, "wrong") for check in row.checks)
    return verdicts.Verdict(row, tuple(results), (mistake,) if mistake else (), follows)


def submission(*rows, problem=""):
    return graded_verdicts.GradedVerdicts(NAME, tuple(map(graded_verdicts.of_verdict, rows)), problem=problem)


ALL = tuple(check.name for check in BACKWARD.checks)
Z = FORWARD.checks[0].name
CLASS = {
    "ada": submission(verdict(FORWARD), verdict(BACKWARD)),
    "ben": submission(verdict(FORWARD), verdict(BACKWARD, ["dW", "db"], NOT_AVERAGED)),
    "cy": submission(verdict(FORWARD, [Z]), verdict(BACKWARD, ["db"], FLAT)),
    "dee": submission(verdict(FORWARD), verdict(BACKWARD, ["dW", "db"], NOT_AVERAGED)),
    "eve": submission(verdict(FORWARD), verdict(BACKWARD, ALL)),
    "fay": submission(verdict(FORWARD, [Z]), verdict(BACKWARD, follows=("linear_forward",))),
    "gus": submission(problem="The file is no notebook."),
    "hal": None,
}


@pytest.fixture
def report():
    return class_report.summarise(NAME, CLASS)


def shown(report):
    console = Console(width=160, file=io.StringIO())
    for table in class_report.tables(report):
        console.print(table)
    return console.file.getvalue()


def test_marks_are_counted_per_exercise(report):
    forward, backward = report.exercises

    assert (forward.function, backward.function) == ("linear_forward", "linear_backward")
    assert forward.with_marks(class_report.PARTIAL) == ("cy", "fay")
    assert backward.with_marks(class_report.FULL) == ("ada", "fay")
    assert backward.with_marks(class_report.PARTIAL) == ("ben", "cy", "dee")
    assert backward.with_marks(class_report.NONE) == ("eve",)
    by_hand = [sum(c.points for c in CLASS[s].exercises[1].checks if c.passed) for s in report.graded]
    assert backward.mean == pytest.approx(sum(by_hand) / 6)


def test_mistakes_and_lost_checks_come_with_the_students_and_the_frequent_ones_first(report):
    backward = report.exercises[1]

    assert backward.mistakes == (
        class_report.Count("not-averaged", ("ben", "dee"), NOT_AVERAGED.hint),
        class_report.Count("db-flat", ("cy",), FLAT.hint),
    )
    assert [(lost.name, lost.students) for lost in backward.lost[:2]] == [
        ("db", ("ben", "cy", "dee", "eve")),
        ("dW", ("ben", "dee", "eve")),
    ]
    assert backward.follows == ("fay",)


def test_whoever_has_no_verdict_is_named_and_not_counted(report):
    """A zero that is none would make an exercise look harder than it was."""
    assert report.graded == ("ada", "ben", "cy", "dee", "eve", "fay")
    assert report.without == {"gus": "The file is no notebook.", "hal": "graded by an older version: grade again"}


def test_absent_late_and_pending_students_are_counted_and_a_persons_mark_is_what_counts(tmp_path):
    ada = StudentMarks("ada", NAME, (Mark("linear-forward", 1.5, FORWARD.points, manual=True),))
    due = datetime(2026, 3, 1)
    ben = StudentMarks(
        "ben", NAME, (Mark("opinion", 0, 10, waiting=True),), 2, due + timedelta(1), due, extension=timedelta(hours=1)
    )
    ivy = StudentMarks("=ivy", NAME, (), absent=True)

    found = class_report.summarise(NAME, CLASS, [ada, ben, ivy])

    assert found.exercises[0].earned["ada"] == 1.5
    assert found.states == {"pending": ("ben",), "late": ("ben",), "absent": ("=ivy",)}
    assert "pending: 1, late: 1, absent: 1" in shown(found)
    class_report.write_csv(found, tmp_path / "report.csv")
    rows = list(csv.DictReader((tmp_path / "report.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["name"], row["count"], row["students"]) for row in rows if row["what"] == "students"] == [
        ("pending", "1", "ben"),
        ("late", "1", "ben"),
        ("absent", "1", "'=ivy"),
    ]


def test_the_tables_say_it_on_one_screen(report):
    text = shown(report)

    assert "step-by-step: 6 submissions" in text
    assert "7 linear_backward" in text
    assert "db (4), dW (3)" in text
    assert "ben, dee" in text
    assert NOT_AVERAGED.hint in text
    assert "The file is no notebook." in text


def test_answers_that_twins_contradict_are_listed_as_a_suspicion(report, tmp_path):
    """Only where the sentence of the twins is the whole reason: nobody is suspected for an ordinary mistake."""
    assert "suspicion" not in shown(report)
    (lost,) = (row for row in verdict(FORWARD, [Z]).results if not row.passed)
    others = [row for row in verdict(FORWARD).results if row.name != Z]
    tabled = verdicts.Verdict(FORWARD, (replace(lost, reason=verdicts.RECORDED_ONLY), *others))
    found = class_report.summarise(NAME, CLASS | {"ivy": submission(tabled, verdict(BACKWARD))})
    assert [one.contradicted for one in found.exercises] == [("ivy",), ()]
    said = shown(found)
    assert "Right with the recorded numbers only" in said
    assert "a suspicion that results were passed on, not a verdict" in said
    class_report.write_csv(found, tmp_path / "report.csv")
    rows = [
        row
        for row in csv.DictReader(io.StringIO((tmp_path / "report.csv").read_text("utf-8")))
        if row["what"] == "suspicion"
    ]
    assert [(row["function"], row["students"]) for row in rows] == [("linear_forward", "ivy")]


def test_names_are_text_and_no_markup():
    """A student's folder may be called [red]; a table must not swallow that."""
    odd = {"[red]": submission(verdict(FORWARD, [Z], verdicts.NamedMistake("[bold]x", "[link]y")))}

    text = shown(class_report.summarise(NAME, odd))

    assert all(part in text for part in ("[red]", "[bold]x", "[link]y"))


def test_a_class_without_mistakes_or_without_anybody_has_short_tables():
    assert len(class_report.tables(class_report.summarise(NAME, {"ada": CLASS["ada"]}))) == 1
    assert "0 submissions" in shown(class_report.summarise(NAME, {}))


def test_the_csv_has_a_line_per_thing_counted(report, tmp_path):
    path = tmp_path / "report.csv"

    count = class_report.write_csv(report, path)

    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == count
    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]
    mine = [row for row in rows if row["function"] == "linear_backward"]
    assert {"what": "mistake", "name": "not-averaged", "count": "2", "students": "ben; dee"}.items() <= mine[-3].items()
    assert [row["count"] for row in mine if row["what"] == "marks"] == ["2", "3", "1", "1"]


def test_the_verdicts_are_read_from_the_autograded_notebooks(tmp_path):
    course = Course(tmp_path)
    written = graded_verdicts.to_data(submission(verdict(FORWARD), verdict(BACKWARD)))
    files = {
        "ada": json.dumps({"cells": [], "metadata": {"coursekit": written}}),
        "hal": json.dumps({"cells": [], "metadata": {}}),
        "ivy": "{",
        "jon": json.dumps({"cells": [], "metadata": {"coursekit": written | {"version": 99}}}),
        "kim": "[]",
    }
    for student, text in files.items():
        path = course.autograded(NAME, student) / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")

    assert class_report.read_verdicts(course, NAME) == {
        "ada": CLASS["ada"],
        "hal": None,
        "ivy": None,
        "jon": None,
        "kim": None,
    }
    assert class_report.read_verdicts(course, "digits") == {}
