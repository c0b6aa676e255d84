"""Make the mutants of a function: small wrong changes, one at a time, which the cases must detect.

A mutant is the function's code with one operator, number, name, index, keyword argument or statement replaced or left
out. Mutants are generated, not chosen, so they test what a catalogue of mistakes cannot: whether *any* small error
passes. Printed text and messages of exceptions are no part of a function's contract, and are not mutated.
"""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from coursekit.authoring.mutation import order, rules

MAX_NAME = 90  # characters


@dataclass(frozen=True)
class Mutant:
    """One change. The name is ``line what``.

    Lines are counted in the function without docstring and comments, so that names do not change when these are edited.
    Equal changes in the same line are numbered.
    """

    name: str
    source: str


def of_function(source: str, function: str) -> tuple[Mutant, ...]:
    """Every mutant of a function in the source of its cell, in the order of lines, without duplicates."""
    plain = bare(source, function)
    tree = ast.parse(plain)
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    context = rules.context(definition)
    seen, names = {plain}, dict[str, int]()
    found = []
    for line, what in _changes(tree, definition, context):
        text = ast.unparse(ast.fix_missing_locations(tree))
        if text in seen or not _compiles(text):
            continue
        seen.add(text)
        name = f"{line} {what if len(what) <= MAX_NAME else what[: MAX_NAME - 3] + '...'}"
        names[name] = names.get(name, 0) + 1
        found.append((line, Mutant(name if names[name] == 1 else f"{name} ({names[name]})", text)))
    return tuple(mutant for _, mutant in sorted(found, key=lambda pair: pair[0]))


def bare(source: str, function: str) -> str:
    """The function alone, without docstring and comments, as ``ast`` writes it."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
            return ast.unparse(node)
    raise ValueError(f"no function {function} in the cell")


def _changes(tree: ast.Module, definition: ast.FunctionDef, context: rules.Context) -> Iterator[tuple[int, str]]:
    """Apply each change to the tree in turn; yields its line and description, then undoes it."""
    for parent, field, index, node in list(_places(definition)):
        for what, new in rules.alternatives(node, parent, field, context):
            value = getattr(parent, field)
            if index is None:
                setattr(parent, field, new)
            else:
                changed = [*value[:index], *(new if isinstance(new, list) else [new]), *value[index + 1 :]]
                setattr(parent, field, changed or ([ast.Pass()] if isinstance(node, ast.stmt) else []))
            yield node.lineno, what
            setattr(parent, field, value)
    for parent in [node for node in ast.walk(definition) if isinstance(node, ast.stmt)]:
        for field in ("body", "orelse"):
            block = getattr(parent, field, None) or []
            for node, what, new in list(order.rearranged(block)):
                setattr(parent, field, new)
                yield node.lineno, what
                setattr(parent, field, block)


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, rules.Code]]:
    """Every expression, statement and keyword below ``node``: parent, field, index in the field, node; outer first."""
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.expr | ast.stmt | ast.keyword) and not rules.is_message(child):
                yield node, field, index, child
            if isinstance(child, ast.AST) and not rules.is_message(child):
                yield from _places(child)


def _compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a comparison with `is` and the like
            compile(text, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True
