"""The sandbox's shell shows what a real kernel shows: the same cells are run in both, and their outputs compared."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from coursekit.marking import outputs
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.sandbox.bubblewrap import GUEST
from coursekit.sandbox.guest import interactive
from tests.classroom import ROOT, brief_source
from tests.engine.oddities import ODDITIES
from tests.patience import ended

# A fork server in small: one shell, and a child of it for each list of cells; what the child says goes out as it is.
DRIVER = """
import json, os, sys, threading
from guest.shell import make_shell

shell = make_shell()
assert threading.active_count() == 1
for line in sys.stdin:
    cells, folder = json.loads(line)
    if os.fork():
        os.wait()
        print("null", flush=True)
        continue
    channel = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.chdir(folder)

    def send(event):
        channel.write(json.dumps(event) + chr(10))
        channel.flush()

    shell.attach(send, folder)
    for source, store_history in cells:
        if source == "KEEP":
            shell.take_snapshot("here")
        elif source == "RESTORE":
            shell.restore("here")
        send({"done": True, **shell.run(source, store_history)})
    os._exit(0)
"""

UNHURRIED = "import sys; sys.stdout.flush_interval = sys.stderr.flush_interval = 600; del sys"

NOT_STORED = ("no-history", "no-history-error")

ASSIGNMENTS = ("step-by-step", "application", "digits")

SAME = (
    (re.compile(r"0x[0-9a-f]{6,}"), "0xADDRESS"),
    (re.compile(r"/tmp/\S*ipykernel_\d+/\d+\.py"), "CELL.py"),
    (re.compile(r"\(\d+\.py, line"), "(CELL.py, line"),
    (re.compile(r"ForkProcess-\d+|Thread-\d+|Task-\d+"), "NAME"),
    (re.compile(r"( [\d,]+ +\d+) +\d+\.\d(?= +\d\.\d{3}\\n)"), r"\1 SECONDS"),  # the table of the digits' networks
    (re.compile(r"\d+(\.\d+)?(e[+-]\d+)? (ns|[µμu]s|ms|s)\b"), "TIME"),
)
"""What differs from one run of the same kernel to the next."""

CAPPED = ("long-lines", "error-recursion")
"""Cells that show more than is kept: the kernel's outputs are capped by the same rules before they are compared."""


class Server:
    """The driver, running."""

    def __init__(self):
        env = {**os.environ, "PYTHONPATH": f"{GUEST.parent}:{ROOT}", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True
        )

    def run(self, cells, folder):
        """What a new child answers to each of the cells: (events, done)."""
        stored = [cell if isinstance(cell, tuple) else (cell, True) for cell in cells]
        self.process.stdin.write(json.dumps([stored, str(folder)]) + "\n")
        self.process.stdin.flush()
        answers, events = [], []
        for line in self.process.stdout:
            event = json.loads(line)
            if event is None:
                break
            if "done" in event:
                answers.append((events, event))
                events = []
            else:
                events.append(event)
        assert len(answers) == len(cells), f"the child ended early: {events[-3:]}"
        return answers

    def until_death(self, source, folder):
        """What a child says that dies in a cell: (events, done)."""
        self.process.stdin.write(json.dumps([[(source, True)], str(folder)]) + "\n")
        self.process.stdin.flush()
        said = [json.loads(line) for line in iter(self.process.stdout.readline, "null\n")]
        return [event for event in said if "done" not in event], next(
            (event for event in said if "done" in event), None
        )

    def outputs(self, cells, folder):
        """The outputs of each of the cells."""
        shown = {}
        return [outputs.build(events, displays=shown) for events, _ in self.run(cells, folder)]


@pytest.fixture(scope="module")
def server():
    running = Server()
    yield running
    running.process.stdin.close()
    ended(running.process)
    running.process.stdout.close()


