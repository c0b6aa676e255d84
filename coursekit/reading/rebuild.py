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
from coursekit.notebooks import ADDED, as_markdown
from coursekit.reading import accents, attachments, matching
from coursekit.reading.answers import Ours, Piece, alike, claims, ours, pieces
from coursekit.reading.matching import Answers
from coursekit.wording import listed

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


def rebuild(source: NotebookNode, submission: NotebookNode, assignment: str) -> Rebuilt:
    """The submission in the source's structure. Neither argument is changed."""
    cells, theirs = ours(source, assignment), pieces(submission)
    claimed = claims(cells, theirs)
    answers = matching.answers(cells, theirs, claimed)
    shown = _shown(cells, theirs, claimed)
    tagged = frozenset(cell.id for cell in source.cells if experiments.is_tagged(cell))
    added = _added(cells, theirs, claimed, answers, shown, tagged)
    rebuilt = [*added.get(None, [])]
    for cell in source.cells:
        fresh = nbformat.from_dict({**cell, "metadata": {**cell.metadata}})
        if cells[cell.id].blank is not None:
            fresh.source = answers.source.get(cell.id, cells[cell.id].blank)
            _paste(fresh, answers.pictures.get(cell.id, {}))
        rebuilt += [fresh, *added.get(cell.id, [])]
    told = (*answers.repairs, *_about_cells(answers), *_about_tests(cells, theirs, claimed))
    told += (*_about_names(cells, theirs, answers), *_about_accents(theirs, claimed))
    return Rebuilt(nbformat.from_dict({**source, "cells": rebuilt}), told, shown)


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


def content(source: NotebookNode, submission: NotebookNode, assignment: str) -> Content:
    """What is in a submission, by which several are compared."""
    cells, theirs = ours(source, assignment), pieces(submission)
    claimed = claims(cells, theirs)
    found = matching.answers(cells, theirs, claimed)
    there = {name: text for name, text in found.source.items() if not cells[name].same(text)}
    untouched = all(
        piece.empty or (name is not None and cells[name].same(piece.source))
        for piece, name in zip(theirs, claimed, strict=True)
    )
    return Content(there, bool(there.keys() - {*found.guessed}), untouched and not there)


def resemblance(source: NotebookNode, submission: NotebookNode, assignment: str) -> int:
    """How many cells of the source notebook a submission has: by their names, by their text, by their functions."""
    cells, theirs = ours(source, assignment), pieces(submission)
    claimed = claims(cells, theirs)
    unknown = {
        name for piece, claim in zip(theirs, claimed, strict=True) if claim is None for name in piece.definitions
    }
    return len(set(claimed) - {None}) + len(unknown & {name for cell in cells.values() for name in cell.wanted})


def _about_cells(found: Answers) -> tuple[str, ...]:
    """What is the same for many cells is said once."""
    told = []
    several = [name for name, copies in found.copies.items() if copies > 1]
    if len(several) <= 2:
        told += [f"The cell {name} was there {found.copies[name]} times; the last answer counts." for name in several]
    else:
        told.append(f"The cells {listed(several)} were there more than once; of each the last answer counts.")
    if 0 < len(found.nameless) <= 2:
        told += [f"The answer to {name} was not in its cell; it was found by the function in it."
                 for name in found.nameless]  # fmt: skip
    elif found.nameless:
        told.append("The names of the cells are lost (some editors drop them); answers were found by their functions.")
    if len(found.missing) == 1:
        told.append(f"The answer cell {found.missing[0]} is missing; it counts as not written.")
    elif found.missing:
        told.append(f"The answer cells {listed(found.missing)} are missing; they count as not written.")
    return tuple(told)


def _about_tests(cells: dict[str, Ours], theirs: tuple[Piece, ...], claimed: list[str | None]) -> tuple[str, ...]:
    """Test cells that were changed, or deleted beside an answer that is there."""
    told = []
    for cell in cells.values():
        if not cell.test:
            continue
        copies = [theirs[index] for index, name in enumerate(claimed) if name == cell.id]
        if copies and not any(cell.same(piece.source) for piece in copies):
            told.append(f"The test cell {cell.id} was changed; the original is used.")
        elif not copies and cell.id.removesuffix("-test") in claimed:
            told.append(f"The test cell {cell.id} was missing; it is back.")
    return tuple(told)


def _about_names(cells: dict[str, Ours], theirs: tuple[Piece, ...], found: Answers) -> tuple[str, ...]:
    """Why a function that seems to be there does not count: another name, inside a class, an unfinished merge."""
    known = {name for cell in cells.values() for name in cell.defined}
    own = {name for piece in theirs for name in piece.definitions} - known
    told = []
    for cell in cells.values():
        if cell.blank is None:
            continue
        there = any(cell.written(piece) for piece in theirs)
        text = found.source.get(cell.id, "")
        if any(line.startswith(("<<<<<<< ", ">>>>>>> ")) for line in text.split("\n")):
            told.append(f"The answer {cell.id} holds the marks of an unfinished Git merge (<<<<<<<): choose one side.")
        if there:
            continue
        for name in sorted(cell.wanted):
            other = alike(name, own)
            inside = [piece.methods[name] for piece in theirs if name in piece.methods]
            if inside:
                told.append(f"{name} stands inside the class {inside[0]}; only a function outside of any class counts.")
            elif other:
                told.append(f"There is a {other}, but no {name}: only a function of exactly this name counts.")
    return tuple(told)


def _about_accents(theirs: tuple[Piece, ...], claimed: list[str | None]) -> tuple[str, ...]:
    """Code that could be Python, and is not looked at."""
    found = [
        f"The cell {claim}" if claim else "A cell of your own"
        for piece, claim in zip(theirs, claimed, strict=True)
        if piece.kind == "code" and piece.short and not accents.are_few(piece.source)
    ]
    said = f"has more than {accents.MOST_IN_A_ROW} accents on one letter, so it cannot be read as Python."
    return tuple(f"{cell} {said}" for cell in dict.fromkeys(found))


def _shown(cells: dict[str, Ours], theirs: tuple[Piece, ...], claimed: list[str | None]) -> dict[str, tuple[Any, ...]]:
    """What our cells showed when they were handed in, where the student has left their code as it was."""
    return {
        name: piece.handed_in
        for piece, name in zip(theirs, claimed, strict=True)
        if name is not None and piece.handed_in and cells[name].same(piece.source) and piece.source.strip()
    }


def _added(
    cells: dict[str, Ours],
    theirs: tuple[Piece, ...],
    claimed: list[str | None],
    answers: Answers,
    shown: dict[str, tuple[Any, ...]],
    tagged: frozenset[str],
) -> dict[str | None, list[NotebookNode]]:
    """Cells of the student's own, by the id of the source cell behind which they stand (None: before the first).

    What they showed when they were handed in is put into ``shown``. A changed experiment is one as well.
    """
    places: list[str | None] = [None, *cells]
    added: dict[str | None, list[NotebookNode]] = {}
    behind: str | None = None
    number = 0
    for index, piece in enumerate(theirs):
        name = claimed[index]
        known = cells[name] if name is not None else None
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
            added.setdefault(behind, []).extend(own)
            if piece.handed_in:
                shown[f"{ADDED}{number}"] = piece.handed_in
    if number > MAX_ADDED:
        answers.repairs.append(
            f"Of your own cells the first {MAX_ADDED} were kept, {number - MAX_ADDED} were left out."
        )
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
