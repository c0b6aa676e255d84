"""A notebook's file -> the parts of it that grading reads. What else it holds is passed over, and becomes no objects.

A file of 60 MiB may be one figure, or ten million empty dicts where an editor keeps its memory: neither is built. What
is no JSON is not for this module: ``coursekit.submission.salvage`` is more patient, and takes less of it.
"""

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

import msgspec
from msgspec import Raw, Struct

from coursekit.submission import pictures, python_json, submitted_outputs

MAX_CELLS = 5_000
MAX_TEXT_BYTES = 4 << 20  # of all sources of a notebook as they stand in the file
MAX_PICTURE_BYTES = 12 << 20  # of the pictures in all cells
MAX_PLOTS, MAX_PLOT_BYTES = 100, 8 << 20  # of the pictures that the code draws again
MAX_OUTPUTS = 20_000  # of all cells, that are looked at for pictures
_MAX_NAME_BYTES, _MAX_SHEETS = 2_000, 20
_NOTHING = Raw(b"")
_PICTURE_IN_TEXT = re.compile(rb"data:image/[a-z0-9.+-]{1,20};base64,[A-Za-z0-9+/=%]{1000,}+", re.IGNORECASE)


class TooMuch(Exception):
    """A notebook of more cells, or more text in them, than is read; says how much that is."""


class _Notebook(Struct):
    cells: Raw = _NOTHING
    worksheets: Raw = _NOTHING
    content: Raw = _NOTHING
    metadata: Raw = _NOTHING


class _Cell(Struct):
    cell_type: Raw = _NOTHING
    source: Raw = _NOTHING
    input: Raw = _NOTHING
    id: Raw = _NOTHING
    level: Raw = _NOTHING
    metadata: Raw = _NOTHING
    attachments: Raw = _NOTHING
    outputs: Raw = _NOTHING
    execution_count: Raw = _NOTHING
    prompt_number: Raw = _NOTHING


class _Output(Struct):
    """``png`` and ``jpeg`` are where format 3 has a picture."""

    data: Raw = _NOTHING
    png: Raw = _NOTHING
    jpeg: Raw = _NOTHING


class _Bundle(Struct):
    png: Raw = msgspec.field(default=_NOTHING, name="image/png")
    jpeg: Raw = msgspec.field(default=_NOTHING, name="image/jpeg")
    gif: Raw = msgspec.field(default=_NOTHING, name="image/gif")
    svg: Raw = msgspec.field(default=_NOTHING, name="image/svg+xml")
    webp: Raw = msgspec.field(default=_NOTHING, name="image/webp")
    plotly: Raw = msgspec.field(default=_NOTHING, name="application/vnd.plotly.v1+json")


class _CellMetadata(Struct):
    nbgrader: Raw = _NOTHING
    id: Raw = _NOTHING


class _Nbgrader(Struct):
    grade_id: Raw = _NOTHING


class _Metadata(Struct):
    language_info: Raw = _NOTHING
    kernelspec: Raw = _NOTHING


class _Language(Struct):
    name: Raw = _NOTHING
    language: Raw = _NOTHING


def _first(count: int, name: str) -> Any:
    """A type for the first so many items of a list: what comes behind them is passed over like unknown keys."""
    return msgspec.defstruct(name, [(f"item{number}", Raw, _NOTHING) for number in range(count)], array_like=True)


_Cells, _Sheets = _first(MAX_CELLS + 1, "_Cells"), _first(_MAX_SHEETS, "_Sheets")
_Outputs = _first(pictures.MAX_OUTPUTS, "_Outputs")


def notebook(data: bytes, run: frozenset[str] | None = None) -> dict[str, Any] | None:
    """The notebook in its file's bytes (UTF-8, no mark), with nothing but what grading reads; None where it is none.

    ``run``: the names of cells of which no outputs are kept, because they are run; None where all cells are.
    Raises TooMuch.
    """
    try:
        return _notebook(data, run)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    if (fixed := python_json.as_json(data)) is not None:
        try:
            return _notebook(fixed, run)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
    return None


