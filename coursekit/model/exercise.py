"""A cased exercise as the engine sees it: data only, sent by the reference process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coursekit.sandbox.guest import codec
from selfcheck.returned_values import flatten

CACHES = ("cache", "caches")  # outputs that only the backward pass needs


@dataclass(frozen=True)
class Check:
    """Points for some outputs in some cases; empty ``outputs`` or ``cases`` mean all, ``cases`` are prefixes of names.

    A check passes if its outputs are right in every one of its cases, so no mark depends on a lucky example.
    ``any_shape`` accepts extra or missing axes of length one. ``untouched`` requires unchanged inputs; it pays only
    beside another passed check of the exercise, since a function that does nothing also leaves its inputs unchanged.
    The same holds for a check whose cases all should raise an exception. A check of caches alone pays only if the
    result itself is right in the same cases, since most of a cache is the input.

    ``twins`` is the number of twins that are drawn for the check in every run: more than one where a result is easily
    guessed, such as a share of right answers; 0 where the right result is the same whatever the values are.
    """

    name: str
    points: float
    outputs: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    any_shape: bool = False
    untouched: bool = False
    twins: int = 1

    def covers(self, case: str) -> bool:
        """Whether the check asks for the case of this name."""
        return not self.cases or case.startswith(self.cases)


@dataclass(frozen=True)
class Case:
    """One call of an exercise's function.

    ``arguments`` are encoded by ``codec.encode``. ``sizes`` are the generator's arguments by name, ``words`` their
    description: ``seed 1 · 5 → 3 units · 4 examples``. ``extra`` holds the ``repr`` of the arguments that follow the
    generator's values. ``raises`` names the exception that is the right answer. ``public``: the public test has this
    case.
    """

    name: str
    arguments: tuple[Any, ...]
    sizes: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    extra: tuple[str, ...] = ()
    raises: str = ""
    public: bool = True


@dataclass(frozen=True)
class Twin:
    """A case that was drawn anew for one run, of the structure of the recorded case ``of``.

    ``arguments`` are encoded by ``codec.encode``; ``expected`` are the outputs of the solution, by path, and empty if
    the case has to raise.
    """

    name: str
    of: str
    raises: str
    arguments: tuple[Any, ...]
    expected: Mapping[str, Any]


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
        """The id of the solution cell; that of the test cell ends with ``-test`` in addition."""
        return grade_id(self.function)

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def results(self) -> tuple[str, ...]:
        """The names of the outputs without the caches; empty if the outputs have no fixed names."""
        return tuple(name for name in self.outputs if name not in CACHES) if isinstance(self.outputs, tuple) else ()

    @property
    def public_cases(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if case.public)

    def given(self, case: Case) -> dict[str, Any]:
        """The arguments of one call, flattened with their names; new arrays each time."""
        arguments = tuple(codec.decode(one, _placeholder) for one in case.arguments)
        return flatten(arguments, self.inputs[: len(arguments)])


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that students really give. ``visible``: the public test fails on it."""

    function: str
    name: str
    what: str
    hint: str
    visible: bool = True


def grade_id(function: str) -> str:
    """The id of the solution cell of the exercise that asks for a function."""
    return function.lower().replace("_", "-")


def _placeholder(module: str, name: str) -> Any:
    """A placeholder for a function of the course among the arguments: the engine runs no code of a course."""

    def function() -> None:
        raise TypeError(f"{module}.{name} is a function of the course")

    return function
