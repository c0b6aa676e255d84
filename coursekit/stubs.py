"""What a student finds in place of a solution: the markers, and an exception that names the exercise."""

import re

from coursekit.notebooks import BEGIN_SOLUTION, END_SOLUTION, defined_functions
from hidden_tests import exercises


def stub(source: str, assignment: str) -> str:
    """The lines that stand in every solution region of this cell."""
    functions = defined_functions(source)
    numbers = [row.public.number for row in exercises(assignment) if functions and row.function == functions[0]]
    name = f"Exercise {numbers[0]}: {functions[0]}" if numbers else ", ".join(functions) or "your code"
    return f'# {BEGIN_SOLUTION}\nraise NotImplementedError("{name}")\n# {END_SOLUTION}'


def blank(source: str, assignment: str) -> str:
    """A solution cell as it is released: every region replaced by the stub, at the region's own indentation."""
    lines = stub(source, assignment).split("\n")

    def replace(region: re.Match[str]) -> str:
        return "\n".join(region[1] + line for line in lines)

    pattern = rf"(?ms)^([ \t]*)#[^\n]*{BEGIN_SOLUTION}.*?{END_SOLUTION}[^\n]*"
    return re.sub(pattern, replace, source)
