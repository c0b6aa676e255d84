"""The names that the statements of a cell read, bind and change, found with ``ast`` without running the code.

The analysis approximates Python's scopes. If it errs, a cell that decides no mark shows its submitted outputs, or is
run and shows an error: no mark depends on it.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from coursekit.model import student_code

# Methods that change their object: of lists, dicts, sets, arrays, random generators, models.
_CHANGING = frozenset({
    "add", "append", "appendleft", "clear", "compile", "discard", "extend", "fill", "fit", "fit_transform", "insert",
    "partial_fit", "pop", "popitem", "popleft", "remove", "reverse", "seed", "setdefault", "sort", "step", "train",
    "update",
})  # fmt: skip
_PYTHON_MAGICS = ("time", "timeit", "capture", "prun", "python", "python3")
_TIMED = re.compile(r"(?m)^([ \t]*)%(?:time|prun)[ \t]+(?=[^\s-])")
_BOUND_IN_A_LINE = re.compile(r"(?m)^(?:%time[ \t]+)?([A-Za-z_]\w{0,100})[ \t]*=(?!=)")
MAX_STATEMENTS = 3_000  # at the top level of a cell
_MAX_REMEMBERED_CHARS = 2_000  # longer cells are not cached: the result takes a hundred times the memory of the source
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Use:
    """The names of the notebook that code reads, and those whose values it changes in place."""

    reads: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a cell.

    ``run_use``: the names used by running it. ``call_uses``: the names used by calling each function or class that it
    defines. ``imports``: the names among ``binds`` that an import binds. ``defines``: it is an import, a function, a
    class or an assignment of literal constants. ``text``: the lines of its source, ``line``: number of the first one.
    """

    run_use: Use
    binds: frozenset[str]
    call_uses: tuple[tuple[str, Use], ...]
    imports: frozenset[str]
    defines: bool
    text: tuple[str, ...]
    line: int


def statements(source: str, most: int = MAX_STATEMENTS) -> tuple[Statement, ...] | None:
    """The statements of a code cell, in order; empty for a cell in another language.

    None if it is not valid Python, or has more than ``most`` statements. (That limit does not apply to short cells.)
    """
    return _remembered(source) if len(source) <= _MAX_REMEMBERED_CHARS else _statements(source, most)


def _statements(source: str, most: int = _MAX_REMEMBERED_CHARS) -> tuple[Statement, ...] | None:
    magic = re.match(r"\s*%%(\w+)", source)
    if magic and magic[1] not in _PYTHON_MAGICS:
        return ()
    text = _TIMED.sub(r"\1", source.replace("\r\n", "\n").replace("\r", "\n"))
    tree = student_code.parsed(text)
    if tree is None or len(tree.body) > most:
        return None
    lines = text.split("\n")
    try:
        return tuple(_statement(node, lines) for node in tree.body)
    except (RecursionError, IndexError, UnicodeError):  # nested too deeply, or lone surrogates
        return None


_remembered = lru_cache(maxsize=256)(_statements)  # many submissions have the same cells


def bound_by_line(source: str) -> frozenset[str]:
    """The names that lines of a cell seem to bind, for a cell that is not valid Python."""
    return frozenset(_BOUND_IN_A_LINE.findall(source))


def placed(chosen: Iterable[Statement]) -> str:
    """The source of these statements alone, each on its original line, so that errors name the right line."""
    lines: list[str] = []
    for one in chosen:
        lines += [""] * (one.line - len(lines))
        first, *rest = one.text
        lines[one.line - 1] += f"; {first}" if lines[one.line - 1] else first
        lines += rest
    return "\n".join(lines)


@dataclass
class _Found:
    loads: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    call_uses: dict[str, Use] = field(default_factory=dict)


def _statement(node: ast.stmt, lines: Sequence[str]) -> Statement:
    found = _found([node])
    decorators = node.decorator_list if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) else []
    first = min([node.lineno, *(one.lineno for one in decorators)])
    begin = node.col_offset if first == node.lineno else 0
    last = node.end_lineno or node.lineno
    text = list(lines[first - 1 : last])
    text[-1] = text[-1].encode()[: node.end_col_offset].decode()
    text[0] = text[0].encode()[begin:].decode()
    return Statement(
        Use(frozenset(found.loads), frozenset(found.changes)),
        frozenset(found.stores),
        tuple(found.call_uses.items()),
        frozenset(found.imports),
        _defines(node),
        tuple(text),
        first,
    )


