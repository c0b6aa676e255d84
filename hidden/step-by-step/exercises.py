"""The hidden half of the exercises of `step-by-step`: points on named checks, and hidden cases.

Hidden cases call the generator with other seeds and sizes: m = 1, one layer, many layers, extreme values. A check
passes if its outputs are right in every case that it names, so no mark depends on a lucky example.
"""

from sizes import layer_cases, network_cases

from coursekit.author import Check, Grading
from selfcheck.exercises import Case

_INPUTS_UNCHANGED = Check("inputs untouched", 1, untouched=True)
_WEIGHTS_AND_BIASES = (Check("weights", 3, ("W",), twins=2), Check("biases", 2, ("b",), twins=2))
_FORWARD_NETWORKS = (
    ((4, 1), 3),
    ((6, 1), 1),
    ((3, 5, 1), 6),
    ((4, 3, 1), 1),
    ((2, 6, 4, 3, 1), 5),
    ((7, 5, 4, 3, 2, 1), 2),
)

EXERCISES = (
    Grading(
        "initialize_parameters",
        _WEIGHTS_AND_BIASES,
        tuple(
            Case(f"{n_x}-{n_h}-{n_y}", {"n_x": n_x, "n_h": n_h, "n_y": n_y})
            for n_x, n_h, n_y in ((1, 1, 1), (2, 7, 3), (6, 1, 4), (5, 3, 1), (12, 6, 2))
        ),
    ),
    Grading(
        "initialize_parameters_deep",
        (Check("weights", 6, ("W",), twins=3), Check("biases", 4, ("b",), twins=3)),
        tuple(
            Case("-".join(map(str, dims)), {"layer_dims": dims})
            for dims in ((4, 1), (3, 6), (2, 5, 1), (7, 6, 5, 4, 3, 2), (1, 2, 1, 2, 1))
        ),
    ),
    Grading(
        "linear_forward",
        (Check("Z", 6, ("Z",)), Check("cache", 3, ("cache",)), _INPUTS_UNCHANGED),
        layer_cases(101),
    ),
    Grading(
        "linear_activation_forward",
        (
            Check("A with sigmoid", 3, ("A",), ("sigmoid",)),
            Check("cache with sigmoid", 1, ("cache",), ("sigmoid",)),
            Check("A with relu", 3, ("A",), ("relu",), twins=2),
            Check("cache with relu", 1, ("cache",), ("relu",)),
            Check("very large Z", 1, cases=("large Z",)),
            _INPUTS_UNCHANGED,
        ),
        tuple(
            Case(f"{activation} {case.name}", case.make, (activation,))
            for activation, first_seed in (("sigmoid", 111), ("relu", 121))
            for case in layer_cases(first_seed)
        )
        + tuple(
            Case(f"large Z {activation}", {"seed": seed, "n": 2, "m": 5, "scale": 1000.0}, (activation,))
            for activation, seed in (("sigmoid", 120), ("relu", 130))
        ),
        ("linear_forward",),
    ),
    Grading(
        "L_model_forward",
        (
            Check("AL with two and three layers", 5, ("AL",), ("example", "one hidden layer", "2 layers")),
            Check(
                "caches with two and three layers",
                4,
                ("caches",),
                ("example", "one hidden layer", "2 layers"),
            ),
            Check("AL with one layer", 1, ("AL",), ("1 layers",)),
            Check("caches with one layer", 1, ("caches",), ("1 layers",)),
            Check("AL with many layers", 2, ("AL",), ("4 layers", "5 layers")),
            Check("caches with many layers", 1, ("caches",), ("4 layers", "5 layers")),
            _INPUTS_UNCHANGED,
        ),
        network_cases(131, *_FORWARD_NETWORKS),
        ("linear_forward", "linear_activation_forward"),
    ),
    Grading(
        "compute_cost",
        (
            Check("value", 5, cases=("example", "seven", "m="), any_shape=True),
            Check("close to 0 and 1", 1, cases=("close",), any_shape=True, twins=3),
            Check("a single number", 3, cases=("example", "seven", "m=")),
            _INPUTS_UNCHANGED,
        ),
        (
            *(Case(f"m={m}", {"seed": 140 + m, "m": m}) for m in (1, 2, 5, 40)),
            Case("close to 0 and 1", {"seed": 149, "m": 7, "margin": 1e-3, "extreme": True}),
            # every answer is right, so that the cost is small and no rounding of it passes
            Case("close to 0 and 1, all right", {"seed": 161, "m": 7, "margin": 1e-3, "extreme": True}),
        ),
    ),
    Grading(
        "linear_backward",
        (Check("dW", 4, ("dW",)), Check("db", 2, ("db",)), Check("dA_prev", 3, ("dA_prev",)), _INPUTS_UNCHANGED),
        layer_cases(151),
    ),
    Grading(
        "linear_activation_backward",
        (
            Check("dW and db with relu", 3, ("dW", "db"), ("relu",), twins=2),
            Check("dA_prev with relu", 2, ("dA_prev",), ("relu",), twins=2),
            Check("dW and db with sigmoid", 3, ("dW", "db"), ("sigmoid",)),
            Check("dA_prev with sigmoid", 1, ("dA_prev",), ("sigmoid",)),
            _INPUTS_UNCHANGED,
        ),
        tuple(
            Case(f"{activation} {case.name}", case.make, (activation,))
            for activation, first_seed in (("sigmoid", 161), ("relu", 171))
            for case in layer_cases(first_seed)
        ),
        ("linear_backward",),
    ),
    Grading(
        "L_model_backward",
        (
            Check("dW and db, two layers", 4, ("dW", "db"), ("example", "2 layers")),
            Check("dA, two layers", 1, ("dA",), ("example", "2 layers")),
            Check("dW and db, one layer", 2, ("dW", "db"), ("1 layers",)),
            Check("dA, one layer", 1, ("dA",), ("1 layers",)),
            Check("dW and db, many layers", 4, ("dW", "db"), ("three layers", "4 layers", "5 layers")),
            Check("dA, many layers", 2, ("dA",), ("three layers", "4 layers", "5 layers")),
            _INPUTS_UNCHANGED,
        ),
        network_cases(181, *_FORWARD_NETWORKS),
        ("linear_backward", "linear_activation_backward"),
    ),
    Grading(
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
