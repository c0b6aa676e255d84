"""Scratch courses with a class in them: one for coursekit, and the same for plain nbgrader."""

import json
import shutil
from itertools import cycle, islice
from pathlib import Path

from benchmarks import made
from coursekit.author import Recipe
from coursekit.grading import registration
from coursekit.model import notebooks
from coursekit.model.course import Course
from selfcheck import recordings

PLAIN_CHECKS = Path(__file__).with_name("plain_checks.py")
OUR_HIDDEN_TESTS, THEIR_HIDDEN_TESTS = "from coursekit.author import check;", "from plain_checks import check;"
# Of ``RIGHT_ANSWERS`` in hidden/step-by-step/mistakes.py.
STYLES = ("np.dot and strings", "loops and sums", "einsum, types and helpers")
CONFIG = 'get_config().CourseDirectory.course_id = "stock"\n'


def students(size: int) -> list[str]:
    """Their ids."""
    return [f"student-{number:04}" for number in range(size)]


def recipes(assignment: str) -> list[Recipe]:
    """Whose submissions a class is made of, over and over: three of four are right, and one has a mistake early on.

    For the other assignments than the first there are no styles: then all are the source's own solutions.
    """
    if assignment != "step-by-step":
        return [Recipe("", "all right")]
    right = [Recipe("", "all right", style=style) for style in STYLES]
    return [*right, Recipe("", "one mistake", mistake=("linear_forward", "element-wise-product"))]


def ours(course: Course, assignment: str, size: int, root: Path) -> Course:
    """A course of ours, released and registered, with a class handed in."""
    copied = course.copy_to(root)
    _hand_in(course, assignment, size, root)
    registration.register(copied, assignment)
    return copied


def stock(course: Course, assignment: str, size: int, root: Path) -> Path:
    """A course of plain nbgrader: no configuration but its name, the same source notebook, the same submissions.

    What hidden tests there do is done by ``plain_checks``, in the student's kernel, as nbgrader has it.
    """
    folder = root / "source" / assignment
    shutil.copytree(course.root / "source" / assignment, folder)
    for name, path in course.trusted_files(assignment).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    hidden = course.hidden(assignment)
    shutil.copyfile(hidden / recordings.NAME, folder / "hidden.npz")
    for path in (hidden / "exercises.py", *hidden.parent.glob("*.py"), PLAIN_CHECKS):
        shutil.copyfile(path, folder / path.name)
    path = folder / f"{assignment}.ipynb"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(OUR_HIDDEN_TESTS, THEIR_HIDDEN_TESTS), encoding="utf-8")
    (root / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    _hand_in(course, assignment, size, root)
    return root


def _hand_in(course: Course, assignment: str, size: int, root: Path) -> None:
    files = made.of(course, assignment, recipes(assignment))
    for student, data in zip(students(size), cycle(files), strict=False):
        folder = root / "submitted" / student / assignment
        folder.mkdir(parents=True)
        (folder / f"{assignment}.ipynb").write_bytes(data)


def expected(assignment: str, size: int) -> list[bool]:
    """Of each student, whether everything is right: then the mark must be full, else something was not measured."""
    return list(islice(cycle(not recipe.mistake for recipe in recipes(assignment)), size))


def code_cells(course: Course, assignment: str) -> list[str]:
    """The code of a right submission, cell by cell, as the sandbox gets it."""
    notebook = json.loads(made.of(course, assignment, recipes(assignment)[:1])[0])
    return [
        notebooks.without_hidden("".join(cell["source"])) for cell in notebook["cells"] if cell["cell_type"] == "code"
    ]
