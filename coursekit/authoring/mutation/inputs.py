"""Random valid calls of an exercise's function, similar to the cases of its table.

Seeds, sizes, numbers of layers and rates are random, options of the generator sometimes; texts are those of the table.
The same exercise always gets the same calls. A call on which the solution itself fails is not valid; the caller has to
drop it.
"""

import inspect
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from selfcheck.exercises import Case, Exercise

MAX_SIZE = 9  # units, examples, pixels: small sizes reveal most differences
MAX_LAYERS = 6
MAX_STEPS = 45  # of training: enough for a difference to grow
LONG_TRAINING_EVERY = 4  # one call in so many trains as long as a case of the table
P_NEW_OPTION = 0.2  # probability that an option of the generator differs from the case of the table
P_FEWER_ARGUMENTS = 0.25  # probability that a call has fewer extra arguments
ALL_DEFAULTS_EVERY = 100  # one call in so many uses all defaults
SLOW_DEFAULT = 500  # such a default, of steps, makes a call slow: used only in the calls with all defaults
SIZES = ("n", "n_prev", "n_x", "n_h", "n_y", "m", "height", "width")


def draw(exercise: Exercise, key: str, count: int, function: Callable[..., Any]) -> Iterator[Case]:
    """Draw ``count`` calls, the same ones for the same ``key``.

    Arguments that have a default in ``function`` are sometimes left out.
    """
    rng = np.random.RandomState(zlib.crc32(key.encode()))
    known = [exercise.sizes(case) for case in exercise.cases]
    quick = [case for case in exercise.cases if not _slow(exercise, case, function)]
    shortest = min(len(case.extra) for case in quick if not case.raises)
    for i in range(count):
        case = quick[i] if i < len(quick) else _choice(rng, quick)
        make = {name: _option(rng, name, value, known) for name, value in known[exercise.cases.index(case)].items()}
        extra = tuple(_argument(rng, value, i % LONG_TRAINING_EVERY == 0) for value in case.extra)
        if not case.raises:
            if i % ALL_DEFAULTS_EVERY == ALL_DEFAULTS_EVERY - 1:
                extra = extra[: _required_arguments(exercise, case, function)]
            elif rng.rand() < P_FEWER_ARGUMENTS:
                extra = extra[: rng.randint(min(shortest, len(extra)), len(extra) + 1)]
        yield Case(f"drawn {i}", _clipped(make), extra, case.raises)


def _required_arguments(exercise: Exercise, case: Case, function: Callable[..., Any]) -> int:
    """How many of the extra arguments of a case have no default in ``function``."""
    given = len(exercise.build(case)) - len(case.extra)
    arguments = inspect.signature(function).parameters.values()
    return max(0, sum(argument.default is argument.empty for argument in arguments) - given)


def _slow(exercise: Exercise, case: Case, function: Callable[..., Any]) -> bool:
    given = len(exercise.build(case))
    left_out = [argument.default for argument in inspect.signature(function).parameters.values()][given:]
    return any(isinstance(default, int) and default >= SLOW_DEFAULT for default in left_out)


def _choice(rng: np.random.RandomState, values: Any) -> Any:
    return values[rng.randint(len(values))]


def _option(rng: np.random.RandomState, name: str, value: Any, known: list[dict[str, Any]]) -> Any:
    """A random value for an argument of the generator; ``known`` are the arguments of all cases of the table."""
    values = [sizes[name] for sizes in known]
    if name == "seed":
        return int(rng.randint(1, 1 << 30))
    if name == "layer_dims":
        return _layer_dims(rng, values)
    if name in SIZES and value is not None:
        least = min(size for size in values if size is not None)
        return int(rng.randint(least, max(MAX_SIZE, least + 12 * (least > 1)) + 1))
    if rng.rand() > P_NEW_OPTION:
        return value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return int(rng.randint(MAX_SIZE))
    if isinstance(value, float):
        return value * _choice(rng, (1e-3, 1e3))
    return _choice(rng, values)


def _layer_dims(rng: np.random.RandomState, values: list[tuple[int, ...]]) -> tuple[int, ...]:
    """A random network; depth and number of outputs are those of the table if all its cases agree."""
    depths, outputs = {len(dims) for dims in values}, {dims[-1] for dims in values}
    depth = depths.pop() if len(depths) == 1 else int(rng.randint(2, MAX_LAYERS + 2))
    dims = [int(n) for n in rng.randint(1, MAX_SIZE, depth)]
    dims[-1] = outputs.pop() if len(outputs) == 1 else max(dims[-1], min(outputs))
    return tuple(dims)


def _argument(rng: np.random.RandomState, value: Any, long: bool) -> Any:
    """A random value for an argument of the function itself: another rate, another number of steps."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        return int(rng.randint(1, (value if long else min(value, MAX_STEPS)) + 1))
    return float(value * _choice(rng, (1.0, 0.5, 2.0, 0.0, rng.rand())))


def _clipped(make: dict[str, Any]) -> dict[str, Any]:
    """The options, clipped to the sizes that limit them, such as the number of wrong answers to ``m``."""
    most = {"constant": make.get("n"), "wrong": make.get("m"), "zeros": (make.get("n") or 0) * (make.get("m") or 0)}
    return {
        name: min(value, most[name] or 0) if name in most and value is not None else value
        for name, value in make.items()
    }
