"""Bytes that ought to be a notebook -> the notebooks that can be read out of them, and what was wrong on the way."""

import codecs
import re
from dataclasses import replace
from typing import Any

from coursekit.model.errors import CourseError
from coursekit.submission import damaged_json, encodings, notebook_parser, wrong_file_types
from coursekit.submission.damaged_json import HAND_IN_AGAIN
from coursekit.submission.plain_notebook import SAVE_AGAIN, Rescued, plain_notebook

# Of what is no whole JSON: how much of it is looked at, figures left out, and of how many values and lines.
MAX_DAMAGED_BYTES, MAX_DAMAGED_VALUES = 8 << 20, 300_000
_FIGURE = re.compile(rb'"[A-Za-z0-9+/=\\]{50000,}+"?')


def notebooks_in(data: bytes, where: str, run: frozenset[str] | None = None) -> list[Rescued]:
    """The notebooks that a file holds: one, as a rule; the one to prefer first. Raises CourseError if there is none.

    ``run``: the names of cells of which no outputs are kept (``handed_in``), because they are run; None: of none.
    """
    if not data.strip(b"\0 \t\r\n"):
        what = "the file is empty" if not data else "the file holds nothing but blanks"
        raise CourseError(where, what, f"save the notebook, and {HAND_IN_AGAIN}")
    skimmed = _skimmed(data, where, run)
    if skimmed is not None:
        return [plain_notebook(skimmed, where, run)]
    data = _bearable(data, where)
    text, notes = encodings.decoded(data)
    problem: CourseError | None = None
    rescued = []
    for value, about, whole in damaged_json.values(text):
        try:
            found = plain_notebook(value, where, run)
        except CourseError as error:
            problem = problem or error
            continue
        rescued.append(replace(found, notes=(*notes, *about, *found.notes), whole=whole))
    if rescued:
        return rescued
    what, remedy = wrong_file_types.content(data)
    if what and problem is None:
        raise CourseError(where, f"this is {what}", remedy)
    raise problem or CourseError(where, "this cannot be read as a notebook, not even in parts", SAVE_AGAIN)


def _skimmed(data: bytes, where: str, run: frozenset[str] | None) -> dict[str, Any] | None:
    """The notebook in a file that is nothing but one, in UTF-8, as nearly every file is."""
    try:
        return notebook_parser.notebook(data.removeprefix(codecs.BOM_UTF8), run)
    except notebook_parser.TooMuch as error:
        raise CourseError(where, str(error), "delete what does not belong to your answers, and hand in again") from None


def _bearable(data: bytes, where: str) -> bytes:
    """Damaged data, without its figures if it is large. Raises CourseError where it is still too much to be read."""
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
