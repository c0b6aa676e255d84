"""The exercises of an assignment as data, for ``coursekit.reference.assignments``."""

from dataclasses import asdict
from typing import Any

from coursekit.reference.rows import Grading
from coursekit.reference.table import Table
from coursekit.sandbox.guest import codec
from selfcheck.exercises import Case, Exercise
from selfcheck.testing import test_name


def describe(table: Table) -> dict[str, Any]:
    """Exercises, mistakes, and inconsistencies between the files (``gaps``)."""
    nothing = Grading("", ())
    return {
        "exercises": [
            _exercise(exercise, table.grading.get(function, nothing)) for function, exercise in table.cases.items()
        ],
        "mistakes": [
            {"function": one.function, "name": one.name, "what": one.what, "hint": one.hint, "visible": one.visible}
            for one in table.mistakes
        ],
        "gaps": list(table.gaps()),
    }


def _exercise(exercise: Exercise, grading: Grading) -> dict[str, Any]:
    cases = [(case, public) for public, some in ((True, exercise.cases), (False, grading.cases)) for case in some]
    return {
        "number": exercise.number,
        "function": exercise.function,
        "inputs": exercise.inputs,
        "outputs": exercise.outputs,
        "look": exercise.look,
        "rtol": exercise.rtol,
        "test": test_name(exercise),
        "cases": [_case(exercise, case, public) for case, public in cases],
        "checks": [asdict(check) for check in grading.checks],
        "depends_on": grading.depends_on,
    }


def _case(exercise: Exercise, case: Case, public: bool) -> dict[str, Any]:
    return {
        "name": case.name,
        "arguments": [codec.encode(argument) for argument in exercise.build(case)],
        "sizes": {name: _plain(value) for name, value in exercise.sizes(case).items()},
        "words": exercise.describe(case),
        "extra": [getattr(value, "__name__", repr(value)) for value in case.extra],
        "raises": case.raises,
        "public": public,
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
