"""Experiments at grading: not run, shown as they were handed in, harmless and labelled; no mark depends on them."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from coursekit.feedback import generation
from coursekit.grading import grade, gradebook, receipts
from coursekit.grading.options import Again, GradingOptions
from coursekit.marking.limits import TimeLimits
from coursekit.marking.output_limits import Room
from coursekit.marking.unrun_cells import LABEL, NOTHING, is_labelled, labelled
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.nbgrader_plugin.formgrader_view import RenderCells
from coursekit.submission import salvage, submitted_outputs
from tests.classroom import ASSIGNMENT, hand_in, small_course, text

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
TRAINING = """import statistics
def twice(x): return 2 * x
RATE = 0.5
history = [twice(1)]
print("trained")"""
OURS = {
    "training": (TRAINING, ["experiment"]),
    "last": ("print('last', history[-1])", []),
    "kept": ("print('kept', twice(21), RATE, statistics.mean([1, 3]))", []),
}
ABOUT = {"grade": True, "grade_id": "opinion", "locked": False, "points": 0, "schema_version": 3, "solution": True,
         "task": False}  # fmt: skip
SCRIPT = "<b>bold</b><script>alert(1)</script><img src=x onerror=alert(2)>"


def code(cell_id, source, outputs=(), **metadata):
    return {"cell_type": "code", "id": cell_id, "source": source, "outputs": [*outputs], "metadata": metadata,
            "execution_count": 7}  # fmt: skip


def stream(said):
    return {"output_type": "stream", "name": "stdout", "text": said}


def display(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def html(markup):
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": markup}}


def course_with_experiments(folder: Path) -> Course:
    """The small course, with a training at the end, what uses it, and a written answer behind it."""
    course = small_course(folder)
    source = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    for name, (lines, tags) in OURS.items():
        source["cells"].append(code(name, lines) | {"metadata": {"tags": tags}, "execution_count": None})
    opinion = {"cell_type": "markdown", "id": "opinion", "source": "A model answer.", "metadata": {"nbgrader": ABOUT}}
    source["cells"].append(opinion)
    course.source(ASSIGNMENT).write_text(json.dumps(source), encoding="utf-8")
    return course


def handed(course: Course, shown=None, *own) -> dict:
    """The solution as a student hands it in, with these outputs, and with cells of the student's own at the end."""
    notebook = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] in (shown or {}):
            cell["outputs"] = shown[cell["id"]]
        if cell["id"] == "opinion":
            cell["source"] = "I think that it learns."
    notebook["cells"] += own
    return notebook


def forged(notebook: dict) -> dict:
    """Every cell is tagged, tests and answers too, and says that it was not run."""
    for cell in notebook["cells"]:
        cell["metadata"] = cell["metadata"] | {"tags": ["experiment"], submitted_outputs.KEY: [stream("forged")]}
    return notebook


