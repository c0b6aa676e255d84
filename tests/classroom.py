"""Helpers of the tests: temporary courses, and notebooks as students hand them in."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from nbformat import NotebookNode

from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.submission.matched_cells import match_cells
from coursekit.submission.rebuild import Rebuilt, rebuild

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = "step-by-step"
SELFCHECK = tuple(f"selfcheck/{path.name}" for path in sorted((ROOT / "selfcheck").glob("*.py")))


def rebuild_with(source: NotebookNode, submission: NotebookNode) -> Rebuilt:
    """The submitted notebook in the structure of the source notebook."""
    return rebuild(source, match_cells(source, submission))


def put_trusted_files(course: Course, assignment: str, folder: Path) -> None:
    """Put the files that an assignment's students get beside the notebook into a folder."""
    for name, path in course.trusted_files(assignment).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)


def copy_course(to: Path) -> Course:
    """A copy of this course that a test may change."""
    return Course(ROOT).copy_to(to)


def small_course(to: Path) -> Course:
    """A course whose notebook runs quickly: ungraded code cells keep only their imports."""
    course = copy_course(to)
    source = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    for cell in source["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and not about.get("solution") and not about.get("grade"):
            cell["source"] = notebooks.imports(text(cell))
    course.source(ASSIGNMENT).write_text(json.dumps(source, indent=1), encoding="utf-8")
    return course


# Steps of training in a notebook, and fewer of them, which still run all of its code.
FEWER_STEPS = {
    "application": {
        "num_iterations=1500": "num_iterations=301",
        "num_iterations=800": "num_iterations=201",
        "num_iterations=401": "num_iterations=101",
    },
    "digits": {"steps=10_000": "steps=300", "steps=3000": "steps=200"},
}


def brief_source(assignment: str) -> str:
    """The text of a source notebook with fewer training steps in its ungraded cells."""
    source = Course(ROOT).source(assignment).read_text(encoding="utf-8")
    for many, few in FEWER_STEPS.get(assignment, {}).items():
        assert many in source, many
        source = source.replace(many, few)
    return source


def brief_course(to: Path) -> Course:
    """A copy of this course whose source notebooks have fewer training steps."""
    course = copy_course(to)
    for assignment in FEWER_STEPS:
        course.source(assignment).write_text(brief_source(assignment), encoding="utf-8")
    return course


def answered(course: Course, old: str = "", new: str = "") -> dict[str, Any]:
    """The source notebook with the text ``old`` replaced by ``new``; ``old`` must occur."""
    source = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    lines = [cell for cell in source["cells"] if old in text(cell)]
    assert lines, old
    for cell in lines if old else ():
        cell["source"] = text(cell).replace(old, new)
    return source


def hand_in(course: Course, student: str, notebook: Any, name: str = f"{ASSIGNMENT}.ipynb") -> Path:
    """Put a notebook (a dict, text or bytes) into a student's submitted folder; returns the file."""
    folder = course.submitted(ASSIGNMENT, student)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    data = (
        notebook
        if isinstance(notebook, bytes)
        else (notebook if isinstance(notebook, str) else json.dumps(notebook)).encode()
    )
    path.write_bytes(data)
    return path


def released_notebook(course: Course) -> dict[str, Any]:
    """The released notebook as a new plain dict."""
    return json.loads((course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8"))


def solution_cells(course: Course) -> dict[str, str]:
    """Source of every solution cell of the source notebook, by id."""
    source = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    return {cell["id"]: text(cell) for cell in source["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")}


def fill_in(notebook: dict[str, Any], answers: dict[str, str]) -> dict[str, Any]:
    """The notebook with the sources of these cells replaced; every id must exist."""
    by_id = {cell["id"]: cell for cell in notebook["cells"]}
    for cell_id, source in answers.items():
        by_id[cell_id]["source"] = source
    return notebook


def change_recording(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite a recording after ``change`` has modified its arrays, which it gets by name."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    change(arrays)
    np.savez_compressed(path, **arrays)


def text(cell: dict[str, Any]) -> str:
    """The source of a cell as one string, also if it is stored as a list of lines."""
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