def _notebook(data: bytes | bytearray, run: frozenset[str] | None) -> dict[str, Any] | None:
    found = msgspec.json.decode(data, type=_Notebook)
    if _kind(found.content) == "{":  # as Jupyter's own server sends it
        found = msgspec.json.decode(found.content, type=_Notebook)
    if _kind(found.cells) == "[":
        raw = _items(found.cells, _Cells)
    elif _kind(found.worksheets) == "[" and not _there(found.cells):
        sheets = [sheet for sheet in _items(found.worksheets, _Sheets) if _kind(sheet) == "{"]
        lists = [msgspec.json.decode(sheet, type=_Notebook).cells for sheet in sheets]
        raw = [cell for cells in lists if _kind(cells) == "[" for cell in _items(cells, _Cells)]
    else:
        return None
    if len(raw) > MAX_CELLS:
        raise TooMuch(f"a notebook of more than {MAX_CELLS} cells")
    room = _Room()
    cells = [_cell(cell, room, run) for cell in raw if _kind(cell) == "{"]
    for cell in reversed(cells):  # what the last cells showed is likelier to be an answer: there is the question
        if cell.get("outputs"):
            cell["outputs"] = [*_with_pictures(cell["outputs"], pictures.is_drawn_again(_joined(cell)), room)]
    return {"cells": cells, "metadata": _metadata(found.metadata)}


def _with_pictures(outputs: list[Raw], again: bool, room: "_Room") -> Iterator[dict[str, Any]]:
    """Those of the outputs that have pictures; once there is no room for more, the first one says that there are."""
    for output in outputs:
        if room.outputs == 0:
            return
        room.outputs -= 1
        shown = _shown(output, room.take_plot if again else room.take_picture) if _kind(output) == "{" else {}
        if shown:
            yield {"data": shown}
            if again and not room.plots:
                return


def _joined(cell: dict[str, Any]) -> str:
    text = cell.get("source") or cell.get("input")
    return "".join(map(str, text)) if text else ""


class _Room:
    """What there is room for in one notebook, in bytes of the file."""

    def __init__(self) -> None:
        self.text, self.pictures = MAX_TEXT_BYTES, MAX_PICTURE_BYTES
        self.plots, self.plot_bytes, self.outputs = MAX_PLOTS, MAX_PLOT_BYTES, MAX_OUTPUTS
        self.handed_in = submitted_outputs.Room()

    def take_text(self, source: Raw) -> None:
        """Room for a cell's source; pictures that stand in it are pictures. Raises TooMuch."""
        size = len(_bytes(source))
        drawn = sum(found.end() - found.start() for found in _PICTURE_IN_TEXT.finditer(_bytes(source)))
        if self.take_picture(drawn):
            size -= drawn
        self.text -= size
        if self.text < 0:
            raise TooMuch(f"a notebook with more than {MAX_TEXT_BYTES >> 20} MiB of text in its cells")

    def take_picture(self, size: int) -> bool:
        """Whether there was room for a picture."""
        if size > self.pictures:
            return False
        self.pictures -= size
        return True

    def take_plot(self, size: int) -> bool:
        """Whether there was room for a picture that is drawn again."""
        if not self.plots or size > self.plot_bytes:
            return False
        self.plots, self.plot_bytes = self.plots - 1, self.plot_bytes - size
        return True


