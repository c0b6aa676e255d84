"""Decides which cells of a notebook are not run at grading, and which of their statements are.

A cell is not run if the author tagged it, or if it uses a variable that only cells which are not run define. Answers,
tests and other graded cells are always run. Of a cell that is not run, its imports, functions, classes and literal
constants are run, so that these names are defined.

The notebook is a rebuilt one: its tags come from the source notebook. Answers and added cells may be hostile; the
analysis of them is bounded, and cells beyond the bound are run as if there were no experiments.
"""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from nbformat import NotebookNode

from coursekit.experiments import is_graded, is_tagged, statements
from coursekit.experiments.statements import MAX_STATEMENTS, Statement, Use
from coursekit.model.notebooks import ADDED, is_solution
from coursekit.model.student_code import CELL_COUNTS, MAX_PARSED_CHARS, MAX_PARSED_CHARS_ALTOGETHER

_BUILTINS = frozenset(dir(builtins))  # `list.sort(x)` changes no `list`
MAX_STEPS = 300_000  # names followed through function calls, in one notebook


def unrun(notebook: NotebookNode) -> dict[str, str]:
    """The cells that are not run, by id: the source of their statements that are run all the same; may be empty."""
    return dict(_over(_code(notebook)).unrun) if any(map(is_tagged, notebook.cells)) else {}


def missing_variables(notebook: NotebookNode) -> dict[str, tuple[str, ...]]:
    """The variables that only experiments define, by id of the answers and tests that use them."""
    if not any(map(is_tagged, notebook.cells)):
        return {}
    return {cell: tuple(sorted(wanted)) for cell, wanted in _over(_code(notebook)).missing_variables.items()}


@dataclass(frozen=True)
class _Code:
    """A code cell. ``bounded``: limits apply to its analysis, because a student wrote it."""

    id: str
    source: str
    tagged: bool
    graded: bool
    bounded: bool


def _code(notebook: NotebookNode) -> tuple[_Code, ...]:
    return tuple(
        _Code(cell.id, cell.source, is_tagged(cell), is_graded(cell), cell.id.startswith(ADDED) or is_solution(cell))
        for cell in notebook.cells
        if cell.cell_type == "code"
    )


@lru_cache(maxsize=2)  # called in every step of grading a submission
def _over(cells: tuple[_Code, ...]) -> "_Walk":
    walk = _Walk()
    for cell in cells:
        walk.take(cell)
    return walk


@dataclass
class _Walk:
    """The state after the cells taken so far.

    ``unavailable``: names that only statements which are not run bind or change. ``call_uses``: the names that a call
    of each function uses. ``imported``: modules, which count as never changed. ``answers``: functions in graded cells.
    """

    unrun: dict[str, str] = field(default_factory=dict)
    missing_variables: dict[str, set[str]] = field(default_factory=dict)
    unavailable: set[str] = field(default_factory=set)
    call_uses: dict[str, Use] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)
    steps_left: int = MAX_STEPS
    statements_left: int = MAX_STATEMENTS  # of cells that a student wrote
    chars_left: int = MAX_PARSED_CHARS_ALTOGETHER

    def take(self, cell: _Code) -> None:
        """Analyse the next cell."""
        tagged = cell.tagged and not cell.graded
        found = statements.statements(cell.source, self.statements_left) if self._has_room(cell) else None
        if found is not None and cell.bounded:
            self.statements_left -= len(found)
        if found is None:
            if tagged:
                self.unrun[cell.id] = ""
                self.unavailable |= statements.bound_by_line(cell.source)
            return
        if cell.graded:
            if wanted := self._wanted(found, with_bodies=True):
                self.missing_variables[cell.id] = wanted
            self.answers.update(name for one in found for name, _ in one.call_uses)
        elif tagged or self._wanted(found):
            self.unrun[cell.id] = statements.placed(self._left_out(found))
            return
        for one in found:
            self._runs(one)

    def _has_room(self, cell: _Code) -> bool:
        """Whether the limits allow parsing the cell; charges it."""
        if not cell.bounded:
            return True
        self.chars_left -= len(cell.source) + CELL_COUNTS
        return len(cell.source) <= MAX_PARSED_CHARS and self.chars_left >= 0 and self.statements_left >= 0

    def _wanted(self, found: tuple[Statement, ...], with_bodies: bool = False) -> set[str]:
        """The names that a cell reads and that no statement which is run defines."""
        local: dict[str, Use | None] = {}  # bound by the cell itself; the uses of functions
        if with_bodies:
            local |= dict.fromkeys(self.answers)  # reported at the answer, not at each cell that calls it
        wanted: set[str] = set()
        for one in found:
            uses = [one.run_use, *(use for _, use in one.call_uses)] if with_bodies else [one.run_use]
            for use in uses:
                wanted |= {name for name in self._reached(use, local)[0] & self.unavailable if name not in local}
            local |= dict.fromkeys(one.binds)
            local |= dict(one.call_uses)
        return wanted

    def _left_out(self, found: tuple[Statement, ...]) -> list[Statement]:
        """The statements of an unrun cell that are run all the same; the names of the others become ``unavailable``."""
        kept: list[Statement] = []
        for one in found:
            reads, changes = self._reached(one.run_use, {})
            if one.defines and not reads & self.unavailable:
                kept.append(one)
                self._runs(one)
            else:
                self.unavailable |= one.binds | (changes - self.imported - _BUILTINS)
                for name in one.binds:
                    self.call_uses.pop(name, None)
        return kept

    def _runs(self, one: Statement) -> None:
        self.unavailable -= one.binds
        self.imported -= one.binds
        self.imported |= one.imports
        for name in one.binds:
            self.call_uses.pop(name, None)
        self.call_uses |= dict(one.call_uses)

    def _reached(self, use: Use, local: Mapping[str, Use | None]) -> tuple[set[str], set[str]]:
        """All names read and changed, also through the functions that are called."""
        reads, changes, waiting = set[str](), {*use.changes}, [*use.reads]
        while waiting:
            name = waiting.pop()
            if name in reads:
                continue
            reads.add(name)
            called = local[name] if name in local else self.call_uses.get(name)
            if called is not None and self.steps_left > 0:
                self.steps_left -= len(called.reads) + len(called.changes) + 1
                changes |= called.changes
                waiting += called.reads
        return reads, changes
