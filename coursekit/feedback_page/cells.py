"""The student's notebook as safe HTML, cell by cell, each with an anchor of our own."""

import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from coursekit import notebooks
from coursekit.feedback_page import code, displays, markdown, sanitise
from coursekit.reading.rebuild import NOTES_ID

MAX_PAGE_CHARS = 16 << 20  # of HTML, pictures included
MAX_MARKUP_CHARS = 1 << 20  # to be read; what comes behind is shown as plain text, or one page could take minutes
MAX_CELLS = 1_000
_HIDDEN_BEGIN, _HIDDEN_END = (
    re.compile(marker.strip("# ")) for marker in (notebooks.BEGIN_HIDDEN, notebooks.END_HIDDEN)
)


@dataclass(frozen=True)
class Cell:
    """``html`` and ``outputs`` are safe. ``graded`` is the grade_id of the exercise that it belongs to, or empty."""

    anchor: str
    cell_id: str
    kind: str
    prompt: str
    html: str
    outputs: tuple[str, ...] = ()
    graded: str = ""
    test: bool = False


@dataclass(frozen=True)
class Place:
    """Where an exercise is in the notebook: anchors of its text, its answer and its test, empty where there is none."""

    task: str = ""
    answer: str = ""
    test: str = ""


def shown(nb: NotebookNode, notes_are_told: bool) -> tuple[Cell, ...]:
    """Every cell. The grader's notes about the file are left out where the page tells them anyway."""
    outline = sanitise.Outline(above=2)
    cells: list[Cell] = []
    room, work = MAX_PAGE_CHARS, MAX_MARKUP_CHARS
    for cell in nb.cells[:MAX_CELLS]:
        if not (notes_are_told and cell.get("id") == NOTES_ID and not notebooks.grade_id(cell)):
            work -= len(cell.source) + displays.weight(cell.get("outputs"))
            cells.append(_cell(cell, len(cells) + 1, outline if work > 0 else None, room > 0))
            room -= len(cells[-1].html) + sum(map(len, cells[-1].outputs))
    return tuple(cells)


def title(nb: NotebookNode) -> str:
    """The first heading of the notebook's own text, empty if it has none."""
    for cell in nb.cells:
        if cell.cell_type == "markdown" and not str(cell.get("id", "")).startswith(("added-", NOTES_ID)):
            found = re.match(r"#[ \t]+([^\n]{1,200})", cell.source)
            return found[1].strip(" #*_`") if found else ""
    return ""


def places(cells: tuple[Cell, ...]) -> dict[str, Place]:
    """By grade_id. An exercise's text is the cell ``<grade_id>-task``, else the Markdown before its answer."""
    found: dict[str, Place] = {}
    texts = {cell.cell_id: cell.anchor for cell in cells if cell.kind == "markdown"}
    for index, cell in enumerate(cells):
        if not cell.graded:
            continue
        before = next((c.anchor for c in reversed(cells[:index]) if c.kind == "markdown"), "")
        known = found.get(cell.graded, Place(before))
        found[cell.graded] = Place(
            texts.get(f"{cell.graded}-task", known.task),
            known.answer if cell.test else known.answer or cell.anchor,
            known.test or cell.anchor if cell.test else known.test,
        )
    return found


def without_hidden_tests(cell: NotebookNode) -> str:
    """The source of a cell of ours as students see it. In a student's own cell the markers are text like any other."""
    if not notebooks.grader_metadata(cell) or notebooks.is_solution(cell):
        return str(cell.source)
    kept, hidden = [], False
    for line in cell.source.split("\n"):  # a region without an end goes on to the end of the cell
        if _HIDDEN_BEGIN.search(line):
            hidden = True
        elif _HIDDEN_END.search(line):
            hidden = False
        elif not hidden:
            kept.append(line)
    return "\n".join(kept).rstrip("\n")


def _cell(cell: NotebookNode, number: int, outline: sanitise.Outline | None, has_room: bool) -> Cell:
    """One cell; without an ``outline`` as plain text, without room without its outputs."""
    anchor, cell_id = f"cell-{number}", str(cell.get("id", ""))
    graded = (notebooks.grade_id(cell) or "").removesuffix("-test")
    source = without_hidden_tests(cell)
    if cell.cell_type == "markdown" and outline is not None:
        html = markdown.html(source, outline, cell.get("attachments"))
        return Cell(anchor, cell_id, "markdown", "", html, graded=graded)
    prompt = _prompt(cell.get("execution_count")) if cell.cell_type == "code" else ""
    name = f"cell {prompt}" if prompt else f"cell {number}"
    html = code.highlighted(source, f"Source of {name}", colours=outline is not None)
    if cell.cell_type != "code":
        return Cell(anchor, cell_id, "raw", "", html, graded=graded)
    full = ('<p class="absent">[Left out: the outputs of this notebook are too large for one page.]</p>',)
    outputs = tuple(displays.shown(cell.get("outputs"), name, outline is not None)) if has_room else full
    return Cell(anchor, cell_id, "code", prompt, html, outputs, graded, notebooks.is_test(cell))


def _prompt(count: Any) -> str:
    return f"[{count}]" if type(count) is int and 0 <= count < 100_000 else "[ ]"
