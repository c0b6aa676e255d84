"""Source cells and submitted cells: their names, the functions that they define, and which two belong together."""

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
class SubmittedCell:
    """One cell of a submission."""

    kind: str
    source: str
    names: tuple[str, ...]  # its grade_id, its cell id, and the cell id in the metadata, where Colab puts it
    parseable: bool = True  # short enough to be parsed
    pictures: Mapping[str, Any] = field(default_factory=dict)  # attached to a text, or a file that a code cell shows
    redrawn: Mapping[str, Any] = field(default_factory=dict)  # shown by a code cell that draws them again when it runs
    showed_pictures: bool = False  # by a code cell, kept or not
    handed_in: tuple[Any, ...] = ()  # outputs of a code cell, in case it is not run at grading

    @property
    def all_pictures(self) -> Mapping[str, Any]:
        """All its pictures, also those that a run would draw again: a written answer never runs."""
        return self.pictures or self.redrawn

    @property
    def empty(self) -> bool:
        """Whether it has neither source nor pictures."""
        return not self.source.strip() and not self.pictures and not self.showed_pictures

    @cached_property
    def code(self) -> str:
        """The source; of a Markdown cell only its fenced Python code, if that defines a function."""
        if self.kind == "markdown" and self.parseable:
            fenced = "\n\n".join(_fenced(self.source))
            return fenced if fenced and definitions(fenced) else self.source
        return self.source

    @cached_property
    def definitions(self) -> Mapping[str, str]:
        return definitions(self.code) if self.parseable else _by_line(self.code)

    @cached_property
    def methods(self) -> dict[str, str]:
        """The methods that a code cell defines: the name of the class by the name of the method."""
        tree = parsed(self.source) if self.parseable and self.kind == "code" else None
        classes = [node for node in _statements(tree.body) if isinstance(node, ast.ClassDef)] if tree else []
        return {part.name: node.name for node in classes for part in node.body if isinstance(part, ast.FunctionDef)}

    @cached_property
    def only_defines(self) -> bool:
        """Whether it is a code cell that contains function definitions and nothing else."""
        tree = parsed(self.source) if self.parseable and self.kind == "code" else None
        return tree is not None and tree.body != [] and all(isinstance(node, ast.FunctionDef) for node in tree.body)

    @cached_property
    def parses(self) -> bool:
        """Whether its source is complete Python; a cell too long to be parsed counts as complete."""
        return not self.parseable or parsed(self.source) is not None


def submitted_cells(notebook: NotebookNode) -> tuple[SubmittedCell, ...]:
    """The cells of a submission that have a source."""
    found: list[SubmittedCell] = []
    total = 0
    for cell in notebook.cells:
        if isinstance(cell.get("source"), str):
            total += len(cell.source) + CELL_COUNTS
            parseable = len(cell.source) <= MAX_PARSED_CHARS and total <= MAX_PARSED_CHARS_ALTOGETHER
            kind = str(cell.get("cell_type", "raw"))
            submitted = SubmittedCell(kind, str(cell.source), _names(cell), parseable)
            if kind == "code":
                attached, redrawn = pictures.of_outputs(cell, again=False), pictures.of_outputs(cell, again=True)
                showed_pictures, outputs = bool(cell.get("outputs")), submitted_outputs.stored(cell)
                submitted = replace(
                    submitted,
                    pictures=attached,
                    redrawn=redrawn,
                    showed_pictures=showed_pictures,
                    handed_in=outputs,
                )
            else:
                submitted = replace(submitted, pictures=attachments.accepted(cell.get("attachments")))
            found.append(submitted)
    return tuple(found)


def _names(cell: NotebookNode) -> tuple[str, ...]:
    found = (notebooks.grade_id(cell), cell.get("id"), cell.get("metadata", {}).get("id"))
    return tuple(name for name in found if isinstance(name, str) and name)


def _fenced(source: str) -> Iterator[str]:
    """The fenced code blocks of a Markdown text. An unclosed block reaches to the end, so no line is read twice."""
    mark, block = "", list[str]()
    for line in source.split("\n"):
        if mark and not line.startswith(mark):
            block.append(line)
        elif mark:
            yield "\n".join(block).rstrip("\n")
            mark = ""
        elif fence := _FENCE.fullmatch(line):
            mark, block = fence[1], []
    if mark:
        yield "\n".join(block).rstrip("\n")