def _cell(data: Raw, room: _Room, run: frozenset[str] | None) -> dict[str, Any]:
    raw = msgspec.json.decode(data, type=_Cell)
    cell: dict[str, Any] = {"cell_type": _name(raw.cell_type), "metadata": _cell_metadata(raw.metadata)}
    for key, source in (("source", raw.source), ("input", raw.input)):
        room.take_text(source)
        if _there(source):
            cell[key] = msgspec.json.decode(source) if _kind(source) in '["' else None
    if _kind(raw.attachments) == "{" and room.take_picture(len(_bytes(raw.attachments))):
        cell["attachments"] = msgspec.json.decode(raw.attachments)
    if len(_bytes(raw.level)) == 1:
        cell["level"] = msgspec.json.decode(raw.level)
    cell["id"] = _name(raw.id)
    # Of these it only counts that they are there, but for pictures that may belong to a written answer.
    cell |= {key: None for key in ("outputs", "execution_count", "prompt_number") if _there(getattr(raw, key))}
    if _kind(raw.outputs) == "[":
        cell["outputs"] = _items(raw.outputs, _Outputs)
        names = (cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["id"], cell["metadata"].get("id"))
        if cell["outputs"] and submitted_outputs.is_wanted(names, run):
            cell["handed_in"] = [_decoded(output, room.handed_in) for output in cell["outputs"]]
    return cell


def _decoded(data: Raw, room: submitted_outputs.Room) -> Any:
    """An output as it stands in the file; None where that would be too many objects, or too large."""
    if not room.may_hold(bytes(data) if len(_bytes(data)) <= submitted_outputs.MAX_OUTPUT_CHARS else None):
        return None
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _shown(data: Raw, take: Callable[[int], bool]) -> dict[str, Any]:
    """The pictures in an output: empty where there is no room, or where such pictures are never kept."""
    raw = msgspec.json.decode(data, type=_Output)
    bundle = msgspec.json.decode(raw.data, type=_Bundle) if _kind(raw.data) == "{" else _Bundle()
    found = {"image/png": bundle.png, "image/jpeg": bundle.jpeg, "image/gif": bundle.gif}
    found |= {kind: old for kind, old in (("image/png", raw.png), ("image/jpeg", raw.jpeg)) if _there(old)}
    shown = {
        kind: msgspec.json.decode(picture) if _kind(picture) in ('"', "[") and take(len(_bytes(picture))) else ""
        for kind, picture in found.items()
        if _there(picture)
    }
    return shown | ({"image/svg+xml": ""} if any(map(_there, (bundle.svg, bundle.webp, bundle.plotly))) else {})


def _cell_metadata(data: Raw) -> dict[str, Any]:
    if _kind(data) != "{":
        return {}
    raw = msgspec.json.decode(data, type=_CellMetadata)
    grader = msgspec.json.decode(raw.nbgrader, type=_Nbgrader) if _kind(raw.nbgrader) == "{" else _Nbgrader()
    return {"nbgrader": {"grade_id": _name(grader.grade_id)}, "id": _name(raw.id)}


def _metadata(data: Raw) -> dict[str, Any]:
    """What the notebook says of its language."""
    raw = msgspec.json.decode(data, type=_Metadata) if _kind(data) == "{" else _Metadata()
    parts = {"language_info": raw.language_info, "kernelspec": raw.kernelspec}
    found = {
        key: msgspec.json.decode(part, type=_Language) if _kind(part) == "{" else _Language()
        for key, part in parts.items()
    }
    return {key: {"name": _name(part.name), "language": _name(part.language)} for key, part in found.items()}


def _items(data: Raw, kind: Any) -> list[Raw]:
    found = msgspec.json.decode(data, type=kind)
    return [*takewhile(_there, (getattr(found, field) for field in kind.__struct_fields__))]


def _name(data: Raw) -> str:
    """A short string; "" for anything else."""
    return str(msgspec.json.decode(data)) if _kind(data) == '"' and len(_bytes(data)) <= _MAX_NAME_BYTES else ""


def _bytes(data: Raw) -> memoryview:
    return memoryview(data)


def _there(data: Raw) -> bool:
    return len(_bytes(data)) > 0


def _kind(data: Raw) -> str:
    """The first character of a value, which says what it is; "" where there is none."""
    return chr(_bytes(data)[0]) if _there(data) else ""
