"""What a student can run: one ``<function>_test(target)`` per exercise; those of `digits` have ``digits_`` in front.

A test calls the function on the example of the notebook and on one of another size, and compares with the
recorded outputs in ``public_tests.h5``. It says in one reading what is wrong: shapes before values, the first
wrong entry, what to look at. It prints a short table when all is well and raises ``PublicTestFailure``
otherwise; where the wrong outputs are those of a known mistake, with the hint for it. The grader uses the same pieces
(``build``, ``flatten``, ``compare``, ``likely_cause``) on other cases.
"""

import copy
import inspect
import io
import linecache
import re
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import testCases as tc
from comparison import RTOL, changed, compare, flatten, kind, likely_cause

RECORDING = Path(__file__).with_name("public_tests.h5")
KNOWN_MISTAKES = Path(__file__).with_name("public_mistakes.h5")


class PublicTestFailure(AssertionError):
    """A public test found something wrong; the message is the whole report."""

    def _render_traceback_(self):
        # IPython asks an exception for its own rendering: the report, and no frames of ours.
        return str(self).splitlines()


@dataclass(frozen=True)
class Case:
    """One call: ``make`` goes to the generator, ``extra`` to the function behind the generator's values.

    ``raises`` names the exception that is the right answer to this call; nothing is recorded then.
    """

    name: str
    make: dict = field(default_factory=dict)
    extra: tuple = ()
    raises: str = ""


@dataclass(frozen=True)
class Exercise:
    """The public half of an exercise.

    ``outputs`` names the returned values: a tuple of names, one name, or "" for a dict whose keys are the
    names; ``parts`` says what stands at which place inside them. ``inputs`` names the arguments (a call may
    leave out the last ones), and ``arrange`` turns what the generator returns into arguments. ``rtol`` is the
    relative difference that still counts as equal.
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


_LAYER_PARTS = ((r"\[0\]\[0\]", "A_prev"), (r"\[0\]\[1\]", "W"), (r"\[0\]\[2\]", "b"), (r"\[1\]", "Z"))
_DICT_PARTS = tuple((rf'(\[\d+\])?\["linear_cache"\]\[{i}\]', name) for i, name in enumerate(("A_prev", "W", "b")))
# The cost forgives a small number inside the logarithms (1e-8 or less), batch norm an epsilon that is not in its place
# (other cases see to that), and training another order of summing in hundreds of steps; no wrong formula comes nearly
# as close.
_COST_RTOL = _BATCHNORM_RTOL = _TRAINING_RTOL = 1e-5


def _one_argument(value):
    return (value,)


def _labels_last(values):
    Y, AL = values
    return AL, Y


_OTHER_SIZES = "other sizes (m = 1 too) and looks whether the inputs stay as they were"
_OTHER_DEPTHS = "one layer, many layers and m = 1, and looks whether the inputs stay as they were"
_STEP_BY_STEP = (
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
_TRAINED = ("parameters", "costs")
_TRAINING = ("X", "Y", "layers_dims", "learning_rate", "num_iterations")
_APPLICATION = (
    Exercise(1, "prepare_images", tc.prepare_images_test_case, ("images",), "X",
        (Case("example"), Case("other sizes", {"seed": 28, "height": 4, "width": 3, "m": 5})),
        "each image becomes a row of its own first, and then a column; and all numbers come to lie between 0 and 1.",
        "images of other sizes, a single image, and images of one grey", _one_argument),
    Exercise(2, "two_layer_model", tc.two_layer_model_test_case, (*_TRAINING, "print_cost"), _TRAINED,
        (
            Case("example", extra=(0.1, 201)),
            Case("other sizes", {"seed": 22, "layer_dims": (3, 5, 1), "m": 4}, (0.5, 102)),
        ),
        "every iteration starts with the parameters that the one before has made; costs has those of 0, 100, 200, ...",
        "m = 1, other rates, few and many iterations, and print_cost=True", rtol=_TRAINING_RTOL),
    Exercise(3, "L_layer_model", tc.L_layer_model_test_case, (*_TRAINING, "print_cost", "initialize"), _TRAINED,
        (
            Case("example", extra=(0.1, 201)),
            Case("one hidden layer", {"seed": 23, "layer_dims": (3, 5, 1), "m": 4}, (0.5, 102)),
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
_OTHER_LAYER = {"n_prev": 4, "n": 3, "m": 5}
_DIGITS = (
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
        ),
        "one step takes one batch: forward, cost, backward, the penalty on every dW, the update, the validation cost.",
        "another patience, other batches, another start, and batch norm together with a penalty", rtol=_TRAINING_RTOL),
    Exercise(17, "predict", tc.digits_predict_test_case, ("X", "Y", "parameters", "use_batchnorm"), "accuracy",
        (Case("example", extra=(False,)), Case("batchnorm", {"seed": 6}, (True,))),
        "in every column, the class with the largest probability against the class of the label; the share that agree.",
        "other sizes, one layer, many layers, and a single example"),
)  # fmt: skip
EXERCISES = {
    f"{assignment}/{exercise.function}": exercise
    for assignment, rows in (("step-by-step", _STEP_BY_STEP), ("application", _APPLICATION), ("digits", _DIGITS))
    for exercise in rows
}


def _tester(key):
    """The public test of an exercise: a function of the student's function."""
    assignment, _, function = key.partition("/")

    def test(target):
        _test(key, target)

    test.__name__ = test.__qualname__ = f"{'digits_' * (assignment == 'digits')}{function}_test"
    test.__doc__ = f"Exercise {EXERCISES[key].number}, {function}: {EXERCISES[key].look}"
    return test


