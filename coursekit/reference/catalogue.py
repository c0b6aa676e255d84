"""Catalogue: named wrong and right answers to exercises, each a small change to the solution in the source notebook."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar


@dataclass(frozen=True)
class Answer:
    """A named answer to an exercise: ``changes`` are pairs (text of the solution cell, text that replaces it)."""

    function: str
    name: str
    what: str
    changes: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.function}:{self.name}"

    def source(self, cell: str) -> str:
        """The solution cell with the changes made. Raises ValueError if a text does not occur exactly once."""
        for old, new in self.changes:
            if (count := cell.count(old)) != 1:
                raise ValueError(f"{old!r} is {count} times in the solution cell; adapt the row to the new solution")
            cell = cell.replace(old, new)
        return cell

    def misfit(self, cell: str) -> str:
        """Why the changes cannot be made in this solution cell; empty if they can."""
        try:
            self.source(cell)
        except ValueError as error:
            return str(error)
        return ""


@dataclass(frozen=True)
class WrongAnswer(Answer):
    """A mistake. ``visible``: the public test detects it; the others are only detected in hidden cases."""

    hint: str = ""
    visible: bool = True


@dataclass(frozen=True)
class RightAnswer(Answer):
    """A right answer other than the solution. ``style`` names the complete submission that it belongs to, if any."""

    style: str = ""


_Row = TypeVar("_Row", bound=Answer)


def rows(sort: type[_Row], table: Mapping[str, Any]) -> Iterator[_Row]:
    """The answers of a table in ``mistakes.py``: by function, rows of name, description, changes and the rest."""
    for function, answers in table.items():
        for name, what, changes, *rest in answers:
            yield sort(function, name, what, tuple(changes.items()), *rest)
