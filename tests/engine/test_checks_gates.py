"""The whole of ``coursekit check``, and its gates: a real grading of a clean course and of a broken one."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
from nbformat.v4 import new_code_cell

import mistakes
from coursekit import checks, feedback, grade, notebooks, release
from coursekit.checks import CODES, gates, gates_answers, gates_class, gates_ends, gates_experiments, gates_mutants
from coursekit.checks.findings import Finding, Source
from coursekit.course import Course
from coursekit.gradebook import Mark, StudentMarks
from coursekit.marking import cell_runner
from coursekit.mutation.mutants_run import Outcome
from hidden_tests import exercises
from selfcheck import known_mistakes
from tests.classroom import ASSIGNMENT, ROOT, copy_course, solution_cells

NOTEBOOK = f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"


@pytest.fixture
def fresh(monkeypatch):
    """Releases and recordings are taken to be fresh: to make them again is a minute of training."""
    monkeypatch.setattr(checks.released, "check", lambda course, sources: [])
    monkeypatch.setattr(checks.recordings, "check", lambda course, sources: [])


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
    source = Source(ASSIGNMENT, course.source(ASSIGNMENT), NOTEBOOK, notebooks.read(course.source(ASSIGNMENT)))
    return gates.check(course, [source], said.append, every=30), said


def test_the_gates_of_a_right_assignment_find_nothing(clean):
    assert [str(finding) for finding in clean[0]] == []


def test_the_gates_say_their_figures(clean):
    """An author reads them; so every mistake and every right answer of the catalogue must be in the count."""
    figures = dict(re.fullmatch(rf"{ASSIGNMENT}: (\w+): (.+) \(\d+\.\d s\)", line).groups() for line in clean[1])
    rows = len(exercises(ASSIGNMENT))
    wrong, right = (
        sum(answer.exercise.startswith(f"{ASSIGNMENT}/") for answer in answers)
        for answers in (mistakes.MISTAKES, mistakes.RIGHT_ANSWERS)
    )
    mutants, costs = figures.pop("mutants"), figures.pop("costs")
    assert re.fullmatch(r"0 cells not run for grading, the others take \d+\.\d s", costs)
    assert figures == {
        "marks": "solution 100 of 100, untouched release 0 of 100",
        "leaks": "none on the page of the blank one and in 2 released recordings",
        "class": f"{rows} of {rows} exercises left blank and {rows} of {rows} exercises wrong cost their own points "
        "only; 20 of 20 gradings of the same submission identical",
        "answers": f"mistakes: {wrong} of {wrong} caught; right answers: {right} of {right} keep full marks",
    }
    assert re.fullmatch(r"\d+ mutants, one in 30,: \d\d+ killed, 0 surviving, \d+ proved equivalent", mutants)


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
    path = course.source(ASSIGNMENT)
    source = Source(ASSIGNMENT, path, NOTEBOOK, notebooks.read(path))
    return gates.check(course, [source], lambda text: None)


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
    assert {finding.code for finding in broken} == {"G701", "G702", "G703"}


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
    source = Source(ASSIGNMENT, scratch.source(ASSIGNMENT), NOTEBOOK, notebooks.read(scratch.source(ASSIGNMENT)))
    (finding,) = gates.check(scratch, [source, source], lambda text: None)[:1]
    assert (finding.code, finding.what) == ("G704", "RuntimeError: no space left")


# --- each gate can fail ---------------------------------------------------------------------------------------


@pytest.fixture
def source(course):
    path = course.source(ASSIGNMENT)
    return Source(ASSIGNMENT, path, NOTEBOOK, notebooks.read(path))


def marks_of_a_class(changes=()):
    """What the class gets when all is well, but for ``changes``: points by (student, exercise)."""
    rows, changed = exercises(ASSIGNMENT), dict(changes)
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
    findings, figure = gates_class.alone(source, marks_of_a_class())
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
    findings, figure = gates_class.alone(source, marks_of_a_class({(student, exercise): points}))
    own = student.partition("-")[2]
    assert [(one.code, one.where, one.what) for one in findings] == [(code, f"{NOTEBOOK}[{own}]", what)]
    assert "9 of 10" in figure


def test_gradings_that_differ_are_found(source, tmp_path):
    """In a mark, in a reason, or in what stands in the notebook."""
    there = Course(tmp_path)
    _, marked, reasoned, shown, *_ = students = [f"again-{number:02}" for number in range(gates_class.TIMES)]
    for student in students:
        folder = there.autograded(ASSIGNMENT, student)
        folder.mkdir(parents=True)
        (folder / f"{ASSIGNMENT}.ipynb").write_text("other" if student == shown else "same", encoding="utf-8")
    entry = {student: Mark("compute-cost", 4.0, 10.0, "no sum") for student in students}
    same = {student: StudentMarks(student, ASSIGNMENT, (mark,)) for student, mark in entry.items()}
    odd = {marked: Mark("compute-cost", 5.0, 10.0, "no sum"), reasoned: Mark("compute-cost", 4.0, 10.0, "at 0x7f")}
    marks = same | {student: StudentMarks(student, ASSIGNMENT, (mark,)) for student, mark in odd.items()}
    (found,), figure = gates_class.again(there, source, marks)
    assert (found.code, found.what) == ("G708", "3 of 20 gradings of the same submission differ from the first")
    assert figure == "17 of 20 gradings of the same submission identical"
    (there.autograded(ASSIGNMENT, shown) / f"{ASSIGNMENT}.ipynb").write_text("same", encoding="utf-8")
    assert gates_class.again(there, source, same) == ([], "20 of 20 gradings of the same submission identical")


def test_a_mistake_that_keeps_its_marks_and_a_right_answer_that_loses_some_are_found(course, source, monkeypatch):
    mistake = mistakes.find("step-by-step/linear_backward", "not-averaged")
    right = next(answer for answer in mistakes.RIGHT_ANSWERS if answer.exercise == "step-by-step/compute_cost")
    others = {str(one) for one in mistakes.MISTAKES if one is not mistake}

    def losing(root, key):
        return {name for name in others if name.startswith(f"{key}:")} | (
            {str(right)} if key == right.exercise else set()
        )

    monkeypatch.setattr(gates_answers, "_losing", losing)
    with ThreadPoolExecutor(1) as pool:
        findings, figure = gates_answers.check(course, source, pool)
    assert [(one.code, one.where) for one in findings] == [
        ("G706", f"mistakes.py[{mistake}]"),
        ("G707", f"mistakes.py[{right}]"),
    ]
    assert re.fullmatch(r"mistakes: (\d+) of (\d+) caught; right answers: \d+ of \d+ keep full marks", figure)


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ("<pre>Z = W <span>@ A</span> + b</pre>", "shows 'Z=W@A+b'"),
        ("<p>### BEGIN HIDDEN TESTS</p>", "shows 'BEGINHIDDEN'"),
        ("<script>'hidden_tests'</script>", "shows 'hidden_tests'"),
    ],
)
def test_a_secret_on_a_feedback_page_is_found(course, source, tmp_path, monkeypatch, page, what):
    path = tmp_path / "page.html"
    path.write_text(f"<html>{page}</html>", encoding="utf-8")
    monkeypatch.setattr(feedback, "feedback", lambda *_: [feedback.Page("untouched", path)])
    findings, _ = gates_ends.leaks(course, course, source)
    assert [(one.code, one.what) for one in findings] == [("G709", what)]


def test_a_hidden_case_in_a_released_recording_is_found(scratch, source, tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("<html></html>", encoding="utf-8")
    monkeypatch.setattr(feedback, "feedback", lambda *_: [feedback.Page("untouched", path)])
    with h5py.File(scratch.release(ASSIGNMENT) / "public_tests.h5", "a") as file:
        file.create_group("step-by-step/linear_forward/6-4-3")
    read = known_mistakes.read

    def with_a_name(file, key):
        known = read(file, key)
        return (replace(known[0], name="not-averaged"), *known[1:]) if key.endswith("/linear_backward") else known

    monkeypatch.setattr(known_mistakes, "read", with_a_name)
    findings, _ = gates_ends.leaks(scratch, scratch, source)
    assert [(one.code, one.what) for one in findings] == [
        ("G709", "a recording of 'step-by-step/linear_forward/6-4-3'"),
        ("G709", "a recording of 'step-by-step/linear_backward:not-averaged'"),
        ("G709", "a recording of 'digits/linear_backward:not-averaged'"),
    ]


def test_a_slow_cell_that_decides_no_mark_and_one_that_needs_an_experiment_are_found(scratch, monkeypatch):
    """The second one changes what it is given, which no analysis of names can see."""
    path = scratch.source(ASSIGNMENT)
    source = Source(ASSIGNMENT, path, NOTEBOOK, notebooks.read(path))
    cells = {"made": "rows = []", "slow": "sum(range(1))", "fill": "list.extend(rows, [1])", "reads": "print(rows[0])"}
    source.notebook.cells[1:1] = [new_code_cell(text, id=name) for name, text in cells.items()]
    source.notebook.cells[3].metadata["tags"] = ["experiment"]
    real = cell_runner.CellRunner._ask

    def slow(self, cell_id, *args):
        reply = real(self, cell_id, *args)
        self.seconds[cell_id] += {"slow": 1.5, "compute-cost-test": 9.0, "fill": 9.0}.get(cell_id, 0.0)
        return reply

    monkeypatch.setattr(cell_runner.CellRunner, "_ask", slow)
    monkeypatch.setattr(gates_experiments, "MAX_S", 1.4)  # this machine may be busy
    findings, figure = gates_experiments.check(scratch, source)
    assert [(finding.code, finding.where) for finding in findings] == [
        ("G712", f"{NOTEBOOK}[slow]"),
        ("G713", f"{NOTEBOOK}[reads]"),
    ]
    assert "raises IndexError" in findings[1].what
    assert figure.startswith("1 cells not run for grading")


def test_a_mutant_that_survives_and_an_entry_that_is_not_true_are_found():
    """More of this in test_mutants.py, with real mutants and a real weak table."""
    outcomes = [Outcome("a/f", "1 x -> y", False), Outcome("a/f", "2 x -> y", True)]
    findings = gates_mutants.judged(outcomes, {"a/f": {"2 x -> y": "a reason"}})
    assert [finding.code for finding in findings] == ["G710", "G711"]


# --- the whole ------------------------------------------------------------------------------------------------


def test_one_broken_assignment_does_not_hide_the_others(scratch, monkeypatch):
    """Junk in a second assignment is one finding; the first is still looked at in full."""
    monkeypatch.setattr(release, "stale", lambda *_: ["a.py"])
    monkeypatch.setattr(checks.recordings, "check", lambda course, sources: [])
    (scratch.root / "README.md").write_text("[x](gone.md)", encoding="utf-8")
    junk = scratch.source("junk")
    junk.parent.mkdir()
    junk.write_bytes(b"\x89PNG\x00\xff")
    edit(scratch.source(ASSIGNMENT), {"linear-forward": lambda text: text.replace("# YOUR CODE ENDS HERE", "")})
    found = {finding.code for finding in checks.run(scratch, gates=False)}
    assert {"N101", "N108", "M201", "D401", "R501", "R506"} <= found


def test_a_course_with_nothing_in_it_has_findings_and_no_traceback(tmp_path):
    found = {finding.code for finding in checks.run(Course(tmp_path))}
    assert {"N101", "D406", "X601"} <= found


def test_fix_mends_first_and_checks_afterwards(scratch, fresh):
    path = scratch.source(ASSIGNMENT)
    before = path.read_bytes()
    edit(path, {})
    said = []
    findings = checks.run(scratch, fix=True, gates=False, say=said.append)
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
