"""What a student can run: one ``<function>_test(target)`` per exercise.

A test calls the function on the example of the notebook and on one of another size, and compares with the recorded
outputs in ``public_tests.h5``. It says in one reading what is wrong: shapes before values, the first wrong entry,
what to look at. It prints a short table when all is well and raises ``PublicTestFailure`` otherwise.
The grader uses the same pieces (``build``, ``flatten``, ``compare``, ``likely_cause``) on other cases.
"""

import copy
import inspect
import linecache
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import testCases as tc
from comparison import Finding, compare, flatten, kind, likely_cause

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

    ``outputs`` names the returned values: a tuple of names, one name, or "" for a dict whose keys are the names.
    ``inputs`` names the arguments; ``arrange`` turns what the generator returns into arguments.
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


def _one_argument(value):
    return (value,)


def _labels_last(values):
    Y, AL = values
    return AL, Y


_OTHER_SIZES = "other sizes (m = 1 too), and that the inputs stay as they were"
EXERCISES = {
    f"step-by-step/{exercise.function}": exercise
    for exercise in (
        Exercise(
            1, "initialize_parameters", tc.initialize_parameters_test_case, ("n_x", "n_h", "n_y"), "",
            (Case("example"), Case("other sizes", {"n_x": 4, "n_h": 5, "n_y": 2})),
            "W1 leads from the n_x inputs to the n_h hidden units: it has one row per unit that it leads to.",
            "other sizes",
        ),
        Exercise(
            2, "initialize_parameters_deep", tc.initialize_parameters_deep_test_case, ("layer_dims",), "",
            (Case("example"), Case("more layers", {"layer_dims": (2, 4, 3, 1)})),
            "layer l leads from layer_dims[l-1] units to layer_dims[l] units, for every l from 1 to the last one.",
            "one layer, and many",
            _one_argument,
        ),
        Exercise(
            3, "linear_forward", tc.linear_forward_test_case, ("A", "W", "b"), ("Z", "cache"),
            (Case("example"), Case("other sizes", {"seed": 11, "n_prev": 4, "n": 3, "m": 5})),
            "Z = W A + b, with the product of matrices; b is added to every column.",
            _OTHER_SIZES,
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
            "first Z from linear_forward, then A from the activation that was asked for; each of them returns a cache.",
            _OTHER_SIZES + ", and very large Z",
        ),
        Exercise(
            5, "L_model_forward", tc.L_model_forward_test_case_2hidden, ("X", "parameters"), ("AL", "caches"),
            (Case("example"), Case("one hidden layer", {"seed": 14, "layer_dims": (3, 4, 1), "m": 5})),
            "what goes into a layer is what came out of the layer before; the last layer is the only one with a sigmoid.",
            "one layer, many layers, m = 1, and that the inputs stay as they were",
        ),
        Exercise(
            6, "compute_cost", tc.compute_cost_test_case, ("AL", "Y"), "cost",
            (Case("example"), Case("seven examples", {"seed": 15, "m": 7})),
            "two terms per example, one for label 1 and one for label 0; their sum over the examples is divided by -m.",
            "other numbers of examples (m = 1 too), probabilities close to 0 and 1, and that the inputs stay as they were",
            _labels_last,
        ),
        Exercise(
            7, "linear_backward", tc.linear_backward_test_case, ("dZ", "cache"), ("dA_prev", "dW", "db"),
            (Case("example"), Case("other sizes", {"seed": 16, "n_prev": 2, "n": 4, "m": 3})),
            "every gradient has the shape of the thing it belongs to; dW and db are averaged over the examples.",
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
            "backwards the order turns round: first dZ through the activation, then the rest through linear_backward.",
            _OTHER_SIZES,
        ),
        Exercise(
            9, "L_model_backward", tc.L_model_backward_test_case, ("AL", "Y", "caches"), "",
            (Case("example"), Case("three layers", {"seed": 19, "layer_dims": (3, 4, 2, 1), "m": 5})),
            "layer l is fed with dAl and gives dA(l-1), dWl and dbl; its cache is caches[l-1].",
            "one layer, many layers, m = 1, and that the inputs stay as they were",
        ),
        Exercise(
            10, "update_parameters", tc.update_parameters_test_case, ("params", "grads", "learning_rate"), "",
            (Case("example", extra=(0.1,)), Case("three layers", {"seed": 20, "layer_dims": (3, 2, 4, 1)}, (0.03,))),
            "every parameter goes one step against its own gradient; the given params must keep their old values.",
            "other learning rates, one layer, and many",
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


# --- pieces that the grader shares ----------------------------------------------------------------------------------


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
    if "m" in size:
        words.append(f"{size['m']} example{'s' * (size['m'] != 1)}")
    return " · ".join(words + [str(value) for value in case.extra])


def recorded(path, key, case_name):
    """The recorded outputs of one case as ``{name: array}``, from an HDF5 file that ``coursekit record`` wrote."""
    import h5py  # here, because most uses of this module never open the file

    if not path.is_file():
        raise FileNotFoundError(f"{path.name}: not found beside {path.stem}.py; copy it from the release of the assignment")
    with h5py.File(path, "r") as file:
        group = file[f"{key}/{case_name}"]
        return {name: group[name][()] for name in sorted(group, key=lambda name: group[name].attrs["position"])}


def _test(key, target):
    exercise = EXERCISES[key]
    state = np.random.get_state()
    try:
        reports = [_try(key, exercise, case, target) for case in exercise.cases]
    finally:
        np.random.set_state(state)
    print("\n".join(reports))
    print(f"Right on {'this example' if len(reports) == 1 else 'these examples'}. Grading also tries {exercise.also}.")


def _try(key, exercise, case, target):
    if not callable(target):
        raise PublicTestFailure(f"{exercise.function} should be a function, yours is {kind(target)}.") from None
    title = f"{exercise.function}    {describe(exercise, case)}"
    args = build(exercise, case)
    before = flatten(copy.deepcopy(args), exercise.inputs)
    try:
        result = target(*args)
    except Exception as error:
        raise PublicTestFailure(f"{title}\n{_explain(error, exercise, target)}") from None
    got, expected = flatten(result, exercise.outputs), recorded(RECORDING, key, case.name)
    findings = compare(expected, got)
    rows = [_row(finding) for finding in _shown(findings)]
    wrong = [finding for finding in findings if finding.problem]
    if wrong:
        cause = likely_cause(wrong[0], expected, got, args, sizes(exercise, case).get("m"))
        advice = [line for line in (cause, f"Look again: {exercise.look}") if line]
        raise PublicTestFailure("\n".join([title, *rows, *advice]))
    after = flatten(args, exercise.inputs)
    changed = [finding.path for finding in compare(_arrays(before), after) if finding.problem]
    if changed:
        raise PublicTestFailure("\n".join([title, *rows, _changed(changed)]))
    return "\n".join([title, *rows])


def _arrays(flat):
    return {path: leaf for path, leaf in flat.items() if isinstance(leaf, np.ndarray)}


def _changed(names):
    return (
        f"The values are right, but your function changed its own input: {', '.join(names)}.\n"
        "Whoever called it still needs the old numbers. A new array (x = x - y) leaves the input alone; "
        "x -= y and x[...] = y write into it, and dict.copy() copies the dict but not the arrays in it."
    )


def _shown(findings):
    """Rows worth a line: every wrong one, and right ones unless there are many of the same output."""
    wrong = [finding for finding in findings if finding.problem]
    if len(findings) <= 8:
        return findings
    right = {}
    for finding in findings:
        if not finding.problem:
            right.setdefault(finding.path.partition("[")[0], []).append(finding)
    merged = [
        group[0] if len(group) == 1 else Finding(f"{name}: {len(group)} arrays", (), max(f.largest for f in group))
        for name, group in right.items()
    ]
    return merged + wrong[:4]


def _row(finding):
    shape = str(finding.shape) if finding.shape else ""
    if not finding.problem:
        largest = f"{finding.largest:.1e}" if finding.largest else "0"
        return f"  {finding.path:8} {shape:8} largest difference {largest:8} ok"
    if finding.index is None:
        return f"  {finding.problem}"
    entry = finding.path + (str(list(finding.index)) if finding.index else "")
    return (
        f"  {finding.path:8} {shape:8} {finding.problem:28} "
        f"{entry} should be {finding.want:.6g}, yours is {finding.have:.6g}"
    )


def _explain(error, exercise, target):
    """An exception inside the student's function, told as the student's: what, and at which line of which function."""
    frames = _student_frames(error, target)
    if isinstance(error, NotImplementedError) and str(error).startswith("Exercise"):
        if exercise.function in str(error):
            return f"{error} is not written yet. Replace the line with `raise` between the two markers by your own code."
        return f"{exercise.function} calls a function that is not written yet: {error}. Write that one first."
    what = f"{type(error).__name__}: {error}"
    if not frames:
        given = ", ".join(exercise.inputs)
        return f"Your function could not be called with ({given}): {what}.\nKeep the first line of the function as it was given."
    lines = [f"Your function stopped with {what}"]
    for name, number, text in frames[-3:]:
        lines.append(f"  in {name}, line {number}:   {text}")
    if isinstance(error, NameError | UnboundLocalError):
        lines.append("A name is used there that has no value: is it misspelt, or is it set in one branch only?")
    elif isinstance(error, ValueError) and ("dimension" in str(error) or "broadcast" in str(error) or "aligned" in str(error)):
        lines.append("Two shapes do not fit. Write down the shape of each factor; print(x.shape) helps.")
    return "\n".join([*lines, f"Look again: {exercise.look}"])


def _student_frames(error, target):
    """(function, line, text) of the frames that belong to the notebook of ``target``, outermost first."""
    namespace = getattr(target, "__globals__", None)
    frames, step = [], error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if step.tb_frame.f_globals is namespace and namespace is not globals():
            text = linecache.getline(code.co_filename, step.tb_lineno).strip()
            frames.append((code.co_name, step.tb_lineno, text))
        step = step.tb_next
    return frames
