"""A student's folder -> one notebook and its supporting files; nothing in the folder is changed.

The steps: list the files (``folders``), read the notebooks among them (``salvage``, ``archives``, ``candidates``),
choose the best one (``selection``), and read the files beside it (``supporting_files``). The result is always a value,
also for a broken submission, with one sentence for each thing that the student should know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from coursekit.model import notebooks, stubs
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import folders, pictures
from coursekit.submission.candidates import source_of
from coursekit.submission.selection import choose
from coursekit.submission.supporting_files import beside_notebook, timestamp

# Notebook metadata for later steps: notes, one sentence each, and the reason why nothing can be graded.
NOTES, PROBLEM = "coursekit_notes", "coursekit_problem"
_STUDENT = re.compile(r"[^\s./\\+:*?\[\]=@-][^\s/\\+:*?\[\]]*")


@dataclass(frozen=True)
class Submission:
    """What a student handed in for one assignment.

    ``notebook`` is the one to grade. If there is nothing to grade, ``problem`` gives the reason, and ``notebook`` is
    the unchanged release. ``notes`` says what was repaired. ``supporting`` are the other files, by their path relative
    to the notebook: no notebooks, nothing that Python would import, nothing beyond the size limits.
    """

    student: str
    assignment: str
    notebook: NotebookNode
    notes: tuple[str, ...] = ()
    problem: str = ""
    supporting: Mapping[str, bytes] = field(default_factory=dict)


def check_name(student: str) -> None:
    """Raise CourseError for a folder name that nbgrader's globs and regular expressions would misread."""
    if not _STUDENT.fullmatch(student):
        raise CourseError(f"submitted/{student}", "this folder name cannot be a student's id",
                          "rename it (no spaces, no / \\ + : * ? [ ], no . - = @ in front)")  # fmt: skip


def load(course: Course, assignment: str, student: str) -> Submission:
    """The student's submission. Its problems are in the value; only failures of the engine raise."""
    date: dict[str, bytes] = {}
    try:
        listing = folders.listing(course.submitted(assignment, student))
        date, about_date = timestamp(listing.files)
        chosen = choose(course, assignment, listing)
    except CourseError as error:
        blank = _blank(course, assignment)
        blank.metadata[NOTES] = [f"This submission could not be graded. {error}. What was handed in is kept as it was."]
        blank.metadata[PROBLEM] = str(error)
        return Submission(student, assignment, blank, problem=str(error), supporting=date)
    supporting, about_files = beside_notebook(course, assignment, chosen.item, chosen.among)
    pictures.put_in(chosen.notebook, supporting)
    pictures.forget_plots(chosen.notebook, (cell.id for cell in source_of(course, assignment).cells
                                            if cell.cell_type == "code"))  # fmt: skip
    notes = (*chosen.notes, *about_files, *about_date)
    chosen.notebook.metadata = nbformat.from_dict({NOTES: list(notes)})
    return Submission(student, assignment, chosen.notebook, notes, supporting={**supporting, **date})


def stage(loaded: Submission, folder: Path) -> None:
    """Write the submission to ``folder`` as nbgrader expects it: the notebook under its expected name, and files."""
    folder.mkdir(parents=True, exist_ok=True)
    text = notebooks.dumps(loaded.notebook)
    (folder / f"{loaded.assignment}.ipynb").write_text(text, encoding="utf-8", newline="\n")
    for name, data in loaded.supporting.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _blank(course: Course, assignment: str) -> NotebookNode:
    source = source_of(course, assignment)
    numbered = stubs.numbers(source)
    cells = [
        {**cell, "source": stubs.blank_cell(cell, numbered)} if notebooks.is_solution(cell) else cell
        for cell in source.cells
    ]
    return nbformat.from_dict({**source, "cells": cells})
