"""Hand-ins made of the course's own answers by recipes, as the demo's class is."""

import copy
import json
from collections.abc import Sequence

from coursekit.author import Recipe
from coursekit.model.course import Course
from coursekit.reference.process import ReferenceProcess


def of(course: Course, assignment: str, recipes: Sequence[Recipe]) -> list[bytes]:
    """What the students of these recipes hand in, one file each. One reference process makes all the answers."""
    path = course.release(assignment) / f"{assignment}.ipynb"
    released = json.loads(path.read_text(encoding="utf-8"))
    with ReferenceProcess(course.root, assignment) as reference:
        return [_file(released, recipe, reference) for recipe in recipes]


def _file(released: dict, recipe: Recipe, reference: ReferenceProcess) -> bytes:
    notebook = copy.deepcopy(released)
    asked = {"style": recipe.style, "mistake": recipe.mistake, "answers": recipe.answers}
    answers = {} if recipe.blank else reference.ask("answered", **asked)
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    made = recipe.change(notebook)
    if isinstance(made, bytes):
        return made
    return (made if isinstance(made, str) else json.dumps(made, indent=1)).encode()
