"""Wrong answers that people really give, by name, and right ones that must keep full marks.

The rows stand in a table per assignment: ``mistakes_step_by_step``, ``mistakes_application``, ``mistakes_digits``.
Every row is a small change to the solution in the source notebook: pieces of its text, each found there exactly once,
and what stands in their place. ``apply`` makes the change and complains when the solution has moved on.
The tests of the course prove that every mistake loses marks in its own exercise and that no right answer loses any;
the demo hands both in; a hint names the cause of a mistake without giving the answer away, and is given wherever
the outputs of the mistake are met (``coursekit record`` keeps them).
"""

from dataclasses import dataclass

import mistakes_application
import mistakes_digits
import mistakes_step_by_step


@dataclass(frozen=True)
class Change:
    """One named answer to an exercise: ``changes`` are pairs (text of the solution cell, text in its place)."""

    exercise: str
    name: str
    what: str
    changes: tuple[tuple[str, str], ...]

    @property
    def function(self) -> str:
        return self.exercise.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.exercise}:{self.name}"


@dataclass(frozen=True)
class Mistake(Change):
    """``visible``: the public test fails on it. The other mistakes only show in the hidden cases."""

    hint: str
    visible: bool = True


@dataclass(frozen=True)
class RightAnswer(Change):
    """Another way to be right. ``style`` names the whole submission that it belongs to, if any."""

    style: str = ""


def apply(change, cell_source):
    """The solution cell with the change made. Raises ValueError where a piece is not there exactly once."""
    for old, new in change.changes:
        if (count := cell_source.count(old)) != 1:
            where = f"mistakes.py[{change}]"
            raise ValueError(
                f"{where}: {old!r} is {count} times in the solution cell; adapt the row to the new solution"
            )
        cell_source = cell_source.replace(old, new)
    return cell_source


def find(exercise, name):
    """The mistake or the right answer with this name. Raises KeyError."""
    return _BY_NAME[f"{exercise}:{name}"]


def of(exercise):
    """The mistakes of one exercise, in the order of the table: of two that look the same the first one is named."""
    return tuple(mistake for mistake in MISTAKES if mistake.exercise == exercise)


def styles():
    """Whole right submissions: ``{style: {function: RightAnswer}}``, every graded function in each of them."""
    whole = {}
    for answer in RIGHT_ANSWERS:
        if answer.style:
            whole.setdefault(answer.style, {})[answer.function] = answer
    return whole


def _rows(sort, assignment, table):
    return (
        sort(f"{assignment}/{function}", name, what, tuple(changes.items()), *rest)
        for function, rows in table.items()
        for name, what, changes, *rest in rows
    )


_TABLES = {
    "step-by-step": mistakes_step_by_step,
    "application": mistakes_application,
    "digits": mistakes_digits,
}
PLAIN, LOOPS, HELPERS = mistakes_step_by_step.PLAIN, mistakes_step_by_step.LOOPS, mistakes_step_by_step.HELPERS
MISTAKES = tuple(row for name, table in _TABLES.items() for row in _rows(Mistake, name, table.MISTAKES))
RIGHT_ANSWERS = tuple(row for name, table in _TABLES.items() for row in _rows(RightAnswer, name, table.RIGHT_ANSWERS))
_BY_NAME = {str(change): change for change in (*MISTAKES, *RIGHT_ANSWERS)}
