"""Results of the named mistakes: each is applied to the solution in the source notebook, and called with all cases."""

import linecache
from collections.abc import Mapping
from typing import Any

import numpy as np

from coursekit.reference.catalogue import WrongAnswer
from coursekit.reference.table import Table
from selfcheck.calls import call_outcome, call_quietly, draws_anew
from selfcheck.comparison import compare
from selfcheck.exercises import Case, Exercise
from selfcheck.known_mistakes import EXCEPTION, INPUTS, OUTPUTS, VARIES, CallOutcome, Known, Recorded
from selfcheck.returned_values import NotNumbers

Outputs = Mapping[str, np.ndarray]  # the expected outputs of a case


def of_exercise(
    table: Table, function: str, expected: Mapping[str, Outputs], most: int | None = None
) -> list[tuple[bool, Known]]:
    """The results of every mistake of an exercise in all cases, each with whether the public test detects it.

    ``expected`` has the expected outputs by case; ``most``: try the first so many cases only. A mistake whose text no
    longer occurs in the solution is left out: ``authoring.mutation.answers.misfits`` reports it.
    """
    cell = table.cells.get(function, "")
    mistakes = (one for one in table.mistakes if one.function == function and not one.misfit(cell))
    return [(one.visible, _known(table, one, one.source(cell), expected, most)) for one in mistakes]


def _known(table: Table, mistake: WrongAnswer, source: str, expected: Mapping[str, Outputs], most: int | None) -> Known:
    exercise = table.cases[mistake.function]
    target = _function(source, table.solution_namespace, mistake)
    state = np.random.get_state()
    varies = "random" in source and draws_anew(exercise, exercise.cases[0], target)
    left_out = table.unstable.get(str(mistake), ())
    cases = [case for case in table.all_cases(mistake.function) if case.name not in left_out][:most]
    seen = {case.name: _recorded(exercise, case, target, expected.get(case.name, {}), varies) for case in cases}
    np.random.set_state(state)
    order = sorted(seen, key=lambda name: (not seen[name].tells, seen[name].tells == EXCEPTION))
    return Known(mistake.hint, {name: seen[name] for name in order}, mistake.name)


def _function(source: str, right: dict[str, Any], mistake: WrongAnswer) -> Any:
    """The function with the mistake; all others are right. Its lines go to ``linecache``: reports quote them."""
    name = f"<{mistake}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = dict(right)
    exec(compile(source, name, "exec"), namespace)
    return namespace[mistake.function]


def _recorded(exercise: Exercise, case: Case, target: Any, expected: Outputs, varies: bool) -> Recorded:
    made = call_quietly(exercise, case, target)
    seen: CallOutcome = call_outcome(exercise, target, made)
    if made.error is not None:
        tells = "" if case.is_answered_by(made.error) else EXCEPTION
        return Recorded(raised=seen.raised, sign=seen.sign, at=seen.at, tells=tells)
    got = dict(seen.outputs or {})
    compared = compare(expected, got, rtol=exercise.rtol) if expected else ()
    wrong = tuple(finding.path for finding in compared if finding.problem) if expected else ("",)
    telling = [path for path in got if wrong and path.startswith(wrong)]
    tells = VARIES if varies else OUTPUTS if wrong else INPUTS if seen.changed else ""
    return Recorded(
        {path: _plain(got[path]) for path in dict.fromkeys([*telling, *got])},
        seen.changed,
        seen.own,
        tells=tells,
        absent=tuple(path for path in expected if path not in got),
    )


def _plain(leaf: Any) -> Any:
    return leaf if isinstance(leaf, NotNumbers) else np.array(leaf, dtype=float)
