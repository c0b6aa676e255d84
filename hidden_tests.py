"""What only the grader runs: the table of exercises, with their hidden cases and their points.

An exercise is a row: its public half (``public_tests``), hidden cases as data (the generator at other seeds
and sizes, m = 1, one layer, many layers, extreme values), the earlier functions it leans on, and its points
split over named checks. A check passes when the outputs that it names are right in every case that it names,
so no mark depends on a lucky example.
"""

from dataclasses import dataclass
from pathlib import Path

from public_tests import EXERCISES as PUBLIC
from public_tests import Case
from public_tests import Exercise as PublicExercise

RECORDING = Path(__file__).with_name("hidden_tests.h5")


@dataclass(frozen=True)
class Check:
    """Points for some outputs (all, if empty) in some cases (those whose names begin so; all, if empty).

    ``any_shape`` forgives axes of length one. ``untouched`` asks that the inputs stayed as they were, and
    pays only beside another passed check of the exercise: leaving the inputs alone is no merit in a function
    that does nothing.
    """

    name: str
    points: float
    outputs: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    any_shape: bool = False
    untouched: bool = False


@dataclass(frozen=True)
class Exercise:
    """One row of the table."""

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
    def cases(self) -> tuple[Case, ...]:
        """The public cases, then the hidden ones."""
        return (*self.public.cases, *self.hidden)


_UNTOUCHED = Check("inputs untouched", 1, untouched=True)


def _step_by_step(function, checks, hidden, leans_on=()):
    return Exercise("step-by-step", PUBLIC[f"step-by-step/{function}"], checks, hidden, leans_on)


def _layer_cases(first_seed, extra=()):
    """A layer in five other sizes: wide, narrow, one example, one unit, many examples."""
    suffix = "".join(f" {value}" for value in extra)
    sizes = ((6, 4, 3), (2, 5, 7), (4, 3, 1), (3, 1, 6), (1, 2, 20))
    return tuple(
        Case(f"{n_prev}-{n}-{m}{suffix}", {"seed": first_seed + i, "n_prev": n_prev, "n": n, "m": m}, extra)
        for i, (n_prev, n, m) in enumerate(sizes)
    )


def _network_cases(first_seed, *dims_and_m):
    """Networks of several depths; the name begins with the number of layers, for the checks."""
    return tuple(
        Case(
            f"{len(dims) - 1} layers {'-'.join(map(str, dims))} m={m}",
            {"seed": first_seed + i, "layer_dims": dims, "m": m},
        )
        for i, (dims, m) in enumerate(dims_and_m)
    )


_WEIGHTS_AND_BIASES = (Check("weights", 3, ("W",)), Check("biases", 2, ("b",)))
_FORWARD_NETWORKS = (
    ((4, 1), 3),
    ((6, 1), 1),
    ((3, 5, 1), 6),
    ((4, 3, 1), 1),
    ((2, 6, 4, 3, 1), 5),
    ((7, 5, 4, 3, 2, 1), 2),
)

