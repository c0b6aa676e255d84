"""One configuration and one mark: our commands, nbgrader's policies and export, and every page agree."""

import contextlib
import csv
import io
import json
import re
import shutil
import sqlite3
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from rich.console import Console
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.feedback import generation
from coursekit.grading import converters, gradebook, penalties
from coursekit.grading.outcomes import Outcome
from coursekit.grading.receipts import Standing
from coursekit.grading.recorder import Recorder
from coursekit.marking import graded_verdicts
from coursekit.model import notebooks, settings
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.nbgrader_plugin import unused_options
from coursekit.reports import class_report, marks_table, nbgrader_export
from coursekit.submission import answer_hashes
from tests.classroom import ASSIGNMENT, copy_course
from tests.feedback_pages import Parsed, graded_notebook, lost, open_gradebook, verdicts
from tests.tables import loaded

OPINION = "opinion"  # a written answer, of 10 points
POINTS = 110
PER_HOUR = """
from nbgrader.plugins import BasePlugin
class PerHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 1.5 * total_seconds_late / 3600
"""
BY_CLASS = f"{PER_HOUR}\nget_config().AssignLatePenalties.plugin_class = PerHour\n"
BY_NAME = "get_config().AssignLatePenalties.plugin_class = 'late_policy.PerHour'\n"
SWITCHED_OFF = f"{BY_CLASS}get_config().AssignLatePenalties.enabled = False\n"
ZERO = "get_config().LateSubmissionPlugin.penalty_method = 'zero'\n"
# When it was handed in, where the assignment is due on 1 March at noon.
CLASS = {
    "extended": "2026-03-01 13:00:00 UTC",
    "extra": "2026-03-01 14:30:00 +0100",
    "late": "2026-03-01 14:00:00 UTC",
    "manual": "2026-03-01 15:00:00 UTC",
    "much-late": "2026-06-01 12:00:00 UTC",
    "no-time": None,
    "on-time": "2026-03-01 11:59:59 UTC",
    "pending": "2026-03-01 13:30:00 UTC",
}


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Course:
    """A course with a written answer beside the exercises, and a gradebook that knows it; nobody handed in anything."""
    course = copy_course(tmp_path_factory.mktemp("template") / "course")
    source = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    about = {"grade": True, "grade_id": OPINION, "locked": False, "points": 10, "schema_version": 3, "solution": True}
    cell = {"cell_type": "markdown", "id": OPINION, "source": "A model answer.", "metadata": {"nbgrader": about}}
    source["cells"].append(cell)
    course.source(ASSIGNMENT).write_text(json.dumps(source), encoding="utf-8")
    open_gradebook(course)
    return course


@pytest.fixture
def course(template, tmp_path) -> Course:
    return Course(shutil.copytree(template.root, tmp_path / "course"))


def configured(course: Course, extra: str) -> None:
    path = course.root / settings.CONFIG
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{extra}", encoding="utf-8")


def outcome(
    course: Course, student: str, answer: str = "I think so.", changes=None, problem: str = "", **code: str
) -> Outcome:
    """What a worker makes of a submission with these answers, without running it."""

    def change(notebook):
        for cell in notebook["cells"]:
            cell["source"] = answer if cell["id"] == OPINION else code.get(cell["id"].replace("-", "_"), cell["source"])

    notebook = notebooks.parse(json.dumps(graded_notebook(course, change)), student)
    (cost,) = [row for row in loaded(ASSIGNMENT).exercises if row.grade_id == "compute-cost"]
    data = verdicts(lost("compute-cost", {cost.checks[0].name: "Off by one."}) if changes is None else changes)
    data |= {"written": [{"grade_id": OPINION, "points": 10, "answered": bool(answer)}], "problem": problem}
    data |= {"answers": answer_hashes.digests(notebook)}
    notebook.metadata[graded_verdicts.METADATA] = data
    when = CLASS.get(student)
    files = {"timestamp.txt": when.encode()} if when else {}
    return Outcome(student, notebooks.dumps(notebook), graded_verdicts.of_data(data), files)


def ours(course: Course, *outcomes: Outcome) -> None:
    with Recorder(course, ASSIGNMENT) as recorder:
        for one in outcomes:
            recorder.record(one)


