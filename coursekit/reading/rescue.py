"""Bytes that ought to be a notebook -> the notebooks that can be read out of them, and what was wrong on the way."""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursekit.errors import CourseError
from coursekit.reading import attachments, handed_in, pictures, skimming, strangers
from coursekit.reading.skimming import MAX_CELLS

# Of what is no whole JSON: how much of it is looked at, figures left out, and of how many values and lines.
MAX_DAMAGED_BYTES, MAX_DAMAGED_VALUES = 8 << 20, 300_000
_FIGURE = re.compile(rb'"[A-Za-z0-9+/=\\]{50000,}+"?')
_SAVE_AGAIN = "open your notebook in JupyterLab, save it, and hand in that file"
_HAND_IN_AGAIN = "hand in the whole file again"
_MERGE = re.compile(r"(?m)^(<{7}|\|{7}|={7}|>{7})(?:[ \t][^\n]*)?\r?$")
_CELL_START = re.compile(r'\{\s*"(?:cell_type|attachments|execution_count|id|metadata|outputs|source|collapsed)"')
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what nbformat allows
_MAX_NAME = 200


def _small_int(digits: str) -> int:
    return int(digits) if len(digits) < 1000 else 0  # Python refuses to read a number of thousands of digits


_DECODER = json.JSONDecoder(strict=False, parse_int=_small_int)


@dataclass(frozen=True)
class Rescued:
    """A notebook in its plainest form: cells with a type, a source, the names that they go by, and their pictures.

    ``whole`` is False where cells may be lost. ``language`` is the kernel's, as the notebook says it; may be "".
    """

    notebook: NotebookNode
    notes: tuple[str, ...] = ()
    whole: bool = True
    language: str = ""


def notebooks_in(data: bytes, where: str, run: frozenset[str] | None = None) -> list[Rescued]:
    """The notebooks that a file holds: one, as a rule; the one to prefer first. Raises CourseError if there is none.

    ``run``: the names of cells of which no outputs are kept (``handed_in``), because they are run; None: of none.
    """
    if not data.strip(b"\0 \t\r\n"):
        what = "the file is empty" if not data else "the file holds nothing but blanks"
        raise CourseError(where, what, f"save the notebook, and {_HAND_IN_AGAIN}")
    skimmed = _skimmed(data, where, run)
    if skimmed is not None:
        return [_notebook(skimmed, where, run)]
    data = _bearable(data, where)
    text, notes = _decoded(data)
    problem: CourseError | None = None
    rescued = []
    for value, about, whole in _values(text):
        try:
            found = _notebook(value, where, run)
        except CourseError as error:
            problem = problem or error
            continue
        rescued.append(replace(found, notes=(*notes, *about, *found.notes), whole=whole))
    if rescued:
        return rescued
    what, remedy = strangers.content(data)
    if what and problem is None:
        raise CourseError(where, f"this is {what}", remedy)
    raise problem or CourseError(where, "this cannot be read as a notebook, not even in parts", _SAVE_AGAIN)


def _skimmed(data: bytes, where: str, run: frozenset[str] | None) -> dict[str, Any] | None:
    """The notebook in a file that is nothing but one, in UTF-8, as nearly every file is."""
    try:
        return skimming.notebook(data.removeprefix(codecs.BOM_UTF8), run)
    except skimming.TooMuch as error:
        raise CourseError(where, str(error), "delete what does not belong to your answers, and hand in again") from None


