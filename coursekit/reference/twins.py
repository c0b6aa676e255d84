"""Twins: cases drawn anew for every run of a submission, with what the solutions return.

A twin has the generator and the structure of a recorded case (depth, one example, zeros, flags) and other values. So
nothing that a submission has seen of the grader in an earlier run is a right answer to it.
"""

import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.model.exercise import Check
from coursekit.reference import outputs as solved
from coursekit.reference.rows import Grading
from coursekit.reference.table import Table
from coursekit.sandbox.guest import codec
from selfcheck.comparison import compare
from selfcheck.exercises import Case, Exercise

SEED = "seed"  # the argument of a generator that decides its values
MAX_SEED = 2**31
MORE = 20  # a size of n becomes one from 2 to n + MORE
MAX_DRAWS = 50  # of one twin, until one is acceptable
PERTURBATION = 1e-15  # relative, a few units in the last place: a right answer that rounds in another way must not fail


def draw(table: Table, nonce: str, more: Mapping[str, Sequence[str]] | None = None) -> dict[str, list[dict[str, Any]]]:
    """The twins of every exercise for one run, by function: as many for each check as it asks for.

    With ``more``, only twins of these cases, by function. The same nonce always gives the same twins.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for function, grading in table.grading.items():
        if function not in table.cases or (more is not None and function not in more):
            continue
        draws = random.Random(f"{nonce}/{function}")
        by_name = {case.name: case for case in (*table.all_cases(function), *grading.twins)}
        names = (
            more[function]
            if more is not None
            else chosen(table.cases[function], grading, table.all_cases(function), draws)
        )
        found[function] = [one(table, table.cases[function], by_name[name], draws) for name in names]
    return found


def chosen(exercise: Exercise, grading: Grading, recorded: Sequence[Case], draws: random.Random) -> list[str]:
    """The names of the cases to draw twins of: as many for each check as it asks for. One may serve several checks."""
    found: list[str] = []
    for check in (check for check in grading.checks if not check.untouched):
        cases = possible(exercise, grading, recorded, check)
        there = sum(check.covers(name) for name in found)
        found += [draws.choice(cases).name for _ in range(check.twins - there)]
    return found


def possible(exercise: Exercise, grading: Grading, recorded: Sequence[Case], check: Check) -> list[Case]:
    """The cases to draw a check's twins of: the author's ``twins``, or else the recorded cases that it covers.

    Cases of which every twin is the same come only where the check has no others.
    """
    of_author = [case for case in grading.twins if check.covers(case.name)]
    cases = of_author or [case for case in recorded if check.covers(case.name)]
    return [case for case in cases if _varies(exercise, case)] or cases


def one(table: Table, exercise: Exercise, case: Case, draws: random.Random) -> dict[str, Any]:
    """An acceptable twin of a case. Raises CourseError if none is found."""
    why = ""
    for _ in range(MAX_DRAWS):
        twin = replace(case, make=_other_values(exercise, case, draws))
        try:
            arguments = exercise.build(twin)
            encoded = [codec.encode(argument) for argument in arguments]
            expected = solved.of_case(table, exercise, twin)
            if case.raises or _is_stable(table, exercise, arguments, expected):
                break
            why = "another rounding changes the result"
        except Exception as error:  # an author's generator may refuse sizes in any way
            why = one_line_with_type(error)
    else:
        where = f"{table.assignment}/{exercise.function} ({case.name})"
        raise CourseError(where, f"no twin can be drawn ({why})", "change the case, or add one to `twins`")
    return {
        "of": case.name,
        "raises": case.raises,
        "arguments": encoded,
        "expected": {path: codec.encode(leaf) for path, leaf in expected.items()},
    }


def _other_values(exercise: Exercise, case: Case, draws: random.Random) -> dict[str, Any]:
    """Arguments of the generator with another seed; without a seed, with other sizes."""
    if _takes_seed(exercise.generator):
        return {**case.make, SEED: draws.randrange(MAX_SEED)}
    return {name: _other_size(value, draws) for name, value in exercise.sizes(case).items()}


def _other_size(value: Any, draws: random.Random) -> Any:
    """Another size in place of each size above 1, in sequences too; other values stay."""
    if isinstance(value, tuple | list):
        return type(value)(_other_size(part, draws) for part in value)
    return draws.randint(2, value + MORE) if _is_size(value) else value


def _has_size(value: Any) -> bool:
    return any(map(_has_size, value)) if isinstance(value, tuple | list) else _is_size(value)


def _is_size(value: Any) -> bool:
    """Whether a value is a size that another one can replace: a single unit or example stays single."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 1


def _varies(exercise: Exercise, case: Case) -> bool:
    """Whether there is anything to draw: a seed, or a size above 1."""
    return _takes_seed(exercise.generator) or any(_has_size(value) for value in exercise.sizes(case).values())


@cache
def _takes_seed(generator: Callable[..., Any]) -> bool:
    return SEED in inspect.signature(generator).parameters


def _is_stable(table: Table, exercise: Exercise, arguments: Sequence[Any], expected: solved.Outputs) -> bool:
    """Whether the solution's result hardly changes when its arguments change by as little as another rounding."""
    noise = np.random.RandomState(0)
    perturbed = [_perturbed(argument, noise) for argument in arguments]
    compared = compare(expected, solved.returned(table, exercise, perturbed), rtol=exercise.rtol)
    return not any(finding.problem for finding in compared)


def _perturbed(value: Any, noise: np.random.RandomState) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value * (1 + PERTURBATION * noise.uniform(-1, 1, value.shape))
    if isinstance(value, tuple | list):
        return type(value)(_perturbed(part, noise) for part in value)
    if isinstance(value, dict):
        return {key: _perturbed(part, noise) for key, part in value.items()}
    return value
