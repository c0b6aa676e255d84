"""From what the probes saw to marks. Runs in the grader, where no student code runs; its input is data, and hostile."""

import base64
import binascii
import math
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import public_tests
from comparison import Finding, NotNumbers, compare, likely_cause
from coursekit import recording
from coursekit.course import Course, find_course
from hidden_tests import Check, Exercise
from public_tests import Case

MAX_TEXT = 300
NOTHING_ELSE = "Nothing else is right yet."


@dataclass(frozen=True)
class Observation:
    """One case as the probe saw it. ``problem`` says why there are no outputs, ``raised`` what the exception is."""

    outputs: dict[str, Any] | None
    changed: tuple[str, ...] = ()
    problem: str = ""
    raised: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """One named check: its points, in ``reason`` why they are lost, in ``where`` in which cases."""

    name: str
    points: float
    passed: bool
    reason: str = ""
    where: str = ""


@dataclass(frozen=True)
class Verdict:
    """The marks of one exercise."""

    exercise: Exercise
    results: tuple[Result, ...]
    calls: tuple[str, ...] = ()  # earlier functions that it calls, and that have lost marks themselves

    @property
    def points(self) -> float:
        return self.exercise.points

    @property
    def earned(self) -> float:
        return sum(result.points for result in self.results if result.passed)

    @property
    def reason(self) -> str:
        """Why marks are lost, one sentence per cause; empty for full marks."""
        groups: dict[str, list[Result]] = {}
        for result in self.results:
            if not result.passed:
                groups.setdefault(re.sub(r"\d+", "#", result.reason), []).append(result)
        if len(groups) > 1:
            groups.pop(NOTHING_ELSE, None)
        if len(groups) == 1 and not self.earned:
            said = [_sentence(next(iter(groups.values()))[0])]
        else:
            said = [_with_names(group) for group in groups.values()]
        if self.calls and any(result.where for result in self.results):
            said.append(f"It calls {' and '.join(self.calls)}, wrong already: mend that first, this may be right.")
        return "\n".join(said)


def _with_names(group: list[Result]) -> str:
    """What is wrong, behind the names of the checks that it cost; a name is not said twice."""
    names, sentence = ", ".join(result.name for result in group), _sentence(group[0])
    return sentence if sentence.startswith(f"{names}:") else f"{names}: {sentence}"


def _sentence(result: Result) -> str:
    return f"{result.reason} ({result.where})" if result.where else result.reason


def nothing_seen(exercise: Exercise, why: str) -> Verdict:
    """No marks, for a reason that lies outside the function's results (a hang, a dead kernel, no such function)."""
    return Verdict(exercise, tuple(Result(check.name, check.points, False, why) for check in exercise.checks))


def with_causes(verdicts: list[Verdict]) -> list[Verdict]:
    """The same marks; where an exercise calls one that has lost marks itself, its reason says so."""
    lost = {verdict.exercise.function for verdict in verdicts if verdict.earned < verdict.points}
    return [
        replace(verdict, calls=tuple(name for name in verdict.exercise.leans_on if name in lost))
        if verdict.exercise.function in lost
        else verdict
        for verdict in verdicts
    ]


def judge(exercise: Exercise, message: Any, course: Course | None = None) -> Verdict:
    """The marks that the probe's message earns. What is malformed counts as not returned; nothing in it is run."""
    course = course or find_course()
    if isinstance(message, str):  # from the runner, not from the kernel: why there is nothing
        return nothing_seen(exercise, message)
    if not isinstance(message, dict) or message.get("exercise") != exercise.key:
        return nothing_seen(exercise, "The grader got no answer from this exercise.")
    if message.get("defined") is False:
        return nothing_seen(exercise, f"There is no function {exercise.function} in the notebook.")
    seen = _observations(exercise, message)
    stub = f"Exercise {exercise.public.number}: {exercise.function} is not written yet."
    if all(observation.problem == stub for observation in seen.values()):
        return nothing_seen(exercise, stub)
    expected = {case.name: recording.expected(course, exercise, case) for case in exercise.cases}
    results = {check.name: _result(exercise, check, seen, expected) for check in exercise.checks}
    earned = any(results[check.name].passed for check in exercise.checks if _shows_work(exercise, check))
    return Verdict(
        exercise,
        tuple(
            result if earned or not result.passed else replace(result, passed=False, reason=NOTHING_ELSE)
            for result in results.values()
        ),
    )


def _shows_work(exercise: Exercise, check: Check) -> bool:
    """False for what a function that does nothing, or always raises, passes too: it pays beside another check only."""
    return not check.untouched and any(not case.raises for case in _cases(exercise, check))


def _cases(exercise: Exercise, check: Check) -> list[Case]:
    return [case for case in exercise.cases if not check.cases or case.name.startswith(check.cases)]


def _result(exercise: Exercise, check: Check, seen: dict[str, Observation], expected: dict[str, Any]) -> Result:
    return _untouched(check, seen) if check.untouched else _values(exercise, check, seen, expected)


def _values(exercise: Exercise, check: Check, seen: dict[str, Observation], expected: dict[str, Any]) -> Result:
    cases = _cases(exercise, check)
    wrong = [
        (case, problem) for case in cases if (problem := _problem(exercise, check, case, seen[case.name], expected))
    ]
    if not wrong:
        return Result(check.name, check.points, True)
    return Result(check.name, check.points, False, wrong[0][1], _where(exercise, cases, [case for case, _ in wrong]))


