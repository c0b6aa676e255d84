"""Which named mistake a wrong function makes, told by what it gave in all cases, the hidden ones too.

Runs in the grader. What was observed is data, and hostile: it is compared with recordings, and nothing else.
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

# The words in which coursekit.marking.observations tells of an exception.
_STOPPED = re.compile(r"Your function stopped with \w+(?:: (?P<message>.*?))?(?: at `(?P<line>.*)`)?\.?", re.DOTALL)


def recognise(assignment: Assignment, exercise: Exercise, seen: Mapping[str, Observation]) -> Mistake | None:
    """The mistake that gives what was seen, by the names of the cases; the first of the catalogue if several do.

    None where no mistake agrees with every case, where a case has no result, and where nothing was recorded.
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
    """What was observed of one call; which inputs it has changed takes longer to find out, and comes later."""
    if seen.outputs is not None:
        return CallOutcome(seen.outputs, changed=None, own=None)
    told = _STOPPED.fullmatch(seen.problem)
    message, line = (told["message"] or "", told["line"] or "") if told else ("", "")
    raised = seen.raised[0]
    return CallOutcome(raised=raised, sign=known_mistakes.sign(raised, message), at=known_mistakes.assigned(line))


def _changes_as_much(
    exercise: Exercise, known: Known, seen: Mapping[str, Observation], outcomes: Mapping[str, CallOutcome]
) -> bool:
    """Whether every input that the mistake changes was changed, in all cases."""
    spoiling = [case for case in exercise.cases if case.name in seen and _spoils(known, case)]
    return all(
        known.cases[case.name].agrees(
            replace(outcomes[case.name], changed=_changed(exercise, case, seen[case.name])), exercise.rtol
        )
        for case in spoiling
    )


def _spoils(known: Known, case: Case) -> bool:
    return case.name in known.cases and bool(known.cases[case.name].changed)


def _changed(exercise: Exercise, case: Case, seen: Observation) -> tuple[str, ...]:
    if seen.inputs is None:
        return ()
    return tuple(changed(exercise.given(case), seen.inputs))
