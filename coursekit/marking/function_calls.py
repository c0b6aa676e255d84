"""Function calls as requests to the sandbox: the cases of an exercise, and reference functions for the retry."""

from dataclasses import dataclass
from typing import Any

from coursekit.marking import dependencies
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.exercise import Exercise
from coursekit.reference.assignments import Assignment
from coursekit.sandbox.guest import caller, codec
from coursekit.submission.candidates import source_of


def observe(exercise: Exercise, target: Any, call_timeout_s: float | None = None) -> dict[str, Any]:
    """Call ``target`` with all cases in this process, as the sandbox does. For the course's functions only."""
    cases = ((case.name, tuple(codec.decode(one, codec.imported) for one in case.arguments)) for case in exercise.cases)
    return caller.observe(target, exercise.outputs, exercise.inputs, cases, call_timeout_s)


def request(exercise: Exercise, call_timeout_s: float) -> dict[str, Any]:
    """The request that calls an exercise's function: names and arguments, and no expected outputs."""
    return {
        "op": "probe",
        "function": exercise.function,
        "outputs": exercise.outputs,
        "inputs": exercise.inputs,
        "cases": [{"case": case.name, "args": list(case.arguments)} for case in exercise.cases],
        "call_timeout_s": call_timeout_s,
    }


@dataclass(frozen=True)
class ReferenceFunctions:
    """Reference functions of an assignment: the sources of its solution cells, and the imports of its other cells."""

    imports: str
    by_function: dict[str, str]
    below: dict[str, tuple[str, ...]]  # all dependencies of each function (``dependencies.transitive``)

    def for_exercise(self, exercise: Exercise) -> dict[str, Any]:
        """What a follow-through retry adds to the request: only the functions that the exercise depends on."""
        names = self.below[exercise.function]
        cells = (self.by_function[name] for name in names)
        return {"helpers": [self.imports, *dict.fromkeys(cells)], "replace": list(names)}


def reference_functions(course: Course, assignment: Assignment) -> ReferenceFunctions:
    """The reference functions of the source notebook."""
    rows = {row.grade_id: row for row in assignment.exercises}
    imports: list[str] = []
    by_function: dict[str, str] = {}
    for cell in source_of(course, assignment.name).cells:
        if cell.id in rows:
            by_function[rows[cell.id].function] = notebooks.without_magics(cell.source)
        elif cell.cell_type == "code":
            imports.append(notebooks.imports(cell.source))
    return ReferenceFunctions("\n".join(imports), by_function, dependencies.transitive(rows.values()))
