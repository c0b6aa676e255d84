"""A student's folder -> the submitted cells, matched with the source's, and supporting files; the folder is only read.

The steps: list the files (``folders``), read the notebooks among them (``salvage``, ``archives``, ``candidates``),
choose the best one (``selection``), and read the files beside it (``supporting_files``). The result is always a value,
also for a broken submission, with one sentence for each thing that the student should know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import folders, pictures
from coursekit.submission.candidates import source_of
from coursekit.submission.matched_cells import MatchedCells
from coursekit.submission.selection import choose
from coursekit.submission.supporting_files import beside_notebook, timestamp

_STUDENT = re.compile(r"[^\s./\\+:*?\[\]=@-][^\s/\\+:*?\[\]]*")


@dataclass(frozen=True)
class Submission:
    """What a student handed in for one assignment.

    ``match`` has the cells of the notebook to grade, matched with those of the source notebook. If there is nothing to
    grade, it is None, and ``problem`` gives the reason. ``notes`` says what was repaired. ``supporting`` are the other
    files, by their path relative to the notebook: no notebooks, nothing that Python would import, nothing beyond the
    size limits.
    """

    student: str
    assignment: str
    match: MatchedCells | None
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
        note = f"This submission could not be graded. {error}. What was handed in is kept as it was."
        return Submission(student, assignment, None, (note,), str(error), date)
    supporting, about_files = beside_notebook(course, assignment, chosen.item, chosen.among)
    pictures.put_in(chosen.notebook, supporting)
    pictures.forget_plots(chosen.notebook, (cell.id for cell in source_of(course, assignment).cells
                                            if cell.cell_type == "code"))  # fmt: skip
    match = chosen.match.with_contents(chosen.notebook)
    notes = (*chosen.notes, *about_files, *about_date)
    return Submission(student, assignment, match, notes, supporting={**supporting, **date})