initialize_parameters_test = _tester("step-by-step/initialize_parameters")
initialize_parameters_deep_test = _tester("step-by-step/initialize_parameters_deep")
linear_forward_test = _tester("step-by-step/linear_forward")
linear_activation_forward_test = _tester("step-by-step/linear_activation_forward")
L_model_forward_test = _tester("step-by-step/L_model_forward")
compute_cost_test = _tester("step-by-step/compute_cost")
linear_backward_test = _tester("step-by-step/linear_backward")
linear_activation_backward_test = _tester("step-by-step/linear_activation_backward")
L_model_backward_test = _tester("step-by-step/L_model_backward")
update_parameters_test = _tester("step-by-step/update_parameters")

prepare_images_test = _tester("application/prepare_images")
two_layer_model_test = _tester("application/two_layer_model")
L_layer_model_test = _tester("application/L_layer_model")
predict_test = _tester("application/predict")
mislabelled_test = _tester("application/mislabelled")

digits_initialize_parameters_test = _tester("digits/initialize_parameters")
digits_linear_forward_test = _tester("digits/linear_forward")
digits_relu_test = _tester("digits/relu")
digits_softmax_test = _tester("digits/softmax")
digits_linear_activation_forward_test = _tester("digits/linear_activation_forward")
digits_apply_batchnorm_test = _tester("digits/apply_batchnorm")
digits_l_model_forward_test = _tester("digits/l_model_forward")
digits_compute_cost_test = _tester("digits/compute_cost")
digits_linear_backward_test = _tester("digits/linear_backward")
digits_relu_backward_test = _tester("digits/relu_backward")
digits_softmax_backward_test = _tester("digits/softmax_backward")
digits_linear_activation_backward_test = _tester("digits/linear_activation_backward")
digits_batchnorm_backward_test = _tester("digits/batchnorm_backward")
digits_l_model_backward_test = _tester("digits/l_model_backward")
digits_update_parameters_test = _tester("digits/update_parameters")
digits_l_layer_model_test = _tester("digits/l_layer_model")
digits_predict_test = _tester("digits/predict")
__all__ = [name for name in dir() if name.endswith("_test")]


# --- pieces that the grader shares ------------------------------------------------------------------------


def build(exercise, case):
    """The arguments of one call, new arrays each time."""
    return (*exercise.arrange(exercise.generator(**case.make)), *case.extra)


def inputs(exercise, args):
    """The arguments of one call, flattened with their names."""
    return flatten(args, exercise.inputs[: len(args)])


def sizes(exercise, case):
    """Every argument of the generator for this case, defaults filled in: seed, m, layer_dims, ..."""
    bound = inspect.signature(exercise.generator).bind(**case.make)
    bound.apply_defaults()
    return bound.arguments


def describe(exercise, case):
    """Seed and sizes of a case in words: ``seed 1 · 5 → 3 units · 4 examples``."""
    size = sizes(exercise, case)
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
    return " · ".join([*words, *map(_in_words, exercise.inputs[_given(exercise, case) :], case.extra)])


def _given(exercise, case):
    """How many arguments the generator gives; the extra ones come behind them."""
    return len(build(exercise, case)) - len(case.extra)


def _in_words(name, value):
    return value if isinstance(value, str) else f"{name} {getattr(value, '__name__', value)}"


def _quoted(name, value):
    return repr(value) if isinstance(value, str) else f"{name}={value}"


def recorded(path, key, case_name):
    """The recorded outputs of one case as ``{name: array}``, from a file that ``coursekit record`` wrote."""
    import h5py  # here, because most uses of this module never open the file

    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not beside {path.stem}.py")
    with h5py.File(path, "r") as file:
        group = file[f"{key}/{case_name}"]
        names = sorted(group, key=lambda name: group[name].attrs["position"])
        return {name: np.asarray(group[name][()]) for name in names}