def _bearable(data: bytes, where: str) -> bytes:
    """Damaged data, without its figures if it is large. Raises CourseError where it is still too much to be read."""
    if len(data) > MAX_DAMAGED_BYTES:
        data = _FIGURE.sub(b'""', data)
    values = sum(map(data.count, (b"{", b"[", b",", b"\n"))) if len(data) <= MAX_DAMAGED_BYTES else 0
    if len(data) > MAX_DAMAGED_BYTES or values > MAX_DAMAGED_VALUES:
        what, remedy = strangers.content(data)
        if what:
            raise CourseError(where, f"this is {what}", remedy)
        raise CourseError(where, "a notebook that is damaged, and too large to be repaired",
                          "open it in JupyterLab, clear all outputs, save, and hand in that file")  # fmt: skip
    return data


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file in whichever encoding it has, and a remark where letters were lost."""
    encoding = json.detect_encoding(data)
    if encoding in ("utf-8", "utf-8-sig"):
        try:
            return data.decode(encoding), ()
        except UnicodeDecodeError:
            text = data.decode(encoding, "replace")
    else:
        text = data.decode(encoding, "replace")
        if "\N{REPLACEMENT CHARACTER}" not in text:
            return text, ()
    lost = text.count("\N{REPLACEMENT CHARACTER}")
    if encoding == "utf-8" and not any(ord(letter) > 127 for letter in set(text) - {"\N{REPLACEMENT CHARACTER}"}):
        return _western(data), ()
    many = "one damaged letter of the file was" if lost == 1 else f"{lost} damaged letters of the file were"
    return text, (f"{many[0].upper()}{many[1:]} replaced by a question mark.",)


def _western(data: bytes) -> str:
    """What older programs on Windows write: every letter outside ASCII is one byte."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _values(text: str) -> Iterator[tuple[Any, tuple[str, ...], bool]]:
    """What the text may mean as JSON, the likeliest first; a remark on each; whether nothing of it is lost."""
    text = text.strip("\ufeff\0 \t\r\n")
    if len({mark[1] for mark in _MERGE.finditer(text)} & {"<<<<<<<", "=======", ">>>>>>>"}) == 3:
        told = "The file is an unfinished Git merge (it has lines with <<<<<<< and >>>>>>>). The {} was graded;"
        told += " if that is wrong, finish the merge and hand in again."
        both = [_documents(side) for side in _sides(text)]
        for side, (documents, _) in zip(("upper side", "lower side"), both, strict=True):
            for document in documents[:1]:
                yield document, (told.format(side),), True
        if any(documents for documents, _ in both):
            return
    documents, rest = _documents(text)
    if len(documents) > 1:
        for place, document in reversed([*zip(("first", "second", "third"), documents, strict=False)]):
            told = f"The file held {len(documents)} notebooks, one behind the other; the {place} one was graded."
            yield document, (told,), True
        return
    if documents and (isinstance(documents[0], dict) or (isinstance(documents[0], str) and not rest)):
        left = "Behind the end of the notebook the file held something else, which was left out."
        yield documents[0], (left,) if rest else (), True
        return
    cells = _whole_cells(text)
    if cells:
        count = f"{len(cells)} cells" if len(cells) > 1 else "one cell"
        told = f"The file is damaged or breaks off in the middle: {count} could still be read, the rest is lost;"
        yield {"cells": cells}, (f"{told} {_HAND_IN_AGAIN}.",), False
    elif documents:
        yield documents[0], (), True


def _sides(text: str) -> tuple[str, str]:
    """The two versions between which the marks of a merge let choose."""
    sides: tuple[list[str], list[str]] = ([], [])
    writing: tuple[int, ...] = (0, 1)
    for line in text.splitlines(keepends=True):
        mark = _MERGE.match(line.rstrip("\r\n"))
        if mark:
            writing = {"<": (0,), "|": (), "=": (1,), ">": (0, 1)}[mark[1][0]]
            continue
        for side in writing:
            sides[side].append(line)
    return "".join(sides[0]), "".join(sides[1])


def _documents(text: str) -> tuple[list[Any], str]:
    """The JSON values with which a text begins, at most three, and what stands behind them."""
    if text[:1] not in ("{", "[", '"'):
        start = text.find("{", 0, 4096)
        text = text[start:] if start >= 0 and not text.startswith("<") else ""
    found: list[Any] = []
    while text and len(found) < 3:
        try:
            value, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            break
        if found and not isinstance(value, dict):
            break
        found.append(value)
        text = text[end:].lstrip("\ufeff\0 \t\r\n,")
    return found, text


def _whole_cells(text: str) -> list[Any]:
    """The cells that can be read one by one out of what is no JSON as a whole."""
    found: list[Any] = []
    at, work = 0, 5 * len(text) + 1_000_000  # a text can be made such that every try goes to its very end
    while work > 0 and len(found) < MAX_CELLS:
        start = _CELL_START.search(text, at)
        if start is None:
            break
        at = start.start()
        try:
            value, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            work -= error.pos - at + error.pos // 20 + 100  # it counts the lines from the beginning
            at += 1
        except (ValueError, RecursionError):
            work -= 20_000
            at += 1
        else:
            work -= end - at
            at = end
            if isinstance(value, dict) and "cell_type" in value and ("source" in value or "input" in value):
                found.append(value)
    return found