def nbgraders_late_step(course: Course, student: str) -> None:
    """Late penalties by nbgrader's own preprocessor, or the subclass that the course uses."""
    from nbgrader.preprocessors import AssignLatePenalties

    config = converters.course_config(course)
    about = {"notebook": ASSIGNMENT, "assignment": ASSIGNMENT, "student": student, "db_url": course.db_url}
    AssignLatePenalties(config=config)(new_notebook(), {"nbgrader": about})


def person(course: Course, student: str, cell: str, mark: float | None, extra: float | None = None) -> None:
    """What the Formgrader does when a person gives a mark."""
    with Gradebook(course.db_url) as book:
        grade = book.find_grade(cell, ASSIGNMENT, ASSIGNMENT, student)
        grade.manual_score, grade.extra_credit = mark, extra
        grade.needs_manual_grade = grade.manual_score is None and grade.auto_score is None
        book.db.commit()


def held(course: Course) -> dict[str, list[tuple]]:
    """Every column of the gradebook that is no number of a row, by table."""
    submitted = "from submitted_assignment s join submitted_notebook n on n.assignment_id = s.id"
    queries = {
        "submissions": f"select student_id, timestamp, extension, late_submission_penalty, flagged {submitted}",
        "grades": f"""select student_id, c.name, auto_score, manual_score, extra_credit, needs_manual_grade {submitted}
                      join grade g on g.notebook_id = n.id join base_cell c on c.id = g.cell_id""",
        "comments": f"""select student_id, c.name, auto_comment, manual_comment {submitted}
                        join comment g on g.notebook_id = n.id join base_cell c on c.id = g.cell_id""",
    }
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as book:
        return {name: sorted(book.execute(query), key=repr) for name, query in queries.items()}


def a_term(course: Course) -> None:
    """A class is graded, a person marks and grants an extension, then all is graded again."""
    everybody = [outcome(course, student) for student in CLASS]
    ours(course, *everybody)
    for student in CLASS:
        if student != "pending":
            person(course, student, OPINION, 4.5, 2.0 if student == "extra" else None)
    person(course, "manual", "compute-cost-test", 3.25)
    with Gradebook(course.db_url) as book:
        if book.find_assignment(ASSIGNMENT).duedate:  # nbgrader fails where there is nothing to extend
            book.find_submission(ASSIGNMENT, "extended").extension = timedelta(hours=2)
        book.update_or_create_student("absent", first_name="Ab", last_name="Sent")
        book.db.commit()
    ours(course, *everybody)


def due(course: Course, when: str | None) -> None:
    with Gradebook(course.db_url) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate=when)


def exported(course: Course) -> dict[str, dict[str, str]]:
    nbgrader_export.export(course, course.root / "export.csv", [ASSIGNMENT])
    lines = (course.root / "export.csv").read_text(encoding="utf-8").splitlines()
    return {row["student_id"]: row for row in csv.DictReader(lines)}


def written(course: Course) -> dict[str, dict[str, str]]:
    path = course.root / "marks.csv"
    marks_table.write_csv(gradebook.read(course, ASSIGNMENT, everybody=True), path)
    return {row["student"]: row for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())}


def page(course: Course, student: str) -> str:
    (made,) = generation.feedback(course, ASSIGNMENT, [student])
    assert made.problem == ""
    return Parsed(made.path.read_text(encoding="utf-8")).text


