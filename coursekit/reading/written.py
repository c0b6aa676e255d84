"""Written answers that do not stand in their cell: where their text went, and how a person gets to read it.

From the question on, down to the end of the notebook, whatever may be an answer counts: people type where the notebook
ends. Right at another written answer it is that one's. Above the question it counts up to the exercise before it, and
only where it is long, or right above. Where it is in doubt a person decides: a look costs less than a lost answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from coursekit.reading import attachments, prose
from coursekit.reading.answers import Ours, Piece, normal

MIN_WORDS_TYPED, MIN_WORDS_FAR = 3, 25  # how much text is an answer in a cell of ours, and far above the question


@dataclass(frozen=True)
class Found:
    """The text of an answer, the cells that were moved into it altogether; what it is and where it stood, in words."""

    text: str
    pictures: Mapping[str, Mapping[str, str]]
    moved: tuple[int, ...]
    what: str
    where: str


@dataclass(frozen=True)
class _Part:
    index: int
    text: str
    moved: bool
    far: bool
    speaks: bool = True  # there are words in it


def elsewhere(
    cell: Ours, cells: Mapping[str, Ours], theirs: Sequence[Piece], claimed: Sequence[str | None]
) -> Found | None:
    """The answer that belongs into an untouched, emptied or missing answer cell, if it may stand somewhere else."""
    question = _question(cell, cells)
    place = _place(cell, question, cells, claimed)
    up = [*_upwards(place, cell, question, cells, theirs, claimed)]
    down = [*_downwards(place, cell, cells, theirs, claimed)]
    parts = [*reversed(up), *down]
    near = [part for part in parts if not part.far]
    chosen = near or [part for part in parts if part.far]
    if not chosen:
        return None
    text, pictures = attachments.merged((part.text, theirs[part.index].shown) for part in chosen)
    moved = tuple(part.index for part in chosen if part.moved)
    what = "text" if any(part.speaks for part in chosen) else "a picture"
    return Found(attachments.all_shown(text, pictures), pictures, moved, what, _where(chosen, claimed, place))


def _where(chosen: Sequence[_Part], claimed: Sequence[str | None], place: int) -> str:
    if any(claimed[part.index] is not None for part in chosen):
        return "in a text cell of the assignment"
    sides = {"above" if part.index < place else "below" for part in chosen}
    side = sides.pop() if len(sides) == 1 else "above and below"
    return f"in a cell {side} it" if len(chosen) == 1 else f"in {len(chosen)} cells {side} it"


def _question(cell: Ours, cells: Mapping[str, Ours]) -> list[str]:
    """Our Markdown cells right above the answer cell, which ask for it, the nearest first."""
    order = [*cells]
    found = []
    for name in reversed(order[: order.index(cell.id)]):
        if cells[name].kind != "markdown" or cells[name].graded:
            break
        found.append(name)
    return found


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
    far, right_above, waiting = False, False, list[_Part]()
    top = question[-1] if question else None
    for index in range(place - 1, -1, -1):
        name = claimed[index]
        part = _part(index, cell, cells, theirs, claimed, far, 1 if right_above or not far else MIN_WORDS_FAR)
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
        waiting = [part] if part and not _belongs_to_another(name, cell, cells) else []
        right_above = name == top and not far
        far = far or name == top or (name not in question and name != cell.id)
    yield from waiting


def _downwards(
    place: int,
    cell: Ours,
    cells: Mapping[str, Ours],
    theirs: Sequence[Piece],
    claimed: Sequence[str | None],
) -> Iterable[_Part]:
    """What may be an answer below it, to the end; but not what stands right at another written answer.

    Behind the next exercise it is far: only words count, and no cells of ours, which ask for something else there.
    """
    others = _at_other_answers(cell, cells)
    far, at_another = False, False
    for index in range(place, len(theirs)):
        name = claimed[index]
        if name is not None and name != cell.id:
            at_another = name in others
            far = far or at_another or cells[name].graded
        if not at_another and (name is None or not far):
            part = _part(index, cell, cells, theirs, claimed, far, 1)
            if part:
                yield part


def _at_other_answers(cell: Ours, cells: Mapping[str, Ours]) -> frozenset[str]:
    """The other written answers, and what of the texts above each is its question: from its last heading on."""
    found: set[str] = set()
    for other in cells.values():
        if other.is_written and other.id != cell.id:
            found.add(other.id)
            for name in _question(other, cells):
                found.add(name)
                if cells[name].texts[0].lstrip().startswith("#"):
                    break
    return frozenset(found)


def _belongs_to_another(name: str, cell: Ours, cells: Mapping[str, Ours]) -> bool:
    """Whether one of our cells goes with another exercise, by its name: ``relu-expected``."""
    return any(other.graded and other.id != cell.id and name.startswith(f"{other.id}-") for other in cells.values())


def _part(
    index: int,
    cell: Ours,
    cells: Mapping[str, Ours],
    theirs: Sequence[Piece],
    claimed: Sequence[str | None],
    far: bool,
    least: int,
) -> _Part | None:
    """What may be an answer in a cell of at least so many words, or with a picture."""
    piece, name = theirs[index], claimed[index]
    if name == cell.id:
        return None
    if name is not None:
        added = _typed_into(cells[name], piece, max(least, MIN_WORDS_TYPED))
        return _Part(index, added, False, far) if added else None
    said = prose.said(piece)
    if not (said.words >= least or piece.pictures or (piece.drew and not far)) or (far and not said.only_text):
        return None
    functions = frozenset(name for other in cells.values() for name in other.wanted)
    numbers = frozenset(number for other in cells.values() for number in other.numbers)
    answers_another = functions & piece.definitions.keys() and any(other.written(piece) for other in cells.values())
    if answers_another or prose.is_about_another(piece, functions, numbers):
        return None
    return _Part(index, prose.as_answer(piece), said.only_text, far, said.words > 0)


def _typed_into(ours: Ours, piece: Piece, least: int) -> str:
    """What a student wrote into a text cell of ours, where it has at least so many words, or a picture."""
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
    return "\n\n".join(added).strip() if words >= least or piece.pictures else ""
