"""How easily the results of twins are guessed: of each check, how often the commonest result comes in some draws.

A submission knows what it is called with, so it knows of which case a twin is. It may also know the results of earlier
runs. So what counts is how often the twins of one case have the same result.
"""

import random
from collections import Counter
from typing import Any

from coursekit.model.exercise import Check
from coursekit.reference import twins
from coursekit.reference.rows import Grading
from coursekit.reference.table import Table
from selfcheck.exercises import Case, Exercise

DRAWS = 30  # of each case


def varieties(table: Table) -> list[dict[str, Any]]:
    """Of each check that has twins: ``share`` of the commonest result, and ``same``: no other twin can be drawn.

    Left out are checks of unchanged inputs, which have no twins, and those of exceptions: every twin has the same right
    answer. Both pay only beside another check, whose twins count.
    """
    return [
        {"function": function, "check": check.name, "twins": check.twins}
        | _of_check(table, table.cases[function], grading, check)
        for function, grading in table.grading.items()
        if function in table.cases
        for check in grading.checks
        if not check.untouched and not all(case.raises for case in table.all_cases(function) if check.covers(case.name))
    ]


def _of_check(table: Table, exercise: Exercise, grading: Grading, check: Check) -> dict[str, Any]:
    """The mean over the cases that a twin may be of: one of them is chosen in every run."""
    cases = twins.possible(exercise, grading, table.all_cases(exercise.function), check)
    found = [_of_case(table, exercise, check, case) for case in cases]
    return {
        "share": sum(share for share, _ in found) / len(found),
        "same": all(same for _, same in found),
    }


def _of_case(table: Table, exercise: Exercise, check: Check, case: Case) -> tuple[float, bool]:
    """The share of the commonest result of the check, 0 if none comes twice; and whether all twins are equal."""
    draws = random.Random(f"varieties/{exercise.function}/{case.name}")
    drawn = [twins.one(table, exercise, case, draws) for _ in range(DRAWS)]
    results: Counter[str] = Counter(_result(check, twin["expected"]) for twin in drawn)
    most = max(results.values())
    same = len({repr(twin["arguments"]) for twin in drawn}) == 1
    return (most / DRAWS if most > 1 else 0.0), same


def _result(check: Check, expected: dict[str, Any]) -> str:
    return repr({path: leaf for path, leaf in expected.items() if not check.outputs or path.startswith(check.outputs)})
