"""Rebuilds a submission: the student's answers and added cells in a fresh copy of the source notebook.

Locked cells, tests, ids, points, tags, metadata and their order come from the source notebook. Answers are found by
``grade_id``, then by cell id, then by the function that they define, so deleted, duplicated, moved, merged, split and
retyped cells do no harm. A repair is reported to the student only if it makes a difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursekit import experiments
from coursekit.model.notebooks import ADDED, as_markdown
from coursekit.submission import attachments, matching, repairs
from coursekit.submission.cells import SourceCell, SubmittedCell
from coursekit.submission.matched_cells import MatchedCells
from coursekit.submission.matching import Answers

NOTES_ID = "notes-of-the-grader"
MAX_ADDED = 500  # cells added by the student; each is run and shown


@dataclass(frozen=True)
class Rebuilt:
    """The notebook to grade, and the repairs, one sentence each.

    ``handed_in``: the submitted outputs by cell id. They are untrusted.
    """

    notebook: NotebookNode
    repairs: tuple[str, ...]
    handed_in: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def rebuild(source: NotebookNode, match: MatchedCells) -> Rebuilt:
    """The submission in the structure of the source notebook, which is not changed."""
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
    """The notebook with the notes about the submitted file in a cell above its first one."""
    if not notes:
        return notebook
    text = "\n".join(["**About this notebook**", "", *(f"* {as_markdown(note)}" for note in notes)])
    cell = nbformat.from_dict({"id": NOTES_ID, "cell_type": "markdown", "metadata": {}, "source": text})
    return nbformat.from_dict({**notebook, "cells": [cell, *notebook.cells]})


@dataclass(frozen=True)
class Content:
    """The answers of a submission that differ from the release: the text by the id of the answer cell.

    ``sure``: at least one of them is in an answer cell. ``unchanged``: nothing was added or changed at all.
    """

    answers: Mapping[str, str]
    sure: bool
    unchanged: bool


def content(match: MatchedCells) -> Content:
    """The content of a submission, for comparing it with others."""
    found = matching.answers(match)
    there = {name: text for name, text in found.source.items() if not match.cells[name].is_unchanged(text)}
    unchanged = all(
        submitted.empty or (name is not None and match.cells[name].is_unchanged(submitted.source))
        for submitted, name in match
    )
    return Content(there, bool(there.keys() - {*found.guessed}), unchanged and not there)


def resemblance(match: MatchedCells) -> int:
    """Number of source cells that a submission has, counted by name, by text and by function."""
    unknown = {name for submitted, source_id in match if source_id is None for name in submitted.definitions}
    wanted = {name for cell in match.cells.values() for name in cell.wanted}
    return len(set(match.source_ids) - {None}) + len(unknown & wanted)


def _unchanged_outputs(match: MatchedCells) -> dict[str, tuple[Any, ...]]:
    """The submitted outputs of source cells whose code the student did not change."""
    return {
        name: submitted.handed_in
        for submitted, name in match
        if name is not None
        and submitted.handed_in
        and match.cells[name].is_unchanged(submitted.source)
        and submitted.source.strip()
    }


@dataclass
class _Added:
    """Cells that the student added, by the id of the source cell before them (None: before the first).

    ``handed_in``: their submitted outputs. ``left_out``: a sentence if there were too many cells.
    """

    cells: dict[str | None, list[NotebookNode]] = field(default_factory=dict)
    handed_in: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def _added(match: MatchedCells, answers: Answers, tagged: frozenset[str]) -> _Added:
    """The cells that the student added; a changed source cell that is ``tagged`` as an experiment counts as added."""
    places: list[str | None] = [None, *match.cells]
    added = _Added()
    behind: str | None = None
    number = 0
    for index, (submitted, name) in enumerate(match):
        known = match.cells[name] if name is not None else None
        if known is not None:
            # An extra copy of an answer stays before or behind the answer, where it was.
            early = known.blank is not None and index < answers.index.get(known.id, index)
            behind = places[places.index(name) - 1] if early else name
        if index in answers.used or submitted.empty or (known is not None and _adds_nothing(known, submitted, answers)):
            continue
        number += 1
        if number <= MAX_ADDED:
            own = _plain_cells(f"{ADDED}{number}", submitted)
            if name in tagged:
                own[0].metadata["tags"] = [experiments.TAG]
            added.cells.setdefault(behind, []).extend(own)
            if submitted.handed_in:
                added.handed_in[f"{ADDED}{number}"] = submitted.handed_in
    if number > MAX_ADDED:
        kept = f"Of your own cells the first {MAX_ADDED} were kept"
        added.left_out = (f"{kept}, {number - MAX_ADDED} were left out.",)
    return added


def _adds_nothing(known: SourceCell, submitted: SubmittedCell, answers: Answers) -> bool:
    """Whether a cell that matches a source cell has nothing beyond it and the answer that was taken."""
    if known.is_unchanged(submitted.source) or (known.test and not submitted.definitions):
        return True
    return known.id in answers.index and known.wanted >= submitted.definitions.keys() and submitted.only_defines


def _plain_cells(cell_id: str, submitted: SubmittedCell) -> list[NotebookNode]:
    """The cell without metadata, since tags and the like could change how it is run or shown.

    A picture file that a code cell showed may be missing at grading, so a cell below shows the submitted picture.
    """
    kind = submitted.kind if submitted.kind in ("code", "markdown") else "raw"
    source = submitted.source
    if kind != "code" and submitted.pictures:
        kind, source = "markdown", attachments.with_all_pictures(source, submitted.pictures)
    fresh: dict[str, Any] = {"id": cell_id, "cell_type": kind, "metadata": {}, "source": source}
    if kind != "code":
        return [_paste(nbformat.from_dict(fresh), submitted.pictures)]
    cells = [nbformat.from_dict(fresh | {"execution_count": None, "outputs": []})]
    if submitted.pictures:
        text = attachments.with_all_pictures("*What the cell above showed when it was handed in:*", submitted.pictures)
        below = {"id": f"{cell_id}-showed", "cell_type": "markdown", "metadata": {}, "source": text}
        cells.append(_paste(nbformat.from_dict(below), submitted.pictures))
    return cells


def _paste(cell: NotebookNode, pictures: Mapping[str, Any]) -> NotebookNode:
    """Attach the pictures of a written answer, such as a photograph of a derivation on paper."""
    if pictures and cell.cell_type == "markdown":
        cell.attachments = nbformat.from_dict(dict(pictures))
    return cell
