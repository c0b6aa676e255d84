"""What is done once for a class, before the fork, is the same as if it were done anew in every child."""

import pytest

from coursekit import notebooks
from coursekit.marking import beforehand
from coursekit.sandbox.client import Sandbox
from tests.classroom import ASSIGNMENT

ASK = {"op": "run", "store_history": True}
SHOW = "from dnn_utils import draw_layer_forward\nimport figures\nprint(len(figures._drawn))\ndraw_layer_forward()"


def shown(sandbox, source):
    with sandbox.child() as child:
        reply = child.ask({**ASK, "source": source}, 30)
    assert (reply.end, reply.done["status"]) == ("done", "ok"), reply
    return [event["output"] for event in reply.events]


@pytest.fixture(scope="module")
def files(course):
    return course.trusted_files(ASSIGNMENT)


@pytest.fixture(scope="module")
def sandbox(files):
    with Sandbox(files, beforehand=[("dnn_utils", "draw_layer_forward", [], {})]) as made:
        yield made


def test_the_drawings_of_the_text_are_found(course, files):
    found = beforehand.drawings(notebooks.read(course.source(ASSIGNMENT)), files)
    assert ("dnn_utils", "draw_network", [[5, 4, 3, 1]], {}) in found
    assert len(found) == 7


def test_what_was_drawn_before_is_what_is_drawn(sandbox, files):
    with Sandbox(files) as bare:
        anew, before = shown(bare, SHOW), shown(sandbox, SHOW)
    assert (anew[0]["text"], before[0]["text"]) == ("0\n", "1\n")
    assert anew[1] == before[1]


def test_a_child_that_spoils_a_drawing_spoils_its_own(sandbox):
    spoil = "import figures\nfor name in figures._drawn: figures._drawn[name] = 'mine'\n"
    assert shown(sandbox, spoil + SHOW)[1]["data"]["text/plain"] == "'mine'"
    assert "image/png" in shown(sandbox, SHOW)[1]["data"]


def test_a_module_that_a_notebook_writes_is_reloaded(sandbox):
    """Autoreload passes over the system's modules only."""
    write = "open('mine.py', 'w').write({!r}); import os; os.utime('mine.py', ({}, {}))"
    with sandbox.child() as child:
        for source in ("%load_ext autoreload\n%autoreload 2", write.format("x = 1", 1, 1), "import mine",
                       write.format("x = 2", 99, 99), "print(mine.x)"):  # fmt: skip
            reply = child.ask({**ASK, "source": source}, 30)
            assert reply.done["status"] == "ok"
    assert reply.events[-1]["output"]["text"] == "2\n"
