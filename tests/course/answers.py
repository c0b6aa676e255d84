"""Answers of the catalogue as live functions, made the way a notebook makes them."""

import contextlib
import functools
import io
import itertools
import linecache
import warnings

import hidden_tests
import mistakes

import public_tests
from coursekit import notebooks, solutions
from coursekit.course import find_course
from coursekit.marking.judge import judge
from coursekit.marking.probe import observe
from selfcheck.testing import PublicTestFailure

COURSE = find_course()
KEYS = tuple(hidden_tests.TABLE)
_numbers = itertools.count(1)


@functools.cache
def rows(assignment):
    """The exercises of an assignment by the names of their functions."""
    return {row.function: row for row in hidden_tests.exercises(assignment)}


@functools.cache
def cells(assignment):
    """The solution cells of the source notebook that are code, by id."""
    return {
        cell.id: cell.source
        for cell in notebooks.read(COURSE.source(assignment)).cells
        if notebooks.is_solution(cell) and cell.cell_type == "code"
    }


@functools.cache
def _code(assignment):
    return {cell_id: compile(source, f"<solution {cell_id}>", "exec") for cell_id, source in cells(assignment).items()}


@functools.cache
def _imports(assignment):
    return {key: value for key, value in solutions.load(COURSE, assignment).items() if key not in rows(assignment)}


def key_of(name):
    """A function's name alone means the one of the first assignment."""
    return name if "/" in name else f"step-by-step/{name}"


def cell_of(key):
    """The solution cell of an exercise."""
    return cells(key.partition("/")[0])[hidden_tests.TABLE[key].grade_id]


def run_cell(source, namespace):
    """Run a cell as IPython does: under a name of its own, with its lines where tracebacks look for them."""
    name = f"<cell {next(_numbers)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)


def namespace(*changes, assignment=None):
    """A notebook's variables after all cells have run, with these answers in place of the solution."""
    assignment = assignment or (changes[0].exercise.partition("/")[0] if changes else "step-by-step")
    changed = {hidden_tests.TABLE[change.exercise].grade_id: change for change in changes}
    variables = dict(_imports(assignment))
    for cell_id, code in _code(assignment).items():
        if cell_id in changed:
            run_cell(mistakes.apply(changed[cell_id], cells(assignment)[cell_id]), variables)
        else:
            exec(code, variables)
    return variables


@functools.cache
def solved(assignment):
    """The variables of the source notebook itself; shared, so leave them as they are."""
    return namespace(assignment=assignment)


def answer(change):
    """The function as somebody who gives this answer would write it."""
    return namespace(change)[change.function]


def function(source, key):
    """A student's function from its own source, in a notebook where everything else is right."""
    key = key_of(key)
    assignment, _, name = key.partition("/")
    variables = namespace(assignment=assignment)
    run_cell(source, variables)
    return variables[name]


def test_of(key):
    """The public test of an exercise, found by its name."""
    assignment, _, name = key_of(key).partition("/")
    return public_tests.SUITE.testers()[f"{'digits_' if assignment == 'digits' else ''}{name}_test"]


test_of.__test__ = False


def public(key, target):
    """What the public test prints and what it complains about: (text, complaint), one of them empty."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a NumPy warning is no error
        try:
            test_of(key)(target)
        except PublicTestFailure as failure:
            return "", str(failure)
    return printed.getvalue(), ""


def observed(row, target):
    """What a probe sees of one function, in this process."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return observe(row, target)


def verdict(key, target):
    """The marks for one function, judged in this process."""
    row = hidden_tests.TABLE[key_of(key)]
    return judge(row, observed(row, target), COURSE)
