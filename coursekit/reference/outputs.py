"""Expected outputs: what the solutions return in every case, and their recording."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from coursekit import CHECKOUT
from coursekit.model import notebooks
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.model.settings import CONFIG
from coursekit.reference import wrong
from coursekit.reference.table import Table
from coursekit.system import atomic_write
from selfcheck import recordings
from selfcheck.exercises import Case, Exercise
from selfcheck.known_mistakes import Known
from selfcheck.returned_values import flatten

Outputs = dict[str, np.ndarray]


def ready(table: Table) -> None:
    """Import what the source notebook imports. Raises CourseError if that fails, or imports another course's module."""
    where = f"source/{table.assignment}/{table.assignment}.ipynb"
    for cell in notebooks.read(table.course.source(table.assignment)).cells:
        if cell.cell_type != "code" or not (source := notebooks.imports(cell.source)):
            continue
        try:
            exec(compile(source, f"{where}[{cell.id}]", "exec"), {"__name__": "imports"})
        except Exception as error:
            found = f"its imports fail in this environment ({one_line_with_type(error)})"
            raise CourseError(f"{where}[{cell.id}]", found, "use the environment of this course") from None
    for name, file in sorted(_of_another_course(table.course.root)):
        found = f"{name} comes from {file}, which belongs to another course"
        raise CourseError(where, found, "use the environment of this course, or add the module to it")


def _of_another_course(root: Path) -> Iterator[tuple[str, Path]]:
    """Imported modules of the course in whose checkout the engine lies, if that is not the course in ``root``."""
    if root == CHECKOUT or not (CHECKOUT / CONFIG).is_file():
        return
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "/")
        if name not in ("coursekit", "selfcheck") and file.parent in (CHECKOUT, CHECKOUT / name):
            yield name, file


def record(table: Table, public: str, hidden: str, most: int | None = None) -> None:
    """Write fresh recordings to these two paths.

    The public one has the outputs of the public cases and, without names, the mistakes that the self-check recognises.
    The hidden one has the outputs of the hidden cases and all mistakes. ``most``: the mistakes are tried in
    the first so many cases only. Raises CourseError if a solution is wrong.
    """
    expected = {function: _of_exercise(table, exercise) for function, exercise in table.cases.items()}
    known = {function: wrong.of_exercise(table, function, outputs, most) for function, outputs in expected.items()}
    names = {function: [case.name for case in exercise.cases] for function, exercise in table.cases.items()}
    public_mistakes = {function: _public_mistakes(names[function], mistakes) for function, mistakes in known.items()}
    all_mistakes = {function: tuple(one for _, one in mistakes) for function, mistakes in known.items()}
    for path, is_public, mistakes in ((public, True, public_mistakes), (hidden, False, all_mistakes)):
        outputs = {
            function: {case: named for case, named in cases.items() if (case in names[function]) is is_public}
            for function, cases in expected.items()
        }
        with atomic_write.replacing(Path(path)) as part, part.open("wb") as file:
            arrays: dict[str, Any] = dict(recordings.packed(outputs, mistakes))
            np.savez_compressed(file, **arrays)


def _public_mistakes(cases: list[str], mistakes: list[tuple[bool, Known]]) -> tuple[Known, ...]:
    """The visible mistakes for the public recording: only their public cases, and without names."""
    return tuple(
        Known(known.hint, {name: one for name, one in known.cases.items() if name in cases})
        for visible, known in mistakes
        if visible
    )


def _of_exercise(table: Table, exercise: Exercise) -> dict[str, Outputs]:
    function = exercise.function
    found: dict[str, Outputs] = {}
    if function not in table.solution_namespace:
        where = f"source/{table.assignment}/{table.assignment}.ipynb"
        raise CourseError(where, f"no solution defines {function}", "write it, or remove the exercise")
    for case in table.all_cases(function):
        outputs = of_case(table, exercise, case)
        if not case.raises:
            found[case.name] = outputs
    return found


def of_case(table: Table, exercise: Exercise, case: Case) -> Outputs:
    """What the solution returns in a case; empty if the case has to raise. Raises CourseError if it is not right."""
    if case.raises:
        _must_raise(table, exercise, case)
        return {}
    return _outputs(table, exercise, case)


def returned(table: Table, exercise: Exercise, arguments: Sequence[Any]) -> dict[str, Any]:
    """What the solution returns for these arguments, flattened."""
    with redirect_stdout(StringIO()):  # training prints its progress
        result: Any = table.solution_namespace[exercise.function](*arguments)
    return flatten(result, exercise.outputs)


def _must_raise(table: Table, exercise: Exercise, case: Case) -> None:
    try:
        table.solution_namespace[exercise.function](*exercise.build(case))
    except Exception as error:
        if case.is_answered_by(error):
            return
    found = f"the solution raises no {case.raises}"
    raise CourseError(f"{table.assignment}/{exercise.function} ({case.name})", found, "fix the solution or the case")


def _outputs(table: Table, exercise: Exercise, case: Case) -> Outputs:
    flat = returned(table, exercise, exercise.build(case))
    odd = [name for name, leaf in flat.items() if not isinstance(leaf, np.ndarray) or not np.all(np.isfinite(leaf))]
    if odd or not flat:
        found = f"the solution returns no finite numbers in {odd or 'anything'}"
        where = f"{table.assignment}/{exercise.function} ({case.name})"
        raise CourseError(where, found, "fix the solution or the case")
    return flat
