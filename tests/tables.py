"""The modules and tables of the assignments of this course, loaded in the process of the tests.

The engine never loads them; it asks a reference process. Here the modules of each assignment have different names.
"""

import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from coursekit.model.course import Course
from coursekit.reference import assignments
from coursekit.reference.assignments import Assignment
from coursekit.reference.table import Table
from selfcheck import recordings
from selfcheck.testing import Suite
from tests.classroom import ROOT

COURSE = Course(ROOT)
ASSIGNMENTS = COURSE.assignments()


@contextmanager
def importable(assignment: str) -> Iterator[None]:
    """Make the assignment's modules importable within; unload them afterwards, since others have the same names."""
    folders = [COURSE.folder(assignment), COURSE.hidden(assignment), COURSE.hidden(assignment).parent]
    added = [str(path) for path in (*folders, COURSE.root)]
    before = set(sys.modules)
    sys.path[:0] = added
    try:
        yield
    finally:
        del sys.path[: len(added)]
        for name in set(sys.modules) - before:
            file = Path(getattr(sys.modules[name], "__file__", None) or "/")
            if file.name == "public_tests.py" or any(file.parent == folder for folder in folders):
                del sys.modules[name]


@cache
def module(assignment: str, name: str) -> ModuleType | None:
    """``cases`` or a module in ``hidden/<assignment>/``; None if there is none."""
    folder = COURSE.folder(assignment) if name == "cases" else COURSE.hidden(assignment)
    path = folder / f"{name}.py"
    if not path.is_file():
        return None
    spec = spec_from_file_location(f"{assignment}.{name}", path)
    made = module_from_spec(spec)
    with importable(assignment):
        spec.loader.exec_module(made)
    return made


@cache
def table(assignment: str) -> Table:
    """The same table that the reference process of the assignment builds."""
    hidden = {name: module(assignment, name) for name in ("exercises", "mistakes", "equivalents", "demo")}
    return Table(
        COURSE,
        assignment,
        {exercise.function: exercise for exercise in module(assignment, "cases").EXERCISES},
        {grading.function: grading for grading in hidden["exercises"].EXERCISES},
        {name: found for name, found in hidden.items() if found is not None},
    )


@cache
def solved(assignment: str) -> dict[str, Any]:
    """The namespace of the source notebook after its solutions have run; ``table(assignment)`` keeps it."""
    with importable(assignment):
        return table(assignment).solution_namespace


@cache
def loaded(assignment: str) -> Assignment:
    """The assignment as the engine loads it."""
    return assignments.load(COURSE, assignment)


def exercise(key: str) -> Any:
    """The exercise ``<assignment>/<function>`` as the engine loads it."""
    assignment, _, function = key.partition("/")
    return loaded(assignment).exercise(function)


KEYS = tuple(
    f"{name}/{one.function}"
    for name in ASSIGNMENTS
    for one in sorted(module(name, "cases").EXERCISES, key=lambda one: one.number)
)


@cache
def testers(assignment: str) -> dict[str, Any]:
    """The public tests of an assignment, by name."""
    path = COURSE.folder(assignment) / recordings.NAME
    return Suite(module(assignment, "cases").EXERCISES, path).testers()


def wrong(key: str, name: str) -> Any:
    """The function of an exercise with a mistake of the catalogue."""
    assignment, _, function = key.partition("/")
    one = table(assignment)
    (mistake,) = [row for row in one.mistakes if (row.function, row.name) == (function, name)]
    return defined(key, mistake.source(one.cells[function]))


def defined(key: str, source: str) -> Any:
    """The function of an exercise as ``source`` defines it, among otherwise right functions."""
    assignment, _, function = key.partition("/")
    file = f"<{key} {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # as IPython does
    names = dict(solved(assignment))
    exec(compile(source, file, "exec"), names)
    return names[function]
