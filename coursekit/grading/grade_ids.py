"""Which grade ids of a notebook were renamed: the cells that the gradebook knows, compared with those of the source."""

import ast
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coursekit.model import notebooks

_TEST = "-test"


@dataclass(frozen=True)
class Cell:
    """A cell with marks or comments. ``kinds``: what nbgrader stores of it: GradeCell, SolutionCell, TaskCell."""

    name: str
    kinds: frozenset[str]
    cell_type: str
    source: str


@dataclass(frozen=True)
class Plan:
    """What becomes of the cells in the gradebook; false if nothing.

    ``renamed``: new names by old ones. ``added``: cells that only the source has. Somebody has to decide on the others:
    ``unsure`` are perhaps renamed, since they are in the same place, and ``gone`` are not in the source.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unsure: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    @property
    def decided(self) -> bool:
        return not self.unsure and not self.gone

    def __bool__(self) -> bool:
        return bool(self.renamed or self.removed or self.added or not self.decided)


def plan(
    known: Sequence[Cell], now: Sequence[Cell], rename: Mapping[str, str] = {}, remove: Collection[str] = ()
) -> Plan:
    """Compare the cells in the gradebook with those of the source, each in the order of their notebook.

    ``rename`` and ``remove`` are decisions; one on a solution cell holds for its test cell, too. A cell is renamed if
    one new cell of its kind has the same source or the same functions.
    """
    old, new = _only_in(known, now), _only_in(now, known)
    removed = {cell.name for cell in old if {cell.name, cell.name.removesuffix(_TEST)} & {*remove}}
    renamed = _decided(old, new, rename, removed)

    def left() -> tuple[list[Cell], list[Cell]]:
        done = removed | renamed.keys()
        return [one for one in old if one.name not in done], [one for one in new if one.name not in renamed.values()]

    renamed |= _unique(*left(), lambda cell: cell.source.strip(), lambda cell: cell.source.strip())
    renamed |= _unique(*left(), _functions(known), _functions(now))
    renamed |= _partners(*left(), renamed)
    unsure = _unique(*left(), _places(known, {one.name for one in old}), _places(now, {one.name for one in new}))
    gone, added = ([cell.name for cell in cells] for cells in left())
    return Plan(
        renamed,
        tuple(cell.name for cell in old if cell.name in removed),
        tuple(name for name in added if name not in unsure.values()),
        unsure,
        tuple(name for name in gone if name not in unsure),
    )


def _only_in(cells: Sequence[Cell], others: Sequence[Cell]) -> list[Cell]:
    there = {(cell.name, cell.kinds) for cell in others}
    return [cell for cell in cells if (cell.name, cell.kinds) not in there]


def _decided(
    old: Iterable[Cell], new: Iterable[Cell], rename: Mapping[str, str], removed: Collection[str]
) -> dict[str, str]:
    with_tests = {f"{one}{_TEST}": f"{other}{_TEST}" for one, other in rename.items()} | dict(rename)
    kinds = {cell.name: cell.kinds for cell in new}
    return {
        cell.name: with_tests[cell.name]
        for cell in old
        if cell.name in with_tests and cell.name not in removed and kinds.get(with_tests[cell.name]) == cell.kinds
    }


def _unique(
    old: Sequence[Cell], new: Sequence[Cell], of_old: Callable[[Cell], Hashable], of_new: Callable[[Cell], Hashable]
) -> dict[str, str]:
    """The pairs of cells of one kind with the same key, where no other cell has it; an empty key says nothing."""
    keys = (
        [(cell.kinds, cell.cell_type, of_old(cell)) for cell in old],
        [(cell.kinds, cell.cell_type, of_new(cell)) for cell in new],
    )
    once = [{key for key, times in Counter(some).items() if times == 1 and key[2]} for some in keys]
    names = {key: cell.name for key, cell in zip(keys[1], new, strict=True) if key in once[1]}
    return {cell.name: names[key] for key, cell in zip(keys[0], old, strict=True) if key in once[0] and key in names}


def _functions(cells: Iterable[Cell]) -> Callable[[Cell], Hashable]:
    """The functions that a solution cell defines; of another cell those that it names."""
    defined = {cell.name: notebooks.defined_functions(cell.source) for cell in cells if "SolutionCell" in cell.kinds}
    every = {name for names in defined.values() for name in names}

    def functions(cell: Cell) -> Hashable:
        if cell.name in defined:
            return frozenset(defined[cell.name])
        tree = notebooks.parsed(cell.source) if cell.cell_type == "code" else None
        return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)) & every if tree else ""

    return functions


def _partners(old: Iterable[Cell], new: Iterable[Cell], renamed: Mapping[str, str]) -> dict[str, str]:
    """The test cells of renamed solution cells, by their names."""
    kinds = {cell.name: cell.kinds for cell in new}
    named = {cell: renamed.get(cell.name.removesuffix(_TEST), "") + _TEST for cell in old if cell.name.endswith(_TEST)}
    return {cell.name: name for cell, name in named.items() if kinds.get(name) == cell.kinds}


def _places(cells: Sequence[Cell], without: Collection[str]) -> Callable[[Cell], Hashable]:
    """The cells before and behind a cell that are the same in both notebooks."""
    kept = [None, *(cell.name for cell in cells if cell.name not in without), None]
    before = 0
    places = {}
    for cell in cells:
        if cell.name in without:
            places[cell.name] = (kept[before], kept[before + 1])
        else:
            before += 1
    return lambda cell: places.get(cell.name, "")
