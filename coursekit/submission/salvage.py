"""The bytes of a submitted file -> the notebooks that can be read from them, also if the file is damaged."""

import codecs
import re
from dataclasses import replace
from typing import Any

from coursekit.model.errors import CourseError
from coursekit.submission import damaged_json, encodings, notebook_parser, wrong_file_types
from coursekit.submission.damaged_json import HAND_IN_AGAIN
from coursekit.submission.plain_notebook import SAVE_AGAIN, SalvagedNotebook, plain_notebook

# Limits on damaged JSON: bytes without figures, and number of values and lines.
MAX_DAMAGED_BYTES, MAX_DAMAGED_VALUES = 8 << 20, 300_000
_FIGURE = re.compile(rb'"[A-Za-z0-9+/=\\]{50000,}+"?')


def notebooks_in(data: bytes, where: str, always_run: frozenset[str] | None = None) -> list[SalvagedNotebook]:
    """The notebooks in a file, usually one; the preferred one first. Raises CourseError if there is none.

    ``always_run``: the names of the cells that grading runs, whose outputs are not kept; None if it runs all cells.
    """
    if not data.strip(b"\0 \t\r\n"):
        what = "the file is empty" if not data else "the file holds nothing but blanks"
        raise CourseError(where, what, f"save the notebook, and {HAND_IN_AGAIN}")
    parsed = _parsed(data, where, always_run)
    if parsed is not None:
        return [plain_notebook(parsed, where, always_run)]
    data = _within_limits(data, where)
    text, notes = encodings.decoded(data)
    problem: CourseError | None = None
    salvaged = []
    for value, about, whole in damaged_json.values(text):
        try:
            found = plain_notebook(value, where, always_run)
        except CourseError as error:
            problem = problem or error
            continue
        salvaged.append(replace(found, notes=(*notes, *about, *found.notes), whole=whole))
    if salvaged:
        return salvaged
    what, remedy = wrong_file_types.content(data)
    if what and problem is None:
        raise CourseError(where, f"this is {what}", remedy)
    raise problem or CourseError(where, "this cannot be read as a notebook, not even in parts", SAVE_AGAIN)


def _parsed(data: bytes, where: str, always_run: frozenset[str] | None) -> dict[str, Any] | None:
    """The notebook in a valid UTF-8 file, as nearly every file is; else None."""
    try:
        return notebook_parser.notebook(data.removeprefix(codecs.BOM_UTF8), always_run)
    except notebook_parser.TooMuch as error:
        raise CourseError(where, str(error), "delete what does not belong to your answers, and hand in again") from None


def _within_limits(data: bytes, where: str) -> bytes:
    """Damaged data, without figures if it is large. Raises CourseError if it is still beyond the limits."""
    if len(data) > MAX_DAMAGED_BYTES:
        data = _FIGURE.sub(b'""', data)
    values = sum(map(data.count, (b"{", b"[", b",", b"\n"))) if len(data) <= MAX_DAMAGED_BYTES else 0
    if len(data) > MAX_DAMAGED_BYTES or values > MAX_DAMAGED_VALUES:
        what, remedy = wrong_file_types.content(data)
        if what:
            raise CourseError(where, f"this is {what}", remedy)
        raise CourseError(where, "a notebook that is damaged, and too large to be repaired",
                          "open it in JupyterLab, clear all outputs, save, and hand in that file")  # fmt: skip
    return data
