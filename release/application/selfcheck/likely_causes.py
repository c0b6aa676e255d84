"""Finds likely causes of wrong numbers: sentences that are told only if the pattern is clear in every wrong case.

No sentence contains an expected number, so all of them may be shown for hidden cases too. The patterns are independent
of the exercise.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from selfcheck.tolerance import ATOL, RTOL, close


@dataclass(frozen=True)
class WrongOutput:
    """A wrong output of one case, and what a cause can be seen from.

    ``expected``, ``got`` and ``inputs`` are flat; ``m`` is the number of examples in this case, or None.
    """

    comparison: Any
    expected: dict
    got: dict
    inputs: dict = field(default_factory=dict)
    m: int | None = None


@dataclass(frozen=True)
class Cause:
    """A sentence about one case, and the pattern behind it, which is the same in cases of other sizes."""

    pattern: tuple
    sentence: str


def common_cause(wrong):
    """The first likely cause that fits each of these wrong outputs, told with the numbers of the first; "" if none.

    What fits one case only is a coincidence: where a case has as many examples as units, a wrong factor fits both.
    """
    first, *others = wrong
    patterns = [{cause.pattern for cause in _causes(other)} for other in others]
    fitting = (cause.sentence for cause in _causes(first) if all(cause.pattern in found for found in patterns))
    return next(fitting, "")


def likely_cause(comparison, expected, got, inputs, m):
    """The likely cause of one wrong output by itself; "" if there is no clear pattern."""
    return common_cause([WrongOutput(comparison, expected, got, inputs, m)])


def _of_any_layer(path):
    """The path without its numbers: what is wrong in layer 2 of one case is wrong in layer 3 of another."""
    return re.sub(r"\d+", "#", path)


def _causes(wrong):
    """All likely causes of a wrong output, the most specific first."""
    path = wrong.comparison.path
    where = _of_any_layer(path)
    return (Cause((where, *pattern), sentence) for pattern, sentence in _patterns(wrong, path))


def _patterns(wrong, path):
    want, have = wrong.expected.get(path), wrong.got.get(path)
    if not isinstance(have, np.ndarray) or not isinstance(want, np.ndarray) or not have.size:
        return
    m = wrong.m
    if have.shape != want.shape and not (want.shape == () and have.size == 1 and wrong.comparison.index is not None):
        yield from _shape_patterns(path, want, have, m)
        return
    have = have.reshape(want.shape).astype(float)
    if not np.all(np.isfinite(have)):
        subject = f"{path} has entries that are" if have.size > 1 else f"{path} is"
        yield (
            ("not finite",),
            f"{subject} not finite (nan or inf): a logarithm of 0, a division by 0, or an overflow.",
        )
        return
    if not have.any():
        if have.size > 1:
            yield ("zeros",), f"{path} is all zeros."
        return
    for other, array in wrong.expected.items():
        if other != path and array.any() and close(array, have):
            yield ("is", _of_any_layer(other)), f"{path} holds what should be in {other}."
    # A single number or a flag among the inputs agrees with too much.
    arrays = {name: leaf for name, leaf in wrong.inputs.items() if np.ndim(leaf) and leaf.any()}
    for name, array in arrays.items():
        if close(array, have):
            yield ("is input", _of_any_layer(name)), f"{path} is the same as the input {name}."
    yield from _ratio_patterns(path, want, have, m, {leaf.shape[0] for leaf in arrays.values() if leaf.ndim == 2})
    yield from _sum_patterns(path, want, have, arrays)
    yield from _entry_patterns(path, want, have)
    yield from _number_patterns(path, want, have)


def _shape_patterns(path, want, have, m):
    if want.shape == ():
        if have.size > 1:
            yield ("no sum",), f"{path} is not one number yet: a sum over all entries is missing."
            return
        axes = "an axis" if have.ndim == 1 else f"{have.ndim} axes"
        yield ("axes",), f"{path} is one number in an array with {axes}; a single number has none."
    elif have.ndim == 0:
        yield ("one number",), f"{path} has become a single number: a sum without axis takes everything together."
    elif have.ndim == 1 and have.size == want.size:
        yield (
            ("flat",),
            f"{path} is flat: {have.shape} and {want.shape} are different things. A column has two axes.",
        )
    elif have.ndim == 2 and have.shape == want.shape[::-1]:
        yield ("exchanged",), f"{path} has rows and columns exchanged."
    elif m and m > 1 and m not in want.shape:
        if have.shape in ((1, m), (m,)) and want.shape[1:] == (1,):
            yield (
                ("other axis",),
                f"{path} has one entry per example (m = {m}): was the sum taken along the wrong axis?",
            )
        elif have.shape == (want.shape[0], m):
            yield ("no sum",), f"{path} still has one column per example (m = {m}): a sum over the examples is missing."


def _ratio_patterns(path, want, have, m, rows):
    """The output is a multiple of the expected one, by a factor with a known meaning. ``rows``: those of the inputs."""
    where = np.abs(want) > ATOL
    if not where.any():
        return
    ratio = float(np.median(have[where] / want[where]))
    if not close(want * ratio, have) or not np.isfinite(ratio) or ratio == 0:
        return
    sign = ", with the wrong sign" if ratio < 0 else ""
    if np.isclose(ratio, -1, rtol=1e-6):
        said = f"{path} has the wrong sign." if want.size == 1 else f"{path} has the wrong sign everywhere."
        yield ("wrong sign",), said
        return
    for factor, direction, question in (
        (abs(ratio), "large", "is the average over the examples missing?"),
        (1 / abs(ratio), "small", "is it averaged once too often?"),
    ):
        if m and m > 1 and np.isclose(factor, m, rtol=1e-6):
            said = f"{path} is exactly {m} times too {direction}{sign}, and there are {m} examples: {question}"
            yield ("examples", direction, sign), said
        if 1.5 < factor < 1e6 and np.isclose(factor, round(factor), rtol=1e-6):
            yield (
                ("factor", round(factor), direction, sign),
                f"{path} is exactly {round(factor)} times too {direction}{sign}.",
            )
    is_share = (
        want.size == 1 and m and np.isclose(want.item() * m, round(want.item() * m))
    )  # then the divisor may be a coincidence
    divisor = m / abs(ratio) if m and m > 1 and not is_share else 0
    if 1.5 < divisor < 50.5 and np.isclose(divisor, round(divisor), rtol=1e-6):
        said = f"{path} looks as if it was divided by {round(divisor)}, but there are {m} examples{sign}."
        if round(divisor) in rows:
            yield ("divided by rows", sign), said
        yield ("divisor", round(divisor), sign), said
    for base in (2, 10):
        if np.isclose(abs(ratio), 1 / np.log(base), rtol=1e-6):
            said = f"{path} looks like a logarithm to the base {base}{sign}; np.log is the natural one."
            yield ("logarithm", base, sign), said


def _sum_patterns(path, want, have, inputs):
    """The output would be right after adding or subtracting an input."""
    for name, array in inputs.items():
        try:
            plus, minus, twice = have + array, have - array, have + 2 * array
        except ValueError:  # shapes differ
            continue
        known = _of_any_layer(name)
        if close(plus, want):
            yield ("left out", known), f"{path} is too small by {name}: is {name} left out?"
        if close(minus, want):
            yield ("too often", known), f"{path} is too large by {name}: is {name} in it once too often?"
        if close(twice, want):
            yield ("sign of", known), f"{path} has {name} in it with the wrong sign."


def _entry_patterns(path, want, have):
    """All wrong entries have something in common."""
    if want.size < 2:
        return
    wrong = ~np.isclose(have, want, rtol=RTOL, atol=ATOL)
    if np.all(want[wrong] == 0) and want.any():
        yield ("should be 0",), f"{path} is right but for the entries that should be 0."
    if np.all(have[wrong] == 0):
        zeros = "an entry of 0" if wrong.sum() == 1 else "entries of 0"
        yield ("is 0",), f"{path} is right but for {zeros} where there should be another number."
    if close(np.abs(want), np.abs(have)):
        yield ("some signs",), f"The numbers in {path} are right, but for the sign of some of them."
    if have.ndim == 2 and have.shape[0] == have.shape[1] and close(want.T, have):
        yield ("transposed",), f"{path} is transposed."
    if want.size > 3 and (want < 0).any() and (have >= 0).all():
        yield ("no negative",), f"No entry of {path} is negative, but some should be."


def _number_patterns(path, want, have):
    """All numbers have lost or changed something in the same way."""
    if np.array_equal(have, np.trunc(want)):
        yield ("whole",), f"{path} has lost its fractions: an array of whole numbers cannot hold them."
    elif any(np.array_equal(have, np.round(want, places)) for places in range(1, 8)):
        yield ("rounded",), f"{path} is rounded: the number is asked for as it is."
    if close(have, 1 - want):
        yield ("one minus",), f"{path} is 1 minus what it should be."
    if want.ndim > 1 and close(np.sort(have, axis=None), np.sort(want, axis=None)):
        yield (
            ("other places",),
            f"{path} has the right numbers in other places: reshape reads row by row, and does not transpose.",
        )
