"""Which of a student's cells answers which of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coursekit.reading import attachments, prose, written
from coursekit.reading.answers import Ours, Piece

ELSEWHERE = "# This function stands in another cell."
_MAX_PARTS = 6  # into which one answer may have been split


@dataclass
class Answers:
    """Which of their cells answers which of ours, while it is being found out."""

    source: dict[str, str] = field(default_factory=dict)  # by the id of our cell
    pictures: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    index: dict[str, int] = field(default_factory=dict)  # where the answer stood
    used: dict[int, str] = field(default_factory=dict)  # the other way round, and the parts that were put together
    missing: list[str] = field(default_factory=list)
    copies: dict[str, int] = field(default_factory=dict)  # how often an answer was there, if more than once
    nameless: list[str] = field(default_factory=list)  # found, though no cell went by their name
    guessed: list[str] = field(default_factory=list)  # in words, and put together from what stood elsewhere
    repairs: list[str] = field(default_factory=list)


def answers(cells: dict[str, Ours], theirs: tuple[Piece, ...], claimed: list[str | None]) -> Answers:
    """An answer to each of our answer cells, as far as there is one.

    The last cell of that name that defines the function, since in the student's kernel the last definition won; else
    any other that defines it; else the last one of that name in which something was changed.
    """
    found = Answers()
    for cell in cells.values():
        if cell.blank is None:
            continue
        own = [index for index, name in enumerate(claimed) if name == cell.id]
        if cell.kind == "markdown":
            _take_text(found, cell, own, theirs, claimed, cells)
            continue
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
        if changed or (own and not all(theirs[index].empty for index in own)):
            _take(found, cell, (changed or [i for i in own if not theirs[i].empty])[-1], theirs, claimed)
            found.copies[cell.id] = len(changed)
        elif own:
            found.repairs.append(f"The answer cell {cell.id} is empty; it counts as not written.")
        else:
            found.missing.append(cell.id)
    return found


def _take_text(
    found: Answers,
    cell: Ours,
    own: list[int],
    theirs: tuple[Piece, ...],
    claimed: list[str | None],
    cells: dict[str, Ours],
) -> None:
    """A written answer: all that was written into its cell or copies of it, else what may have been meant for it."""
    changed = [i for i in own if not cell.same(theirs[i].source) or theirs[i].shown or theirs[i].drew]
    if changed:
        distinct = {(prose.as_answer(theirs[index]), str(theirs[index].shown)): index for index in changed}
        text, pictures = attachments.merged(
            (prose.as_answer(theirs[index]), theirs[index].shown) for index in distinct.values()
        )
        found.source[cell.id], found.pictures[cell.id] = attachments.all_shown(text, pictures), pictures
        found.index[cell.id] = changed[-1]
        found.used |= dict.fromkeys(changed, cell.id)
        if len(distinct) > 1:
            found.repairs.append(f"The answer {cell.id} was split over {len(distinct)} cells; it is one again.")
        if any(theirs[index].kind != cell.kind for index in changed):
            found.repairs.append(f"The answer cell {cell.id} was no {cell.kind} cell any more; it is one again.")
        return
    answer = written.elsewhere(cell, cells, theirs, claimed)
    if answer is not None:
        found.source[cell.id], found.pictures[cell.id] = answer.text, answer.pictures
        found.used |= dict.fromkeys(answer.moved, cell.id)
        found.guessed.append(cell.id)
        found.repairs.append(
            f"The answer cell {cell.id} held no answer, but there was {answer.what} {answer.where},"
            " which may be meant as it:"
            f" {'it was put into the answer cell' if answer.moved else 'the answer cell quotes it'},"
            " and a person reads it."
        )
    elif not own:
        found.missing.append(cell.id)
    elif all(theirs[index].empty for index in own):
        found.repairs.append(f"The answer cell {cell.id} is empty; it counts as not written.")


def _take(found: Answers, cell: Ours, index: int, theirs: tuple[Piece, ...], claimed: list[str | None]) -> None:
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
    found: Answers,
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
