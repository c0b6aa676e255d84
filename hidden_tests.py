"""What only the grader runs: the table of exercises, with their hidden cases and their points.

An exercise is a row: its public half (``public_cases``), hidden cases as data (the generator at other seeds
and sizes, m = 1, one layer, many layers, extreme values), the earlier functions it leans on, and its points
split over named checks. A check passes when the outputs that it names are right in every case that it names,
so no mark depends on a lucky example.
"""

from pathlib import Path

import testCases as tc
from coursekit.exercise import Check, Exercise
from public_cases import EXERCISES as PUBLIC
from selfcheck.exercises import Case

RECORDING = Path(__file__).with_name("hidden_tests.h5")


_UNTOUCHED = Check("inputs untouched", 1, untouched=True)


def _row(key, checks, hidden, leans_on=()):
    return Exercise(key.partition("/")[0], PUBLIC[key], checks, hidden, leans_on)


def _layer_cases(first_seed, extra=()):
    """A layer in five other sizes: wide, narrow, one example, one unit, many examples."""
    suffix = "".join(f" {value}" for value in extra)
    sizes = ((6, 4, 3), (2, 5, 7), (4, 3, 1), (3, 1, 6), (1, 2, 20))
    return tuple(
        Case(f"{n_prev}-{n}-{m}{suffix}", {"seed": first_seed + i, "n_prev": n_prev, "n": n, "m": m}, extra)
        for i, (n_prev, n, m) in enumerate(sizes)
    )


def _unit_cases(first_seed):
    """The same for what has no layer before it."""
    return tuple(
        Case(f"{n}-{m}", {"seed": first_seed + i, "n": n, "m": m})
        for i, (n, m) in enumerate(((4, 3), (5, 7), (3, 1), (1, 6), (10, 20)))
    )


