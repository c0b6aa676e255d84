"""Reduces a JSON value to a plain notebook: only the fields that grading reads."""

import codecs
import re
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursekit.model.errors import CourseError
from coursekit.submission import attachments, damaged_json, pictures, submitted_outputs
from coursekit.submission.damaged_json import HAND_IN_AGAIN
from coursekit.submission.notebook_parser import MAX_CELLS

SAVE_AGAIN = "open your notebook in JupyterLab, save it, and hand in that file"
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what nbformat allows
_MAX_NAME = 200


@dataclass(frozen=True)
class SalvagedNotebook:
    """A plain notebook: cells with type, source, names and pictures.

    ``whole`` is False if cells may be lost. ``language`` is that of the kernel in the metadata, or "".
    """

    notebook: NotebookNode
    notes: tuple[str, ...] = ()
    whole: bool = True
    language: str = ""


def plain_notebook(value: Any, where: str, always_run: frozenset[str] | None) -> SalvagedNotebook:
    """The plain notebook in a JSON value. Raises CourseError if it is no notebook.

    ``always_run``: the names of the cells that grading runs, whose outputs are not kept; None if it runs all cells.
    """
    value = _unwrapped(value)
    if not isinstance(value, dict) or not ("cells" in value or "worksheets" in value):
        raise CourseError(where, "valid JSON, but not a notebook", "hand in the .ipynb file itself")
    raw_cells = _raw_cells(value)
    if raw_cells is None:
        raise CourseError(where, "not a readable notebook (its cells are no list)", SAVE_AGAIN)
    cells = _cells(raw_cells, where, always_run)
    if not cells:
        what = "the notebook has no cells" if not raw_cells else "no cell of the notebook has anything in it"
        raise CourseError(where, what, f"save your own notebook, and {HAND_IN_AGAIN}")
    lost = attachments.drop_excess(sorted(cells, key=lambda cell: "nbgrader" not in cell.metadata))
    notes = (f"{lost} of the pictures in the notebook were too many or too large to be kept.",) if lost else ()
    made = NotebookNode(cells=cells, metadata=NotebookNode(), nbformat=4, nbformat_minor=5)
    return SalvagedNotebook(made, notes, language=_language(value.get("metadata")))


def _unwrapped(value: Any) -> Any:
    """Unwrap a notebook that was encoded as JSON twice, or that is in the format of Jupyter's contents API."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = next(iter(damaged_json.documents(value.strip())[0]), None)
    if isinstance(value, dict) and isinstance(value.get("content"), dict):
        return value["content"]
    return value


def _raw_cells(value: dict[str, Any]) -> list[Any] | None:
    """The list of cells: of format 4, or of the worksheets of format 3."""
    if isinstance(value.get("cells"), list):
        return list(value["cells"])
    sheets = value.get("worksheets")
    if not isinstance(sheets, list):
        return None
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def _cells(raw_cells: list[Any], where: str, always_run: frozenset[str] | None) -> list[NotebookNode]:
    """The cells that have a source. Raises CourseError if there are too many."""
    cells: list[NotebookNode] = []
    used: set[str] = set()
    budget = submitted_outputs.OutputBudget()
    for number, raw in enumerate(raw_cells, 1):
        cell = _cell(raw, number, used)
        if cell is not None:
            cells.append(cell)
            if cell.cell_type == "code" and submitted_outputs.is_wanted(_names(raw), always_run):
                submitted_outputs.store(cell, raw.get("handed_in", raw.get("outputs")), budget)
        if len(cells) > MAX_CELLS:
            raise CourseError(where, f"a notebook of more than {MAX_CELLS} cells",
                              "delete what does not belong to your answers, and hand in again")  # fmt: skip
    return cells


def _cell(raw: Any, number: int, used: set[str]) -> NotebookNode | None:
    """The cell with a unique id, which is added to ``used``; None if it has no source."""
    source = _text(raw.get("source", raw.get("input"))) if isinstance(raw, dict) else None
    if source is None:
        return None
    kind, source = _kind(raw, source)
    grade_id, own_id, moved_id = _names(raw)
    drawn = pictures.shown_by(source, raw.get("outputs")) if kind == "code" else []
    if not source.strip() and not grade_id and not raw.get("attachments") and not drawn:
        return None
    name = own_id or moved_id
    cell_id = _free_id(name, number, used)
    used.add(cell_id)
    kept: dict[str, Any] = {"nbgrader": {"grade_id": grade_id}} if grade_id else {}
    kept |= {"id": name} if name and name != cell_id else {}
    # A written answer may also need the pictures, but no other output or attachment.
    cell: dict[str, Any] = {"id": cell_id, "cell_type": kind, "metadata": kept, "source": source}
    if kind == "code":
        return nbformat.from_dict(cell | {"outputs": drawn, "execution_count": None})
    cell["source"], found = attachments.inlined(source, attachments.accepted(raw.get("attachments")))
    return nbformat.from_dict(cell | ({"attachments": found} if found else {}))


def _kind(raw: dict[str, Any], source: str) -> tuple[str, str]:
    """The type and source of a cell. Headings of format 3 become Markdown; a missing type is inferred."""
    kind = raw.get("cell_type")
    if kind == "heading":
        level = raw.get("level")
        return "markdown", "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + source
    if kind in ("code", "markdown", "raw"):
        return str(kind), source
    return "code" if raw.keys() & {"outputs", "execution_count", "prompt_number"} else "raw", source


def _free_id(name: str, number: int, used: set[str]) -> str:
    """The cell's name if it is a valid id, else an unused one. (nbformat would generate a random one.)"""
    if _CELL_ID.fullmatch(name) and name not in used:
        return name
    names = chain([f"unnamed-{number}"], (f"unnamed-{number}-{n}" for n in count()))
    return next(free for free in names if free not in used)


def _names(raw: dict[str, Any]) -> tuple[str, str, str]:
    """The names of a cell: its grade id, its id, and the id in its metadata, where Colab puts it."""
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    grader = metadata.get("nbgrader")
    grade_id = grader.get("grade_id") if isinstance(grader, dict) else ""
    return _name(grade_id), _name(raw.get("id")), _name(metadata.get("id"))


def _text(value: Any) -> str | None:
    """A source as one string with Unix line ends, without lone surrogates, which cannot be encoded."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return None
    clean = codecs.decode(value.encode("utf-8", "replace"), "utf-8")
    return clean.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _name(value: Any) -> str:
    return (_text(value) or "")[:_MAX_NAME] if isinstance(value, str) else ""


def _language(metadata: Any) -> str:
    """The language of the notebook's kernel; "" if unknown."""
    if not isinstance(metadata, dict):
        return ""
    for key, field in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        part = metadata.get(key)
        if isinstance(part, dict) and isinstance(part.get(field), str) and part[field].strip():
            return str(part[field]).strip()[:40]
    return ""
