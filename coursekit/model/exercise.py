"""What the engine knows of a cased exercise: data only, as the reference process describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coursekit.sandbox.guest import codec
from selfcheck.returned_values import flatten

CACHES = ("cache", "caches")  # outputs that are kept for the way back, beside the result


@dataclass(frozen=True)
class Check:
    """Points for some outputs (all, if empty) in some cases (those whose names begin so; all, if empty).

    A check passes when its outputs are right in every one of its cases, so no mark depends on a lucky example.
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
class Case:
    """One call of an exercise's function.

    ``arguments`` are as ``codec.encode`` gives them. ``sizes`` are the generator's arguments by name, ``words`` says
    them: ``seed 1 · 5 → 3 units · 4 examples``. ``extra`` holds the arguments behind the generator's values, as Python
    writes them. ``raises`` names the exception that is the right answer. ``public``: the public test has this case.
    """

    name: str
    arguments: tuple[Any, ...]
    sizes: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    extra: tuple[str, ...] = ()
    raises: str = ""
    public: bool = True


@dataclass(frozen=True)
class Exercise:
    """An exercise: its function, its cases (the public ones first) and the points on its checks.

    ``outputs`` names the returned values: a tuple of names, one name, or "" for a dict whose keys are the names.
    ``depends_on`` names the exercises whose functions this one calls, ``test`` its public test.
    """

    assignment: str
    number: int
    function: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] | str
    look: str
    rtol: float
    test: str
    cases: tuple[Case, ...]
    checks: tuple[Check, ...]
    depends_on: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.assignment}/{self.function}"

    @property
    def grade_id(self) -> str:
        """The id of the solution cell; the test cell's is the same with ``-test`` behind it."""
        return self.function.lower().replace("_", "-")

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def results(self) -> tuple[str, ...]:
        """What the function is for: its outputs by name, without the caches; empty where they have no names."""
        return tuple(name for name in self.outputs if name not in CACHES) if isinstance(self.outputs, tuple) else ()

    @property
    def public_cases(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if case.public)

    def given(self, case: Case) -> dict[str, Any]:
        """The arguments of one call, flattened with their names; new arrays each time."""
        arguments = tuple(codec.decode(one, _stand_in) for one in case.arguments)
        return flatten(arguments, self.inputs[: len(arguments)])


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give. ``visible``: the public test fails on it."""

    function: str
    name: str
    what: str
    hint: str
    visible: bool = True


def _stand_in(module: str, name: str) -> Any:
    """In place of a function among the arguments, which is the course's: the engine runs no code of a course."""

    def function() -> None:
        raise TypeError(f"{module}.{name} is a function of the course")

    return function
