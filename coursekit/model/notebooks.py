"""Notebooks as values: reading, writing, and the canonical form of source notebooks."""

from __future__ import annotations

import ast
import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.model.errors import CourseError

if TYPE_CHECKING:
    from nbformat import NotebookNode  # imported where a notebook is read or written: a configuration needs the markers

BEGIN_SOLUTION, END_SOLUTION = "YOUR CODE STARTS HERE", "YOUR CODE ENDS HERE"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
NOTEBOOK_METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
CELL_METADATA = ("nbgrader", "tags")  # allowed keys; editors add others
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what nbformat allows
ADDED = "added-"  # prefix of the ids of cells that the student added
NBGRADER_METADATA = ("grade", "grade_id", "locked", "points", "schema_version", "solution", "task")


def parse(text: str, where: object) -> NotebookNode:
    """A notebook of format 4 from its JSON; older formats are upgraded, malformed cells dropped. Raises CourseError.

    For notebooks of the course; ``coursekit.submission.salvage`` reads submissions, also damaged ones.
    """
    import nbformat

    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CourseError(where, f"not valid JSON ({error})", "open it in JupyterLab and save it again") from None
    if not isinstance(raw, dict) or not ("cells" in raw or "worksheets" in raw):
        raise CourseError(where, "valid JSON, but not a notebook", "hand in the .ipynb file itself")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # missing and duplicate ids: callers that need ids check them
            notebook = nbformat.reads(text, as_version=4)
        notebook.cells = [cell for cell in map(_tidy, notebook.cells) if cell is not None]
    except Exception as error:  # nbformat raises many exception types
        problem = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise CourseError(
            where, f"not a readable notebook ({problem})", "open it in JupyterLab and save it again"
        ) from None
    return notebook


def _tidy(cell: Any) -> NotebookNode | None:
    """The cell with all required fields, or None if it has no source."""
    import nbformat

    if not isinstance(cell, dict) or not isinstance(cell.get("source"), str):
        return None
    kind = cell.get("cell_type") if cell.get("cell_type") in ("code", "markdown") else "raw"
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    tidy = {**cell, "cell_type": kind, "metadata": metadata}
    if not isinstance(cell.get("id"), str):
        tidy.pop("id", None)
    if kind == "code":
        tidy |= {"outputs": cell.get("outputs") or [], "execution_count": cell.get("execution_count")}
    return nbformat.from_dict(tidy)


def read(path: Path) -> NotebookNode:
    """The notebook in a file, with or without a byte-order mark. Raises CourseError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CourseError(path, "there is no such notebook") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(path, f"cannot be read ({error})", "save it as UTF-8") from None
    return parse(text, path)


def dumps(notebook: NotebookNode) -> str:
    """The notebook as nbformat writes it, ending in one newline; duplicate ids are kept."""
    import nbformat

    return str(nbformat.v4.writes_json(notebook)).rstrip("\n") + "\n"


def grader_metadata(cell: NotebookNode) -> dict[str, Any]:
    """The cell's nbgrader metadata; empty if missing or malformed."""
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, dict) else {}


def grade_id(cell: NotebookNode) -> str | None:
    found = grader_metadata(cell).get("grade_id")
    return found if isinstance(found, str) else None


def is_solution(cell: NotebookNode) -> bool:
    return bool(grader_metadata(cell).get("solution"))


def is_written(cell: NotebookNode) -> bool:
    """Whether the cell is an answer in words, which a person grades."""
    return is_solution(cell) and bool(grader_metadata(cell).get("grade")) and cell.cell_type == "markdown"


def is_graded_by_person(cell: NotebookNode) -> bool:
    """Whether a person grades the cell: an answer without tests, in words or code, or one of nbgrader's task cells."""
    about = grader_metadata(cell)
    return bool(about.get("task") or (about.get("solution") and about.get("grade")))