# --- one call -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """A call of a student's function: the arguments as they are afterwards, and as they were, flattened; what came."""

    args: tuple
    before: dict
    result: object = None
    error: BaseException | None = None


def call(exercise, case, target):
    """The function called on one case; whatever it raises is kept."""
    args = build(exercise, case)
    before = inputs(exercise, copy.deepcopy(args))
    try:
        return Call(args, before, target(*args))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        return Call(args, before, error=error)


def call_quietly(exercise, case, target):
    """The same, and nothing that the function prints or warns of is seen."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(exercise, case, target)


def outcome(exercise, target, made):
    """What a call gave, as known mistakes are recorded."""
    from known_mistakes import Outcome, assigned, sign

    if made.error is not None:
        raised, frames = type(made.error).__name__, student_frames(made.error, target)
        line = frames[-1][2] if frames else ""
        return Outcome(raised=raised, sign=sign(raised, str(made.error)), at=assigned(line))
    got = flatten(made.result, exercise.outputs)
    spoilt = tuple(changed(made.before, inputs(exercise, made.args)))
    return Outcome(got, spoilt, own=any(made.result is arg for arg in made.args))


def draws_anew(exercise, case, target):
    """Whether the function gives other numbers when the notebook has drawn other random numbers before."""
    results = []
    for seed in (1, 2):
        np.random.seed(seed)
        results.append(call_quietly(exercise, case, target))
        if np.random.get_state()[1][0] == seed:
            return False  # nothing was drawn since
    one, other = (flatten(made.result, exercise.outputs) for made in results)
    return any(
        not np.array_equal(leaf, other.get(path), equal_nan=True)
        for path, leaf in one.items()
        if isinstance(leaf, np.ndarray)
    )


# --- one test -----------------------------------------------------------------------------------------------


def _test(key, target):
    exercise = EXERCISES[key]
    if not callable(target):
        raise PublicTestFailure(f"{exercise.function} should be a function, yours is {kind(target)}.")
    state = np.random.get_state()
    calls, reports = {}, []
    try:
        for case in exercise.cases:
            expected = {} if case.raises else _expected(key, case)
            calls[case.name] = call(exercise, case, target)
            reports.append(_report(key, case, target, expected, calls))
    finally:
        np.random.set_state(state)
    print("\n".join([*reports, f"Right on these examples. Grading also tries {exercise.also}."]))


def _report(key, case, target, expected, calls):
    """The table of one case, or PublicTestFailure with all that there is to say about it."""
    exercise, made = EXERCISES[key], calls[case.name]
    title = f"{exercise.function}    {describe(exercise, case)}"
    if made.error is not None:
        if case.raises in (sort.__name__ for sort in type(made.error).__mro__):
            return f"{title}\n  {case.raises}, as it should be  ok"
        given = exercise.inputs[: len(made.args)]
        hint = "" if _is_stub(made.error) else _hint(key, case, target, calls)
        raise PublicTestFailure("\n".join([title, *_explain(made.error, exercise, target, given, hint)])) from None
    if case.raises:
        said = f"  Your function should raise a {case.raises}; it returns {kind(made.result)}."
        advice = _hint(key, case, target, calls) or f"Look again: {exercise.look}"
        raise PublicTestFailure("\n".join([title, said, advice]))
    got = flatten(made.result, exercise.outputs)
    findings = compare(expected, got, rtol=exercise.rtol)
    report = [title, *_rows(findings, exercise)]
    names = changed(made.before, inputs(exercise, made.args))
    spoilt = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    wrong = [finding for finding in findings if finding.problem]
    if wrong:
        worst = next((finding for finding in wrong if finding.index is None), wrong[0])  # shapes before values
        cause = likely_cause(worst, expected, got, made.before, sizes(exercise, case).get("m"))
        also = f"Your function also changes its own input: {spoilt}." if spoilt else ""
        cause = _other_case(key, exercise, case, got) or cause
        hint = _hint(key, case, target, calls)
        # a known mistake says more than a cause that fits the numbers, and that more than a reminder
        advice = [_only_fact(cause), hint] if hint else [cause or f"Look again: {exercise.look}"]
        raise PublicTestFailure("\n".join([*report, *filter(None, [*advice, also])]))
    if spoilt:
        same = any(made.result is arg for arg in made.args)
        hint = _hint(key, case, target, calls)
        text = f"{_SPOILT}\n{hint}" if hint else f"{_SPOILT}\n{_SAME if same else _CHANGED}"
        raise PublicTestFailure("\n".join([*report, text.format(inputs=spoilt)]))
    return "\n".join(report)


def _hint(key, case, target, calls):
    """The hint of the known mistake that gives what this function gives, in every case; "" if there is none.

    The cases that have not been tried yet are tried only while some mistake fits.
    """
    exercise = EXERCISES[key]
    try:
        from known_mistakes import VARIES, read

        known = read(KNOWN_MISTAKES, key)
    except Exception:  # without the file, or with a damaged one, there are no hints; the report is the same
        return ""
    seen = {name: outcome(exercise, target, made) for name, made in calls.items()}
    for other in (case, *(other for other in exercise.cases if other.name not in seen)):
        if other.name not in seen:
            seen[other.name] = outcome(exercise, target, call_quietly(exercise, other, target))
        if any(one.cases[other.name].tells == VARIES for one in known if other.name in one.cases):
            seen[other.name] = replace(seen[other.name], varies=draws_anew(exercise, other, target))
        known = [one for one in known if one.agrees(seen, exercise.rtol)]
        if not known:
            return ""
    return next((f"Hint: {one.hint}" for one in known if one.fits(seen, exercise.rtol)), "")


def _only_fact(cause):
    """The part of a cause that says what is so, without the question or the advice that follows."""
    return re.split(r"[:;.?] ", cause)[0].rstrip(".:;?") + "." if cause else ""


def _expected(key, case):
    try:
        return recorded(RECORDING, key, case.name)
    except FileNotFoundError as error:
        problem = f"{error}"
    except (OSError, KeyError):
        problem = f"{RECORDING.name} is damaged, or does not belong to this {RECORDING.stem}.py"
    raise PublicTestFailure(
        f"This test cannot run: {problem}. Your function has not been looked at.\n"
        f"Copy both files into this folder again, as you got them with the assignment."
    )


_SPOILT = "The values are right, but your function changed its own input: {inputs}."
_SAME = """\
It returns the very object that came in: = gives a thing a second name, it does not copy it. Begin with a new one."""
_CHANGED = """\
Whoever called it still needs the old numbers. x = x - y makes a new array; x -= y and x[...] = y write into
the old one, and dict.copy() shares the arrays in the dict."""


def _other_case(key, exercise, case, got):
    """A remark when the outputs are the right ones of the same example with another activation."""
    for other in exercise.cases:
        if other.make == case.make and other.extra != case.extra and not other.raises:
            findings = compare(_expected(key, other), got, rtol=exercise.rtol)
            if not any(finding.problem for finding in findings):
                asked, found = (_quoted(exercise.inputs[-1], one.extra[-1]) for one in (case, other))
                return f"These are the right numbers for {found}, but {asked} was asked for."
    return ""


# --- the table ----------------------------------------------------------------------------------------------

MAX_WRONG_ROWS = 9


def _rows(findings, exercise):
    """One line per output; where there are many, right ones of the same output share a line."""
    if findings[0].path == "":
        return [f"  Your function {findings[0].problem}."]
    rows = []
    for name in dict.fromkeys(finding.path.partition("[")[0] for finding in findings):
        group = [finding for finding in findings if finding.path.partition("[")[0] == name]
        right = [finding for finding in group if not finding.problem]
        if len(findings) > 9 and len(right) > 1:
            largest = max(finding.largest for finding in right)
            rows.append((f"{name} ({len(right)} of {len(group)})", "", _right(largest)))
            group = [finding for finding in group if finding.problem]
        rows += [_row(finding, exercise) for finding in group]
    wrong = [row for row in rows if not row[2].endswith("ok")]
    spare = wrong[MAX_WRONG_ROWS:]
    rows = [row for row in rows if row not in spare]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {name:{widths[0]}}  {shape:{widths[1]}}  {text}".rstrip() for name, shape, text in rows]
    return lines + ([f"  and {len(spare)} more that are wrong"] if spare else [])


def _row(finding, exercise):
    """The three columns of the table for one output: its name, its shape, how it compares."""
    part = next((name for place, name in exercise.parts if re.fullmatch(r"\w+" + place, finding.path)), "")
    name = f"{finding.path} ({part})" if part else finding.path
    shape = str(finding.shape) if finding.shape else ""
    if not finding.problem:
        return name, shape, _right(finding.largest)
    if finding.index is None:
        return name, shape, finding.problem
    values = f"{finding.entry} should be {finding.want:.6g}, yours is {finding.have:.6g}"
    return name, shape, f"{finding.problem:22}  {values}"


def _right(largest):
    return f"largest difference {f'{largest:.1e}' if largest else '0':8} ok"


# --- exceptions of the student's ----------------------------------------------------------------------------

# What a type of exception means, told by a piece of its message; the first row that fits speaks.
_MEANING = (
    (UnboundLocalError, "", "That name is used before it has a value: is it misspelt, or set only in a branch that did"
     " not run?"),
    (NameError, "", "Python knows no such name here: is it misspelt, or does it belong to another cell?"),
    (KeyError, "{", "The braces stand in the key as they are: is there an f in front of the quotes?"),
    (KeyError, "", "The dict has no such key: compare with the keys that it has, and count the layers."),
    (IndexError, "list index", "The list is shorter than that: lists count from 0, layers from 1."),
    (TypeError, "as a data type", "np.zeros takes the whole shape as one argument, in brackets of its own."),
    (TypeError, "'tuple' object cannot be interp", "np.random.randn takes rows and columns, not a tuple of them."),
    (TypeError, "bitwise_xor", "In Python ^ is no power: two stars are."),
    (TypeError, "'NoneType'", "Something there is None: does every function that you call return its value?"),
    (ValueError, "truth value", "A question about an array has one answer per entry; `if` and max() take only one."),
    (ValueError, "to unpack", "There are not as many names on the left as there are values on the right."),
    (ValueError, "inhomogeneous", "A tuple or a list stands where an array is needed: unpack it first."),
    (ValueError, "broadcast", "Entry by entry (+ - * /) these shapes do not fit; the product of matrices is @."),
    (ValueError, "aligned", "In a product the left factor needs as many columns as the right one has rows."),
    (RecursionError, "", "The function calls itself again and again."),
    (SystemExit, "", "exit() and quit() end the kernel: leave them out."),
)  # fmt: skip
_MATMUL = re.compile(r"(ValueError: matmul: .*?), with gufunc signature .*\(size (\d+) is different from (\d+)\)")


def _is_stub(error):
    return isinstance(error, NotImplementedError) and str(error).startswith("Exercise")


def _explain(error, exercise, target, given, hint):
    """An exception inside the student's function, told as the student's: what, and at which line of what."""
    message = " ".join(str(error).split())[:300]
    if _is_stub(error):
        if message.endswith(exercise.function):
            frames = student_frames(error, target)
            place = f" It stops at line {frames[-1][1]} of its cell." if frames else ""
            return [f"{message} is not written yet, or not all of it.{place}", _REPLACE]
        return [f"This needs a function that is not written yet: {message}. Write that one first."]
    if isinstance(error, KeyboardInterrupt):
        name, number, text = (student_frames(error, target) or [(exercise.function, "?", "")])[-1]
        return [f"Interrupted in {name}, line {number}:   {text}", "Is there a loop without an end?"]
    what = f"{type(error).__name__}: {message}" if message else type(error).__name__
    frames = student_frames(error, target)
    if not frames:
        said = f"Calling your function with ({', '.join(given)}) failed with {what}"
        return [said, hint or _KEEP_FIRST_LINE]
    meaning = next((words for sort, part, words in _MEANING if isinstance(error, sort) and part in message), "")
    look = f"Look again: {exercise.look}" if isinstance(error, ValueError | IndexError | KeyError) else ""
    advice = [hint] if hint else [meaning, look]
    if matmul := _MATMUL.search(what):
        what = f"{matmul[1]} (size {matmul[2]} is different from {matmul[3]})"
        left, right = matmul[3], matmul[2]
        meaning = (
            f"In a product with @ the left factor's columns ({left}) must be as many as the right one's rows ({right})."
        )
        advice = [meaning, hint or look]  # here the meaning holds the student's own sizes
    lines = [f"Your function stopped with {what}"]
    for name, number, text in frames[-3:]:
        lines.append(f"  in {name}, line {number}" + (f":   {text}" if text else ""))
    return [*lines, *filter(None, advice)]


_REPLACE = "Put your own code in place of every line with `raise`."
_KEEP_FIRST_LINE = "Keep the first line of the function as it was given."


def student_frames(error, target):
    """(function, line, text) of the frames that belong to the notebook, outermost first."""
    own = getattr(inspect.unwrap(target), "__globals__", None)
    frames, step = [], error.__traceback__ and error.__traceback__.tb_next  # the first frame is ours
    while step is not None:
        code, number, namespace = step.tb_frame.f_code, step.tb_lineno, step.tb_frame.f_globals
        if namespace is own or "__file__" not in namespace:  # what a notebook defines comes from no file
            frames.append((code.co_name, number, linecache.getline(code.co_filename, number).strip()))
        step = step.tb_next
    return frames
