"""The source notebook's functions as Python objects. Runs the course's code only, never a submission."""

from typing import Any

from coursekit.model import notebooks
from coursekit.model.course import Course


def load(course: Course, assignment: str) -> dict[str, Any]:
    """The namespace after the import statements and the solution cells of the source notebook have run, in order."""
    path = course.source(assignment)
    namespace: dict[str, Any] = {"__name__": f"solutions of {assignment}"}
    for cell in notebooks.read(path).cells:
        if cell.cell_type == "code":
            solution = notebooks.is_solution(cell)
            code = notebooks.without_magics(cell.source) if solution else notebooks.imports(cell.source)
            exec(compile(code, f"{path}[{cell.id}]", "exec"), namespace)
    return namespace


def cells(course: Course, assignment: str) -> dict[str, str]:
    """The solution cells of the source notebook that are code, by id."""
    return {
        cell.id: notebooks.without_magics(cell.source)
        for cell in notebooks.read(course.source(assignment)).cells
        if notebooks.is_solution(cell) and cell.cell_type == "code"
    }
