"""Compare the cells of a notebook with the table of exercises: ids, points, flags, displayed values."""

import ast
from collections.abc import Iterator

from nbformat import NotebookNode

from coursekit.authoring.checks.findings import Finding, Source
from coursekit.model import notebooks, stubs
from coursekit.model.exercise import Exercise

SCHEMA_VERSION = 3
MAX_LINES = 15  # that students see; a longer cell contains more than one idea
SOLUTION_FLAGS = {"grade": False, "locked": False, "solution": True, "task": False}
WRITTEN_FLAGS = {"grade": True, "locked": False, "solution": True, "task": False}  # graded by a person
TEST_FLAGS = {"grade": True, "locked": True, "solution": False, "task": False}


def check(source: Source) -> list[Finding]:
    """Findings E3xx of one notebook."""
    rows = source.exercises
    cells = source.notebook.cells
    findings = [finding for row in rows for finding in _exercise(source, row)]
    known = {name for row in rows for name in (row.grade_id, f"{row.grade_id}-test")}
    for cell in cells:
        if notebooks.grader_metadata(cell):
            findings += _flags(source, cell)
            if (notebooks.grade_id(cell) or "") not in known and not notebooks.is_written(cell):
                remedy = f"add its exercise to {_table(source)}, or take nbgrader's metadata off it"
                findings.append(Finding("E308", source.at(cell), "belongs to no exercise of the table", remedy))
        if cell.cell_type == "code":
            findings += _code(source, cell)
    return findings


def _table(source: Source) -> str:
    return f"hidden/{source.assignment}/exercises.py"


def _exercise(source: Source, row: Exercise) -> list[Finding]:
    cells = source.notebook.cells
    findings = []
    place = stubs.numbers(source.notebook).get(row.function, row.number)
    if place != row.number:
        where, what = f"source/{source.assignment}/cases.py", f"{row.function} has the number {row.number}"
        findings.append(Finding("E304", where, f"{what}, but is exercise {place} of the notebook", "make them agree"))
    answers = [cell for cell in cells if notebooks.grade_id(cell) == row.grade_id and notebooks.is_solution(cell)]
    tests = [cell for cell in cells if notebooks.grade_id(cell) == f"{row.grade_id}-test" and notebooks.is_test(cell)]
    if len(answers) != 1 or row.function not in notebooks.defined_functions(answers[0].source):
        what = f"{len(answers)} solution cells" if len(answers) != 1 else f"does not define {row.function}"
        remedy = f"keep one solution cell with the grade_id {row.grade_id} that defines {row.function}"
        findings.append(Finding("E301", f"{source.where}[{row.grade_id}]", what, remedy))
    if len(tests) != 1:
        remedy = f"keep one graded cell with the grade_id {row.grade_id}-test"
        findings.append(Finding("E302", f"{source.where}[{row.grade_id}-test]", f"{len(tests)} test cells", remedy))
    for cell in tests:
        if _points(cell) != row.points:
            have = notebooks.grader_metadata(cell).get("points")
            what = f"{have if have is not None else 'no'} points, but {row.points:g} in the table"
            findings.append(Finding("E303", source.at(cell), what, f"fix the cell or {_table(source)}"))
        findings += _tests_run(source, row, cell)
    return findings


def _tests_run(source: Source, row: Exercise, cell: NotebookNode) -> list[Finding]:
    """Check that a test cell runs its own public test: a copied cell often still runs that of another exercise."""
    body = _body(notebooks.without_hidden(cell.source))
    if body is None:
        return []  # E310
    own, known = row.test, {other.test for other in source.exercises}
    calls = [call for call in _tests_called(body) if call[0] in known]
    others = sorted({name for name, _ in calls} - {own})
    problems = [f"runs {name}, the public test of another exercise" for name in others]
    if (own, row.function) not in calls:
        problems.append(f"does not run {own}({row.function})")
    return [Finding("E311", source.at(cell), what, f"let it run {own}({row.function})") for what in problems[:1]]


def _tests_called(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """The name of each called function that ends in ``_test``, and the name of its first argument."""
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name.endswith("_test"):
                yield name, node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else ""


def _points(cell: NotebookNode) -> float | None:
    points = notebooks.grader_metadata(cell).get("points")
    return float(points) if isinstance(points, int | float) and not isinstance(points, bool) else None


def _flags(source: Source, cell: NotebookNode) -> list[Finding]:
    findings = []
    metadata = notebooks.grader_metadata(cell)
    written = notebooks.is_written(cell)
    wanted = WRITTEN_FLAGS if written else SOLUTION_FLAGS if notebooks.is_solution(cell) else TEST_FLAGS
    wrong = [
        f"{flag} should be {str(value).lower()}" for flag, value in wanted.items() if metadata.get(flag) is not value
    ]
    if wrong or (cell.cell_type != "code" and not written):
        what = f"nbgrader's flags: {', '.join(wrong)}" if wrong else f"a {cell.cell_type} cell in place of a code cell"
        findings.append(Finding("E305", source.at(cell), what, "set it in Create Assignment: answer, or locked tests"))
    if metadata.get("schema_version") != SCHEMA_VERSION:
        what = f"nbgrader's schema version is {metadata.get('schema_version')}, not {SCHEMA_VERSION}"
        findings.append(Finding("E307", source.at(cell), what, "open and save the notebook in Create Assignment"))
    return findings


def _code(source: Source, cell: NotebookNode) -> list[Finding]:
    if cell.source.startswith("%%"):
        return []
    findings = []
    seen = notebooks.without_hidden(cell.source)
    bodies = [_body(cell.source), _body(seen)]
    if None in bodies:
        findings.append(Finding("E310", source.at(cell), "not valid Python", "fix the code"))
    if notebooks.is_test(cell) and any(body and _displays(body[-1]) for body in bodies):
        findings.append(
            Finding("E306", source.at(cell), "ends in a displayed value", "print it, or end it in a semicolon")
        )
    length = sum(1 for line in seen.split("\n") if line.strip())
    if not notebooks.is_solution(cell) and length > MAX_LINES:
        what = f"{length} lines of code, more than {MAX_LINES}"
        findings.append(Finding("E309", source.at(cell), what, "one idea per cell: split it, or move it to a module"))
    return findings


def _body(code: str) -> list[ast.stmt] | None:
    """The statements of a cell, or None if it is not Python; a last one that ends in ; is replaced by ``pass``."""
    tree = notebooks.parsed(code)
    if tree is None:
        return None
    return [*tree.body[:-1], ast.Pass()] if code.rstrip().endswith(";") else tree.body


def _displays(statement: ast.stmt) -> bool:
    """Whether the statement displays a value: an expression that is no call of print, a public test or ``check``."""
    if not isinstance(statement, ast.Expr):
        return False
    call = statement.value
    name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
    return not (name in ("print", "check") or name.endswith("_test"))
