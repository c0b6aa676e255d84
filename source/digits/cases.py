"""Public half of the exercises of `digits`: names, inputs, outputs, and the cases that the public tests run.

The grader runs these cases and the hidden ones.
"""

import testCases as tc
from selfcheck.exercises import Case, Exercise

_DICT_PARTS = tuple((rf'(\[\d+\])?\["linear_cache"\]\[{i}\]', name) for i, name in enumerate(("A_prev", "W", "b")))
# Tolerates a small number (1e-8 or less) inside the logarithms of the cost, a misplaced epsilon in batch norm (which
# other cases check), and another order of summation in hundreds of training steps; no wrong formula comes nearly as
# close.
_COST_RTOL = _BATCHNORM_RTOL = _TRAINING_RTOL = 1e-5


def _one_argument(value):
    return (value,)


_OTHER_SIZES = "other sizes (m = 1 too) and looks whether the inputs stay as they were"
_OTHER_DEPTHS = "one layer, many layers and m = 1, and looks whether the inputs stay as they were"
_TRAINED = ("parameters", "costs")
_TRAINING = ("X", "Y", "layers_dims", "learning_rate", "num_iterations")
_OTHER_LAYER = {"n_prev": 4, "n": 3, "m": 5}

EXERCISES = (
    Exercise(1, "initialize_parameters", tc.digits_initialize_parameters_test_case, ("layer_dims",), "",
        (Case("two layers", {"layer_dims": (5, 4, 3)}), Case("three layers", {"layer_dims": (2, 4, 3, 1)})),
        "layer l leads from layer_dims[l-1] to layer_dims[l] units: randn times 0.01, and biases of zero.",
        "one layer, and many", _one_argument),
    Exercise(2, "linear_forward", tc.digits_linear_forward_test_case, ("A", "W", "b"), ("Z", "cache"),
        (Case("example"), Case("other sizes", {"seed": 31} | _OTHER_LAYER)),
        "Z = W A + b, with the product of matrices; b is added to every column. The cache is what came in.",
        _OTHER_SIZES, parts=((r"\[0\]", "A"), (r"\[1\]", "W"), (r"\[2\]", "b"))),
    Exercise(3, "relu", tc.digits_relu_test_case, ("Z",), ("A", "cache"),
        (Case("example"), Case("other sizes", {"seed": 32, "n": 4, "m": 5})),
        "an entry of Z that is negative becomes 0, every other one stays; the cache is Z as it was.",
        _OTHER_SIZES, _one_argument),
    Exercise(4, "softmax", tc.digits_softmax_test_case, ("Z",), ("A", "cache"),
        (Case("example"), Case("other sizes", {"seed": 33, "n": 4, "m": 5})),
        "every column by itself: the powers of e, divided by their sum in this column; the cache is Z as it was.",
        "very large and very small Z, " + _OTHER_SIZES, _one_argument),
    Exercise(5, "linear_activation_forward", tc.digits_linear_activation_forward_test_case,
        ("A_prev", "W", "B", "activation"), ("A", "cache"),
        (
            Case("relu", extra=("relu",)), Case("softmax", extra=("softmax",)),
            Case("other sizes, relu", {"seed": 34} | _OTHER_LAYER, ("relu",)),
            Case("other sizes, softmax", {"seed": 35} | _OTHER_LAYER, ("softmax",)),
            Case("no activation", extra=("tanh",), raises="ValueError"),
        ),
        "first Z from linear_forward, then A from the activation asked for; any other activation is a ValueError.",
        "very large Z, " + _OTHER_SIZES, parts=_DICT_PARTS),
    Exercise(6, "apply_batchnorm", tc.digits_apply_batchnorm_test_case, ("A", "epsilon"), "NA",
        (Case("example"), Case("other sizes", {"seed": 36, "n": 3, "m": 4})),
        "each unit (row) has a mean and a variance of its own; epsilon is added to the variance, under the root.",
        "another epsilon, a unit that never changes, " + _OTHER_SIZES, _one_argument, rtol=_BATCHNORM_RTOL),
    Exercise(7, "l_model_forward", tc.digits_l_model_forward_test_case,
        ("X", "parameters", "use_batchnorm"), ("AL", "caches"),
        (
            Case("example", extra=(False,)), Case("batchnorm", extra=(True,)),
            Case("other sizes", {"seed": 37, "layer_dims": (3, 5, 2), "m": 6}, (True,)),
            Case("example, by default", {"seed": 49, "layer_dims": (4, 3, 2), "m": 5}),
        ),
        "what goes into a layer is what came out of the one before; the last layer has softmax, and no batch norm.",
        _OTHER_DEPTHS, parts=_DICT_PARTS),
    Exercise(8, "compute_cost", tc.digits_compute_cost_test_case, ("AL", "Y"), "cost",
        (Case("example"), Case("other sizes", {"seed": 38, "n": 3, "m": 4})),
        "minus the logarithm of what the right class was given, averaged over the examples, which are the columns.",
        "m = 1, ten classes, probabilities of 0 and 1, and that the inputs stay as they were", rtol=_COST_RTOL),
    Exercise(9, "linear_backward", tc.digits_linear_backward_test_case, ("dZ", "cache"), ("dA_prev", "dW", "db"),
        (Case("example"), Case("other sizes", {"seed": 39} | _OTHER_LAYER)),
        "each gradient has the shape of what it belongs to; dW and db are averaged over the examples.",
        _OTHER_SIZES),
    Exercise(10, "relu_backward", tc.digits_relu_backward_test_case, ("dA", "activation_cache"), "dZ",
        (Case("example"), Case("other sizes", {"seed": 40, "n": 5, "m": 3})),
        "the gradient goes through where Z was positive, and is 0 everywhere else.",
        "Z of exactly 0, " + _OTHER_SIZES),
    Exercise(11, "softmax_backward", tc.digits_softmax_backward_test_case, ("dA", "activation_cache"), "dZ",
        (Case("example"), Case("other sizes", {"seed": 41, "n": 3, "m": 5})),
        "what comes in, AL - Y, has been through softmax already.", _OTHER_SIZES),
    Exercise(12, "linear_activation_backward", tc.digits_linear_activation_backward_test_case,
        ("dA", "cache", "activation"), ("dA_prev", "dW", "db"),
        (
            Case("relu", extra=("relu",)), Case("softmax", extra=("softmax",)),
            Case("other sizes, relu", {"seed": 43} | _OTHER_LAYER, ("relu",)),
            Case("other sizes, softmax", {"seed": 44} | _OTHER_LAYER, ("softmax",)),
            Case("no activation", extra=("tanh",), raises="ValueError"),
        ),
        "backwards the order turns round: first dZ through the activation, then the linear half.",
        _OTHER_SIZES),
    Exercise(13, "batchnorm_backward", tc.digits_batchnorm_backward_test_case, ("dNA", "A", "epsilon"), "dA",
        (Case("example"), Case("other sizes", {"seed": 45, "n": 2, "m": 7})),
        "three terms, all divided by the deviation; and every mean is taken unit by unit (row by row).",
        "another epsilon, a unit that never changes, " + _OTHER_SIZES, rtol=_BATCHNORM_RTOL),
    Exercise(14, "l_model_backward", tc.digits_l_model_backward_test_case, ("AL", "Y", "caches"), "",
        (
            Case("example"), Case("three layers", {"seed": 46, "layer_dims": (4, 5, 3, 2), "m": 6}),
            Case("batchnorm, three layers", {"seed": 46, "layer_dims": (4, 5, 3, 2), "m": 6, "batchnorm": True}),
        ),
        "layer l takes dA(l+1) and gives dAl, dWl and dbl; its cache is caches[l-1].", _OTHER_DEPTHS),
    Exercise(15, "update_parameters", tc.digits_update_parameters_test_case,
        ("parameters", "grads", "learning_rate"), "",
        (Case("example", extra=(0.1,)), Case("three layers", {"seed": 47, "layer_dims": (3, 2, 4, 1)}, (0.03,))),
        "each parameter goes a step against its own gradient; the given parameters keep their old values.",
        "other learning rates, one layer, many layers, and more entries in grads"),
    Exercise(16, "l_layer_model", tc.digits_l_layer_model_test_case,
        (*_TRAINING, "batch_size", "use_batchnorm", "l2", "patience", "initialize"), _TRAINED,
        (
            Case("example", extra=(0.1, 301, 8, True, 0.0, None)),
            Case("with a penalty", {"seed": 48, "layer_dims": (4, 5, 3), "m": 23}, (0.5, 102, 5, False, 0.05)),
            Case("early stopping", {"seed": 611, "layer_dims": (4, 5, 3), "m": 24, "random": True},
                 (0.5, 150, 8, False, 0.0, 30)),
            Case("batches of 5, by default", {"seed": 50, "layer_dims": (4, 3), "m": 17}, (0.2, 101, 5)),
        ),
        "one step takes one batch: forward, cost, backward, the penalty on every dW, the update, the validation cost.",
        "another patience, other batches, another start, and batch norm together with a penalty", rtol=_TRAINING_RTOL),
    Exercise(17, "predict", tc.digits_predict_test_case, ("X", "Y", "parameters", "use_batchnorm"), "accuracy",
        (
            Case("example", extra=(False,)), Case("batchnorm", {"seed": 6}, (True,)),
            Case("example, by default", {"seed": 48}),
        ),
        "in every column, the class with the largest probability against the class of the label; the share that agree.",
        "other sizes, one layer, many layers, and a single example"),
)  # fmt: skip
