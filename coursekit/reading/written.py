"""Written answers that do not stand in their cell: where their text went, and how a person gets to read it.

Near an answer cell whatever may be an answer counts; further away only what is long enough to be nothing else. Where
it is in doubt the text counts, and a person decides: nobody loses points because of a cell boundary.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from coursekit.reading import attachments, prose
from coursekit.reading.answers import Ours, Piece, normal

MIN_WORDS_TYPED, MIN_WORDS_FAR = 3, 25  # how much text is an answer in a place where none belongs


@dataclass(frozen=True)
class Found:
    """The text of an answer, the cells that were moved into it altogether, and in words where it stood."""

    text: str
    pictures: Mapping[str, Mapping[str, str]]
    moved: tuple[int, ...]
    where: str


@dataclass(frozen=True)
class _Part:
    index: int
    text: str
    moved: bool
    far: bool


def elsewhere(
    cell: Ours, cells: Mapping[str, Ours], theirs: Sequence[Piece], claimed: Sequence[str | None]
) -> Found | None:
    """The answer that belongs into an untouched, emptied or missing answer cell, if it may stand somewhere else."""
    question, behind = _text_around(cell, cells)
    place = _place(cell, question, cells, claimed)
    up = [*_upwards(place, cell, question, cells, theirs, claimed)]
    down = [*_downwards(place, cell, behind, cells, theirs, claimed)]
    parts = [*reversed(up), *down]
    near = [part for part in parts if not part.far]
    chosen = near or [part for part in parts if part.far]
    if not chosen:
        return None
    text, pictures = attachments.merged((part.text, theirs[part.index].pictures) for part in chosen)
    moved = tuple(part.index for part in chosen if part.moved)
    return Found(attachments.all_shown(text, pictures), pictures, moved, _where(chosen, claimed, place))


def _where(chosen: Sequence[_Part], claimed: Sequence[str | None], place: int) -> str:
    if any(claimed[part.index] is not None for part in chosen):
        return "in a text cell of the assignment"
    sides = {"above" if part.index < place else "below" for part in chosen}
    side = sides.pop() if len(sides) == 1 else "above and below"
    return f"in a cell {side} it" if len(chosen) == 1 else f"in {len(chosen)} cells {side} it"


def _text_around(cell: Ours, cells: Mapping[str, Ours]) -> tuple[list[str], list[str]]:
    """Our Markdown cells right above the answer cell, which ask for it, and right below it."""
    order = [*cells]
    place = order.index(cell.id)

    def texts(names: Iterable[str]) -> list[str]:
        found = []
        for name in names:
            if cells[name].kind != "markdown" or cells[name].graded:
                break
            found.append(name)
        return found

    return texts(reversed(order[:place])), texts(order[place + 1 :])


def _place(cell: Ours, question: list[str], cells: Mapping[str, Ours], claimed: Sequence[str | None]) -> int:
    """Where in their notebook the answer cell is; where it is missing, behind the last of our cells above it."""
    own = [index for index, name in enumerate(claimed) if name == cell.id]
    if own:
        return own[-1]
    order = [*cells]
    for names in (question, order[: order.index(cell.id)]):
        there = [index for index, name in enumerate(claimed) if name in names]
        if there:
            return max(there) + 1
    return 0


def _upwards(
    place: int,
    cell: Ours,
    question: list[str],
    cells: Mapping[str, Ours],
    theirs: Sequence[Piece],
    claimed: Sequence[str | None],
) -> Iterable[_Part]:
    """What may be an answer above the answer cell, the nearest first; nothing that stands right below another one."""
    far, waiting = False, list[_Part]()
    top = question[-1] if question else None
    for index in range(place - 1, -1, -1):
        name = claimed[index]
        part = _part(index, cell, cells, theirs, claimed, far)
        if name is None:
            waiting += [part] if part else []
            continue
        if cells[name].graded and name != cell.id:
            if not far:  # between another answer and this one, and no text of ours between them: it may be either's
                yield from waiting
            return
        if far and _belongs_to_another(name, cell, cells):
            waiting = []
        yield from waiting
        waiting = [part] if part and name in question else []
        far = far or name == top or (name not in question and name != cell.id)
    yield from waiting


def _downwards(
    place: int,
    cell: Ours,
    behind: list[str],
    cells: Mapping[str, Ours],
    theirs: Sequence[Piece],
    claimed: Sequence[str | None],
) -> Iterable[_Part]:
    """What may be an answer below it: up to the next of our cells, and to the end where nothing else is asked for."""
    far, distant = False, list[_Part]()
    for index in range(place, len(theirs)):
        name = claimed[index]
        if name is not None and name != cell.id:
            if cells[name].graded:
                return
            far = True
        part = _part(index, cell, cells, theirs, claimed, far and name is None)
        if part and (name is None or name in behind):
            if part.far:
                distant.append(part)
            else:
                yield part
    yield from distant


def _belongs_to_another(name: str, cell: Ours, cells: Mapping[str, Ours]) -> bool:
    """Whether one of our cells goes with another exercise, by its name: ``relu-expected``."""
    return any(other.graded and other.id != cell.id and name.startswith(f"{other.id}-") for other in cells.values())


def _part(
    index: int, cell: Ours, cells: Mapping[str, Ours], theirs: Sequence[Piece], claimed: Sequence[str | None], far: bool
) -> _Part | None:
    piece, name = theirs[index], claimed[index]
    if name == cell.id:
        return None
    if name is not None:
        added = _typed_into(cells[name], piece)
        return _Part(index, added, False, far=False) if added else None
    said = prose.said(piece)
    enough = said.words >= (MIN_WORDS_FAR if far else 1) or bool(piece.pictures)
    functions = frozenset(name for other in cells.values() for name in other.wanted)
    if (
        not enough
        or (far and not said.only_text)
        or any(other.written(piece) for other in cells.values())
        or prose.is_about_another(piece, functions)
    ):
        return None
    return _Part(index, said.text, said.only_text, far)


def _typed_into(ours: Ours, piece: Piece) -> str:
    """What a student wrote into a text cell of ours, where it is more than a slip of the keyboard."""
    if ours.kind != "markdown" or piece.kind == "code" or ours.same(piece.source):
        return ""
    before = normal(ours.texts[0]).split("\n")
    after = normal(piece.source[: prose.MAX_CHARS]).split("\n")
    added: list[str] = []
    words = 0
    for tag, old, old_end, new, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("insert", "replace"):
            fresh = "\n".join(after[new:new_end])
            known = set(prose.words("\n".join(before[old:old_end])))
            words += sum(word not in known for word in prose.words(fresh))
            added.append(fresh)
    return "\n\n".join(added).strip() if words >= MIN_WORDS_TYPED or piece.pictures else ""
