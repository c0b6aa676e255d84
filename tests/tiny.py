"""A course of one assignment with one exercise, written in a moment: for what an author may do to the files of it."""

import json
from pathlib import Path

import nbformat

from coursekit.model.course import Course

NAME = "tiny"
CASES = """
import numpy as np
from selfcheck.exercises import Case, Exercise

def double_test_case(m=2):
    return (np.arange(m * 1.0),)

EXERCISES = (
    Exercise(1, "double", double_test_case, ("x",), "y", (Case("example"), Case("one", {"m": 1})), "2 times x", "more"),
)
"""
EXERCISES = """
from coursekit.author import Check
from coursekit.author import Grading
from selfcheck.exercises import Case

EXERCISES = (Grading("double", (Check("all", 3), Check("many", 2, cases=("many",))), (Case("many", {"m": 9}),)),)
"""
IMPORTS = "import numpy as np"
SOLUTION = """def double(x):
    # (one line) y = ...
    # YOUR CODE STARTS HERE
    y = 2 * x
    # YOUR CODE ENDS HERE
    return y"""


def course(root: Path, cases: str = CASES, exercises: str = EXERCISES, imports: str = IMPORTS, **hidden: str) -> Course:
    """The course in ``root``, with these modules; one that is empty is not there."""
    made = Course(root.resolve())
    modules = {made.folder(NAME) / "cases.py": cases, made.hidden(NAME) / "exercises.py": exercises}
    modules |= {made.hidden(NAME) / f"{name}.py": text for name, text in hidden.items()}
    for path, text in modules.items():
        if text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if cases:
        about = {"grade": False, "locked": False, "solution": True, "task": False, "schema_version": 3}
        cells = [
            nbformat.v4.new_code_cell(imports, id="imports"),
            nbformat.v4.new_code_cell(SOLUTION, id="double", metadata={"nbgrader": about | {"grade_id": "double"}}),
        ]
        made.source(NAME).write_text(json.dumps(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    return made
