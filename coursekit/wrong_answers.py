"""What the named mistakes give: each made in the source notebook's own solution, and run over the cases.

Trusted code only: the changes are the course's own (``mistakes.py``), never a student's.
"""

import linecache
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

import hidden_tests
import mistakes
from coursekit import notebooks, solutions
from coursekit.course import Course
from mistakes import Mistake
from selfcheck.calls import call_quietly, draws_anew, outcome
from selfcheck.comparison import NotNumbers, compare
from selfcheck.exercises import Case, Exercise
from selfcheck.known_mistakes import EXCEPTION, INPUTS, OUTPUTS, VARIES, Known, Outcome, Recorded

Outputs = dict[str, np.ndarray]  # the expected ones of a case
# What these give hangs on the last digits, and so on the machine: noise divided by next to nothing, or hundreds of
# steps of which each one magnifies it. It is not recorded. Found by changing the inputs in their last digit.
NOISE = {
    "digits/apply_batchnorm:divided-by-variance": ("constant units",),
    "digits/apply_batchnorm:epsilon-outside-the-root": ("constant units",),
    "digits/l_layer_model:whole-set-in-every-step": ("example",),
}


def run(course: Course, assignment: str, expected: Mapping[str, Outputs]) -> Iterator[tuple[Mistake, Known]]:
    """Every mistake of the assignment with what it gives in all cases; ``expected`` outputs by "key/case".

    A mistake that does not fit its solution any more is left out: ``misfits`` names it.
    """
    right, cells = solutions.load(course, assignment), _cells(course, assignment)
    for exercise in hidden_tests.exercises(assignment):
        for mistake in mistakes.of(exercise.key):
            try:
                source = mistakes.apply(mistake, cells.get(exercise.grade_id, ""))
            except ValueError:
                continue
            wanted = {case.name: expected.get(f"{exercise.key}/{case.name}", {}) for case in exercise.cases}
            yield mistake, _known(mistake, source, _function(source, right, mistake), wanted)


def misfits(course: Course, assignment: str) -> list[str]:
    """What ``mistakes.apply`` says of the mistakes and right answers that do not fit their solutions."""
    cells = _cells(course, assignment)
    said = []
    for change in (*mistakes.MISTAKES, *mistakes.RIGHT_ANSWERS):
        row = hidden_tests.TABLE[change.exercise]
        try:
            if row.assignment == assignment:
                mistakes.apply(change, cells.get(row.grade_id, ""))
        except ValueError as error:
            said.append(str(error))
    return said


def _cells(course: Course, assignment: str) -> dict[str, str]:
    return {cell.id: cell.source for cell in notebooks.read(course.source(assignment)).cells}


def _function(source: str, right: dict[str, Any], mistake: Mistake) -> Any:
    """The function, with every other one right; its lines stand where tracebacks look for them."""
    name = f"<{mistake}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = dict(right)
    exec(compile(source, name, "exec"), namespace)
    return namespace[mistake.function]


def _known(mistake: Mistake, source: str, target: Any, expected: Mapping[str, Outputs]) -> Known:
    row = hidden_tests.TABLE[mistake.exercise]
    state = np.random.get_state()
    varies = "random" in source and draws_anew(row.public, row.cases[0], target)
    cases = [case for case in row.cases if case.name not in NOISE.get(str(mistake), ())]
    seen = {case.name: _recorded(row.public, case, target, expected[case.name], varies) for case in cases}
    np.random.set_state(state)
    order = sorted(seen, key=lambda name: (not seen[name].tells, seen[name].tells == EXCEPTION))
    return Known(mistake.hint, {name: seen[name] for name in order}, mistake.name)


def _recorded(exercise: Exercise, case: Case, target: Any, expected: Outputs, varies: bool) -> Recorded:
    made = call_quietly(exercise, case, target)
    seen: Outcome = outcome(exercise, target, made)
    if made.error is not None:
        asked_for = case.raises in (sort.__name__ for sort in type(made.error).__mro__)
        return Recorded(raised=seen.raised, sign=seen.sign, at=seen.at, tells="" if asked_for else EXCEPTION)
    got = dict(seen.outputs or {})
    wrong = tuple(finding.path for finding in compare(expected, got, rtol=exercise.rtol) if finding.problem) \
        if expected else ("",)  # fmt: skip
    telling = [path for path in got if wrong and path.startswith(wrong)]
    tells = VARIES if varies else OUTPUTS if wrong else INPUTS if seen.changed else ""
    return Recorded(
        {path: _plain(got[path]) for path in dict.fromkeys([*telling, *got])},
        seen.changed,
        seen.own,
        tells=tells,
        absent=tuple(path for path in expected if path not in got),
    )


def _plain(leaf: Any) -> Any:
    return leaf if isinstance(leaf, NotNumbers) else np.array(leaf, dtype=float)
