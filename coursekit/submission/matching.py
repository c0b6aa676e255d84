"""Finds for each answer cell of the source notebook the submitted cells that hold the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coursekit.submission import attachments, prose, written_answers
from coursekit.submission.cells import SourceCell, SubmittedCell
from coursekit.submission.matched_cells import MatchedCells

ELSEWHERE = "# This function stands in another cell."
_MAX_PARTS = 6  # cells over which one answer may be split


@dataclass
class Answers:
    """The answers found so far; each field is keyed by the id of the answer cell unless it says otherwise."""

    source: dict[str, str] = field(default_factory=dict)  # the text of the answer
    pictures: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    index: dict[str, int] = field(default_factory=dict)  # of the submitted cell that holds the answer
    used: dict[int, str] = field(default_factory=dict)  # id by index of the submitted cell, all parts included
    missing: list[str] = field(default_factory=list)  # the submission has no such cell and no answer
    copies: dict[str, int] = field(default_factory=dict)  # number of submitted cells with an answer
    nameless: list[str] = field(default_factory=list)  # found by function, in a submission without such a cell
    guessed: list[str] = field(default_factory=list)  # written answers, put together from other cells
    repairs: list[str] = field(default_factory=list)  # notes for the student, one sentence each


def answers(match: MatchedCells) -> Answers:
    """The answer to each answer cell of the source notebook, if the submission has one.

    The last matched cell that defines the function, since in the student's kernel the last definition won; else any
    other cell that defines it; else the last matched cell that was changed.
    """
    found = Answers()
    for cell in match.cells.values():
        if cell.is_written:
            _take_text(found, cell, match)
        elif cell.blank is not None:
            _take_code(found, cell, match)
    return found


def _take_text(found: Answers, cell: SourceCell, match: MatchedCells) -> None:
    """Take a written answer: the text in its cell and copies of it, else text elsewhere that may be the answer."""
    submitted_cells, indices = match.submitted_cells, match.indices_of(cell)
    changed = [
        i
        for i in indices
        if not cell.is_unchanged(submitted_cells[i].source)
        or submitted_cells[i].all_pictures
        or submitted_cells[i].showed_pictures
    ]
    if changed:
        _join_texts(found, cell, changed, submitted_cells)
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
    elif all(submitted_cells[index].empty for index in indices):
        _say_empty(found, cell, indices)


def _join_texts(
    found: Answers, cell: SourceCell, changed: list[int], submitted_cells: tuple[SubmittedCell, ...]
) -> None:
    """Join the texts and pictures of these cells into the written answer, equal ones once."""
    distinct = {
        (prose.as_answer(submitted_cells[index]), str(submitted_cells[index].all_pictures)): index for index in changed
    }
    text, pictures = attachments.merged(
        (prose.as_answer(submitted_cells[index]), submitted_cells[index].all_pictures) for index in distinct.values()
    )
    found.source[cell.id], found.pictures[cell.id] = attachments.with_all_pictures(text, pictures), pictures
    found.index[cell.id] = changed[-1]
    found.used |= dict.fromkeys(changed, cell.id)
    if len(distinct) > 1:
        found.repairs.append(f"The answer {cell.id} was split over {len(distinct)} cells; it is one again.")
    if any(submitted_cells[index].kind != cell.kind for index in changed):
        found.repairs.append(_of_another_kind(cell))


def _take_code(found: Answers, cell: SourceCell, match: MatchedCells) -> None:
    submitted_cells, indices = match.submitted_cells, match.indices_of(cell)
    defining = [index for index in indices if cell.functions_in(submitted_cells[index])]
    if defining:
        _take(found, cell, defining[-1], match)
        found.copies[cell.id] = len(defining)
        return
    others = [index for index, submitted in enumerate(submitted_cells) if cell.functions_in(submitted)]
    if others:
        _take_from_elsewhere(found, cell, others, match)
        return
    changed = [index for index in indices if not cell.is_unchanged(submitted_cells[index].source)]
    filled = [index for index in indices if not submitted_cells[index].empty]
    if changed or filled:
        _take(found, cell, (changed or filled)[-1], match)
        found.copies[cell.id] = len(changed)
    else:
        _say_empty(found, cell, indices)


def _take_from_elsewhere(found: Answers, cell: SourceCell, others: list[int], match: MatchedCells) -> None:
    """Take a function that is not in its cell; prefer a cell outside other answers, then a code cell, then the last."""

    def is_free(index: int) -> bool:
        name = match.source_ids[index]
        return name is None or match.cells[name].blank is None

    indices = match.indices_of(cell)
    index = max(others, key=lambda other: (is_free(other), match.submitted_cells[other].kind == "code", other))
    merged = not is_free(index) or index in found.used
    tried_out = [place for place in indices if not cell.is_unchanged(match.submitted_cells[place].source)]
    if merged and tried_out:  # the student changed the answer cell: keep that text
        _take(found, cell, tried_out[-1], match)
    elif index in found.used:
        found.source[cell.id] = ELSEWHERE
        state = "is missing" if not indices else "was left as it was"
        found.repairs.append(f"The answer cell {cell.id} {state}; its function stands in another cell.")
    else:
        if merged or indices:
            found.repairs.append(f"The answer to {cell.id} was not in its cell; it was found by the function in it.")
        else:
            found.nameless.append(cell.id)
        _take(found, cell, index, match)


def _take(found: Answers, cell: SourceCell, index: int, match: MatchedCells) -> None:
    """Take this submitted cell as the answer, with the cells behind it over which its function is split."""
    if index in found.used:
        found.source[cell.id] = ELSEWHERE
        return
    parts = _parts(cell, index, match)
    found.source[cell.id] = "\n".join(match.submitted_cells[part].code for part in parts)
    found.index[cell.id] = index
    found.used |= dict.fromkeys(parts, cell.id)
    if len(parts) > 1:
        found.repairs.append(
            f"The answer to {cell.id} was split over {len(parts)} cells, which do not run by themselves;"
            " they were put together."
        )
    if match.submitted_cells[index].kind != cell.kind:
        found.repairs.append(_of_another_kind(cell))


def _parts(cell: SourceCell, index: int, match: MatchedCells) -> list[int]:
    """The indices of this cell and of those behind it that only together are valid Python: one function, split."""
    submitted_cells = match.submitted_cells
    best, text = [index], submitted_cells[index].code
    if not cell.wanted:
        return best
    for part in range(index + 1, min(index + _MAX_PARTS, len(submitted_cells))):
        submitted = submitted_cells[part]
        indented = submitted.source.lstrip("\n")[:1] in (" ", "\t", ")", "]", "}")
        if (
            submitted.kind != "code"
            or match.source_ids[part] not in (None, cell.id)
            or submitted.parses
            or not indented
        ):
            break
        text += "\n" + submitted.source
        together = SubmittedCell("code", text, ())
        if together.parses and cell.functions_in(together):
            best = [*range(index, part + 1)]
    return best


def _say_empty(found: Answers, cell: SourceCell, indices: list[int]) -> None:
    if indices:
        found.repairs.append(f"The answer cell {cell.id} is empty; it counts as not written.")
    else:
        found.missing.append(cell.id)


def _of_another_kind(cell: SourceCell) -> str:
    return f"The answer cell {cell.id} was no {cell.kind} cell any more; it is one again."
