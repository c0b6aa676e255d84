"""Stubs, which replace solutions in a release: the markers, and an exception that names the exercise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from coursekit.model.notebooks import BEGIN_SOLUTION, END_SOLUTION, defined_functions, grader_metadata, is_solution

if TYPE_CHECKING:
    from nbformat import NotebookNode

TEXT_STUB = "*Write your answer here.*"  # replaces a written answer


def numbers(notebook: NotebookNode) -> dict[str, int]:
    """The number of each exercise, by its function: its position in the notebook, from 1."""
    answers = (cell for cell in notebook.cells if cell.cell_type == "code" and is_solution(cell))
    functions = (functions[0] for cell in answers if (functions := defined_functions(cell.source)))
    return {function: number for number, function in enumerate(dict.fromkeys(functions), 1)}


def stub(source: str, numbered: Mapping[str, int]) -> str:
    """The lines that replace each solution region of this cell; ``numbered`` is the result of ``numbers``."""
    functions = defined_functions(source)
    number = numbered.get(functions[0]) if functions else None
    name = f"Exercise {number}: {functions[0]}" if number else ", ".join(functions) or "your code"
    return f'# {BEGIN_SOLUTION}\nraise NotImplementedError("{name}")\n# {END_SOLUTION}'


def blank_cell(cell: NotebookNode, numbered: Mapping[str, int]) -> str:
    """The released text of a solution cell; a written model answer is replaced as a whole."""
    return blank(cell.source, numbered) if cell.cell_type == "code" else TEXT_STUB


def blank(source: str, numbered: Mapping[str, int]) -> str:
    """The released source of a solution cell: each region replaced by the stub, with the region's indentation."""
    lines = stub(source, numbered).split("\n")

    def replace(region: re.Match[str]) -> str:
        return "\n".join(region[1] + line for line in lines)

    pattern = rf"(?ms)^([ \t]*)#[^\n]*{BEGIN_SOLUTION}.*?{END_SOLUTION}[^\n]*"
    return re.sub(pattern, replace, source)


def is_answered(cell: NotebookNode) -> bool:
    """Whether there is something to read for a person who grades the cell. The answer to a task may be anywhere."""
    is_task = bool(grader_metadata(cell).get("task"))
    return is_task or str(cell.source).strip() not in ("", TEXT_STUB)
