"""The student's answers and added cells, in a fresh copy of the source notebook's structure.

Locked cells, tests, ids, points, tags and metadata are ours, in our order. Answers are found by ``grade_id``, then by
cell id, then by the function that they define, so that deleted, duplicated, moved and retyped cells do no harm.
"""

import re
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from coursekit import notebooks, stubs
from coursekit.notebooks import as_markdown

NOTES_ID = "notes-of-the-grader"


@dataclass(frozen=True)
class Rebuilt:
    """The notebook to grade, and what had to be repaired, one sentence each."""

    notebook: NotebookNode
    repairs: tuple[str, ...]


def rebuild(source: NotebookNode, submission: NotebookNode, assignment: str) -> Rebuilt:
    """The submission in the source's structure. Neither argument is changed."""
    theirs = [cell for cell in submission.cells if isinstance(cell.get("source"), str)]
    blanks = {cell.id: stubs.blank_cell(cell, assignment) for cell in source.cells if notebooks.is_solution(cell)}
    match, repairs = _matches(source, theirs, blanks)
    added = _added(source, theirs, match, blanks)
    kept = [theirs[index].source for index in match.values()] + [c.source for cells in added.values() for c in cells]
    elsewhere = {name for text in kept for name in notebooks.defined_functions(text)}
    cells = list(added.get(None, []))
    for cell in source.cells:
        fresh = nbformat.from_dict({**cell, "metadata": {**cell.metadata}})
        if cell.id in blanks and cell.id in match:
            fresh.source = theirs[match[cell.id]].source
        elif cell.id in blanks and elsewhere & set(notebooks.defined_functions(cell.source)):
            repairs.append(f"The answer cell {cell.id} is missing; its function stands in another cell.")
            fresh.source = "# This function stands in another cell."
        elif cell.id in blanks:
            repairs.append(f"The answer cell {cell.id} is missing; it counts as not written.")
            fresh.source = blanks[cell.id]
        cells += [fresh, *added.get(cell.id, [])]
    return Rebuilt(nbformat.from_dict({**source, "cells": cells}), tuple(repairs))


def with_notes(notebook: NotebookNode, notes: tuple[str, ...]) -> NotebookNode:
    """The notebook with what the grader has to say about the file itself above its first cell."""
    if not notes:
        return notebook
    text = "\n".join(["**About this notebook**", "", *(f"* {as_markdown(note)}" for note in notes)])
    cell = nbformat.from_dict({"id": NOTES_ID, "cell_type": "markdown", "metadata": {}, "source": text})
    return nbformat.from_dict({**notebook, "cells": [cell, *notebook.cells]})


def _matches(
    source: NotebookNode, theirs: list[NotebookNode], blanks: dict[str, str]
) -> tuple[dict[str, int], list[str]]:
    """Which of their cells stands for which of ours (by our id), and the remarks that this calls for."""
    repairs: list[str] = []
    match: dict[str, int] = {}
    answers = {cell.id for cell in source.cells if cell.id in blanks}
    for cell in source.cells:
        candidates = [i for i, their in enumerate(theirs) if _name(their) == cell.id]
        wanted = set(notebooks.defined_functions(cell.source)) if cell.id in blanks else set()
        if wanted and not any(_answers(theirs[i], wanted, blanks[cell.id]) for i in candidates):
            found = [
                i
                for i, their in enumerate(theirs)
                if _name(their) not in answers and _answers(their, wanted, blanks[cell.id])
            ]
            if found:
                candidates = found
                repairs.append(f"The answer to {cell.id} was not in its cell; it was found by the function in it.")
        if candidates:
            match[cell.id] = _best(candidates, theirs, wanted, blanks.get(cell.id))
            repairs += _remarks(cell, theirs[match[cell.id]], len(candidates))
        elif notebooks.is_test(cell):
            repairs.append(f"The test cell {cell.id} was missing; it is back.")
    return match, repairs


