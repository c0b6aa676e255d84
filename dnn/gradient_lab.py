"""Gradient checking: compares every entry of a gradient with the slope measured by central differences.

The measured function is ``sum(upstream * forward(*inputs))``, with random upstream gradients. If the given gradient
and the slope disagree, the entry is measured again with other steps and from both sides, because at a kink, such as
ReLU at exactly 0, every slope between those of the two sides is right; the report says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dnn.figures import Picture, draw_errors

Function = Callable[..., Any]
Arrays = Mapping[str, np.ndarray]
TOLERANCE = 1e-6  # of the entry, or of a hundredth of the parameter's largest entry if that is more
NOISE = 20 * np.finfo(float).eps  # rounding error of an output, relative to it
STEPS = (1, 1e-2, 1e-4, 1e2, 1e4)  # of the second measurement, times epsilon
NEGLIGIBLE_DOUBT, MAX_DOUBT = 1e-3, 0.05  # relative to the error: ignored; relative to the entry: beyond it, reported


@dataclass(frozen=True)
class ParameterCheck:
    """The check of one parameter: given and measured gradient, and their differences."""

    name: str
    given: np.ndarray
    measured: np.ndarray
    errors: np.ndarray  # relative; same shape as the parameter
    kinks: np.ndarray  # True if the slopes of the two sides differ and the given one is between them
    unsure: np.ndarray  # True if the slope is too small to measure against rounding
    examples: int  # columns of the output, to explain a factor; 0 if unknown

    @property
    def wrong(self) -> np.ndarray:
        return ~(self.errors <= TOLERANCE)  # nan is wrong too

    @property
    def ok(self) -> bool:
        return not self.wrong.any()

    @property
    def worst(self) -> tuple[int, ...]:
        """The index of the entry with the largest error."""
        flat = np.argmax(np.where(np.isnan(self.errors), np.inf, self.errors)) if self.errors.size else 0
        return tuple(int(i) for i in np.unravel_index(flat, self.errors.shape))

    @property
    def ratio(self) -> float:
        """Given divided by measured slope, at the entry with the largest error; 1 is right."""
        with np.errstate(all="ignore"):
            return float(np.divide(self.given[self.worst], self.measured[self.worst]))

    def explain(self) -> str:
        """A description: how many entries are wrong, where, and the likely cause; also kinks and unsure entries."""
        notes = [self._explain_wrong()] if not self.ok else []
        if self.kinks.any():
            between = "the slopes from the two sides differ there (ReLU at 0?), one between them is accepted"
            notes.append(f"{self.kinks.sum()} at a kink, first {np.argwhere(self.kinks)[0].tolist()}: {between}")
        if self.unsure.any():
            notes.append(f"{self.unsure.sum()} too small to measure against rounding; accepted unseen")
        return "; ".join(notes)

    def _explain_wrong(self) -> str:
        given, measured, wrong = self.given, self.measured, self.wrong
        if given.shape != measured.shape:
            turned = " (it is transposed)" if given.T.shape == measured.shape else ""
            return f"the gradient has shape {given.shape}, the parameter {measured.shape}{turned}"
        count, size = int(wrong.sum()), wrong.size
        text = f"all {size} entries are wrong" if count == size else f"{count} of {size} entries wrong"
        for axis, word in ((1, "row"), (0, "column")) if wrong.ndim == 2 and 1 < count < size else ():
            lines = np.flatnonzero(wrong.any(axis=axis))
            if len(lines) == 1 < wrong.shape[1 - axis]:
                text += f", only in {word} {lines[0]}"
        if not np.isfinite(given).all():
            return f"{text}: nan or infinite"
        if not given[wrong].any():
            return f"{text}: zero, where the slope is not"
        if given.ndim == 2 and given.T.shape == given.shape and size > 1 and np.allclose(given.T, measured, 1e-4, 1e-6):
            return f"{text}: this is the transpose of the right gradient"
        clear = wrong & ~(np.abs(measured) < 0.01 * np.abs(measured[wrong]).max())
        with np.errstate(all="ignore"):
            ratios = given[clear] / measured[clear]
        typical = float(np.median(ratios))
        common = np.isfinite(ratios).all() and np.abs(ratios - typical).max() <= 1e-4 * abs(typical)
        return f"{text}: {self._explain_factor(typical)}" if common else f"{text}, by no common factor"

    def _explain_factor(self, ratio: float) -> str:
        sign, size = "the sign is wrong" if ratio < 0 else "", abs(ratio)
        if abs(size - 1) < 1e-4:
            return sign or "right to four digits, but no more"
        times = max(size, 1 / size)
        factor = f"{times:.4g} times too {'large' if size > 1 else 'small'}"
        if self.examples > 1 and abs(times / self.examples - 1) < 1e-4:
            averaged = "averaged over them" if size > 1 else "averaged once too often"
            factor += f", and there are {self.examples} examples: {averaged}?"
        return f"{factor}; {sign}" if sign else factor


@dataclass(frozen=True)
class GradientReport:
    """The result of a gradient check: ``ok``, one check per parameter, and a table when printed."""

    checks: tuple[ParameterCheck, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def __getitem__(self, name: str) -> ParameterCheck:
        if name not in (found := {check.name: check for check in self.checks}):
            raise KeyError(f"no parameter {name!r}; there are {', '.join(found)}")
        return found[name]

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("", "shape", "largest error", "at", "yours", "measured", "ratio", "")]
        for check in self.checks:
            numbers = ["-"] * 5
            if check.given.shape == check.measured.shape and check.errors.size:
                at = check.worst
                pair = [f"{number:.6g}" for number in (check.given[at], check.measured[at], check.ratio)]
                numbers = [f"{check.errors[at]:.1e}", str(list(at)), *pair]
            shape = " x ".join(map(str, check.measured.shape))
            rows.append((check.name, shape or "1", *numbers, "right" if check.ok else "WRONG"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(word.ljust(w) for word, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join(
            lines + [f"{check.name}: {explanation}" for check in self.checks if (explanation := check.explain())]
        )

    __repr__ = __str__

    def heat_map(self, name: str) -> Picture:
        """The error of every entry of one parameter, dark where it is large; a cross marks a wrong entry."""
        check = self[name]
        return draw_errors(name, check.errors, check.wrong, check.explain())


def gradient_check(
    forward: Function,
    backward: Function,
    inputs: Sequence[Any],
    *,
    names: Sequence[str] | None = None,
    epsilon: float = 1e-6,
    seed: int | None = 0,
) -> GradientReport:
    """Compares the gradients of ``backward`` with the measured slopes of ``forward``.

    forward    forward(*inputs) returns an array, or a tuple of arrays
    backward   backward(upstream, *inputs) returns one gradient per input, or None for an input without; upstream has
               the structure of forward's result. For a dict: a dict with the same keys, or with "d" before them
    epsilon    the step, times the size of the entry if that is above 1
    seed       of the random upstream gradients; None makes them all 1

    The check averages nothing: if backward averages over m, forward must be divided by m too.
    """

    def outputs() -> list[np.ndarray]:
        with np.errstate(all="ignore"):
            given = forward(*values)
        return [np.array(each, float) for each in (given if isinstance(given, tuple) else (given,))]

    values = [_copy(value) for value in inputs]
    base, again = outputs(), outputs()
    if not all(map(_same, values, inputs)):
        raise ValueError("gradient_check: forward changes its inputs; work on new arrays")
    if not all(np.isfinite(each).all() for each in base):
        raise ValueError("gradient_check: forward gives nan or infinity; start from other inputs")
    if not all(map(np.array_equal, base, again)):
        raise ValueError("gradient_check: forward gives something else each time; fix its random numbers")
    random = np.random.RandomState(seed)
    upstream = [np.ones(y.shape) if seed is None else np.asarray(random.randn(*y.shape)) for y in base]
    sent = tuple(each.copy() for each in upstream)
    found = backward(sent if isinstance(forward(*values), tuple) else sent[0], *map(_copy, inputs))
    gradients = list(found) if isinstance(found, (tuple, list)) else [found]
    if len(gradients) != len(inputs):
        raise ValueError(f"gradient_check: {len(gradients)} gradients for {len(inputs)} inputs; give None for the rest")
    examples, checks = base[0].shape[-1] if base[0].ndim > 1 else 0, []
    for k, (gradient, name) in enumerate(zip(gradients, names or _names(forward, len(inputs)), strict=True)):
        if gradient is not None and not isinstance(values[k], dict):
            values[k] = np.array(values[k], float)
        for label, array, given in _arrays_with_gradients(name, values[k], gradient) if gradient is not None else []:
            measure = _Measure(outputs, base, upstream, array, epsilon)
            checks.append(measure.compare(label, np.array(given, float), examples))
    return GradientReport(tuple(checks))


def check_network(
    parameters: Arrays, cost: Function, gradients: Arrays, *, epsilon: float = 1e-6, examples: int = 0
) -> GradientReport:
    """Compares the gradients of a whole network with the measured slopes of its cost.

    cost        cost(parameters) returns one number
    gradients   dict with "dW1" (or "W1") for every "W1" of parameters; other keys are ignored
    examples    m, for explanations that mention it
    """
    report = gradient_check(cost, lambda _, given: gradients, [dict(parameters)], epsilon=epsilon, seed=None)
    return GradientReport(tuple(replace(check, examples=examples) for check in report.checks))


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: np.array(each, float) for key, each in value.items()}
    return value.copy() if isinstance(value, np.ndarray) else value


def _same(value: Any, other: Any) -> bool:
    if isinstance(value, dict):
        return all(np.array_equal(value[key], other[key]) for key in other)
    return not isinstance(value, np.ndarray) or np.array_equal(value, other)


def _names(forward: Function, count: int) -> list[str]:
    try:
        named = list(inspect.signature(forward).parameters)
    except (TypeError, ValueError):
        named = []
    return named[:count] if len(named) >= count else [f"input {k}" for k in range(count)]


def _arrays_with_gradients(name: str, value: Any, gradient: Any) -> list[tuple[str, np.ndarray, Any]]:
    """The arrays of an input, each with its name and gradient."""
    if not isinstance(value, dict):
        return [(name, value, gradient)]
    if missing := [key for key in value if f"d{key}" not in gradient and key not in gradient]:
        raise ValueError(f"gradient_check: no gradient d{missing[0]}; found {', '.join(map(str, gradient))}")
    return [(key, array, gradient[f"d{key}" if f"d{key}" in gradient else key]) for key, array in value.items()]


@dataclass(frozen=True)
class _Measure:
    """Measures slopes of the weighted sum of the outputs in one array, whose entries it changes and restores."""

    outputs: Callable[[], list[np.ndarray]]
    base: list[np.ndarray]
    upstream: list[np.ndarray]
    array: np.ndarray
    epsilon: float

    def slopes(self, at: tuple[int, ...], step: float) -> tuple[float, ...]:
        """The central, right and left slope at an entry, and the bound on their rounding error."""
        x = self.array[at]
        step *= max(1.0, abs(x))
        self.array[at] = above = x + step
        right = self.outputs()
        self.array[at] = below = x - step
        left = self.outputs()
        self.array[at] = x
        sums = np.zeros(4)
        with np.errstate(all="ignore"):  # an output may be nan after a large step; then so are the slopes
            for u, plus, middle, minus in zip(self.upstream, right, self.base, left, strict=True):
                # subtract before summing: outputs that do not change leave no rounding error
                sums[:3] += [np.sum(u * change) for change in (plus - minus, plus - middle, middle - minus)]
                moved = plus != minus
                sums[3] += NOISE * np.sum(np.abs(u * middle), where=moved if moved.any() else True)
        return tuple((sums / [above - below, above - x, x - below, above - below]).tolist())

    def compare(self, name: str, given: np.ndarray, examples: int) -> ParameterCheck:
        """Measure every entry once, and again if it disagrees with the given gradient."""
        shape = self.array.shape
        measured, errors = np.zeros(shape), np.full(shape, np.nan)
        kinks, unsure = np.zeros(shape, bool), np.zeros(shape, bool)
        for at in np.ndindex(shape):
            measured[at] = self.slopes(at, self.epsilon)[0]
        floor = 0.01 * np.max(np.abs(measured), initial=0, where=np.isfinite(measured))
        for at in np.ndindex(shape if given.shape == shape else (0,)):
            scale = max(abs(given[at]), abs(measured[at]), floor)
            with np.errstate(invalid="ignore"):
                errors[at] = abs(given[at] - measured[at]) / (scale or 1)
            if not errors[at] <= TOLERANCE and np.isfinite(given[at]):
                measured[at], errors[at], kinks[at], unsure[at] = self.look_again(at, float(given[at]), floor)
        return ParameterCheck(name, given, measured, errors, kinks, unsure, examples)

    def look_again(self, at: tuple[int, ...], given: float, floor: float) -> tuple[float, float, bool, bool]:
        """Measure with several steps; return the best slope, the error, whether it is a kink, whether it is unsure."""
        best, doubt, kink = float("nan"), float("inf"), None
        for step in STEPS:
            if kink and step > 1:
                break
            wide, *wide_sides, _ = self.slopes(at, self.epsilon * step)
            slope, *sides, noise = self.slopes(at, self.epsilon * step / 2)
            gap, wide_gap = abs(sides[0] - sides[1]), abs(wide_sides[0] - wide_sides[1])
            if gap > max(0.75 * wide_gap, 10 * noise, 1e-3 * max(map(abs, sides))):
                kink = sides  # the two sides of a smooth function come closer as the step shrinks
            elif abs(wide - slope) + noise < doubt:
                best, doubt = slope, abs(wide - slope) + noise
                scale = max(abs(given), abs(best), floor)
                if abs(given - best) <= TOLERANCE * scale or doubt < NEGLIGIBLE_DOUBT * abs(given - best):
                    break  # beyond doubt
        if kink and not doubt < 0.01 * abs(kink[0] - kink[1]):
            best = float(np.clip(given, min(kink), max(kink)))
            error = abs(given - best) / max(abs(given), abs(kink[0] - kink[1]))
            return best, 0.0 if error <= NEGLIGIBLE_DOUBT else error, error <= NEGLIGIBLE_DOUBT, False
        scale = max(abs(given), abs(best), floor) or 1.0
        error = max(0.0, abs(given - best) - doubt) / scale
        return best, error, False, bool(error <= TOLERANCE and doubt > MAX_DOUBT * scale)
