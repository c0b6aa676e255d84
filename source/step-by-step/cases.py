"""Public half of the exercises of `step-by-step`: names, inputs, outputs, and the cases that the public tests run.

The grader runs these cases and the hidden ones.
"""

import testCases as tc
from selfcheck.exercises import Case, Exercise

_LAYER_PARTS = ((r"\[0\]\[0\]", "A_prev"), (r"\[0\]\[1\]", "W"), (r"\[0\]\[2\]", "b"), (r"\[1\]", "Z"))
# Tolerates a small number (1e-8 or less) inside the logarithms; no wrong formula comes nearly as close.
_COST_RTOL = 1e-5


def _one_argument(value):
    return (value,)


def _labels_last(values):
    Y, AL = values
    return AL, Y


_OTHER_SIZES = "other sizes (m = 1 too) and looks whether the inputs stay as they were"
_OTHER_DEPTHS = "one layer, many layers and m = 1, and looks whether the inputs stay as they were"

EXERCISES = (
    Exercise(1, "initialize_parameters", tc.initialize_parameters_test_case, ("n_x", "n_h", "n_y"), "",
        (Case("example"), Case("other sizes", {"n_x": 4, "n_h": 5, "n_y": 2})),
        "W1 is drawn before W2, each by randn and times 0.01; the biases are columns of zeros.",
        "other sizes"),
    Exercise(2, "initialize_parameters_deep", tc.initialize_parameters_deep_test_case, ("layer_dims",), "",
        (Case("example"), Case("more layers", {"layer_dims": (2, 4, 3, 1)})),
        "layer l leads from layer_dims[l-1] to layer_dims[l] units: randn times 0.01, and biases of zero.",
        "one layer, and many", _one_argument),
    Exercise(3, "linear_forward", tc.linear_forward_test_case, ("A", "W", "b"), ("Z", "cache"),
        (Case("example"), Case("other sizes", {"seed": 11, "n_prev": 4, "n": 3, "m": 5})),
        "Z = W A + b, with the product of matrices; b is added to every column.",
        _OTHER_SIZES, parts=((r"\[0\]", "A"), (r"\[1\]", "W"), (r"\[2\]", "b"))),
    Exercise(4, "linear_activation_forward", tc.linear_activation_forward_test_case,
        ("A_prev", "W", "b", "activation"), ("A", "cache"),
        (
            Case("sigmoid", extra=("sigmoid",)), Case("relu", extra=("relu",)),
            Case("sigmoid, other sizes", {"seed": 12, "n_prev": 4, "n": 3, "m": 5}, ("sigmoid",)),
            Case("relu, other sizes", {"seed": 13, "n_prev": 4, "n": 3, "m": 5}, ("relu",)),
        ),
        "first Z from linear_forward, then A from the activation asked for; each returns a cache.",
        "very large Z, " + _OTHER_SIZES, parts=_LAYER_PARTS),
    Exercise(5, "L_model_forward", tc.L_model_forward_test_case_2hidden, ("X", "parameters"), ("AL", "caches"),
        (Case("example"), Case("one hidden layer", {"seed": 14, "layer_dims": (3, 4, 1), "m": 5})),
        "what goes into a layer is what came out of the one before; only the last layer has a sigmoid.",
        _OTHER_DEPTHS, parts=tuple((r"\[\d+\]" + place, name) for place, name in _LAYER_PARTS)),
    Exercise(6, "compute_cost", tc.compute_cost_test_case, ("AL", "Y"), "cost",
        (Case("example"), Case("seven examples", {"seed": 15, "m": 7})),
        "two terms per example, one for label 1, one for label 0; the sum over all is divided by -m.",
        "m = 1, many examples, probabilities close to 0 and 1, and that the inputs stay as they were",
        _labels_last, rtol=_COST_RTOL),
    Exercise(7, "linear_backward", tc.linear_backward_test_case, ("dZ", "cache"), ("dA_prev", "dW", "db"),
        (Case("example"), Case("other sizes", {"seed": 16, "n_prev": 2, "n": 4, "m": 3})),
        "each gradient has the shape of what it belongs to; dW and db are averaged over the examples.",
        _OTHER_SIZES),
    Exercise(8, "linear_activation_backward", tc.linear_activation_backward_test_case,
        ("dA", "cache", "activation"), ("dA_prev", "dW", "db"),
        (
            Case("sigmoid", extra=("sigmoid",)), Case("relu", extra=("relu",)),
            Case("sigmoid, other sizes", {"seed": 17, "n_prev": 4, "n": 3, "m": 5}, ("sigmoid",)),
            Case("relu, other sizes", {"seed": 18, "n_prev": 4, "n": 3, "m": 5}, ("relu",)),
        ),
        "backwards the order turns round: first dZ through the activation, then the linear half.",
        _OTHER_SIZES),
    Exercise(9, "L_model_backward", tc.L_model_backward_test_case, ("AL", "Y", "caches"), "",
        (Case("example"), Case("three layers", {"seed": 19, "layer_dims": (3, 4, 2, 1), "m": 5})),
        "layer l is fed with dAl and gives dA(l-1), dWl and dbl; its cache is caches[l-1].", _OTHER_DEPTHS),
    Exercise(10, "update_parameters", tc.update_parameters_test_case, ("params", "grads", "learning_rate"), "",
        (Case("example", extra=(0.1,)), Case("three layers", {"seed": 20, "layer_dims": (3, 2, 4, 1)}, (0.03,))),
        "each parameter goes a step against its own gradient; the given params keep their old values.",
        "other learning rates, one layer, many layers, and more entries in grads"),
)  # fmt: skip
