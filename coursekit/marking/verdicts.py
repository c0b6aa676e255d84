"""Verdicts: the marks of an exercise, check by check, and why; and verdicts as data beside the notebook."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coursekit.model.exercise import Exercise
from coursekit.model.wording import listed

NOTHING_ELSE = "Nothing else is right yet."
METADATA, VERSION = "coursekit", 1  # where the verdicts stand in an autograded notebook, and in which form


@dataclass(frozen=True)
class CheckResult:
    """One named check: its points, in ``reason`` why they are lost, in ``where`` in which cases."""

    name: str
    points: float
    passed: bool
    reason: str = ""
    where: str = ""


@dataclass(frozen=True)
class NamedMistake:
    """A named mistake of the catalogue: what is shown is its hint."""

    name: str
    hint: str


@dataclass(frozen=True)
class Verdict:
    """The marks of one exercise.

    ``follows``: earlier functions whose error kept this one from points, which it has now: with right ones it passes.
    ``calls``: earlier functions that are wrong too, where right ones in their place are not enough.
    ``unwritten``: it is the stub, as it was released.
    ``observed``: an answer of the function came back, or it was certain that there is none.
    """

    exercise: Exercise
    results: tuple[CheckResult, ...]
    mistake: NamedMistake | None = None
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
        """Why marks are lost, one sentence per cause, a line each; and whose error it was where it was another's."""
        said = _causes(self.results, bool(self.earned))
        if self.mistake:
            said.append(self.mistake.hint)
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
    """The same of two reasons that differ in nothing but numbers: a reader needs only one of them."""
    return re.sub(r"\d+", "#", reason)


def _with_names(group: list[CheckResult]) -> str:
    """What is wrong, behind the names of the checks that it cost; a name is not said twice."""
    names, sentence = ", ".join(result.name for result in group), _sentence(group[0])
    return sentence if sentence.startswith(f"{names}:") else f"{names}: {sentence}"


def _sentence(result: CheckResult) -> str:
    return f"{result.reason} ({result.where})" if result.where else result.reason


def no_marks(exercise: Exercise, why: str, unwritten: bool = False, observed: bool = True) -> Verdict:
    """No marks, for a reason that lies outside the function's results (a hang, a dead kernel, no such function)."""
    results = tuple(CheckResult(check.name, check.points, False, why) for check in exercise.checks)
    return Verdict(exercise, results, unwritten=unwritten, observed=observed)


def lost(verdicts: Sequence[Verdict]) -> frozenset[str]:
    """The functions that are not right, each by itself."""
    return frozenset(verdict.exercise.function for verdict in verdicts if not verdict.full)


def after_retry(first: Verdict, second: Verdict, wrong_functions: Sequence[str]) -> Verdict:
    """The verdict of a function that leans on wrong ones, after a second try with right ones in their place.

    A check that passes in either try is passed. What the second try says is not used, and so nothing that the
    references gave away can be told; but it is used that it is the stub, where an earlier stub had hidden this, and
    which named mistake it makes: that one is the function's own, and its hint is ours. That the others' errors cost
    nothing is known only where the second try came to an end.
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
    mistake = second.mistake or (None if gained else first.mistake)  # what the first try looked like was another's
    return replace(whole, mistake=mistake, follows=names if gained else (), calls=names if costless else ())


def as_data(
    assignment: str,
    verdicts: Sequence[Verdict],
    written: Sequence[dict[str, Any]] = (),
    notes: Sequence[str] = (),
    problem: str = "",
    answers: Mapping[str, str] = {},
) -> dict[str, Any]:
    """The verdicts of a submission as JSON, for the notebook's metadata and the gradebook.

    ``written`` tells of the cells that a person grades: ``{"grade_id", "points", "answered"}``. ``answers`` are the
    hashes of all answers (``answer_hashes.digests``).
    """
    return {
        "version": VERSION,
        "assignment": assignment,
        "notes": list(notes),
        "problem": problem,
        "exercises": [_as_data(verdict) for verdict in verdicts],
        "written": list(written),
        "answers": dict(answers),
    }


def _as_data(verdict: Verdict) -> dict[str, Any]:
    row, mistake = verdict.exercise, verdict.mistake
    return {
        "number": row.number,
        "function": row.function,
        "grade_id": row.grade_id,
        "points": row.points,
        "earned": verdict.earned,
        "checks": [
            {"name": r.name, "points": r.points, "passed": r.passed, "reason": r.reason, "where": r.where}
            for r in verdict.results
        ],
        "summary": verdict.reason,
        "mistake": {"name": mistake.name, "hint": mistake.hint} if mistake else None,
        "follows": list(verdict.follows),
        "calls": list(verdict.calls),
        "look": row.look,
    }