def run_in_kernel(cells, folder):
    """The outputs of each of the cells in ipykernel, run by nbclient."""
    nb = new_notebook(cells=[new_code_cell(source) for source, _ in cells])
    # A kernel also flushes by the clock: on a busy machine, two streams would come in another order at times.
    startup = folder / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "unhurried.py").write_text(UNHURRIED)
    client = NotebookClient(
        nb, timeout=3600, startup_timeout=3600, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / ".ipython"), "OMP_NUM_THREADS": "1"}
    env.pop("PYTEST_CURRENT_TEST", None)  # ipykernel listens to no descriptors under pytest
    env.pop("MPLBACKEND", None)
    with client.setup_kernel(env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        for index, (_, store_history) in enumerate(cells):
            client.execute_cell(nb.cells[index], index, store_history=store_history)
    return [joined(cell.outputs) for cell in nb.cells]


def joined(found):
    """The outputs with all pieces of a stream at the place of the first."""
    whole, streams = [], {}
    for output in found:
        if output.output_type == "stream" and output.name in streams:
            streams[output.name].text += output.text
        else:
            whole.append(output)
            if output.output_type == "stream":
                streams[output.name] = output
    return whole


def course_cells(assignment):
    """The code cells of a solution notebook, by id; its networks are trained for a moment only.

    Of those that are one call of a drawing function and no more, the first one: pictures are made in the same way all.
    """
    shortest = re.sub(r"\b(steps|num_iterations)=[23]0[01]\b", r"\1=101", brief_source(assignment))
    nb = nbformat.reads(shortest, as_version=4)
    sources = {cell.id: notebooks.without_hidden(cell.source) for cell in nb.cells if cell.cell_type == "code"}
    drawings = [name for name, source in sources.items() if re.fullmatch(r"draw_\w+\(.*\)", source.strip())]
    assert drawings
    return {f"{assignment}/{name}": source for name, source in sources.items() if name not in drawings[1:]}


CELLS = {name: cell for assignment in ASSIGNMENTS for name, cell in course_cells(assignment).items()} | ODDITIES


@pytest.fixture(scope="module")
def both(server, tmp_path_factory):
    """The outputs of every cell, in a kernel and in the shell."""
    folders = [tmp_path_factory.mktemp(name) for name in ("kernel", "shell")]
    for folder in folders:
        for assignment in ASSIGNMENTS:
            for name, path in Course(ROOT).trusted_files(assignment).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / name)
    cells = [(source, name not in NOT_STORED) for name, source in CELLS.items()]
    with ThreadPoolExecutor() as pool:
        running = pool.submit(server.outputs, cells, folders[1])
        kernel = run_in_kernel(cells, folders[0])
        shell = running.result()
    seen = {}
    for name, ours, theirs in zip(CELLS, shell, kernel, strict=True):
        capped = outputs.build([{"output": output} for output in theirs]) if name in CAPPED else theirs
        seen[name] = (comparable(capped, folders[0]), comparable(ours, folders[1]))
    return seen


def comparable(found, folder):
    """The outputs as data, without what differs from run to run, and without ipykernel's own frames in tracebacks."""
    for output in found:
        if output.output_type == "error":
            output.traceback = [line for line in output.traceback if "/ipykernel/" not in line]
    text = json.dumps(found, indent=1, ensure_ascii=False).replace(str(folder), "FOLDER")
    for pattern, word in SAME:
        text = pattern.sub(word, text)
    return json.loads(text)


@pytest.mark.parametrize("name", CELLS)
def test_the_shell_shows_what_a_kernel_shows(both, name):
    """What is read in a graded notebook is what its author saw."""
    kernel, shell = both[name]
    assert shell == kernel


def test_two_runs_give_the_same_bytes(server, tmp_path):
    """A regrading that changes nothing must not look like a change."""
    names = [
        "streams",
        "stderr-first",
        "stream-around-display",
        "figure",
        "figure-two",
        "error",
        "syntax",
        "warning-numpy",
    ]
    cells = [
        "import sys, numpy as np",
        *(ODDITIES[name] for name in names),
        "print('x' * 10**6, file=sys.stderr)\nprint('y')",
    ]
    assert server.outputs(cells, tmp_path) == server.outputs(cells, tmp_path)


def test_the_answer_says_how_a_cell_ended(server, tmp_path):
    """The runner decides by it whether an exercise's cell ran."""
    cells = ["1", "1 / 0", "x = (", "class R:\n    def __repr__(self):\n        1 / 0\nR()", ("2", False), "pass"]
    done = [answer for _, answer in server.run(cells, tmp_path)]
    assert [answer["status"] for answer in done] == ["ok", "error", "error", "error", "ok", "ok"]
    assert [answer["execution_count"] for answer in done] == [1, 2, 3, 4, 4, 5]
    assert not any(answer["exit"] for answer in done)


