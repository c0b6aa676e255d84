"""Answers of the catalogue as live functions, made the way a notebook makes them."""

import contextlib
import functools
import io
import itertools
import linecache
import warnings
from dataclasses import dataclass

from coursekit.marking.function_calls import observe
from coursekit.marking.judge import judge
from coursekit.reference.catalogue import Answer
from selfcheck.testing import PublicTestFailure, Suite
from tests import tables
from tests.tables import ASSIGNMENTS, COURSE, KEYS, exercise, loaded, table

__all__ = ["COURSE", "KEYS"]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class NamedMistake:
    """An answer of the catalogue, with the assignment that it belongs to."""

    assignment: str
    row: Answer

    @property
    def key(self):
        return f"{self.assignment}/{self.row.function}"

    def __str__(self):
        return f"{self.assignment}/{self.row}"


MISTAKES = tuple(NamedMistake(name, row) for name in ASSIGNMENTS for row in table(name).mistakes)
RIGHT_ANSWERS = tuple(NamedMistake(name, row) for name in ASSIGNMENTS for row in table(name).right_answers)


def find(key, name):
    """The mistake or the right answer with this name."""
    (found,) = (answer for answer in (*MISTAKES, *RIGHT_ANSWERS) if str(answer) == f"{key_of(key)}:{name}")
    return found


def mistakes_of(key):
    """The rows of one exercise's mistakes, in the order of the catalogue."""
    return tuple(mistake.row for mistake in MISTAKES if mistake.key == key)


@functools.cache
def rows(assignment):
    """The exercises of an assignment by the names of their functions."""
    return {row.function: row for row in loaded(assignment).exercises}


def cells(assignment):
    """The solution cells of the source notebook that are code, by function."""
    return table(assignment).cells


@functools.cache
def _code(assignment):
    return {name: compile(source, f"<solution {name}>", "exec") for name, source in cells(assignment).items()}


@functools.cache
def _imports(assignment):
    return {key: value for key, value in tables.solved(assignment).items() if key not in rows(assignment)}


def key_of(name):
    """A function's name alone means the one of the first assignment."""
    return name if "/" in name else f"step-by-step/{name}"


def cell_of(key):
    """The solution cell of an exercise."""
    assignment, _, name = key.partition("/")
    return cells(assignment)[name]


def run_cell(source, namespace):
    """Run a cell as IPython does: under a name of its own, with its lines where tracebacks look for them."""
    name = f"<cell {next(_numbers)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)


def namespace(*changes, assignment=None):
    """A notebook's variables after all cells have run, with these answers in place of the solution."""
    assignment = assignment or (changes[0].assignment if changes else "step-by-step")
    changed = {change.row.function: change.row for change in changes}
    variables = dict(_imports(assignment))
    for name, code in _code(assignment).items():
        if name in changed:
            run_cell(changed[name].source(cells(assignment)[name]), variables)
        else:
            exec(code, variables)
    return variables


@functools.cache
def solved(assignment):
    """The variables of the source notebook itself; shared, so leave them as they are."""
    return namespace(assignment=assignment)


def answer(change):
    """The function as somebody who gives this answer would write it."""
    return namespace(change)[change.row.function]


def function(source, key):
    """A student's function from its own source, in a notebook where everything else is right."""
    assignment, _, name = key_of(key).partition("/")
    variables = namespace(assignment=assignment)
    run_cell(source, variables)
    return variables[name]


def public_half(key):
    """The exercise as ``cases.py`` has it."""
    assignment, _, name = key_of(key).partition("/")
    return table(assignment).cases[name]


def public_test_of(key, recorded=None):
    """The public test of an exercise; ``recorded`` is in place of the assignment's own recording."""
    row = exercise(key_of(key))
    if recorded is None:
        return tables.testers(row.assignment)[row.test]
    return Suite([public_half(key)], recorded).testers()[row.test]


def public(key, target, recorded=None):
    """What the public test prints and what it complains about: (text, complaint), one of them empty."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a NumPy warning is no error
        try:
            public_test_of(key, recorded)(target)
        except PublicTestFailure as failure:
            return "", str(failure)
    return printed.getvalue(), ""


def observed(row, target):
    """What a probe sees of one function, in this process."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return observe(row, target)


def judged(row, seen):
    """The marks for what was seen of one function."""
    return judge(loaded(row.assignment), row, seen)


def verdict(key, target):
    """The marks for one function, judged in this process."""
    row = exercise(key_of(key))
    return judged(row, observed(row, target))
