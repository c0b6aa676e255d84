"""On a busy machine everything is slow, and nobody's marks are lower: other programs' time is given back."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from coursekit.sandbox import client as sandbox
from coursekit.sandbox import isolation
from coursekit.sandbox.guest import caller
from coursekit.sandbox.reply import Reply
from coursekit.sandbox.timeouts import MAX_EXTENSION, CpuUsage, LoadAwareTimeout
from coursekit.system import processors

needs_sandbox = pytest.mark.skipif(
    not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}"
)
needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no processor can be chosen here")
COMPUTES = """
import time
while time.process_time() - began < {seconds}:
    pass
"""


def run(child, source: str, timeout_s: float) -> Reply:
    return child.ask({"op": "run", "source": source, "store_history": True}, timeout_s)


@contextlib.contextmanager
def crowded(others: int = 4):
    """This process and what it starts share one processor with others that compute all the time."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    spinning = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(others)]
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        for process in spinning:
            process.kill()
            process.wait()


@needs_sandbox
@needs_affinity
def test_a_right_but_slow_cell_is_not_stopped_because_the_machine_is_busy():
    """A class graded on a machine with other work to do gets the marks that it would get on a quiet one."""
    with sandbox.Sandbox({}, layers=isolation.require()) as box, crowded(), box.child() as child:
        reply = run(child, "import time; began = time.process_time()" + COMPUTES.format(seconds=1.6), timeout_s=2.0)
        assert (reply.end, reply.why) == ("done", "")
        assert child.cpu_steal_s() > 0.5
        endless = run(child, "while True: pass", timeout_s=0.4)
        assert endless.end == "timeout"


@needs_sandbox
@needs_affinity
def test_a_notebook_that_crowds_itself_gains_no_time():
    """Else a submission could hold a worker for ten times its limit by starting processes that compute."""
    crowd = "import os\nfor _ in range(6):\n    if os.fork() == 0:\n        while True: pass\nwhile True: pass"
    with sandbox.Sandbox({}, layers=isolation.require()) as box, box.child() as child:
        reply = run(child, crowd, timeout_s=2.0)
        used_s = box._server.usage().used_s
    assert reply.end in ("timeout", "lost")
    assert used_s < processors.available() * 2.0 * MAX_EXTENSION / 2  # else it had ten times its limit


@needs_affinity
def test_a_call_by_the_grader_is_not_stopped_because_the_machine_is_busy():
    """The limit for one call is kept inside the child, by a clock of its own."""

    def slow(x):
        began = time.process_time()
        while time.process_time() - began < 0.4:
            pass
        return x

    with crowded():
        seen = caller.observe(slow, "x", (), [("case", (1.0,))], call_timeout_s=0.8)
    assert "outputs" in seen["observations"][0]


@pytest.mark.parametrize(
    ("waited_s", "used_s", "extension_s"),
    [
        (0.0, 0.0, 0.0),  # it sleeps
        (0.0, 5.0, 0.0),  # it computes on a quiet machine
        (4.0, 1.0, 4.0),  # it computes on a busy one
        (5.0, 10.0, 0.0),  # its own processes take the processors from each other
    ],
)
def test_cpu_steal_time_extends_a_timeout(monkeypatch, waited_s, used_s, extension_s):
    now = [100.0]
    monkeypatch.setattr("coursekit.sandbox.timeouts.time.monotonic", lambda: now[0])
    told = iter([CpuUsage(7.0, 3.0), CpuUsage(7.0 + waited_s, 3.0 + used_s)])
    timeout = LoadAwareTimeout(lambda: next(told), limit_s=50.0)
    now[0] = 101.0
    assert timeout.left_s() == 49.0
    now[0] = 106.0
    assert timeout.extension_s() == extension_s


def test_the_extension_has_a_maximum(monkeypatch):
    """On a computer that never gives a submission a processor, its class is still graded."""
    now = [0.0]
    monkeypatch.setattr("coursekit.sandbox.timeouts.time.monotonic", lambda: now[0])
    timeout = LoadAwareTimeout(lambda: CpuUsage(waited_s=now[0]), limit_s=1.0)
    while timeout.left_s() > 0:
        now[0] += 0.25
    assert 1 + MAX_EXTENSION <= now[0] < 1 + MAX_EXTENSION + 1


def test_a_quick_request_is_never_measured():
    """A measurement costs a round trip to the sandbox, and a notebook has forty cells."""

    def never() -> CpuUsage:
        raise AssertionError

    timeout = LoadAwareTimeout(never, limit_s=30.0)
    assert timeout.left_s() > 0
    assert timeout.extension_s() == 0.0


def test_an_interrupt_never_meets_the_next_cell():
    """The server, slow to run on a busy machine, would else stop a cell that did nothing wrong."""
    with sandbox.Sandbox({}, layers=isolation.NONE) as box, box.child() as child:
        assert run(child, "import time", 10.0).end == "done"
        server = box._server._process.pid
        os.kill(server, signal.SIGSTOP)
        timer = threading.Timer(1.2, os.kill, (server, signal.SIGCONT))
        timer.start()
        try:
            run(child, "time.sleep(0.6)", timeout_s=0.4)
            innocent = run(child, "time.sleep(1.2)\nprint('whole')", timeout_s=10.0)
        finally:
            timer.join()
    said = "".join(event["output"].get("text", "") for event in innocent.events if "output" in event)
    assert (innocent.done["status"], said) == ("ok", "whole\n")


@pytest.mark.parametrize(
    ("files", "processors_there", "expected"),
    [
        ({}, 8, 8),
        ({"cpu.max": "max 100000"}, 8, 8),
        ({"cpu.max": "200000 100000"}, 64, 2),
        ({"cpu.max": "50000 100000"}, 64, 1),
        ({"pods/one/cpu.max": "max 100000", "pods/cpu.max": "300000 100000"}, 64, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 4, 4),
        ({"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 4, 2),
    ],
)
def test_a_container_s_share_of_the_processors_bounds_the_workers(tmp_path, files, processors_there, expected):
    """64 workers on a share of two processors would each be thirty times as slow."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    group = tmp_path / "group"
    group.write_text("9:name=systemd:/\n0::/pods/one\n" if "pods/cpu.max" in files else "1:cpu:/\n0::/\n")
    assert processors.share(processors_there, tmp_path, group) == expected
