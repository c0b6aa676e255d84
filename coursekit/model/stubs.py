"""What a student finds in place of a solution: the markers, and an exception that names the exercise."""

import re
from collections.abc import Mapping

from nbformat import NotebookNode

from coursekit.model.notebooks import BEGIN_SOLUTION, END_SOLUTION, defined_functions, is_solution

TEXT_STUB = "*Write your answer here.*"  # in place of a written answer


def numbers(notebook: NotebookNode) -> dict[str, int]:
    """The numbers of the exercises by the function that each asks for: their order in the notebook, from 1."""
    answers = (cell for cell in notebook.cells if cell.cell_type == "code" and is_solution(cell))
    functions = (functions[0] for cell in answers if (functions := defined_functions(cell.source)))
    return {function: number for number, function in enumerate(dict.fromkeys(functions), 1)}


def stub(source: str, numbered: Mapping[str, int]) -> str:
    """The lines that replace every solution region of this cell; ``numbered`` are the exercises of its notebook."""
    functions = defined_functions(source)
    number = numbered.get(functions[0]) if functions else None
    name = f"Exercise {number}: {functions[0]}" if number else ", ".join(functions) or "your code"
    return f'# {BEGIN_SOLUTION}\nraise NotImplementedError("{name}")\n# {END_SOLUTION}'


def blank_cell(cell: NotebookNode, numbered: Mapping[str, int]) -> str:
    """What a student finds in a solution cell of the source notebook; a written model answer is replaced altogether."""
    return blank(cell.source, numbered) if cell.cell_type == "code" else TEXT_STUB


def blank(source: str, numbered: Mapping[str, int]) -> str:
    """A solution cell as it is released: every region replaced by the stub, at the region's own indentation."""
    lines = stub(source, numbered).split("\n")

    def replace(region: re.Match[str]) -> str:
        return "\n".join(region[1] + line for line in lines)

    pattern = rf"(?ms)^([ \t]*)#[^\n]*{BEGIN_SOLUTION}.*?{END_SOLUTION}[^\n]*"
    return re.sub(pattern, replace, source)


def is_answered(cell: NotebookNode) -> bool:
    """Whether a written answer is anything else than what was released."""
    return str(cell.source).strip() not in ("", TEXT_STUB)
