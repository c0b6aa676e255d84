"""Answers of the catalogue as live functions, made the way a notebook makes them."""

import contextlib
import io
import itertools
import linecache
import warnings

import hidden_tests
import mistakes
import public_tests
from coursekit import notebooks, solutions
from coursekit.course import find_course
from coursekit.judge import judge
from coursekit.probe import observe

COURSE = find_course()
ASSIGNMENT = "step-by-step"
CELLS = {
    cell.id: cell.source for cell in notebooks.read(COURSE.source(ASSIGNMENT)).cells if notebooks.is_solution(cell)
}
CODE = {cell_id: compile(source, f"<solution {cell_id}>", "exec") for cell_id, source in CELLS.items()}
FUNCTIONS = {row.function: row for row in hidden_tests.exercises(ASSIGNMENT)}
IMPORTS = {key: value for key, value in solutions.load(COURSE, ASSIGNMENT).items() if key not in FUNCTIONS}
_numbers = itertools.count(1)


def run_cell(source, namespace):
    """Run a cell as IPython does: under a name of its own, with its lines where tracebacks look for them."""
    name = f"<cell {next(_numbers)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)


def namespace(*changes):
    """A notebook's variables after all cells have run, with these answers in place of the solution."""
    variables = dict(IMPORTS)
    for code in CODE.values():
        exec(code, variables)
    for change in changes:
        run_cell(mistakes.apply(change, CELLS[FUNCTIONS[change.function].grade_id]), variables)
    return variables


def function(source, name):
    """A student's function from its own source, in a notebook where everything else is right."""
    variables = namespace()
    run_cell(source, variables)
    return variables[name]


def public(name, target):
    """What the public test prints and what it complains about: (text, complaint), one of them empty."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a NumPy warning is no error
        try:
            getattr(public_tests, f"{name}_test")(target)
        except public_tests.PublicTestFailure as failure:
            return "", str(failure)
    return printed.getvalue(), ""


def verdict(name, target):
    """The marks for one function, judged in this process."""
    row = FUNCTIONS[name]
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return judge(row, observe(row, target), COURSE)