def screen(course: Course) -> str:
    console = Console(width=160, file=io.StringIO())
    console.print(marks_table.marks_table(gradebook.read(course, ASSIGNMENT, everybody=True), ASSIGNMENT))
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("policy", "when"),
    [
        ("", None),
        ("", "2026-03-01 12:00:00 UTC"),
        (ZERO, None),
        (ZERO, "2026-03-01 13:00:00 +0100"),
        (BY_CLASS, "2026-03-01 12:00:00 UTC"),
        (BY_NAME, "2026-03-01 07:00:00 EST"),
        (SWITCHED_OFF, "2026-03-01 12:00:00 UTC"),
    ],
    ids=["none, not due", "none", "zero, not due", "zero", "class", "import string", "switched off"],
)
def test_penalties_and_totals_are_those_of_nbgrader(course, policy, when):
    """Its own step for late penalties, run after ours, changes nothing; its export has our totals."""
    (course.root / "late_policy.py").write_text(PER_HOUR, encoding="utf-8")
    configured(course, policy)
    due(course, when)
    a_term(course)
    found = held(course)
    for student in CLASS:
        nbgraders_late_step(course, student)
    assert held(course) == found
    penalties = {student: penalty for student, _, _, penalty, _ in found["submissions"]}
    late = {"extra", "late", "manual", "much-late", "pending"} if policy not in ("", SWITCHED_OFF) and when else set()
    assert {student for student, penalty in penalties.items() if penalty} == late

    export, mine = exported(course), written(course)
    assert set(export) == set(mine) == {*CLASS, "absent"}
    for student, row in mine.items():
        assert float(row["total"]) == pytest.approx(float(export[student]["score"]))
        assert float(row["sum"]) == pytest.approx(float(export[student]["raw_score"]))
        assert float(row["penalty"] or 0) == pytest.approx(float(export[student]["late_submission_penalty"]))
        assert float(row["points"]) == float(export[student]["max_score"]) == POINTS
        assert row["status"] == {"pending": "pending", "absent": "absent"}.get(student, "final")
    for student in ("late", "pending", "extended") if when and policy == ZERO else ():
        assert f"{float(mine[student]['total']):g} of {POINTS} points" in page(course, student)


def test_a_penalised_student_reads_one_total_everywhere(course):
    """FAULTS M2: the page said 0, the export 0, the CSV 100."""
    configured(course, ZERO)
    due(course, "2026-03-01 12:00:00 UTC")
    ours(course, outcome(course, "late", answer="", changes={}))
    row = written(course)["late"]
    assert (row["total"], row["sum"], row["penalty"], row["late"]) == ("0", "100", "100", "2:00:00")
    assert float(exported(course)["late"]["score"]) == 0
    said = page(course, "late")
    assert f"0 of {POINTS} points" in said
    assert "100 points for the exercises, 100 points taken off for handing in late" in said
    assert "Handed in 2 h late (2026-03-01 14:00 UTC)." in said
    (line,) = [line for line in screen(course).splitlines() if "late by" in line]
    assert "−100" in line
    assert "late by 2 h" in line


def test_an_answer_that_nobody_has_read_is_no_zero_anywhere(course):
    """FAULTS M3: its cell was 0 and the total 90, without a sign."""
    ours(course, outcome(course, "pending", changes={}))
    row = written(course)["pending"]
    assert (row[OPINION], row["total"], row["status"], row["pending"]) == ("", "100", "pending", OPINION)
    assert "100?" in screen(course)
    assert "the total is not final" in screen(course)
    said = page(course, "pending")
    assert "Not final: 10 points still wait for a person" in said
    person(course, "pending", OPINION, 0)
    row = written(course)["pending"]
    assert (row[OPINION], row["total"], row["status"], row["pending"]) == ("0", "100", "final", "")


def test_a_dry_run_names_those_whose_penalty_will_be_another(course):
    from coursekit.grading import regrading

    configured(course, ZERO)
    due(course, "2026-03-01 12:00:00 UTC")
    ours(course, outcome(course, "late"), outcome(course, "on-time"))
    again = [outcome(course, student, changes={}) for student in ("late", "on-time")]
    preview = regrading.compared(course, ASSIGNMENT, again)
    assert {change.student for change in preview.changes} == {"late", "on-time"}
    assert preview.late == ("late",)


# --- a penalty of another day -------------------------------------------------------------------------------

NOON, LATER, EARLIER = (f"2026-03-01 {hour}:00:00 UTC" for hour in (12, 13, 11))


@pytest.fixture
def moved(course) -> Course:
    """Of three who were graded by the hour, one in time, the due date was moved: an hour earlier."""
    configured(course, BY_CLASS)
    due(course, NOON)
    ours(course, *(outcome(course, student, changes={}) for student in ("late", "manual", "on-time")))
    due(course, EARLIER)
    return course


