"""Recognises the known mistakes that a function makes, by its outcomes in all cases: for public tests and grader.

First one mistake that explains everything. If there is none, the function may make several: then each wrong part by
itself, where a part is an output, such as ``dW``, or a branch, such as all cases with "relu". A mistake explains a part
if it does nothing wrong outside, and if it is the only one that does.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from selfcheck.comparison import compare
from selfcheck.known_mistakes import OUTPUTS, CallOutcome, Known, Leaves, same

MAX_PARTS = 8


@dataclass(frozen=True)
class Recognised:
    """The mistakes that explain what was seen; ``whole``: one that explains everything."""

    mistakes: tuple[Known, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Seen:
    """What is known of a function's calls, all by name of the case.

    ``expected`` are the right outputs, empty where an exception is right; ``branches`` the text arguments, such as
    "relu", or "" where there is none.
    """

    outcomes: Mapping[str, CallOutcome]
    expected: Mapping[str, Leaves]
    branches: Mapping[str, str]
    rtol: float


def recognised(known: Sequence[Known], seen: Seen, accept: Callable[[Known], bool] = lambda _: True) -> Recognised:
    """The mistakes that explain what was seen; none if that is not clear. ``accept`` is asked of each that fits."""
    if not seen.outcomes:
        return Recognised()
    whole = next((one for one in known if one.fits(seen.outcomes, seen.rtol) and accept(one)), None)
    if whole is not None:
        return Recognised((whole,), whole=True)
    found = (*_of_branches(known, seen), *_of_outputs(known, seen))
    by_hint = {one.hint: one for one in reversed(found) if accept(one)}
    return Recognised(tuple(one for one in found if by_hint.pop(one.hint, None) is not None))


def _of_branches(known: Sequence[Known], seen: Seen) -> Iterator[Known]:
    branches = dict.fromkeys(seen.branches.get(case, "") for case in seen.outcomes)
    if not 1 < len(branches) <= MAX_PARTS:
        return
    for branch in branches:
        there = {case: one for case, one in seen.outcomes.items() if seen.branches.get(case, "") == branch}

        def concerns_only(one: Known, there: Mapping[str, CallOutcome] = there) -> bool:
            return all(not recorded.tells for case, recorded in one.cases.items() if case not in there)

        yield from _only(one for one in known if concerns_only(one) and one.fits(there, seen.rtol))


def _of_outputs(known: Sequence[Known], seen: Seen) -> Iterator[Known]:
    """Each mistake whose outputs explain one wrong output in all cases, where every call returned something."""
    cases = [case for case, expected in seen.expected.items() if expected and case in seen.outcomes]
    if not cases or any(seen.outcomes[case].outputs is None for case in cases):
        return
    wrong_seen = {case: _wrong(seen, case, seen.outcomes[case].outputs) for case in cases}
    parts = dict.fromkeys(_output(path) for paths in wrong_seen.values() for path in paths)
    if len(parts) > MAX_PARTS:
        return
    for part in parts:
        explaining = (one for one in known if _explains(one, seen, cases, part))
        yield from _only(one for one in explaining if _concerned(one, seen, cases) == {part})


def _concerned(one: Known, seen: Seen, cases: Sequence[str]) -> frozenset[str]:
    """The outputs that a mistake makes wrong; empty if it does anything else, or is not recorded in every case."""
    found: set[str] = set()
    for case in cases:
        recorded = one.cases.get(case)
        if recorded is None or recorded.outputs is None or recorded.tells not in ("", OUTPUTS) or recorded.absent:
            return frozenset()
        found |= {_output(path) for path in _wrong(seen, case, recorded.outputs)}
    return frozenset(found)


def _explains(one: Known, seen: Seen, cases: Sequence[str], part: str) -> bool:
    """Whether the function returns in this part what it returns with the mistake."""
    return all(
        same(leaf, (seen.outcomes[case].outputs or {}).get(path), seen.rtol)
        for case in cases
        if case in one.cases
        for path, leaf in (one.cases[case].outputs or {}).items()
        if _output(path) == part
    )


def _wrong(seen: Seen, case: str, outputs: Leaves | None) -> tuple[str, ...]:
    compared = compare(seen.expected[case], outputs or {}, rtol=seen.rtol)
    return tuple(finding.path for finding in compared if finding.problem)


_OUTPUT = re.compile(r'\w*(?:\["\w+"\])?')  # dW1, caches of caches[0][1], parameters["W1"]


def _output(path: str) -> str:
    """The output to which a path belongs; the same one for all layers."""
    found = _OUTPUT.match(path)
    return re.sub(r"\d+", "#", found[0] if found else path)


def _only(found: Iterator[Known]) -> tuple[Known, ...]:
    """The one mistake that was found; nothing if there are several with different hints."""
    ones = tuple(found)
    return ones[:1] if len({one.hint for one in ones}) == 1 else ()