def _notebook(value: Any, where: str, run: frozenset[str] | None) -> Rescued:
    if isinstance(value, str) and value.lstrip().startswith("{"):  # JSON that was turned into JSON once more
        value = next(iter(_documents(value.strip())[0]), None)
    if isinstance(value, dict) and isinstance(value.get("content"), dict):  # as Jupyter's own server sends it
        value = value["content"]
    if not isinstance(value, dict) or not ("cells" in value or "worksheets" in value):
        raise CourseError(where, "valid JSON, but not a notebook", "hand in the .ipynb file itself")
    cells = _raw_cells(value)
    if cells is None:
        raise CourseError(where, "not a readable notebook (its cells are no list)", _SAVE_AGAIN)
    plain: list[NotebookNode] = []
    used: set[str] = set()
    room = handed_in.Room()
    for number, raw in enumerate(cells, 1):
        cell = _plain(raw, number, used)
        if cell is not None:
            plain.append(cell)
            if cell.cell_type == "code" and handed_in.is_wanted(_names(raw), run):
                handed_in.keep(cell, raw.get("handed_in", raw.get("outputs")), room)
        if len(plain) > MAX_CELLS:
            raise CourseError(where, f"a notebook of more than {MAX_CELLS} cells",
                              "delete what does not belong to your answers, and hand in again")  # fmt: skip
    if not plain:
        what = "the notebook has no cells" if not cells else "no cell of the notebook has anything in it"
        raise CourseError(where, what, f"save your own notebook, and {_HAND_IN_AGAIN}")
    lost = attachments.bounded(sorted(plain, key=lambda cell: "nbgrader" not in cell.metadata))
    notes = (f"{lost} of the pictures in the notebook were too many or too large to be kept.",) if lost else ()
    made = NotebookNode(cells=plain, metadata=NotebookNode(), nbformat=4, nbformat_minor=5)
    return Rescued(made, notes, language=_language(value.get("metadata")))


def _raw_cells(value: dict[str, Any]) -> list[Any] | None:
    """The list of cells, of format 4 or, in worksheets, of format 3."""
    if isinstance(value.get("cells"), list):
        return list(value["cells"])
    sheets = value.get("worksheets")
    if not isinstance(sheets, list):
        return None
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def _plain(raw: Any, number: int, used: set[str]) -> NotebookNode | None:
    """The cell with an id of its own (in ``used`` from then on), or None where it has no source."""
    if not isinstance(raw, dict):
        return None
    source = _text(raw.get("source", raw.get("input")))
    if source is None:
        return None
    kind = raw.get("cell_type")
    if kind == "heading":
        level = raw.get("level")
        source = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + source
        kind = "markdown"
    elif kind not in ("code", "markdown", "raw"):
        kind = "code" if "outputs" in raw or "execution_count" in raw or "prompt_number" in raw else "raw"
    grade_id, own_id, moved_id = _names(raw)
    drawn = pictures.shown_by(source, raw.get("outputs")) if kind == "code" else []
    if not source.strip() and not grade_id and not raw.get("attachments") and not drawn:
        return None
    kept: dict[str, Any] = {"nbgrader": {"grade_id": grade_id}} if grade_id else {}
    name = own_id or moved_id
    if _CELL_ID.fullmatch(name) and name not in used:
        cell_id = name
    else:  # nbformat would make one by chance
        names = chain([f"unnamed-{number}"], (f"unnamed-{number}-{n}" for n in count()))
        cell_id = next(free for free in names if free not in used)
        kept |= {"id": name} if name else {}
    used.add(cell_id)
    # And what else a written answer may need of it: pictures, and no other output or attachment.
    cell: dict[str, Any] = {"id": cell_id, "cell_type": kind, "metadata": kept, "source": source}
    if kind == "code":
        return nbformat.from_dict(cell | {"outputs": drawn, "execution_count": None})
    cell["source"], found = attachments.inlined(cell["source"], attachments.kept(raw.get("attachments")))
    return nbformat.from_dict(cell | ({"attachments": found} if found else {}))


def _names(raw: dict[str, Any]) -> tuple[str, str, str]:
    """What a cell says that it is: its grade id, its id, and its id where Colab puts it."""
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    grader = metadata.get("nbgrader")
    grade_id = grader.get("grade_id") if isinstance(grader, dict) else ""
    return _name(grade_id), _name(raw.get("id")), _name(metadata.get("id"))


def _text(value: Any) -> str | None:
    """A source as one string: no half characters (lone surrogates), which no file can hold, and Unix line ends."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return None
    clean = codecs.decode(value.encode("utf-8", "replace"), "utf-8")
    return clean.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _name(value: Any) -> str:
    return (_text(value) or "")[:_MAX_NAME] if isinstance(value, str) else ""


def _language(metadata: Any) -> str:
    """The language of the notebook's kernel; "" where it does not say."""
    if not isinstance(metadata, dict):
        return ""
    for key, field in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        part = metadata.get(key)
        if isinstance(part, dict) and isinstance(part.get(field), str) and part[field].strip():
            return str(part[field]).strip()[:40]
    return ""
