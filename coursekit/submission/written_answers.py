"""Finds a written answer outside its cell, so that a person can read it.

Below the question, text counts down to the end of the notebook, since students also type there; text next to another
written answer belongs to that one. Above the question, text counts back to the previous exercise, if it is long or
directly above. In doubt the text is taken: reading it costs a person less than losing an answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from coursekit.submission import attachments, prose
from coursekit.submission.cells import SourceCell, SubmittedCell, stripped
from coursekit.submission.matched_cells import MatchedCells

MIN_WORDS_TYPED, MIN_WORDS_FAR = 3, 25  # least words of an answer: typed into a source cell, and far above the question


@dataclass(frozen=True)
class FoundAnswer:
    """An answer: its text and pictures, the cells moved into it as a whole, and what and where it was, in words."""

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
    has_words: bool = True


@dataclass(frozen=True)
class _Search:
    """The answer cell whose answer is searched, all source cells, and the submitted cells.

    ``source_ids``: for each submitted cell the id of its source cell, None if the student added it.
    """

    cell: SourceCell
    cells: Mapping[str, SourceCell]
    submitted_cells: Sequence[SubmittedCell]
    source_ids: Sequence[str | None]

    @cached_property
    def question(self) -> list[str]:
        return _question(self.cell, self.cells)

    @cached_property
    def place(self) -> int:
        """The index of the answer cell in the submission; if it is missing, behind the last source cell above it."""
        indices = [index for index, name in enumerate(self.source_ids) if name == self.cell.id]
        if indices:
            return indices[-1]
        order = [*self.cells]
        for names in (self.question, order[: order.index(self.cell.id)]):
            there = [index for index, name in enumerate(self.source_ids) if name in names]
            if there:
                return max(there) + 1
        return 0

    @cached_property
    def functions(self) -> frozenset[str]:
        """The functions that the exercises ask for."""
        return frozenset(name for other in self.cells.values() for name in other.wanted)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers of all exercises."""
        return frozenset(number for other in self.cells.values() for number in other.numbers)


def elsewhere(cell: SourceCell, match: MatchedCells) -> FoundAnswer | None:
    """The answer to an unchanged, emptied or missing answer cell, from other cells; None if they have none."""
    search = _Search(cell, match.cells, match.submitted_cells, match.source_ids)
    parts = [*reversed([*_upwards(search)]), *_downwards(search)]
    near = [part for part in parts if not part.far]
    chosen = near or parts
    if not chosen:
        return None
    text, pictures = attachments.merged((part.text, match.submitted_cells[part.index].all_pictures) for part in chosen)
    moved = tuple(part.index for part in chosen if part.moved)
    what = "text" if any(part.has_words for part in chosen) else "a picture"
    return FoundAnswer(attachments.with_all_pictures(text, pictures), pictures, moved, what, _where(chosen, search))


def _where(chosen: Sequence[_Part], search: _Search) -> str:
    if any(search.source_ids[part.index] is not None for part in chosen):
        return "in a text cell of the assignment"
    sides = {"above" if part.index < search.place else "below" for part in chosen}
    side = sides.pop() if len(sides) == 1 else "above and below"
    return f"in a cell {side} it" if len(chosen) == 1 else f"in {len(chosen)} cells {side} it"


def _question(cell: SourceCell, cells: Mapping[str, SourceCell]) -> list[str]:
    """The ids of the source Markdown cells directly above the answer cell, which ask for it; the nearest first."""
    order = [*cells]
    found = []
    for name in reversed(order[: order.index(cell.id)]):
        if cells[name].kind != "markdown" or cells[name].graded:
            break
        found.append(name)
    return found


def _upwards(search: _Search) -> Iterable[_Part]:
    """Possible parts of the answer above its cell, the nearest first; not those directly below another answer."""
    cell, cells, question = search.cell, search.cells, search.question
    far, right_above, waiting = False, False, list[_Part]()
    top = question[-1] if question else None
    for index in range(search.place - 1, -1, -1):
        name = search.source_ids[index]
        part = _part(search, index, far, 1 if right_above or not far else MIN_WORDS_FAR)
        if name is None:
            waiting += [part] if part else []
            continue
        if cells[name].graded and name != cell.id:
            if not far:  # between two answer cells without source text: may answer either
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
    """Possible parts of the answer below its cell, to the end; not those next to another written answer.

    Behind the next exercise a part is ``far``: only words count, and source cells do not, since they ask for other
    answers.
    """
    cell, cells = search.cell, search.cells
    others = _at_other_answers(cell, cells)
    far, at_another = False, False
    for index in range(search.place, len(search.submitted_cells)):
        name = search.source_ids[index]
        if name is not None and name != cell.id:
            at_another = name in others
            far = far or at_another or cells[name].graded
        if not at_another and (name is None or not far):
            part = _part(search, index, far, 1)
            if part:
                yield part


def _at_other_answers(cell: SourceCell, cells: Mapping[str, SourceCell]) -> frozenset[str]:
    """The ids of the other written answers and of their questions: the texts above each, from the last heading on."""
    found: set[str] = set()
    for other in cells.values():
        if other.is_written and other.id != cell.id:
            found.add(other.id)
            for name in _question(other, cells):
                found.add(name)
                if cells[name].texts[0].lstrip().startswith("#"):
                    break
    return frozenset(found)


def _belongs_to_another(name: str, cell: SourceCell, cells: Mapping[str, SourceCell]) -> bool:
    """Whether a source cell belongs to another exercise, by its name, such as ``relu-expected``."""
    return any(other.graded and other.id != cell.id and name.startswith(f"{other.id}-") for other in cells.values())


def _part(search: _Search, index: int, far: bool, least: int) -> _Part | None:
    """The possible part of the answer in a cell, if it has at least ``least`` words, or a picture."""
    submitted, name = search.submitted_cells[index], search.source_ids[index]
    if name == search.cell.id:
        return None
    if name is not None:
        added = _typed_into(search.cells[name], submitted, max(least, MIN_WORDS_TYPED))
        return _Part(index, added, False, far) if added else None
    said = prose.extract(submitted)
    if not (said.words >= least or submitted.pictures or (submitted.showed_pictures and not far)) or (
        far and not said.only_text
    ):
        return None
    if _answers_another(search, submitted) or prose.is_about_another(submitted, search.functions, search.numbers):
        return None
    return _Part(index, prose.as_answer(submitted), said.only_text, far, said.words > 0)


def _answers_another(search: _Search, submitted: SubmittedCell) -> bool:
    """Whether the cell defines a function that an exercise asks for."""
    if not search.functions & submitted.definitions.keys():
        return False
    return any(other.functions_in(submitted) for other in search.cells.values())


def _typed_into(source_cell: SourceCell, submitted: SubmittedCell, least: int) -> str:
    """The text that the student added to a source text cell, if it has at least ``least`` words, or a picture."""
    if source_cell.kind != "markdown" or submitted.kind == "code" or source_cell.is_unchanged(submitted.source):
        return ""
    before = stripped(source_cell.texts[0]).split("\n")
    after = stripped(submitted.source[: prose.MAX_CHARS]).split("\n")
    added: list[str] = []
    words = 0
    for tag, old, old_end, new, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("insert", "replace"):
            fresh = "\n".join(after[new:new_end])
            known = set(prose.words("\n".join(before[old:old_end])))
            words += sum(word not in known for word in prose.words(fresh))
            added.append(fresh)
    return "\n\n".join(added).strip() if words >= least or submitted.pictures else ""
