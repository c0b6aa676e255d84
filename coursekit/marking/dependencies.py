"""Direct and indirect dependencies of exercises."""

from collections.abc import Iterable, Mapping

from coursekit.model.errors import CourseError
from coursekit.model.exercise import Exercise


def transitive(rows: Iterable[Exercise]) -> dict[str, tuple[str, ...]]:
    """By function, all functions that it depends on directly or indirectly.

    Keys and values are in topological order: a function comes after everything that it depends on. Raises CourseError
    if functions depend on each other in a circle, or on one that is no exercise.
    """
    rows = tuple(rows)
    depends_on = {row.function: row.depends_on for row in rows}
    for row in rows:
        for name in row.depends_on:
            if name not in depends_on:
                raise CourseError(row.key, f"depends on {name}, which is no exercise of {row.assignment}",
                                  "name functions that the assignment asks for")  # fmt: skip
    order = _in_order(depends_on, rows)
    below: dict[str, frozenset[str]] = {}
    for name in order:
        below[name] = frozenset(depends_on[name]).union(*(below[other] for other in depends_on[name]))
    return {name: tuple(other for other in order if other in below[name]) for name in order}


def _in_order(depends_on: Mapping[str, tuple[str, ...]], rows: tuple[Exercise, ...]) -> list[str]:
    """The functions in topological order, otherwise in the order of the rows."""
    order: list[str] = []
    waiting = list(depends_on)
    while waiting:
        name = next((name for name in waiting if set(order).issuperset(depends_on[name])), None)
        if name is None:
            found = f"these exercises depend on each other in a circle: {', '.join(waiting)}"
            raise CourseError(rows[0].assignment, found, "take one of them out of depends_on")
        waiting.remove(name)
        order.append(name)
    return order
