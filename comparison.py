"""How a returned value compares with the recorded one, in words that help.

Used by the public tests, which show a student every number, and by the grader, which shows the student's own only.
``flatten`` makes one flat dict of whatever a function returned, ``compare`` sets it beside the expected one, and
``likely_cause`` says what the wrong numbers look like. Nothing here knows an exercise.
"""

from dataclasses import dataclass

import numpy as np

# Double precision in any order of summing stays below 1e-12 here; the smallest mistake that counts is far above 1e-6.
RTOL, ATOL = 1e-7, 1e-10


def flatten(value, names=""):
    """Nested tuples, lists and dicts as one dict from a name such as ``caches[0][1]`` to a leaf.

    A leaf is a numeric array, or the object itself where there is no such array to be had.
    """
    if isinstance(names, tuple):
        if not isinstance(value, tuple | list) or len(value) != len(names):
            return {"": value}
        return {path: leaf for name, part in zip(names, value, strict=True) for path, leaf in flatten(part, name).items()}
    if isinstance(value, dict):
        parts = [(f'{names}["{key}"]' if names else str(key), part) for key, part in value.items()]
    elif isinstance(value, tuple | list) and not _is_numbers(value):
        parts = [(f"{names}[{i}]", part) for i, part in enumerate(value)]
    else:
        return {names: _leaf(value)}
    return {path: leaf for name, part in parts for path, leaf in flatten(part, name).items()}


@dataclass(frozen=True)
class Finding:
    """How one output compares: ``problem`` is empty when it is right; ``want`` must not be shown for hidden cases."""

    path: str
    shape: tuple = ()
    largest: float = 0.0
    problem: str = ""
    index: tuple | None = None
    want: float | None = None
    have: float | None = None


def compare(expected, got, any_shape=False):
    """One ``Finding`` per expected output, shape before values; more entries than expected are a finding too.

    Other keys in a dict cost nothing. With ``any_shape`` a value may have axes of length one too many or too few.
    """
    findings = [_compare_leaf(path, want, got, any_shape) for path, want in expected.items()]
    for path in got:
        if path not in expected and path.endswith("]") and not path.endswith('"]') and _parent_is_expected(path, expected):
            findings.append(Finding(path, problem=f"{path} is one entry more than there should be"))
    return findings


def likely_cause(finding, expected, got, args, m):
    """What the wrong numbers look like, in a sentence, or "" when they look like nothing in particular.

    It speaks of the student's numbers only, so it may be shown for hidden cases too.
    """
    path = finding.path
    want, have = expected.get(path), got.get(path)
    if not isinstance(have, np.ndarray) or not isinstance(want, np.ndarray) or not have.size:
        return ""
    if have.shape != want.shape:
        return _shape_cause(path, want, have, m)
    if not np.all(np.isfinite(have)):
        return f"{path} has entries that are not finite numbers (nan or inf): a logarithm of 0, a division by 0, or an overflow."
    for other, array in expected.items():
        if other != path and array.shape == have.shape and np.any(array) and _close(array, have) and not _close(array, want):
            return f"{path} holds what should be in {other}: look at the index."
    for name, array in flatten(args).items():
        if isinstance(array, np.ndarray) and array.shape == have.shape and array.size > 1 and _close(array, have):
            return f"{path} is one of the inputs, unchanged (argument {name})."
    return _value_cause(path, want, have, m)


