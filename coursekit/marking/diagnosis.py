"""Which named mistake a wrong function makes, told by what it gave in all cases, the hidden ones too.

Runs in the grader. What was observed is data, and hostile: it is compared with recordings, and nothing else.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import mistakes
from coursekit import recording
from coursekit.course import Course
from coursekit.exercise import Exercise
from coursekit.marking.observations import Observation
from selfcheck import known_mistakes
from selfcheck.comparison import changed
from selfcheck.exercises import Case
from selfcheck.known_mistakes import Known, Outcome

# The words in which coursekit.marking.observations tells of an exception.
_STOPPED = re.compile(r"Your function stopped with \w+(?:: (?P<message>.*?))?(?: at `(?P<line>.*)`)?\.?", re.DOTALL)


def recognise(course: Course, exercise: Exercise, seen: Mapping[str, Observation]) -> mistakes.Mistake | None:
    """The mistake that gives what was seen, by the names of the cases; the first of the table if several do.

    None where no mistake agrees with every case, where a case has no result, and where nothing was recorded.
    """
    if not all(one.raised or one.outputs is not None for one in seen.values()):
        return None
    outcomes = {case: _outcome(one) for case, one in seen.items()}
    rtol = exercise.public.rtol
    fitting = (
        one
        for one in _known(course, exercise.key)
        if one.fits(outcomes, rtol) and _changes_as_much(exercise, one, seen, outcomes)
    )
    found = next(fitting, None)
    try:
        named = mistakes.find(exercise.key, found.name) if found else None
    except KeyError:  # recorded, and taken out of the table since
        return None
    return named if isinstance(named, mistakes.Mistake) else None


def _known(course: Course, key: str) -> tuple[Known, ...]:
    """The recorded mistakes of an exercise; none where there is no recording, which is no reason to grade nobody."""
    path = course.root / recording.MISTAKE_FILES[1]
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size, key)
    except (OSError, KeyError, ValueError):
        return ()


@lru_cache(maxsize=128)
def _read(path: Path, modified_ns: int, size: int, key: str) -> tuple[Known, ...]:
    return known_mistakes.read(path, key)


def _outcome(seen: Observation) -> Outcome:
    """What was observed of one call; which inputs it has changed takes longer to find out, and comes later."""
    if seen.outputs is not None:
        return Outcome(seen.outputs, changed=None, own=None)
    told = _STOPPED.fullmatch(seen.problem)
    message, line = (told["message"] or "", told["line"] or "") if told else ("", "")
    raised = seen.raised[0]
    return Outcome(raised=raised, sign=known_mistakes.sign(raised, message), at=known_mistakes.assigned(line))


def _changes_as_much(
    exercise: Exercise, known: Known, seen: Mapping[str, Observation], outcomes: Mapping[str, Outcome]
) -> bool:
    """Whether every input that the mistake changes was changed, in all cases."""
    spoiling = [case for case in exercise.cases if case.name in seen and _spoils(known, case)]
    return all(
        known.cases[case.name].agrees(
            replace(outcomes[case.name], changed=_changed(exercise, case, seen[case.name])), exercise.public.rtol
        )
        for case in spoiling
    )


def _spoils(known: Known, case: Case) -> bool:
    return case.name in known.cases and bool(known.cases[case.name].changed)


def _changed(exercise: Exercise, case: Case, seen: Observation) -> tuple[str, ...]:
    if seen.inputs is None:
        return ()
    return tuple(changed(exercise.public.flat_inputs(exercise.public.build(case)), seen.inputs))
