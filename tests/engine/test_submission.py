"""What a submission is: one notebook, the files beside it, and nothing that could surprise a later step."""

import copy
import json
import random
import shutil
from datetime import datetime
from itertools import count

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbgrader.utils import parse_utc

from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import cells, dates, folders, loading, salvage, supporting_files
from tests.classroom import (
    ASSIGNMENT,
    ROOT,
    copy_course,
    fill_in,
    hand_in,
    rebuild_with,
    released_notebook,
    solution_cells,
)
from tests.hostile.damage import packed

COURSE = Course(ROOT)
NAME = f"{ASSIGNMENT}.ipynb"
NUMBERS = count()
SOURCE = notebooks.read(COURSE.source(ASSIGNMENT))


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return copy_course(tmp_path_factory.mktemp("room") / "course")


@pytest.fixture
def student():
    return f"s{next(NUMBERS)}"


@pytest.fixture
def folder(room, student, solved):
    return hand_in(room, student, solved).parent


def load(room, student):
    return loading.load(room, ASSIGNMENT, student)


# --- the files beside the notebook -----------------------------------------------------------------


def test_files_beside_the_notebook_come_along_and_python_does_not(room, student, folder):
    """What Python would import could stand in for the real module."""
    for name in ("notes.txt", "my data/points.csv", "numpy.py", "h5py/__init__.py", "x.so", "x.PYC", "dnn_utils.py",
                 "recorded.npz", "other.ipynb", ".hidden", "__pycache__/a.txt", ".git/config"):  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"mine")
    (folder / "secret.csv").symlink_to(room.source(ASSIGNMENT))
    (folder / "all").symlink_to(room.root)
    loaded = load(room, student)
    assert dict(loaded.supporting) == {"notes.txt": b"mine", "my data/points.csv": b"mine"}
    assert loaded.notes == ("Python files beside the notebook were not used: numpy.py.",)


@pytest.mark.parametrize("content", [b"", b'{"cells": [', b"\xff", None])
def test_a_half_made_assignment_beside_it_costs_nobody_a_mark(room, student, folder, content):
    half = room.source("half-made")
    half.parent.mkdir()
    try:
        half.write_bytes(content) if content is not None else half.symlink_to("nowhere")
        assert load(room, student).problem == ""
    finally:
        shutil.rmtree(half.parent)


def test_files_are_named_as_the_notebook_sees_them(room, student, folder):
    (folder / "work").mkdir()
    (folder / NAME).rename(folder / "work" / NAME)
    (folder / "work" / "points.csv").write_text("1")
    (folder / "elsewhere.csv").write_text("2")
    assert dict(load(room, student).supporting) == {"points.csv": b"1"}


@pytest.mark.parametrize("name", ["a:b.csv", 'q"uote.csv', "line\nbreak.csv", "back\\slash.csv", "star*.csv"])
def test_a_name_that_is_not_a_name_everywhere_stays_behind(room, student, folder, name):
    (folder / name).write_text("1")
    assert dict(load(room, student).supporting) == {}


