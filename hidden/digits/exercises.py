"""The hidden half of the exercises of `digits`: points on named checks, and hidden cases.

Hidden cases call the generator with other seeds and sizes: m = 1, one layer, many layers, extreme values. A check
passes if its outputs are right in every case that it names, so no mark depends on a lucky example.
"""

from sizes import layer_cases, network_cases, unit_cases

import testCases as tc
from coursekit.author import Check, Grading
from selfcheck.exercises import Case

_INPUTS_UNCHANGED = Check("inputs untouched", 1, untouched=True)
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

EXERCISES = (
    Grading(
        "initialize_parameters",
        (Check("weights", 2, ("W",)), Check("biases", 1, ("b",), twins=2)),
        tuple(
            Case("-".join(map(str, dims)), {"layer_dims": dims})
            for dims in ((4, 3), (3, 6, 2), (2, 5, 1, 4), (64, 20, 7, 5, 10), (1, 2, 1, 2, 1))
        ),
    ),
    Grading(
        "linear_forward", (Check("Z", 1, ("Z",)), Check("cache", 1, ("cache",)), _INPUTS_UNCHANGED), layer_cases(401)
    ),
    Grading("relu", (Check("A and cache", 1), _INPUTS_UNCHANGED), unit_cases(411)),
    Grading(
        "softmax",
        (
            Check("A", 3, ("A",), ("example", "other sizes", "4-", "5-", "3-", "1-", "10-"), twins=3),
            Check("cache", 1, ("cache",), ("example", "other sizes", "4-", "5-", "3-", "1-", "10-")),
            Check("very large Z", 1, cases=("large",)),
            _INPUTS_UNCHANGED,
        ),
        (
            *unit_cases(421),
            *(
                Case(f"large Z, times {scale:g}", {"seed": 426, "n": 3, "m": 4, "scale": scale})
                for scale in (1000.0, -1e5)
            ),
        ),
    ),
    Grading(
        "linear_activation_forward",
        (
            Check("relu", 1, cases=("relu", "other sizes, relu")),
            Check("softmax", 1, cases=("softmax", "other sizes, softmax", "large Z")),
            _NO_ACTIVATION,
            _INPUTS_UNCHANGED,
        ),
        (
            *(
                Case(f"{activation} {case.name}", case.make, (activation,))
                for activation, first_seed in (("relu", 431), ("softmax", 436))
                for case in layer_cases(first_seed)
            ),
            Case("large Z softmax", {"seed": 441, "n": 3, "m": 5, "scale": 1000.0}, ("softmax",)),
            Case("no activation at all", {"seed": 442}, ("",), raises="ValueError"),
            Case("no activation of another notebook", {"seed": 443}, ("sigmoid",), raises="ValueError"),
        ),
        ("linear_forward", "relu", "softmax"),
    ),
    Grading(
        "apply_batchnorm",
        (
            Check("NA", 3, cases=("example", "other sizes", "4-", "5-", "1-", "10-")),
            Check("one example, and units that never change", 1, cases=("3-1", "constant"), twins=7),
            Check("another epsilon", 1, cases=("epsilon",)),
            _INPUTS_UNCHANGED,
        ),
        (
            *unit_cases(451),
            Case("constant units", {"seed": 456, "n": 4, "m": 6, "constant": 2}),
            Case("epsilon of 0.3", {"seed": 457, "n": 3, "m": 5}, (0.3,)),
            # a unit with a variance below 1e-6, so that epsilon matters
            Case("epsilon by default, a unit that hardly changes", {"seed": 640, "n": 6, "m": 2}),
        ),
    ),
    Grading(
        "l_model_forward",
        (
            Check("AL without batch norm", 2, ("AL",), ("example", "2 layers", "4 layers", "5 layers")),
            Check("caches without batch norm", 1, ("caches",), ("example", "2 layers", "4 layers", "5 layers")),
            Check("AL with batch norm", 2, ("AL",), ("batchnorm", "other sizes", "normalised")),
            Check("caches with batch norm", 1, ("caches",), ("batchnorm", "other sizes", "normalised")),
            Check("one layer", 1, cases=("1 layers",)),
            _INPUTS_UNCHANGED,
        ),
        (
            *network_cases(461, *_SOFTMAX_NETWORKS, extra=(False,)),
            *network_cases(471, ((3, 4, 2), 5), also=["by default"]),
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
    Grading(
        "compute_cost",
        (
            Check("value", 3, cases=("example", "other sizes", "n="), any_shape=True),
            Check("probabilities of 0 and 1", 1, cases=("sure",), any_shape=True, twins=7),
            Check("a single number", 1, cases=("example", "other sizes", "n=")),
            _INPUTS_UNCHANGED,
        ),
        (
            *(
                Case(f"n={n} m={m}", {"seed": 480 + i, "n": n, "m": m})
                for i, (n, m) in enumerate(((3, 1), (10, 6), (2, 5), (4, 3), (5, 40)))
            ),
            Case("sure and often wrong", {"seed": 489, "n": 4, "m": 6, "sure": True}),
        ),
    ),
    Grading(
        "linear_backward",
        (Check("dW", 2, ("dW",)), Check("db", 1, ("db",)), Check("dA_prev", 1, ("dA_prev",)), _INPUTS_UNCHANGED),
        layer_cases(491),
    ),
    Grading(
        "relu_backward",
        (
            Check("dZ", 2, cases=("example", "other sizes", "4-", "5-", "3-", "1-", "10-"), twins=2),
            Check("Z of exactly 0", 1, cases=("zeros",), twins=2),
            _INPUTS_UNCHANGED,
        ),
        (*unit_cases(501), Case("zeros in Z", {"seed": 506, "n": 3, "m": 4, "zeros": 5})),
    ),
    Grading("softmax_backward", (Check("dZ", 1, twins=3), _INPUTS_UNCHANGED), unit_cases(511)),
    Grading(
        "linear_activation_backward",
        (
            Check("relu", 1, cases=("relu", "other sizes, relu"), twins=2),
            Check("softmax", 1, cases=("softmax", "other sizes, softmax")),
            _NO_ACTIVATION,
            _INPUTS_UNCHANGED,
        ),
        (
            *(
                Case(f"{activation} {case.name}", case.make, (activation,))
                for activation, first_seed in (("relu", 521), ("softmax", 526))
                for case in layer_cases(first_seed)
            ),
            Case("no activation at all", {"seed": 531}, ("",), raises="ValueError"),
            Case("no activation of another notebook", {"seed": 532}, ("sigmoid",), raises="ValueError"),
        ),
        ("linear_backward", "relu_backward", "softmax_backward"),
    ),
    Grading(
        "batchnorm_backward",
        (
            Check("dA", 7, cases=("example", "other sizes", "4-", "5-", "1-", "10-")),
            Check("one example, and units that never change", 1, cases=("3-1", "constant"), twins=7),
            Check("another epsilon", 1, cases=("epsilon",)),
            _INPUTS_UNCHANGED,
        ),
        (
            *unit_cases(541),
            Case("constant units", {"seed": 546, "n": 4, "m": 6, "constant": 2}),
            Case("epsilon of 0.3", {"seed": 547, "n": 3, "m": 5}, (0.3,)),
        ),
    ),
    Grading(
        "l_model_backward",
        (
            Check("dW and db, two layers", 1, ("dW", "db"), ("example", "2 layers")),
            Check("dW and db, one layer", 1, ("dW", "db"), ("1 layers",)),
            Check("dA, one layer and two", 1, ("dA",), ("example", "1 layers", "2 layers")),
            Check("dW and db, many layers", 1, ("dW", "db"), ("three layers", "4 layers", "5 layers")),
            Check("dA, many layers", 1, ("dA",), ("three layers", "4 layers", "5 layers")),
            Check("dW and db with batch norm", 2, ("dW", "db"), ("batchnorm", "normalised")),
            Check("dA with batch norm", 1, ("dA",), ("batchnorm", "normalised")),
            _INPUTS_UNCHANGED,
        ),
        (
            *network_cases(551, *_SOFTMAX_NETWORKS),
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
    Grading(
        "update_parameters",
        (Check("new values", 3), Check("given parameters unchanged", 1, untouched=True)),
        (
            Case("one layer", {"seed": 561, "layer_dims": (5, 2)}, (0.5,)),
            Case("two layers, rate 0.0075", {"seed": 563, "layer_dims": (3, 4, 2)}, (0.0075,)),
            Case("two layers, rate 0", {"seed": 565, "layer_dims": (2, 3, 4)}, (0.0,)),
            Case("four layers", {"seed": 567, "layer_dims": (6, 4, 5, 3, 2)}, (1.2,)),
            Case("two layers, every gradient", {"seed": 569, "layer_dims": (3, 2, 4), "m": 5}, (0.3,)),
        ),
    ),
    Grading(
        "l_layer_model",
        (
            Check("mini-batches", 2, ("parameters",), ("batches",)),
            Check("batch norm", 1, ("parameters",), ("example", "normalised")),
            Check("penalty", 1, ("parameters",), ("with a penalty", "penalised")),
            Check("early stopping", 1, ("parameters",), ("early", "patience")),
            Check("no early stopping", 1, ("parameters",), ("never",)),
            Check("other starting values", 1, ("parameters",), ("start",)),
            Check("costs", 1, ("costs",), ("batches", "example", "normalised", "with a penalty", "penalised", "start")),
            Check("costs with early stopping", 1, ("costs",), ("early", "patience", "never")),
            _INPUTS_UNCHANGED,
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
        # Short, because a retry asks for every call of a helper; the first of them has a second cost.
        (
            Case("batches of 3", {"layer_dims": (3, 2), "m": 8}, (0.2, 101, 3)),
            Case("normalised", {"layer_dims": (4, 3, 2), "m": 9}, (0.1, 12, 4, True)),
            Case("penalised, normalised", {"layer_dims": (4, 3, 2), "m": 9}, (0.1, 12, 4, True, 0.1)),
            Case(
                "patience of 3",
                {"layer_dims": (4, 3), "m": 9, "random": True},
                (0.5, 40, 4, False, 0.0, 3, tc.starting_values),
            ),
            Case(
                "never stops",
                {"layer_dims": (4, 3), "m": 9, "random": True},
                (0.5, 20, 4, False, 0.0, None, tc.starting_values),
            ),
            Case("start", {"layer_dims": (4, 3, 2), "m": 7}, (0.1, 12, 4, False, 0.0, 100, tc.starting_values)),
        ),
    ),
    Grading(
        "predict",
        (
            # a share of right answers is easily guessed, so there are several twins
            Check("accuracy", 2, cases=("example", "1 layers", "2 layers", "3 layers", "4 layers"), twins=6),
            Check("accuracy with batch norm", 1, cases=("batchnorm", "normalised"), twins=6),
            _INPUTS_UNCHANGED,
        ),
        (
            *network_cases(581, ((3, 5, 4), 30), ((4, 3, 2), 1), ((2, 6, 4, 3, 5), 50), extra=(False,)),
            *network_cases(584, ((6, 4), 25), extra=(False,)),
            *network_cases(587, ((4, 6, 5, 3), 40), also=["by default"]),
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
