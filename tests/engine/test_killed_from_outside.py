"""Whoever is killed from outside, by a full memory or an impatient person, at whatever step: nobody's mark changes.

Nothing tells such a kill from one that the notebook's own code has done, which costs an exercise.
"""

import os
import signal

import pytest

from coursekit.marking import marker
from coursekit.sandbox import bubblewrap, client, isolation
from tests.attacks import QUICK, Room
from tests.processes import descendants, parents

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")
# Right but for this one, so that those which lean on it are tried again; in full, and one of them in vain.
WRONG = {
    "linear_forward": "def linear_forward(A, W, b):\n    return W @ A - b, (A, W, b)",
    "L_model_forward": "def L_model_forward(X, parameters):\n    return linear_forward(X, parameters['W1'], 0)",
}


@pytest.fixture(scope="module")
def room(course):
    with Room(course, limits=QUICK) as room:
        yield room


@pytest.fixture(scope="module")
def undisturbed(room):
    return room.mark(room.notebook(WRONG))


def kill_the_sandbox(box: client.Sandbox) -> None:
    box._server._process.kill()


def kill_the_child(box: client.Sandbox) -> None:
    """The lowest of them; nothing has started another process."""
    known = parents()
    below = descendants(box._server._process.pid)
    (child,) = below - set(known.values())
    os.kill(child, signal.SIGKILL)


STEPS = {
    "a cell": lambda request: request["op"] == "run" and "def linear_backward" in request["source"],
    "what is remembered behind a cell": lambda request: request["op"] == "keep",
    "a probe": lambda request: request["op"] == "probe" and request["function"] == "linear_activation_forward",
    "a second try": lambda request: "replace" in request,
    "a second try in vain": lambda request: "replace" in request and request["function"] == "L_model_forward",
}


@pytest.mark.parametrize("kill", [kill_the_sandbox, kill_the_child])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_changes_nothing(room, undisturbed, monkeypatch, step, kill):
    """Not even a word: a second try that was killed would else look like one that has failed."""
    ask, left = client.Child.ask, [1]

    def disturbed(self, request, *args, **kwargs):
        if STEPS[step](request) and left[0]:
            left[0] -= 1
            kill(room.marker._sandbox)
        return ask(self, request, *args, **kwargs)

    monkeypatch.setattr(client.Child, "ask", disturbed)
    marked = room.mark(room.notebook(WRONG))
    assert left == [0]
    assert marked == undisturbed


def test_two_kills_in_a_row_change_nothing(room, undisturbed, monkeypatch):
    ask, kills = client.Child.ask, [2, 5, 9]
    asked = [0]

    def disturbed(self, request, *args, **kwargs):
        asked[0] += 1
        if asked[0] in kills:
            kill_the_sandbox(room.marker._sandbox)
        return ask(self, request, *args, **kwargs)

    monkeypatch.setattr(client.Child, "ask", disturbed)
    assert room.mark(room.notebook(WRONG)) == undisturbed


def test_a_notebook_that_kills_itself_is_believed_after_three_runs(room, monkeypatch):
    runs, one = [], marker.Run
    monkeypatch.setattr(marker, "Run", lambda *args: runs.append(1) or one(*args))
    marked = room.mark(
        room.notebook({"compute_cost": "def compute_cost(AL, Y):\n    import os; os.kill(os.getpid(), 9)"})
    )
    assert room.marks(marked) == room.points | {"compute_cost": 0}
    assert len(runs) == 3


def killed_as_they_start(monkeypatch, times: int) -> list[int]:
    """The first sandboxes that anybody starts, each killed before it has done anything."""
    start, left = bubblewrap.start, [times]

    def disturbed(program, command, *args, **kwargs):
        if not left[0]:
            return start(program, command, *args, **kwargs)
        left[0] -= 1
        process = start(program, ["/usr/bin/sleep", "60"], *args, **kwargs)  # not over before it is killed
        process.kill()
        return process

    monkeypatch.setattr(bubblewrap, "start", disturbed)
    return left


def test_a_sandbox_that_is_killed_as_it_starts_is_started_again(monkeypatch):
    left = killed_as_they_start(monkeypatch, 2)
    with client.Sandbox({}) as box, box.child() as child:
        assert child.ask({"op": "run", "source": "1"}, 10).end == "done"
    assert left == [0]


def test_a_trial_that_is_killed_says_nothing_of_the_walls(monkeypatch):
    """Else a whole class would fail, because of one unlucky moment."""
    left = killed_as_they_start(monkeypatch, 2)
    assert isolation.failure(isolation.detect().bwrap, b"") == ""
    assert left == [0]


def test_walls_that_were_not_there_are_looked_for_again(monkeypatch):
    with monkeypatch.context() as change:
        isolation._detect.cache_clear()
        change.setattr(isolation, "failure", lambda *_: "no answer")
        assert not isolation.detect().bwrap
    assert isolation.detect().bwrap
