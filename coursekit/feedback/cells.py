"""The student's notebook as safe HTML, cell by cell, each with an anchor of our own."""

import re
from dataclasses import dataclass
from html import escape
from typing import Any

from nbformat import NotebookNode

from coursekit.feedback import code, displays, markdown, sanitise
from coursekit.feedback.budget import Budget, BudgetExceeded
from coursekit.model import notebooks
from coursekit.submission.rebuild import NOTES_ID

MAX_CELLS = 300  # each also needs some 2,000 characters of the Formgrader's own HTML
_HIDDEN_BEGIN, _HIDDEN_END = (
    re.compile(marker.strip("# ")) for marker in (notebooks.BEGIN_HIDDEN, notebooks.END_HIDDEN)
)


@dataclass(frozen=True)
class View:
    """Options of the rendering. ``original``: where the complete notebook is, named if something is left out."""

    original: str = "the notebook as you handed it in"
    headings_as_written: bool = False  # else levels continue those of the page without a gap
    hidden_tests: bool = False


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
    results: frozenset[int] = frozenset()  # which of the outputs are the cell's result


@dataclass(frozen=True)
class Place:
    """The anchors of an exercise's text, answer and test in the notebook; empty if there is none."""

    task: str = ""
    answer: str = ""
    test: str = ""


def render(nb: NotebookNode, notes_shown_above: bool, view: View = View()) -> tuple[Cell, ...]:
    """Render every cell within the budget of one page; each cell of the assignment has a share of it.

    ``notes_shown_above``: the page shows the grader's notes about the file, so their cell is left out.
    """
    visible_cells = [
        cell
        for cell in nb.cells
        if not (notes_shown_above and cell.get("id") == NOTES_ID and not notebooks.grade_id(cell))
    ]
    chosen = _chosen(visible_cells)
    budget = Budget()
    outline = sanitise.AsWritten() if view.headings_as_written else sanitise.Outline(above=2)
    ours = [cell for cell in chosen if not _is_added(cell)]
    budget.reserve(len(ours), sum(map(_has_pictures, ours)))
    cells: list[Cell] = []
    for cell in chosen:
        if not _is_added(cell):
            budget.begin_cell(_has_pictures(cell))
        cells.append(_cell(cell, len(cells) + 1, outline, budget, view))
    if len(chosen) < len(visible_cells):
        left_out = len(visible_cells) - len(chosen)
        said = f"[{left_out:,} cells are left out here: there are too many. They are in {view.original}.]"
        cells.append(Cell(f"cell-{len(cells) + 1}", "", "raw", "", _absent(said)))
    return tuple(cells)


def title(nb: NotebookNode) -> str:
    """The first heading of the notebook's own text, empty if it has none."""
    for cell in nb.cells:
        if cell.cell_type == "markdown" and not str(cell.get("id", "")).startswith((notebooks.ADDED, NOTES_ID)):
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
    """The source of a cell of the assignment as students see it. In a student's own cell the markers are plain text."""
    if not notebooks.grader_metadata(cell) or notebooks.is_solution(cell):
        return str(cell.source)
    kept, hidden = [], False
    for line in cell.source.split("\n"):  # a region without an end marker extends to the end of the cell
        if _HIDDEN_BEGIN.search(line):
            hidden = True
        elif _HIDDEN_END.search(line):
            hidden = False
        elif not hidden:
            kept.append(line)
    return "\n".join(kept).rstrip("\n")


def _chosen(cells: list[NotebookNode]) -> list[NotebookNode]:
    """All cells of the assignment, and as many added cells as fit on one page."""
    room = MAX_CELLS - sum(not _is_added(cell) for cell in cells)
    chosen = []
    for cell in cells:
        if _is_added(cell):
            room -= 1
        if room >= 0 or not _is_added(cell):
            chosen.append(cell)
    return chosen


def _is_added(cell: NotebookNode) -> bool:
    """Whether the student added the cell: its id is not the assignment's, and it is not graded."""
    return str(cell.get("id", "")).startswith(notebooks.ADDED) and not notebooks.grade_id(cell)


def _has_pictures(cell: NotebookNode) -> bool:
    """Whether the cell may have pictures; the content of HTML outputs is unknown before they are parsed."""
    outputs = cell.get("outputs")
    return bool(cell.get("attachments")) or any(
        isinstance(output, dict) and "data" in output for output in (outputs if isinstance(outputs, list) else ())
    )


def _cell(cell: NotebookNode, number: int, outline: sanitise.Outline, budget: Budget, view: View) -> Cell:
    anchor, cell_id = f"cell-{number}", str(cell.get("id", ""))
    graded = (notebooks.grade_id(cell) or "").removesuffix("-test")
    prompt = _prompt(cell.get("execution_count")) if cell.cell_type == "code" else ""
    name = f"cell {prompt}" if prompt else f"cell {number}"
    kind = cell.cell_type if cell.cell_type in ("markdown", "code") else "raw"
    source = str(cell.source) if view.hidden_tests else without_hidden_tests(cell)
    try:
        if kind == "markdown":
            html = markdown.html(source, outline, cell.get("attachments"), budget)
        else:
            html = code.html(source, f"Source of {name}", budget)
    except BudgetExceeded:
        html = _absent(f"[This cell is left out: the notebook is too large for one page. It is in {view.original}.]")
    if kind != "code":
        return Cell(anchor, cell_id, kind, "", html, graded=graded)
    outputs_html = displays.render_each(cell.get("outputs"), name, budget, view.original)
    results = frozenset(place for place, output in enumerate(outputs_html) if output.is_result)
    outputs = tuple(output.html for output in outputs_html)
    return Cell(anchor, cell_id, "code", prompt, html, outputs, graded, notebooks.is_test(cell), results)


def _absent(said: str) -> str:
    return f'<p class="absent">{escape(said)}</p>'


def _prompt(count: Any) -> str:
    return f"[{count}]" if type(count) is int and 0 <= count < 100_000 else "[ ]"
