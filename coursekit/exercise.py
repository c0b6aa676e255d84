"""What only the grader knows of an exercise: hidden cases, and points on named checks.

A check passes when the outputs that it names are right in every case that it names, so no mark depends on a lucky
example.
"""

from dataclasses import dataclass

from selfcheck.exercises import Case
from selfcheck.exercises import Exercise as PublicExercise

CACHES = ("cache", "caches")  # outputs that are kept for the way back, beside the result


@dataclass(frozen=True)
class Check:
    """Points for some outputs (all, if empty) in some cases (those whose names begin so; all, if empty).

    ``any_shape`` forgives axes of length one. ``untouched`` asks that the inputs stayed as they were, and
    pays only beside another passed check of the exercise: leaving the inputs alone is no merit in a function
    that does nothing. The same holds for a check of nothing but cases that should raise an exception. A check of
    nothing but caches pays only where the result itself is right in the same cases: most of a cache is the input.
    """

    name: str
    points: float
    outputs: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    any_shape: bool = False
    untouched: bool = False


@dataclass(frozen=True)
class Exercise:
    """An exercise whole: its public half, hidden cases and the points on its checks."""

    assignment: str
    public: PublicExercise
    checks: tuple[Check, ...]
    hidden: tuple[Case, ...]
    leans_on: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.assignment}/{self.public.function}"

    @property
    def function(self) -> str:
        return self.public.function

    @property
    def grade_id(self) -> str:
        """The id of the solution cell; the test cell's is the same with ``-test`` behind it."""
        return self.public.function.lower().replace("_", "-")

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def results(self) -> tuple[str, ...]:
        """What the function is for: its outputs by name, without the caches; empty where they have no names."""
        outputs = self.public.outputs
        return tuple(name for name in outputs if name not in CACHES) if isinstance(outputs, tuple) else ()

    @property
    def cases(self) -> tuple[Case, ...]:
        """The public cases, then the hidden ones."""
        return (*self.public.cases, *self.hidden)
