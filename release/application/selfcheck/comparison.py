"""How a returned value compares with the recorded one, in words that help.

Used by the public tests, which show a student every number, and by the grader, which shows the student's own
only. ``flatten`` makes one flat dict of whatever a function returned, ``compare`` sets it beside the expected
one, and ``likely_cause`` says what the wrong numbers look like. Nothing here knows an exercise.
"""

from dataclasses import dataclass

import numpy as np

# Double precision in any order of summing stays below 1e-12 here; the smallest mistake that counts is far
# above 1e-6 of a value. A list that holds itself, or a million things, is described and not looked into.
RTOL, ATOL = 1e-7, 1e-10
MAX_DEPTH, MAX_ENTRIES = 8, 500


@dataclass(frozen=True)
class NotNumbers:
    """A returned value that is no array of numbers, known only by its description."""

    kind: str


def flatten(value, names="", depth=0):
    """Nested tuples, lists and dicts as one dict from a path such as ``caches[0][1]`` to a leaf.

    ``names``: a tuple names the parts of a tuple of that length, "" stands for a dict whose keys are the
    names, and any other string is the path of the value itself. What does not fit these becomes one leaf with
    the path "". A leaf is a numeric array, or ``NotNumbers``.
    """
    if isinstance(names, tuple):
        if not isinstance(value, tuple | list) or len(value) != len(names):
            return {"": _leaf(value, as_array=False)}
        parts = zip(names, value, strict=True)
    elif depth > MAX_DEPTH or (isinstance(value, tuple | list | dict) and not 0 < len(value) <= MAX_ENTRIES):
        return {names: _leaf(value, as_array=False)} if names or value or not isinstance(value, dict) else {}
    elif isinstance(value, dict):
        parts = [(f'{names}["{key}"]' if names else str(key) or '""', part) for key, part in value.items()]
    elif names and isinstance(value, tuple | list) and not _is_numbers(value):
        parts = [(f"{names}[{i}]", part) for i, part in enumerate(value)]
    else:
        return {names: _leaf(value, as_array=bool(names))}
    return {path: leaf for name, part in parts for path, leaf in flatten(part, name, depth + 1).items()}


@dataclass(frozen=True)
class Finding:
    """How one output compares: ``problem`` is empty when it is right, ``index`` tells the first wrong entry.

    ``want`` must not be shown for hidden cases.
    """

    path: str
    shape: tuple | None = None
    largest: float = 0.0
    problem: str = ""
    index: tuple | None = None
    want: float | None = None
    have: float | None = None

    @property
    def sentence(self):
        """The problem with the name of the output in front, and without any number that was expected."""
        return f"{self.path}: {self.problem}" if self.index is not None else f"{self.path} {self.problem}".strip()

    @property
    def entry(self):
        """The first wrong entry as one would write it in Python."""
        return self.path + (str(list(self.index)) if self.index else "")


def compare(expected, got, any_shape=False, rtol=RTOL, atol=ATOL):
    """One ``Finding`` per expected output: structure before shape, shape before values.

    A list with too few or too many entries is one finding, whatever is in it; more keys in a dict than
    expected cost nothing. With ``any_shape`` a value may have axes of length one too many or too few.
    """
    if "" in got and "" not in expected:
        names = _listed(_tops(expected), "and")
        return [Finding("", problem=f"should return {names}; it returns {kind(got[''])}")]
    misplaced = {} if expected.keys() == got.keys() else _structure(expected, got)
    findings = {}
    for path, want in expected.items():
        finding = misplaced.get(path) or _compare_leaf(path, want, got[path], any_shape, rtol, atol)
        findings.setdefault(finding.path, finding)
    return list(findings.values())


def changed(before, after):
    """Names of the inputs that are not what they were; both arguments come from ``flatten``."""
    arrays = {path: leaf for path, leaf in before.items() if isinstance(leaf, np.ndarray)}
    findings = compare(arrays, after, rtol=0, atol=0)
    known = tuple(finding.path for finding in findings)
    added = [path for path in after if path not in before and not path.startswith(known)]
    return [*(finding.path for finding in findings if finding.problem), *added]


