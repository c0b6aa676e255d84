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
    added = _added(source, theirs, match)
    cells = list(added.get(None, []))
    for cell in source.cells:
        fresh = nbformat.from_dict({**cell, "metadata": {**cell.metadata}})
        if cell.id in blanks:
            if cell.id not in match:
                repairs.append(f"The answer cell {cell.id} is missing; it counts as not written.")
            fresh.source = theirs[match[cell.id]].source if cell.id in match else blanks[cell.id]
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
    ids = {cell.id for cell in source.cells}
    for cell in source.cells:
        candidates = [i for i, their in enumerate(theirs) if _name(their) == cell.id]
        if not candidates and cell.id in blanks:
            wanted = set(notebooks.defined_functions(cell.source))
            candidates = [
                i
                for i, their in enumerate(theirs)
                if _name(their) not in ids and wanted & set(notebooks.defined_functions(their.source))
            ]
            if candidates:
                repairs.append(f"The answer cell {cell.id} had lost its name; it was found by the function in it.")
        if candidates:
            match[cell.id] = _best(candidates, theirs, blanks.get(cell.id))
            repairs += _remarks(cell, theirs[match[cell.id]], len(candidates))
        elif notebooks.is_test(cell):
            repairs.append(f"The test cell {cell.id} was missing; it is back.")
    return match, repairs


def _name(cell: NotebookNode) -> str | None:
    """What a submitted cell says it is: its grade_id, else its cell id."""
    return notebooks.grade_id(cell) or cell.get("id")


def _best(candidates: list[int], theirs: list[NotebookNode], blank: str | None) -> int:
    """The last copy that is not the untouched stub: in the student's kernel the last definition won."""
    if blank is None:
        return candidates[0]
    answered = [i for i in candidates if theirs[i].source.strip() != blank.strip()]
    return (answered or candidates)[-1]


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
    source: NotebookNode, theirs: list[NotebookNode], match: dict[str, int]
) -> dict[str | None, list[NotebookNode]]:
    """Cells of the student's own, by the id of the source cell behind which they stand (None: before the first)."""
    stands_for = {index: our_id for our_id, index in match.items()}
    ours = {cell.id: cell for cell in source.cells}
    added: dict[str | None, list[NotebookNode]] = {}
    behind: str | None = None
    for index, cell in enumerate(theirs):
        known = ours.get(_name(cell) or "")
        behind = stands_for.get(index, behind)
        if index in stands_for and notebooks.grader_metadata(ours[behind or ""]):
            continue  # an answer or a test that has its place already
        if known is not None and (notebooks.grader_metadata(known) or _same_text(known.source, cell.source)):
            continue  # a spare copy of a graded cell, or a cell of ours as it was given
        number = sum(map(len, added.values())) + 1
        added.setdefault(behind, []).append(_plain_cell(f"added-{number}", cell))
    return added


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
