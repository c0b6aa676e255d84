"""One call of a student's function on one case, and its outcome."""

import copy
import io
import warnings
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np

from selfcheck.comparison import changed
from selfcheck.known_mistakes import CallOutcome, assigned, sign
from selfcheck.reports import student_frames
from selfcheck.returned_values import flatten


@dataclass(frozen=True)
class Call:
    """A call of a student's function: arguments after the call, flat arguments before it, and result or exception."""

    args: tuple
    before: dict
    result: object = None
    error: BaseException | None = None


def call(exercise, case, target):
    """Call the function on one case; an exception is stored in the result."""
    args = exercise.build(case)
    before = exercise.flat_inputs(copy.deepcopy(args))
    try:
        return Call(args, before, target(*args))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return Call(args, before, error=error)


def call_quietly(exercise, case, target):
    """Call the function on one case, and suppress its output and warnings."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(exercise, case, target)


def call_outcome(exercise, target, made):
    """The outcome of a call, in the form in which known mistakes are recorded."""
    if made.error is not None:
        raised, frames = type(made.error).__name__, student_frames(made.error, target)
        line = frames[0][2] if frames else ""
        return CallOutcome(raised=raised, sign=sign(raised, str(made.error)), at=assigned(line))
    got = flatten(made.result, exercise.outputs)
    changed_inputs = tuple(changed(made.before, exercise.flat_inputs(made.args)))
    return CallOutcome(got, changed_inputs, own=any(made.result is arg for arg in made.args))


def draws_anew(exercise, case, target):
    """Whether the result depends on the state of NumPy's global random generator."""
    results = []
    for seed in (1, 2):
        np.random.seed(seed)
        results.append(call_quietly(exercise, case, target))
        if np.random.get_state()[1][0] == seed:
            return False  # the function drew nothing
    one, other = (flatten(made.result, exercise.outputs) for made in results)
    return any(
        not np.array_equal(leaf, other.get(path), equal_nan=True)
        for path, leaf in one.items()
        if isinstance(leaf, np.ndarray)
    )