def likely_cause(finding, expected, got, inputs, m):
    """What the wrong numbers look like, in a sentence, or "" when they look like nothing in particular.

    ``inputs`` are the arguments, flattened with their names; ``m`` is the number of examples, or None.
    The sentence holds no number that was expected, so it may be shown for hidden cases too.
    """
    path = finding.path
    want, have = expected.get(path), got.get(path)
    if not isinstance(have, np.ndarray) or not isinstance(want, np.ndarray) or not have.size:
        return ""
    if have.shape != want.shape and not (want.shape == () and have.size == 1 and finding.index is not None):
        return _shape_cause(path, want, have, m)
    have = have.reshape(want.shape).astype(float)
    if not np.all(np.isfinite(have)):
        subject = f"{path} has entries that are" if have.size > 1 else f"{path} is"
        return f"{subject} not finite (nan or inf): a logarithm of 0, a division by 0, or an overflow."
    if not have.any():
        return f"{path} is all zeros." if have.size > 1 else ""
    for other, array in expected.items():
        if other != path and array.any() and _close(array, have):
            return f"{path} holds what should be in {other}."
    arrays = {name: leaf for name, leaf in inputs.items() if isinstance(leaf, np.ndarray) and leaf.any()}
    for name, array in arrays.items():
        if _close(array, have):
            return f"{path} is the same as the input {name}."
    return _ratio_cause(path, want, have, m) or _sum_cause(path, want, have, arrays) or _entries_cause(path, want, have)


def kind(value):
    """What a value is, in a student's words."""
    if isinstance(value, NotNumbers):
        return value.kind
    if isinstance(value, np.ndarray):
        numbers = "" if value.dtype.kind in "biuf" else f" of {_dtype(value.dtype)}"
        return f"an array of shape {value.shape}{numbers}" if value.shape or numbers else "a single number"
    if value is None:
        return "None (is there a return, and does every branch set the value?)"
    if isinstance(value, tuple | list | dict):
        return f"{'an empty' if not value else 'a'} {_name(value)}" + (f" with {_entries(len(value))}" if value else "")
    if isinstance(value, bool | int | float | np.number):
        return "a single number"
    return f"a value of type {_name(value)}"


def _name(value):
    return type(value).__name__[:80]


def _dtype(dtype):
    return {"c": "complex numbers", "O": "objects", "U": "text", "S": "text"}.get(dtype.kind, str(dtype)[:80])


def _entries(count):
    return f"{count} entr{'y' if count == 1 else 'ies'}"


def _listed(names, last, most=8):
    """Names as one writes them in a sentence: ``W1, b1 and W2``."""
    names = [name[:40] for name in names[:most]] + ([f"{len(names) - most} more"] if len(names) > most else [])
    return f" {last} ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def _is_numbers(value):
    return all(isinstance(item, int | float | np.number) or _is_single(item) for item in value)


def _is_single(value):
    return isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "biuf"


def _leaf(value, as_array=True):
    """The value as an array of numbers, not copied; else, or where no array is wanted, its description."""
    if not as_array and not isinstance(value, np.ndarray):
        return NotNumbers(kind(value))
    try:
        array = np.asarray(value)
    except Exception:
        return NotNumbers(kind(value))
    if array.dtype.kind in "biuf":
        return array
    return NotNumbers(kind(array) if isinstance(value, np.ndarray) else kind(value))


def _close(a, b):
    return a.shape == b.shape and np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=False)


# --- structure and values ---------------------------------------------------------------------------------


def _tops(flat):
    return list(dict.fromkeys(path.partition("[")[0] for path in flat))


def _structure(expected, got):
    """By path, the finding about the outermost place around it that is not built as it should be."""
    wanted, found = _parts(expected), _parts(got)
    built = {container: _container(container, parts, got, found) for container, parts in wanted.items()}
    findings = {}
    for path, want in expected.items():
        around = filter(None, (built[container] for container in _containers(path)))
        if finding := next(around, None) or _place(path, want, got, found):
            findings[path] = finding
    return findings


def _containers(path):
    """The lists, tuples and dicts around a leaf, outermost first: ``a`` and ``a[2]`` for ``a[2][0]``."""
    return [path[:start] for start, sign in enumerate(path) if sign == "["]


def _parts(flat):
    """By list, tuple or dict its parts: ``[0]``, ``[1]`` or ``["W1"]``, each once."""
    found = {}
    for path in flat:
        for container in _containers(path):
            part = path[len(container) :].partition("]")[0] + "]"
            found.setdefault(container, {})[part] = None
    return {container: list(parts) for container, parts in found.items()}


def _container(container, wanted, got, found):
    """The finding about a list, tuple or dict that is not built as it should be, or None; ``wanted`` are its parts."""
    there = found.get(container, [])
    is_dict = wanted[0].startswith('["')
    should = "should be a dict" if is_dict else f"should be a tuple or list of {len(wanted)}"
    if container in got:
        return Finding(container, problem=f"{should}, yours is {kind(got[container])}")
    if not there:
        return Finding(container, problem=_missing(container, got, found))
    if is_dict != there[0].startswith('["'):
        sort = "tuple or list" if is_dict else "dict"
        return Finding(container, problem=f"{should}, yours is a {sort} with {_entries(len(there))}")
    if not is_dict and len(there) != len(wanted):
        return Finding(container, problem=f"should have {_entries(len(wanted))}, yours has {len(there)}")
    return None


