"""Notebooks of people who want marks for nothing, handed in and marked behind real walls, without the slow pictures."""

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

import nbformat

from coursekit import notebooks
from coursekit.course import Course
from coursekit.marking import marker as marking
from coursekit.marking.marker import Marked, Marker
from coursekit.marking.runner import Limits
from coursekit.reading import rebuild
from coursekit.sandbox import walls
from hidden_tests import exercises
from public_cases import build, inputs

QUICK = Limits(cell_timeout_s=2.5, call_timeout_s=0.8, notebook_timeout_s=60)


class Room:
    """One marker of one assignment, and the notebooks that it is given. A context manager."""

    def __init__(self, course: Course, assignment: str = "step-by-step", limits: Limits = QUICK) -> None:
        self.assignment, self.course = assignment, course
        self.rows = {row.function: row for row in exercises(assignment)}
        self.points = {name: row.points for name, row in self.rows.items()}
        self.source = _light(notebooks.read(course.source(assignment)))
        self.released = _light(notebooks.read(course.release(assignment) / f"{assignment}.ipynb"))
        self.solutions = {cell.id: cell.source for cell in self.source.cells if notebooks.is_solution(cell)}
        self.marker = Marker(course, assignment, limits, walls.require())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.marker.close()

    def notebook(
        self,
        answers: Mapping[str, str] = {},
        start: str = "",
        end: str = "",
        behind: Mapping[str, str] = {},
        blank: Iterable[str] = (),
    ) -> Any:
        """The released notebook with all solutions in it but for these ``answers`` and the ``blank`` functions.

        ``start`` and ``end`` are cells that the student added, ``behind`` those below the answer of a function.
        """
        notebook = copy.deepcopy(self.released)
        own = {self.rows[name].grade_id: text for name, text in answers.items()}
        empty = {self.rows[name].grade_id for name in blank}
        cells: list[Any] = [_cell(start)] if start else []
        for cell in notebook.cells:
            if cell.id in self.solutions and cell.id not in empty:
                cell.source = own.get(cell.id, self.solutions[cell.id])
            cells.append(cell)
            cells += [_cell(text) for name, text in behind.items() if self.rows[name].grade_id == cell.id]
        notebook.cells = [*cells, *([_cell(end)] if end else [])]
        return notebook

    def rebuilt(self, notebook: Any) -> Any:
        return rebuild.rebuild(self.source, notebook, self.assignment).notebook

    def mark(self, notebook: Any, files: Mapping[str, bytes] = {}) -> Marked:
        return self.marker.mark(self.rebuilt(notebook), files)

    def marks(self, marked: Marked) -> dict[str, float]:
        return {row["function"]: row["earned"] for row in marked.verdicts["exercises"]}

    def secrets(self) -> set[str]:
        """Numbers of the hidden cases, what goes in and what comes out, with eight digits: those of no public case."""
        from coursekit import recording

        public: set[str] = set()
        hidden: set[str] = set()
        for row in self.rows.values():
            for case in row.cases:
                into = public if case in row.public.cases else hidden
                for flat in (
                    inputs(row.public, build(row.public, case)),
                    recording.expected(self.course, row, case),
                ):
                    for leaf in flat.values():
                        numbers = getattr(leaf, "ravel", lambda: ())()
                        into.update(f"{abs(float(number)):.12f}"[:10] for number in numbers if number != round(number))
        return hidden - public


def _light(notebook: Any) -> Any:
    """Without the cells that only show something: they take most of the time."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code"
        and (notebooks.is_solution(cell) or notebooks.is_test(cell) or "imports" in cell.id or cell.id == "one-core")
    ]
    return notebook


def _cell(source: str) -> Any:
    return nbformat.v4.new_code_cell(source)


def printed(marked: Marked) -> str:
    """Everything that a cell showed, as text."""
    return "\n".join(
        json.dumps(cell.outputs, ensure_ascii=False) for cell in marked.notebook.cells if cell.cell_type == "code"
    )


def said(marked: Marked) -> str:
    """Everything that the verdicts say, as text."""
    return json.dumps(marked.verdicts, ensure_ascii=False)


def leaked(room: Room, marked: Marked) -> set[str]:
    """The numbers of hidden cases in what goes back to the student."""
    text = printed(marked) + said(marked)
    return {secret for secret in room.secrets() if secret in text}


__all__ = ["QUICK", "Room", "leaked", "marking", "printed", "said"]
