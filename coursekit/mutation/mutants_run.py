"""Which mutants lose marks, and whether those that do not can be told from the solution at all.

Our own code, but with errors in it: it runs in processes of its own, with an alarm for loops without an end and a limit
on memory. Every verdict is the grader's: the same observations, the same judge.
"""

import copy
import functools
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from coursekit import notebooks, solutions
from coursekit.course import Course
from coursekit.exercise import Check, Exercise
from coursekit.marking.judge import judge
from coursekit.marking.probe import observe
from coursekit.marking.verdicts import Verdict
from coursekit.mutation import mutants, mutants_inputs
from coursekit.mutation.mutants import Mutant
from coursekit.workers import follow_parent
from hidden_tests import TABLE
from selfcheck.comparison import changed, compare, flatten
from selfcheck.exercises import Case

CALL_TIMEOUT_S = 3.0  # the slowest case of the table takes a twentieth of a second
MEMORY_MIB = 2048  # on top of what the process has already
CALLS = 200  # valid calls on which a survivor must agree with the solution
JOBS = 2
PIECE = 40  # mutants that a process takes at a time
STRAY_SEED = 1_000_003  # a function that forgets to seed itself must not meet the right state by luck


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant. ``difference`` says on which valid call a survivor differs from the solution."""

    key: str
    name: str
    killed: bool
    difference: str = ""


def workers(jobs: int = JOBS) -> ProcessPoolExecutor:
    """Processes for code with errors in it."""
    return ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin)  # a fork would copy held locks


def run(course: Course, keys: Sequence[str], pool: Executor, every: int = 1, calls: int = CALLS) -> list[Outcome]:
    """The outcomes of all mutants of these exercises (of every third one, if ``every`` is 3), in their order."""
    pieces = [
        (str(course.root), key, start, every, calls)
        for key in keys
        for start in range(0, len(bench(course, key).mutants[::every]), PIECE)
    ]
    return [outcome for piece in pool.map(_piece, *zip(*pieces, strict=True)) for outcome in piece]


def _begin() -> None:
    """What is killed takes its workers with it, and a mutant that fills the memory fails."""
    follow_parent()
    with suppress(ImportError, OSError, ValueError):
        import resource

        used_kib = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() // 1024
        most = (used_kib // 1024 + MEMORY_MIB) << 20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _piece(root: str, key: str, start: int, every: int, calls: int) -> list[Outcome]:
    course = Course(Path(root))
    one = bench(course, key)
    with silence():
        return [one.outcome(mutant, calls) for mutant in one.mutants[::every][start : start + PIECE]]


def silence() -> Any:
    """Whatever is printed inside goes nowhere."""
    return redirect_stdout(_Nowhere())


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


@functools.cache
def bench(course: Course, key: str) -> "Bench":
    """The bench of an exercise of the table."""
    return Bench(course, TABLE[key])


@functools.cache
def cells(course: Course, assignment: str) -> dict[str, str]:
    """The solution cells of the source notebook that are code, by id."""
    return {
        cell.id: notebooks.without_magics(cell.source)
        for cell in notebooks.read(course.source(assignment)).cells
        if notebooks.is_solution(cell) and cell.cell_type == "code"
    }


@functools.cache
def solved(course: Course, assignment: str) -> dict[str, Any]:
    """The names of the source notebook after its solutions have run."""
    return solutions.load(course, assignment)


@dataclass(frozen=True)
class _Call:
    case: Case
    outputs: dict[str, Any]
    raised: str = ""
    changed: tuple[str, ...] = ()


class Bench:
    """An exercise with what it takes to try other functions in it, in this very process."""

    def __init__(self, course: Course, exercise: Exercise) -> None:
        self.course, self.exercise = course, exercise
        self._calls: dict[int, tuple[_Call, ...]] = {}

    @functools.cached_property
    def mutants(self) -> tuple[Mutant, ...]:
        """Every mutant of the solution."""
        source = cells(self.course, self.exercise.assignment)[self.exercise.grade_id]
        return mutants.of_function(source, self.exercise.function)

    @functools.cached_property
    def solution(self) -> Callable[..., Any]:
        return solved(self.course, self.exercise.assignment)[self.exercise.function]

    def outcome(self, mutant: Mutant, calls: int = CALLS) -> Outcome:
        """What becomes of a mutant."""
        target = self.function(mutant.source)
        if target is None or self.loses(target):
            return Outcome(self.exercise.key, mutant.name, True)
        return Outcome(self.exercise.key, mutant.name, False, self.difference(target, calls))

    def function(self, source: str) -> Callable[..., Any] | None:
        """The exercise's function as ``source`` defines it, among the right ones; None if it does not."""
        namespace = dict(solved(self.course, self.exercise.assignment))
        del namespace[self.exercise.function]
        with suppress(Exception):
            exec(compile(source, f"<{self.exercise.key}>", "exec"), namespace)
        return namespace.get(self.exercise.function)

    def loses(self, target: Callable[..., Any]) -> bool:
        """Whether the function gets less than full marks; stops at the first case that shows it."""
        return any(verdict.earned < verdict.points for verdict in (self.verdict(target, part) for part in self._parts))

    def verdict(self, target: Callable[..., Any], part: Exercise | None = None) -> Verdict:
        """The marks for a function, as in grading."""
        exercise = part or self.exercise
        np.random.seed(STRAY_SEED)
        return judge(exercise, observe(exercise, target, CALL_TIMEOUT_S), self.course)

    @functools.cached_property
    def _parts(self) -> tuple[Exercise, ...]:
        """The exercise with fewer cases, a quick one first, and last the whole: who fails a part fails the whole.

        A case that should raise an exception goes with another one, because by itself it is worth nothing.
        """

        def cost(case: Case) -> float:
            start = time.perf_counter()
            _call(self.exercise, case, self.solution)
            return time.perf_counter() - start

        first, *others = sorted((case for case in self.exercise.cases if not case.raises), key=cost)
        parts = [(case,) for case in (first, *others)] + [(first, case) for case in self.exercise.cases if case.raises]
        return (*(_part(self.exercise, cases) for cases in parts), self.exercise)

    def difference(self, target: Callable[..., Any], count: int = CALLS) -> str:
        """The first of ``count`` valid calls on which the function differs from the solution, in words; else empty."""
        for right in self.calls(count):
            if what := _unlike(self.exercise, right, _call(self.exercise, right.case, target)):
                make = ", ".join(f"{name}={value!r}" for name, value in right.case.make.items())
                extra = "".join(f", {getattr(value, '__name__', repr(value))}" for value in right.case.extra)
                return f"{what} with {make}{extra}"
        return ""

    def calls(self, count: int) -> tuple[_Call, ...]:
        """The solution on ``count`` valid calls; one that leads to no finite numbers was not valid."""
        if count not in self._calls:
            cases = mutants_inputs.draw(self.exercise, count, self.solution)
            calls = (_call(self.exercise, case, self.solution) for case in cases)
            self._calls[count] = tuple(call for call in calls if call.raised == call.case.raises and _finite(call))
        return self._calls[count]


