"""What one run of a notebook learns from the grader helps no other, by whatever way it is passed on.

Two processes on one machine always have a way. So most tests here give the attacker one that no sandbox has: the test
itself carries every byte from one process to all that begin later.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.grading import grade, gradebook
from coursekit.marking.runner import Run
from coursekit.marking.stop_reasons import DISCLOSED
from coursekit.sandbox import client, isolation
from tests.attacks import PAGE_CACHE, PERFECT, QUICK, Room, leaked, printed, said, thieves
from tests.classroom import ASSIGNMENT, hand_in, small_course

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")


@pytest.fixture(scope="module")
def room(course):
    with Room(course, limits=QUICK) as room:
        yield room


@pytest.fixture
def carried(monkeypatch):
    """The perfect channel: what was stored last, and how often a process has found something in it."""
    loot, found = [""], []
    ask, child = client.Child.ask, client.Sandbox.child

    def listening(self, *args, **kwargs):
        reply = ask(self, *args, **kwargs)
        for event in reply.events:
            loot[0] = str(event.get("loot", loot[0]))
        return reply

    def furnished(self, files):
        found.append(bool(loot[0]))
        return child(self, {**files, "loot.txt": base64.b64decode(loot[0])} if loot[0] else files)

    monkeypatch.setattr(client.Child, "ask", listening)
    monkeypatch.setattr(client.Sandbox, "child", furnished)
    return found


STOLEN = [
    ("kill", "L_model_backward"),  # all that there is to steal
    ("kill", "linear_activation_forward"),  # before others are tried a second time
    ("exit", "linear_activation_forward"),  # which no run is repeated for: a new process in the same run
]


@pytest.mark.parametrize(("how", "last"), STOLEN)
def test_references_that_were_stolen_in_a_second_try_are_worth_nothing(room, carried, how, last):
    """The notebook ends its process to have another one begin, which finds the sources of the right functions."""
    marked = room.mark(thieves(room, PERFECT, how, last))
    assert any(carried)
    assert room.marks(marked) == dict.fromkeys(room.points, 0.0), said(marked)
    assert "def linear_forward" not in printed(marked) + said(marked)


def test_hidden_inputs_that_were_stolen_are_not_shown(room, carried):
    """The cells of a run that began later print them: shown is what the first run printed."""
    notebook = thieves(room, PERFECT, "kill", "compute_cost", what="inputs", show=True)
    marked = room.mark(notebook)
    assert any(carried)
    assert "LOOT 0" in printed(marked)
    assert leaked(room, marked) == set()


def test_hidden_inputs_are_not_told_as_the_error_of_a_cell(room, carried):
    """In a later run an answer's own cell raises what was stolen, which is quoted where a function is not defined."""
    notebook = thieves(room, PERFECT, "kill", "linear_forward", what="inputs")
    tells = "if TEXT: raise ValueError(TEXT[:200])\ndef compute_cost(AL, Y):\n    return 0.0"
    for cell in notebook.cells:
        cell.source = tells if cell.id == "compute-cost" else cell.source
    marked = room.mark(notebook)
    assert any(carried)
    assert "array" not in said(marked)
    assert leaked(room, marked) == set()


def test_a_function_is_not_tried_in_a_process_that_began_after_its_reference_was_in_another(room, monkeypatch):
    """The rule itself, whatever led there: the same right function is tried in a process that began before."""
    rows, questions = room.rows, room.marker._calls
    cost, forward = rows["compute_cost"], rows["linear_activation_forward"]
    notebook, disclosed = room.rebuilt(room.notebook()), set()
    with Run(room.marker._sandbox, notebook, room.marker._rows, {}, QUICK, disclosed) as run:
        run.run_cells()
        brings = {**questions[forward.key], **room.marker._references.for_exercise(forward), "source": ""}
        assert run.call(forward, brings, retry=True)["defined"]
        assert disclosed == {"linear_forward"}
        assert run.call(rows["linear_forward"], questions[rows["linear_forward"].key])["defined"]
        run._process.lose("a step", "for this test")  # the next one begins anew
        assert DISCLOSED in run.call(rows["linear_forward"], questions[rows["linear_forward"].key])
        assert run.call(cost, questions[cost.key])["defined"]
    with Run(room.marker._sandbox, notebook, room.marker._rows, {}, QUICK, disclosed) as run:
        run.run_cells()
        assert DISCLOSED in run.call(rows["linear_forward"], questions[rows["linear_forward"].key])


# --- the page cache, through every door that leads to a mark ----------------------------------------------------

# Stock nbgrader and the Formgrader's button in one process, for a sandbox takes longer to start than two students.
STOCK = """
import json
from pathlib import Path
from jupyter_core.application import NoStart
from nbgrader.apps import NbGrader, NbGraderAPI
from nbgrader.apps.nbgraderapp import NbGraderApp
from coursekit.grading import gradebook
from coursekit.model.course import Course

def result():
    course = Course(Path.cwd())
    marks = {one.student: sum(mark.earned for mark in one.marks) for one in gradebook.read(course, "step-by-step")}
    pages = Path("autograded").rglob("step-by-step.ipynb")
    return marks, "".join(path.read_text("utf-8") for path in pages)

command = NbGraderApp()
command.initialize(["autograde", "step-by-step", "--force"])
try: command.start()
except NoStart: pass  # so Jupyter says that a subcommand has run
results = [result()]
app = NbGrader()
app.initialize([])
for student in ("ann", "eve"):
    done = NbGraderAPI(coursedir=app.coursedir, parent=app).autograde("step-by-step", student)
    assert done["success"], done
print(json.dumps([*results, result()]))
"""


def test_the_page_cache_carries_nothing_by_any_of_the_three_commands(course, tmp_path):
    """An accomplice stores references; the next student reads them, and kills herself to be run again."""
    with Room(course) as room:
        handed_in = {
            "ann": thieves(room, PAGE_CACHE),
            "eve": thieves(room, PAGE_CACHE, "kill"),
        }
        secrets = room.secrets()
    there = small_course(tmp_path / "course")
    for student, notebook in handed_in.items():
        hand_in(there, student, json.dumps(notebook))

    grade.grade(there, ASSIGNMENT)
    ours = {one.student: sum(mark.earned for mark in one.marks) for one in gradebook.read(there, ASSIGNMENT)}
    pages = "".join(path.read_text("utf-8") for path in (there.root / "autograded").rglob("step-by-step.ipynb"))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-W", "ignore", "-c", STOCK]
    done = subprocess.run(command, cwd=there.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]

    for marks, shown in [(ours, pages), *json.loads(done.stdout.splitlines()[-1])]:
        assert marks == dict.fromkeys(handed_in, 0.0)
        assert shown.count("no channel: PermissionError") == len(handed_in)
        assert not {secret for secret in secrets if secret in shown}
