"""Turns the results of function calls into marks. Runs in the grader, without student code, on untrusted data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from coursekit.marking import diagnosis, observations
from coursekit.marking.observations import Observation
from coursekit.marking.redaction import Redactor
from coursekit.marking.twins import of_check
from coursekit.marking.verdicts import NOTHING_ELSE, RECORDED_ONLY, CheckResult, NamedMistake, Verdict, no_marks
from coursekit.model.exercise import CACHES, Case, Check, Exercise, Twin
from coursekit.reference.assignments import Assignment
from selfcheck.comparison import OutputComparison, changed, compare
from selfcheck.likely_causes import WrongOutput, common_cause

_inputs: dict[str, tuple[Case, dict[str, Any]]] = {}  # by exercise and case: the arguments of the call, cached
NO_ANSWER = "The grader got no answer from this exercise."
NO_INPUTS = "What became of the inputs is not known."  # the sandbox always sends the inputs: these were forged


def judge(
    assignment: Assignment, exercise: Exercise, message: Any, redactor: Redactor | None = None, recognise: bool = True
) -> Verdict:
    """The verdict on the reply to a function call; a string in its place is the reason why there is none.

    ``redactor`` limits what is quoted of the reply. Without one everything is quoted: for the course's functions only.
    ``recognise``: whether to look for a named mistake.
    """
    if isinstance(message, str):  # the reason comes from the runner, not from the sandbox
        return no_marks(exercise, message, observed=False)
    if not isinstance(message, dict) or not isinstance(message.get("observations"), list):
        return no_marks(exercise, NO_ANSWER, observed=False)
    if message.get("defined") is False:
        return no_marks(exercise, f"There is no function {exercise.function} in the notebook.")
    seen = observations.parse(exercise.cases, message, redactor)
    stub = f"Exercise {exercise.number}: {exercise.function} is not written yet."
    if seen and all(observation.problem == stub for observation in seen.values()):
        return no_marks(exercise, stub, unwritten=True)
    expected = assignment.expected(exercise)
    results = {check.name: _result(exercise, check, seen, expected) for check in exercise.checks}
    found = diagnosis.Diagnosis()
    if recognise and not all(result.passed for result in results.values()):
        found = diagnosis.recognise(assignment, exercise, seen, expected)
    if found.whole:  # its hint says more than a likely cause that is guessed from the numbers
        results = {check.name: _result(exercise, check, seen, expected, named=True) for check in exercise.checks}
    named = tuple(NamedMistake(mistake.name, mistake.hint) for mistake in found.mistakes)
    observed = not any(observation.untried for observation in seen.values())
    return Verdict(exercise, _beside_work(exercise, results.values()), named, observed=observed)


def contradicted(exercise: Exercise, verdict: Verdict, message: Any, twins: Sequence[Twin]) -> tuple[Twin, ...]:
    """The twins with a wrong result in a check that the verdict has as passed. ``message`` is the reply to their calls.

    A twin without a result counts as wrong.
    """
    seen = observations.parse(twins, message if isinstance(message, dict) else {})
    passed = {result.name for result in verdict.results if result.passed}
    wrong = {
        twin.name
        for check in exercise.checks
        for twin in (of_check(check, twins) if check.name in passed else ())
        if _is_wrong(exercise, check, twin, seen[twin.name])
    }
    return tuple(twin for twin in twins if twin.name in wrong)


def without(exercise: Exercise, verdict: Verdict, wrong: Sequence[Twin]) -> Verdict:
    """The verdict without the checks that these twins contradict."""
    results = (
        replace(result, passed=False, reason=RECORDED_ONLY) if result.passed and of_check(check, wrong) else result
        for check, result in zip(exercise.checks, verdict.results, strict=True)
    )
    return replace(verdict, results=_beside_work(exercise, tuple(results)))


def _beside_work(exercise: Exercise, results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """The results, where a check that shows no work passes only beside one that does."""
    found = tuple(results)
    passed = {result.name for result in found if result.passed}
    earned = any(check.name in passed for check in exercise.checks if _shows_work(exercise, check))
    return tuple(
        result if earned or not result.passed else replace(result, passed=False, reason=NOTHING_ELSE)
        for result in found
    )


def _given(exercise: Exercise, case: Case) -> dict[str, Any]:
    """The inputs of a case, made once and never modified."""
    made, inputs = _inputs.get(key := f"{exercise.key}/{case.name}", (None, {}))
    if made is not case:
        inputs = exercise.given(case)
        _inputs[key] = (case, inputs)
    return inputs


def _shows_work(exercise: Exercise, check: Check) -> bool:
    """False for a check that a function passes which does nothing or always raises: it needs another passed check.

    In a retry without recorded cases for the check, twins decide.
    """
    cases = _cases(exercise, check)
    return not check.untouched and (not cases or any(not case.raises for case in cases))


def _cases(exercise: Exercise, check: Check) -> list[Case]:
    return [case for case in exercise.cases if check.covers(case.name)]


def _result(
    exercise: Exercise, check: Check, seen: dict[str, Observation], expected: dict[str, Any], named: bool = False
) -> CheckResult:
    if check.untouched:
        return _inputs_unchanged(exercise, check, seen)
    found = _values(exercise, check, seen, expected, named)
    if found.passed and _is_of_caches(check):
        beside = replace(check, outputs=exercise.results)
        if not _values(exercise, beside, seen, expected, named).passed:
            reason = f"The {check.outputs[0]} counts only beside a right {' and '.join(exercise.results)}."
            return CheckResult(check.name, check.points, False, reason)
    return found


def _values(
    exercise: Exercise, check: Check, seen: dict[str, Observation], expected: dict[str, Any], named: bool
) -> CheckResult:
    cases = _cases(exercise, check)
    found = {case.name: _wrong(exercise, check, case, seen[case.name], expected) for case in cases}
    wrong = {case: one for case, one in found.items() if one}
    if not wrong:
        return CheckResult(check.name, check.points, True)
    first = next(iter(wrong.values()))
    said = first if isinstance(first, str) else _own_numbers(first.comparison)
    where = _where(cases, [case for case in cases if case.name in wrong])
    reason = said if named else f"{said} {_advice(wrong, seen)}".strip()
    return CheckResult(check.name, check.points, False, reason, where)


def _wrong(
    exercise: Exercise, check: Check, case: Case, seen: Observation, expected: dict[str, Any]
) -> WrongOutput | str:
    """The first wrong output of a case; what is wrong, in words, if there is no output; "" if nothing is."""
    if case.raises:
        here = f"with {', '.join(case.extra)} your function should raise a {case.raises}"
        return "" if case.raises in seen.raised else f"{here}. {seen.problem}" if seen.problem else f"{here}."
    if seen.outputs is None:
        return seen.problem
    findings = _findings(exercise, check, expected[case.name], seen.outputs)
    if not findings:
        return ""
    given = _given(exercise, case)
    return WrongOutput(findings[0], expected[case.name], seen.outputs, given, case.sizes.get("m"))


def _advice(wrong: Mapping[str, WrongOutput | str], seen: Mapping[str, Observation]) -> str:
    """The likely cause if it fits every wrong case; after an exception, what that means."""
    first = next(iter(wrong))
    if isinstance(wrong[first], str):
        return seen[first].advice
    outputs = [one for one in wrong.values() if isinstance(one, WrongOutput)]
    return common_cause(outputs) if len(outputs) == len(wrong) else ""


def _findings(
    exercise: Exercise, check: Check, expected: Mapping[str, Any], outputs: Mapping[str, Any]
) -> list[OutputComparison]:
    nothing_fits = "" in outputs  # then report all outputs that the function should return
    want = {
        path: leaf
        for path, leaf in expected.items()
        if not check.outputs or nothing_fits or path.startswith(check.outputs)
    }
    compared = compare(want, outputs, check.any_shape, exercise.rtol)
    return [finding for finding in compared if finding.problem]


def _is_wrong(exercise: Exercise, check: Check, twin: Twin, seen: Observation) -> bool:
    if twin.raises:
        return twin.raises not in seen.raised
    beside = (*check.outputs, *exercise.results) if _is_of_caches(check) else check.outputs
    return seen.outputs is None or bool(
        _findings(exercise, replace(check, outputs=beside), twin.expected, seen.outputs)
    )


def _is_of_caches(check: Check) -> bool:
    return bool(check.outputs) and set(check.outputs) <= set(CACHES)


def _own_numbers(finding: OutputComparison) -> str:
    """The finding with the student's number, and never the expected one."""
    if finding.index is None:
        return f"{finding.sentence if finding.path else 'Your function ' + finding.problem}."
    return f"{finding.sentence}, yours has {finding.entry} = {finding.have:.6g}."


