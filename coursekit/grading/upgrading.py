"""Upgrade a gradebook: give its cells the grade ids of the source, with every mark and comment that they have.

nbgrader refuses to enter a notebook whose graded cells are others than those of the submissions in the gradebook. Here
a cell gets another name, so that its marks, comments and extra credit stay, the grader's and a person's.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nbgrader import api
from nbgrader.api import Gradebook, MissingEntry

from coursekit.grading import gradebook, registration, reviews, workspace
from coursekit.grading.grade_ids import Cell, Plan, plan
from coursekit.model import database
from coursekit.model.course import Course

_KINDS = ("grade_cells", "solution_cells", "task_cells")  # of nbgrader's Notebook


@dataclass(frozen=True)
class Upgrade:
    """The plan for one assignment, of so many submissions. ``by_person``: a person's marks and comments, by cell."""

    assignment: str
    plan: Plan
    submissions: int
    by_person: Mapping[str, int]


@contextmanager
def compared(
    course: Course, assignments: Sequence[str], rename: Mapping[str, str], remove: Collection[str]
) -> Iterator[tuple[list[Upgrade], Callable[[], None]]]:
    """Compare the gradebook with the source of these assignments; ``rename`` and ``remove`` as for ``grade_ids.plan``.

    Yields the plans of those in the gradebook, and the function that carries all of them out, in one transaction.
    Raises CourseError.
    """
    with workspace.folder(course) as folder, gradebook.opened(course) as book:
        anew = database.in_folder(folder)
        there = [name for name in assignments if _notebook(book, name)]
        for name in there:
            registration.generate(course, name, folder / "release", database=True, db_url=anew)
        with Gradebook(anew) as source:
            found = [_compare(book, source, name, rename, remove) for name in there]
            book.db.rollback()
            yield found, lambda: _carry_out(course, book, source, found)


def _notebook(book: Any, assignment: str) -> Any:
    """nbgrader's Notebook; None if it is not in the gradebook."""
    try:
        return book.find_notebook(assignment, assignment)
    except MissingEntry:
        return None


def _compare(book: Any, source: Any, assignment: str, rename: Mapping[str, str], remove: Collection[str]) -> Upgrade:
    notebook, now = _notebook(book, assignment), _notebook(source, assignment)
    many = len(notebook.submissions)
    made = plan(_cells(notebook), _cells(now), rename, remove) if many else Plan()  # nbgrader enters it anew by itself
    by_person = Counter[str]()
    for cell in notebook._base_cells:  # a written answer is two of them
        by_person[cell.name] += _by_person(cell)
    return Upgrade(assignment, made, many, by_person)


def _cells(notebook: Any) -> list[Cell]:
    kinds: dict[str, set[str]] = {}
    for cell in (cell for kind in _KINDS for cell in getattr(notebook, kind)):
        kinds.setdefault(cell.name, set()).add(cell.type)
    return [
        Cell(cell.name, frozenset(kinds[cell.name]), cell.cell_type, cell.source or "")
        for cell in notebook.source_cells
        if cell.name in kinds
    ]


def _by_person(cell: Any) -> int:
    marks = sum(grade.manual_score is not None or bool(grade.extra_credit) for grade in cell.grades)
    return marks + sum(bool(comment.manual_comment) for comment in cell.comments)


def _carry_out(course: Course, book: Any, source: Any, found: Sequence[Upgrade]) -> None:
    with database.translated_errors(course.db_url):
        reviews.prepare(book)
        try:
            for one in found:
                if one.plan:
                    _change(book.db, _notebook(book, one.assignment), _notebook(source, one.assignment), one.plan)
            book.db.commit()
        except BaseException:
            book.db.rollback()
            raise
    for one in found:
        registration.forget(course, one.assignment)  # so that points and texts are entered, too


def _change(db: Any, notebook: Any, now: Any, made: Plan) -> None:
    cells = list(notebook._base_cells)
    for cell in cells:
        if cell.name in made.removed:
            for entry in (*cell.grades, *cell.comments, cell):
                db.delete(entry)
    db.flush()
    renamed = [cell for cell in cells if cell.name in made.renamed]
    names = [made.renamed[cell.name] for cell in renamed]
    for values in ([f"renamed {number}" for number in range(len(names))], names):  # two steps: names may be swapped
        for cell, name in zip(renamed, values, strict=True):
            cell.name = name
        db.flush()
    for cell in now._base_cells:
        if cell.name in made.added:
            _add(db, notebook, cell)
    _replace_source(db, notebook, now)
    for submitted in notebook.submissions:
        reviews.rename(db, submitted.assignment_id, made.renamed, made.removed)
    db.flush()


def _add(db: Any, notebook: Any, like: Any) -> None:
    """Add a cell as nbgrader would have: with an empty grade and comment in every submission."""
    graded, answered = not isinstance(like, api.SolutionCell), not isinstance(like, api.GradeCell)
    about = {"max_score": like.max_score, "cell_type": like.cell_type} if graded else {}
    cell = type(like)(name=like.name, notebook=notebook, **about)
    db.add(cell)
    for submitted in notebook.submissions:
        if graded:
            db.add(api.Grade(cell=cell, notebook=submitted))
        if answered:
            db.add(api.Comment(cell=cell, notebook=submitted))


def _replace_source(db: Any, notebook: Any, now: Any) -> None:
    """Enter texts and order of the source; nothing refers to these rows."""
    for cell in list(notebook.source_cells):
        db.delete(cell)
    db.flush()
    for cell in now.source_cells:
        about = {name: getattr(cell, name) for name in ("name", "cell_type", "locked", "source", "checksum")}
        db.add(api.SourceCell(notebook=notebook, **about))
        db.flush()  # one by one: the rows are read in the order in which they were made