def standing(course: Course, *students: str) -> dict[str, penalties.TotalChange]:
    with Recorder(course, ASSIGNMENT) as recorder:
        return recorder.update_penalties(students)


EVERYBODY = ("late", "manual", "on-time")
REPRICED = {"late": (97, 95.5), "manual": (95.5, 94), "on-time": (100, 98.500416667)}


def told(repriced) -> dict[str, tuple[float, float]]:
    return {one.student: (one.before, pytest.approx(one.after)) for one in repriced}


def test_totals_of_an_earlier_due_date_are_named_and_stay_until_they_are_graded_again(moved):
    before = held(moved)
    assert told(penalties.outdated_in(moved, ASSIGNMENT).values()) == REPRICED
    assert held(moved) == before
    assert [one.total for one in gradebook.read(moved, ASSIGNMENT)] == [97, 95.5, 100]
    said = penalties.remark(moved, ASSIGNMENT)
    assert said.startswith("step-by-step: 3 late penalties are not that of the due date, policy and marks of now")
    assert "(late 97 → 95.5, manual 95.5 → 94, on-time 100 → 98.500417)" in said
    assert "run `coursekit grade step-by-step` again" in said
    assert "\n" not in said
    assert "(manual 95.5 → 94);" in penalties.remark(moved, ASSIGNMENT, ["manual"])
    assert told(standing(moved, "late", "manual").values()) == {who: REPRICED[who] for who in ("late", "manual")}
    assert "1 late penalty is not that" in penalties.remark(moved, ASSIGNMENT)
    standing(moved, *EVERYBODY)
    assert penalties.remark(moved, ASSIGNMENT) == ""
    assert standing(moved, *EVERYBODY) == {}


def test_another_policy_an_extension_or_a_persons_mark_makes_a_penalty_outdated_as_well(course):
    configured(course, BY_CLASS)
    due(course, NOON)
    ours(course, outcome(course, "late", changes={}), outcome(course, "manual", changes={}))
    assert penalties.outdated_in(course, ASSIGNMENT) == {}
    configured(course, "PerHour.late_submission_penalty = lambda self, student, score, late_s: score / 10")
    person(course, "late", OPINION, 10)
    with Gradebook(course.db_url) as book:
        book.find_submission(ASSIGNMENT, "manual").extension = timedelta(hours=5)
        book.db.commit()
    assert told(penalties.outdated_in(course, ASSIGNMENT).values()) == {"late": (107, 99), "manual": (95.5, 100)}


def test_the_page_of_who_has_a_penalty_of_an_earlier_due_date_says_so(moved):
    penalty = "The penalty for being late is that of an earlier date or rule; your total may still change."
    said = page(moved, "late")
    assert f"97 of {POINTS} points" in said
    assert f"Handed in 3 h late (2026-03-01 14:00 UTC). {penalty}" in said
    assert f"Handed in 59 min late (2026-03-01 11:59 UTC). {penalty}" in page(moved, "on-time")
    standing(moved, *EVERYBODY)
    for student in ("late", "on-time"):
        assert "earlier date or rule" not in page(moved, student)


def test_who_is_no_longer_late_is_told_that_the_penalty_is_an_old_one(course):
    configured(course, BY_CLASS)
    due(course, NOON)
    ours(course, outcome(course, "late", changes={}))
    due(course, "2026-03-02 12:00:00 UTC")
    said = page(course, "late")
    assert "Handed in" not in said.partition("Overview")[0]
    assert "The penalty for being late is that of an earlier date or rule" in said


def test_a_dry_run_names_totals_that_change_by_the_penalty_alone(moved):
    from coursekit.grading import regrading

    before = held(moved)
    again = [outcome(moved, student, changes={}) for student in ("late", "on-time")]
    again.append(outcome(moved, "manual", changes=lost("compute-cost", {"value": "Off by one."})))
    preview = regrading.compared(moved, ASSIGNMENT, again)
    assert held(moved) == before
    assert told(preview.total_changes) == {who: REPRICED[who] for who in ("late", "on-time")}
    assert preview.late == ("manual",)


