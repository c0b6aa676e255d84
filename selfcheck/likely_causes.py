"""Finds likely causes of wrong numbers; each function returns a sentence only if the pattern is clear.

No sentence contains an expected number, so all of them may be shown for hidden cases too. The patterns are independent
of the exercise.
"""

import numpy as np

from selfcheck.tolerance import ATOL, RTOL, close


def likely_cause(comparison, expected, got, inputs, m):
    """The likely cause of a wrong output, in a sentence; "" if there is no clear pattern.

    ``inputs`` are the arguments, flattened with their names; ``m`` is the number of examples, or None.
    """
    path = comparison.path
    want, have = expected.get(path), got.get(path)
    if not isinstance(have, np.ndarray) or not isinstance(want, np.ndarray) or not have.size:
        return ""
    if have.shape != want.shape and not (want.shape == () and have.size == 1 and comparison.index is not None):
        return _shape_cause(path, want, have, m)
    have = have.reshape(want.shape).astype(float)
    if not np.all(np.isfinite(have)):
        subject = f"{path} has entries that are" if have.size > 1 else f"{path} is"
        return f"{subject} not finite (nan or inf): a logarithm of 0, a division by 0, or an overflow."
    if not have.any():
        return f"{path} is all zeros." if have.size > 1 else ""
    for other, array in expected.items():
        if other != path and array.any() and close(array, have):
            return f"{path} holds what should be in {other}."
    arrays = {name: leaf for name, leaf in inputs.items() if isinstance(leaf, np.ndarray) and leaf.any()}
    for name, array in arrays.items():
        if close(array, have):
            return f"{path} is the same as the input {name}."
    return _ratio_cause(path, want, have, m) or _sum_cause(path, want, have, arrays) or _entries_cause(path, want, have)


def _shape_cause(path, want, have, m):
    if want.shape == ():
        if have.size > 1:
            return f"{path} is not one number yet: a sum over all entries is missing."
        axes = "an axis" if have.ndim == 1 else f"{have.ndim} axes"
        return f"{path} is one number in an array with {axes}; a single number has none."
    if have.ndim == 0:
        return f"{path} has become a single number: a sum without axis takes everything together."
    if have.ndim == 1 and have.size == want.size:
        return f"{path} is flat: {have.shape} and {want.shape} are different things. A column has two axes."
    if have.ndim == 2 and have.shape == want.shape[::-1]:
        return f"{path} has rows and columns exchanged."
    if m and m > 1 and m not in want.shape:
        if have.shape in ((1, m), (m,)) and want.shape[1:] == (1,):
            return f"{path} has one entry per example (m = {m}): was the sum taken along the wrong axis?"
        if have.shape == (want.shape[0], m):
            return f"{path} still has one column per example (m = {m}): a sum over the examples is missing."
    return ""


def _ratio_cause(path, want, have, m):
    """The cause if the output is a multiple of the expected one, by a factor with a known meaning."""
    where = np.abs(want) > ATOL
    if not where.any():
        return ""
    ratio = float(np.median(have[where] / want[where]))
    if not close(want * ratio, have) or not np.isfinite(ratio) or ratio == 0:
        return ""
    sign = ", with the wrong sign" if ratio < 0 else ""
    if np.isclose(ratio, -1, rtol=1e-6):
        return f"{path} has the wrong sign." if want.size == 1 else f"{path} has the wrong sign everywhere."
    for factor, direction, question in (
        (abs(ratio), "large", "is the average over the examples missing?"),
        (1 / abs(ratio), "small", "is it averaged once too often?"),
    ):
        if m and m > 1 and np.isclose(factor, m, rtol=1e-6):
            return f"{path} is exactly {m} times too {direction}{sign}, and there are {m} examples: {question}"
        if 1.5 < factor < 1000.5 and np.isclose(factor, round(factor), rtol=1e-6):
            return f"{path} is exactly {round(factor)} times too {direction}{sign}."
    is_share = (
        want.size == 1 and m and np.isclose(want.item() * m, round(want.item() * m))
    )  # then the divisor may be a coincidence
    divisor = m / abs(ratio) if m and m > 1 and not is_share else 0
    if 1.5 < divisor < 50.5 and np.isclose(divisor, round(divisor), rtol=1e-6):
        return f"{path} looks as if it was divided by {round(divisor)}, but there are {m} examples{sign}."
    for base in (2, 10):
        if np.isclose(abs(ratio), 1 / np.log(base), rtol=1e-6):
            return f"{path} looks like a logarithm to the base {base}{sign}; np.log is the natural one."
    return ""


def _sum_cause(path, want, have, inputs):
    """The cause if the output would be right after adding or subtracting an input."""
    for name, array in inputs.items():
        try:
            plus, minus, twice = have + array, have - array, have + 2 * array
        except ValueError:  # shapes differ
            continue
        if close(plus, want):
            return f"{path} is too small by {name}: is {name} left out?"
        if close(minus, want):
            return f"{path} is too large by {name}: is {name} in it once too often?"
        if close(twice, want):
            return f"{path} has {name} in it with the wrong sign."
    return ""


def _entries_cause(path, want, have):
    """The cause if all wrong entries have something in common."""
    if want.size < 2:
        return ""
    wrong = ~np.isclose(have, want, rtol=RTOL, atol=ATOL)
    if np.all(want[wrong] == 0) and want.any():
        return f"{path} is right but for the entries that should be 0."
    if np.all(have[wrong] == 0):
        zeros = "an entry of 0" if wrong.sum() == 1 else "entries of 0"
        return f"{path} is right but for {zeros} where there should be another number."
    if close(np.abs(want), np.abs(have)):
        return f"The numbers in {path} are right, but for the sign of some of them."
    if have.ndim == 2 and have.shape[0] == have.shape[1] and close(want.T, have):
        return f"{path} is transposed."
    if want.size > 3 and (want < 0).any() and (have >= 0).all():
        return f"No entry of {path} is negative, but some should be."
    return ""
