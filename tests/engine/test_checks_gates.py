"""The whole of ``coursekit check``, and its acceptance checks: a real grading of a clean course and of a broken one."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from coursekit.authoring import checks, release
from coursekit.authoring.checks import (
    CODES,
    acceptance,
    acceptance_answers,
    acceptance_class,
    acceptance_ends,
    acceptance_experiments,
    acceptance_mutants,
    form,
)
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.feedback import generation
from coursekit.grading import grade
from coursekit.grading.student_marks import Mark, StudentMarks
from coursekit.marking import cell_runner
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.reference.process import ReferencePool
from selfcheck import recordings
from tests import toy
from tests.classroom import ASSIGNMENT, ROOT, change_recording, copy_course, solution_cells
from tests.tables import loaded, table
from tests.toy import toy_course

NOTEBOOK = f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"


def source_of(course):
    """The source notebook of the assignment as the checks have it."""
    path = course.source(ASSIGNMENT)
    return Source(ASSIGNMENT, path, NOTEBOOK, notebooks.read(path), loaded(ASSIGNMENT).exercises)


@pytest.fixture
def fresh(monkeypatch):
    """Releases and recordings are taken to be fresh: to make them again is a minute of training."""
    monkeypatch.setattr(checks.released, "check", lambda *_: [])
    monkeypatch.setattr(checks.recordings, "check", lambda *_, **__: [])


def course_with_docs(folder):
    """A scratch course with a page of its own, and a release that was made just now."""
    course = copy_course(folder)
    (folder / "README.md").write_text("# A course\n", encoding="utf-8")
    shutil.copyfile(ROOT / ".gitignore", folder / ".gitignore")
    release.release(course, ASSIGNMENT)
    return course


@pytest.fixture(scope="session")
def clean(tmp_path_factory):
    """Findings and figures of the gates of one assignment; `./course check` itself, in CI, tries those of each."""
    course, said = course_with_docs(tmp_path_factory.mktemp("clean")), []
    return acceptance.check(course, [source_of(course)], said.append, every=30), said


@pytest.mark.nightly
def test_the_gates_of_a_right_assignment_find_nothing(clean):
    assert [str(finding) for finding in clean[0]] == []


@pytest.mark.nightly
def test_the_gates_say_their_figures(clean):
    """An author reads them; so every mistake and every right answer of the catalogue must be in the count."""
    figures = dict(re.fullmatch(rf"{ASSIGNMENT}: (\w+): (.+) \(\d+\.\d s\)", line).groups() for line in clean[1])
    rows = len(loaded(ASSIGNMENT).exercises)
    wrong, right = len(table(ASSIGNMENT).mistakes), len(table(ASSIGNMENT).right_answers)
    mutants, costs = figures.pop("mutants"), figures.pop("costs")
    assert re.fullmatch(r"0 cells not run for grading, the others take \d+\.\d s", costs)
    assert figures == {
        "marks": "solution 100 of 100, untouched release 0 of 100",
        "leaks": "none on the feedback page of the untouched release and in the released recording",
        "class": f"{rows} of {rows} exercises left blank and {rows} of {rows} exercises wrong cost their own points "
        "only; 20 of 20 gradings of the same submission identical",
        "answers": f"mistakes: {wrong} of {wrong} caught; right answers: {right} of {right} keep full marks",
    }
    assert re.fullmatch(r"\d+ mutants \(one in 30\): \d\d+ killed, 0 surviving, \d+ proved equivalent", mutants)


def test_a_brief_check_grades_the_solution_and_tries_a_sample(tmp_path):
    """As on every commit: what takes minutes for a real assignment is left to the full check."""
    course, said = toy_course(tmp_path / "course"), []
    sources, _ = form.read_all(course, False, said.append)
    assert acceptance.check(course, sources, said.append, brief=True) == []
    figures = dict(re.fullmatch(rf"{toy.ASSIGNMENT}: (\w+): (.+) \(\d+\.\d s\)", line).groups() for line in said)
    assert figures.keys() == {"marks", "leaks", "answers", "mutants"}
    assert figures["marks"].startswith("solution 10 of 12, untouched release 0 of 12")
    assert figures["answers"] == "mistakes (a sample): 2 of 2 caught; right answers: 2 of 2 keep full marks"
    assert re.match(r"\d mutants \(one in 40\): ", figures["mutants"])


def edit(path, changes):
    """Change sources of cells, by id."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        if cell["id"] in changes:
            cell["source"] = changes[cell["id"]]("".join(cell["source"]))
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture(scope="session")
def broken(tmp_path_factory):
    """Findings of the gates where an exercise is wrong, one is given away, and three cells are not silent."""
    course = course_with_docs(tmp_path_factory.mktemp("broken"))
    answer = solution_cells(course)["compute-cost"]
    changes = {
        "linear-forward": lambda text: text.replace("Z = W @ A + b", "Z = W @ A"),
        "imports": lambda text: text + "\n1 / 0",
        "compute-cost-test": lambda text: "import sys; print('careful', file=sys.stderr)\n" + text,
        "update-parameters-test": lambda text: text.replace("### BEGIN", "t_grads\n### BEGIN"),
    }
    edit(course.source(ASSIGNMENT), changes)
    edit(course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", {"compute-cost": lambda _: answer})
    return acceptance.check(course, [source_of(course)], lambda text: None)


def where(findings, code):
    return {finding.where for finding in findings if finding.code == code}


def test_a_wrong_solution_is_found_with_its_reason(broken):
    """No double jeopardy or not: the exercise itself must be among those that lose marks."""
    assert f"{NOTEBOOK}[linear-forward]" in where(broken, "G701")
    reason = next(finding.what for finding in broken if finding.where == f"{NOTEBOOK}[linear-forward]")
    assert re.match(r"the solution earns [\d.]+ of 10 \(.+\)", reason)


def test_a_release_that_earns_marks_is_found(broken):
    assert where(broken, "G702") == {f"release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb[compute-cost]"}


def test_the_other_gates_wait_until_the_solution_is_right(broken):
    """What they would say of a wrong solution would only hide the reason."""
    assert {finding.code for finding in broken} == {"G701", "G702", "G703", "G714"}
    assert f"{NOTEBOOK}[linear-forward-expected]" in where(broken, "G714")


@pytest.mark.parametrize(
    ("cell_id", "what"),
    [
        ("imports", "raises ZeroDivisionError"),
        ("compute-cost-test", "writes on stderr: careful"),
        ("update-parameters-test", "displays a value"),
    ],
)
def test_a_cell_that_is_not_silent_is_found(broken, cell_id, what):
    found = [finding.what for finding in broken if finding.code == "G703" and finding.where == f"{NOTEBOOK}[{cell_id}]"]
    assert found
    assert found[0].startswith(what)


def test_a_grader_that_fails_is_a_finding(scratch, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no space left")

    monkeypatch.setattr(grade, "grade", fail)
    source = source_of(scratch)
    (finding,) = acceptance.check(scratch, [source, source], lambda text: None)[:1]
    assert (finding.code, finding.what) == ("G704", "RuntimeError: no space left")


# --- each gate can fail ---------------------------------------------------------------------------------------


@pytest.fixture
def source(course):
    return source_of(course)


def marks_of_a_class(changes=()):
    """What the class gets when all is well, but for ``changes``: points by (student, exercise)."""
    rows, changed = loaded(ASSIGNMENT).exercises, dict(changes)
    marks = {}
    for student in (f"{sort}-{row.grade_id}" for row in rows for sort in ("blank", "wrong")):
        earned = {row.grade_id: row.points * (not student.endswith(f"-{row.grade_id}")) for row in rows}
        earned |= {grade_id: points for (who, grade_id), points in changed.items() if who == student}
        points = {row.grade_id: row.points for row in rows}
        marks[student] = StudentMarks(
            student, ASSIGNMENT, tuple(Mark(key, value, points[key]) for key, value in earned.items())
        )
    return marks


def test_a_class_as_it_should_be_has_no_findings(source):
    findings, figure = acceptance_class.alone(source, marks_of_a_class())
    assert findings == []
    assert figure.startswith("10 of 10 exercises left blank and 10 of 10 exercises wrong")


@pytest.mark.parametrize(
    ("student", "exercise", "points", "code", "what"),
    [
        ("blank-linear-forward", "linear-forward", 3, "G705", "blank, it earns 3"),
        ("blank-linear-forward", "l-model-forward", 11, "G705", "blank, it takes points from L_model_forward"),
        ("wrong-compute-cost", "compute-cost", 10, "G706", "loses nothing by the first mistake of the catalogue"),
        ("wrong-linear-backward", "l-model-backward", 5, "G706", "wrong, it takes points from L_model_backward"),
    ],
)
def test_an_exercise_that_costs_more_or_less_than_its_own_points_is_found(
    source, student, exercise, points, code, what
):
    """No double jeopardy, and no points for nothing."""
    findings, figure = acceptance_class.alone(source, marks_of_a_class({(student, exercise): points}))
    own = student.partition("-")[2]
    assert [(one.code, one.where, one.what) for one in findings] == [(code, f"{NOTEBOOK}[{own}]", what)]
    assert "9 of 10" in figure


def test_gradings_that_differ_are_found(source, tmp_path):
    """In a mark, in a reason, or in what stands in the notebook."""
    there = Course(tmp_path)
    _, marked, reasoned, shown, *_ = students = [f"again-{number:02}" for number in range(20)]
    for student in students:
        folder = there.autograded(ASSIGNMENT, student)
        folder.mkdir(parents=True)
        (folder / f"{ASSIGNMENT}.ipynb").write_text("other" if student == shown else "same", encoding="utf-8")
    entry = {student: Mark("compute-cost", 4.0, 10.0, "no sum") for student in students}
    same = {student: StudentMarks(student, ASSIGNMENT, (mark,)) for student, mark in entry.items()}
    odd = {marked: Mark("compute-cost", 5.0, 10.0, "no sum"), reasoned: Mark("compute-cost", 4.0, 10.0, "at 0x7f")}
    marks = same | {student: StudentMarks(student, ASSIGNMENT, (mark,)) for student, mark in odd.items()}
    (found,), figure = acceptance_class.again(there, source, marks, 20)
    assert (found.code, found.what) == ("G708", "3 of 20 gradings of the same submission differ from the first")
    assert figure == "17 of 20 gradings of the same submission identical"
    (there.autograded(ASSIGNMENT, shown) / f"{ASSIGNMENT}.ipynb").write_text("same", encoding="utf-8")
    assert acceptance_class.again(there, source, same, 20) == ([], "20 of 20 gradings of the same submission identical")


def test_a_mistake_that_keeps_its_marks_and_a_right_answer_that_loses_some_are_found(scratch, source):
    """A right answer in the catalogue of mistakes, and a mistake among the right answers: they are really tried."""
    with (scratch.hidden(ASSIGNMENT) / "mistakes.py").open("a", encoding="utf-8") as file:
        file.write(
            "\nMISTAKES = {'linear_forward': [('no-mistake', '', {'W @ A + b': 'b + W @ A'}, '')]}"
            "\nRIGHT_ANSWERS = {'compute_cost': [('not-right', '', {'(losses) / m': '(losses)'})]}\n"
        )
    two = [row for row in source.exercises if row.function in ("linear_forward", "compute_cost")]
    with ReferencePool(scratch.root, ASSIGNMENT, 1) as pool:
        findings, figure = acceptance_answers.check(replace(source, exercises=tuple(two)), pool)
    catalogue = f"hidden/{ASSIGNMENT}/mistakes.py"
    assert [(one.code, one.where) for one in findings] == [
        ("G706", f"{catalogue}[linear_forward:no-mistake]"),
        ("G707", f"{catalogue}[compute_cost:not-right]"),
    ]
    assert figure == "mistakes: 0 of 1 caught; right answers: 0 of 1 keep full marks"


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("<pre>Z = W <span>@ A</span> + b</pre>", "shows 'Z=W@A+b'"),
        ("<p>### BEGIN HIDDEN TESTS</p>", "shows 'BEGINHIDDEN'"),
        ("<script>'coursekit.author'</script>", "shows 'coursekit.author'"),
    ],
)
def test_a_secret_on_a_feedback_page_is_found(course, source, tmp_path, monkeypatch, page, what):
    path = tmp_path / "page.html"
    path.write_text(f"<html>{page}</html>", encoding="utf-8")
    monkeypatch.setattr(generation, "feedback", lambda *_: [generation.FeedbackPage("untouched", path)])
    findings, _ = acceptance_ends.leaks(course, course, source)
    assert [(one.code, one.what) for one in findings] == [("G709", what)]


