"""A class whose submissions count as graded: autograded notebooks and a gradebook, made without running anything."""

import base64
import copy
import json
import shutil
import struct
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook

from coursekit.feedback import generation
from coursekit.grading import converters
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.exercise import Exercise
from coursekit.reference import assignments
from tests.classroom import ASSIGNMENT, ROOT

EVERYTHING_RIGHT: dict[str, Any] = {}
Notebook = dict[str, Any]


def exercises() -> tuple[Exercise, ...]:
    """Those of the assignment whose pages are written here."""
    return assignments.load(Course(ROOT), ASSIGNMENT).exercises


def png(width: int = 3, height: int = 2) -> bytes:
    """A small grey picture; with a size that it only claims to have, if that is large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + b"\x80" * min(width, 100) for _ in range(min(height, 100))))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PNG = base64.b64encode(png()).decode()


def open_gradebook(course: Course) -> None:
    """An empty gradebook that knows the cells of the assignment."""
    with converters._environment_on_path(), Gradebook(course.db_url) as book:  # for alembic
        book.update_or_create_assignment(ASSIGNMENT)
        book.update_or_create_notebook(ASSIGNMENT, ASSIGNMENT)
        for cell in notebooks.read(course.source(ASSIGNMENT)).cells:
            about, name = notebooks.grader_metadata(cell), notebooks.grade_id(cell)
            if about.get("grade"):
                kind = {"max_score": about["points"], "cell_type": cell.cell_type}
                book.update_or_create_grade_cell(name, ASSIGNMENT, ASSIGNMENT, **kind)
            if about.get("solution"):
                book.update_or_create_solution_cell(name, ASSIGNMENT, ASSIGNMENT)


def verdicts(changes: dict[str, dict[str, Any]] = EVERYTHING_RIGHT, **about: Any) -> dict[str, Any]:
    """Verdicts as the grader writes them, all of them right but for ``changes`` by grade_id."""
    entries = [
        {
            "number": row.number,
            "function": row.function,
            "grade_id": row.grade_id,
            "points": row.points,
            "earned": row.points,
            "checks": [
                {"name": check.name, "points": check.points, "passed": True, "reason": "", "where": ""}
                for check in row.checks
            ],
            "summary": "",
            "mistake": None,
            "follows": [],
            "calls": [],
            "look": row.look,
        }
        | changes.get(row.grade_id, {})
        for row in exercises()
    ]
    return {"version": 1, "assignment": ASSIGNMENT, "notes": [], "problem": "", "exercises": entries} | about


def lost(grade_id: str, reasons: dict[str, str], **more: Any) -> dict[str, dict[str, Any]]:
    """The change to ``verdicts`` for an exercise that lost the checks which ``reasons`` names."""
    (row,) = [row for row in exercises() if row.grade_id == grade_id]
    checks = [
        {
            "name": check.name,
            "points": check.points,
            "passed": check.name not in reasons,
            "reason": reasons.get(check.name, ""),
            "where": "in every case tried; for instance 5 examples" if check.name in reasons else "",
        }
        for check in row.checks
    ]
    earned = sum(check["points"] for check in checks if check["passed"])
    return {grade_id: {"checks": checks, "earned": earned, "summary": "\n".join(reasons.values())} | more}


def graded_notebook(course: Course, change: Callable[[Notebook], Any] = lambda _: None) -> Notebook:
    """The source notebook, hidden tests and all, as it stands in ``autograded/``: run, with a few outputs."""
    notebook = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
    change(notebook)
    return notebook


def put_back(
    course: Course,
    student: str,
    data: dict[str, Any] | None,
    notebook: Notebook,
    gradebook: Callable[[Gradebook, Any], None] = lambda book, entry: None,
    automatic: dict[str, float] | None = None,
) -> None:
    """The student's notebook among the autograded ones, and its marks, those of ``data``, in the gradebook."""
    notebook = copy.deepcopy(notebook)
    if data is not None:
        notebook["metadata"]["coursekit"] = data
    folder = course.autograded(ASSIGNMENT, student)
    folder.mkdir(parents=True)
    (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    shutil.copyfile(course.root / "dnn_utils.py", folder / "dnn_utils.py")
    entries = [entry for entry in (data or verdicts())["exercises"] if isinstance(entry, dict) and "summary" in entry]
    marks = automatic or {entry["grade_id"]: entry["earned"] for entry in entries}
    said = {entry["grade_id"]: entry["summary"].encode("utf-8", "replace").decode() for entry in entries}
    with Gradebook(course.db_url) as book:
        book.update_or_create_student(student)
        entry = book.update_or_create_submission(ASSIGNMENT, student)
        for grade_id, mark in marks.items():
            grade = book.find_grade(f"{grade_id}-test", ASSIGNMENT, ASSIGNMENT, student)
            grade.auto_score, grade.needs_manual_grade = mark, False
            book.find_comment(grade_id, ASSIGNMENT, ASSIGNMENT, student).auto_comment = said[grade_id] or None
        gradebook(book, entry)
        book.db.commit()


def page_of(course: Course, student: str) -> str:
    """The student's feedback page, made by nbgrader's GenerateFeedback."""
    (page,) = generation.feedback(course, ASSIGNMENT, [student])
    assert page.problem == ""
    return Path(page.path).read_text(encoding="utf-8")


def code_cell(source: str, *outputs: dict[str, Any], cell_id: str = "added-1") -> dict[str, Any]:
    cell = {"id": cell_id, "cell_type": "code", "metadata": {}, "source": source, "execution_count": 1}
    return nbformat.from_dict(cell | {"outputs": list(outputs)})


def display(**data: Any) -> dict[str, Any]:
    """An output with these kinds of data; ``image_png`` is image/png, ``text_html`` text/html."""
    kinds = {name.replace("_", "/", 1): value for name, value in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def text_cell(source: str, cell_id: str = "added-1") -> dict[str, Any]:
    return {"id": cell_id, "cell_type": "markdown", "metadata": {}, "source": source}


class Parsed(HTMLParser):
    """The elements of a page, in order, as (tag, attributes), and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._quiet = 0
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._quiet += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text += data

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]
