"""Calls an exercise's function in a run, and judges the results: with the recorded cases, then with twins."""

from collections.abc import Mapping, Sequence
from typing import Any

from coursekit.marking import function_calls, judge
from coursekit.marking.redaction import Redactor
from coursekit.marking.runner import Run
from coursekit.marking.twins import TwinSource
from coursekit.marking.verdicts import Verdict
from coursekit.model.exercise import Exercise, Twin
from coursekit.reference.assignments import Assignment
from coursekit.sandbox.request import Helper


class Calls:
    """The calls of one run, after its cells. Its twins, drawn while the cells ran, are fetched here."""

    def __init__(
        self,
        run: Run,
        assignment: Assignment,
        redactor: Redactor,
        nonce: str,
        twins: TwinSource,
        call_timeout_s: float,
    ) -> None:
        self._run, self._assignment, self._redactor = run, assignment, redactor
        self._nonce, self._source, self._call_timeout_s = nonce, twins, call_timeout_s
        self._twins: Mapping[str, tuple[Twin, ...]] = twins.drawn()

    def verdict(self, exercise: Exercise) -> Verdict:
        """The verdict on the function as the notebook defines it."""
        return self._verdict(exercise, function_calls.request(exercise, self._call_timeout_s), None)

    def verdict_with_helpers(self, exercise: Exercise, names: Sequence[str], helper: Helper) -> Verdict:
        """The verdict on the function where ``helper`` answers its calls of the functions ``names``."""
        request = function_calls.request(exercise, self._call_timeout_s)
        source = self._run.answer(exercise)
        return self._verdict(exercise, {**request, "replace": list(names), "source": source}, helper)

    def _verdict(self, exercise: Exercise, request: Mapping[str, Any], helper: Helper | None) -> Verdict:
        twins = self._twins.get(exercise.function, ())
        with_twins = {**request, "cases": [*request["cases"], *function_calls.calls_of(twins)]}
        message = self._run.call(exercise, with_twins, helper)
        # A retry may have fewer cases, which too many mistakes would fit.
        recognise = len(exercise.cases) == len(self._assignment.exercise(exercise.function).cases)
        verdict = judge.judge(self._assignment, exercise, message, self._redactor, recognise)
        wrong = judge.contradicted(exercise, verdict, message, twins)
        if not wrong:
            return verdict
        more = self._source.more(self._nonce, exercise, wrong)
        message = self._run.call(exercise, {**request, "cases": function_calls.calls_of(more)}, helper)
        return judge.without(exercise, verdict, judge.contradicted(exercise, verdict, message, more))
