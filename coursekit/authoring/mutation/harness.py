"""The mutation harness: whether a mutant loses marks, and whether a survivor differs from the solution on other inputs.

Mutants are the course's own functions with errors, so they run without a sandbox, in a reference process, with a timer
against endless loops. Verdicts come from the observations and the judge of the grader.
"""

import copy
import functools
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coursekit.authoring.mutation import inputs, mutants
from coursekit.authoring.mutation.mutants import Mutant
from coursekit.marking.function_calls import observe
from coursekit.marking.judge import judge
from coursekit.marking.verdicts import Verdict
from coursekit.model.exercise import Case, Check, Exercise
from coursekit.reference.assignments import Assignment
from selfcheck import exercises as live
from selfcheck.comparison import changed, compare
from selfcheck.returned_values import flatten

CALL_TIMEOUT_S = 3.0  # the slowest case of the course takes 0.05 s
CALLS = 200  # valid calls on which a survivor must agree with the solution
UNRELATED_SEED = 1_000_003  # a function that does not set the seed must not get the expected random state by chance


@dataclass(frozen=True)
class MutantResult:
    """The result for a mutant. ``difference``: a valid call on which a survivor differs from the solution."""

    function: str
    name: str
    killed: bool
    difference: str = ""


def silence() -> Any:
    """Discard everything that is printed within the block."""
    return redirect_stdout(_Nowhere())


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


@dataclass(frozen=True)
class _Call:
    case: live.Case
    outputs: dict[str, Any]
    raised: str = ""
    changed: tuple[str, ...] = ()


class MutationHarness:
    """An exercise, in which other functions can be tried in this process.

    ``live_exercise`` has all cases as Python objects, ``cell`` is the solution cell, ``solved`` the namespace of the
    source notebook after its solutions have run.
    """

    def __init__(
        self, assignment: Assignment, live_exercise: live.Exercise, cell: str, solved: Mapping[str, Any]
    ) -> None:
        self.assignment, self.exercise = assignment, assignment.exercise(live_exercise.function)
        self.live_exercise, self._cell, self._solved = live_exercise, cell, solved
        self._calls: dict[int, tuple[_Call, ...]] = {}

    @functools.cached_property
    def mutants(self) -> tuple[Mutant, ...]:
        """Every mutant of the solution."""
        return mutants.of_function(self._cell, self.exercise.function)

    @functools.cached_property
    def solution(self) -> Callable[..., Any]:
        return self._solved[self.exercise.function]

    def result(self, mutant: Mutant, calls: int = CALLS) -> MutantResult:
        """Try a mutant on the cases; if it survives, search for a valid call on which it differs."""
        target = self.function(mutant.source)
        if target is None or self.loses(target):
            return MutantResult(self.exercise.function, mutant.name, True)
        return MutantResult(self.exercise.function, mutant.name, False, self.difference(target, calls))

    def function(self, source: str) -> Callable[..., Any] | None:
        """The exercise's function defined by ``source``, in the namespace of the solutions; None if that fails."""
        namespace = dict(self._solved)
        del namespace[self.exercise.function]
        with suppress(Exception):
            exec(compile(source, f"<{self.exercise.key}>", "exec"), namespace)
        return namespace.get(self.exercise.function)

    def loses(self, target: Callable[..., Any]) -> bool:
        """Whether the function loses marks; stops at the first case that shows it."""
        return any(
            verdict.earned < verdict.points
            for verdict in (self.verdict(target, part) for part in self._partial_exercises)
        )

    def verdict(self, target: Callable[..., Any], part: Exercise | None = None) -> Verdict:
        """The marks for a function, as in grading."""
        exercise = part or self.exercise
        np.random.seed(UNRELATED_SEED)
        return judge(self.assignment, exercise, observe(exercise, target, CALL_TIMEOUT_S))

    @functools.cached_property
    def _partial_exercises(self) -> tuple[Exercise, ...]:
        """The exercise with single cases, the quickest first, and last with all: who fails one of them fails the last.

        A case that should raise an exception is combined with another one, because alone it earns nothing.
        """

        by_name = {case.name: case for case in self.live_exercise.cases}

        def cost(case: Case) -> float:
            start = time.perf_counter()
            _record_call(self.live_exercise, by_name[case.name], self.solution)
            return time.perf_counter() - start

        first, *others = sorted((case for case in self.exercise.cases if not case.raises), key=cost)
        parts = [(case,) for case in (first, *others)] + [(first, case) for case in self.exercise.cases if case.raises]
        return (*(_with_cases(self.exercise, cases) for cases in parts), self.exercise)

    def difference(self, target: Callable[..., Any], count: int = CALLS) -> str:
        """The first of ``count`` valid calls on which the function differs from the solution, in words; else ""."""
        for right in self.calls(count):
            if what := _first_difference(
                self.live_exercise, right, _record_call(self.live_exercise, right.case, target)
            ):
                make = ", ".join(f"{name}={value!r}" for name, value in right.case.make.items())
                extra = "".join(f", {getattr(value, '__name__', repr(value))}" for value in right.case.extra)
                return f"{what} with {make}{extra}"
        return ""

    def calls(self, count: int) -> tuple[_Call, ...]:
        """The results of the solution on ``count`` calls, without invalid calls, whose results are not finite."""
        if count not in self._calls:
            cases = inputs.draw(self.live_exercise, self.exercise.key, count, self.solution)
            calls = (_record_call(self.live_exercise, case, self.solution) for case in cases)
            self._calls[count] = tuple(call for call in calls if call.raised == call.case.raises and _finite(call))
        return self._calls[count]


def _with_cases(exercise: Exercise, cases: tuple[Case, ...]) -> Exercise:
    """The exercise with these cases only, and without the checks that have none of them."""

    def applies(check: Check) -> bool:
        return check.untouched or any(check.covers(case.name) for case in cases)

    return replace(
        exercise,
        cases=cases,
        checks=tuple(check for check in exercise.checks if applies(check)),
    )


def _first_difference(exercise: live.Exercise, right: _Call, own: _Call) -> str:
    if own.raised != right.raised:
        return own.raised or f"no {right.raised}"
    if own.changed != right.changed:
        return f"changes {', '.join(own.changed)}"
    if not right.outputs:
        return ""
    wrong = (finding for finding in compare(right.outputs, own.outputs, rtol=exercise.rtol) if finding.problem)
    return next((finding.sentence for finding in wrong), "")


def _finite(call: _Call) -> bool:
    return all(isinstance(leaf, np.ndarray) and bool(np.all(np.isfinite(leaf))) for leaf in call.outputs.values())


def _record_call(exercise: live.Exercise, case: live.Case, target: Callable[..., Any]) -> _Call:
    args = exercise.build(case)
    before = exercise.flat_inputs(copy.deepcopy(args))
    np.random.seed(UNRELATED_SEED)
    try:
        with warnings.catch_warnings(), _alarm(CALL_TIMEOUT_S):
            warnings.simplefilter("ignore")
            result = target(*args)
    except (Exception, _TooLong) as error:
        return _Call(case, {}, type(error).__name__)
    after = exercise.flat_inputs(args)
    return _Call(case, flatten(result, exercise.outputs), changed=tuple(changed(before, after)))


class _TooLong(BaseException):
    """Not an Exception, so that no handler in the function catches it."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooLong

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)  # of processor time, which does not depend on other programs
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