_ROWS = (
    _step_by_step(
        "initialize_parameters",
        _WEIGHTS_AND_BIASES,
        tuple(
            Case(f"{n_x}-{n_h}-{n_y}", {"n_x": n_x, "n_h": n_h, "n_y": n_y})
            for n_x, n_h, n_y in ((1, 1, 1), (2, 7, 3), (6, 1, 4), (5, 3, 1), (12, 6, 2))
        ),
    ),
    _step_by_step(
        "initialize_parameters_deep",
        (Check("weights", 6, ("W",)), Check("biases", 4, ("b",))),
        tuple(
            Case("-".join(map(str, dims)), {"layer_dims": dims})
            for dims in ((4, 1), (3, 6), (2, 5, 1), (7, 6, 5, 4, 3, 2), (1, 2, 1, 2, 1))
        ),
    ),
    _step_by_step("linear_forward", (Check("Z and cache", 9), _UNTOUCHED), _layer_cases(101)),
    _step_by_step(
        "linear_activation_forward",
        (
            Check("sigmoid", 4, cases=("sigmoid",)),
            Check("relu", 4, cases=("relu",)),
            Check("very large Z", 1, cases=("large Z",)),
            _UNTOUCHED,
        ),
        tuple(
            Case(f"{activation} {case.name}", case.make, (activation,))
            for activation, first_seed in (("sigmoid", 111), ("relu", 121))
            for case in _layer_cases(first_seed)
        )
        + tuple(
            Case(f"large Z {activation}", {"seed": seed, "n": 2, "m": 5, "scale": 1000.0}, (activation,))
            for activation, seed in (("sigmoid", 120), ("relu", 130))
        ),
        ("linear_forward",),
    ),
    _step_by_step(
        "L_model_forward",
        (
            Check("AL with two and three layers", 5, ("AL",), ("example", "one hidden layer", "2 layers")),
            Check(
                "caches with two and three layers",
                4,
                ("caches",),
                ("example", "one hidden layer", "2 layers"),
            ),
            Check("one layer", 2, cases=("1 layers",)),
            Check("many layers", 3, cases=("4 layers", "5 layers")),
            _UNTOUCHED,
        ),
        _network_cases(131, *_FORWARD_NETWORKS),
        ("linear_forward", "linear_activation_forward"),
    ),
    _step_by_step(
        "compute_cost",
        (
            Check("value", 5, cases=("example", "seven", "m="), any_shape=True),
            Check("close to 0 and 1", 1, cases=("close",), any_shape=True),
            Check("a single number", 3, cases=("example", "seven", "m=")),
            _UNTOUCHED,
        ),
        (
            *(Case(f"m={m}", {"seed": 140 + m, "m": m}) for m in (1, 2, 5, 40)),
            Case("close to 0 and 1", {"seed": 149, "m": 7, "margin": 1e-3, "extreme": True}),
        ),
    ),
    _step_by_step(
        "linear_backward",
        (Check("dW", 4, ("dW",)), Check("db", 2, ("db",)), Check("dA_prev", 3, ("dA_prev",)), _UNTOUCHED),
        _layer_cases(151),
    ),
    _step_by_step(
        "linear_activation_backward",
        (
            Check("relu", 5, cases=("relu",)),
            Check("sigmoid", 4, cases=("sigmoid",)),
            _UNTOUCHED,
        ),
        tuple(
            Case(f"{activation} {case.name}", case.make, (activation,))
            for activation, first_seed in (("sigmoid", 161), ("relu", 171))
            for case in _layer_cases(first_seed)
        ),
        ("linear_backward",),
    ),
    _step_by_step(
        "L_model_backward",
        (
            Check("two layers", 5, cases=("example", "2 layers")),
            Check("one layer", 3, cases=("1 layers",)),
            Check("many layers", 6, cases=("three layers", "4 layers", "5 layers")),
            _UNTOUCHED,
        ),
        _network_cases(181, *_FORWARD_NETWORKS),
        ("linear_backward", "linear_activation_backward"),
    ),
    _step_by_step(
        "update_parameters",
        (Check("new values", 3), Check("given params unchanged", 2, untouched=True)),
        (
            Case("one layer", {"seed": 191, "layer_dims": (5, 2)}, (0.5,)),
            Case("two layers, rate 0.0075", {"seed": 193, "layer_dims": (3, 4, 2)}, (0.0075,)),
            Case("two layers, rate 0", {"seed": 195, "layer_dims": (2, 3, 1)}, (0.0,)),
            Case("four layers", {"seed": 197, "layer_dims": (6, 4, 5, 3, 1)}, (1.2,)),
            Case("five layers", {"seed": 199, "layer_dims": (2, 3, 2, 3, 2, 1)}, (0.01,)),
            Case("two layers, every gradient", {"seed": 201, "layer_dims": (3, 2, 1), "m": 4}, (0.3,)),
        ),
    ),
)

TABLE: dict[str, Exercise] = {row.key: row for row in _ROWS}


def exercises(assignment: str) -> tuple[Exercise, ...]:
    """The rows of one assignment, in the order of their numbers."""
    return tuple(row for row in TABLE.values() if row.assignment == assignment)


def check(key, target):
    """The author's line in a graded cell: run every case here and compare with the recording.

    Prints one line; raises AssertionError with the checks that fail. When a submission is graded this line
    does not run at all: the grader sends a probe in its place, and compares outside the student's process.
    """
    from coursekit.judge import judge
    from coursekit.probe import observe

    verdict = judge(TABLE[key], observe(TABLE[key], target))
    lost = [f"{result.name}: {result.reason}" for result in verdict.results if not result.passed]
    assert not lost, f"{key}: {verdict.earned:g} of {verdict.points:g}\n  " + "\n  ".join(lost)
    print(f"hidden: {key} {verdict.earned:g} of {verdict.points:g}")