def is_test(cell: NotebookNode) -> bool:
    return bool(grader_metadata(cell).get("grade")) and not is_solution(cell)


def parsed(source: str) -> ast.Module | None:
    """The syntax tree of a cell without its magics; None if it is not valid Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escape sequences
            return ast.parse(without_magics(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def defined_functions(source: str) -> tuple[str, ...]:
    """Names of the functions that a code cell defines at its top level; none if it does not parse."""
    tree = parsed(source)
    return tuple(node.name for node in tree.body if isinstance(node, ast.FunctionDef)) if tree else ()


def without_magics(source: str) -> str:
    """The source of a cell with lines that begin with % or ! made blank."""
    return re.sub(r"(?m)^[ \t]*[%!].*$", "", source)


def without_hidden(source: str) -> str:
    """The source of a test cell without its hidden tests, as released."""
    return re.sub(rf"(?ms)^{BEGIN_HIDDEN}.*?^{END_HIDDEN}[^\n]*(\n|\Z)", "", source).rstrip("\n")


def imports(source: str) -> str:
    """Only the import statements of a cell, as released. Raises SyntaxError."""
    nodes = ast.parse(without_magics(without_hidden(source))).body
    kept: list[ast.stmt] = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return ast.unparse(ast.Module(kept, []))


def as_markdown(text: str) -> str:
    """Untrusted text (a file name, an error message) as Markdown that shows it literally, line by line."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "  \n".join(re.sub(r"([\\`*_{}\[\]()<>#+!|&$~-])", r"\\\1", line) for line in lines if line)


def canonical(notebook: NotebookNode) -> NotebookNode:
    """The canonical form of a source notebook: format 4.5, no outputs, only allowed metadata."""
    import nbformat

    cells = []
    for position, cell in enumerate(notebook.cells):
        metadata = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        known = {key: value for key, value in grader_metadata(cell).items() if key in NBGRADER_METADATA}
        metadata.pop("nbgrader", None)
        if known:
            metadata["nbgrader"] = known
        name = grade_id(cell) or ""
        clean = {
            "id": name if _CELL_ID.fullmatch(name) else cell.get("id") or f"cell-{position + 1}",
            "cell_type": cell.cell_type,
            "metadata": metadata,
            "source": _without_trailing_blanks(cell.cell_type, cell.source),
        }
        if cell.cell_type == "code":
            clean |= {"execution_count": None, "outputs": []}
        if cell.get("attachments"):
            clean["attachments"] = cell.attachments
        cells.append(clean)
    return nbformat.from_dict({"cells": cells, "metadata": NOTEBOOK_METADATA, "nbformat": 4, "nbformat_minor": 5})


def _without_trailing_blanks(cell_type: str, source: str) -> str:
    """The source without meaningless trailing blanks; Markdown line breaks and strings are unchanged."""
    source, as_it_is = source.replace("\r\n", "\n"), source
    if cell_type == "raw" or "\r" in source or source.rstrip().endswith("\\"):
        return as_it_is
    lines = source.split("\n")
    if cell_type == "markdown":
        lines = [_markdown_line(line) for line in lines]
    else:
        kept = _lines_of_strings(source)
        lines = [line if number in kept else line.rstrip(" \t") for number, line in enumerate(lines, 1)]
    return "\n".join(lines).strip("\n")


def _markdown_line(line: str) -> str:
    text = line.rstrip(" \t")
    if text.endswith("\\"):
        return line  # without the blanks, the backslash would become a line break
    return text + "  " if text and line.endswith("  ") else text  # two trailing spaces are a line break


def _lines_of_strings(source: str) -> set[int]:
    """Numbers of the lines that end inside a string; all lines if the cell is not plain Python."""
    every = set(range(1, source.count("\n") + 2))
    if source.lstrip().startswith("%%"):
        return every
    tree = parsed(source)
    if tree is None:
        return every
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)]
    return {number for node in strings for number in range(node.lineno, node.end_lineno or node.lineno)}