def _answers(cell: NotebookNode, wanted: set[str], blank: str) -> bool:
    """Whether a cell defines what is wanted, and is not the untouched stub."""
    return bool(wanted & set(notebooks.defined_functions(cell.source))) and not _same_text(cell.source, blank)


def _name(cell: NotebookNode) -> str | None:
    """What a submitted cell says it is: its grade_id, else its cell id."""
    return notebooks.grade_id(cell) or cell.get("id")


def _best(candidates: list[int], theirs: list[NotebookNode], wanted: set[str], blank: str | None) -> int:
    """The last copy that defines the function: in the student's kernel the last definition won. The first of a test."""
    if blank is None:
        return candidates[0]
    changed = [i for i in candidates if not _same_text(theirs[i].source, blank)]
    defining = [i for i in changed if _answers(theirs[i], wanted, blank)]
    return (defining or changed or candidates)[-1]


def _remarks(cell: NotebookNode, their: NotebookNode, copies: int) -> list[str]:
    if not notebooks.grader_metadata(cell):
        return []
    remarks = []
    if copies > 1:
        counts = "the last answer counts" if notebooks.is_solution(cell) else "once is enough"
        remarks.append(f"The cell {cell.id} was there {copies} times; {counts}.")
    if notebooks.is_test(cell) and not _same_text(
        notebooks.without_hidden(cell.source), notebooks.without_hidden(their.source)
    ):
        remarks.append(f"The test cell {cell.id} was changed; the original is used.")
    if notebooks.is_solution(cell) and their.cell_type != cell.cell_type:
        remarks.append(f"The answer cell {cell.id} was no {cell.cell_type} cell any more; it is one again.")
    return remarks


def _added(
    source: NotebookNode, theirs: list[NotebookNode], match: dict[str, int], blanks: dict[str, str]
) -> dict[str | None, list[NotebookNode]]:
    """Cells of the student's own, by the id of the source cell behind which they stand (None: before the first)."""
    ours = {cell.id: cell for cell in source.cells}
    places: list[str | None] = [None, *ours]
    answers = {match[cell_id] for cell_id in blanks if cell_id in match}
    added: dict[str | None, list[NotebookNode]] = {}
    behind: str | None = None
    for index, cell in enumerate(theirs):
        name = _name(cell)
        known = ours.get(name or "")
        if known is not None:
            # A spare copy of an answer runs on the side of the answer on which it stood.
            early = name in blanks and index < match.get(known.id, index)
            behind = places[places.index(name) - 1] if early else name
        if index in answers or (known is not None and _is_given(known, cell, blanks.get(known.id))):
            continue
        number = sum(map(len, added.values())) + 1
        added.setdefault(behind, []).append(_plain_cell(f"added-{number}", cell))
    return added


def _is_given(ours: NotebookNode, theirs: NotebookNode, blank: str | None) -> bool:
    """Whether a cell that goes by one of our names holds nothing of the student's own."""
    if notebooks.is_test(ours) and not notebooks.defined_functions(theirs.source):
        return True
    return any(_same_text(text, theirs.source) for text in (ours.source, blank or ours.source, ""))


def _plain_cell(cell_id: str, cell: NotebookNode) -> NotebookNode:
    """A student's own cell without any metadata: tags and the like could change how it is run or shown."""
    kind = cell.cell_type if cell.cell_type in ("code", "markdown") else "raw"
    fresh = {"id": cell_id, "cell_type": kind, "metadata": {}, "source": cell.source}
    if kind == "code":
        fresh |= {"execution_count": None, "outputs": []}
    return nbformat.from_dict(fresh)


def _same_text(one: str, other: str) -> bool:
    """Equal but for spaces at the ends of lines, and Windows' line ends."""
    return re.sub(r"[ \t\r]+(?=\n|\Z)", "", one).strip() == re.sub(r"[ \t\r]+(?=\n|\Z)", "", other).strip()
