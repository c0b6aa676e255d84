"""Imports an assignment's modules and joins what they say about its exercises."""

import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.model.exercise import grade_id
from coursekit.reference.catalogue import RightAnswer, WrongAnswer, rows
from coursekit.reference.rows import Grading
from selfcheck.exercises import Case, Exercise

_HIDDEN_MODULES = ("exercises", "mistakes", "equivalents", "demo")


@dataclass(frozen=True)
class Table:
    """The exercises of an assignment with everything that its authors wrote about them, as Python objects."""

    course: Course
    assignment: str
    cases: Mapping[str, Exercise]  # by function, in the order of the numbers
    grading: Mapping[str, Grading]
    hidden_modules: Mapping[str, ModuleType]  # the modules in hidden/<assignment>/

    @classmethod
    def load(cls, root: Path, assignment: str) -> "Table":
        """Import the modules of an assignment by their ordinary names; call this once per process."""
        course = Course(root)
        folder, hidden = course.folder(assignment), course.hidden(assignment)
        sys.path[:0] = [str(path) for path in (folder, root, hidden, hidden.parent)]
        if folder.is_dir():
            os.chdir(folder)  # the working directory of the notebook's kernel
        public = _module(folder, "cases")
        hidden_modules = {name: found for name in _HIDDEN_MODULES if (found := _module(hidden, name)) is not None}
        exercises = sorted(getattr(public, "EXERCISES", ()), key=lambda exercise: exercise.number)
        graded = getattr(hidden_modules.get("exercises"), "EXERCISES", ())
        return cls(
            course,
            assignment,
            _by_function(exercises, folder / "cases.py"),
            _by_function(graded, hidden / "exercises.py"),
            hidden_modules,
        )

    def all_cases(self, function: str) -> tuple[Case, ...]:
        """The public cases of an exercise, then the hidden ones, if it has points yet."""
        hidden = self.grading[function].cases if function in self.grading else ()
        return (*self.cases[function].cases, *hidden)

    @cached_property
    def mistakes(self) -> tuple[WrongAnswer, ...]:
        """The mistakes in the order of the catalogue: of two with the same results, the first one is recognised."""
        return tuple(rows(WrongAnswer, getattr(self.hidden_modules.get("mistakes"), "MISTAKES", {})))

    @cached_property
    def right_answers(self) -> tuple[RightAnswer, ...]:
        return tuple(rows(RightAnswer, getattr(self.hidden_modules.get("mistakes"), "RIGHT_ANSWERS", {})))

    @property
    def unstable(self) -> Mapping[str, tuple[str, ...]]:
        """By ``function:mistake``, the cases in which a mistake gives different numbers on other computers."""
        return getattr(self.hidden_modules.get("mistakes"), "UNSTABLE", {})

    @property
    def equivalent(self) -> Mapping[str, Mapping[str, str]]:
        """By function, the equivalent mutants, with the reasons."""
        return getattr(self.hidden_modules.get("equivalents"), "EQUIVALENT", {})

    @cached_property
    def cells(self) -> dict[str, str]:
        """The sources of the solution cells that are code, by function."""
        from coursekit.reference import solutions  # notebooks are slow to import, and a description needs none

        by_id = {grade_id(function): function for function in self.cases}
        found = solutions.cells(self.course, self.assignment)
        return {by_id[name]: source for name, source in found.items() if name in by_id}

    @cached_property
    def solution_namespace(self) -> dict[str, Any]:
        """The namespace of the source notebook after its solutions have run."""
        from coursekit.reference import solutions

        return solutions.load(self.course, self.assignment)

    def gaps(self) -> Iterator[str]:
        """Names that are inconsistent between the files of the assignment."""
        cases, hidden = f"source/{self.assignment}/cases.py", f"hidden/{self.assignment}"
        for function in self.cases:
            if function not in self.grading:
                yield f"{function} has no points: add it to {hidden}/exercises.py"
        for function in self.grading:
            if function not in self.cases:
                yield f"{function} has points, but no cases: add it to {cases}"
            else:
                yield from self._gaps_of(function)
        for answer in (*self.mistakes, *self.right_answers):
            if answer.function not in self.cases:
                yield f"{hidden}/mistakes.py has an answer to {answer.function}, which is no exercise: remove it"
        for function in self.equivalent:
            if function not in self.cases:
                yield f"{hidden}/equivalents.py has mutants of {function}, which is no exercise: remove them"

    def _gaps_of(self, function: str) -> Iterator[str]:
        grading = self.grading[function]
        names = [case.name for case in self.all_cases(function)]
        where = f"hidden/{self.assignment}/exercises.py"
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{function} has two cases {name!r}: rename one of them"
        for check in grading.checks:
            for start in check.cases:
                if not any(name.startswith(start) for name in names):
                    yield f"{function}, check {check.name!r}: no case begins with {start!r}: change it in {where}"
        for other in grading.depends_on:
            if other not in self.cases:
                yield f"{function} depends on {other}, which is no exercise: change it in {where}"


def _module(folder: Path, name: str) -> ModuleType | None:
    """The module in this folder; None if there is no such file. Raises what its import raises.

    Raises CourseError if another module of that name is found first.
    """
    path = folder / f"{name}.py"
    if not path.is_file():
        return None
    module = importlib.import_module(name)
    if Path(str(module.__file__)) != path:
        raise CourseError(path, f"{module.__file__} has the same name", "rename that module")
    return module


def _by_function(found: Any, path: Path) -> dict[str, Any]:
    by_function = {one.function: one for one in found}
    if len(by_function) < len(found):
        raise CourseError(path, "an exercise is there twice", "remove one of the two")
    return by_function
