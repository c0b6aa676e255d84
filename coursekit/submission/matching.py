"""Which of a student's cells answers which of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coursekit.submission import attachments, prose, written_answers
from coursekit.submission.cells import Ours, Piece
from coursekit.submission.matched_cells import MatchedCells

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


def answers(match: MatchedCells) -> Answers:
    """An answer to each of our answer cells, as far as there is one.

    The last cell of that name that defines the function, since in the student's kernel the last definition won; else
    any other that defines it; else the last one of that name in which something was changed.
    """
    found = Answers()
    for cell in match.cells.values():
        if cell.is_written:
            _take_text(found, cell, match)
        elif cell.blank is not None:
            _take_code(found, cell, match)
    return found


def _take_text(found: Answers, cell: Ours, match: MatchedCells) -> None:
    """A written answer: all that was written into its cell or copies of it, else what may have been meant for it."""
    theirs, own = match.theirs, match.places(cell)
    changed = [i for i in own if not cell.same(theirs[i].source) or theirs[i].shown or theirs[i].drew]
    if changed:
        _join_texts(found, cell, changed, theirs)
        return
    answer = written_answers.elsewhere(cell, match)
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
    elif all(theirs[index].empty for index in own):
        _say_empty(found, cell, own)


def _join_texts(found: Answers, cell: Ours, changed: list[int], theirs: tuple[Piece, ...]) -> None:
    """The texts of these cells, each once, are the written answer, with their pictures."""
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
        found.repairs.append(_of_another_kind(cell))


def _take_code(found: Answers, cell: Ours, match: MatchedCells) -> None:
    theirs, own = match.theirs, match.places(cell)
    defining = [index for index in own if cell.written(theirs[index])]
    if defining:
        _take(found, cell, defining[-1], match)
        found.copies[cell.id] = len(defining)
        return
    others = [index for index, piece in enumerate(theirs) if cell.written(piece)]
    if others:
        _take_from_elsewhere(found, cell, others, match)
        return
    changed = [index for index in own if not cell.same(theirs[index].source)]
    filled = [index for index in own if not theirs[index].empty]
    if changed or filled:
        _take(found, cell, (changed or filled)[-1], match)
        found.copies[cell.id] = len(changed)
    else:
        _say_empty(found, cell, own)


def _take_from_elsewhere(found: Answers, cell: Ours, others: list[int], match: MatchedCells) -> None:
    """The function was not in its cell. One that stands in no other answer is taken, code before text, the last one."""

    def is_free(index: int) -> bool:
        name = match.claimed[index]
        return name is None or match.cells[name].blank is None

    own = match.places(cell)
    index = max(others, key=lambda other: (is_free(other), match.theirs[other].kind == "code", other))
    merged = not is_free(index) or index in found.used
    tried_out = [place for place in own if not cell.same(match.theirs[place].source)]
    if merged and tried_out:  # they tried something out in the answer cell: it stays
        _take(found, cell, tried_out[-1], match)
    elif index in found.used:
        found.source[cell.id] = ELSEWHERE
        state = "is missing" if not own else "was left as it was"
        found.repairs.append(f"The answer cell {cell.id} {state}; its function stands in another cell.")
    else:
        if merged or own:
            found.repairs.append(f"The answer to {cell.id} was not in its cell; it was found by the function in it.")
        else:
            found.nameless.append(cell.id)
        _take(found, cell, index, match)


def _take(found: Answers, cell: Ours, index: int, match: MatchedCells) -> None:
    """This cell of theirs is the answer, with the rest of it if it was split in the middle of the function."""
    if index in found.used:
        found.source[cell.id] = ELSEWHERE
        return
    parts = _parts(cell, index, match)
    found.source[cell.id] = "\n".join(match.theirs[part].code for part in parts)
    found.index[cell.id] = index
    found.used |= dict.fromkeys(parts, cell.id)
    if len(parts) > 1:
        found.repairs.append(
            f"The answer to {cell.id} was split over {len(parts)} cells, which do not run by themselves;"
            " they were put together."
        )
    if match.theirs[index].kind != cell.kind:
        found.repairs.append(_of_another_kind(cell))


def _parts(cell: Ours, index: int, match: MatchedCells) -> list[int]:
    """The cell, and those behind it that only together with it are Python: a function cut in two."""
    theirs = match.theirs
    best, text = [index], theirs[index].code
    if not cell.wanted:
        return best
    for part in range(index + 1, min(index + _MAX_PARTS, len(theirs))):
        piece = theirs[part]
        indented = piece.source.lstrip("\n")[:1] in (" ", "\t", ")", "]", "}")
        if piece.kind != "code" or match.claimed[part] not in (None, cell.id) or piece.whole or not indented:
            break
        text += "\n" + piece.source
        together = Piece("code", text, ())
        if together.whole and cell.written(together):
            best = [*range(index, part + 1)]
    return best


def _say_empty(found: Answers, cell: Ours, own: list[int]) -> None:
    if own:
        found.repairs.append(f"The answer cell {cell.id} is empty; it counts as not written.")
    else:
        found.missing.append(cell.id)


def _of_another_kind(cell: Ours) -> str:
    return f"The answer cell {cell.id} was no {cell.kind} cell any more; it is one again."
