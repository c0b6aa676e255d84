"""Notebooks under source/ in the one canonical form; ``fix`` writes it, and never at the cost of a word."""

import copy
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursekit.authoring.checks.findings import Finding, Source
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.model.exercise import Exercise
from coursekit.model.wording import first_few
from coursekit.reference import assignments
from coursekit.system import atomic_write

FIX = "run `./course check --fix`"
_READABLE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# Made up by JupyterLab, nbformat and nbgrader (8 digits, a UUID, cell-1a2b3c) or by us (cell-12).
_MADE_UP = re.compile(r"(cell-)?(?=[a-f]*\d)[0-9a-f]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|cell-?\d+")
_NOT_PARTS = {"__pycache__", ".ipynb_checkpoints", ".virtual_documents"}


def read_all(course: Course, fix: bool, say: Callable[[str], None]) -> tuple[list[Source], list[Finding]]:
    """Every source notebook that can be read, and what is wrong with its form; ``fix`` fixes it."""
    sources: list[Source] = []
    findings: list[Finding] = []
    expected = {name: course.source(name) for name in _assignments(course)}
    for path in sorted(course.root.glob("source/**/*.ipynb")):
        if path not in expected.values() and not _NOT_PARTS & set(path.parts):
            where = path.relative_to(course.root).as_posix()
            remedy = "call it source/<name>/<name>.ipynb, or take it away"
            findings.append(Finding("N109", where, "no assignment's notebook", remedy))
    if not expected:
        remedy = "write source/<assignment>/<assignment>.ipynb first"
        findings.append(Finding("N101", "source/", "there is no assignment", remedy))
    for name, path in expected.items():
        where = path.relative_to(course.root).as_posix()
        try:
            clean, departures = _read(path, where)
        except CourseError as error:
            findings.append(Finding("N101", where, error.found, error.remedy or "fix it by hand, or take it from git"))
            continue
        exercises, file_findings = _exercises(course, name)
        sources.append(Source(name, path, where, clean, exercises))
        findings += file_findings
        if departures and fix:
            _write(path, notebooks.dumps(clean))
            for departure in departures:
                say(f"fixed {departure.where}: {departure.what}")
        findings += [*([] if fix else departures), *_not_fixable(sources[-1])]
    return sources, findings


def _assignments(course: Course) -> list[str]:
    """Those of the configuration, then whatever else has a folder under source/ or hidden/."""
    folders = [path for where in ("source", "hidden") for path in sorted(course.root.glob(f"{where}/*"))]
    names = [*course.facts.assignments, *(path.name for path in folders if path.is_dir())]
    return [name for name in dict.fromkeys(names) if not name.startswith(".") and name not in _NOT_PARTS]


def _exercises(course: Course, name: str) -> tuple[tuple[Exercise, ...], list[Finding]]:
    """The cased exercises of an assignment, and what keeps its files from being used."""
    try:
        assignment = assignments.load(course, name)
    except CourseError as error:
        return (), [Finding("E300", error.where, error.found, error.remedy)]
    gaps = (gap.rpartition(": ") for gap in assignment.gaps)
    return assignment.exercises, [Finding("E300", f"source/{name}", what, remedy) for what, _, remedy in gaps]