def submissions(course: Course) -> dict[str, dict]:
    every = {
        "training": [stream("trained by me\n"), html(SCRIPT), display(**{"image/png": PNG})],
        "last": [stream("last 4\n")],
        "kept": [stream("kept by me\n")],
    }
    own = [
        code("own-run", "print('I ran')", [stream("not this\n")]),
        code("own-reads", "print(max(history))", [stream("4 is the most\n")]),
        code("own-changed", "history = [8]\nprint('mine', history)", [stream("not this\n")]),
        code("own-later", "print('now', history)", [stream("not this\n")]),
    ]
    wrong = handed(course, every)
    for cell in wrong["cells"]:
        if cell["id"] == "compute-cost":
            cell["source"] = text(cell).replace("/ m", "/ (2 * m)")
    flood = {
        "training": [stream("x\n" * 2_000_000), *[html("<div>" * 5000)] * 30, display(**{"application/json": [0] * 9})],
        "last": [{"output_type": "odd"}, 7, stream(5), *[display(**{"image/png": PNG})] * 400],
    }
    return {
        "anna": handed(course, every, *own),
        "ben": wrong,
        "chloe": handed(course),
        "dario": forged(handed(course, every, code("own-tagged", "print('ran all the same')", [stream("x")]))),
        "emma": handed(course, flood),
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Course:
    """The class after our own grading, with the pages for students."""
    course = course_with_experiments(tmp_path_factory.mktemp("class") / "course")
    for student, notebook in submissions(course).items():
        hand_in(course, student, notebook)
    assert not [one.problem for one in grade.grade(course, ASSIGNMENT, options=GradingOptions(jobs=2)) if one.failed]
    generation.feedback(course, ASSIGNMENT, ["anna"])
    return course


@pytest.fixture
def course(graded, tmp_path) -> Course:
    """A copy of it that a test may change."""
    return Course(shutil.copytree(graded.root, tmp_path / "course"))


def shown(course: Course, student: str) -> dict[str, list]:
    """By cell, what is shown of it after grading; cells of the student's own by their source."""
    return {
        cell.id if not cell.id.startswith("added-") else cell.source: [plain(output) for output in cell.outputs]
        for cell in executed(course, student).cells
        if cell.cell_type == "code"
    }


def executed(course: Course, student: str):
    return notebooks.read(course.autograded(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb")


def plain(output) -> str:
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return output.text if "text" in output else str(output.data.get("text/plain") or [*output.data])


def marks(course: Course) -> dict[str, dict[str, list]]:
    return {
        one.student: {mark.grade_id: [mark.earned, mark.reason] for mark in one.marks}
        for one in gradebook.read(course, ASSIGNMENT)
    }


def test_an_experiment_is_not_run_and_shows_what_was_handed_in_behind_a_label(graded):
    found = shown(graded, "anna")
    assert found["training"] == [LABEL, "trained by me\n", "['text/html']", "['image/png']"]
    assert found["last"] == [LABEL, "last 4\n"]
    assert [cell.execution_count for cell in executed(graded, "anna").cells if cell.id == "training"] == [None]


def test_what_an_experiment_defines_is_there_for_the_cells_that_are_run(graded):
    assert shown(graded, "anna")["kept"] == ["kept 42 0.5 2\n"]


def test_own_cells_are_run_but_those_that_read_what_only_an_experiment_gives_are_kept_as_handed_in(graded):
    found = shown(graded, "anna")
    assert found["print('I ran')"] == ["I ran\n"]
    assert found["print(max(history))"] == [LABEL, "4 is the most\n"]
    assert found["history = [8]\nprint('mine', history)"] == ["mine [8]\n"]
    assert found["print('now', history)"] == ["now [8]\n"]


def test_nothing_handed_in_without_outputs_is_said(graded):
    assert shown(graded, "chloe")["training"] == [NOTHING]
    assert shown(graded, "chloe")["last"] == [NOTHING]


def test_no_cell_ends_in_an_error_that_looks_like_the_students(graded):
    for student in ("anna", "chloe", "dario", "emma"):
        outputs = [output for cell in executed(graded, student).cells for output in cell.get("outputs", ())]
        assert not [output for output in outputs if output.output_type == "error"], student


def test_the_marks_are_those_of_the_functions(graded):
    totals = {student: sum(points for points, _ in one.values()) for student, one in marks(graded).items()}
    assert totals == {"anna": 100, "ben": totals["ben"], "chloe": 100, "dario": 100, "emma": 100}
    assert totals["ben"] < 100


def test_tags_and_metadata_of_a_submission_count_for_nothing(graded):
    """Else a tag would save a cell from being run, and let its forged output stand in its place."""
    found = shown(graded, "dario")
    assert found["print('ran all the same')"] == ["ran all the same\n"]
    assert [name for name, outputs in found.items() if LABEL in outputs or NOTHING in outputs] == ["training", "last"]
    assert found["kept"] == ["kept 42 0.5 2\n"]
    assert not any("forged" in output for outputs in found.values() for output in outputs)
    assert not [cell.id for cell in executed(graded, "dario").cells if submitted_outputs.KEY in cell.metadata]


def test_a_flood_of_handed_in_outputs_is_bounded_and_that_is_told(graded):
    path = graded.autograded(ASSIGNMENT, "emma") / f"{ASSIGNMENT}.ipynb"
    assert path.stat().st_size < 3_000_000
    found = shown(graded, "emma")
    assert found["training"][0] == LABEL
    assert "cut here by the grader" in found["training"][1] or submitted_outputs.TOO_LARGE in found["training"]
    assert any("nested too deeply" in one or "too much markup" in one for one in found["training"])
    assert len(found["last"]) <= 55
    assert submitted_outputs.TOO_LARGE in found["last"]


def test_no_script_that_was_handed_in_reaches_a_page(graded):
    (page,) = generation.feedback(graded, ASSIGNMENT, ["anna"])
    written = page.path.read_text(encoding="utf-8")
    rendered = "".join(
        output.data["text/html"] for cell in formgrader(graded, "anna").cells for output in cell.get("outputs", ())
    )
    for html_text in (written, rendered):
        assert "<b>bold</b>" in html_text
        assert "alert(" not in html_text
        assert f'<p class="absent">{LABEL}</p>' in html_text


def formgrader(course: Course, student: str):
    """What the Formgrader shows."""
    resources = {"student": student, "assignment_id": ASSIGNMENT}
    return RenderCells().preprocess(executed(course, student), resources)[0]


def hints(course: Course, student: str) -> list[str]:
    return [cell.source for cell in formgrader(course, student).cells if "--run-experiments" in cell.source]


def test_whoever_marks_an_answer_behind_experiments_is_told_how_to_run_them_and_the_command_does_it(
    course, monkeypatch
):
    (hint,) = hints(course, "anna")
    assert f"coursekit grade {ASSIGNMENT} --student anna --run-experiments" in hint
    before = marks(course)
    command = [sys.executable, "-W", "ignore", "-m", "coursekit", "grade", ASSIGNMENT, "--student", "anna"]
    subprocess.run([*command, "--run-experiments"], cwd=course.root, check=True, capture_output=True)
    assert shown(course, "anna")["training"] == ["trained\n"]
    assert shown(course, "anna")["last"] == ["last 2\n"]
    assert shown(course, "anna")["print(max(history))"] == ["2\n"]
    assert hints(course, "anna") == []
    assert marks(course) == before
    stood = {
        one.student: one.unchanged for one in grade.grade(course, ASSIGNMENT, options=GradingOptions(TimeLimits(30)))
    }
    assert stood == dict.fromkeys(before, True), "a result with experiments is as good as one without"


def test_a_result_without_experiments_does_not_stand_where_they_have_to_be_run(course):
    def regraded(**limits):
        done = grade.grade(course, ASSIGNMENT, options=GradingOptions(TimeLimits(**limits), jobs=2))
        return {one.student for one in done if not one.unchanged}

    assert regraded() == set()
    assert receipts.read(course.autograded(ASSIGNMENT, "anna")).experiments is False
    assert regraded(experiments=True) == {"anna", "ben", "chloe", "dario", "emma"}
    assert regraded() == regraded(experiments=True) == set()


def test_nobody_is_asked_again_about_an_answer_because_experiments_are_run_or_no_longer_are(course):
    from nbgrader.api import Gradebook

    with Gradebook(course.db_url) as book:
        mark = book.find_grade("opinion", ASSIGNMENT, ASSIGNMENT, "anna")
        mark.manual_score, mark.needs_manual_grade = 0.0, False
        book.db.commit()
    for experiments in (True, False):
        options = GradingOptions(TimeLimits(experiments=experiments))
        grade.grade(course, ASSIGNMENT, ["anna"], options, again=Again(force=True))
        with Gradebook(course.db_url) as book:
            assert not book.find_grade("opinion", ASSIGNMENT, ASSIGNMENT, "anna").needs_manual_grade


@pytest.mark.nightly
@pytest.mark.parametrize("options", [[], ["--CourseKit.run_experiments=True"]], ids=["not run", "run"])
def test_stock_nbgrader_gives_the_same_marks_and_shows_the_same(course, options):
    expected = marks(course)
    if options:
        grade.grade(course, ASSIGNMENT, options=GradingOptions(TimeLimits(experiments=True), jobs=2))
    ours = {student: shown(course, student) for student in expected}
    shutil.rmtree(course.root / "autograded")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-W", "ignore", "-m", "nbgrader", "autograde", ASSIGNMENT, "--force", *options]
    done = subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert marks(course) == expected
    for student in expected:
        found = shown(course, student)
        assert {name for name, outputs in found.items() if {LABEL, NOTHING} & {*outputs}} == {
            name for name, outputs in ours[student].items() if {LABEL, NOTHING} & {*outputs}
        }
        if student != "emma":  # nbgrader's LimitOutput cuts at other places
            assert found == ours[student]


def test_a_label_that_was_handed_in_is_not_shown_twice_and_labelling_twice_changes_nothing():
    once = labelled([display(**{"text/plain": LABEL}), stream("a"), display(**{"text/plain": NOTHING})], Room())
    assert [plain(output) for output in once] == [LABEL, "a"]
    assert labelled(once, Room()) == once
    assert is_labelled({"cell_type": "code", "outputs": once})


def test_the_label_is_shown_where_there_is_no_room_left():
    shown = labelled([stream("abc")], Room(chars=0, outputs=0))
    assert plain(shown[0]) == LABEL


READ = json.dumps({"cells": [code("a", "x = 1", [stream("of a")]), code("b", "y = 1", [stream("of b")])]}).encode()


def test_outputs_are_read_only_of_cells_that_are_not_run():
    def kept(run):
        (found,) = salvage.notebooks_in(READ, "n.ipynb", run)
        return [[one.text for one in submitted_outputs.stored(cell)] for cell in found.notebook.cells]

    assert kept(None) == [[], []]
    assert kept(frozenset({"a"})) == [[], ["of b"]]
    assert kept(frozenset()) == [["of a"], ["of b"]]


ODD = {
    "numbers": {"output_type": "execute_result", "data": {"text/plain": "x"}, "execution_count": 10**1000,
                "metadata": {"width": 10**1000, "height": float("nan"), "alt": "\ud83d", "image/png": {"width": 1e4}}},
    "text": {"output_type": "stream", "name": ["stdout"], "text": ["a\ud83d", 7, None]},
    "error": {"output_type": "error", "ename": {}, "evalue": 7, "traceback": [["a", "b"], None, 7]},
    "kinds": {"output_type": "display_data", "data": {"text/html": ["<b>", "x"], "application/x-evil+json": {"a": 1}}},
    "nothing": {"output_type": "display_data", "data": []},
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_outputs_are_kept_in_a_form_that_every_file_can_hold(name):
    cell = new_code_cell("x")
    submitted_outputs.store(cell, [ODD[name]], submitted_outputs.OutputBudget())
    kept = submitted_outputs.stored(cell)
    json.dumps(kept, allow_nan=False, ensure_ascii=False).encode()
    made = labelled(kept, Room())
    assert made[0].data["text/plain"] == LABEL
    assert not [output for output in made if "evil" in json.dumps(output)]


FLOODS = {"dicts": '{"":1}', "nested": '{"":[{}]}', "texts": '"a"', "numbers": "1"}


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("where", ['"data": {"text/plain": [%s]}', '"metadata": {"a": [%s]}', '"data": {"a": [%s]}'])
def test_outputs_made_of_millions_of_small_things_cost_no_memory(name, where):
    flood = ",".join([FLOODS[name]] * ((3 << 20) // len(FLOODS[name])))
    outputs = ",".join(['{"output_type": "display_data", %s}' % (where % flood)] * 4)
    data = READ.replace(b'"x = 1", "outputs": [', f'"x = 1", "outputs": [{outputs},'.encode())
    assert len(data) > 10 << 20
    tracemalloc.start()
    began = time.process_time()
    try:
        (found,) = salvage.notebooks_in(data, "n.ipynb", frozenset())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 5
    assert peak < 60 << 20
    assert [one.text for one in submitted_outputs.stored(found.notebook.cells[1])] == ["of b"]
