"""What one run of a notebook learns from the grader helps no other, by whatever way it is passed on.

Two processes on one machine always have a way. So most tests here give the attacker one that no sandbox has: the test
itself carries every byte from one process to all that begin later.
"""

import base64
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.grading import grade, gradebook
from coursekit.marking.verdicts import RECORDED_ONLY
from coursekit.sandbox import client, isolation
from tests.attacks import PAGE_CACHE, PERFECT, QUICK, Room, leaked, learners, printed, said, thieves
from tests.classroom import ASSIGNMENT, hand_in, small_course

RESUBMISSIONS = 20

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")


@pytest.fixture(scope="module")
def room(course):
    with Room(course, limits=QUICK, nonces=map(str, itertools.count()).__next__) as room:
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


def test_right_results_of_earlier_runs_are_worth_nothing(room, carried):
    """Each retry asks the stand-ins of right functions for the results of every call that was seen, and passes them on.

    So the next submission returns right results in all recorded cases of these functions, and has no function.
    """
    marked = [room.mark(learners(room)) for _ in range(3)]
    assert any(carried)
    assert RECORDED_ONLY not in said(marked[0])
    assert RECORDED_ONLY in said(marked[-1])  # the channel works, and the recorded cases alone would have paid
    for one in marked:
        assert room.marks(one) == dict.fromkeys(room.points, 0.0), said(one)


@pytest.mark.parametrize("how", ["kill", "exit"])
def test_nor_are_they_in_another_run_of_the_same_grading(room, carried, how):
    """The notebook ends its process when it has learnt, to be run again."""
    marked = room.mark(learners(room, how))
    assert any(carried)
    assert room.marks(marked) == dict.fromkeys(room.points, 0.0), said(marked)


def test_an_accomplice_who_can_do_the_exercises_gives_nobody_points(room, carried):
    """Every call and every result of right functions is passed on: they are right for the inputs of that run only."""
    honest = room.mark(learners(room, answers=room.solutions_by_name()))
    assert room.marks(honest) == room.points
    for _ in range(2):
        marked = room.mark(learners(room))
        assert room.marks(marked) == dict.fromkeys(room.points, 0.0), said(marked)
    assert RECORDED_ONLY in said(marked)


@pytest.mark.nightly
def test_twenty_resubmissions_earn_nothing(room, carried):
    """What is known grows from run to run; it never contains a right answer to the next one."""
    for number in range(RESUBMISSIONS):
        marked = room.mark(learners(room))
        assert room.marks(marked) == dict.fromkeys(room.points, 0.0), (number, said(marked))
    assert sum(carried) >= RESUBMISSIONS - 1
    assert RECORDED_ONLY in said(marked)


@pytest.mark.nightly
def test_twenty_resubmissions_with_an_accomplice_before_each_earn_nothing(room, carried):
    """She has all answers right, every time, and passes on all that she was asked."""
    for number in range(RESUBMISSIONS):
        honest = room.mark(learners(room, answers=room.solutions_by_name()))
        assert room.marks(honest) == room.points
        marked = room.mark(learners(room))
        assert room.marks(marked) == dict.fromkeys(room.points, 0.0), (number, said(marked))
    assert RECORDED_ONLY in said(marked)


LOOK = """
import gc
SENIL = {lines!r}
def linear_activation_forward(A_prev, W, b, activation):
    texts = [value for one in gc.get_objects() if isinstance(one, dict) for value in list(one.values())]
    texts += [value.__doc__ for value in texts] + [getattr(value, "__code__", None) and value.__code__.co_consts
                                                   for value in texts]
    texts = [text for text in texts if isinstance(text, str)]
    found = [enil for enil in SENIL if any(enil[::-1] in text for text in texts)]
    raise ValueError(f"found {{len(found)}} of {{len(SENIL)}}")
"""


@pytest.mark.parametrize("there", [False, True], ids=["as it is", "with the lines in a variable"])
def test_no_line_of_a_right_function_enters_a_process(room, there):
    """In a retry, a function looks at the values of all dictionaries. The lines that it looks for are backwards."""
    wrong = {"linear_forward": "def linear_forward(A, W, b):\n    return W @ A - b, (A, W, b)"}
    searched = {"linear_forward", "L_model_backward", "linear_backward", "update_parameters"}
    others = room.notebook(wrong, blank=room.points.keys() - wrong.keys())
    text = "\n".join(cell.source for cell in others.cells)
    sources = [source for name, source in room.solutions_by_name().items() if name in searched]
    lines = {line.strip() for source in sources for line in source.splitlines() if " = " in line}
    lines = [line for line in lines if line not in text]
    assert len(lines) > 5
    look = LOOK.format(lines=[line[::-1] for line in lines]) + ("SHOWN = chr(10).join(SENIL)[::-1]" if there else "")
    blank = room.points.keys() - wrong.keys() - {"linear_activation_forward"}
    marked = room.mark(room.notebook({**wrong, "linear_activation_forward": look}, blank=blank))
    (told,) = [row.summary for row in marked.verdicts.exercises if row.function == "linear_activation_forward"]
    assert f"found {len(lines) if there else 0} of {len(lines)}" in told


def test_hidden_inputs_that_were_stolen_are_not_shown(room, carried):
    """The cells of a run that began later print them: shown is what the first run printed."""
    notebook = thieves(room, PERFECT, "kill", "compute_cost", show=True)
    marked = room.mark(notebook)
    assert any(carried)
    assert "LOOT 0" in printed(marked)
    assert leaked(room, marked) == set()


def test_hidden_inputs_are_not_told_as_the_error_of_a_cell(room, carried):
    """In a later run an answer's own cell raises what was stolen, which is quoted where a function is not defined."""
    notebook = thieves(room, PERFECT, "kill", "linear_forward")
    tells = "if TEXT: raise ValueError(TEXT[:200])\ndef compute_cost(AL, Y):\n    return 0.0"
    for cell in notebook.cells:
        cell.source = tells if cell.id == "compute-cost" else cell.source
    marked = room.mark(notebook)
    assert any(carried)
    assert "array" not in said(marked)
    assert leaked(room, marked) == set()


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


@pytest.mark.nightly
def test_the_page_cache_carries_nothing_by_any_of_the_three_commands(course, tmp_path):
    """An accomplice stores what she sees; the next student reads them, and kills herself to be run again."""
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
