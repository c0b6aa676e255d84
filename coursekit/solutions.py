"""The source notebook's own functions, as Python objects. Trusted code only: never call this on a submission."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursekit import notebooks
from coursekit.course import Course


def load(course: Course, assignment: str) -> dict[str, Any]:
    """The namespace after the import statements and the solution cells of the source notebook have run, in order."""
    path = course.source(assignment)
    with _importable(path.parent):
        return _run(path, assignment)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules beside the notebook can be imported, as they can in its kernel."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _run(path: Path, assignment: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": f"solutions of {assignment}"}
    for cell in notebooks.read(path).cells:
        if cell.cell_type != "code":
            continue
        code = notebooks.without_magics(cell.source) if notebooks.is_solution(cell) else imports(cell.source)
        exec(compile(code, f"{path.name}[{cell.id}]", "exec"), namespace)
    return namespace


def imports(source: str) -> str:
    """The import statements of a cell, but for those of the hidden tests; nothing else."""
    nodes = ast.parse(notebooks.without_magics(source)).body
    kept: list[ast.stmt] = [
        node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) and not _hidden(node)
    ]
    return ast.unparse(ast.Module(kept, []))


def _hidden(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "hidden_tests"