def test_too_much_stays_behind(room, student, folder, monkeypatch):
    monkeypatch.setattr(supporting_files, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(supporting_files, "MAX_ALL_BYTES", 150)
    for name, size in (("a.csv", 101), ("b.csv", 90), ("c.csv", 90), ("d.csv", 60)):
        (folder / name).write_bytes(b"x" * size)
    assert set(load(room, student).supporting) == {"b.csv", "d.csv"}


def test_what_a_program_would_obey_stays_behind_and_is_named(room, student, folder):
    """Matplotlib reads a matplotlibrc in its folder, Jupyter its configuration, and a browser shows a page."""
    names = ("matplotlibrc", "index.html", "picture.svg", "x.js", "style.css", "pyproject.toml", "setup.cfg",
             "Makefile", "jupyter_config.json", "nbgrader_config.json", "package.json", "report.pdf")  # fmt: skip
    for name in (*names, "points.csv", "weights.NPZ", "photo.jpg"):
        (folder / name).write_bytes(b"mine")
    loaded = load(room, student)
    assert set(loaded.supporting) == {"points.csv", "weights.NPZ", "photo.jpg"}
    (note,) = loaded.notes
    assert note.startswith("Files beside the notebook were not used, since they are no data: Makefile, index.html, ")
    assert note.endswith("and 2 more.")


def test_what_is_too_much_beside_the_notebook_is_named(room, student, folder):
    (folder / "big.csv").write_bytes(b"1" * (supporting_files.MAX_FILE_BYTES + 1))
    (folder / "small.csv").write_bytes(b"1")
    loaded = load(room, student)
    assert set(loaded.supporting) == {"small.csv"}
    assert loaded.notes == (
        "Files beside the notebook were left out: big.csv. At most 200 files and 16 MiB are taken, of one file 8 MiB.",
    )


def test_a_small_archive_does_not_become_a_large_folder(room, student):
    """One of 414 kB became 79 MB in autograded/."""
    dense = random.Random(1).randbytes(15_000)
    files = {f"{number}.csv": dense + b"0" * 1_500_000 for number in range(20)}
    archive = packed({NAME: json.dumps(released_notebook(room)), **files})
    path = hand_in(room, student, archive, "homework.zip")
    loaded = load(room, student)
    assert loaded.supporting
    assert sum(map(len, loaded.supporting.values())) <= 10 * path.stat().st_size
    assert "Files beside the notebook were left out: 1" in loaded.notes[-1]


def test_the_courses_own_modules_are_not_worth_a_word_unless_somebody_wrote_into_them(room, student, folder):
    """Nearly everybody hands in the whole folder."""
    for name, path in room.trusted_files(ASSIGNMENT).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(path.read_bytes())
    assert load(room, student).notes == ()
    with (folder / "dnn_utils.py").open("a") as file:
        file.write("\n\ndef my_helper(x):\n    return x\n")
    (note,) = load(room, student).notes
    assert note == (
        "Your own functions in dnn_utils.py were not used (my_helper): grading takes the course's dnn_utils.py."
        " Put them into the notebook."
    )


@pytest.mark.parametrize("data", [b"2026-01-02 03:04:05 UTC\n", b"2026-01-02 03:04:05.123456 Europe/Berlin"])
def test_the_time_of_handing_in_goes_along(room, student, folder, data):
    (folder / "timestamp.txt").write_bytes(data)
    loaded = load(room, student)
    assert (dict(loaded.supporting), loaded.notes) == ({"timestamp.txt": data}, ())


@pytest.mark.parametrize("data", [b"soon", b"\xff\xfe", b"9" * 99, b"2026-99-99"])
def test_a_time_that_is_none_is_told_and_left(room, student, folder, data):
    """nbgrader would lose the whole submission over it."""
    (folder / "timestamp.txt").write_bytes(data)
    loaded = load(room, student)
    assert dict(loaded.supporting) == {}
    assert loaded.notes == ("timestamp.txt holds no date, so when this was handed in is not known.",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("02/11/2015", "which can be 2015-02-11 or 2015-11-02"),
        ("1.2.2015 10:00", "which can be 2015-01-02 or 2015-02-01"),
        ("02/11/2015 10:00 UTC", "which can be 2015-02-11 or 2015-11-02"),
        ("15-02-11", "which can be 2011-02-15 or 2015-02-11 or 2015-11-02"),
        ("02/11", "which is no date with year, month and day"),
        ("11 February", "which is no date with year, month and day"),
        ("10:30", "which is no date with year, month and day"),
        ("Friday", "which is no date with year, month and day"),
    ],
)
def test_a_time_that_can_be_read_in_two_ways_is_told_and_not_believed(room, student, folder, text, told):
    """nbgrader takes 02/11 for 11 February of this year, without a word."""
    (folder / "timestamp.txt").write_text(text)
    loaded = load(room, student)
    assert dict(loaded.supporting) == {}
    assert loaded.notes == (f"timestamp.txt says {text!r}, {told}, so when this was handed in is not known.",)


