"""Mutation rules for the order of statements in a block; ``rules`` has those for single nodes."""

import ast
from collections.abc import Iterator
from itertools import pairwise

from coursekit.authoring.mutation.rules import head, is_message, stores


def rearranged(block: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str, list[ast.stmt]]]:
    """A block with two statements exchanged, or with one moved into or out of the loop beside it.

    Independent statements are not exchanged: their order makes no difference.
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
    """Variables to which a statement assigns a value or an entry; ``np`` is none."""
    owners = {id(part) for part in _owners(node)}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {part.id for part in names if isinstance(part.ctx, ast.Store) or id(part) in owners} - {"np"}


def _read(node: ast.stmt) -> set[str]:
    """Variables whose value a statement reads; assigning an entry does not count as reading."""
    entries = {id(part.value) for part in ast.walk(node) if isinstance(part, ast.Subscript) and stores(part)}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name) and not stores(part))
    return {part.id for part in names if id(part) not in entries} - {"np"}


def _owners(node: ast.stmt) -> Iterator[ast.expr]:
    """The objects of assigned entries and of method calls: ``x`` in ``x[i] = 1`` and in ``x.append(1)``."""
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript) and stores(part):
            yield part.value
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            yield part.func.value
