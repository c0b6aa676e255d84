"""Follow-through: a function that calls wrong ones is called again, where the grader answers calls of right ones.

No right function is ever in the student's process: see ``helper_calls``. A retry has the cases in which the solution
calls its helpers a few hundred times at most, and twins.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from coursekit.marking import dependencies, verdicts
from coursekit.marking.calls import Calls
from coursekit.marking.helper_calls import HelperDesk
from coursekit.marking.verdicts import Verdict
from coursekit.model.exercise import Case, Exercise
from coursekit.reference.assignments import Assignment


class Retries:
    """The follow-through retries of an assignment's exercises, with one reference process for all of them."""

    def __init__(self, root: Path, assignment: Assignment) -> None:
        self._rows = {row.function: row for row in assignment.exercises}
        self._below = dependencies.transitive(assignment.exercises)
        self._desk = HelperDesk(root, assignment.name)
        self._reduced: dict[str, Exercise] = {}

    def close(self) -> None:
        """End the reference process."""
        self._desk.close()

    def after(self, first: Sequence[Verdict], calls: Calls) -> tuple[Verdict, ...]:
        """The verdicts after all retries, in the order of ``first``. A function comes after all that it depends on."""
        by_function = {verdict.exercise.function: verdict for verdict in first}
        for function, below in self._below.items():
            lost = verdicts.lost([by_function[name] for name in below])
            wrong = [name for name in below if name in lost]
            if wrong and not by_function[function].full:
                with_right_ones = calls.verdict_with_helpers(
                    self._for_retry(self._rows[function]), below, self._desk.retry(below).answer
                )
                by_function[function] = verdicts.after_retry(by_function[function], with_right_ones, wrong)
        return tuple(by_function[verdict.exercise.function] for verdict in first)

    def _for_retry(self, exercise: Exercise) -> Exercise:
        """The exercise with the cases that a retry can afford. Its other checks are decided by twins."""
        if exercise.function not in self._reduced:
            names = self._desk.affordable(exercise.function, self._below[exercise.function])
            cases = tuple(case for case in exercise.cases if case.name in names or _decides_alone(exercise, case))
            self._reduced[exercise.function] = replace(exercise, cases=cases)
        return self._reduced[exercise.function]


def _decides_alone(exercise: Exercise, case: Case) -> bool:
    """Whether a check without twins needs the case: without any case it would always pass."""
    return any(not check.twins and check.covers(case.name) for check in exercise.checks if not check.untouched)