def _place(path, want, got, found):
    """The finding about a leaf that is not there, or has parts, or None."""
    if path in got:
        return None
    if parts := found.get(path):
        sort = "dict" if parts[0].startswith('["') else "list or tuple"
        return Finding(path, problem=f"should be {kind(want)}, yours is a {sort} with {_entries(len(parts))}")
    return Finding(path, problem=_missing(path, got, found))


def _missing(path, got, found):
    """That it is missing, and what there is beside it."""
    around = _containers(path)
    beside = [key.strip('[]"') for key in found.get(around[-1], [])] if around else _tops(got)
    return f"is missing; there is {_listed(beside, 'and')}" if beside else "is missing; the dict is empty"


def _compare_leaf(path, want, have, any_shape, rtol, atol):
    if (
        want.size == 0 and isinstance(have, NotNumbers) and have.kind == kind([])
    ):  # no numbers in a list are no numbers in an array
        have = np.empty(want.shape)
    if not isinstance(have, np.ndarray):
        return Finding(path, problem=f"should be {kind(want)}, yours is {kind(have)}")
    shape = have.shape
    if any_shape and have.size == want.size:
        have = have.reshape(want.shape)
    if have.shape != want.shape:
        should = f"have shape {want.shape}" if want.shape else "be a single number"
        yours = f"has shape {shape}" if shape else "is a single number"
        return Finding(path, shape, problem=f"should {should}, yours {yours}")
    if have.dtype == want.dtype and have.tobytes() == want.tobytes():
        return Finding(path, shape, 0.0)
    have = have.astype(float)
    with np.errstate(all="ignore"):
        error = np.abs(have - want)
        wrong = ~(error <= atol + rtol * np.abs(want))  # a nan is wrong
    largest = float(np.max(error, initial=0.0))
    if not wrong.any():
        return Finding(path, shape, largest)
    count = f"all {wrong.size} entries wrong" if wrong.all() else f"{wrong.sum()} of {wrong.size} entries wrong"
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    problem = "wrong" if wrong.size == 1 else count
    return Finding(path, shape, largest, problem, index, float(want[index]), float(have[index]))


# --- causes: each says something only where it is sure ----------------------------------------------------


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
    """The whole output is a multiple of what it should be, by a factor that tells something."""
    where = np.abs(want) > ATOL
    if not where.any():
        return ""
    ratio = float(np.median(have[where] / want[where]))
    if not _close(want * ratio, have) or not np.isfinite(ratio) or ratio == 0:
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
    is_share = want.size == 1 and m and np.isclose(want.item() * m, round(want.item() * m))  # then chance can do it
    divisor = m / abs(ratio) if m and m > 1 and not is_share else 0
    if 1.5 < divisor < 50.5 and np.isclose(divisor, round(divisor), rtol=1e-6):
        return f"{path} looks as if it was divided by {round(divisor)}, but there are {m} examples{sign}."
    for base in (2, 10):
        if np.isclose(abs(ratio), 1 / np.log(base), rtol=1e-6):
            return f"{path} looks like a logarithm to the base {base}{sign}; np.log is the natural one."
    return ""


def _sum_cause(path, want, have, inputs):
    """The output would be right if an input were added to it once, or taken away."""
    for name, array in inputs.items():
        try:
            plus, minus, twice = have + array, have - array, have + 2 * array
        except ValueError:  # does not fit
            continue
        if _close(plus, want):
            return f"{path} is too small by {name}: is {name} left out?"
        if _close(minus, want):
            return f"{path} is too large by {name}: is {name} in it once too often?"
        if _close(twice, want):
            return f"{path} has {name} in it with the wrong sign."
    return ""


def _entries_cause(path, want, have):
    """Something is the same in all the entries that are wrong."""
    if want.size < 2:
        return ""
    wrong = ~np.isclose(have, want, rtol=RTOL, atol=ATOL)
    if np.all(want[wrong] == 0) and want.any():
        return f"{path} is right but for the entries that should be 0."
    if np.all(have[wrong] == 0):
        zeros = "an entry of 0" if wrong.sum() == 1 else "entries of 0"
        return f"{path} is right but for {zeros} where there should be another number."
    if _close(np.abs(want), np.abs(have)):
        return f"The numbers in {path} are right, but for the sign of some of them."
    if have.ndim == 2 and have.shape[0] == have.shape[1] and _close(want.T, have):
        return f"{path} is transposed."
    if want.size > 3 and (want < 0).any() and (have >= 0).all():
        return f"No entry of {path} is negative, but some should be."
    return ""