def _where(cases: list[Case], wrong: list[Case]) -> str:
    """In which cases the check fails: how many, the sizes of the first, and whether only m = 1 is right."""
    first = _described(wrong[0])
    if len(cases) == 1:
        return first
    right = [case.sizes.get("m") for case in cases if case not in wrong]
    only = ", right only with one example" if right and set(right) == {1} else ""
    every = "in every case tried" if len(wrong) == len(cases) else f"in {len(wrong)} of {len(cases)} cases tried{only}"
    return f"{every}; for instance {first}"


def _described(case: Case) -> str:
    """The sizes of a case, without the seed of a hidden one: from that, students could make its inputs."""
    hidden_seed = not case.public and case.words.startswith("seed ")
    return case.words.partition(" · ")[2] if hidden_seed else case.words


def _inputs_unchanged(exercise: Exercise, check: Check, seen: dict[str, Observation]) -> CheckResult:
    names: list[str] = []
    for case in exercise.cases:
        after = seen[case.name].inputs
        if after is None and seen[case.name].outputs is not None:
            return CheckResult(check.name, check.points, False, NO_INPUTS)
        if after is not None and not names:
            names = changed(_given(exercise, case), after)
    reason = f"Your function changes its own input: {', '.join(names)[: observations.MAX_TEXT]}." if names else ""
    return CheckResult(check.name, check.points, not names, reason)
