"""Written answers that do not stand in their cell: where their text went, and how a person gets to read it.

From the question on, down to the end of the notebook, whatever may be an answer counts: people type where the notebook
ends. Right at another written answer it is that one's. Above the question it counts up to the exercise before it, and
only where it is long, or right above. Where it is in doubt a person decides: a look costs less than a lost answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from coursekit.submission import attachments, prose
from coursekit.submission.cells import Ours, Piece, normal
from coursekit.submission.matched_cells import MatchedCells

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


@dataclass(frozen=True)
class _Search:
    """The answer cell whose answer is looked for, all cells of ours, and the student's.

    ``claimed``: for each of the student's cells the id of ours that it is, None for one of the student's own.
    """

    cell: Ours
    cells: Mapping[str, Ours]
    theirs: Sequence[Piece]
    claimed: Sequence[str | None]

    @cached_property
    def question(self) -> list[str]:
        return _question(self.cell, self.cells)

    @cached_property
    def place(self) -> int:
        """Where in their notebook the answer cell is; where it is missing, behind the last of our cells above it."""
        own = [index for index, name in enumerate(self.claimed) if name == self.cell.id]
        if own:
            return own[-1]
        order = [*self.cells]
        for names in (self.question, order[: order.index(self.cell.id)]):
            there = [index for index, name in enumerate(self.claimed) if name in names]
            if there:
                return max(there) + 1
        return 0

    @cached_property
    def functions(self) -> frozenset[str]:
        """Of all exercises, the functions that are asked for."""
        return frozenset(name for other in self.cells.values() for name in other.wanted)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Of all exercises, the numbers."""
        return frozenset(number for other in self.cells.values() for number in other.numbers)


def elsewhere(cell: Ours, match: MatchedCells) -> Found | None:
    """The answer that belongs into an untouched, emptied or missing answer cell, if it may stand somewhere else."""
    search = _Search(cell, match.cells, match.theirs, match.claimed)
    parts = [*reversed([*_upwards(search)]), *_downwards(search)]
    near = [part for part in parts if not part.far]
    chosen = near or parts
    if not chosen:
        return None
    text, pictures = attachments.merged((part.text, match.theirs[part.index].shown) for part in chosen)
    moved = tuple(part.index for part in chosen if part.moved)
    what = "text" if any(part.speaks for part in chosen) else "a picture"
    return Found(attachments.all_shown(text, pictures), pictures, moved, what, _where(chosen, search))


def _where(chosen: Sequence[_Part], search: _Search) -> str:
    if any(search.claimed[part.index] is not None for part in chosen):
        return "in a text cell of the assignment"
    sides = {"above" if part.index < search.place else "below" for part in chosen}
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


def _upwards(search: _Search) -> Iterable[_Part]:
    """What may be an answer above the answer cell, the nearest first; nothing that stands right below another one."""
    cell, cells, question = search.cell, search.cells, search.question
    far, right_above, waiting = False, False, list[_Part]()
    top = question[-1] if question else None
    for index in range(search.place - 1, -1, -1):
        name = search.claimed[index]
        part = _part(search, index, far, 1 if right_above or not far else MIN_WORDS_FAR)
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


def _downwards(search: _Search) -> Iterable[_Part]:
    """What may be an answer below it, to the end; but not what stands right at another written answer.

    Behind the next exercise it is far: only words count, and no cells of ours, which ask for something else there.
    """
    cell, cells = search.cell, search.cells
    others = _at_other_answers(cell, cells)
    far, at_another = False, False
    for index in range(search.place, len(search.theirs)):
        name = search.claimed[index]
        if name is not None and name != cell.id:
            at_another = name in others
            far = far or at_another or cells[name].graded
        if not at_another and (name is None or not far):
            part = _part(search, index, far, 1)
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


def _part(search: _Search, index: int, far: bool, least: int) -> _Part | None:
    """What may be an answer in a cell of at least so many words, or with a picture."""
    piece, name = search.theirs[index], search.claimed[index]
    if name == search.cell.id:
        return None
    if name is not None:
        added = _typed_into(search.cells[name], piece, max(least, MIN_WORDS_TYPED))
        return _Part(index, added, False, far) if added else None
    said = prose.said(piece)
    if not (said.words >= least or piece.pictures or (piece.drew and not far)) or (far and not said.only_text):
        return None
    if _answers_another(search, piece) or prose.is_about_another(piece, search.functions, search.numbers):
        return None
    return _Part(index, prose.as_answer(piece), said.only_text, far, said.words > 0)


def _answers_another(search: _Search, piece: Piece) -> bool:
    """Whether the cell defines a function that is asked for."""
    if not search.functions & piece.definitions.keys():
        return False
    return any(other.written(piece) for other in search.cells.values())


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