@pytest.mark.parametrize(
    "text",
    [
        "2015-02-02 15:58:23.948203 UTC",
        "2015-02-11 15:58:23 America/New_York",
        "2015-02-11 15:58:23 3600",
        "2015-02-11T15:58:23+01:00",
        "2015-02-11",
        "20150211T155823Z",
        "13/02/2015",
        "11 February 2015 10:00",
        "Wed, 11 Feb 2015 10:00:00 GMT",
    ],
)
def test_a_time_that_can_be_read_in_one_way_is_what_nbgrader_makes_of_it(text):
    assert dates.in_utc(text) == parse_utc(text)
    assert dates.in_utc(text).month == 2


@given(st.datetimes(min_value=datetime(1970, 1, 1)), st.sampled_from(["UTC", "Europe/Berlin", "+0000", ""]))
def test_what_nbgrader_itself_writes_is_always_believed(when, zone):
    text = f"{when:%Y-%m-%d %H:%M:%S.%f} {zone}".strip()
    assert dates.in_utc(text) == parse_utc(text)


def test_the_time_is_kept_where_nothing_can_be_graded(room, student, folder):
    (folder / NAME).write_bytes(b"")
    (folder / "timestamp.txt").write_bytes(b"2026-01-02 03:04:05 UTC")
    loaded = load(room, student)
    assert loaded.problem
    assert set(loaded.supporting) == {"timestamp.txt"}


def test_two_readings_are_the_same(room, student, solved):
    """Cells without ids must not get some by chance."""
    solved["nbformat_minor"] = 4
    for cell in solved["cells"]:
        cell.pop("id")
    hand_in(room, student, solved)
    assert load(room, student) == load(room, student)


# --- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.ipynb", "a.ipynb"),
        ("a\x1b[31m\n.ipynb", "a\ufffd[31m\ufffd.ipynb"),
        ("\u202egp.ipynb", "\ufffdgp.ipynb"),
        ("\udcff.ipynb", "\ufffd.ipynb"),
        ("x" * 300 + ".ipynb", "x" * 60 + "…" + "x" * 13 + ".ipynb"),
    ],
)
def test_a_name_is_shown_as_one_short_line(name, said):
    assert folders.printable(name) == said


# --- what a cell defines ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return x",
        "f = lambda x: x",
        "f: object = lambda x: x",
        "def g(x):\n    return x\nf = g",
        "class A:\n    @staticmethod\n    def f(x):\n        return x\nf = A.f",
        "import functools\nf = functools.partial(max, 1)",
        "f = np.vectorize(lambda x: x)",
        "%%time\ndef f(x):\n    return x",
        "%matplotlib inline\n!pip install x\ndef f(x):\n    return x",
        "print(1/0)\ndef f(x):\n    return x",
        "if True:\n    def f(x):\n        return x",
        "try:\n    1/0\nexcept ZeroDivisionError:\n    def f(x):\n        return x",
        "with open('x') as y:\n    def f(x):\n        return x",
        "def f(x):\n    return x\n\nnp.dot?",
        "def f(x):\n    return (x\n\nprint(",
        "import re\ndef f(x):\n    return re.sub('\\d', '', x)",
    ],
)
def test_a_function_is_seen_however_it_gets_its_name(source):
    assert "f" in cells.definitions(source)


@pytest.mark.parametrize(
    "source",
    ["", "# def f(x)", "f = 3", "f(2)", "x = 'def f(x): ...'", "class A:\n    def f(self):\n        pass",
     "def g():\n    def f(x):\n        return x", "%%writefile m.py\ndef f(x):\n    return x", "f = g(3)",
     "\x00", "(" * 5000, "f = np.exp(x) / 2"],
)  # fmt: skip
def test_what_defines_no_function_is_none(source):
    assert "f" not in cells.definitions(source)


