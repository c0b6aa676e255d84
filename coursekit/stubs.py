"""What a student finds in place of a solution: the markers, and an exception that names the exercise."""

import re

from nbformat import NotebookNode

from coursekit.notebooks import BEGIN_SOLUTION, END_SOLUTION, defined_functions
from hidden_tests import exercises

TEXT_STUB = "*Write your answer here.*"  # in place of a written answer


def stub(source: str, assignment: str) -> str:
    """The lines that stand in every solution region of this cell."""
    functions = defined_functions(source)
    numbers = [row.public.number for row in exercises(assignment) if functions and row.function == functions[0]]
    name = f"Exercise {numbers[0]}: {functions[0]}" if numbers else ", ".join(functions) or "your code"
    return f'# {BEGIN_SOLUTION}\nraise NotImplementedError("{name}")\n# {END_SOLUTION}'


def blank_cell(cell: NotebookNode, assignment: str) -> str:
    """What a student finds in a solution cell of the source notebook; a written model answer is replaced altogether."""
    return blank(cell.source, assignment) if cell.cell_type == "code" else TEXT_STUB


def blank(source: str, assignment: str) -> str:
    """A solution cell as it is released: every region replaced by the stub, at the region's own indentation."""
    lines = stub(source, assignment).split("\n")

    def replace(region: re.Match[str]) -> str:
        return "\n".join(region[1] + line for line in lines)

    pattern = rf"(?ms)^([ \t]*)#[^\n]*{BEGIN_SOLUTION}.*?{END_SOLUTION}[^\n]*"
    return re.sub(pattern, replace, source)


def is_answered(cell: NotebookNode) -> bool:
    """Whether a written answer is anything else than what was released."""
    return str(cell.source).strip() not in ("", TEXT_STUB)