def test_a_dry_run_reads_a_new_date_of_handing_in(moved):
    from coursekit.grading import regrading

    due(moved, NOON)
    again = replace(outcome(moved, "late", changes={}), files={"timestamp.txt": b"2026-03-01 16:00:00 UTC"})
    assert told(regrading.compared(moved, ASSIGNMENT, [again]).total_changes) == {"late": (97, 94)}


def test_who_is_graded_again_with_the_same_marks_and_another_penalty_is_told(moved):
    with Recorder(moved, ASSIGNMENT) as recorder:
        found = [recorder.record(outcome(moved, student, changes={})) for student in EVERYBODY]
        assert told(filter(None, found)) == REPRICED
        due(moved, NOON)
        cost = lost("compute-cost", {"value": "Off by one."})
        assert recorder.record(outcome(moved, "late", changes=cost)) is None  # the marks say why


def test_a_policy_that_fails_or_talks_keeps_nobody_from_the_marks(moved, capsys):
    configured(moved, "PerHour.late_submission_penalty = lambda *_: print('hello') or -1")
    assert told(penalties.outdated_in(moved, ASSIGNMENT).values()) == {"late": (97, 100), "manual": (95.5, 100)}
    assert capsys.readouterr() == ("", "")
    configured(moved, "PerHour.late_submission_penalty = lambda *_: 1 / 0")
    said = penalties.remark(moved, ASSIGNMENT)
    assert said.startswith("whether late penalties are up to date is not known: nbgrader_config.py: ")
    assert "ZeroDivisionError" in said
    assert f"97 of {POINTS} points" in page(moved, "late")


def test_of_many_totals_some_are_named():
    many = [penalties.TotalChange(f"s{number:02}", 10, 9) for number in range(30)]
    assert penalties.described([penalties.TotalChange("a,b", 10, 9.5)]) == '"a,b" 10 → 9.5'
    assert penalties.described(many[:2]) == "s00 10 → 9, s01 10 → 9"
    assert penalties.described(many).endswith(", s09 10 → 9 and 20 more")


@pytest.fixture
def there(moved, monkeypatch) -> Course:
    """The same, as the course that commands find."""
    monkeypatch.chdir(moved.root)
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which commands add the course
    return moved


@pytest.mark.parametrize("command", [["marks", ASSIGNMENT, "--csv", "-"], ["feedback", ASSIGNMENT, "-s", "late"],
                                     ["report", ASSIGNMENT]])  # fmt: skip
def test_commands_that_show_totals_say_on_the_errors_that_some_are_outdated(there, command):
    done = CliRunner().invoke(app.app, command)
    assert done.exit_code == 0, done.output
    assert len(re.findall("late penalt(y is|ies are) not that of the due date, policy and marks", done.stderr)) == 1
    assert "not that of the due date" not in done.stdout


def test_grade_says_whose_total_changed_by_the_penalty_alone(there, monkeypatch):
    from coursekit.grading import grade

    for student in EVERYBODY:
        there.submitted(ASSIGNMENT, student).mkdir(parents=True)
    monkeypatch.setattr(Recorder, "standings", lambda self, wanted: dict.fromkeys(wanted, Standing.UP_TO_DATE))
    monkeypatch.setattr(grade.registration, "register", lambda *_: None)
    done = CliRunner().invoke(app.app, ["grade", ASSIGNMENT])
    assert done.stdout.splitlines()[-2:] == [
        "another late penalty, though no mark has changed: late 97 → 95.5, manual 95.5 → 94, on-time 100 → 98.500417",
        "3 unchanged since graded before (--force grades them again), 3 of them with another late penalty;"
        " `coursekit marks step-by-step` shows the marks",
    ]


def test_an_extension_is_told_and_costs_nothing(course):
    configured(course, ZERO)
    due(course, "2026-03-01 12:00:00 UTC")
    a_term(course)
    row = written(course)["extended"]
    assert (row["extended_until"], row["late"], row["penalty"]) == ("2026-03-01T14:00:00Z", "", "0")
    assert "You had an extension until 2026-03-01 14:00 UTC." in page(course, "extended")
    assert "extended until 2026-03-01 14:00 UTC" in screen(course)