@pytest.mark.parametrize(
    ("source", "leaves"),
    [("exit", True), ("quit()", True), ("exit(keep_kernel=True)", False), ("import sys; sys.exit()", False)],
)
def test_a_cell_that_asks_the_kernel_to_exit_is_reported(server, tmp_path, source, leaves):
    """A kernel would be gone after exit() and quit(); after sys.exit() it lives on."""
    (_, done), (_, after) = server.run([source, "1"], tmp_path)
    assert (done["exit"], after["exit"]) == (leaves, False)


def test_snapshots_bring_the_variables_back(server, tmp_path):
    """Hidden inputs meet a function in the state that the student's notebook had behind its test cell."""
    cells = [
        "def f():\n    return helper\nhelper = 1",
        "KEEP",
        "helper = 2\nnew = 3\ndel f",
        "RESTORE",
        "f(), 'new' in globals()",
    ]
    assert server.outputs(cells, tmp_path)[-1][0].data["text/plain"] == "(1, False)"


def test_interrupts_at_any_moment_break_nothing(server, tmp_path):
    """A cell's timeout is a SIGINT from outside, which may come in the middle of anything that the shell does."""
    # It ends as soon as the shell comes to the cells that wait for its end: not one of its shots is left for the last.
    volley = (
        "import os, signal, threading\n"
        "over, shell = threading.Event(), get_ipython()\n"
        "def fire():\n"
        "    while shell.execution_count < 32 and not over.wait(0.007):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "thread = threading.Thread(target=fire)\n"
        "thread.start()"
    )
    until_hit = "while True:\n    print(1)\n    display(2)"
    wait = "over.set()\nthread.join()"
    waiting = [*[wait] * 19, "over.is_set() and not thread.is_alive()"]  # the first of them may be hit
    cells = [volley, *[until_hit, "await asyncio.sleep(0.01)", "pass"] * 10, *waiting, "print('alive')"]
    answers = server.run(cells, tmp_path)
    interrupted = [done for _, done in answers[1:31] if done["status"] == "error"]
    assert len(interrupted) >= 10
    assert outputs.build(answers[-2][0])[0].data["text/plain"] == "True"
    assert "KeyboardInterrupt" in json.dumps([events for events, _ in answers])
    assert outputs.build(answers[-1][0])[0].text == "alive\n"


def test_finalizers_and_signal_handlers_may_print(server, tmp_path):
    """They run between any two steps of the shell, also while it sends."""
    cells = [
        "import gc, signal\n"
        "class D:\n"
        "    def __init__(self):\n"
        "        self.me = self\n"
        "    def __del__(self):\n"
        "        print('del')\n"
        "gc.set_threshold(1)\n"
        "signal.signal(signal.SIGALRM, lambda *_: print('alarm', flush=True))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)\n"
        "for i in range(2000):\n"
        "    D(); print(i)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)",
    ]
    text = server.outputs(cells, tmp_path)[0][0].text
    assert re.findall(r"\d+", text) == [str(i) for i in range(2000)]
    assert text.count("del") >= 1900
    assert "alarm" in text


def test_a_runaway_print_stays_within_bounds(server, tmp_path):
    """The grader's memory and time must not depend on how much a submission prints."""
    (events, _), (later, _) = server.run(["for _ in range(5_000):\n    print('x' * 1000)", "print('next')"], tmp_path)
    assert sum(len(event["output"]["text"]) for event in events) <= 2_000_000
    assert outputs.build(events)[0].text.endswith(f"[{outputs.CUT}]\n")
    assert outputs.build(later)[0].text == "next\n"


def test_a_thread_that_prints_for_ever_stays_within_bounds(server, tmp_path):
    """It goes on between the cells, when nobody reads."""
    flood = (
        "import threading\n"
        "def go():\n"
        "    while True:\n"
        "        print('x' * 1000)\n"
        "threading.Thread(target=go, daemon=True).start()"
    )
    answers = server.run([flood, *["import time; time.sleep(0.05)"] * 5], tmp_path)
    for events, _ in answers:
        assert sum(len(event["output"]["text"]) for event in events if "output" in event) <= 2_100_000


def test_last_words_of_a_dying_child_are_seen(server, tmp_path):
    """They tell the student what killed the notebook."""
    events, done = server.until_death("print('last words')\nimport os\nos._exit(1)", tmp_path)
    assert outputs.build(events)[0].text == "last words\n"
    assert done is None


