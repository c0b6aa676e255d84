"""How a returned value compares with the recorded one, in words that help.

Used by the public tests, which show a student every number, and by the grader, which shows the student's own only.
Both values are flat dicts (``returned_values.flatten``). Nothing here knows an exercise.
"""

from dataclasses import dataclass

import numpy as np

from selfcheck.likely_causes import likely_cause
from selfcheck.returned_values import NotNumbers, entries, flatten, kind
from selfcheck.tolerance import ATOL, RTOL

# Whoever compares needs the neighbours' names as well: they can be imported from here too.
__all__ = ["ATOL", "RTOL", "Finding", "NotNumbers", "changed", "compare", "flatten", "kind", "likely_cause"]


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


def _listed(names, last, most=8):
    """Names as one writes them in a sentence: ``W1, b1 and W2``."""
    names = [name[:40] for name in names[:most]] + ([f"{len(names) - most} more"] if len(names) > most else [])
    return f" {last} ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


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
        return Finding(container, problem=f"{should}, yours is a {sort} with {entries(len(there))}")
    if not is_dict and len(there) != len(wanted):
        return Finding(container, problem=f"should have {entries(len(wanted))}, yours has {len(there)}")
    return None


def _place(path, want, got, found):
    """The finding about a leaf that is not there, or has parts, or None."""
    if path in got:
        return None
    if parts := found.get(path):
        sort = "dict" if parts[0].startswith('["') else "list or tuple"
        return Finding(path, problem=f"should be {kind(want)}, yours is a {sort} with {entries(len(parts))}")
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
