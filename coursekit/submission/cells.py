"""What the cells of a submission are: the names they go by, what they define, and whose text they have."""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursekit.model import notebooks, stubs
from coursekit.model.student_code import CELL_COUNTS, MAX_PARSED_CHARS, MAX_PARSED_CHARS_ALTOGETHER
from coursekit.model.student_code import parsed as parsed
from coursekit.submission import attachments, pictures, submitted_outputs

_WRAPPERS = ("partial", "vectorize", "jit", "njit", "cache", "lru_cache")
_PYTHON_MAGICS = ("time", "timeit", "capture", "prun", "python", "python3")
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*+(?:python3?|py)?[ \t]*+")


@dataclass(frozen=True)
class Piece:
    """One cell of a submission."""

    kind: str
    source: str
    names: tuple[str, ...]  # what it says it is: its grade_id, its cell id, and where Colab puts the cell id
    short: bool = True  # enough to be parsed
    pictures: Mapping[str, Any] = field(default_factory=dict)  # attached to a text, or shown by a code cell
    drawn: Mapping[str, Any] = field(default_factory=dict)  # what a code cell showed, and shows again when it is run
    drew: bool = False  # whether a code cell showed pictures, kept or not
    handed_in: tuple[Any, ...] = ()  # what a code cell showed, for the case that it is not run

    @property
    def shown(self) -> Mapping[str, Any]:
        """All pictures that there are of it: a written answer is not run."""
        return self.pictures or self.drawn

    @property
    def empty(self) -> bool:
        """Whether nothing is in it, not even a picture."""
        return not self.source.strip() and not self.pictures and not self.drew

    @cached_property
    def code(self) -> str:
        """The source; of a Markdown cell with a fenced piece of Python in it, that."""
        if self.kind == "markdown" and self.short:
            fenced = "\n\n".join(_fenced(self.source))
            return fenced if fenced and definitions(fenced) else self.source
        return self.source

    @cached_property
    def definitions(self) -> Mapping[str, str]:
        return definitions(self.code) if self.short else _by_line(self.code)

    @cached_property
    def methods(self) -> dict[str, str]:
        """Functions that stand inside a class of a code cell, and the class's name."""
        tree = parsed(self.source) if self.short and self.kind == "code" else None
        classes = [node for node in _statements(tree.body) if isinstance(node, ast.ClassDef)] if tree else []
        return {part.name: node.name for node in classes for part in node.body if isinstance(part, ast.FunctionDef)}

    @cached_property
    def only_defines(self) -> bool:
        """Whether it is a code cell with functions in it and nothing else."""
        tree = parsed(self.source) if self.short and self.kind == "code" else None
        return tree is not None and tree.body != [] and all(isinstance(node, ast.FunctionDef) for node in tree.body)

    @cached_property
    def whole(self) -> bool:
        """Whether it can be run by itself."""
        return not self.short or parsed(self.source) is not None


def pieces(notebook: NotebookNode) -> tuple[Piece, ...]:
    """The cells of a submission that have a source, whatever else they have."""
    found: list[Piece] = []
    total = 0
    for cell in notebook.cells:
        if isinstance(cell.get("source"), str):
            total += len(cell.source) + CELL_COUNTS
            short = len(cell.source) <= MAX_PARSED_CHARS and total <= MAX_PARSED_CHARS_ALTOGETHER
            kind = str(cell.get("cell_type", "raw"))
            piece = Piece(kind, str(cell.source), _names(cell), short)
            if kind == "code":
                attached, drawn = pictures.of_outputs(cell, again=False), pictures.of_outputs(cell, again=True)
                drew, shown = bool(cell.get("outputs")), submitted_outputs.of(cell)
                piece = replace(piece, pictures=attached, drawn=drawn, drew=drew, handed_in=shown)
            else:
                piece = replace(piece, pictures=attachments.kept(cell.get("attachments")))
            found.append(piece)
    return tuple(found)


def _names(cell: NotebookNode) -> tuple[str, ...]:
    found = (notebooks.grade_id(cell), cell.get("id"), cell.get("metadata", {}).get("id"))
    return tuple(name for name in found if isinstance(name, str) and name)


def _fenced(source: str) -> Iterator[str]:
    """The pieces of code in a Markdown text. One that is not closed goes on to the end, so no line is read twice."""
    mark, piece = "", list[str]()
    for line in source.split("\n"):
        if mark and not line.startswith(mark):
            piece.append(line)
        elif mark:
            yield "\n".join(piece).rstrip("\n")
            mark = ""
        elif fence := _FENCE.fullmatch(line):
            mark, piece = fence[1], []
    if mark:
        yield "\n".join(piece).rstrip("\n")


