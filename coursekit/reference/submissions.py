"""Makes the submissions of the demo from the release, by recipes."""

import copy
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coursekit.model import notebooks
from coursekit.model.errors import CourseError
from coursekit.model.exercise import grade_id
from coursekit.reference.catalogue import Answer
from coursekit.reference.rows import Recipe
from coursekit.reference.table import Table


def submissions(table: Table) -> dict[str, Any]:
    """All submissions of ``hidden/<assignment>/demo.py``, and the time limits with which they are graded."""
    demo = table.hidden_modules.get("demo")
    recipes: Iterable[Recipe] = getattr(demo, "CLASS", ())
    path = table.course.release(table.assignment) / f"{table.assignment}.ipynb"
    released = json.loads(path.read_text(encoding="utf-8"))
    return {
        "limits": dict(getattr(demo, "LIMITS", {})),
        "submissions": [
            {
                "student": recipe.student,
                "about": recipe.about,
                "file_name": recipe.file_name or f"{table.assignment}.ipynb",
                "content": b64encode(file_of(released, recipe, _answers(table, recipe))).decode("ascii"),
            }
            for recipe in recipes
        ],
    }


def _answers(table: Table, recipe: Recipe) -> dict[str, str]:
    return {} if recipe.blank else answered(table, recipe.style, recipe.mistake, recipe.answers)


def answered(
    table: Table, style: str = "", mistake: Sequence[str] | None = None, answers: Sequence[Sequence[str]] = ()
) -> dict[str, str]:
    """The sources of the solution cells by id, with the changes of a recipe."""
    solutions = (
        cell for cell in notebooks.read(table.course.source(table.assignment)).cells if notebooks.is_solution(cell)
    )
    cells = {cell.id: str(cell.source) for cell in solutions}
    changes: list[Answer] = [answer for answer in table.right_answers if style and answer.style == style]
    changes += [one for one in table.mistakes if mistake and (one.function, one.name) == tuple(mistake)]
    if (style or mistake) and not changes:
        where = f"hidden/{table.assignment}/mistakes.py"
        raise CourseError(where, f"there is no answer {style or mistake}", "choose one of those in the file")
    for change in changes:
        cell_id = grade_id(change.function)
        cells[cell_id] = change.source(cells[cell_id])
    for old, new in answers:
        (cell_id,) = [key for key, source in cells.items() if old in source]
        cells[cell_id] = cells[cell_id].replace(old, new)
    return cells


def file_of(released: dict[str, Any], recipe: Recipe, answers: Mapping[str, str]) -> bytes:
    """The contents of the file that a recipe makes of a released notebook, with these answers by cell id."""
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    made = recipe.change(notebook)
    if isinstance(made, bytes):
        return made
    return (made if isinstance(made, str) else json.dumps(made, indent=1)).encode()
