"""A notebook's file is read without building what grading does not need, and comes out as the patient reader has it."""

import codecs
import json
import time
import tracemalloc

import pytest

from coursekit.model.errors import CourseError
from coursekit.submission import notebook_parser, salvage
from tests.hostile.damage import EDITED, NAME, SOLVED, code, solved

MIB = 1 << 20


def as_bytes(made) -> bytes:
    return made if isinstance(made, bytes) else (made if isinstance(made, str) else json.dumps(made)).encode()


def with_field(text: str) -> bytes:
    """The solved notebook with this JSON in a field that nobody knows."""
    return f'{SOLVED.rstrip()[:-1]}, "memory": {text}}}'.encode()


def peak_mib(data: bytes) -> float:
    """How much memory reading takes, besides the data itself; whether it can be read or not."""
    tracemalloc.start()
    try:
        salvage.notebooks_in(data, NAME)
    except CourseError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1] / MIB
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("run", [None, frozenset[str]()], ids=["no outputs", "with outputs"])
@pytest.mark.parametrize("name", EDITED)
def test_both_readers_find_the_same(monkeypatch, name, run):
    data = as_bytes(EDITED[name].make())
    skimmed = salvage.notebooks_in(data, NAME, run)
    monkeypatch.setattr(notebook_parser, "notebook", lambda *_: None)
    assert skimmed == salvage.notebooks_in(data, NAME, run)


STRANGE = {
    "NaN": with_field("[NaN, -Infinity, Infinity]"),
    "half characters": with_field(r'"\ud83d \udc4d\ud83d \\ud83d \uD83D\uDE00"'),
    "a half character in a name": with_field('{"\\udfff": 1}'),
    "a mark": codecs.BOM_UTF8 + SOLVED.encode(),
    "a number of thousands of digits": with_field("9" * 9000),
    "keys twice": with_field('1, "cells": [], "cells": ' + json.dumps(solved()["cells"])),
    "an unfinished escape in a figure": with_field(r'"\\\\\\"'),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_only_python_calls_json_is_skimmed_too(monkeypatch, name):
    """A figure of Plotly may hold NaN, and a cut text half a character: such a file may be large as well."""
    data = STRANGE[name]
    found = notebook_parser.notebook(data.removeprefix(codecs.BOM_UTF8))
    assert found is not None
    assert len(found["cells"]) == len(solved()["cells"])
    skimmed = salvage.notebooks_in(data, NAME)
    monkeypatch.setattr(notebook_parser, "notebook", lambda *_: None)
    assert skimmed == salvage.notebooks_in(data, NAME)


def test_a_half_character_in_an_answer_becomes_a_question_mark():
    data = json.dumps({"cells": [code("# a\ud83db \\ud83d \U0001f600")], "metadata": {"n": 0}}).replace(
        '"n": 0', '"n": NaN'
    )
    (found,) = salvage.notebooks_in(data.encode(), NAME)
    assert [cell.source for cell in found.notebook.cells] == ["# a?b \\ud83d \U0001f600"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"7", b'"x"', b'{"cells": {}}', b'{"cells": [', b'{"cells": []} x', b"[" * 100_000, b"NaN",
     b'"\\', b"\xff\xfe{\0", b'{"cells": [], "x": "\n"}'],
)  # fmt: skip
def test_what_is_no_notebook_is_left_to_the_patient_reader(data):
    assert notebook_parser.notebook(data) is None


def test_a_notebook_full_of_figures_is_read_whole():
    """Sixty MiB of stored figures, with what Plotly writes: the outputs are not needed."""
    figure = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "a figure"}}
    notebook = solved()
    notebook["cells"] += [code(f"x = {number}", f"own-{number}") | {"outputs": [figure]} for number in range(6)]
    notebook["cells"][3]["outputs"] = [float("nan")]
    data = json.dumps(notebook).encode().replace(b"a figure", b"A" * (10 * MIB))
    (found,) = salvage.notebooks_in(data, NAME)
    assert found.whole
    assert len(found.notebook.cells) == len(solved()["cells"]) + 6
    assert peak_mib(data) < len(data) / MIB + 10


FLOODS = {
    "dicts": '{"":1}',
    "lists": "[]",
    "numbers": "1000",
    "texts": '"é"',
    "escapes": r'"\u00e9\n"',
    "pairs": '{"a":[{}]}',
}


@pytest.mark.parametrize("end", ["", "NaN", '"\\ud83d"', "\n<<<<<<< a\n=======\n>>>>>>> b\n0", "{"])
@pytest.mark.parametrize("name", FLOODS)
def test_metadata_made_of_millions_of_small_things_costs_no_memory(name, end):
    """Whole or damaged: 19 MiB of empty dicts took 600 MiB."""
    data = with_field(f"[{f'{FLOODS[name]},' * (3 * MIB // len(FLOODS[name].encode()))}{end or 0}]")
    began = time.process_time()
    assert peak_mib(data) < 40
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("{}," * 1_000_000 + "{}", "a notebook of more than 5000 cells"),
        ('{"cell_type": "code", "source": [' + '"a",' * 1_200_000 + '"a"]}', "more than 4 MiB of text in its cells"),
        ('{"cell_type": "code", "source": "' + "a" * (4 * MIB) + '"}', "more than 4 MiB of text in its cells"),
    ],
)
def test_more_cells_or_text_than_anybody_writes_is_said_in_words(cells, why):
    with pytest.raises(CourseError, match=f"{why}; delete what does not belong to your answers, and hand in again"):
        salvage.notebooks_in(f'{{"cells": [{cells}]}}'.encode(), NAME)


def test_of_a_large_damaged_file_the_figures_are_left_out_and_the_answers_found():
    notebook = solved()
    figure = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * (9 * MIB)}}
    notebook["cells"].insert(3, code("x = 1", "own") | {"outputs": [figure]})
    (found,) = salvage.notebooks_in(json.dumps(notebook)[:-3].encode(), NAME)
    assert not found.whole
    assert len(found.notebook.cells) == len(notebook["cells"])


def test_a_damaged_file_that_is_too_large_is_said_in_words():
    with pytest.raises(CourseError, match="is damaged, and too large to be repaired; open it in JupyterLab, clear all"):
        salvage.notebooks_in(('{"cells": [' + '"text without end ' * 600_000).encode(), NAME)
