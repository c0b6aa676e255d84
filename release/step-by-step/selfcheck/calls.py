"""One call of a student's function on one case, and what came of it."""

import copy
import io
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np

from selfcheck.comparison import changed
from selfcheck.known_mistakes import Outcome, assigned, sign
from selfcheck.reports import student_frames
from selfcheck.returned_values import flatten


@dataclass(frozen=True)
class Call:
    """A call of a student's function: the arguments as they are afterwards, and as they were, flattened; what came."""

    args: tuple
    before: dict
    result: object = None
    error: BaseException | None = None


def call(exercise, case, target):
    """The function called on one case; whatever it raises is kept."""
    args = exercise.build(case)
    before = exercise.flat_inputs(copy.deepcopy(args))
    try:
        return Call(args, before, target(*args))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return Call(args, before, error=error)


def call_quietly(exercise, case, target):
    """The same, and nothing that the function prints or warns of is seen."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(exercise, case, target)


def outcome(exercise, target, made):
    """What a call gave, as known mistakes are recorded."""
    if made.error is not None:
        raised, frames = type(made.error).__name__, student_frames(made.error, target)
        line = frames[-1][2] if frames else ""
        return Outcome(raised=raised, sign=sign(raised, str(made.error)), at=assigned(line))
    got = flatten(made.result, exercise.outputs)
    spoilt = tuple(changed(made.before, exercise.flat_inputs(made.args)))
    return Outcome(got, spoilt, own=any(made.result is arg for arg in made.args))


def draws_anew(exercise, case, target):
    """Whether the function gives other numbers when the notebook has drawn other random numbers before."""
    results = []
    for seed in (1, 2):
        np.random.seed(seed)
        results.append(call_quietly(exercise, case, target))
        if np.random.get_state()[1][0] == seed:
            return False  # nothing was drawn since
    one, other = (flatten(made.result, exercise.outputs) for made in results)
    return any(
        not np.array_equal(leaf, other.get(path), equal_nan=True)
        for path, leaf in one.items()
        if isinstance(leaf, np.ndarray)
    )