def test_who_handed_nothing_in_is_a_row_that_says_so_and_a_hand_in_without_marks_another(course):
    ours(course, outcome(course, "on-time"))
    with Gradebook(course.db_url) as book:
        book.add_student("zoe")
    course.submitted(ASSIGNMENT, "yan").mkdir(parents=True)
    rows = written(course)
    assert {student: row["status"] for student, row in rows.items()} == {
        "on-time": "pending",
        "yan": "not graded",
        "zoe": "absent",
    }
    assert (rows["zoe"]["total"], rows["zoe"][OPINION], rows["yan"]["total"]) == ("0", "", "")
    assert "absent" in screen(course)


def unreadable(course: Course, student: str) -> Outcome:
    nothing = {}
    for row in loaded(ASSIGNMENT).exercises:
        nothing |= lost(row.grade_id, {check.name: "This is a PDF." for check in row.checks}, earned=0.0)
    return outcome(course, student, answer="", changes=nothing, problem="This is a PDF.")


def test_what_could_not_be_read_is_one_state_everywhere(course):
    """It was "0 final" in the marks, and not graded yet on the page."""
    ours(course, unreadable(course, "pat"), outcome(course, "on-time"))
    row = written(course)["pat"]
    assert (row["status"], row["total"], row["sum"], row["pending"]) == ("unreadable", "0", "0", "")
    assert float(exported(course)["pat"]["score"]) == 0
    (line,) = [line for line in screen(course).splitlines() if line.startswith("│pat")]
    assert "unreadable" in line
    said = page(course, "pat")
    assert f"0 of {POINTS} points" in said
    assert "Nothing could be graded yet, and that can be put right. Until then it counts as 0 points." in said
    marks = gradebook.read(course, ASSIGNMENT)
    report = class_report.summarise(ASSIGNMENT, class_report.read_verdicts(course, ASSIGNMENT), marks)
    assert report.without == {"pat": "This is a PDF."}
    assert report.states["unreadable"] == ("pat",)
    for mark in marks[1].marks:
        person(course, "pat", mark.grade_id + "-test" * (mark.grade_id != OPINION), 1)
    assert (written(course)["pat"]["status"], written(course)["pat"]["total"]) == ("final", "11")
    assert "a person has marked it" in page(course, "pat")
    ours(course, outcome(course, "pat"))
    assert written(course)["pat"]["status"] == "pending"


def test_the_last_line_of_grade_counts_what_could_not_be_read(there, monkeypatch):
    from coursekit.grading import grade

    one = grade.Graded("pat", "This is a PDF.")
    there.submitted(ASSIGNMENT, "pat").mkdir(parents=True)
    monkeypatch.setattr(grade, "grade", lambda *rest: rest[4](one))
    done = CliRunner().invoke(app.app, ["grade", ASSIGNMENT])
    assert done.stdout == (
        "pat: This is a PDF.\n"
        "graded 1 of 1, 1 of them could not be read; `coursekit marks step-by-step` shows the marks\n"
    )


def test_no_cell_of_the_csv_is_a_formula(course):
    names = ["=1+1", "+x", "-y", "@z", "-1"]
    with Gradebook(course.db_url) as book:
        for name in names:
            book.add_student(name)
    path = course.root / "marks.csv"
    marks_table.write_csv(gradebook.read(course, ASSIGNMENT, everybody=True), path)
    found = [row[0] for row in csv.reader(path.read_text(encoding="utf-8").splitlines())][1:]
    assert sorted(found) == sorted(f"'{name}" for name in names)


# --- asked again only where the answer changed ---------------------------------------------------------------

ANSWERED = {"answer": "I think so.", "compute_cost": "def compute_cost(AL, Y):\n    return 1"}
CHANGES = {
    "nothing": ({}, set()),
    "blank lines": ({"answer": "\nI think so.  \n\n"}, set()),
    "the text": ({"answer": "I think not."}, {OPINION}),
    "the code": ({"compute_cost": "def compute_cost(AL, Y):\n    return 2"}, {"compute-cost"}),
    "other code": ({"linear_forward": "def linear_forward(A, W, b):\n    return 2"}, set()),
    "the automatic mark": ({"changes": {}}, {"compute-cost"}),
}