def _network_cases(first_seed, *dims_and_m, extra=(), also=(), **make):
    """Networks of several depths; the name begins with the number of layers, for the checks."""
    return tuple(
        Case(
            " ".join([f"{len(dims) - 1} layers {'-'.join(map(str, dims))} m={m}", *also]),
            {"seed": first_seed + i, "layer_dims": dims, "m": m, **make},
            extra,
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

_STEP_BY_STEP = (
    _row(
        "step-by-step/initialize_parameters",
        _WEIGHTS_AND_BIASES,
        tuple(
            Case(f"{n_x}-{n_h}-{n_y}", {"n_x": n_x, "n_h": n_h, "n_y": n_y})
            for n_x, n_h, n_y in ((1, 1, 1), (2, 7, 3), (6, 1, 4), (5, 3, 1), (12, 6, 2))
        ),
    ),
    _row(
        "step-by-step/initialize_parameters_deep",
        (Check("weights", 6, ("W",)), Check("biases", 4, ("b",))),
        tuple(
            Case("-".join(map(str, dims)), {"layer_dims": dims})
            for dims in ((4, 1), (3, 6), (2, 5, 1), (7, 6, 5, 4, 3, 2), (1, 2, 1, 2, 1))
        ),
    ),
    _row(
        "step-by-step/linear_forward",
        (Check("Z", 6, ("Z",)), Check("cache", 3, ("cache",)), _UNTOUCHED),
        _layer_cases(101),
    ),
    _row(
        "step-by-step/linear_activation_forward",
        (
            Check("A with sigmoid", 3, ("A",), ("sigmoid",)),
            Check("cache with sigmoid", 1, ("cache",), ("sigmoid",)),
            Check("A with relu", 3, ("A",), ("relu",)),
            Check("cache with relu", 1, ("cache",), ("relu",)),
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
    _row(
        "step-by-step/L_model_forward",
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
            _UNTOUCHED,
        ),
        _network_cases(131, *_FORWARD_NETWORKS),
        ("linear_forward", "linear_activation_forward"),
    ),
    _row(
        "step-by-step/compute_cost",
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
    _row(
        "step-by-step/linear_backward",
        (Check("dW", 4, ("dW",)), Check("db", 2, ("db",)), Check("dA_prev", 3, ("dA_prev",)), _UNTOUCHED),
        _layer_cases(151),
    ),
    _row(
        "step-by-step/linear_activation_backward",
        (
            Check("dW and db with relu", 3, ("dW", "db"), ("relu",)),
            Check("dA_prev with relu", 2, ("dA_prev",), ("relu",)),
            Check("dW and db with sigmoid", 3, ("dW", "db"), ("sigmoid",)),
            Check("dA_prev with sigmoid", 1, ("dA_prev",), ("sigmoid",)),
            _UNTOUCHED,
        ),
        tuple(
            Case(f"{activation} {case.name}", case.make, (activation,))
            for activation, first_seed in (("sigmoid", 161), ("relu", 171))
            for case in _layer_cases(first_seed)
        ),
        ("linear_backward",),
    ),
    _row(
        "step-by-step/L_model_backward",
        (
            Check("dW and db, two layers", 4, ("dW", "db"), ("example", "2 layers")),
            Check("dA, two layers", 1, ("dA",), ("example", "2 layers")),
            Check("dW and db, one layer", 2, ("dW", "db"), ("1 layers",)),
            Check("dA, one layer", 1, ("dA",), ("1 layers",)),
            Check("dW and db, many layers", 4, ("dW", "db"), ("three layers", "4 layers", "5 layers")),
            Check("dA, many layers", 2, ("dA",), ("three layers", "4 layers", "5 layers")),
            _UNTOUCHED,
        ),
        _network_cases(181, *_FORWARD_NETWORKS),
        ("linear_backward", "linear_activation_backward"),
    ),
    _row(
        "step-by-step/update_parameters",
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

_PRINTING = Check("costs while printing", 3, cases=("printing",))
_ONE_AND_MANY = ("1 layers", "4 layers", "5 layers")
_APPLICATION = (
    _row(
        "application/prepare_images",
        (
            Check("every number in its place", 10, cases=("example", "other sizes", "size")),
            Check("numbers from 0 to 1", 4, cases=("grey",)),
            _UNTOUCHED,
        ),
        (
            *(
                Case(f"size {height}-{width}-{m}", {"seed": 301 + i, "height": height, "width": width, "m": m})
                for i, (height, width, m) in enumerate(((1, 4, 3), (5, 2, 1), (3, 3, 6), (8, 8, 2)))
            ),
            Case("grey 255", {"grey": 255}),
            Case("grey 51", {"height": 4, "width": 3, "m": 5, "grey": 51}),
        ),
    ),
    _row(
        "application/two_layer_model",
        (
            Check("parameters", 17, ("parameters",), ("example", "other sizes", "2 layers")),
            Check("costs", 9, ("costs",), ("example", "other sizes", "2 layers")),
            _PRINTING,
            _UNTOUCHED,
        ),
        (
            *_network_cases(311, ((3, 4, 1), 1), ((6, 2, 1), 9), extra=(0.2, 101)),
            *_network_cases(313, ((2, 5, 1), 3), extra=(1.0, 60)),
            *_network_cases(314, ((4, 3, 1), 12), extra=(0.03, 301)),
            *_network_cases(315, ((1, 2, 1), 5), extra=(0.0, 150)),
            *_network_cases(316, ((5, 4, 1), 8), extra=(0.4, 250), also=["once more"]),
            Case("printing, 501 iterations", {"seed": 317, "layer_dims": (3, 2, 1), "m": 4}, (0.1, 501, True)),
            Case("2 layers, rate and iterations by default", {"seed": 318, "layer_dims": (2, 2, 1), "m": 3}),
        ),
    ),
    _row(
        "application/L_layer_model",
        (
            Check("parameters", 12, ("parameters",), ("example", "one hidden layer", "2 layers")),
            Check("costs", 7, ("costs",), ("example", "one hidden layer", "2 layers")),
            Check("parameters with one layer, and many", 3, ("parameters",), _ONE_AND_MANY),
            Check("costs with one layer, and many", 2, ("costs",), _ONE_AND_MANY),
            Check("parameters from other starting values", 1, ("parameters",), ("start",)),
            Check("costs from other starting values", 1, ("costs",), ("start",)),
            _PRINTING,
            _UNTOUCHED,
        ),
        (
            *_network_cases(321, ((4, 1), 6), ((3, 1), 1), ((4, 3, 1), 5), extra=(0.2, 101)),
            *_network_cases(324, ((5, 2, 1), 1), extra=(1.0, 60)),
            *_network_cases(325, ((4, 6, 5, 3, 1), 5), ((6, 5, 4, 3, 2, 1), 8), extra=(0.3, 201)),
            Case("start", {"seed": 327, "layer_dims": (4, 3, 2, 1), "m": 6}, (0.1, 101, False, tc.starting_values)),
            Case("printing, 501 iterations", {"seed": 328, "layer_dims": (3, 2, 1), "m": 4}, (0.1, 501, True)),
            Case("1 layers, rate and iterations by default", {"seed": 329, "layer_dims": (2, 1), "m": 3}),
        ),
    ),
    _row(
        "application/predict",
        (
            Check("two and three layers", 8, cases=("example", "three layers", "2 layers", "3 layers")),
            Check("one layer, and many", 4, cases=("1 layers", "4 layers", "5 layers")),
            Check("exactly one half", 2, cases=("one half",)),
            _UNTOUCHED,
        ),
        (
            # seeds whose networks give both answers
            *_network_cases(344, ((4, 1), 6), ((5, 4, 1), 15), ((4, 3, 2, 1), 30)),
            *_network_cases(357, ((3, 5, 4, 2, 1), 25), ((6, 5, 4, 3, 2, 1), 40), labels=False),
            *_network_cases(359, ((3, 1), 1), ((5, 2, 1), 1)),
            Case("one half", {"seed": 337, "layer_dims": (3, 2, 1), "m": 5, "undecided": True}),
        ),
    ),
    _row(
        "application/mislabelled",
        (
            Check("some wrong answers", 6, cases=("example", "twenty", "some")),
            Check("all wrong, or none", 3, cases=("all", "none")),
            _UNTOUCHED,
        ),
        (
            *(
                Case(f"some of {m}", {"seed": 340 + m, "m": m, "wrong": wrong})
                for m, wrong in ((5, 1), (12, 3), (50, 9))
            ),
            *(Case(f"all of {m}", {"seed": 340 + m, "m": m, "wrong": m}) for m in (1, 7)),
            *(Case(f"none of {m}", {"seed": 340 + m, "m": m, "wrong": 0}) for m in (1, 6)),
        ),
    ),
)

_SOFTMAX_NETWORKS = (
    ((4, 3), 5),
    ((6, 4), 1),
    ((3, 5, 4), 6),
    ((4, 3, 2), 1),
    ((2, 6, 4, 3, 5), 7),
    ((7, 5, 4, 3, 4, 3), 2),
)
_LAYER_FORWARD = ("linear_forward", "relu", "softmax", "linear_activation_forward")
_MODEL_FORWARD = (*_LAYER_FORWARD, "apply_batchnorm", "l_model_forward")
_LAYER_BACKWARD = ("linear_backward", "relu_backward", "softmax_backward", "linear_activation_backward")
_MODEL_BACKWARD = (*_LAYER_BACKWARD, "batchnorm_backward", "l_model_backward")
_NO_ACTIVATION = Check("ValueError for any other activation", 1, cases=("no activation",))
_DIGITS = (
    _row(
        "digits/initialize_parameters",
        (Check("weights", 2, ("W",)), Check("biases", 1, ("b",))),
        tuple(
            Case("-".join(map(str, dims)), {"layer_dims": dims})
            for dims in ((4, 3), (3, 6, 2), (2, 5, 1, 4), (64, 20, 7, 5, 10), (1, 2, 1, 2, 1))
        ),
    ),
    _row(
        "digits/linear_forward", (Check("Z", 1, ("Z",)), Check("cache", 1, ("cache",)), _UNTOUCHED), _layer_cases(401)
    ),
    _row("digits/relu", (Check("A and cache", 1), _UNTOUCHED), _unit_cases(411)),
    _row(
        "digits/softmax",
        (
            Check("A", 3, ("A",), ("example", "other sizes", "4-", "5-", "3-", "1-", "10-")),
            Check("cache", 1, ("cache",), ("example", "other sizes", "4-", "5-", "3-", "1-", "10-")),
            Check("very large Z", 1, cases=("large",)),
            _UNTOUCHED,
        ),
        (
            *_unit_cases(421),
            *(
                Case(f"large Z, times {scale:g}", {"seed": 426, "n": 3, "m": 4, "scale": scale})
                for scale in (1000.0, -1e5)
            ),
        ),
    ),
    _row(
        "digits/linear_activation_forward",
        (
            Check("relu", 1, cases=("relu", "other sizes, relu")),
            Check("softmax", 1, cases=("softmax", "other sizes, softmax", "large Z")),
            _NO_ACTIVATION,
            _UNTOUCHED,
        ),
        (
            *(
                Case(f"{activation} {case.name}", case.make, (activation,))
                for activation, first_seed in (("relu", 431), ("softmax", 436))
                for case in _layer_cases(first_seed)
            ),
            Case("large Z softmax", {"seed": 441, "n": 3, "m": 5, "scale": 1000.0}, ("softmax",)),
            Case("no activation at all", {"seed": 442}, ("",), raises="ValueError"),
            Case("no activation of another notebook", {"seed": 443}, ("sigmoid",), raises="ValueError"),
        ),
        ("linear_forward", "relu", "softmax"),
    ),
    _row(
        "digits/apply_batchnorm",
        (
            Check("NA", 3, cases=("example", "other sizes", "4-", "5-", "1-", "10-")),
            Check("one example, and units that never change", 1, cases=("3-1", "constant")),
            Check("another epsilon", 1, cases=("epsilon",)),
            _UNTOUCHED,
        ),
        (
            *_unit_cases(451),
            Case("constant units", {"seed": 456, "n": 4, "m": 6, "constant": 2}),
            Case("epsilon of 0.3", {"seed": 457, "n": 3, "m": 5}, (0.3,)),
            # a unit with a variance below a millionth, where epsilon counts
            Case("epsilon by default, a unit that hardly changes", {"seed": 640, "n": 6, "m": 2}),
        ),
    ),
    _row(
        "digits/l_model_forward",
        (
            Check("AL without batch norm", 2, ("AL",), ("example", "2 layers", "4 layers", "5 layers")),
            Check("caches without batch norm", 1, ("caches",), ("example", "2 layers", "4 layers", "5 layers")),
            Check("AL with batch norm", 2, ("AL",), ("batchnorm", "other sizes", "normalised")),
            Check("caches with batch norm", 1, ("caches",), ("batchnorm", "other sizes", "normalised")),
            Check("one layer", 1, cases=("1 layers",)),
            _UNTOUCHED,
        ),
        (
            *_network_cases(461, *_SOFTMAX_NETWORKS, extra=(False,)),
            *_network_cases(471, ((3, 4, 2), 5), also=["by default"]),
            Case("1 layers 5-3 m=4, normalised", {"seed": 467, "layer_dims": (5, 3), "m": 4}, (True,)),
            *(
                Case(
                    f"normalised {'-'.join(map(str, dims))} m={m}", {"seed": seed, "layer_dims": dims, "m": m}, (True,)
                )
                for seed, dims, m in ((468, (4, 5, 3), 1), (469, (2, 6, 4, 3, 5), 7), (470, (3, 5, 4), 20))
            ),
        ),
        (*_LAYER_FORWARD, "apply_batchnorm"),
    ),
    _row(
        "digits/compute_cost",
        (
            Check("value", 3, cases=("example", "other sizes", "n="), any_shape=True),
            Check("probabilities of 0 and 1", 1, cases=("sure",), any_shape=True),
            Check("a single number", 1, cases=("example", "other sizes", "n=")),
            _UNTOUCHED,
        ),
        (
            *(
                Case(f"n={n} m={m}", {"seed": 480 + i, "n": n, "m": m})
                for i, (n, m) in enumerate(((3, 1), (10, 6), (2, 5), (4, 3), (5, 40)))
            ),
            Case("sure and often wrong", {"seed": 489, "n": 4, "m": 6, "sure": True}),
        ),
    ),
    _row(
        "digits/linear_backward",
        (Check("dW", 2, ("dW",)), Check("db", 1, ("db",)), Check("dA_prev", 1, ("dA_prev",)), _UNTOUCHED),
        _layer_cases(491),
    ),
    _row(
        "digits/relu_backward",
        (
            Check("dZ", 2, cases=("example", "other sizes", "4-", "5-", "3-", "1-", "10-")),
            Check("Z of exactly 0", 1, cases=("zeros",)),
            _UNTOUCHED,
        ),
        (*_unit_cases(501), Case("zeros in Z", {"seed": 506, "n": 3, "m": 4, "zeros": 5})),
    ),
    _row("digits/softmax_backward", (Check("dZ", 1), _UNTOUCHED), _unit_cases(511)),
    _row(
        "digits/linear_activation_backward",
        (
            Check("relu", 1, cases=("relu", "other sizes, relu")),
            Check("softmax", 1, cases=("softmax", "other sizes, softmax")),
            _NO_ACTIVATION,
            _UNTOUCHED,
        ),
        (
            *(
                Case(f"{activation} {case.name}", case.make, (activation,))
                for activation, first_seed in (("relu", 521), ("softmax", 526))
                for case in _layer_cases(first_seed)
            ),
            Case("no activation at all", {"seed": 531}, ("",), raises="ValueError"),
            Case("no activation of another notebook", {"seed": 532}, ("sigmoid",), raises="ValueError"),
        ),
        ("linear_backward", "relu_backward", "softmax_backward"),
    ),
    _row(
        "digits/batchnorm_backward",
        (
            Check("dA", 7, cases=("example", "other sizes", "4-", "5-", "1-", "10-")),
            Check("one example, and units that never change", 1, cases=("3-1", "constant")),
            Check("another epsilon", 1, cases=("epsilon",)),
            _UNTOUCHED,
        ),
        (
            *_unit_cases(541),
            Case("constant units", {"seed": 546, "n": 4, "m": 6, "constant": 2}),
            Case("epsilon of 0.3", {"seed": 547, "n": 3, "m": 5}, (0.3,)),
        ),
    ),
    _row(
        "digits/l_model_backward",
        (
            Check("dW and db, two layers", 1, ("dW", "db"), ("example", "2 layers")),
            Check("dW and db, one layer", 1, ("dW", "db"), ("1 layers",)),
            Check("dA, one layer and two", 1, ("dA",), ("example", "1 layers", "2 layers")),
            Check("dW and db, many layers", 1, ("dW", "db"), ("three layers", "4 layers", "5 layers")),
            Check("dA, many layers", 1, ("dA",), ("three layers", "4 layers", "5 layers")),
            Check("dW and db with batch norm", 2, ("dW", "db"), ("batchnorm", "normalised")),
            Check("dA with batch norm", 1, ("dA",), ("batchnorm", "normalised")),
            _UNTOUCHED,
        ),
        (
            *_network_cases(551, *_SOFTMAX_NETWORKS),
            *(
                Case(
                    f"normalised {'-'.join(map(str, dims))} m={m}",
                    {"seed": seed, "layer_dims": dims, "m": m, "batchnorm": True},
                )
                for seed, dims, m in ((557, (4, 5, 3), 1), (558, (2, 6, 4, 3, 5), 7), (559, (3, 5, 4), 20))
            ),
        ),
        (*_LAYER_BACKWARD, "batchnorm_backward"),
    ),
    _row(
        "digits/update_parameters",
        (Check("new values", 3), Check("given parameters unchanged", 1, untouched=True)),
        (
            Case("one layer", {"seed": 561, "layer_dims": (5, 2)}, (0.5,)),
            Case("two layers, rate 0.0075", {"seed": 563, "layer_dims": (3, 4, 2)}, (0.0075,)),
            Case("two layers, rate 0", {"seed": 565, "layer_dims": (2, 3, 4)}, (0.0,)),
            Case("four layers", {"seed": 567, "layer_dims": (6, 4, 5, 3, 2)}, (1.2,)),
            Case("two layers, every gradient", {"seed": 569, "layer_dims": (3, 2, 4), "m": 5}, (0.3,)),
        ),
    ),
    _row(
        "digits/l_layer_model",
        (
            Check("mini-batches", 2, ("parameters",), ("batches",)),
            Check("batch norm", 1, ("parameters",), ("example", "normalised")),
            Check("penalty", 1, ("parameters",), ("with a penalty", "penalised")),
            Check("early stopping", 1, ("parameters",), ("early", "patience")),
            Check("no early stopping", 1, ("parameters",), ("never",)),
            Check("other starting values", 1, ("parameters",), ("start",)),
            Check("costs", 1, ("costs",), ("batches", "example", "normalised", "with a penalty", "penalised", "start")),
            Check("costs with early stopping", 1, ("costs",), ("early", "patience", "never")),
            _UNTOUCHED,
        ),
        (
            Case("batches of 4", {"seed": 571, "layer_dims": (4, 3), "m": 19}, (0.2, 101, 4)),
            Case("batches larger than the data", {"seed": 572, "layer_dims": (3, 4, 2), "m": 9}, (0.2, 60, 50)),
            Case("batches of 1", {"seed": 573, "layer_dims": (5, 4, 3), "m": 8}, (0.1, 102, 1, False, 0.0, None)),
            Case("normalised", {"seed": 574, "layer_dims": (5, 4, 3), "m": 30}, (0.1, 101, 6, True)),
            Case("penalised, normalised", {"seed": 575, "layer_dims": (4, 5, 2), "m": 16}, (0.1, 101, 8, True, 0.1)),
            Case(
                "patience of 20",
                {"seed": 576, "layer_dims": (6, 5, 3), "m": 20, "random": True},
                (0.5, 400, 8, False, 0.0, 20, tc.starting_values),
            ),
            Case(
                "patience with batch norm",
                {"seed": 576, "layer_dims": (5, 4, 3), "m": 20, "random": True},
                (0.3, 150, 8, True, 0.0, 10),
            ),
            Case("patience, rate 0", {"seed": 579, "layer_dims": (4, 3), "m": 15}, (0.0, 250, 8, False, 0.0, 20)),
            Case("patience by default", {"seed": 577, "layer_dims": (6, 3), "m": 20, "random": True}, (0.5, 400, 8)),
            Case(
                "never stops",
                {"seed": 576, "layer_dims": (6, 5, 3), "m": 20, "random": True},
                (0.5, 150, 8, False, 0.0, None, tc.starting_values),
            ),
            Case(
                "start",
                {"seed": 578, "layer_dims": (4, 3, 2), "m": 12},
                (0.1, 60, 4, False, 0.0, 100, tc.starting_values),
            ),
        ),
        ("initialize_parameters", *_MODEL_FORWARD, "compute_cost", *_MODEL_BACKWARD, "update_parameters"),
    ),
    _row(
        "digits/predict",
        (
            Check("accuracy", 2, cases=("example", "1 layers", "2 layers", "3 layers", "4 layers")),
            Check("accuracy with batch norm", 1, cases=("batchnorm", "normalised")),
            _UNTOUCHED,
        ),
        (
            *_network_cases(581, ((3, 5, 4), 30), ((4, 3, 2), 1), ((2, 6, 4, 3, 5), 50), extra=(False,)),
            *_network_cases(584, ((6, 4), 25), extra=(False,)),
            *_network_cases(587, ((4, 6, 5, 3), 40), also=["by default"]),
            *(
                Case(
                    f"normalised {'-'.join(map(str, dims))} m={m}", {"seed": seed, "layer_dims": dims, "m": m}, (True,)
                )
                for seed, dims, m in ((585, (4, 5, 3), 33), (586, (5, 6, 4, 3), 47))
            ),
        ),
        _MODEL_FORWARD,
    ),
)

TABLE: dict[str, Exercise] = {row.key: row for row in (*_STEP_BY_STEP, *_APPLICATION, *_DIGITS)}


def exercises(assignment: str) -> tuple[Exercise, ...]:
    """The rows of one assignment, in the order of their numbers."""
    return tuple(row for row in TABLE.values() if row.assignment == assignment)


def check(key, target):
    """The author's line in a graded cell: run every case here and compare with the recording.

    Prints one line; raises AssertionError with the checks that fail. When a submission is graded this line
    does not run at all: the grader sends a probe in its place, and compares outside the student's process.
    """
    from contextlib import redirect_stdout
    from io import StringIO

    from coursekit.marking.judge import judge
    from coursekit.marking.probe import observe

    with redirect_stdout(StringIO()):  # what the function prints says nothing about its results
        seen = observe(TABLE[key], target)
    verdict = judge(TABLE[key], seen)
    lost = [f"{result.name}: {result.reason}" for result in verdict.results if not result.passed]
    assert not lost, f"{key}: {verdict.earned:g} of {verdict.points:g}\n  " + "\n  ".join(lost)
    print(f"hidden: {key} {verdict.earned:g} of {verdict.points:g}")
