"""Public half of the exercises of `application`: names, inputs, outputs, and the cases that the public tests run.

The grader runs these cases and the hidden ones.
"""

import testCases as tc
from selfcheck.exercises import Case, Exercise

# Tolerates another order of summation in hundreds of steps; no wrong formula comes nearly as close.
_TRAINING_RTOL = 1e-5


def _one_argument(value):
    return (value,)


_TRAINED = ("parameters", "costs")
_TRAINING = ("X", "Y", "layers_dims", "learning_rate", "num_iterations")

EXERCISES = (
    Exercise(1, "prepare_images", tc.prepare_images_test_case, ("images",), "X",
        (Case("example"), Case("other sizes", {"seed": 28, "height": 4, "width": 3, "m": 5})),
        "each image becomes a row of its own first, and then a column; and all numbers come to lie between 0 and 1.",
        "images of other sizes, a single image, and images of one grey", _one_argument),
    Exercise(2, "two_layer_model", tc.two_layer_model_test_case, (*_TRAINING, "print_cost"), _TRAINED,
        (
            Case("example", extra=(0.1, 201)),
            Case("other sizes", {"seed": 22, "layer_dims": (3, 5, 1), "m": 4}, (0.5, 102)),
            Case("other sizes, by default", {"seed": 26, "layer_dims": (2, 3, 1), "m": 5}),
        ),
        "every iteration starts with the parameters that the one before has made; costs has those of 0, 100, 200, ...",
        "m = 1, other rates, few and many iterations, and print_cost=True", rtol=_TRAINING_RTOL),
    Exercise(3, "L_layer_model", tc.L_layer_model_test_case, (*_TRAINING, "print_cost", "initialize"), _TRAINED,
        (
            Case("example", extra=(0.1, 201)),
            Case("one hidden layer", {"seed": 23, "layer_dims": (3, 5, 1), "m": 4}, (0.5, 102)),
            Case("one hidden layer, by default", {"seed": 27, "layer_dims": (2, 3, 1), "m": 5}),
        ),
        "every iteration starts with the parameters that the one before has made; costs has those of 0, 100, 200, ...",
        "one layer, many layers, m = 1, other starting values, and print_cost=True", rtol=_TRAINING_RTOL),
    Exercise(4, "predict", tc.predict_test_case, ("X", "y", "parameters"), "p",
        (Case("example"), Case("three layers", {"seed": 344, "layer_dims": (3, 5, 2, 1), "m": 12, "labels": False})),
        "the answer is 1 where the probability is above one half, and 0 elsewhere.",
        "one layer, many layers, m = 1, and probabilities of exactly one half"),
    Exercise(5, "mislabelled", tc.mislabelled_test_case, ("p", "y"), "wrong",
        (Case("example"), Case("twenty examples", {"seed": 25, "m": 20})),
        "the column numbers of the examples whose answer differs from the label, in a flat array.",
        "m = 1, no wrong answer at all, and nothing but wrong answers"),
)  # fmt: skip