def test_a_fork_of_the_students_does_not_answer_twice(server, tmp_path):
    """A forgotten os.fork() makes two processes that both come out of the cell."""
    cells = ["import os\npid = os.fork()\nif pid:\n    os.waitpid(pid, 0)\nprint('mine' if pid else 'its')", "pid > 0"]
    first, second = server.outputs(cells, tmp_path)
    assert first[0].text == "its\nmine\n"
    assert second[0].data["text/plain"] == "True"


def test_closed_descriptors_do_not_stop_the_shell(server, tmp_path):
    """A student may close what the shell listens to; then it hears nothing there, and runs on."""
    cells = [
        "import os\nos.system('echo heard')",
        "os.close(1)\nos.close(2)\nprint('printed')",
        "os.closerange(90, 256)\nprint('closed')",
        "print('still')\nos.system('echo unheard')",
    ]
    shown = server.outputs(cells, tmp_path)
    assert [cell[0].text for cell in shown] == ["heard\n", "printed\n", "closed\n", "still\n"]


def test_text_that_cannot_be_encoded_is_shown_with_a_sign_in_its_place(server, tmp_path):
    """A lone surrogate would break the notebook's file."""
    cells = [
        r"print('a\ud800b')",
        "x = '\udfff'",
        r"display({'text/plain': '\ud800'}, raw=True)",
        r"raise ValueError('\ud800')",
        "print('on')",
    ]
    shown = server.outputs(cells, tmp_path)
    assert shown[0][0].text == "a\ufffdb\n"
    assert "\ufffd" in shown[2][0].data["text/plain"]
    assert shown[3][0].evalue == "\ufffd"
    assert shown[4][0].text == "on\n"
    json.dumps(shown, ensure_ascii=False).encode()


def test_an_exception_that_cannot_be_told_is_shown(server, tmp_path):
    """ipykernel shows nothing at all; a student would look for the error in vain."""
    source = "class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E()"
    (output,), _ = server.outputs([source, "1"], tmp_path)
    assert (output.ename, output.evalue) == ("E", "<exception str() failed>")


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasyncio.get_running_loop().stop()",
        "import asyncio\nasyncio.get_running_loop().stop()\nawait asyncio.sleep(0.1)",
        "import asyncio\nasyncio.get_running_loop().close()",
        "import asyncio, sys\nasyncio.get_running_loop().call_soon(sys.exit)\nawait asyncio.sleep(1)",
        "import asyncio\nasyncio.current_task().cancel()",
        "import asyncio\nfor task in asyncio.all_tasks():\n    task.cancel()\nawait asyncio.sleep(1)",
        "import asyncio, signal\n"
        "async def spin():\n    signal.setitimer(signal.ITIMER_REAL, 0.1)\n    while True:\n        pass\n"
        "signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))\n"
        "task = asyncio.create_task(spin())\nawait asyncio.sleep(0)\nawait asyncio.sleep(3)",
    ],
)
def test_whatever_a_cell_does_to_the_event_loop_the_next_cell_runs(server, tmp_path, source):
    """One cell's misfortune must not cost the next one."""
    cells = [source, "import asyncio\nprint(await asyncio.sleep(0, 'awaited'))", "print('plain')"]
    _, second, third = server.outputs(cells, tmp_path)
    assert second[0].text == "awaited\n"
    assert third[0].text == "plain\n"


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nsys.stdout = sys.stderr = None",
        "import sys\ndel sys.stdout",
        "get_ipython().user_ns.clear()",
        "get_ipython().displayhook = None\nget_ipython().display_pub = None",
        "import builtins\nbuiltins.print = None",
        "get_ipython().events.callbacks = None",
        "In.clear(); Out.clear()\nget_ipython().execution_count = 'x'",
    ],
)
def test_a_broken_shell_still_answers(server, tmp_path, source):
    """Whoever breaks the shell from within spoils his own outputs and nothing else: every cell gets its answer."""
    answers = server.run([source, "1 + 1", "x = 1"], tmp_path)
    assert len(answers) == 3


def test_a_print_that_is_interrupted_shows_no_frame_of_ours_and_none_that_ours_called():
    """Behind our own frames came the standard library's, with the path of this machine's Python."""

    @contextlib.contextmanager
    def interrupted():
        yield
        raise KeyboardInterrupt

    ours = {"block": interrupted()}
    write = compile("def write():\n    with block:\n        pass", interactive._OURS + "/streams.py", "exec")
    exec(write, ours)
    with pytest.raises(KeyboardInterrupt) as caught:
        ours["write"]()

    interactive._hide_our_frames(caught.value)

    files = {frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)}
    assert files == {__file__}