@lru_cache(maxsize=512)  # a class hands in the same tests, and each answer is looked at several times
def definitions(source: str) -> Mapping[str, str]:
    """The functions that a cell gives a name to at its top level, and what stands for their code.

    ``name = lambda …`` counts too. Where a cell is not Python, what begins a line with ``def name(`` counts.
    """
    magic = re.match(r"\s*%%(\w+)", source)
    if magic and magic[1] not in _PYTHON_MAGICS:
        return {}
    tree = parsed(source)
    if tree is None:
        return _by_line(source)
    found: dict[str, str] = {}
    for node in _statements(tree.body):
        if isinstance(node, ast.FunctionDef):
            found[node.name] = _dump(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _may_be_function(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: _dump(node) for target in targets if isinstance(target, ast.Name)}
    return MappingProxyType(found)


def _by_line(source: str) -> dict[str, str]:
    return dict.fromkeys(re.findall(r"(?m)^def[ \t]+(\w+)[ \t]*\(", source), source)


def _dump(node: ast.AST) -> str:
    """A digest of the code: blanks and comments make no other one, and many of them may be remembered."""
    try:
        return hashlib.sha256(ast.dump(node).encode("utf-8", "surrogatepass")).hexdigest()
    except RecursionError:
        return ""


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the cell runs, also under ``if`` and ``try``, in the order in which they stand."""
    waiting = [*reversed(body)]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner: list[ast.stmt] = []
            for field in ("body", "handlers", "orelse", "finalbody"):
                for part in getattr(node, field, []):
                    inner += part.body if isinstance(part, ast.ExceptHandler) else [part]
            waiting += reversed(inner)


def _may_be_function(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        called = value.func
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        return name in _WRAPPERS
    return isinstance(value, ast.Lambda | ast.Name | ast.Attribute)


@dataclass(frozen=True)
class Ours:
    """A cell of the source notebook, as far as a submission is compared with it."""

    id: str
    kind: str
    test: bool
    texts: tuple[str, ...]  # as we have it, and as it is released; of an answer cell only that
    blank: str | None  # of an answer cell: what a student finds there
    wanted: frozenset[str]  # of an answer cell: the functions that belong there
    stubs: frozenset[str]  # what these are in the released cell

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The number of its exercise, as its stub says it."""
        return frozenset(re.findall(r'NotImplementedError\("Exercise (\d+):', self.blank or ""))

    @property
    def is_written(self) -> bool:
        """Whether it is an answer in words, which a person reads."""
        return self.blank is not None and self.kind == "markdown"

    @property
    def graded(self) -> bool:
        return self.test or self.blank is not None

    @cached_property
    def defined(self) -> frozenset[str]:
        """Every function that it has, in one form or the other."""
        return frozenset(name for text in self.texts for name in definitions(text))

    def written(self, piece: Piece) -> frozenset[str]:
        """The wanted functions that a cell defines otherwise than the untouched stub does."""
        found = self.wanted & piece.definitions.keys()
        return frozenset(name for name in found if piece.definitions[name] not in self.stubs)

    def same(self, text: str) -> bool:
        """Whether this is our text, or nothing."""
        return any(same_text(one, text) for one in (*self.texts, ""))


def ours(source: NotebookNode) -> dict[str, Ours]:
    """The cells of the source notebook by id, in order. Nobody may change what this returns: it is made once."""
    return _ours(json.dumps(source.cells))


@lru_cache(maxsize=4)
def _ours(source: str) -> dict[str, Ours]:
    found = {}
    cells = [nbformat.from_dict(cell) for cell in json.loads(source)]
    numbered = stubs.numbers(NotebookNode(cells=cells))
    for cell in cells:
        blank = stubs.blank_cell(cell, numbered) if notebooks.is_solution(cell) else None
        in_stub = definitions(blank) if blank is not None and cell.cell_type == "code" else {}
        texts = (cell.source, notebooks.without_hidden(cell.source)) if blank is None else (blank,)
        wanted = frozenset(notebooks.defined_functions(cell.source)) if blank is not None else frozenset()
        found[cell.id] = Ours(
            cell.id, cell.cell_type, notebooks.is_test(cell), texts, blank, wanted, frozenset(in_stub.values())
        )
    return found


def claims(cells: dict[str, Ours], theirs: Iterable[Piece]) -> list[str | None]:
    """Which of our cells each of theirs stands for: by its names, else by having the very text of one not yet there."""
    theirs = list(theirs)
    found = [next((name for name in piece.names if name in cells), None) for piece in theirs]
    there = set(found)
    by_text: dict[str, list[str]] = {}
    for cell in cells.values():
        for text in {normal(text) for text in cell.texts if cell.id not in there}:
            by_text.setdefault(text, []).append(cell.id)
    for index, piece in enumerate(theirs):
        if found[index] is None and normal(piece.source):
            free = [cell_id for cell_id in by_text.get(normal(piece.source), ()) if cell_id not in there]
            found[index] = free[0] if free else None
            there.update(free[:1])
    return found


def normal(text: str) -> str:
    """A text without the blanks at the ends of its lines and around it."""
    return "\n".join(line.rstrip(" \t\r") for line in text.split("\n")).strip()


def same_text(one: str, other: str) -> bool:
    """Equal but for spaces at the ends of lines, and Windows' line ends."""
    return normal(one) == normal(other)


def alike(name: str, others: Iterable[str]) -> str:
    """The name that was probably meant to be this one; "" if there is none."""
    plain = {re.sub(r"[\W_\d]+", "", other).lower(): other for other in sorted(others) if len(other) < 80}
    wanted = re.sub(r"[\W_\d]+", "", name).lower()
    close = [wanted] if wanted in plain else get_close_matches(wanted, list(plain)[:500], 1, 0.87)
    return plain[close[0]] if close else ""
