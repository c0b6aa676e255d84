"""Recognises which named mistakes a wrong function makes, by its results in all cases, hidden ones included.

Runs in the grader. Observations are untrusted data: they are only compared with recordings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from coursekit.marking.observations import Observation
from coursekit.model.exercise import Case, Exercise, Mistake
from coursekit.reference.assignments import Assignment
from selfcheck import known_mistakes, recognition
from selfcheck.comparison import changed
from selfcheck.known_mistakes import CallOutcome, Known, Leaves


@dataclass(frozen=True)
class Diagnosis:
    """The named mistakes of a function; ``whole``: one of them explains everything that is wrong."""

    mistakes: tuple[Mistake, ...] = ()
    whole: bool = False


def recognise(
    assignment: Assignment, exercise: Exercise, seen: Mapping[str, Observation], expected: Mapping[str, Leaves]
) -> Diagnosis:
    """The mistakes whose recorded results agree with ``seen``; several only if each explains another part of it.

    None if no mistake agrees, if a case has no result, or if nothing was recorded.
    """
    if not seen or not all(one.raised or one.outputs is not None for one in seen.values()):
        return Diagnosis()
    outcomes = {case: _outcome(one) for case, one in seen.items()}
    branches = {case.name: next((text for text in case.extra if text[:1] in "'\""), "") for case in exercise.cases}
    found = recognition.recognised(
        assignment.known_mistakes(exercise),
        recognition.Seen(outcomes, expected, branches, exercise.rtol),
        lambda one: _changes_as_much(exercise, one, seen, outcomes),
    )
    mistakes = (assignment.mistake(exercise.function, one.name) for one in found.mistakes)
    return Diagnosis(tuple(mistake for mistake in mistakes if mistake is not None), found.whole)


def _outcome(seen: Observation) -> CallOutcome:
    """The outcome of one call, for comparison. Which inputs it changed is expensive to compute, and left open here."""
    if seen.outputs is not None:
        return CallOutcome(seen.outputs, changed=None, own=seen.own)
    raised = seen.raised[0]
    return CallOutcome(
        raised=raised, sign=known_mistakes.sign(raised, seen.message), at=known_mistakes.assigned(seen.line)
    )


def _changes_as_much(
    exercise: Exercise, known: Known, seen: Mapping[str, Observation], outcomes: Mapping[str, CallOutcome]
) -> bool:
    """Whether the function changed every input that the mistake changes, in all cases."""
    input_changing = [case for case in exercise.cases if case.name in seen and _changes_inputs(known, case)]
    return all(
        known.cases[case.name].agrees(
            replace(outcomes[case.name], changed=_changed(exercise, case, seen[case.name])), exercise.rtol
        )
        for case in input_changing
    )


def _changes_inputs(known: Known, case: Case) -> bool:
    return case.name in known.cases and bool(known.cases[case.name].changed)


def _changed(exercise: Exercise, case: Case, seen: Observation) -> tuple[str, ...]:
    if seen.inputs is None:
        return ()
    return tuple(changed(exercise.given(case), seen.inputs))
