"""A small class of real submissions, graded in a scratch course: each is the release, filled in by a recipe."""

import copy
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mistakes
from coursekit import feedback as pages
from coursekit import grade as grading
from coursekit import notebooks, release
from coursekit.course import Course
from coursekit.grading_options import GradingOptions
from coursekit.marking.limits import Limits
from hidden_tests import TABLE

# The demo has an endless loop, and no patience; two of its assignments train networks.
OPTIONS = GradingOptions(Limits(cell_timeout_s=4, call_timeout_s=1.0), jobs=2)
PATIENT = GradingOptions(Limits(cell_timeout_s=60), jobs=2)

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """How one submission comes out of the release: which answers, one named mistake, then a change to the file."""

    student: str
    about: str
    style: str = ""  # of mistakes.styles(); the source notebook's own solutions, if empty
    mistake: tuple[str, str] | None = None  # (function, name) in the catalogue
    answers: tuple[tuple[str, str], ...] = ()  # (text in a solution, what stands there instead)
    change: Callable[[Notebook], Notebook | str | bytes] = lambda notebook: notebook
    file_name: str = ""  # the right one, if empty
    blank: bool = False
    assignment: str = "step-by-step"


def _without(cell_id: str) -> Callable[[Notebook], Notebook]:
    return lambda notebook: notebook | {"cells": [cell for cell in notebook["cells"] if cell["id"] != cell_id]}


def _pasted_twice(cell_id: str) -> Callable[[Notebook], Notebook]:
    def change(notebook: Notebook) -> Notebook:
        cells = []
        for cell in notebook["cells"]:
            cells += [cell, cell | {"id": f"{cell_id}-again"}] if cell["id"] == cell_id else [cell]
        return notebook | {"cells": cells}

    return change


def _zipped(notebook: Notebook) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("homework/step-by-step/step-by-step.ipynb"), json.dumps(notebook))
    return data.getvalue()


def _cut_off(notebook: Notebook) -> str:
    text = json.dumps(notebook)
    return text[: len(text) // 2]


_STEP = (
    "grads = L_model_backward(AL, Y, caches)\n        parameters = update_parameters(parameters, grads, learning_rate)"
)
_COST = "cost = np.sum(losses) / m"
CLASS = (
    Recipe("anna", "all right, with np.dot", style=mistakes.PLAIN),
    Recipe("ben", "all right, with loops", style=mistakes.LOOPS),
    Recipe("chloe", "all right, with einsum and helper functions", style=mistakes.HELPERS),
    Recipe("dario", "nothing written", blank=True),
    Recipe("emma", "dW without the average", mistake=("linear_backward", "dW-not-averaged")),
    Recipe("farid", "W * A in place of the matrix product", mistake=("linear_forward", "element-wise-product")),
    Recipe(
        "gita",
        "the loop reads the last layer's gradient",
        mistake=("L_model_backward", "last-gradient-in-every-layer"),
    ),
    Recipe("hugo", "params.copy() and then -=", mistake=("update_parameters", "shallow-copy")),
    Recipe("ines", "a function that raises", answers=((_COST, 'raise ValueError("I do not know how")'),)),
    Recipe("jonas", "a loop without an end", answers=((_COST, "while True:\n        m += 1"),)),
    Recipe("kira", "a deleted test cell", change=_without("linear-backward-test")),
    Recipe("liam", "a cell pasted twice", change=_pasted_twice("linear-forward")),
    Recipe("mona", "a renamed notebook", file_name="my homework.ipynb"),
    Recipe("noah", "half a file", change=_cut_off),
    Recipe("olga", "a folder in a zip archive", change=_zipped, file_name="homework.zip"),
    Recipe("anna", "all right", assignment="application"),
    Recipe("dario", "nothing written", blank=True, assignment="application"),
    Recipe(
        "emma",
        "new parameters computed and thrown away",
        answers=((_STEP, _STEP.replace("parameters = update", "update", 1)),),
        assignment="application",
    ),
    Recipe("anna", "all right, with the written answer", assignment="digits"),
    Recipe("dario", "nothing written", blank=True, assignment="digits"),
    Recipe(
        "farid",
        "softmax with one sum for all images",
        answers=(("powers / np.sum(powers, axis=0, keepdims=True)", "powers / np.sum(powers)"),),
        assignment="digits",
    ),
)


def assignments() -> tuple[str, ...]:
    """Those that the class hands something in for, in the order of the course."""
    return tuple(dict.fromkeys(recipe.assignment for recipe in CLASS))


def prepare(course: Course) -> Course:
    """A scratch course under .coursekit/demo with the whole class handed in."""
    root = course.root / ".coursekit" / "demo"
    shutil.rmtree(root, ignore_errors=True)
    scratch = course.copy_to(root)
    for assignment in assignments():
        release.release(scratch, assignment)
    for recipe in CLASS:
        folder = scratch.submitted(recipe.assignment, recipe.student)
        folder.mkdir(parents=True)
        path = folder / (recipe.file_name or f"{recipe.assignment}.ipynb")
        path.write_bytes(submission(scratch, recipe))
    return scratch


def submission(course: Course, recipe: Recipe) -> bytes:
    """The file that a student of this recipe hands in."""
    path = course.release(recipe.assignment) / f"{recipe.assignment}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    answers = {} if recipe.blank else _answers(course, recipe)
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    changed = recipe.change(copy.deepcopy(notebook))
    if isinstance(changed, bytes):
        return changed
    return (changed if isinstance(changed, str) else json.dumps(changed, indent=1)).encode()


def _answers(course: Course, recipe: Recipe) -> dict[str, str]:
    cells = [cell for cell in notebooks.read(course.source(recipe.assignment)).cells if notebooks.is_solution(cell)]
    answers = {cell.id: cell.source for cell in cells}
    changes = list(mistakes.styles()[recipe.style].values()) if recipe.style else []
    if recipe.mistake:
        function, name = recipe.mistake
        changes.append(mistakes.find(f"{recipe.assignment}/{function}", name))
    for change in changes:
        cell_id = TABLE[change.exercise].grade_id
        answers[cell_id] = mistakes.apply(change, answers[cell_id])
    for old, new in recipe.answers:
        (cell_id,) = [key for key, source in answers.items() if old in source]
        answers[cell_id] = answers[cell_id].replace(old, new)
    return answers


def grade(scratch: Course, report: Callable[[grading.Graded], None]) -> list[grading.Graded]:
    """Grade the demo's class."""
    return [
        one
        for assignment in assignments()
        for one in grading.grade(
            scratch, assignment, options=OPTIONS if assignment == "step-by-step" else PATIENT, report=report
        )
    ]


def feedback(scratch: Course, report: Callable[[pages.Page], None]) -> list[pages.Page]:
    """Write the demo's feedback pages."""
    return [page for assignment in assignments() for page in pages.feedback(scratch, assignment, report=report)]


def where_next(course: Course, scratch: Course, written: list[pages.Page]) -> list[str]:
    """Where a newcomer looks after the demo: a page, the notebook, JupyterLab, the commands for a real class."""
    emma = next((page for page in written if page.student == "emma"), written[0]).path
    first = assignments()[0]
    return [
        f"a feedback page             {emma.relative_to(course.root)}",
        f"what a student gets         {course.release(first).relative_to(course.root)}/",
        f"the authored notebook       {course.source(first).relative_to(course.root)}",
        "the notebook in JupyterLab  ./course lab --student",
        f"this class in Formgrader    COURSE_ROOT={scratch.root.relative_to(course.root)} ./course lab",
        f"your own class              submitted/<student>/{first}/ and ./course grade {first}",
    ]
