"""The student's answers and added cells, in a fresh copy of the source notebook's structure.

Locked cells, tests, ids, points, tags and metadata are ours, in our order. Answers are found by ``grade_id``, then by
cell id, then by the function that they define, so that deleted, duplicated, moved, merged, split and retyped cells do
no harm. What the student ought to know of it is told; what makes no difference is not.
"""

from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursekit.notebooks import as_markdown
from coursekit.reading.answers import Ours, Piece, alike, claims, ours, pieces

NOTES_ID = "notes-of-the-grader"
ADDED = "added-"  # how the ids of the student's own cells begin
ELSEWHERE = "# This function stands in another cell."
MAX_ADDED = 500  # cells of the student's own, each of which is run and shown
_MAX_PARTS = 6  # into which one answer may have been split


@dataclass(frozen=True)
class Rebuilt:
    """The notebook to grade, and what had to be repaired, one sentence each."""

    notebook: NotebookNode
    repairs: tuple[str, ...]


@dataclass
class _Answers:
    """Which of their cells answers which of ours, while it is being found out."""

    source: dict[str, str] = field(default_factory=dict)  # by the id of our cell
    index: dict[str, int] = field(default_factory=dict)  # where the answer stood
    used: dict[int, str] = field(default_factory=dict)  # the other way round, and the parts that were put together
    missing: list[str] = field(default_factory=list)
    copies: dict[str, int] = field(default_factory=dict)  # how often an answer was there, if more than once
    nameless: list[str] = field(default_factory=list)  # found, though no cell went by their name
    repairs: list[str] = field(default_factory=list)


def rebuild(source: NotebookNode, submission: NotebookNode, assignment: str) -> Rebuilt:
    """The submission in the source's structure. Neither argument is changed."""
    cells, theirs = ours(source, assignment), pieces(submission)
    claimed = claims(cells, theirs)
    answers = _answers(cells, theirs, claimed)
    added = _added(cells, theirs, claimed, answers)
    rebuilt = [*added.get(None, [])]
    for cell in source.cells:
        fresh = nbformat.from_dict({**cell, "metadata": {**cell.metadata}})
        if cells[cell.id].blank is not None:
            fresh.source = answers.source.get(cell.id, cells[cell.id].blank)
            if cell.cell_type == "markdown" and cell.id in answers.index:
                _paste(fresh, theirs[answers.index[cell.id]])
        rebuilt += [fresh, *added.get(cell.id, [])]
    told = (*answers.repairs, *_about_cells(answers), *_about_tests(cells, theirs, claimed))
    told += _about_names(cells, theirs, answers)
    return Rebuilt(nbformat.from_dict({**source, "cells": rebuilt}), told)


def with_notes(notebook: NotebookNode, notes: tuple[str, ...]) -> NotebookNode:
    """The notebook with what the grader has to say about the file itself above its first cell."""
    if not notes:
        return notebook
    text = "\n".join(["**About this notebook**", "", *(f"* {as_markdown(note)}" for note in notes)])
    cell = nbformat.from_dict({"id": NOTES_ID, "cell_type": "markdown", "metadata": {}, "source": text})
    return nbformat.from_dict({**notebook, "cells": [cell, *notebook.cells]})


def written(source: NotebookNode, submission: NotebookNode, assignment: str) -> dict[str, str]:
    """What a submission answers: the text by the id of the answer cell, where it is not what was released."""
    cells, theirs = ours(source, assignment), pieces(submission)
    found = _answers(cells, theirs, claims(cells, theirs)).source
    return {name: text for name, text in found.items() if not cells[name].same(text)}


def resemblance(source: NotebookNode, submission: NotebookNode, assignment: str) -> int:
    """How many cells of the source notebook a submission has: by their names, by their text, by their functions."""
    cells, theirs = ours(source, assignment), pieces(submission)
    claimed = claims(cells, theirs)
    unknown = {
        name for piece, claim in zip(theirs, claimed, strict=True) if claim is None for name in piece.definitions
    }
    return len(set(claimed) - {None}) + len(unknown & {name for cell in cells.values() for name in cell.wanted})


def _answers(cells: dict[str, Ours], theirs: tuple[Piece, ...], claimed: list[str | None]) -> _Answers:
    """An answer to each of our answer cells, as far as there is one.

    The last cell of that name that defines the function, since in the student's kernel the last definition won; else
    any other that defines it; else the last one of that name in which something was changed.
    """
    found = _Answers()
    for cell in cells.values():
        if cell.blank is None:
            continue
        own = [index for index, name in enumerate(claimed) if name == cell.id]
        defining = [index for index in own if cell.written(theirs[index])]
        if defining:
            _take(found, cell, defining[-1], theirs, claimed)
            found.copies[cell.id] = len(defining)
            continue
        others = [index for index, piece in enumerate(theirs) if cell.written(piece)]
        if others:
            _take_from_elsewhere(found, cell, own, others, theirs, claimed, cells)
            continue
        changed = [index for index in own if not cell.same(theirs[index].source)]
        if changed or (own and not all(_is_empty(theirs[index]) for index in own)):
            _take(found, cell, (changed or [i for i in own if not _is_empty(theirs[i])])[-1], theirs, claimed)
            found.copies[cell.id] = len(changed)
        elif own:
            found.repairs.append(f"The answer cell {cell.id} is empty; it counts as not written.")
        else:
            found.missing.append(cell.id)
    return found


def _is_empty(piece: Piece) -> bool:
    return not piece.source.strip()