def kind(value):
    """What a value is, in a student's words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.shape else "a single number"
    if value is None:
        return "None (is there a return, and is the value computed in every branch?)"
    if isinstance(value, tuple | list | dict):
        return f"a {type(value).__name__} with {len(value)} entr{'y' if len(value) == 1 else 'ies'}"
    return f"a value of type {type(value).__name__}"


def _is_numbers(value):
    return bool(value) and all(isinstance(item, int | float | np.number) for item in value)


def _leaf(value):
    try:
        array = np.array(value, subok=False)
    except Exception:
        return value
    return array if array.dtype.kind in "biuf" else value


def _close(a, b):
    return a.shape == b.shape and np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=False)


def _parent_is_expected(path, expected):
    parent = path.rpartition("[")[0]
    return any(name.startswith(parent + "[") for name in expected)


def _compare_leaf(path, want, got, any_shape):
    if path not in got:
        return Finding(path, problem=_missing(path, got))
    have = got[path]
    if not isinstance(have, np.ndarray):
        return Finding(path, problem=f"{path or 'the result'} should be an array of shape {want.shape}, yours is {kind(have)}")
    if any_shape and have.size == want.size:
        have = have.reshape(want.shape)
    if have.shape != want.shape:
        should = f"have shape {want.shape}" if want.shape else "be a single number"
        return Finding(path, have.shape, problem=f"{path} should {should}, yours has shape {have.shape}")
    have = have.astype(float)
    with np.errstate(all="ignore"):
        error = np.abs(have - want)
        wrong = ~(error <= ATOL + RTOL * np.abs(want))  # a nan is wrong
    largest = float(np.max(error, initial=0.0))
    if not wrong.any():
        return Finding(path, have.shape, largest)
    count = f"all {wrong.size} entries wrong" if wrong.all() else f"{wrong.sum()} of {wrong.size} entries wrong"
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return Finding(path, have.shape, largest, "wrong" if wrong.size == 1 else count, index, float(want[index]), float(have[index]))


def _missing(path, got):
    if "" in got:
        return f"should return more than that: yours is {kind(got[''])}"
    inside = [name for name in got if path.startswith(name)]
    if inside:
        return f"{inside[0]} should have entries of its own ({path} is one of them), yours is {kind(got[inside[0]])}"
    return f"{path} is missing; there is {', '.join(list(got)[:8]) or 'nothing'}"


def _shape_cause(path, want, have, m):
    if have.size == want.size and have.ndim == want.ndim == 2:
        return f"{path} has rows and columns exchanged: one factor wants to be transposed, or the sizes to be swapped."
    if want.shape == () and have.size == 1:
        return f"{path} is wrapped in {have.ndim} axis" + (" too many." if have.ndim == 1 else "es too many.") + " A product of a row and a column is still a matrix."
    if have.size == want.size:
        return f"{path} is flat: NumPy treats ({want.shape[0]},) and {want.shape} as different things. Think of keepdims=True, and of zeros((n, 1))."
    if have.ndim == 0:
        return f"{path} was summed to one number: sum along one axis only."
    if want.shape == ():
        return f"{path} was not summed up to one number."
    if have.ndim == 2 and have.shape[0] == 1 and want.shape[1:] == (1,):
        return f"{path} was summed along the wrong axis: examples are columns."
    if m and m in have.shape and m not in want.shape:
        return f"{path} still has one entry per example (m = {m}): is there a sum or a product over the examples missing?"
    return ""


def _value_cause(path, want, have, m):
    if not have.any():
        return f"{path} is all zeros."
    with np.errstate(all="ignore"):
        ratios = have[np.abs(want) > ATOL] / want[np.abs(want) > ATOL]
    if ratios.size and np.allclose(ratios, ratios[0], rtol=1e-6, atol=0) and _close(want * ratios[0], have):
        return _ratio_cause(path, float(ratios[0]), m)
    if _close(np.abs(want), np.abs(have)):
        return f"{path} has the right sizes and some wrong signs."
    if have.ndim == 2 and have.shape[0] == have.shape[1] and _close(want.T, have):
        return f"{path} is transposed."
    if want.size > 3 and (want < 0).any() and (want > 0).any() and (have >= 0).all():
        return f"none of the entries of {path} is negative, but some should be."
    return ""


def _ratio_cause(path, ratio, m):
    if np.isclose(ratio, -1):
        return f"{path} has the wrong sign everywhere."
    if m and m > 1 and np.isclose(abs(ratio), m):
        return f"{path} is exactly {m} times too large, and there are {m} examples: is the average over the examples missing?"
    if m and m > 1 and np.isclose(abs(ratio), 1 / m):
        return f"{path} is exactly {m} times too small, and there are {m} examples: is it averaged though it should not be?"
    return f"{path} is {abs(ratio):.6g} times what it should be" + (", with the wrong sign." if ratio < 0 else ", everywhere.")
