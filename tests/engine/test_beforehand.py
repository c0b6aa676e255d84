"""What is done once for a class, before the fork, is the same as if it were done anew in every child."""

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from coursekit.marking import warm_up
from coursekit.model import notebooks
from coursekit.sandbox import host_cache
from coursekit.sandbox.client import Sandbox
from coursekit.sandbox.guest import figure_cache
from dnn import figures
from selfcheck import recordings
from tests.classroom import ASSIGNMENT, ROOT

ASK = {"op": "run", "store_history": True}
SHOW = """from dnn_utils import draw_layer_forward
from dnn import figures
print(len(figures._picture_cache))
draw_layer_forward()"""
FIGURES = "dnn.figures"
DRAWN = [("dnn_utils", "draw_layer_forward", [], {})]


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
    with Sandbox(files, warm_up_calls=DRAWN) as made:
        yield made


def test_the_drawings_of_the_text_are_found(course, files):
    found = warm_up.calls(notebooks.read(course.source(ASSIGNMENT)), files)
    assert ("dnn_utils", "draw_network", [[5, 4, 3, 1]], {}) in found
    assert len(found) == 7


def test_what_was_drawn_before_is_what_is_drawn(sandbox, files):
    with Sandbox(files) as bare:
        anew, before = shown(bare, SHOW), shown(sandbox, SHOW)
    assert (anew[0]["text"], before[0]["text"]) == ("0\n", "1\n")
    assert anew[1] == before[1]


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def first(files, tmp_path_factory):
    """The cache that the first sandbox of a user leaves, with fonts and a picture, and what it has shown."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        with Sandbox(files, warm_up_calls=DRAWN) as made:
            return folder, shown(made, SHOW)


@pytest.fixture
def cache(empty_cache, first):
    """A cache that holds what the first sandbox has left."""
    return shutil.copytree(first[0], empty_cache, dirs_exist_ok=True)


def album_file(cache: Path) -> Path:
    (only,) = cache.rglob("pictures-*.json")
    return only


def test_a_second_sandbox_does_not_draw_again(cache, files, first):
    ((asked, (png, _, width)),) = json.loads(album_file(cache).read_text())[FIGURES].items()
    album_file(cache).write_text(json.dumps({FIGURES: {asked: [png, "kept from before", width]}}))
    with Sandbox(files, warm_up_calls=DRAWN) as second:
        before = shown(second, SHOW)
    assert before[1]["data"]["text/plain"] == "kept from before"
    assert before[1]["data"]["image/png"] == first[1][1]["data"]["image/png"]


def test_damaged_pictures_are_drawn_again_and_mended(cache, files, first):
    whole = album_file(cache).read_text()
    album_file(cache).write_text('{"dnn.figures": {"a": ["no base64", "alt", 1]}}')
    with Sandbox(files, warm_up_calls=DRAWN) as second:
        assert shown(second, SHOW) == first[1]
    assert album_file(cache).read_text() == whole


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"dnn.figures": 1}',
        '{"dnn.figures": [1]}',
        '{"no.such": {"a": ["", "b", 1]}}',
        '{"dnn.figures": {"a": 1}}',
        '{"dnn.figures": {"a": ["no base64", "alt", 1]}}',
        '{"dnn.figures": {"a": ["", "b"]}}',
    ],
)
def test_nothing_is_remembered_of_damaged_pictures(cache, damage, monkeypatch):
    """As if nothing had been kept, which is what the test above shows the sandbox to draw again."""
    file, folder = album_file(cache), str(ROOT / "dnn")
    monkeypatch.setattr(figures, "_picture_cache", {})
    assert figure_cache.remember(folder, host_cache.figures(file.name)) == 1
    assert figure_cache.remembered(folder) == json.loads(file.read_text())
    figures._picture_cache.clear()
    file.write_text(damage)
    assert figure_cache.remember(folder, host_cache.figures(file.name)) == 0
    assert figures._picture_cache == {}


def test_a_module_that_fails_to_remember_is_told_and_the_others_remember(tmp_path, monkeypatch, capsys):
    """And one that lies elsewhere, or has one of the two functions only, takes no part."""

    def module(name, folder, **functions):
        made = ModuleType(name)
        made.__file__ = str(folder / f"{name}.py")
        vars(made).update(functions)
        monkeypatch.setitem(sys.modules, name, made)

    taken = {}
    module("one_that_fails", tmp_path, remembered=dict, remember=lambda kept: kept["gone"])
    module("one_that_works", tmp_path, remembered=lambda: taken, remember=taken.update)
    module("half_a_module", tmp_path, remembered=lambda: {"a": 1})
    module("a_stranger", tmp_path.parent, remembered=lambda: {"a": 1}, remember=dict)
    assert (
        figure_cache.remember(str(tmp_path), {"one_that_works": {"a": 1}, "half_a_module": {}, "a_stranger": {}}) == 1
    )
    assert figure_cache.remembered(str(tmp_path)) == {"one_that_works": {"a": 1}}
    assert capsys.readouterr().err == "one_that_fails.remember: KeyError: 'gone'\n"


def test_pictures_of_other_code_or_of_other_calls_are_others(files):
    data = {name: path.read_bytes() for name, path in files.items()}
    names = {
        host_cache.figures_file_name(data, DRAWN),
        host_cache.figures_file_name(data | {"dnn/figures.py": b""}, DRAWN),
        host_cache.figures_file_name(data, [("dnn_utils", "draw_layer_backward", [], {})]),
    }
    assert len(names) == 3


def test_pictures_that_were_kept_longest_give_way(empty_cache):
    for number in range(20):
        host_cache.store_figures(f"pictures-{number:02}.json", {"asked": ["", "alt", number]})
    left = sorted(path.name for path in empty_cache.rglob("*.json"))
    assert len(left) == 12
    assert host_cache.figures("pictures-19.json") == {"asked": ["", "alt", 19]}


def test_the_recordings_are_read_once_and_again_when_the_file_is_another(course, files, tmp_path):
    count = "from selfcheck import recordings\nprint(recordings._as_of.cache_info().misses)"
    test = "from public_tests import *\nlinear_forward_test(lambda A, W, b: (W @ A + b, (A, W, b)))"
    with Sandbox(files) as ready:  # `warm_up` of public_tests reads them
        before, after = (
            "".join(output["text"] for output in shown(ready, source)) for source in (count, f"{test}\n{count}")
        )
    assert before == "10\n"
    assert "Right on these examples" in after
    assert after.endswith("\n10\n")
    copy = tmp_path / recordings.NAME
    copy.write_bytes((course.folder(ASSIGNMENT) / recordings.NAME).read_bytes())
    there = recordings.outputs(copy, "linear_forward")["example"]
    there["Z"][:] = 0  # what a caller does to its own
    assert recordings.outputs(copy, "linear_forward")["example"]["Z"].any()
    copy.write_bytes(b"damaged")
    with pytest.raises(ValueError, match="pickled"):
        recordings.outputs(copy, "linear_forward")


def test_a_child_that_spoils_a_drawing_spoils_its_own(sandbox):
    spoil = "from dnn import figures\nfor name in figures._picture_cache: figures._picture_cache[name] = 'mine'\n"
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
