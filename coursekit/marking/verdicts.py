"""Verdicts: the marks of an exercise, check by check, with reasons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from coursekit.model.exercise import Exercise
from coursekit.model.wording import listed

NOTHING_ELSE = "Nothing else is right yet."
RECORDED_ONLY = "Your function is right with the grader's fixed numbers, but not with new ones of the same sizes."


@dataclass(frozen=True)
class CheckResult:
    """The result of one named check: its points, why they are lost (``reason``), and in which cases (``where``)."""

    name: str
    points: float
    passed: bool
    reason: str = ""
    where: str = ""


@dataclass(frozen=True)
class NamedMistake:
    """A named mistake of the catalogue. Students see its hint, not its name."""

    name: str
    hint: str


@dataclass(frozen=True)
class Verdict:
    """The marks of one exercise.

    follows     wrong functions that it calls, whose error is carried forward: with right ones it earned more points
    calls       wrong functions that it calls, where right ones in their place earned no more points
    unwritten   the function is still the released stub
    observed    the function returned a result, or it is certain that it has none
    """

    exercise: Exercise
    results: tuple[CheckResult, ...]
    mistakes: tuple[NamedMistake, ...] = ()
    follows: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    unwritten: bool = False
    observed: bool = True

    @property
    def points(self) -> float:
        return self.exercise.points

    @property
    def earned(self) -> float:
        return sum(result.points for result in self.results if result.passed)

    @property
    def full(self) -> bool:
        return all(result.passed for result in self.results)

    @property
    def reason(self) -> str:
        """Why marks are lost, one line per cause; and which other functions' errors were carried forward."""
        said = _causes(self.results, bool(self.earned))
        said += [mistake.hint for mistake in self.mistakes]
        if self.follows and self.full:
            said.append(f"{self.exercise.function} is right; the error comes from {listed(self.follows)}.")
        elif self.follows:
            said.append(f"Part of it was the error of {listed(self.follows)}, and costs nothing here.")
        if self.calls:
            wrong = "is wrong as well" if len(self.calls) == 1 else "are wrong as well"
            said.append(f"{listed(self.calls)}, which it uses, {wrong}; that cost nothing here.")
        return "\n".join(said)


def _causes(results: Sequence[CheckResult], partly_right: bool) -> list[str]:
    groups: dict[str, list[CheckResult]] = {}
    for result in results:
        if not result.passed:
            groups.setdefault(gist(result.reason), []).append(result)
    if len(groups) > 1:
        groups.pop(NOTHING_ELSE, None)
    if len(groups) == 1 and not partly_right:
        return [_sentence(next(iter(groups.values()))[0])]
    return [_with_names(group) for group in groups.values()]


def gist(reason: str) -> str:
    """The reason without its numbers. Of several reasons with the same gist, a reader needs only one."""
    return re.sub(r"\d+", "#", reason)


def _with_names(group: list[CheckResult]) -> str:
    """The reason after the names of the checks that are lost; without names if the reason begins with them."""
    names, sentence = ", ".join(result.name for result in group), _sentence(group[0])
    return sentence if sentence.startswith(f"{names}:") else f"{names}: {sentence}"


def _sentence(result: CheckResult) -> str:
    return f"{result.reason} ({result.where})" if result.where else result.reason


def no_marks(exercise: Exercise, why: str, unwritten: bool = False, observed: bool = True) -> Verdict:
    """No marks, for a reason other than wrong results (a hang, a dead kernel, no such function)."""
    results = tuple(CheckResult(check.name, check.points, False, why) for check in exercise.checks)
    return Verdict(exercise, results, unwritten=unwritten, observed=observed)


def lost(verdicts: Sequence[Verdict]) -> frozenset[str]:
    """The functions without full marks."""
    return frozenset(verdict.exercise.function for verdict in verdicts if not verdict.full)


def after_retry(first: Verdict, second: Verdict, wrong_functions: Sequence[str]) -> Verdict:
    """The verdict after the follow-through retry of a function that calls wrong ones, with right ones in their place.

    A check that passes in either call is passed. Reasons from the retry are not used, so that nothing that right
    functions returned can be quoted. Two facts from it are used: that the function is a stub, which an earlier stub may
    have hidden, and which named mistake it makes, because that is its own and the hint is the catalogue's. Only a retry
    with a result (``observed``) proves that the other functions' errors cost nothing.
    """
    if first.unwritten or second.unwritten:
        return first if first.unwritten else second
    passed = {result.name for result in second.results if result.passed}
    results = tuple(
        replace(result, passed=True, reason="", where="") if result.name in passed else result
        for result in first.results
    )
    names = tuple(wrong_functions)
    whole = replace(first, results=results)
    gained = whole.earned > first.earned
    costless = not gained and second.observed
    mistakes = second.mistakes or (() if gained else first.mistakes)  # the first call's may be another function's
    return replace(whole, mistakes=mistakes, follows=names if gained else (), calls=names if costless else ())
