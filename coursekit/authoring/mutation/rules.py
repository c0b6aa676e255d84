"""Mutation rules: the replacements of a node of the syntax tree, for ``mutants``.

Each rule yields pairs: a description, and the new node (for a statement also a list of nodes). A replacement may not
compile or may be equal to the original; ``mutants`` drops those.
"""

import ast
import builtins
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any

Code = ast.expr | ast.stmt | ast.keyword
Replacement = tuple[str, Any]

MAX_VARIABLES = 12  # in a function with more variables, only the most similar names are exchanged
MAX_SIMILAR_NAMES = 6
OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add, ast.MatMult),
    ast.Div: (ast.Mult, ast.FloorDiv, ast.Sub),
    ast.MatMult: (ast.Mult, ast.Add),
    ast.FloorDiv: (ast.Div, ast.Mult, ast.Mod),
    ast.Mod: (ast.FloorDiv, ast.Mult),
    ast.Pow: (ast.Mult, ast.Div),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE, ast.Eq),
    ast.LtE: (ast.Lt, ast.Gt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE, ast.Eq),
    ast.GtE: (ast.Gt, ast.Lt, ast.LtE, ast.Eq),
    ast.Eq: (ast.NotEq, ast.GtE, ast.LtE),
    ast.NotEq: (ast.Eq, ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
# attributes that are easily confused; each pair is used in both directions
RELATED = (
    ("sum", "mean"), ("sum", "prod"), ("sum", "cumsum"), ("mean", "median"), ("max", "mean"), ("max", "min"),
    ("max", "sum"), ("maximum", "minimum"), ("argmax", "argmin"), ("argmax", "max"), ("exp", "log"), ("exp", "exp2"),
    ("exp", "expm1"), ("log", "log2"), ("log", "log10"), ("log", "log1p"), ("zeros", "ones"), ("dot", "multiply"),
    ("randn", "rand"), ("var", "std"), ("var", "mean"), ("sqrt", "square"), ("sqrt", "abs"), ("sqrt", "cbrt"),
    ("flatnonzero", "argwhere"), ("flatnonzero", "nonzero"), ("append", "extend"),
)  # fmt: skip


@dataclass(frozen=True)
class Context:
    """The names and texts in a function that can replace each other.

    ``beginnings`` are constant parts of f-strings, ``called`` the functions of the notebook that it calls.
    """

    variables: tuple[str, ...]
    texts: tuple[str, ...]
    beginnings: tuple[str, ...]
    called: tuple[str, ...]


def context(definition: ast.FunctionDef) -> Context:
    """The context of a function's code."""
    variables = [arg.arg for arg in (*definition.args.args, *definition.args.kwonlyargs)]
    texts, beginnings, called = [], [], []
    for node in ast.walk(definition):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            variables.append(node.id)
        elif isinstance(node, ast.JoinedStr):
            beginnings += [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.append(node.func.id)
    return Context(
        tuple(dict.fromkeys(variables)),
        tuple(text for text in dict.fromkeys(texts) if text not in beginnings and len(text) < 20),
        tuple(text for text in dict.fromkeys(beginnings) if text.isidentifier()),
        tuple(name for name in dict.fromkeys(called) if name not in variables and not hasattr(builtins, name)),
    )


def is_message(node: ast.AST) -> bool:
    """Whether the node only produces a message: a print, a branch with only prints, the creation of an exception."""
    if isinstance(node, ast.If):
        return not node.orelse and all(map(is_message, node.body))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return isinstance(node.value.func, ast.Name) and node.value.func.id == "print"
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error")


def alternatives(node: Code, parent: ast.AST, field: str, known: Context) -> Iterator[Replacement]:
    """All replacements of ``node``, which is in the field ``field`` of ``parent``."""
    if isinstance(node, ast.stmt):
        yield from _statement(node)
    elif isinstance(node, ast.keyword):
        yield f"dropped: {_one_line(node)}", []
        if node.arg == "axis":
            yield from _replacements(node, (ast.keyword("axis", ast.Constant(axis)) for axis in (0, 1, None)))
    elif stores(node):
        yield from _replacements(node, _targets(node))
    else:
        index = field == "slice" or isinstance(parent, ast.FormattedValue)
        yield from _replacements(node, _expression(node, parent, index, known))


def _replacements(node: ast.AST, new: Iterator[ast.expr | ast.keyword]) -> Iterator[Replacement]:
    for one in new:
        yield f"{_one_line(node)} -> {_one_line(one)}", one


def _one_line(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())


# --- expressions ----------------------------------------------------------------------------------------------


def _expression(node: ast.expr, parent: ast.AST, index: bool, known: Context) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, op, right):
            yield from (ast.BinOp(left, new(), right) for new in OPERATORS.get(type(op), ()))
            yield from (left, right)
            if not isinstance(op, ast.Add | ast.Mult):
                yield ast.BinOp(right, op, left)
            if not isinstance(left, ast.Constant) and not isinstance(right, ast.Constant):
                yield from (ast.BinOp(_transposed(left), op, right), ast.BinOp(left, op, _transposed(right)))
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Compare(left, [op], [right]):
            yield from (ast.Compare(left, [new()], [right]) for new in COMPARISONS.get(type(op), ()))
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            yield from values
        case ast.Constant(value):
            yield from _constant(node, value, known)
        case ast.JoinedStr(values):
            yield from _text(values, known)
        case ast.Name(name, ast.Load()):
            yield from _name(name, parent, known)
            if index:
                yield from (ast.BinOp(node, op, ast.Constant(1)) for op in (ast.Add(), ast.Sub()))
        case ast.Attribute(value, name):
            if name == "T":
                yield value
            yield from (ast.Attribute(value, new, ast.Load()) for new in _related(name))
        case ast.Call():
            yield from _call(node)
        case ast.Tuple(parts) | ast.List(parts):
            yield from (_rebuilt(node, new) for new in _reordered(parts))
        case ast.Dict(keys, values):
            yield from (ast.Dict(keys, new) for new in _reordered(values) if len(new) == len(keys))
            yield from (ast.Dict(keys[:i] + keys[i + 1 :], values[:i] + values[i + 1 :]) for i in range(len(keys)))


def _transposed(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else ast.Attribute(node, "T", ast.Load())


def _constant(node: ast.Constant, value: Any, known: Context) -> Iterator[ast.expr]:
    if value is True or value is False:
        yield ast.Constant(not value)
    elif isinstance(value, str):
        yield from (ast.Constant(other) for other in known.texts if other != value)
    elif isinstance(value, int | float):
        small = isinstance(value, float) and 0 < abs(value) < 1e-3
        others = (
            (0.0, value * 10, value / 10) if small else (value + 1, value - 1, value * 2, 0 if value else 1, -value)
        )
        yield from (ast.Constant(other) for other in others if type(other) is type(value) or other != value)


def _text(values: list[ast.expr], known: Context) -> Iterator[ast.expr]:
    for i, part in enumerate(values):
        if isinstance(part, ast.Constant):
            for other in known.beginnings:
                yield ast.JoinedStr([*values[:i], ast.Constant(other), *values[i + 1 :]])


def _name(name: str, parent: ast.AST, known: Context) -> Iterator[ast.expr]:
    if name in known.variables:
        others = [other for other in known.variables if other != name]
        if len(known.variables) > MAX_VARIABLES:
            others = sorted(others, key=lambda other: -SequenceMatcher(None, name, other).ratio())[:MAX_SIMILAR_NAMES]
    elif name in known.called:
        others = [other for other in known.called if other != name]
    else:
        return
    yield from (ast.Name(other, ast.Load()) for other in others)


def _related(name: str) -> list[str]:
    return [b if name == a else a for a, b in RELATED if name in (a, b)]


def _call(node: ast.Call) -> Iterator[ast.expr]:
    if node.args and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]
    if isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
    ):
        yield node.func.value  # x.copy() -> x
    for args in _reordered(node.args):
        yield ast.Call(node.func, args, node.keywords)
    if isinstance(node.func, ast.Name) and node.func.id == "range":
        yield ast.Call(ast.Name("reversed", ast.Load()), [node], [])


