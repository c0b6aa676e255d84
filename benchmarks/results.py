"""What came out of a grading: of every student all that is in the gradebook and in the file; and what is left over."""

import hashlib
import json
import warnings
from dataclasses import dataclass
from typing import Any

from benchmarks.hand_ins import ASSIGNMENT
from coursekit.model.course import Course


@dataclass(frozen=True)
class Result:
    """What one student has got: every mark and comment of the gradebook, the verdicts and the notebook of the file."""

    grades: tuple[tuple[str, float | None], ...]
    comments: tuple[tuple[str, str | None], ...]
    verdicts: dict[str, Any]
    notebook: str  # hash; empty where it is not there, or not whole


def results(room: Course) -> tuple[dict[str, Result], list[str]]:
    """What each student has got, and in words what is there more than once, or not for every cell."""
    from nbgrader.api import Gradebook

    found: dict[str, Result] = {}
    wrong: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy has much to say about nbgrader's models
        with Gradebook(room.db_url) as book:
            master = {cell.name for cell in book.find_notebook(ASSIGNMENT, ASSIGNMENT).grade_cells}
            for one in book.assignment_submissions(ASSIGNMENT):
                student = one.student.id
                if student in found:
                    wrong.append(f"{student}: there are two submissions in the gradebook")
                grades = sorted((grade.name, grade.auto_score) for book_ in one.notebooks for grade in book_.grades)
                comments = sorted((note.name, note.auto_comment) for book_ in one.notebooks for note in book_.comments)
                names = [name for name, _ in grades]
                if len(one.notebooks) != 1 or len(names) != len(set(names)) or set(names) != master:
                    wrong.append(f"{student}: {len(one.notebooks)} notebooks, and not every cell has one mark")
                found[student] = Result(tuple(grades), tuple(comments), *_file(room, student))
    return found, wrong


def _file(room: Course, student: str) -> tuple[dict[str, Any], str]:
    """The verdicts in a student's autograded notebook, and its hash."""
    path = room.autograded(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb"
    try:
        data = path.read_bytes()
        return json.loads(data)["metadata"]["coursekit"], hashlib.sha256(data).hexdigest()
    except (OSError, ValueError, KeyError):
        return {"exercises": [], "problem": ""}, ""


def difference(have: Result, want: Result) -> str:
    """In words, the first thing that differs."""
    for what, ours, theirs in (("marks", have.grades, want.grades), ("comments", have.comments, want.comments)):
        other = [f"{one} and not {two}" for one, two in zip(ours, theirs, strict=False) if one != two]
        if other or len(ours) != len(theirs):
            return f"{what}: {other[0] if other else len(ours)}"
    keys = (key for key in want.verdicts if have.verdicts.get(key) != want.verdicts[key])
    return next((f"{key}: {have.verdicts.get(key)} and not {want.verdicts[key]}"[:1000] for key in keys), "verdicts")


def left_over(room: Course) -> list[str]:
    """What lies where nothing should: temporary files and folders, and half-made ones in the course."""
    folder = room.root.parent
    left = [*(folder / "tmp").rglob("*"), *room.root.rglob("*.part"), *room.root.rglob("*-journal")]
    kept = ("fontlist-", "pictures-")  # for the next sandbox
    left += [path for path in (folder / "cache").rglob("*") if path.is_file() and not path.name.startswith(kept)]
    left += [*room.root.glob("autograded/.*"), *room.root.glob(".coursekit/re*-*/")]
    left += [path for path in room.root.iterdir() if path.name.startswith("tmp")]
    return [f"left over: {path.relative_to(folder)}" for path in left]
