"""The notebooks among the submitted files: read within limits, and ranked by how much of an answer they hold."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from coursekit.experiments import plan
from coursekit.model import notebooks, stubs
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import archives, rebuild, salvage
from coursekit.submission.folders import Item
from coursekit.submission.matched_cells import MatchedCells, match_cells
from coursekit.submission.plain_notebook import SalvagedNotebook

MAX_NOTEBOOK_BYTES, MAX_READ_BYTES, MAX_NOTEBOOKS, MAX_ARCHIVES = 64 << 20, 80 << 20, 20, 3
# Limit on the characters of all notebooks together; each cell adds CELL_COUNTS. One notebook is always read.
MAX_COMPARED, CELL_COUNTS = 1_000_000, 200
# Ranks of a notebook: with answers (complete, partly lost, a checkpoint of JupyterLab), with text that may be one,
# without answers, not of this assignment, of another assignment.
WHOLE, PARTLY, EARLIER, UNSURE, UNANSWERED, UNKNOWN, OTHER = 6, 5, 4, 3, 2, 1, 0
NOTEBOOK_NAME = re.compile(r"\.(ipynb|json)( ?\(\d+\))?(\.(txt|json|ipynb))?$", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """A notebook that may be the one to grade, and its cells, matched with those of the source notebook."""

    item: Item
    salvaged: SalvagedNotebook
    match: MatchedCells
    rank: int
    answers: Mapping[str, str]  # by the id of the answer cell
    unchanged: bool = False  # equal to the release
    other: str = ""  # the assignment that it really belongs to


class Reader:
    """Reads notebooks one after another, up to the limits; keeps what went wrong as CourseErrors."""

    def __init__(self, course: Course, assignment: str) -> None:
        self._course, self._assignment = course, assignment
        self._bytes, self._files, self._compared = MAX_READ_BYTES, MAX_NOTEBOOKS, MAX_COMPARED
        self.found: list[Candidate] = []
        self.problems: list[CourseError] = []
        self.unread_count = 0  # number of notebooks that were not read, because of the limits
        self.files_by_archive: dict[str, tuple[Item, ...]] = {}  # by name of the archive; "" for the folder

    def read(self, files: tuple[Item, ...]) -> None:
        """Read the notebooks in a folder; those in its archives too, if no notebook in the folder is complete."""
        self.files_by_archive[""] = files
        packed = self._read_notebooks(files)
        if not any(one.rank == WHOLE for one in self.found):
            for item in [*packed, *filter(_is_archive, files)][:MAX_ARCHIVES]:
                self._unpack(item)

    def _read_notebooks(self, files: Iterable[Item]) -> list[Item]:
        """Add the notebooks among these files to the candidates or problems; return archives named like a notebook."""
        expected = f"{self._assignment}.ipynb"
        chosen = [item for item in files if NOTEBOOK_NAME.search(item.path.name)]
        packed = []
        for item in sorted(chosen, key=lambda item: (item.checkpoint, item.path.name != expected, -item.modified)):
            if self._files <= 0 or self._bytes <= 0 or self._compared <= 0:
                self.unread_count += 1
                continue
            self._files -= 1
            try:
                data = self._bytes_of(item, MAX_NOTEBOOK_BYTES)
                if data.startswith(archives.SIGNATURE):
                    packed.append(item)
                    continue
                for read in salvage.notebooks_in(data, item.name, always_run(self._course, self._assignment)):
                    cells = read.notebook.cells
                    size = sum(len(cell.source) for cell in cells) + CELL_COUNTS * len(cells)
                    if not self.found or size <= self._compared:
                        self.found.append(_candidate(self._course, self._assignment, item, read))
                    else:
                        self.unread_count += 1
                    self._compared -= size
            except CourseError as error:
                if ".ipynb" in item.path.name.lower():  # a .json file may be anything
                    self.problems.append(error)
        return packed

    def _unpack(self, item: Item, *, nested: bool = False) -> None:
        """Read the notebooks in an archive, and in archives inside it, but no deeper."""
        try:
            inside = archives.files_in(self._bytes_of(item, archives.MAX_ARCHIVE_BYTES), item.name)
        except CourseError as error:
            self.problems.append(error)
            return
        self.files_by_archive[item.name] = inside
        before = len(self.found), len(self.problems)
        self._read_notebooks(inside)
        packed = [inner for inner in inside if _is_archive(inner)]
        if len(self.found) == before[0] and not nested:
            for inner in packed[:MAX_ARCHIVES]:
                self._unpack(inner, nested=True)
        if (len(self.found), len(self.problems)) == before:
            what = (
                "archives packed into each other, three deep, which are not opened"
                if nested and packed
                else "there is no notebook in it"
            )
            remedy = f"put {self._assignment}.ipynb into it, and hand in again"
            self.problems.append(CourseError(item.name, what, remedy))

    def _bytes_of(self, item: Item, limit: int) -> bytes:
        limit = min(limit, max(self._bytes, 0))
        try:
            data = item.read(limit)
        except OSError as error:
            why = (error.strerror or str(error)).strip()
            remedy = "hand in the notebook itself" if item.archive else "check its permissions, or hand in again"
            raise CourseError(item.name, f"cannot be read ({why})", remedy) from None
        self._bytes -= len(data)
        if len(data) > limit:
            if self._bytes < 0:
                more = f"with it, there would be more than {MAX_READ_BYTES >> 20} MiB of notebooks and archives to read"
                raise CourseError(item.name, more, f"hand in {self._assignment}.ipynb alone")
            remedy = "clear all outputs, save, and hand in again"
            raise CourseError(item.name, f"larger than {limit >> 20} MiB", remedy)
        return data


def _candidate(course: Course, assignment: str, item: Item, read: SalvagedNotebook) -> Candidate:
    match = match_cells(source_of(course, assignment), read.notebook)
    known, content = rebuild.resemblance(match), rebuild.content(match)
    other = _other_assignment(course, assignment, match, known)
    if other:
        rank = OTHER
    elif not known:
        rank = UNKNOWN
    elif not content.answers:
        rank = UNANSWERED
    elif not content.sure:
        rank = UNSURE
    elif item.checkpoint:
        rank = EARLIER
    else:
        rank = WHOLE if read.whole else PARTLY
    return Candidate(item, read, match, rank, content.answers, content.unchanged, other)


def _other_assignment(course: Course, assignment: str, match: MatchedCells, known: int) -> str:
    """Another assignment that a notebook resembles far more than this one; "" if there is none."""
    best, share = "", 1.5 * known / len(source_of(course, assignment).cells)
    for name in course.assignments():
        if name == assignment or share >= 1:
            continue
        try:
            source = source_of(course, name)
        except CourseError:  # its author is at it: that costs nobody a mark here
            continue
        there = rebuild.resemblance(match.with_source(source))
        if there > max(known, 2) and there / len(source.cells) > share:
            best, share = name, there / len(source.cells)
    return best


def _is_archive(item: Item) -> bool:
    return item.path.suffix.lower() == ".zip"


def source_of(course: Course, assignment: str) -> NotebookNode:
    """The source notebook of an assignment. It is cached: do not change it."""
    path = course.source(assignment)
    return _source_as_of(path, path.stat().st_mtime_ns if path.is_file() else 0)


def released(course: Course, assignment: str) -> NotebookNode:
    """The notebook as it is before any answer; with the hidden tests of the source notebook."""
    source = source_of(course, assignment)
    numbered = stubs.numbers(source)
    cells = [
        {**cell, "source": stubs.blank_cell(cell, numbered)} if notebooks.is_solution(cell) else cell
        for cell in source.cells
    ]
    return nbformat.from_dict({**source, "cells": cells})


def always_run(course: Course, assignment: str) -> frozenset[str] | None:
    """The ids of the code cells that are run in every submission; None if the assignment has no experiments."""
    path = course.source(assignment)
    return _run_as_of(path, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=16)
def _run_as_of(path: Path, changed: int) -> frozenset[str] | None:
    source = _source_as_of(path, changed)
    unrun = plan.unrun(source)
    return frozenset(cell.id for cell in source.cells if cell.id not in unrun) if unrun else None


@lru_cache(maxsize=16)
def _source_as_of(path: Path, changed: int) -> NotebookNode:
    return notebooks.read(path)
