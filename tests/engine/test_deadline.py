"""A deadline is put off by what others compute, to an end, and never comes earlier than its limit."""

import os
import socket
import subprocess
import sys

import pytest

from coursekit.system import deadline, processors
from coursekit.system.deadline import MAX_EXTENSION, Deadline, Load


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only when it is told to, on a machine with two processors that is as busy as it is told."""
    now = {"s": 100.0, "load": Load(1)}
    monkeypatch.setattr(deadline.time, "monotonic", lambda: now["s"])
    monkeypatch.setattr(processors, "available", lambda: 2)
    monkeypatch.setattr(Load, "now", classmethod(lambda cls: now["load"]))
    return now


def passes(clock, until: Deadline, step_s: float = 0.25) -> float:
    """How long it takes until the time is over."""
    began = clock["s"]
    while until.left_s() > 0:
        clock["s"] += step_s
    return clock["s"] - began


@pytest.mark.parametrize(("runnable", "takes_s"), [(0, 10), (2, 10), (4, 20), (6, 30), (1000, 10 * MAX_EXTENSION)])
def test_seconds_count_less_where_many_want_the_processors(clock, runnable, takes_s):
    clock["load"] = Load(runnable)
    assert passes(clock, Deadline(10)) == pytest.approx(takes_s, abs=1)


def test_whoever_does_not_wait_does_not_look_at_the_load(clock, monkeypatch):
    """Every cell of every notebook asks so."""
    monkeypatch.setattr(Load, "now", None)
    monkeypatch.setattr(processors, "available", None)
    until = Deadline(0)
    assert until.left_s() <= 0
    assert until.slice_s() == 0


def test_what_a_host_gives_to_others_counts_not_at_all(clock):
    until, taken = Deadline(10), 0.0
    while until.left_s() > 0:
        clock["s"] += 0.5
        taken += 0.5
        clock["load"] = Load(1, stolen=int(75 * taken), ticks=int(100 * taken))  # three quarters
    assert taken == pytest.approx(40, abs=3)


def test_load_that_comes_while_somebody_waits_puts_it_off(clock):
    until = Deadline(10)
    clock["s"] += 9
    assert until.left_s() == pytest.approx(1)
    clock["load"] = Load(8)
    assert passes(clock, until) == pytest.approx(4, abs=1)


def test_this_machine_tells_its_load(tmp_path):
    """Somebody runs: this very process. A system that tells nothing, or nonsense, has the average of a minute."""
    assert Load.now().runnable >= (1 if sys.platform == "linux" else 0)
    assert Load.now(tmp_path / "none").runnable >= 0
    (tmp_path / "stat").write_text("cpu nonsense\n")
    assert Load.now(tmp_path / "stat").runnable >= 0


def test_a_line_that_says_something_is_readable_and_one_that_does_not_is_not():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not deadline.readable(ours, Deadline(0.01))
        theirs.send(b"x")
        assert deadline.readable(ours, Deadline(0.01))


def test_what_nobody_reads_is_sent_no_longer_than_the_limit():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(TimeoutError, match=r"nobody has read for 0\.01 s"):
            deadline.send(ours, bytes(8 << 20), Deadline(0.01))
        theirs.close()
        with pytest.raises(BrokenPipeError):
            deadline.send(ours, b"x", Deadline(60))


def test_all_of_it_arrives_with_its_descriptors():
    ours, theirs = socket.socketpair()
    with ours, theirs, open(os.devnull, "rb") as file:  # noqa: PTH123
        deadline.send(ours, b"hello", Deadline(60), [file.fileno()])
        data, descriptors, _, _ = socket.recv_fds(theirs, 100, 2)
        assert (data, len(descriptors)) == (b"hello", 1)
        os.close(descriptors[0])


def test_a_process_that_has_ended_is_known_to_and_one_that_has_not_is_not():
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert not deadline.ended(process, Deadline(0.01))
        process.stdin.close()
        assert deadline.ended(process, Deadline(60))
        assert process.returncode == 1