def test_a_hidden_case_in_a_released_recording_is_found(scratch, source, tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("<html></html>", encoding="utf-8")
    monkeypatch.setattr(generation, "feedback", lambda *_: [generation.FeedbackPage("untouched", path)])
    released = scratch.release(ASSIGNMENT) / recordings.NAME
    hidden, secret = (
        recordings.outputs(where / recordings.NAME, "linear_forward")
        for where in (scratch.hidden(ASSIGNMENT), scratch.folder(ASSIGNMENT))
    )
    first, *_ = recordings.mistakes(released, "linear_backward")
    known = (replace(first, name="not-averaged"), replace(first, cases={"m=1": next(iter(first.cases.values()))}))
    packed = recordings.packed(
        {"linear_forward": secret | {"6-4-3": next(iter(hidden.values()))}}, {"linear_backward": known}
    )
    change_recording(released, lambda arrays: arrays.update(packed))
    findings, _ = acceptance_ends.leaks(scratch, scratch, source)
    assert [(one.code, one.what) for one in findings] == [
        ("G709", "a recording of 'linear_backward/m=1'"),
        ("G709", "a recording of 'linear_backward:not-averaged'"),
        ("G709", "a recording of 'linear_forward/6-4-3'"),
    ]


def test_a_slow_cell_that_decides_no_mark_and_one_that_needs_an_experiment_are_found(scratch, monkeypatch):
    """The second one changes what it is given, which no analysis of names can see."""
    source = source_of(scratch)
    cells = {"made": "rows = []", "slow": "sum(range(1))", "fill": "list.extend(rows, [1])", "reads": "print(rows[0])"}
    source.notebook.cells[1:1] = [new_code_cell(text, id=name) for name, text in cells.items()]
    source.notebook.cells[3].metadata["tags"] = ["experiment"]
    real = cell_runner.CellRunner._ask

    def slow(self, cell_id, *args):
        reply = real(self, cell_id, *args)
        self.cell_times_s[cell_id] += {"slow": 1.5, "compute-cost-test": 9.0, "fill": 9.0}.get(cell_id, 0.0)
        return reply

    monkeypatch.setattr(cell_runner.CellRunner, "_ask", slow)
    monkeypatch.setattr(acceptance_experiments, "MAX_S", 1.4)  # this machine may be busy
    findings, figure = acceptance_experiments.check(scratch, source)
    assert [(finding.code, finding.where) for finding in findings] == [
        ("G712", f"{NOTEBOOK}[slow]"),
        ("G713", f"{NOTEBOOK}[reads]"),
    ]
    assert "raises IndexError" in findings[1].what
    assert figure.startswith("1 cells not run for grading")


def test_a_mutant_that_survives_and_an_entry_that_is_not_true_are_found():
    """More of this in test_mutants.py, with real mutants and a real weak table."""
    outcomes = [
        {"function": "f", "name": name, "killed": killed, "difference": ""}
        for name, killed in (("1 x -> y", False), ("2 x -> y", True))
    ]
    findings = acceptance_mutants.judged("a", outcomes, {"f": {"2 x -> y": "a reason"}})
    assert [finding.code for finding in findings] == ["G710", "G711"]


# --- the whole ------------------------------------------------------------------------------------------------


def test_one_broken_assignment_does_not_hide_the_others(scratch, monkeypatch):
    """Junk in a second assignment is one finding; the first is still looked at in full."""
    monkeypatch.setattr(release, "stale", lambda *_: ["a.py"])
    monkeypatch.setattr(checks.recordings, "check", lambda *_, **__: [])
    (scratch.root / "README.md").write_text("[x](gone.md)", encoding="utf-8")
    junk = scratch.source("junk")
    junk.parent.mkdir()
    junk.write_bytes(b"\x89PNG\x00\xff")
    edit(scratch.source(ASSIGNMENT), {"linear-forward": lambda text: text.replace("# YOUR CODE ENDS HERE", "")})
    found = {finding.code for finding in checks.run(scratch, acceptance=False)}
    assert {"N101", "N108", "M201", "D401", "R501", "R506"} <= found


def test_a_course_with_nothing_in_it_has_findings_and_no_traceback(tmp_path):
    found = {finding.code for finding in checks.run(Course(tmp_path))}
    assert {"N101", "D406"} <= found


def test_fix_mends_first_and_checks_afterwards(scratch, fresh):
    path = scratch.source(ASSIGNMENT)
    before = path.read_bytes()
    edit(path, {})
    said = []
    findings = checks.run(scratch, fix=True, acceptance=False, say=said.append)
    assert path.read_bytes() == before
    assert said == [f"fixed {NOTEBOOK}: not the canonical order, spacing or line ends of JSON"]
    assert not [finding for finding in findings if finding.code.startswith("N")]


def test_a_finding_says_where_what_what_to_do_and_its_code():
    assert str(Finding("N106", "a.ipynb[x]", "outputs", "clear them")) == "a.ipynb[x]: outputs; clear them  (N106)"


def test_every_code_has_a_line_and_a_test():
    """A code that no test makes appear may never appear at all."""
    texts = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_checks_*.py"))
    modules = "".join(path.read_text(encoding="utf-8") for path in Path(checks.__file__).parent.glob("*.py"))
    used = set(re.findall(r'"([A-Z]\d{3})"', modules))
    assert used == set(CODES)
    assert not [code for code in CODES if f'"{code}"' not in texts]
