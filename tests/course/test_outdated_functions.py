"""A public test does not call an answer right that is older than the cell which the student has run last."""

import json
import os
import subprocess
import sys

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from coursekit.marking import outputs
from coursekit.sandbox.bubblewrap import GUEST
from tests.classroom import ROOT
from tests.course import answers

FOLDERS = os.pathsep.join([str(answers.COURSE.folder("step-by-step")), str(ROOT)])
RIGHT = answers.cells("step-by-step")
LINEAR = RIGHT["linear_forward"]
BROKEN = LINEAR.replace("Z = W", "Z = = W")
assert BROKEN != LINEAR
LINE = 1 + next(number for number, line in enumerate(BROKEN.splitlines()) if "Z = = W" in line)
START = "import numpy as np\nfrom dnn_utils import *\nfrom public_tests import *"
TEST = "linear_forward_test(linear_forward)"
FIX = "Fix that cell and run it."
OLD = "This is an older linear_forward: the cell with `def linear_forward` that you ran last "

# What is run after a right linear_forward, and what its test then says; "" where it is right.
LATER = {
    "nothing": ([], ""),
    "a syntax error": ([BROKEN], f"{OLD}stopped with a SyntaxError in its line {LINE}. {FIX}"),
    "a wrong indentation": ([LINEAR.replace("    Z =", "  Z =")], "IndentationError"),
    "an error above the def": ([f"nothing_of_this_name\n{LINEAR}"], f"{OLD}stopped with an error before it came"),
    "a syntax error, and then fixed": ([BROKEN, LINEAR], ""),
    "a syntax error, and then another answer": ([BROKEN, LINEAR + "\n\n\n# better"], ""),
    "an error below the def": ([f"{LINEAR}\n\nnothing_of_this_name"], ""),
    "a syntax error in another cell": (["def other(:", f"# linear_forward\n{BROKEN}"[:20]], ""),
    "a def in a text": ([f"text = '''\n{LINEAR.replace(chr(39) * 3, '')}'''"], ""),
    "an older one by name": (["kept = linear_forward", LINEAR + "\n# 2", "linear_forward = kept"], ""),
    "a syntax error, then one by name": ([BROKEN, "linear_forward = lambda A, W, b: (W @ A + b, (A, W, b))"], ""),
    "a magic": (["%%time\n" + LINEAR], ""),
}
CALLER = "linear_activation_forward"
CALLS = [LINEAR, RIGHT["linear_activation_forward"], BROKEN, f"{CALLER}_test({CALLER})"]


def plan():
    """All cells, and where in them the test of each case stands."""
    cells, tests = [START], {}
    for name, (later, _) in LATER.items():
        cells += ["%reset_selective -f ^linear_forward$", f"# {name}\n{LINEAR}", *later, TEST]
        tests[name] = len(cells) - 1
    cells += CALLS
    tests["a function that it calls"] = len(cells) - 1
    return cells, tests


def in_kernel(cells, folder):
    nb = new_notebook(cells=[new_code_cell(source) for source in cells])
    client = NotebookClient(nb, timeout=240, allow_errors=True, resources={"metadata": {"path": str(folder)}})
    env = {**os.environ, "PYTHONPATH": FOLDERS, "IPYTHONDIR": str(folder / ".ipython")}
    env.pop("PYTEST_CURRENT_TEST", None)  # ipykernel listens to no descriptors under pytest
    with client.setup_kernel(env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        for index, cell in enumerate(nb.cells):
            client.execute_cell(cell, index)
    return [cell.outputs for cell in nb.cells]


def in_sandbox_shell(cells, folder):
    """The shell of the sandbox, in a process of its own."""
    driver = """
import json, os, sys
answer = os.fdopen(os.dup(1), "w")
from guest.shell import make_shell
shell, events = make_shell(), []
cells = json.load(sys.stdin)
shell.attach(events.append, os.getcwd())
told = []
for cell in cells:
    events.clear()
    shell.run(cell, True)
    told.append(list(events))
answer.write(json.dumps(told))
answer.flush()
os._exit(0)
"""
    path = os.pathsep.join([str(GUEST.parent), FOLDERS])
    done = subprocess.run([sys.executable, "-c", driver], cwd=folder, input=json.dumps(cells), text=True,
                          capture_output=True, check=True, env={**os.environ, "PYTHONPATH": path})  # fmt: skip
    return [outputs.build(events) for events in json.loads(done.stdout)]


@pytest.fixture(scope="module", params=[in_kernel, in_sandbox_shell], ids=["kernel", "sandbox shell"])
def said(request, tmp_path_factory):
    """What the test said in each case: what it printed, or its report."""
    cells, tests = plan()
    found = request.param(cells, tmp_path_factory.mktemp("notebook"))
    return {name: "".join(map(words, found[place])) for name, place in tests.items()}  # a kernel flushes by the clock


def words(output):
    return output.text if output.output_type == "stream" else output.evalue


@pytest.mark.parametrize("name", LATER)
def test_an_answer_is_tested_as_its_cell_was_run_last(said, name):
    """After a SyntaxError the kernel has the function of before, and the test said "Right" to it."""
    text = said[name]
    _, report = LATER[name]
    assert (report or "Right on these examples") in text
    assert text.startswith("This is an older") == bool(report)
    assert len(text.splitlines()) == 1 or not report


def test_so_is_a_function_that_the_answer_calls(said):
    text = said["a function that it calls"]
    assert text.startswith(f"Your {CALLER} calls an older linear_forward: ")