def asked(course: Course, student: str = "anna") -> set[str]:
    (one,) = [one for one in gradebook.read(course, ASSIGNMENT) if one.student == student]
    return {mark.grade_id for mark in one.pending}


def test_a_person_is_asked_again_only_where_the_answer_changed(course):
    """FAULTS M13. One student for each kind of change."""
    everybody = {what.replace(" ", "-"): what for what in CHANGES}
    ours(course, *(outcome(course, student, **ANSWERED) for student in everybody))
    for student in everybody:
        person(course, student, OPINION, 4.5)
        person(course, student, "compute-cost-test", 7)
    assert not any(asked(course, student) for student in everybody)
    changed = [outcome(course, student, **(ANSWERED | CHANGES[what][0])) for student, what in everybody.items()]
    for _ in range(2):  # who was not answered is still asked after the next grading
        ours(course, *changed)
        assert {what: asked(course, student) for student, what in everybody.items()} == {
            what: again for what, (_, again) in CHANGES.items()
        }
    for one in gradebook.read(course, ASSIGNMENT):
        marks = {mark.grade_id: mark.earned for mark in one.marks}
        assert (marks[OPINION], marks["compute-cost"]) == (4.5, 7)


def test_a_picture_in_an_answer_is_part_of_it(course):
    first = notebooks.parse(outcome(course, "anna").notebook, "")
    second = notebooks.parse(outcome(course, "anna").notebook, "")
    assert answer_hashes.digests(first) == answer_hashes.digests(second)
    second.cells[-1]["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo="}}
    assert answer_hashes.digests(first)[OPINION] != answer_hashes.digests(second)[OPINION]


def test_who_reads_between_a_kill_and_the_next_grading_is_asked_about_what_they_did_not_see(course, monkeypatch):
    """The marks are in the gradebook, the notebook that a person opens is still the earlier one."""
    from coursekit.system import atomic_write

    ours(course, outcome(course, "anna", **ANSWERED))
    person(course, "anna", OPINION, 4.5)
    changed = outcome(course, "anna", **(ANSWERED | {"answer": "I think not."}))

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(atomic_write, "replace_folder", dies)
        with pytest.raises(KeyboardInterrupt):
            ours(course, changed)
    person(course, "anna", OPINION, 4.5)  # reads the earlier answer
    ours(course, changed)
    assert asked(course) == {OPINION}


def test_marks_that_an_older_version_left_are_compared_with_its_notebook(course):
    ours(course, outcome(course, "anna", **ANSWERED))
    person(course, "anna", OPINION, 4.5)
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as book:
        book.execute("drop table coursekit_answers")
        book.commit()
    ours(course, outcome(course, "anna", **ANSWERED))
    assert asked(course) == set()


# --- the configuration --------------------------------------------------------------------------------------


def test_an_option_that_grading_does_not_use_is_named_and_no_other(course):
    (course.root / "late_policy.py").write_text(PER_HOUR, encoding="utf-8")
    assert unused_options.messages(course) == []
    configured(
        course,
        BY_NAME
        + "c = get_config()\nc.PerHour.log = None\n"
        + """
c.CourseDirectory.course_id = "other"
c.CourseDirectory.submitted_directory = "handed-in"
c.Exchange.timezone = "Europe/Berlin"
c.FormgradeApp.log_level = "DEBUG"
c.ExecutePreprocessor.timeout = 300
c.Autograde.create_student = False
c.ClearSolutions.enforce_metadata = False
""",
    )
    assert unused_options.messages(course) == [
        f"nbgrader_config.py: {option} is set, but coursekit grade does not use it"
        for option in ("Autograde.create_student", "CourseDirectory.submitted_directory", "ExecutePreprocessor.timeout")
    ]


