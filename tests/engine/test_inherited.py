"""However somebody starts us, by nohup, in the background, from a service without any input: it decides nothing."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.grading import gradebook
from coursekit.sandbox import client as sandbox
from coursekit.sandbox import isolation
from tests.classroom import ASSIGNMENT, answered, hand_in, small_course

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seen through /proc")
needs_sandbox = pytest.mark.skipif(
    not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}"
)

# Ignored as by `nohup` and worse, all of them blocked, no standard stream open but for the output.
HOSTILE = """
import os, signal, sys
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
os.close(0)
os.execv(sys.argv[1], sys.argv[1:])
"""
STATE = "print([line for line in open('/proc/self/status') if line.startswith(('SigBlk', 'SigIgn'))])"
NOTHING = "['SigBlk:\\t0000000000000000\\n', 'SigIgn:\\t{}\\n']"
PYTHONS_OWN = f"{1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1:016x}"  # which every Python ignores


def from_a_hostile_start(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    whole = [sys.executable, "-S", "-c", HOSTILE, *command]
    return subprocess.run(whole, cwd=cwd, capture_output=True, text=True, check=False)


def test_what_the_tests_start_has_every_signal_as_by_default():
    done = subprocess.run([sys.executable, "-c", STATE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == NOTHING.format(PYTHONS_OWN)


def test_tests_that_are_started_by_nohup_or_worse_are_the_same_tests():
    mine = f"{__file__}::test_what_the_tests_start_has_every_signal_as_by_default"
    done = from_a_hostile_start(sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", mine,
                                cwd=Path(__file__).parents[2])  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@needs_sandbox
def test_a_cell_runs_the_same_however_the_grader_was_started():
    """What it starts can be ended, and its limits hold: they come as signals."""
    source = f"""
from coursekit.sandbox import client as sandbox
with sandbox.Sandbox({{}}) as box, box.child() as child:
    said = child.ask({{"op": "run", "source": {STATE!r}}}, 60)
    print(said.events[0]["output"]["text"].strip())
    print(child.ask({{"op": "run", "source": "while True: pass"}}, 0.3).end)
"""
    done = from_a_hostile_start(sys.executable, "-c", source, cwd=Path(__file__).parents[2])
    with sandbox.Sandbox({}) as box, box.child() as child:
        said = child.ask({"op": "run", "source": STATE}, 60).events[0]["output"]["text"].strip()
    assert said == NOTHING.format(PYTHONS_OWN)
    assert done.stdout.splitlines() == [said, "timeout"], done.stderr


@needs_sandbox
def test_a_program_that_a_cell_starts_can_be_terminated():
    """As in a kernel; where it is ignored, `terminate()` and `wait()` in a notebook would hang."""
    source = "import subprocess\np = subprocess.Popen(['sleep', '600'])\np.terminate()\nprint(p.wait())"
    with sandbox.Sandbox({}) as box, box.child() as child:
        reply = child.ask({"op": "run", "source": source}, 60)
    assert [event["output"]["text"] for event in reply.events] == ["-15\n"], reply


@needs_sandbox
@pytest.mark.nightly
def test_a_class_is_graded_the_same_with_every_signal_ignored_and_no_input(tmp_path):
    """With SIGCHLD ignored nobody learns how a child has ended; with the input closed, other files take its place."""
    course = small_course(tmp_path / "course")
    hand_in(course, "anna", answered(course))
    hand_in(course, "ben", answered(course, "cost = np.sum(losses) / m", "os._exit(1)"))
    command = ["-W", "ignore", "-m", "coursekit"]
    done = from_a_hostile_start(sys.executable, *command, "grade", ASSIGNMENT, "--jobs", "2", cwd=course.root)
    assert done.returncode == 0, done.stdout + done.stderr
    totals = {one.student: one.earned for one in gradebook.read(course, ASSIGNMENT)}
    assert totals["anna"] == 100
    assert 0 < totals["ben"] < 100


def test_closed_streams_lead_nowhere():
    """The first file that a process opens would else be its input, or what it prints would be written into it."""
    tell = "os.write(9, repr([os.readlink(f'/proc/self/fd/{number}') for number in (0, 1, 2)]).encode())"
    code = f"from coursekit.system import inherited; inherited.reset(); import os; {tell}"
    command = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)} 9>&1 0<&- 1>&- 2>&-"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=Path(__file__).parents[2], capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert done.stdout == repr([os.devnull] * 3)
