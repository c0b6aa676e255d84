"""Compares a returned value with the recorded one, and describes the difference.

Used by the public tests, which show all numbers, and by the grader, which shows only the student's. Both values are
flat dicts (``returned_values.flatten``). The comparison is independent of the exercise.
"""

from dataclasses import dataclass

import numpy as np

from selfcheck.likely_causes import likely_cause
from selfcheck.returned_values import NotNumbers, entries, flatten, kind
from selfcheck.tolerance import ATOL, RTOL

# Callers need the names of the neighbouring modules as well, so they can be imported from here.
__all__ = ["ATOL", "RTOL", "NotNumbers", "OutputComparison", "changed", "compare", "flatten", "kind", "likely_cause"]


@dataclass(frozen=True)
class OutputComparison:
    """The comparison of one output: ``problem`` is empty if it is right, ``index`` is that of the first wrong entry.

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
        """The name of the output and the problem, without expected numbers."""
        return f"{self.path}: {self.problem}" if self.index is not None else f"{self.path} {self.problem}".strip()

    @property
    def entry(self):
        """The first wrong entry as a Python expression, such as ``dW[0, 2]``."""
        return self.path + (str(list(self.index)) if self.index else "")


def compare(expected, got, any_shape=False, rtol=RTOL, atol=ATOL):
    """One ``OutputComparison`` per expected output; it checks structure, then shape, then values.

    A list with too few or too many entries gives a single comparison; unexpected keys of a dict are ignored. With
    ``any_shape`` a value may have extra or missing axes of length one.
    """
    if "" in got and "" not in expected:
        names = _listed(_output_names(expected), "and")
        return [OutputComparison("", problem=f"should return {names}; it returns {kind(got[''])}")]
    misplaced = {} if expected.keys() == got.keys() else _structure_problems(expected, got)
    comparisons = {}
    for path, want in expected.items():
        comparison = misplaced.get(path) or _compare_leaf(path, want, got[path], any_shape, rtol, atol)
        comparisons.setdefault(comparison.path, comparison)
    return list(comparisons.values())


def changed(before, after):
    """Names of the inputs that a call has changed; both arguments come from ``flatten``."""
    arrays = {path: leaf for path, leaf in before.items() if isinstance(leaf, np.ndarray)}
    comparisons = compare(arrays, after, rtol=0, atol=0)
    known = tuple(comparison.path for comparison in comparisons)
    added = [path for path in after if path not in before and not path.startswith(known)]
    return [*(comparison.path for comparison in comparisons if comparison.problem), *added]


def _listed(names, last, most=8):
    """Names joined as in a sentence: ``W1, b1 and W2``."""
    names = [name[:40] for name in names[:most]] + ([f"{len(names) - most} more"] if len(names) > most else [])
    return f" {last} ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def _output_names(flat):
    return list(dict.fromkeys(path.partition("[")[0] for path in flat))


def _structure_problems(expected, got):
    """By path of a leaf, the comparison of the outermost container around it that has a wrong structure."""
    wanted, found = _parts_by_container(expected), _parts_by_container(got)
    built = {container: _compare_container(container, parts, got, found) for container, parts in wanted.items()}
    comparisons = {}
    for path, want in expected.items():
        around = filter(None, (built[container] for container in _containers(path)))
        if comparison := next(around, None) or _misplaced_leaf(path, want, got, found):
            comparisons[path] = comparison
    return comparisons


def _containers(path):
    """The lists, tuples and dicts around a leaf, outermost first: ``a`` and ``a[2]`` for ``a[2][0]``."""
    return [path[:start] for start, sign in enumerate(path) if sign == "["]


def _parts_by_container(flat):
    """The parts of each list, tuple or dict: ``[0]``, ``[1]`` or ``["W1"]``, each once."""
    found = {}
    for path in flat:
        for container in _containers(path):
            part = path[len(container) :].partition("]")[0] + "]"
            found.setdefault(container, {})[part] = None
    return {container: list(parts) for container, parts in found.items()}


def _compare_container(container, wanted, got, found):
    """The comparison of a list, tuple or dict with a wrong structure, else None; ``wanted`` are its expected parts."""
    there = found.get(container, [])
    is_dict = wanted[0].startswith('["')
    should = "should be a dict" if is_dict else f"should be a tuple or list of {len(wanted)}"
    if container in got:
        return OutputComparison(container, problem=f"{should}, yours is {kind(got[container])}")
    if not there:
        return OutputComparison(container, problem=_missing(container, got, found))
    if is_dict != there[0].startswith('["'):
        sort = "tuple or list" if is_dict else "dict"
        return OutputComparison(container, problem=f"{should}, yours is a {sort} with {entries(len(there))}")
    if not is_dict and len(there) != len(wanted):
        return OutputComparison(container, problem=f"should have {entries(len(wanted))}, yours has {len(there)}")
    return None


def _misplaced_leaf(path, want, got, found):
    """The comparison of a leaf that is missing, or is a container; else None."""
    if path in got:
        return None
    if parts := found.get(path):
        sort = "dict" if parts[0].startswith('["') else "list or tuple"
        return OutputComparison(path, problem=f"should be {kind(want)}, yours is a {sort} with {entries(len(parts))}")
    return OutputComparison(path, problem=_missing(path, got, found))


def _missing(path, got, found):
    """The problem of a missing value: names what is in its container."""
    around = _containers(path)
    beside = [key.strip('[]"') for key in found.get(around[-1], [])] if around else _output_names(got)
    return f"is missing; there is {_listed(beside, 'and')}" if beside else "is missing; the dict is empty"


def _compare_leaf(path, want, have, any_shape, rtol, atol):
    if (
        want.size == 0 and isinstance(have, NotNumbers) and have.kind == kind([])
    ):  # no numbers in a list are no numbers in an array
        have = np.empty(want.shape)
    if not isinstance(have, np.ndarray):
        return OutputComparison(path, problem=f"should be {kind(want)}, yours is {kind(have)}")
    shape = have.shape
    if any_shape and have.size == want.size:
        have = have.reshape(want.shape)
    if have.shape != want.shape:
        should = f"have shape {want.shape}" if want.shape else "be a single number"
        yours = f"has shape {shape}" if shape else "is a single number"
        return OutputComparison(path, shape, problem=f"should {should}, yours {yours}")
    if have.dtype == want.dtype and have.tobytes() == want.tobytes():
        return OutputComparison(path, shape, 0.0)
    have = have.astype(float)
    with np.errstate(all="ignore"):
        error = np.abs(have - want)
        wrong = ~(error <= atol + rtol * np.abs(want))  # a nan is wrong
    largest = float(np.max(error, initial=0.0))
    if not wrong.any():
        return OutputComparison(path, shape, largest)
    count = f"all {wrong.size} entries wrong" if wrong.all() else f"{wrong.sum()} of {wrong.size} entries wrong"
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    problem = "wrong" if wrong.size == 1 else count
    return OutputComparison(path, shape, largest, problem, index, float(want[index]), float(have[index]))