def _problem(exercise: Exercise, check: Check, case: Case, seen: Observation, expected: dict[str, Any]) -> str:
    if case.raises:
        here = f"with {', '.join(map(repr, case.extra))} your function should raise a {case.raises}"
        return "" if case.raises in seen.raised else f"{here}. {seen.problem}" if seen.problem else f"{here}."
    if seen.outputs is None:
        return seen.problem
    nothing_fits = "" in seen.outputs  # then say what the function should return, all of it
    want = {
        path: leaf
        for path, leaf in expected[case.name].items()
        if not check.outputs or nothing_fits or path.startswith(check.outputs)
    }
    public = exercise.public
    compared = compare(want, seen.outputs, check.any_shape, public.rtol)
    findings = [finding for finding in compared if finding.problem]
    if not findings:
        return ""
    inputs = public_tests.inputs(public, public_tests.build(public, case))
    cause = likely_cause(
        findings[0], expected[case.name], seen.outputs, inputs, public_tests.sizes(public, case).get("m")
    )
    return f"{_own_numbers(findings[0])}{' ' + cause if cause else ''}"


def _own_numbers(finding: Finding) -> str:
    """What is wrong in the student's own numbers, and never the expected ones."""
    if finding.index is None:
        return f"{finding.sentence if finding.path else 'Your function ' + finding.problem}."
    return f"{finding.sentence}, yours has {finding.entry} = {finding.have:.6g}."


def _where(exercise: Exercise, cases: list[Case], wrong: list[Case]) -> str:
    """In which cases: the first one by its sizes, and what the right ones have in common."""
    if len(cases) == 1:
        return str(public_tests.describe(exercise.public, wrong[0]))
    right = [public_tests.sizes(exercise.public, case).get("m") for case in cases if case not in wrong]
    only = ", right only with one example" if right and set(right) == {1} else ""
    every = "in every case tried" if len(wrong) == len(cases) else f"in {len(wrong)} of {len(cases)} cases tried{only}"
    return f"{every}; for instance {public_tests.describe(exercise.public, wrong[0])}"


def _untouched(check: Check, seen: dict[str, Observation]) -> Result:
    changed = next((observation.changed for observation in seen.values() if observation.changed), ())
    reason = f"Your function changes its own input: {', '.join(changed)[:MAX_TEXT]}." if changed else ""
    return Result(check.name, check.points, not changed, reason)


def _observations(exercise: Exercise, message: dict[str, Any]) -> dict[str, Observation]:
    """One observation per case of ours; whatever else the message holds is ignored."""
    raw = message.get("observations")
    by_case = {item.get("case"): item for item in raw if isinstance(item, dict) and isinstance(item.get("case"), str)} \
        if isinstance(raw, list) else {}  # fmt: skip
    hung = any("timeout_s" in item for item in by_case.values())
    missing = Observation(
        None, problem="not tried, because an earlier call took too long." if hung else "no result arrived."
    )
    return {case.name: _observation(by_case[case.name]) if case.name in by_case else missing for case in exercise.cases}


def _observation(item: dict[str, Any]) -> Observation:
    if "timeout_s" in item:
        limit = f"{_number(item['timeout_s']):g} s"
        return Observation(
            None, problem=f"a call took longer than {limit} and was stopped: is there a loop without an end?"
        )
    error = item.get("error")
    if isinstance(error, dict):
        names = error.get("is_a")
        raised = tuple(str(name)[:MAX_TEXT] for name in names) if isinstance(names, list) else ()
        return Observation(None, problem=_error(error), raised=raised)
    outputs = item.get("outputs")
    if not isinstance(outputs, dict):
        return Observation(None, problem="no result arrived.")
    changed = item.get("changed")
    names = tuple(str(name)[:MAX_TEXT] for name in changed) if isinstance(changed, list) else ()
    return Observation({str(path): _decode(leaf) for path, leaf in outputs.items()}, names)


def _error(error: dict[str, Any]) -> str:
    kind, message, line = (str(error.get(key, ""))[:MAX_TEXT].strip() for key in ("type", "message", "line"))
    if kind == "NotImplementedError" and message.startswith("Exercise "):
        return f"{message} is not written yet."
    return f"Your function stopped with {kind}: {message}" + (f" at `{line}`." if line else ".")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _decode(leaf: Any) -> Any:
    """A numeric array, or ``NotNumbers``: shape and size must agree, and only doubles are read."""
    if not isinstance(leaf, dict):
        return NotNumbers("not readable")
    shape, data = leaf.get("shape"), leaf.get("data")
    if not isinstance(shape, list) or not isinstance(data, str):
        return NotNumbers(str(leaf.get("kind", "not readable"))[:MAX_TEXT])
    if len(shape) > 8 or not all(type(n) is int and 0 <= n < 1 << 20 for n in shape):
        return NotNumbers("an array of an impossible shape")
    try:
        raw = base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        return NotNumbers("not readable")
    if len(raw) != 8 * math.prod(shape):
        return NotNumbers("an array of an impossible size")
    return np.frombuffer(raw, dtype="<f8").reshape(shape)