@lru_cache(maxsize=512)  # students submit the same test cells, and each answer is parsed several times
def definitions(source: str) -> Mapping[str, str]:
    """The functions that a cell defines at its top level: a digest of the code by name.

    ``name = lambda …`` counts too. If the cell is not valid Python, every line that begins with ``def name(`` counts.
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
    """A digest of the code that ignores blanks and comments; short, since a cache holds many of them."""
    try:
        return hashlib.sha256(ast.dump(node).encode("utf-8", "surrogatepass")).hexdigest()
    except RecursionError:
        return ""


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the cell runs, also those inside ``if`` and ``try``, in source order."""
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
class SourceCell:
    """A cell of the source notebook, with what matching and comparing a submission needs of it."""

    id: str
    kind: str
    test: bool
    texts: tuple[str, ...]  # in the source notebook, and as released; of an answer cell the latter only
    blank: str | None  # of an answer cell: its released text, with the stub; None for other cells
    wanted: frozenset[str]  # of an answer cell: the functions that a student writes there
    stubs: frozenset[str]  # digests of these functions as released

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The number of its exercise, read from its stub."""
        return frozenset(re.findall(r'NotImplementedError\("Exercise (\d+):', self.blank or ""))

    @property
    def is_written(self) -> bool:
        """Whether it is a written answer, which a person grades."""
        return self.blank is not None and self.kind == "markdown"

    @property
    def graded(self) -> bool:
        return self.test or self.blank is not None

    @cached_property
    def defined(self) -> frozenset[str]:
        """Every function that it defines, in the source notebook or as released."""
        return frozenset(name for text in self.texts for name in definitions(text))

    def functions_in(self, submitted: SubmittedCell) -> frozenset[str]:
        """The wanted functions that a submitted cell defines with other code than the stub."""
        found = self.wanted & submitted.definitions.keys()
        return frozenset(name for name in found if submitted.definitions[name] not in self.stubs)

    def is_unchanged(self, text: str) -> bool:
        """Whether this text is the cell's own, or blank."""
        return any(same_text(one, text) for one in (*self.texts, ""))


def source_cells(source: NotebookNode) -> dict[str, SourceCell]:
    """The cells of the source notebook by id, in order. The result is cached: do not change it."""
    return _source_cells(json.dumps(source.cells))


@lru_cache(maxsize=4)
def _source_cells(source: str) -> dict[str, SourceCell]:
    found = {}
    cells = [nbformat.from_dict(cell) for cell in json.loads(source)]
    numbered = stubs.numbers(NotebookNode(cells=cells))
    for cell in cells:
        blank = stubs.blank_cell(cell, numbered) if notebooks.is_solution(cell) else None
        in_stub = definitions(blank) if blank is not None and cell.cell_type == "code" else {}
        texts = (cell.source, notebooks.without_hidden(cell.source)) if blank is None else (blank,)
        wanted = frozenset(notebooks.defined_functions(cell.source)) if blank is not None else frozenset()
        found[cell.id] = SourceCell(
            cell.id, cell.cell_type, notebooks.is_test(cell), texts, blank, wanted, frozenset(in_stub.values())
        )
    return found


def matched_ids(cells: dict[str, SourceCell], submitted_cells: Iterable[SubmittedCell]) -> list[str | None]:
    """For each submitted cell the id of its source cell, by name or else by equal text (each id once); else None."""
    submitted_cells = list(submitted_cells)
    found = [next((name for name in submitted.names if name in cells), None) for submitted in submitted_cells]
    there = set(found)
    by_text: dict[str, list[str]] = {}
    for cell in cells.values():
        for text in {stripped(text) for text in cell.texts if cell.id not in there}:
            by_text.setdefault(text, []).append(cell.id)
    for index, submitted in enumerate(submitted_cells):
        if found[index] is None and stripped(submitted.source):
            free = [cell_id for cell_id in by_text.get(stripped(submitted.source), ()) if cell_id not in there]
            found[index] = free[0] if free else None
            there.update(free[:1])
    return found


def stripped(text: str) -> str:
    """The text without trailing blanks on its lines, and without blanks around it."""
    return "\n".join(line.rstrip(" \t\r") for line in text.split("\n")).strip()


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal apart from trailing blanks and Windows line ends."""
    return stripped(one) == stripped(other)


def closest_name(name: str, others: Iterable[str]) -> str:
    """The one of the other names that is probably a misspelling of ``name``; "" if there is none."""
    plain = {re.sub(r"[\W_\d]+", "", other).lower(): other for other in sorted(others) if len(other) < 80}
    wanted = re.sub(r"[\W_\d]+", "", name).lower()
    close = [wanted] if wanted in plain else get_close_matches(wanted, list(plain)[:500], 1, 0.87)
    return plain[close[0]] if close else ""
