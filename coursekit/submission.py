"""A student's folder -> one notebook, repaired where it can be; nothing in the folder is changed."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from coursekit import notebooks, stubs
from coursekit.course import Course
from coursekit.errors import CourseError

# Notebook metadata by which the loader speaks to later steps: remarks, a sentence each, and why there is no answer.
NOTES, PROBLEM = "coursekit_notes", "coursekit_problem"
MAX_NOTEBOOK_BYTES = 20 << 20
_STUDENT = re.compile(r"[^\s./\\+:*?\[\]=@-][^\s/\\+:*?\[\]]*")


@dataclass(frozen=True)
class Submission:
    """What a student handed in for one assignment.

    ``notebook`` is the one to grade. ``problem`` says in words why there is nothing to grade, and then
    ``notebook`` is the untouched release. ``notes`` says what was repaired on the way.
    """

    student: str
    assignment: str
    notebook: NotebookNode
    notes: tuple[str, ...] = ()
    problem: str = ""


def shown(path: Path) -> str:
    """The name of a file as text that can be printed, whatever bytes it is made of."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def check_name(student: str) -> None:
    """Raise CourseError for a folder name that nbgrader's globs and regular expressions would misread."""
    if not _STUDENT.fullmatch(student):
        raise CourseError(f"submitted/{student}", "this folder name cannot be a student's id",
                          "rename it (no spaces, no / \\ + : * ? [ ], no dot in front)")  # fmt: skip


def load(course: Course, assignment: str, student: str) -> Submission:
    """The student's submission. Whatever is wrong with it is told in the value; only our own failures raise."""
    folder = course.submitted(assignment, student)
    try:
        path, notes = _find(folder, assignment)
        notebook = _read(path, folder)
    except CourseError as error:
        blank = _blank(course, assignment)
        blank.metadata[NOTES] = [f"This submission could not be graded. {error}. What was handed in is kept as it was."]
        blank.metadata[PROBLEM] = str(error)
        return Submission(student, assignment, blank, problem=str(error))
    given = course.trusted_files(assignment)
    modules = sorted(shown(path) for path in folder.glob("*.py") if path.name not in given)
    if modules:
        notes = (*notes, f"Python files beside the notebook were not used: {', '.join(modules)}.")
    notebook.metadata = nbformat.from_dict({NOTES: list(notes)})
    return Submission(student, assignment, notebook, notes)


def _find(folder: Path, assignment: str) -> tuple[Path, tuple[str, ...]]:
    """The notebook to grade: the one with the right name, else the only one, else the one that changed last."""
    expected = folder / f"{assignment}.ipynb"
    if expected.is_symlink() or expected.is_file():
        return expected, ()
    found = [path for path in sorted(folder.glob("*.ipynb")) if path.is_file() or path.is_symlink()]
    if not found:
        others = ", ".join(sorted(map(shown, folder.iterdir()))[:5]) or "nothing"
        raise CourseError(expected.name, f"no notebook was handed in (there is {others})", f"hand in {expected.name}")
    if len(found) == 1:
        return found[0], (f"The notebook was called {shown(found[0])}; it was graded as {expected.name}.",)
    newest = max(found, key=lambda path: (path.lstat().st_mtime, path.name))
    names = ", ".join(map(shown, found))
    several = f"There were several notebooks ({names}), none called {expected.name}"
    return newest, (f"{several}; the newest, {shown(newest)}, was graded.",)


def _read(path: Path, folder: Path) -> NotebookNode:
    if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
        raise CourseError(shown(path), "a symbolic link, not a file", "hand in the notebook itself")
    if path.stat().st_size > MAX_NOTEBOOK_BYTES:
        raise CourseError(shown(path), f"larger than {MAX_NOTEBOOK_BYTES >> 20} MiB",
                          "clear all outputs, save, and hand in again")  # fmt: skip
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(shown(path), f"cannot be read ({error})", "save it in JupyterLab and hand in again") from None
    return notebooks.parse(text, shown(path), answers_only=True)


def _blank(course: Course, assignment: str) -> NotebookNode:
    source = notebooks.read(course.source(assignment))
    cells = [
        {**cell, "source": stubs.blank_cell(cell, assignment)} if notebooks.is_solution(cell) else cell
        for cell in source.cells
    ]
    return nbformat.from_dict({**source, "cells": cells})
