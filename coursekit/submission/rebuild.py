"""The student's answers and added cells, in a fresh copy of the source notebook's structure.

Locked cells, tests, ids, points, tags and metadata are ours, in our order. Answers are found by ``grade_id``, then by
cell id, then by the function that they define, so that deleted, duplicated, moved, merged, split and retyped cells do
no harm. What the student ought to know of it is told; what makes no difference is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursekit import experiments
from coursekit.model.notebooks import ADDED, as_markdown
from coursekit.submission import attachments, matching, repairs
from coursekit.submission.cells import Ours, Piece
from coursekit.submission.matched_cells import MatchedCells, matched
from coursekit.submission.matching import Answers

NOTES_ID = "notes-of-the-grader"
MAX_ADDED = 500  # cells of the student's own, each of which is run and shown


@dataclass(frozen=True)
class Rebuilt:
    """The notebook to grade, and what had to be repaired, one sentence each.

    ``handed_in``: by the ids of its cells, what they showed when they were handed in. None of that is to be trusted.
    """

    notebook: NotebookNode
    repairs: tuple[str, ...]
    handed_in: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def rebuild(source: NotebookNode, submission: NotebookNode) -> Rebuilt:
    """The submission in the source's structure. Neither argument is changed."""
    match = matched(source, submission)
    answers = matching.answers(match)
    tagged = frozenset(cell.id for cell in source.cells if experiments.is_tagged(cell))
    added = _added(match, answers, tagged)
    rebuilt = [*added.cells.get(None, [])]
    for cell in source.cells:
        fresh = nbformat.from_dict({**cell, "metadata": {**cell.metadata}})
        blank = match.cells[cell.id].blank
        if blank is not None:
            fresh.source = answers.source.get(cell.id, blank)
            _paste(fresh, answers.pictures.get(cell.id, {}))
        rebuilt += [fresh, *added.cells.get(cell.id, [])]
    said = (*answers.repairs, *added.left_out, *repairs.sentences(match, answers))
    handed_in = _unchanged_outputs(match) | added.handed_in
    return Rebuilt(nbformat.from_dict({**source, "cells": rebuilt}), said, handed_in)


def with_notes(notebook: NotebookNode, notes: tuple[str, ...]) -> NotebookNode:
    """The notebook with what the grader has to say about the file itself above its first cell."""
    if not notes:
        return notebook
    text = "\n".join(["**About this notebook**", "", *(f"* {as_markdown(note)}" for note in notes)])
    cell = nbformat.from_dict({"id": NOTES_ID, "cell_type": "markdown", "metadata": {}, "source": text})
    return nbformat.from_dict({**notebook, "cells": [cell, *notebook.cells]})


@dataclass(frozen=True)
class Content:
    """What a submission answers: the text by the id of the answer cell, where it is not what was released.

    ``sure``: one of them at least stands where an answer belongs. ``untouched``: nothing was added or changed at all.
    """

    answers: Mapping[str, str]
    sure: bool
    untouched: bool


def content(source: NotebookNode, submission: NotebookNode) -> Content:
    """What is in a submission, by which several are compared."""
    match = matched(source, submission)
    found = matching.answers(match)
    there = {name: text for name, text in found.source.items() if not match.cells[name].same(text)}
    untouched = all(piece.empty or (name is not None and match.cells[name].same(piece.source)) for piece, name in match)
    return Content(there, bool(there.keys() - {*found.guessed}), untouched and not there)


def resemblance(source: NotebookNode, submission: NotebookNode) -> int:
    """How many cells of the source notebook a submission has: by their names, by their text, by their functions."""
    match = matched(source, submission)
    unknown = {name for piece, claim in match if claim is None for name in piece.definitions}
    wanted = {name for cell in match.cells.values() for name in cell.wanted}
    return len(set(match.claimed) - {None}) + len(unknown & wanted)


def _unchanged_outputs(match: MatchedCells) -> dict[str, tuple[Any, ...]]:
    """What our cells showed when they were handed in, where the student has left their code as it was."""
    return {
        name: piece.handed_in
        for piece, name in match
        if name is not None and piece.handed_in and match.cells[name].same(piece.source) and piece.source.strip()
    }


@dataclass
class _Added:
    """Cells of the student's own, by the id of the source cell behind which they stand (None: before the first).

    ``handed_in``: what they showed when they were handed in. ``left_out``: how many did not fit in, in words.
    """

    cells: dict[str | None, list[NotebookNode]] = field(default_factory=dict)
    handed_in: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def _added(match: MatchedCells, answers: Answers, tagged: frozenset[str]) -> _Added:
    """The cells of the student's own. One of ours that is ``tagged`` as an experiment, and was changed, is one too."""
    places: list[str | None] = [None, *match.cells]
    added = _Added()
    behind: str | None = None
    number = 0
    for index, (piece, name) in enumerate(match):
        known = match.cells[name] if name is not None else None
        if known is not None:
            # A spare copy of an answer runs on the side of the answer on which it stood.
            early = known.blank is not None and index < answers.index.get(known.id, index)
            behind = places[places.index(name) - 1] if early else name
        if index in answers.used or piece.empty or (known is not None and _is_given(known, piece, answers)):
            continue
        number += 1
        if number <= MAX_ADDED:
            own = _plain_cells(f"{ADDED}{number}", piece)
            if name in tagged:
                own[0].metadata["tags"] = [experiments.TAG]
            added.cells.setdefault(behind, []).extend(own)
            if piece.handed_in:
                added.handed_in[f"{ADDED}{number}"] = piece.handed_in
    if number > MAX_ADDED:
        kept = f"Of your own cells the first {MAX_ADDED} were kept"
        added.left_out = (f"{kept}, {number - MAX_ADDED} were left out.",)
    return added


def _is_given(known: Ours, piece: Piece, answers: Answers) -> bool:
    """Whether a cell that goes by one of our names holds nothing of the student's own that could still count."""
    if known.same(piece.source) or (known.test and not piece.definitions):
        return True
    return known.id in answers.index and known.wanted >= piece.definitions.keys() and piece.only_defines


def _plain_cells(cell_id: str, piece: Piece) -> list[NotebookNode]:
    """A student's own cell without any metadata: tags and the like could change how it is run or shown.

    What a code cell showed of a picture file, which may not be there when it is run, is shown below it.
    """
    kind = piece.kind if piece.kind in ("code", "markdown") else "raw"
    source = piece.source
    if kind != "code" and piece.pictures:
        kind, source = "markdown", attachments.all_shown(source, piece.pictures)
    fresh: dict[str, Any] = {"id": cell_id, "cell_type": kind, "metadata": {}, "source": source}
    if kind != "code":
        return [_paste(nbformat.from_dict(fresh), piece.pictures)]
    cells = [nbformat.from_dict(fresh | {"execution_count": None, "outputs": []})]
    if piece.pictures:
        text = attachments.all_shown("*What the cell above showed when it was handed in:*", piece.pictures)
        below = {"id": f"{cell_id}-showed", "cell_type": "markdown", "metadata": {}, "source": text}
        cells.append(_paste(nbformat.from_dict(below), piece.pictures))
    return cells


def _paste(cell: NotebookNode, pictures: Mapping[str, Any]) -> NotebookNode:
    """A written answer may well be a photograph of a derivation on paper."""
    if pictures and cell.cell_type == "markdown":
        cell.attachments = nbformat.from_dict(dict(pictures))
    return cell