def _defines(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Pass():
            return True
        case ast.Assign(targets, value):
            return all(map(_only_names, targets)) and _is_literal(value)
        case ast.AnnAssign(ast.Name(), _, value):
            return value is not None and _is_literal(value)
        case ast.Try(body, handlers, orelse, finalbody):  # an import with a fallback
            inner = [*body, *orelse, *finalbody, *(part for one in handlers for part in one.body)]
            return all(map(_defines, inner))
    return False


def _only_names(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) or (isinstance(target, ast.Tuple) and all(map(_only_names, target.elts)))


def _is_literal(value: ast.expr) -> bool:
    match value:
        case ast.Constant() | ast.UnaryOp(ast.USub() | ast.UAdd(), ast.Constant()):
            return True
        case ast.Tuple(elts) | ast.List(elts) | ast.Set(elts):
            return all(map(_is_literal, elts))
        case ast.Dict(keys, values):
            return all(key is not None and _is_literal(key) for key in keys) and all(map(_is_literal, values))
    return False


def _found(nodes: Iterable[ast.AST]) -> _Found:
    """The names in one scope. Lambdas and comprehensions count as run where they are defined."""
    found = _Found()
    waiting = [*nodes]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            found.stores.add(node.name)
            found.call_uses[node.name] = _called(node.args, node.body)
            waiting += [*node.decorator_list, *_around(node.args), *([node.returns] if node.returns else [])]
        elif isinstance(node, ast.ClassDef):
            found.stores.add(node.name)
            found.call_uses[node.name] = _inside(found, node.body)
            waiting += [*node.decorator_list, *node.bases, *node.keywords]
        elif isinstance(node, ast.Lambda):
            called = _called(node.args, [node.body])
            found.loads |= called.reads
            found.changes |= called.changes
            waiting += _around(node.args)
        elif isinstance(node, _COMPREHENSIONS):
            inner = _found(ast.iter_child_nodes(node))
            found.loads |= inner.loads - inner.stores
            found.changes |= inner.changes - inner.stores
        else:
            _note(node, found)
            waiting += ast.iter_child_nodes(node)
    return found


def _note(node: ast.AST, found: _Found) -> None:
    """Record the names that the node itself uses, without its children."""
    match node:
        case ast.Name(name, ast.Store()):
            found.stores.add(name)
        case ast.Name(name):
            found.loads.add(name)
        case ast.AugAssign(ast.Name(name)):
            found.loads.add(name)
        case ast.Attribute(_, _, ast.Store() | ast.Del()) | ast.Subscript(_, _, ast.Store() | ast.Del()):
            found.changes |= _root(node)
        case ast.Call(ast.Attribute(value, method)) if method in _CHANGING:
            found.changes |= _root(value)
        case ast.Import(aliases) | ast.ImportFrom(_, aliases):
            bound = {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            found.stores |= bound
            found.imports |= bound
        case ast.Global(declared):
            found.globals.update(declared)
        case ast.ExceptHandler(_, str(name)) | ast.MatchAs(_, str(name)) | ast.MatchStar(str(name)):
            found.stores.add(name)
        case ast.MatchMapping(_, _, str(name)):
            found.stores.add(name)


def _called(args: ast.arguments, body: Sequence[ast.AST]) -> Use:
    """The names of the enclosing scope that a call of a function uses."""
    inner = _found(body)
    names = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
    own = {arg.arg for arg in names} | (inner.stores - inner.globals)
    reads, changes = set(inner.loads), inner.changes | (inner.stores & inner.globals)
    for use in inner.call_uses.values():
        reads |= use.reads
        changes |= use.changes
    return Use(frozenset(reads - own), frozenset(changes - own))


def _inside(found: _Found, body: Sequence[ast.AST]) -> Use:
    """Record the class body, which runs at its definition; return the names that its methods use."""
    inner = _found(body)
    found.loads |= inner.loads - inner.stores
    found.changes |= inner.changes - inner.stores
    reads = frozenset(name for use in inner.call_uses.values() for name in use.reads)
    return Use(reads, frozenset(name for use in inner.call_uses.values() for name in use.changes))


def _around(args: ast.arguments) -> Iterator[ast.AST]:
    """The parts of a signature that are evaluated at the definition: defaults and annotations."""
    yield from args.defaults
    yield from filter(None, args.kw_defaults)
    for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg):
        if arg is not None and arg.annotation is not None:
            yield arg.annotation


def _root(node: ast.AST) -> set[str]:
    """The name at the beginning of ``name.a[b].c``; empty if the expression begins otherwise."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
