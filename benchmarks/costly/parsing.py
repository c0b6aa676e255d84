"""Files that are expensive to read as JSON, or that only look like JSON."""

import json
from functools import partial

from benchmarks.costly.kit import LARGEST, MIB, Costly, Notebook, Write, code, filled, in_text, lazily, solved

ROOM = LARGEST - 400_000  # beside the notebook itself
SMALL = '{"":1}'


def _costly(name: str, write: Write, refusable: bool = True, **fields: frozenset[str]) -> Costly:
    return Costly(name, "parsing", write, refusable=refusable, **fields)


def _metadata(extra: str) -> str:
    """The solved notebook with this piece of JSON in its own metadata."""
    whole = json.dumps(solved() | {"metadata": {"here": 0}})
    return whole.replace('"here": 0', f'"here": {extra}')


def _with_cells(extra: str) -> str:
    """The solved notebook with this piece of JSON in front of its cells."""
    return in_text('"cells": [', f'"cells": [{extra},')


def _listed(piece: str) -> Write:
    """As much as is read of this piece, in the notebook's metadata."""
    return lazily(lambda: _metadata(f"[{filled(piece, ROOM)}]"))


def _celled(piece: str) -> Write:
    """As much as is read of this piece, in the place of cells."""
    return lazily(lambda: _with_cells(filled(piece, ROOM)))


def _sourced(piece: str, size: int) -> Write:
    """A cell whose source is a list of such pieces."""
    cell = '{"cell_type":"code","outputs":[],"metadata":{},"source":['
    return lazily(lambda: _with_cells(f"{cell}{filled(piece, size)}]}}"))


def _stored(outputs: list[Notebook]) -> Notebook:
    """The solved notebook with outputs that the student's own kernel left in it."""
    notebook = solved()
    next(cell for cell in notebook["cells"] if cell["id"] == "network-figure")["outputs"] = outputs
    return notebook


def _picture() -> Notebook:
    data = {"image/png": "iVBORw0KGgo" + "A" * (LARGEST - 200_000), "text/plain": "<Figure>"}
    return _stored([{"output_type": "display_data", "data": data, "metadata": {}}])


def _encoded(encoding: str, width: int) -> bytes:
    whole = json.dumps(solved())
    return (whole + " " * (LARGEST // width - len(whole) - 8)).encode(encoding)


def _damaged(piece: str) -> Write:
    """The solved notebook behind an endless row of beginnings of cells, none of which ends."""
    return lazily(lambda: filled(piece, ROOM, "") + "\n" + json.dumps(solved()))


def _merges() -> str:
    lines = json.dumps(solved(), indent=1).split("\n")
    marks = ["<<<<<<< HEAD", '"x": 1,', "=======", '"x": 2,', ">>>>>>> other"] * 400_000
    return "\n".join([lines[0], *marks, *lines[1:]])[:LARGEST]


def _keys_again() -> str:
    again = filled('"source": 1', MIB)
    return json.dumps(solved()).replace('"cell_type": "code"', f'{again}, "cell_type": "code"', 15)


def _behind_each_other() -> str:
    one = json.dumps(solved() | {"metadata": {"x": "y" * (6 * MIB)}})
    return one * 3


def _deep() -> str:
    return in_text('"outputs": []', f'"outputs": {"[" * 1_000_000}{"]" * 1_000_000}')


def _many_cells() -> Notebook:
    notebook = solved()
    return notebook | {"cells": [*(code("1", f"c{number}") for number in range(4_800)), *notebook["cells"]]}


def _no_encoding() -> bytes:
    return json.dumps(solved())[:-1].encode() + b', "x": "' + b"\xff" * ROOM + b'"}'


def _escapes() -> str:
    letters = "\\u0000" * 1_500_000 + "\\ud800" * 1_500_000
    return _with_cells(f'{{"cell_type":"markdown","metadata":{{}},"source":"{letters}"}}')


def _keys() -> str:
    return _metadata("{" + ",".join(f'"{number:x}":0' for number in range(1_500_000)) + "}")


OF_A_CELL = f'{{"cell_type":"code","source":"1","outputs":[],"metadata":{{"x":[{filled(SMALL, ROOM)}]}}}}'
STREAM = {"output_type": "stream", "name": "stdout", "text": ["x"]}

INPUTS = (
    _costly("small objects in the notebook's metadata", _listed(SMALL)),
    _costly("small objects in a cell's metadata", lazily(partial(_with_cells, OF_A_CELL))),
    _costly("a million keys", lazily(_keys)),
    _costly("lists in lists, a million deep", lazily(_deep)),
    _costly("lists in lists, 900 deep, again and again", _listed("[" * 900 + "]" * 900)),
    _costly("millions of cells with nothing in them", _celled("{}")),
    _costly("millions of cells of one letter", _celled('{"source":"1"}')),
    _costly("4,800 cells of one letter", lazily(_many_cells), refusable=False),
    _costly("a source of millions of pieces", _sourced('""', ROOM)),
    _costly("a source of a million lines", _sourced('"1\\n"', 8 * MIB)),
    _costly("keys given a million times", lazily(_keys_again)),
    _costly("damaged: beginnings of cells in each other", _damaged('{"id":')),
    _costly("damaged: strings that never end", _damaged('{"source":"')),
    _costly("damaged: small cells, a comma missing in each", _damaged('{"cell_type":"code" "source":"x"}')),
    _costly("damaged: whole cells without a notebook", _damaged('{"cell_type":"code","source":"1"}\n')),
    _costly("a merge of two million lines", lazily(_merges)),
    _costly("UTF-32", lazily(partial(_encoded, "utf-32", 4))),
    _costly("UTF-16", lazily(partial(_encoded, "utf-16-be", 2))),
    _costly(
        "six million byte order marks", lazily(lambda: b"\xef\xbb\xbf" * (6 * MIB) + json.dumps(solved()).encode())
    ),
    _costly("letters of no encoding", lazily(_no_encoding)),
    _costly("a number of millions of digits", _listed("9" * (ROOM - 2))),
    _costly("numbers of 990 digits", _listed("9" * 990)),
    _costly("millions of fractions", _listed("1.5e-300")),
    _costly("three million escaped letters", lazily(_escapes)),
    _costly("JSON in JSON", lazily(lambda: json.dumps(_metadata(f'"{"x" * MIB}"'))), refusable=False),
    _costly("three notebooks in one file", lazily(_behind_each_other)),
    _costly("an own picture as large as may be", lazily(_picture), refusable=False),
    _costly("200,000 stored outputs", lazily(lambda: _stored([STREAM] * 200_000)), refusable=False),
)