@pytest.mark.parametrize(
    ("name", "others", "meant"),
    [
        ("linear_forward", {"linear_forward2"}, "linear_forward2"),
        ("linear_forward", {"Linear_Forward"}, "Linear_Forward"),
        ("linear_forward", {"linearforward"}, "linearforward"),
        ("linear_forward", {"linear_foward"}, "linear_foward"),
        ("L_model_forward", {"l_model_forward"}, "l_model_forward"),
        ("linear_forward", {"linear_backward", "forward", "plot"}, ""),
        ("predict", {"predicted_labels", "product"}, ""),
    ],
)
def test_a_name_that_was_probably_meant_is_found(name, others, meant):
    assert cells.closest_name(name, others) == meant


def test_an_unfinished_function_is_not_called_by_another_exercises_name(course, released):
    """initialize_parameters is no misspelt initialize_parameters_deep."""
    cells = solution_cells(course)
    notebook = fill_in(released, {"initialize-parameters": cells["initialize-parameters"]})
    (read,) = salvage.notebooks_in(json.dumps(notebook).encode(), NAME)
    assert rebuild_with(SOURCE, read.notebook).repairs == ()


# --- whatever else may come ------------------------------------------------------------------------

_KEYS = st.sampled_from(["cells", "metadata", "source", "cell_type", "id", "outputs", "nbgrader", "grade_id",
                         "worksheets", "content", "input", "level", "nbformat", "kernelspec", "language"])  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["code", "markdown", "linear-forward", "def linear_forward(A, W, b):\n    return A, None"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def _places(value, path=()):
    """The path to every value inside, itself left out."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        yield (*path, key)
        yield from _places(inner, (*path, key))


_SMALL = {**released_notebook(COURSE), "cells": [
    cell for cell in fill_in(released_notebook(COURSE), solution_cells(COURSE))["cells"]
    if cell["id"] in ("title", "imports", "linear-forward", "linear-forward-test", "compute-cost", "compute-cost-test")
]}  # fmt: skip
_PLACES = list(_places(_SMALL))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from(_PLACES), st.sampled_from(["replace", "delete", "double"]), _VALUES), max_size=4)
)
def test_any_change_to_a_notebooks_json_gives_a_notebook_or_a_sentence(changes):
    notebook = copy.deepcopy(_SMALL)
    for path, how, value in changes:
        *parents, last = path
        try:
            where = notebook
            for key in parents:
                where = where[key]
            if how == "delete":
                del where[last]
            elif how == "double" and isinstance(where, list):
                where.insert(last, copy.deepcopy(where[last]))
            else:
                where[last] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took that place away
    _is_graded_or_said(json.dumps(notebook).encode())


@settings(max_examples=70, deadline=None, derandomize=True)
@given(st.integers(0, 1), st.floats(0, 1), st.floats(0, 1), st.binary(max_size=6))
def test_any_change_to_a_notebooks_bytes_gives_a_notebook_or_a_sentence(kind, start, share, inserted):
    data = json.dumps(_SMALL, indent=kind or None).encode()
    begin = int(start * len(data))
    _is_graded_or_said(data[:begin] + inserted + data[begin + int(share * (len(data) - begin)) :])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-16")))
def test_any_bytes_give_a_sentence(data):
    _is_graded_or_said(data)


def _is_graded_or_said(data: bytes) -> None:
    problem = None
    try:
        found = salvage.notebooks_in(data, NAME)
    except CourseError as error:
        problem, found = error, []
    assert found or (problem is not None and problem.remedy)
    for read in found:
        nbformat.validate(read.notebook)
        result = rebuild_with(SOURCE, read.notebook)
        nbformat.validate(result.notebook)
        notebooks.dumps(result.notebook).encode()
        kept = [cell.id for cell in result.notebook.cells if not cell.id.startswith("added-")]
        assert kept == [cell.id for cell in SOURCE.cells]
