"""What a student can run: one ``<function>_test(target)`` per exercise.

A test calls the function on the example of the notebook and on one of another size, and compares with the
recorded outputs in ``public_tests.h5``. It says in one reading what is wrong: shapes before values, the first
wrong entry, what to look at. It prints a short table when all is well and raises ``PublicTestFailure``
otherwise. The grader uses the same pieces (``build``, ``flatten``, ``compare``, ``likely_cause``) on other
cases.
"""

import copy
import inspect
import linecache
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import testCases as tc
from comparison import RTOL, changed, compare, flatten, kind, likely_cause

__all__ = [
    "L_model_backward_test",
    "L_model_forward_test",
    "compute_cost_test",
    "initialize_parameters_deep_test",
    "initialize_parameters_test",
    "linear_activation_backward_test",
    "linear_activation_forward_test",
    "linear_backward_test",
    "linear_forward_test",
    "update_parameters_test",
]

RECORDING = Path(__file__).with_name("public_tests.h5")


class PublicTestFailure(AssertionError):
    """A public test found something wrong; the message is the whole report."""

    def _render_traceback_(self):
        # IPython asks an exception for its own rendering: the report, and no frames of ours.
        return str(self).splitlines()


@dataclass(frozen=True)
class Case:
    """One call: ``make`` goes to the generator, ``extra`` to the function behind the generator's values."""

    name: str
    make: dict = field(default_factory=dict)
    extra: tuple = ()