def test_an_option_that_does_not_exist_is_named_with_the_one_that_is_meant(course):
    configured(
        course,
        BY_CLASS
        + """
c = get_config()
c.AssignLatePenalties.plugin_clas = "late_policy.PerHour"
c.PerHour.hours = 3
c.CsvExportPlugin.zzz = 1
c.CourseDirectory.dburl = "sqlite:///x.db"
""",
    )
    assert unused_options.messages(course) == [
        "nbgrader_config.py: AssignLatePenalties.plugin_clas is set, but AssignLatePenalties has no such option;"
        " do you mean plugin_class?",
        "nbgrader_config.py: CourseDirectory.dburl is set, but coursekit grade does not use it",
        "nbgrader_config.py: CsvExportPlugin.zzz is set, but CsvExportPlugin has no such option",
        "nbgrader_config.py: PerHour.hours is set, but PerHour has no such option",
    ]


def test_json_and_the_users_own_configuration_are_read_in_nbgraders_order(course, tmp_path, monkeypatch):
    def method() -> str:
        return converters.course_config(course).LateSubmissionPlugin.get("penalty_method", "none")

    folder = tmp_path / "jupyter"
    folder.mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(folder))
    assert method() == "none"
    (folder / "nbgrader_config.py").write_text(ZERO)
    assert method() == "zero"
    configured(course, ZERO.replace("zero", "none"))
    assert method() == "none"
    (course.root / "nbgrader_config.json").write_text('{"LateSubmissionPlugin": {"penalty_method": "zero"}}')
    assert method() == "zero"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("1 / 0\n", r"^nbgrader_config\.py: it cannot be used \(ZeroDivisionError: .*, line \d+\); fix it$"),
        ("import sys; sys.exit()\n", r"nbgrader_config\.py: it cannot be used \(SystemExit"),
        ("def\n", r"nbgrader_config\.py: it cannot be used \(SyntaxError"),
        (BY_NAME, r"AssignLatePenalties\.plugin_class: late_policy\.PerHour cannot be imported"),
        ("get_config().CourseDirectory.db_url = 5\n", r"py: CourseDirectory: it cannot be used \(The 'db_url' trait"),
        ("get_config().CourseDirectory.course_id = 5\n", r"py: CourseDirectory: it cannot be used \(The 'course_id'"),
        (ZERO.replace("zero", "zeros"), r"py: LateSubmissionPlugin: it cannot be used \(The 'penalty_method' trait"),
        ("get_config().AssignLatePenalties.plugin_class = int\n", r"is no BasePlugin of nbgrader"),
    ],
)  # fmt: skip
def test_an_error_in_the_configuration_is_one_line(course, extra, said):
    configured(course, extra)
    with pytest.raises(CourseError, match=said) as error:
        converters.course_config(course)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("wrong", "said"), [("1 / 0 *", "ZeroDivisionError"), ("float('nan') *", "ValueError: the pe")]
)
def test_a_late_policy_that_fails_is_told_with_the_student(course, wrong, said):
    configured(course, BY_CLASS.replace("1.5 *", wrong))
    due(course, "2026-03-01 12:00:00 UTC")
    with pytest.raises(CourseError, match=rf"plugin_class: PerHour failed for late \({said}"):
        ours(course, outcome(course, "late"))
    assert gradebook.read(course, ASSIGNMENT) == []


def test_two_courses_have_each_their_own_policy_of_one_name(course, template, tmp_path):
    other = Course(shutil.copytree(template.root, tmp_path / "other"))
    for one, factor in ((course, "1.5"), (other, "3")):
        (one.root / "late_policy.py").write_text(PER_HOUR.replace("1.5", factor), encoding="utf-8")
        configured(one, BY_NAME)
        due(one, "2026-03-01 12:00:00 UTC")
        ours(one, outcome(one, "late"))
    assert [gradebook.read(one, ASSIGNMENT)[0].penalty for one in (course, other)] == [3, 6]


def test_the_configured_exporter_writes_our_export(course):
    configured(
        course,
        """
from nbgrader.plugins import ExportPlugin
class Names(ExportPlugin):
    def export(self, gradebook):
        open(self.to, "w").write(" ".join(student.id for student in gradebook.students))
get_config().ExportApp.plugin_class = Names
""",
    )
    ours(course, outcome(course, "on-time"))
    assert nbgrader_export.export(course, course.root / "names.txt") == "Names"
    assert (course.root / "names.txt").read_text() == "on-time"