def _take(found: _Answers, cell: Ours, index: int, theirs: tuple[Piece, ...], claimed: list[str | None]) -> None:
    """This cell of theirs is the answer, with the rest of it if it was split in the middle of the function."""
    if index in found.used:
        found.source[cell.id] = ELSEWHERE
        return
    piece = theirs[index]
    parts = _parts(cell, index, theirs, claimed)
    found.source[cell.id] = "\n".join(theirs[part].code for part in parts)
    found.index[cell.id] = index
    found.used |= dict.fromkeys(parts, cell.id)
    if len(parts) > 1:
        found.repairs.append(
            f"The answer to {cell.id} was split over {len(parts)} cells, which do not run by themselves;"
            " they were put together."
        )
    if piece.kind != cell.kind:
        found.repairs.append(f"The answer cell {cell.id} was no {cell.kind} cell any more; it is one again.")


def _parts(cell: Ours, index: int, theirs: tuple[Piece, ...], claimed: list[str | None]) -> list[int]:
    """The cell, and those behind it that only together with it are Python: a function cut in two."""
    best, text = [index], theirs[index].code
    if not cell.wanted:
        return best
    for part in range(index + 1, min(index + _MAX_PARTS, len(theirs))):
        piece = theirs[part]
        indented = piece.source.lstrip("\n")[:1] in (" ", "\t", ")", "]", "}")
        if piece.kind != "code" or claimed[part] not in (None, cell.id) or piece.whole or not indented:
            break
        text += "\n" + piece.source
        together = Piece("code", text, ())
        if together.whole and cell.written(together):
            best = [*range(index, part + 1)]
    return best


def _take_from_elsewhere(
    found: _Answers,
    cell: Ours,
    own: list[int],
    others: list[int],
    theirs: tuple[Piece, ...],
    claimed: list[str | None],
    cells: dict[str, Ours],
) -> None:
    """The function was not in its cell. One that stands in no other answer is taken, code before text, the last one."""

    def rank(index: int) -> tuple[bool, bool, int]:
        name = claimed[index]
        of_another = name is not None and cells[name].blank is not None
        return not of_another, theirs[index].kind == "code", index

    index = max(others, key=rank)
    merged = not rank(index)[0] or index in found.used
    if any(not cell.same(theirs[i].source) for i in own):  # they tried something out in the answer cell: it stays
        kept = [i for i in own if not cell.same(theirs[i].source)][-1]
        if merged:
            _take(found, cell, kept, theirs, claimed)
            return
    if merged and index in found.used:
        found.source[cell.id] = ELSEWHERE
        state = "is missing" if not own else "was left as it was"
        found.repairs.append(f"The answer cell {cell.id} {state}; its function stands in another cell.")
        return
    if not merged and not own:
        found.nameless.append(cell.id)
    else:
        found.repairs.append(f"The answer to {cell.id} was not in its cell; it was found by the function in it.")
    _take(found, cell, index, theirs, claimed)


def _about_cells(found: _Answers) -> tuple[str, ...]:
    """What is the same for many cells is said once."""
    told = []
    several = [name for name, copies in found.copies.items() if copies > 1]
    if len(several) <= 2:
        told += [f"The cell {name} was there {found.copies[name]} times; the last answer counts." for name in several]
    else:
        told.append(f"The cells {_listed(several)} were there more than once; of each the last answer counts.")
    if 0 < len(found.nameless) <= 2:
        told += [f"The answer to {name} was not in its cell; it was found by the function in it."
                 for name in found.nameless]  # fmt: skip
    elif found.nameless:
        told.append("The names of the cells are lost (some editors drop them); answers were found by their functions.")
    if len(found.missing) == 1:
        told.append(f"The answer cell {found.missing[0]} is missing; it counts as not written.")
    elif found.missing:
        told.append(f"The answer cells {_listed(found.missing)} are missing; they count as not written.")
    return tuple(told)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


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


def _about_names(cells: dict[str, Ours], theirs: tuple[Piece, ...], found: _Answers) -> tuple[str, ...]:
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


def _added(
    cells: dict[str, Ours], theirs: tuple[Piece, ...], claimed: list[str | None], answers: _Answers
) -> dict[str | None, list[NotebookNode]]:
    """Cells of the student's own, by the id of the source cell behind which they stand (None: before the first)."""
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
        if index in answers.used or _is_empty(piece) or (known is not None and _is_given(known, piece, answers)):
            continue
        number += 1
        if number <= MAX_ADDED:
            added.setdefault(behind, []).append(_plain_cell(f"{ADDED}{number}", piece))
    if number > MAX_ADDED:
        answers.repairs.append(
            f"Of your own cells the first {MAX_ADDED} were kept, {number - MAX_ADDED} were left out."
        )
    return added


def _is_given(known: Ours, piece: Piece, answers: _Answers) -> bool:
    """Whether a cell that goes by one of our names holds nothing of the student's own that could still count."""
    if known.same(piece.source) or (known.test and not piece.definitions):
        return True
    return known.id in answers.index and known.wanted >= piece.definitions.keys() and piece.only_defines


def _plain_cell(cell_id: str, piece: Piece) -> NotebookNode:
    """A student's own cell without any metadata: tags and the like could change how it is run or shown."""
    kind = piece.kind if piece.kind in ("code", "markdown") else "raw"
    fresh: dict[str, Any] = {"id": cell_id, "cell_type": kind, "metadata": {}, "source": piece.source}
    if kind == "code":
        fresh |= {"execution_count": None, "outputs": []}
    return _paste(nbformat.from_dict(fresh), piece)


def _paste(cell: NotebookNode, piece: Piece) -> NotebookNode:
    """A written answer may well be a photograph of a derivation on paper."""
    if piece.pictures and cell.cell_type == "markdown":
        cell.attachments = nbformat.from_dict(dict(piece.pictures))
    return cell
