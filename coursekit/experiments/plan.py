"""Which cells of a notebook are not run at grading, and which of their statements are.

A cell is not run if the author has tagged it, or if it uses a variable that only cells which are not run give. What
decides marks is always run: answers, tests, whatever is graded. Of a cell that is not run, imports, functions, classes
and literal constants are, so that what it defines is there.

The notebook is a rebuilt one: its tags are the source's. Of the code in it, answers and the student's own cells may be
hostile; the work that they cause is counted, and what exceeds it is run as if there were no experiments.
"""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from nbformat import NotebookNode

from coursekit.experiments import is_graded, is_tagged
from coursekit.experiments import statements as names
from coursekit.experiments.statements import MAX_STATEMENTS, Statement, Use
from coursekit.model.notebooks import ADDED, is_solution
from coursekit.model.student_code import CELL_COUNTS, MAX_PARSED_CHARS, MAX_PARSED_CHARS_ALTOGETHER

_BUILTINS = frozenset(dir(builtins))  # `list.sort(x)` changes no `list`
MAX_STEPS = 300_000  # names that are followed from function to function, in one notebook


def unrun(notebook: NotebookNode) -> dict[str, str]:
    """By id, the cells that are not run, with the source of those of their statements that are (perhaps none)."""
    return dict(_over(_code(notebook)).unrun) if any(map(is_tagged, notebook.cells)) else {}


def in_want(notebook: NotebookNode) -> dict[str, tuple[str, ...]]:
    """By id, the answers and tests that use variables which only experiments give: these."""
    if not any(map(is_tagged, notebook.cells)):
        return {}
    return {cell: tuple(sorted(wanted)) for cell, wanted in _over(_code(notebook)).in_want.items()}


@dataclass(frozen=True)
class _Code:
    """A code cell. ``bounded``: of its source only so much is parsed, because a student has written it."""

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


@lru_cache(maxsize=2)  # every step that a submission takes asks for it
def _over(cells: tuple[_Code, ...]) -> "_Walk":
    walk = _Walk()
    for cell in cells:
        walk.take(cell)
    return walk


@dataclass
class _Walk:
    """The state behind each cell, from the first one to the last.

    ``given``: names that only statements which are not run have bound or changed. ``later``: what functions use.
    ``imported``: modules, which nothing changes. ``answers``: functions in graded cells.
    """

    unrun: dict[str, str] = field(default_factory=dict)
    in_want: dict[str, set[str]] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    later: dict[str, Use] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)
    steps: int = MAX_STEPS
    statements: int = MAX_STATEMENTS  # of the cells that a student has written
    chars: int = MAX_PARSED_CHARS_ALTOGETHER

    def take(self, cell: _Code) -> None:
        """The next cell."""
        tagged = cell.tagged and not cell.graded
        found = names.statements(cell.source, self.statements) if self._has_room(cell) else None
        if found is not None and cell.bounded:
            self.statements -= len(found)
        if found is None:
            if tagged:
                self.unrun[cell.id] = ""
                self.given |= names.bound_by_line(cell.source)
            return
        if cell.graded:
            if wanted := self._wanted(found, with_bodies=True):
                self.in_want[cell.id] = wanted
            self.answers.update(name for one in found for name, _ in one.later)
        elif tagged or self._wanted(found):
            self.unrun[cell.id] = names.placed(self._left_out(found))
            return
        for one in found:
            self._runs(one)

    def _has_room(self, cell: _Code) -> bool:
        """Whether the code is short enough to be parsed."""
        if not cell.bounded:
            return True
        self.chars -= len(cell.source) + CELL_COUNTS
        return len(cell.source) <= MAX_PARSED_CHARS and self.chars >= 0 and self.statements >= 0

    def _wanted(self, found: tuple[Statement, ...], with_bodies: bool = False) -> set[str]:
        """The names that a cell reads, and that no statement which is run has given."""
        own: dict[str, Use | None] = {}  # bound by the cell itself, with what they use if they are functions
        if with_bodies:
            own |= dict.fromkeys(self.answers)  # what an answer needs is told there, not wherever it is called
        wanted: set[str] = set()
        for one in found:
            uses = [one.now, *(use for _, use in one.later)] if with_bodies else [one.now]
            for use in uses:
                wanted |= {name for name in self._reached(use, own)[0] & self.given if name not in own}
            own |= dict.fromkeys(one.binds)
            own |= dict(one.later)
        return wanted

    def _left_out(self, found: tuple[Statement, ...]) -> list[Statement]:
        """The statements of a cell that is not run which are run all the same; what the others give is ``given``."""
        kept: list[Statement] = []
        for one in found:
            reads, changes = self._reached(one.now, {})
            if one.defines and not reads & self.given:
                kept.append(one)
                self._runs(one)
            else:
                self.given |= one.binds | (changes - self.imported - _BUILTINS)
                for name in one.binds:
                    self.later.pop(name, None)
        return kept

    def _runs(self, one: Statement) -> None:
        self.given -= one.binds
        self.imported -= one.binds
        self.imported |= one.imports
        for name in one.binds:
            self.later.pop(name, None)
        self.later |= dict(one.later)

    def _reached(self, use: Use, own: Mapping[str, Use | None]) -> tuple[set[str], set[str]]:
        """All names that are read, and changed, through the functions that are named as well."""
        reads, changes, waiting = set[str](), {*use.changes}, [*use.reads]
        while waiting:
            name = waiting.pop()
            if name in reads:
                continue
            reads.add(name)
            called = own[name] if name in own else self.later.get(name)
            if called is not None and self.steps > 0:
                self.steps -= len(called.reads) + len(called.changes) + 1
                changes |= called.changes
                waiting += called.reads
        return reads, changes