def _read(path: Path, where: str) -> tuple[NotebookNode, list[Finding]]:
    """The notebook in canonical form, and how its file departs from that. Raises CourseError."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise CourseError(where, "there is no such notebook") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(where, f"cannot be read ({error})"[:200]) from None
    try:
        notebook = notebooks.parse(text, where)
        raw = json.loads(text, object_pairs_hook=_without_duplicate_keys)
        cells = _raw_cells(raw)
        texts = [_text(cell, position) for position, cell in enumerate(cells, 1)]
    except CourseError as error:
        raise CourseError(where, error.found) from None  # its remedy is meant for students
    except ValueError as error:
        raise CourseError(where, str(error)) from None
    except (KeyError, TypeError):
        raise CourseError(where, "a notebook without a list of cells") from None
    for cell, old in zip(notebook.cells, cells, strict=False):
        cell["id"] = old["id"] if isinstance(old.get("id"), str) else None  # nbformat makes up new ones at random
    clean = notebooks.canonical(notebook)
    _validate(clean, texts, where)
    written = notebooks.dumps(clean).encode()
    found: dict[tuple[str, str], list[str]] = {}
    for code, cell_id, what in [] if written == data else _departures(raw, notebook, clean):
        found.setdefault((code, what), []).append(cell_id)
    if written != data and not found:
        found["N108", "not the canonical order, spacing or line ends of JSON"] = [""]
    return clean, [
        Finding(code, where + (f"[{first_few(ids, 3)}]" if ids[0] else ""), what, FIX)
        for (code, what), ids in found.items()
    ]


def _without_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    duplicates = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if duplicates:
        raise ValueError(f"the key {duplicates[0]!r} stands twice in the same place (a merge gone wrong?)")
    return dict(pairs)


def _raw_cells(raw: dict[str, Any]) -> list[Any]:
    sheets = [raw] if "cells" in raw else raw["worksheets"]
    return [cell for sheet in sheets for cell in sheet["cells"]]


def _text(cell: Any, position: int) -> str:
    """The source of a cell, with nothing but letters and signs in it."""
    source = cell.get("source", cell.get("input")) if isinstance(cell, dict) else None
    parts = source if isinstance(source, list) else [source]
    words = [part.split() for part in parts if isinstance(part, str)]
    if len(words) != len(parts):
        raise ValueError(f"cell {position} is malformed: its source is not text")
    return "".join("".join(part) for part in words)


def _validate(clean: NotebookNode, texts: list[str], where: str) -> None:
    """Raise CourseError unless the canonical notebook has the same texts and is valid (but for its ids)."""
    sources = ["".join(cell.source.split()) for cell in clean.cells]
    if len(texts) != len(sources) or not all(map(str.__contains__, sources, texts)):
        raise CourseError(where, "its canonical form would lose text")
    probe = copy.deepcopy(clean)
    for number, cell in enumerate(probe.cells):
        cell.id = f"cell-{number}"
    try:
        notebooks.dumps(clean).encode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nbformat.validate(probe)
    except UnicodeEncodeError:
        raise CourseError(where, "it holds half a character (a lone surrogate)") from None
    except nbformat.ValidationError as error:
        raise CourseError(where, f"not valid: {str(error).splitlines()[0]}"[:200]) from None


def _departures(raw: dict[str, Any], notebook: NotebookNode, clean: NotebookNode) -> Iterator[tuple[str, str, str]]:
    """How the file departs from its canonical form: code, id of the cell ("" for the notebook), what."""
    if (raw.get("nbformat"), raw.get("nbformat_minor")) != (4, 5):
        yield "N102", "", f"nbformat {raw.get('nbformat')}.{raw.get('nbformat_minor')} in place of 4.5"
    if raw.get("metadata") != clean.metadata:
        extra = sorted(set(raw.get("metadata") or {}) - set(clean.metadata))
        yield (
            "N107",
            "",
            f"metadata outside the allowlist ({', '.join(extra) or 'another kernel or language'})",
        )
    for old, new in zip(notebook.cells, clean.cells, strict=True):
        if old.id is not None and old.id != new.id:
            yield "N105", new.id, f"the id is {old.id!r} and not the grade_id"
        if old.get("outputs") or old.get("execution_count") is not None:
            yield "N106", new.id, "outputs or execution counts"
        if old.metadata != new.metadata:
            graders = set(notebooks.grader_metadata(old)) - set(notebooks.grader_metadata(new))
            extra = sorted({*(set(old.metadata) - set(new.metadata)), *(f"nbgrader.{key}" for key in graders)})
            yield "N107", new.id, f"metadata outside the allowlist ({', '.join(extra) or 'nbgrader'})"
        if old.source != new.source:
            yield "N108", new.id, "blanks at the ends of lines, or empty lines around the text"


def _not_fixable(source: Source) -> list[Finding]:
    """What only a person can name."""
    findings = []
    counts = Counter(cell.id for cell in source.notebook.cells)
    for cell in source.notebook.cells:
        grade_id = notebooks.grade_id(cell)
        if not _READABLE.fullmatch(cell.id) or _MADE_UP.fullmatch(cell.id):
            remedy = "name what the cell is, in lower case words with hyphens"
            findings.append(Finding("N103", source.at(cell), "the id is not readable", remedy))
        if grade_id is not None and grade_id != cell.id:
            remedy = "give it a grade_id of lower case words with hyphens"
            findings.append(Finding("N105", source.at(cell), f"the grade_id {grade_id!r} cannot be an id", remedy))
    for cell_id, count in counts.items():
        if count > 1:
            where = f"{source.where}[{cell_id}]"
            findings.append(Finding("N104", where, f"{count} cells have this id", "give each cell an id of its own"))
    return findings


def _write(path: Path, text: str) -> None:
    try:
        atomic_write.write(path, text.encode())
    except OSError as error:
        raise CourseError(path, f"cannot be written ({error})", "make it writable") from None
