"""Hand-ins made of the course's own answers by recipes, as the demo's class is."""

import json
from collections.abc import Sequence

from coursekit.author import Recipe
from coursekit.model.course import Course
from coursekit.reference.process import ReferenceProcess
from coursekit.reference.submissions import file_of


def of(course: Course, assignment: str, recipes: Sequence[Recipe]) -> list[bytes]:
    """What the students of these recipes hand in, one file each. One reference process makes all the answers."""
    path = course.release(assignment) / f"{assignment}.ipynb"
    released = json.loads(path.read_text(encoding="utf-8"))
    with ReferenceProcess(course.root, assignment) as reference:
        return [file_of(released, recipe, _answers(recipe, reference)) for recipe in recipes]


def _answers(recipe: Recipe, reference: ReferenceProcess) -> dict[str, str]:
    asked = {"style": recipe.style, "mistake": recipe.mistake, "answers": recipe.answers}
    return {} if recipe.blank else reference.ask("answered", **asked)
