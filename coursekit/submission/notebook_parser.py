"""Parses a notebook's file, and builds objects only for the parts that grading reads.

A file of 60 MiB may be one figure, or ten million empty dicts in an editor's metadata: neither is built. This module
reads valid JSON only; ``coursekit.submission.salvage`` also reads damaged files, with lower limits.
"""

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

import msgspec
from msgspec import Raw, Struct

from coursekit.submission import pictures, python_json, submitted_outputs

MAX_CELLS = 5_000
MAX_TEXT_BYTES = 4 << 20  # of all sources of a notebook, as encoded in the file
MAX_PICTURE_BYTES = 12 << 20  # of the pictures in all cells
MAX_PLOTS, MAX_PLOT_BYTES = 100, 8 << 20  # of the pictures that running the code draws again
MAX_OUTPUTS = 20_000  # outputs of all cells that are searched for pictures
_MAX_NAME_BYTES, _MAX_SHEETS = 2_000, 20
_NOTHING = Raw(b"")
_PICTURE_IN_TEXT = re.compile(rb"data:image/[a-z0-9.+-]{1,20};base64,[A-Za-z0-9+/=%]{1000,}+", re.IGNORECASE)


class TooMuch(Exception):
    """The notebook exceeds the limit on cells or on text; the message says which."""


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
    """``png`` and ``jpeg`` hold the picture in format 3."""

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
    """A type for the first ``count`` items of a list: msgspec skips the others, as it skips unknown keys."""
    return msgspec.defstruct(name, [(f"item{number}", Raw, _NOTHING) for number in range(count)], array_like=True)


_Cells, _Sheets = _first(MAX_CELLS + 1, "_Cells"), _first(_MAX_SHEETS, "_Sheets")
_Outputs = _first(pictures.MAX_OUTPUTS, "_Outputs")


def notebook(data: bytes, always_run: frozenset[str] | None = None) -> dict[str, Any] | None:
    """The notebook in a file's bytes (UTF-8 without a byte-order mark), reduced to what grading reads; else None.

    ``always_run``: the names of the cells that grading runs, whose outputs are not kept; None if it runs all cells.
    Raises TooMuch.
    """
    try:
        return _notebook(data, always_run)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    if (fixed := python_json.as_json(data)) is not None:
        try:
            return _notebook(fixed, always_run)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
    return None


def _notebook(data: bytes | bytearray, always_run: frozenset[str] | None) -> dict[str, Any] | None:
    found = msgspec.json.decode(data, type=_Notebook)
    if _kind(found.content) == "{":  # the format of Jupyter's contents API
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
    budget = _ParseBudget()
    cells = [_cell(cell, budget, always_run) for cell in raw if _kind(cell) == "{"]
    for cell in reversed(cells):  # the last cells first: their pictures are likelier to be a written answer
        if cell.get("outputs"):
            cell["outputs"] = [*_with_pictures(cell["outputs"], pictures.is_drawn_again(_joined(cell)), budget)]
    return {"cells": cells, "metadata": _metadata(found.metadata)}


def _with_pictures(outputs: list[Raw], again: bool, budget: "_ParseBudget") -> Iterator[dict[str, Any]]:
    """The outputs that have pictures; of redrawn ones beyond the budget, one is kept to show that there are some."""
    for output in outputs:
        if budget.outputs == 0:
            return
        budget.outputs -= 1
        shown = _shown(output, budget.take_plot if again else budget.take_picture) if _kind(output) == "{" else {}
        if shown:
            yield {"data": shown}
            if again and not budget.plots:
                return


def _joined(cell: dict[str, Any]) -> str:
    text = cell.get("source") or cell.get("input")
    return "".join(map(str, text)) if text else ""


class _ParseBudget:
    """What may still be read of one notebook, in bytes of the file."""

    def __init__(self) -> None:
        self.text, self.pictures = MAX_TEXT_BYTES, MAX_PICTURE_BYTES
        self.plots, self.plot_bytes, self.outputs = MAX_PLOTS, MAX_PLOT_BYTES, MAX_OUTPUTS
        self.handed_in = submitted_outputs.OutputBudget()

    def take_text(self, source: Raw) -> None:
        """Charge a cell's source; pictures embedded in it count as pictures. Raises TooMuch."""
        size = len(_bytes(source))
        drawn = sum(found.end() - found.start() for found in _PICTURE_IN_TEXT.finditer(_bytes(source)))
        if self.take_picture(drawn):
            size -= drawn
        self.text -= size
        if self.text < 0:
            raise TooMuch(f"a notebook with more than {MAX_TEXT_BYTES >> 20} MiB of text in its cells")

    def take_picture(self, size: int) -> bool:
        """Charge a picture; False if the budget is too small."""
        if size > self.pictures:
            return False
        self.pictures -= size
        return True

    def take_plot(self, size: int) -> bool:
        """Charge a picture that the code draws again; False if the budget is too small."""
        if not self.plots or size > self.plot_bytes:
            return False
        self.plots, self.plot_bytes = self.plots - 1, self.plot_bytes - size
        return True


def _cell(data: Raw, budget: _ParseBudget, always_run: frozenset[str] | None) -> dict[str, Any]:
    raw = msgspec.json.decode(data, type=_Cell)
    cell: dict[str, Any] = {"cell_type": _name(raw.cell_type), "metadata": _cell_metadata(raw.metadata)}
    for key, source in (("source", raw.source), ("input", raw.input)):
        budget.take_text(source)
        if _there(source):
            cell[key] = msgspec.json.decode(source) if _kind(source) in '["' else None
    if _kind(raw.attachments) == "{" and budget.take_picture(len(_bytes(raw.attachments))):
        cell["attachments"] = msgspec.json.decode(raw.attachments)
    if len(_bytes(raw.level)) == 1:
        cell["level"] = msgspec.json.decode(raw.level)
    cell["id"] = _name(raw.id)
    # Only the presence of these fields matters, apart from pictures that may belong to a written answer.
    cell |= {key: None for key in ("outputs", "execution_count", "prompt_number") if _there(getattr(raw, key))}
    if _kind(raw.outputs) == "[":
        cell["outputs"] = _items(raw.outputs, _Outputs)
        names = (cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["id"], cell["metadata"].get("id"))
        if cell["outputs"] and submitted_outputs.is_wanted(names, always_run):
            cell["handed_in"] = [_decoded(output, budget.handed_in) for output in cell["outputs"]]
    return cell


def _decoded(data: Raw, budget: submitted_outputs.OutputBudget) -> Any:
    """An output as stored in the file; None if it is too large or has too many values."""
    if not budget.may_hold(bytes(data) if len(_bytes(data)) <= submitted_outputs.MAX_OUTPUT_CHARS else None):
        return None
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _shown(data: Raw, take: Callable[[int], bool]) -> dict[str, Any]:
    """The pictures in an output by MIME type: "" for one beyond the budget, or of a type that is never kept."""
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
    """The notebook's metadata about its language."""
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
    """The first character of a JSON value, which shows its type; "" if there is no value."""
    return chr(_bytes(data)[0]) if _there(data) else ""
