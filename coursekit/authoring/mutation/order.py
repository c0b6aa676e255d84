"""The same statements in another order: what ``mutants`` does with a block of code besides ``rules``."""

import ast
from collections.abc import Iterator
from itertools import pairwise

from coursekit.authoring.mutation.rules import head, is_message, stores


def rearranged(block: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str, list[ast.stmt]]]:
    """A block with two statements exchanged, or with one moved into or out of the loop beside it.

    Statements that have nothing to do with one another stay: their order makes no difference.
    """
    for i, (first, second) in enumerate(pairwise(block)):
        before, after = block[:i], block[i + 2 :]
        if _written(first) & _read(second) or _written(second) & _read(first):
            yield first, f"after the next: {head(first)}", [*before, second, first, *after]
        if isinstance(first, ast.For):
            into = ast.For(first.target, first.iter, [*first.body, second], first.orelse)
            yield second, f"into the loop: {head(second)}", [*before, into, *after]
    for i, loop in enumerate(block):
        if isinstance(loop, ast.For) and len(loop.body) > 1 and not is_message(loop.body[-1]):
            out = loop.body[-1]
            shorter = ast.For(loop.target, loop.iter, loop.body[:-1], loop.orelse)
            yield out, f"out of the loop: {head(out)}", [*block[:i], shorter, out, *block[i + 1 :]]


def _written(node: ast.stmt) -> set[str]:
    """Variables that a statement gives a value, or an entry; NumPy's own are none."""
    owners = {id(part) for part in _owners(node)}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {part.id for part in names if isinstance(part.ctx, ast.Store) or id(part) in owners} - {"np"}


def _read(node: ast.stmt) -> set[str]:
    """Variables whose value a statement needs; to give one an entry does not need the others."""
    entries = {id(part.value) for part in ast.walk(node) if isinstance(part, ast.Subscript) and stores(part)}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name) and not stores(part))
    return {part.id for part in names if id(part) not in entries} - {"np"}


def _owners(node: ast.stmt) -> Iterator[ast.expr]:
    """What stands before the bracket of an entry that gets a value, and before the dot of a method."""
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript) and stores(part):
            yield part.value
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            yield part.func.value