def _part(exercise: Exercise, cases: tuple[Case, ...]) -> Exercise:
    """The exercise with these cases only, and without the checks that none of them belongs to."""

    def applies(check: Check) -> bool:
        return check.untouched or not check.cases or any(case.name.startswith(check.cases) for case in cases)

    return replace(
        exercise,
        public=replace(exercise.public, cases=tuple(case for case in cases if case in exercise.public.cases)),
        hidden=tuple(case for case in cases if case in exercise.hidden),
        checks=tuple(check for check in exercise.checks if applies(check)),
    )


def _unlike(exercise: Exercise, right: _Call, own: _Call) -> str:
    if own.raised != right.raised:
        return own.raised or f"no {right.raised}"
    if own.changed != right.changed:
        return f"changes {', '.join(own.changed)}"
    if not right.outputs:
        return ""
    wrong = (finding for finding in compare(right.outputs, own.outputs, rtol=exercise.public.rtol) if finding.problem)
    return next((finding.sentence for finding in wrong), "")


def _finite(call: _Call) -> bool:
    return all(isinstance(leaf, np.ndarray) and bool(np.all(np.isfinite(leaf))) for leaf in call.outputs.values())


def _call(exercise: Exercise, case: Case, target: Callable[..., Any]) -> _Call:
    args = exercise.public.build(case)
    before = exercise.public.flat_inputs(copy.deepcopy(args))
    np.random.seed(STRAY_SEED)
    try:
        with warnings.catch_warnings(), _alarm(CALL_TIMEOUT_S):
            warnings.simplefilter("ignore")
            result = target(*args)
    except (Exception, _TooLong) as error:
        return _Call(case, {}, type(error).__name__)
    after = exercise.public.flat_inputs(args)
    return _Call(case, flatten(result, exercise.public.outputs), changed=tuple(changed(before, after)))


class _TooLong(BaseException):
    """Not an Exception, so that no handler in the function keeps it."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooLong

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)  # of processor time, which no other program uses up
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