def _reordered(parts: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """The list with any two items exchanged, or any one left out."""
    for i, j in combinations(range(len(parts)), 2):
        new = parts[:]
        new[i], new[j] = parts[j], parts[i]
        yield new
    if len(parts) > 1:
        yield from (parts[:i] + parts[i + 1 :] for i in range(len(parts)))


def _rebuilt(node: ast.Tuple | ast.List, parts: list[ast.expr]) -> ast.expr:
    return parts[0] if len(parts) == 1 and isinstance(node, ast.Tuple) else type(node)(parts, node.ctx)


def _targets(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Tuple):
        for parts in _reordered(node.elts):
            if len(parts) == len(node.elts):
                yield ast.Tuple(parts, ast.Store())


# --- statements -----------------------------------------------------------------------------------------------


def _statement(node: ast.stmt) -> Iterator[Replacement]:
    yield f"deleted: {head(node)}", []
    match node:
        case ast.Assign([target], ast.BinOp(left, op, right)) if isinstance(left, ast.Name | ast.Subscript):
            stored = copy.deepcopy(left)
            stored.ctx = ast.Store()
            in_place: list[ast.stmt] = [ast.AugAssign(stored, op, right)]
            if ast.unparse(target) != ast.unparse(left):
                in_place.append(ast.Assign([target], left))
            yield f"in place: {head(node)}", in_place
        case ast.AugAssign(target, op, value):
            for new in OPERATORS.get(type(op), ()):
                changed = ast.AugAssign(target, new(), value)
                yield f"{head(node)} -> {head(changed)}", changed
            yield f"{head(node)} -> assigned", ast.Assign([target], value)
        case ast.If(test, body, orelse):
            yield f"negated: {head(node)}", ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
            yield f"always: {head(node)}", body
            yield f"never: {head(node)}", orelse
        case ast.For(target, iterable, body, orelse):
            kept = ast.Call(ast.Name("list", ast.Load()), [iterable], [])
            for what, start, stop in (
                ("without the first", 1, None),
                ("without the last", None, -1),
                ("once", None, 1),
            ):
                part = ast.Slice(*(None if end is None else ast.Constant(end) for end in (start, stop)))
                shorter = ast.For(target, ast.Subscript(kept, part, ast.Load()), body, orelse)
                yield f"{what}: {head(node)}", shorter
        case ast.Break():
            yield "break -> continue", ast.Continue()


def stores(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def head(node: ast.stmt) -> str:
    return " ".join(ast.unparse(node).splitlines()[0].split())
