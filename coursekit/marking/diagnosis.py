"""Recognises which named mistake a wrong function makes, by its results in all cases, hidden ones included.

Runs in the grader. Observations are untrusted data: they are only compared with recordings.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from coursekit.marking.observations import Observation
from coursekit.model.exercise import Case, Exercise, Mistake
from coursekit.reference.assignments import Assignment
from selfcheck import known_mistakes
from selfcheck.comparison import changed
from selfcheck.known_mistakes import CallOutcome, Known

# The sentence in which coursekit.marking.observations describes an exception.
_STOPPED = re.compile(r"Your function stopped with \w+(?:: (?P<message>.*?))?(?: at `(?P<line>.*)`)?\.?", re.DOTALL)


def recognise(assignment: Assignment, exercise: Exercise, seen: Mapping[str, Observation]) -> Mistake | None:
    """The mistake whose recorded results agree with ``seen`` in every case; the first in the catalogue if several do.

    None if no mistake agrees, if a case has no result, or if nothing was recorded.
    """
    if not all(one.raised or one.outputs is not None for one in seen.values()):
        return None
    outcomes = {case: _outcome(one) for case, one in seen.items()}
    fitting = (
        one
        for one in assignment.known_mistakes(exercise)
        if one.fits(outcomes, exercise.rtol) and _changes_as_much(exercise, one, seen, outcomes)
    )
    found = next(fitting, None)
    return assignment.mistake(exercise.function, found.name) if found else None


def _outcome(seen: Observation) -> CallOutcome:
    """The outcome of one call, for comparison. Which inputs it changed is expensive to compute, and left open here."""
    if seen.outputs is not None:
        return CallOutcome(seen.outputs, changed=None, own=None)
    stopped = _STOPPED.fullmatch(seen.problem)
    message, line = (stopped["message"] or "", stopped["line"] or "") if stopped else ("", "")
    raised = seen.raised[0]
    return CallOutcome(raised=raised, sign=known_mistakes.sign(raised, message), at=known_mistakes.assigned(line))


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
