"""The public half of an exercise: its function, inputs, outputs and public cases."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

from selfcheck.returned_values import flatten
from selfcheck.tolerance import RTOL


@dataclass(frozen=True)
class Case:
    """One call: ``make`` are arguments of the generator, ``extra`` arguments of the function after the generated ones.

    ``raises`` names the exception that is the right answer to this call; such a case has no expected outputs.
    """

    name: str
    make: dict = field(default_factory=dict)
    extra: tuple = ()
    raises: str = ""

    def is_answered_by(self, error: BaseException | None) -> bool:
        """Whether this exception, or a class that it inherits from, is the right answer to the call."""
        return self.raises in (sort.__name__ for sort in type(error).__mro__)


@dataclass(frozen=True)
class Exercise:
    """The public half of an exercise.

    ``outputs`` names the returned values: a tuple of names, one name, or "" for a dict whose keys are the names;
    ``parts`` names parts of them, as pairs of a pattern for the path and a name. ``inputs`` names the arguments (a call
    may omit the last ones); ``arrange`` turns the generator's result into arguments. ``look`` is the reminder after a
    failed test, ``also`` says what grading tries in addition. ``rtol`` is the tolerated relative difference.
    """

    number: int
    function: str
    generator: Callable
    inputs: tuple
    outputs: tuple | str
    cases: tuple
    look: str
    also: str
    arrange: Callable = tuple
    parts: tuple = ()
    rtol: float = RTOL

    def build(self, case: Case) -> tuple:
        """The arguments of one call; new arrays each time."""
        return (*self.arrange(self.generator(**case.make)), *case.extra)

    def flat_inputs(self, args: tuple) -> dict:
        """The arguments of one call as a flat dict with their names."""
        return flatten(args, self.inputs[: len(args)])

    def sizes(self, case: Case) -> dict:
        """All arguments of the generator for this case, with defaults: seed, m, layer_dims, ..."""
        bound = inspect.signature(self.generator).bind(**case.make)
        bound.apply_defaults()
        return bound.arguments

    def describe(self, case: Case) -> str:
        """Seed and sizes of a case in words: ``seed 1 · 5 → 3 units · 4 examples``."""
        size = self.sizes(case)
        words = [f"seed {size['seed']}"] if size.get("seed") is not None else []
        if "layer_dims" in size:
            words.append(" → ".join(str(n) for n in size["layer_dims"]) + " units")
        elif "n_x" in size:
            words.append(f"{size['n_x']} → {size['n_h']} → {size['n_y']} units")
        elif "n" in size:
            before = f"{size['n_prev']} → " if "n_prev" in size else ""
            words.append(f"{before}{size['n']} unit{'s' * (size['n'] != 1)}")
        elif "height" in size:
            words.append(f"{size['height']} × {size['width']} pixels")
        if size.get("m"):
            words.append(f"{size['m']} example{'s' * (size['m'] != 1)}")
        given = len(self.build(case)) - len(case.extra)  # the number of generated arguments; the extra ones follow them
        return " · ".join([*words, *map(_in_words, self.inputs[given:], case.extra)])


def _in_words(name: str, value: object) -> str:
    return value if isinstance(value, str) else f"{name} {getattr(value, '__name__', value)}"