@dataclass(frozen=True)
class Exercise:
    """The public half of an exercise.

    ``outputs`` names the returned values: a tuple of names, one name, or "" for a dict whose keys are the
    names; ``parts`` says what stands at which place inside them. ``inputs`` names the arguments, and
    ``arrange`` turns what the generator returns into arguments. ``rtol`` is the relative difference that
    still counts as equal.
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
# The cost forgives a small number inside the logarithms (1e-8 or less); no wrong formula comes nearly as
# close.
_COST_RTOL = 1e-5


def _one_argument(value):
    return (value,)


def _labels_last(values):
    Y, AL = values
    return AL, Y


_OTHER_SIZES = "other sizes (m = 1 too) and looks whether the inputs stay as they were"
EXERCISES = {
    f"step-by-step/{exercise.function}": exercise
    for exercise in (
        Exercise(
            1, "initialize_parameters", tc.initialize_parameters_test_case, ("n_x", "n_h", "n_y"), "",
            (Case("example"), Case("other sizes", {"n_x": 4, "n_h": 5, "n_y": 2})),
            "W1 is drawn before W2, each by randn and times 0.01; the biases are columns of zeros.",
            "other sizes",
        ),
        Exercise(
            2, "initialize_parameters_deep", tc.initialize_parameters_deep_test_case, ("layer_dims",), "",
            (Case("example"), Case("more layers", {"layer_dims": (2, 4, 3, 1)})),
            "layer l leads from layer_dims[l-1] to layer_dims[l] units: randn times 0.01, and biases of zero.",
            "one layer, and many",
            _one_argument,
        ),
        Exercise(
            3, "linear_forward", tc.linear_forward_test_case, ("A", "W", "b"), ("Z", "cache"),
            (Case("example"), Case("other sizes", {"seed": 11, "n_prev": 4, "n": 3, "m": 5})),
            "Z = W A + b, with the product of matrices; b is added to every column.",
            _OTHER_SIZES,
            parts=((r"\[0\]", "A"), (r"\[1\]", "W"), (r"\[2\]", "b")),
        ),
        Exercise(
            4, "linear_activation_forward", tc.linear_activation_forward_test_case,
            ("A_prev", "W", "b", "activation"), ("A", "cache"),
            (
                Case("sigmoid", extra=("sigmoid",)),
                Case("relu", extra=("relu",)),
                Case("sigmoid, other sizes", {"seed": 12, "n_prev": 4, "n": 3, "m": 5}, ("sigmoid",)),
                Case("relu, other sizes", {"seed": 13, "n_prev": 4, "n": 3, "m": 5}, ("relu",)),
            ),
            "first Z from linear_forward, then A from the activation asked for; each returns a cache.",
            "very large Z, " + _OTHER_SIZES,
            parts=_LAYER_PARTS,
        ),
        Exercise(
            5, "L_model_forward", tc.L_model_forward_test_case_2hidden, ("X", "parameters"), ("AL", "caches"),
            (Case("example"), Case("one hidden layer", {"seed": 14, "layer_dims": (3, 4, 1), "m": 5})),
            "what goes into a layer is what came out of the one before; only the last layer has a sigmoid.",
            "one layer, many layers and m = 1, and looks whether the inputs stay as they were",
            parts=tuple((r"\[\d+\]" + place, name) for place, name in _LAYER_PARTS),
        ),
        Exercise(
            6, "compute_cost", tc.compute_cost_test_case, ("AL", "Y"), "cost",
            (Case("example"), Case("seven examples", {"seed": 15, "m": 7})),
            "two terms per example, one for label 1, one for label 0; the sum over all is divided by -m.",
            "m = 1, many examples, probabilities close to 0 and 1, and that the inputs stay as they were",
            _labels_last,
            rtol=_COST_RTOL,
        ),
        Exercise(
            7, "linear_backward", tc.linear_backward_test_case, ("dZ", "cache"), ("dA_prev", "dW", "db"),
            (Case("example"), Case("other sizes", {"seed": 16, "n_prev": 2, "n": 4, "m": 3})),
            "each gradient has the shape of what it belongs to; dW and db are averaged over the examples.",
            _OTHER_SIZES,
        ),
        Exercise(
            8, "linear_activation_backward", tc.linear_activation_backward_test_case,
            ("dA", "cache", "activation"), ("dA_prev", "dW", "db"),
            (
                Case("sigmoid", extra=("sigmoid",)),
                Case("relu", extra=("relu",)),
                Case("sigmoid, other sizes", {"seed": 17, "n_prev": 4, "n": 3, "m": 5}, ("sigmoid",)),
                Case("relu, other sizes", {"seed": 18, "n_prev": 4, "n": 3, "m": 5}, ("relu",)),
            ),
            "backwards the order turns round: first dZ through the activation, then the linear half.",
            _OTHER_SIZES,
        ),
        Exercise(
            9, "L_model_backward", tc.L_model_backward_test_case, ("AL", "Y", "caches"), "",
            (Case("example"), Case("three layers", {"seed": 19, "layer_dims": (3, 4, 2, 1), "m": 5})),
            "layer l is fed with dAl and gives dA(l-1), dWl and dbl; its cache is caches[l-1].",
            "one layer, many layers and m = 1, and looks whether the inputs stay as they were",
        ),
        Exercise(
            10, "update_parameters", tc.update_parameters_test_case, ("params", "grads", "learning_rate"), "",
            (
                Case("example", extra=(0.1,)),
                Case("three layers", {"seed": 20, "layer_dims": (3, 2, 4, 1)}, (0.03,)),
            ),
            "each parameter goes a step against its own gradient; the given params keep their old values.",
            "other learning rates, one layer, many layers, and more entries in grads",
        ),
    )
}  # fmt: skip


def initialize_parameters_test(target):
    """Exercise 1: the weights and biases of a network with one hidden layer."""
    _test("step-by-step/initialize_parameters", target)


def initialize_parameters_deep_test(target):
    """Exercise 2: the weights and biases of a network of any depth."""
    _test("step-by-step/initialize_parameters_deep", target)


def linear_forward_test(target):
    """Exercise 3: Z and the cache of the linear half of a layer."""
    _test("step-by-step/linear_forward", target)


def linear_activation_forward_test(target):
    """Exercise 4: A and the caches of a whole layer, with both activations."""
    _test("step-by-step/linear_activation_forward", target)


def L_model_forward_test(target):
    """Exercise 5: the predictions and the caches of the whole network."""
    _test("step-by-step/L_model_forward", target)


def compute_cost_test(target):
    """Exercise 6: the cross-entropy as one number."""
    _test("step-by-step/compute_cost", target)


def linear_backward_test(target):
    """Exercise 7: the three gradients of the linear half of a layer."""
    _test("step-by-step/linear_backward", target)


def linear_activation_backward_test(target):
    """Exercise 8: the three gradients of a whole layer, with both activations."""
    _test("step-by-step/linear_activation_backward", target)


def L_model_backward_test(target):
    """Exercise 9: every gradient of the whole network."""
    _test("step-by-step/L_model_backward", target)


def update_parameters_test(target):
    """Exercise 10: one step of gradient descent that leaves the given parameters alone."""
    _test("step-by-step/update_parameters", target)


# --- pieces that the grader shares ------------------------------------------------------------------------


def build(exercise, case):
    """The arguments of one call, new arrays each time."""
    return (*exercise.arrange(exercise.generator(**case.make)), *case.extra)


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
        words.append(f"{size['n_prev']} → {size['n']} unit{'s' * (size['n'] != 1)}")
    if size.get("m"):
        words.append(f"{size['m']} example{'s' * (size['m'] != 1)}")
    for name, value in zip(exercise.inputs[::-1], case.extra[::-1], strict=False):
        words.append(value if isinstance(value, str) else f"{name} {value}")
    return " · ".join(words)


def recorded(path, key, case_name):
    """The recorded outputs of one case as ``{name: array}``, from a file that ``coursekit record`` wrote."""
    import h5py  # here, because most uses of this module never open the file

    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is not beside {path.stem}.py")
    with h5py.File(path, "r") as file:
        group = file[f"{key}/{case_name}"]
        names = sorted(group, key=lambda name: group[name].attrs["position"])
        return {name: np.asarray(group[name][()]) for name in names}


# --- one test -----------------------------------------------------------------------------------------------


def _test(key, target):
    exercise = EXERCISES[key]
    if not callable(target):
        raise PublicTestFailure(f"{exercise.function} should be a function, yours is {kind(target)}.")
    state = np.random.get_state()
    try:
        reports = [_try(key, exercise, case, target) for case in exercise.cases]
    finally:
        np.random.set_state(state)
    print("\n".join([*reports, f"Right on these examples. Grading also tries {exercise.also}."]))


def _try(key, exercise, case, target):
    """The table of one case, or PublicTestFailure with all that there is to say about it."""
    title = f"{exercise.function}    {describe(exercise, case)}"
    expected = _expected(key, case)
    args = build(exercise, case)
    before = flatten(copy.deepcopy(args), exercise.inputs)
    try:
        result = target(*args)
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        raise PublicTestFailure("\n".join([title, *_explain(error, exercise, target)])) from None
    got = flatten(result, exercise.outputs)
    findings = compare(expected, got, rtol=exercise.rtol)
    report = [title, *_rows(findings, exercise)]
    names = changed(before, flatten(args, exercise.inputs))
    inputs = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    wrong = [finding for finding in findings if finding.problem]
    if wrong:
        worst = next((finding for finding in wrong if finding.index is None), wrong[0])  # shapes before values
        cause = likely_cause(worst, expected, got, before, sizes(exercise, case).get("m"))
        also = f"Your function also changes its own input: {inputs}." if inputs else ""
        known = _other_case(key, exercise, case, got) or cause
        advice = [known or f"Look again: {exercise.look}", also]  # a known cause says more than a reminder
        raise PublicTestFailure("\n".join([*report, *filter(None, advice)]))
    if inputs:
        same = any(result is arg for arg in args)
        raise PublicTestFailure("\n".join([*report, (_SAME if same else _CHANGED).format(inputs=inputs)]))
    return "\n".join(report)


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


_SAME = """\
The values are right, but your function changed its own input: {inputs}.
It returns the very object that came in: = gives a thing a second name, it does not copy it. Begin with a new one."""
_CHANGED = """\
The values are right, but your function changed its own input: {inputs}.
Whoever called it still needs the old numbers. x = x - y makes a new array; x -= y and x[...] = y write into
the old one, and dict.copy() shares the arrays in the dict."""


def _other_case(key, exercise, case, got):
    """A remark when the outputs are the right ones of the same example with another activation."""
    for other in exercise.cases:
        if other.make == case.make and other.extra != case.extra:
            findings = compare(_expected(key, other), got, rtol=exercise.rtol)
            if not any(finding.problem for finding in findings):
                asked, found = case.extra[-1], other.extra[-1]
                return f"These are the right numbers for {found!r}, but {asked!r} was asked for."
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
    (
        UnboundLocalError,
        "",
        "That name is used before it has a value: is it misspelt, or set only in a branch that did not run?",
    ),
    (NameError, "", "Python knows no such name here: is it misspelt, or does it belong to another cell?"),
    (KeyError, "{", "The braces stand in the key as they are: is there an f in front of the quotes?"),
    (KeyError, "", "The dict has no such key: compare with the keys that it has, and count the layers."),
    (IndexError, "list index", "The list is shorter than that: lists count from 0, layers from 1."),
    (TypeError, "as a data type", "np.zeros takes the whole shape as one argument, in brackets of its own."),
    (
        TypeError,
        "'tuple' object cannot be interp",
        "np.random.randn takes rows and columns, not a tuple of them.",
    ),
    (TypeError, "'NoneType'", "Something there is None: does every function that you call return its value?"),
    (ValueError, "to unpack", "There are not as many names on the left as there are values on the right."),
    (ValueError, "inhomogeneous", "A tuple or a list stands where an array is needed: unpack it first."),
    (
        ValueError,
        "broadcast",
        "Entry by entry (+ - * /) these shapes do not fit; the product of matrices is @.",
    ),
    (ValueError, "aligned", "In a product the left factor needs as many columns as the right one has rows."),
    (RecursionError, "", "The function calls itself again and again."),
    (SystemExit, "", "exit() and quit() end the kernel: leave them out."),
)
_MATMUL = re.compile(r"(ValueError: matmul: .*?), with gufunc signature .*\(size (\d+) is different from (\d+)\)")


def _explain(error, exercise, target):
    """An exception inside the student's function, told as the student's: what, and at which line of what."""
    message = " ".join(str(error).split())[:300]
    if isinstance(error, NotImplementedError) and message.startswith("Exercise"):
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
        given = ", ".join(exercise.inputs)
        return [f"Calling your function with ({given}) failed with {what}", _KEEP_FIRST_LINE]
    meaning = next((words for sort, part, words in _MEANING if isinstance(error, sort) and part in message), "")
    if matmul := _MATMUL.search(what):
        what = f"{matmul[1]} (size {matmul[2]} is different from {matmul[3]})"
        left, right = matmul[3], matmul[2]
        meaning = (
            f"In a product with @ the left factor's columns ({left}) must be as many as the right one's rows ({right})."
        )
    lines = [f"Your function stopped with {what}"]
    for name, number, text in frames[-3:]:
        lines.append(f"  in {name}, line {number}" + (f":   {text}" if text else ""))
    look = f"Look again: {exercise.look}" if isinstance(error, ValueError | IndexError | KeyError) else ""
    return [*lines, *filter(None, [meaning, look])]


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
