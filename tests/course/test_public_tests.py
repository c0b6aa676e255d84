"""What students run: it passes on what is right, and says in one reading what is wrong with the rest."""

import atexit
import functools
import itertools
import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

from selfcheck import recordings
from selfcheck.testing import PublicTestFailure
from tests.classroom import put_trusted_files, text
from tests.course import answers
from tests.course.answers import (
    COURSE,
    KEYS,
    MISTAKES,
    RIGHT_ANSWERS,
    find,
    function,
    mistakes_of,
    namespace,
    public,
    public_test_of,
)
from tests.tables import exercise, importable

VISIBLE = [mistake for mistake in MISTAKES if mistake.row.visible]
HIDDEN = [mistake for mistake in MISTAKES if not mistake.row.visible]


@pytest.fixture(scope="module")
def solution():
    return answers.solved("step-by-step")


def right(key):
    """The solution of an exercise."""
    row = exercise(key)
    return answers.solved(row.assignment)[row.function]


def complaint(name, target, recorded=None):
    """The report about a target that must not pass, after the demands that hold for every report."""
    printed, report = public(name, target, recorded)
    assert report, f"{name}_test passes:\n{printed}"
    assert not printed
    for ours in (
        "public_tests",
        "cases.py",
        "selfcheck",
        "Traceback",
        "PublicTestFailure",
        str(COURSE.root),
    ):
        assert ours not in report
    assert len(report.splitlines()) < 25
    return report


@functools.cache
def report_of(mistake):
    """The report about a mistake of the catalogue, which is tried once."""
    return complaint(mistake.key, answers.answer(mistake))


def mistaken(name, mistake):
    """The function as somebody who makes this mistake would write it."""
    return answers.answer(find(name, mistake))


# --- right answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_the_solution_passes_and_hears_what_else_will_be_graded(key):
    """And the caller's random state is left alone, also by initialize_parameters, which seeds the global generator."""
    np.random.seed(3)
    expected = np.random.RandomState(3).randn(4)

    printed, report = public(key, right(key))
    public(key, lambda *args: np.random.seed(5))

    np.testing.assert_array_equal(np.random.randn(4), expected)
    assert not report
    assert printed.count(" ok\n") == len([line for line in printed.splitlines() if line.startswith("  ")])
    assert "Right on these examples. Grading also tries " in printed


def test_the_table_is_the_one_in_the_text(solution):
    """The manner of EXERCISE.md: seed and sizes, then one line per output."""
    printed, _ = public("linear_backward", solution["linear_backward"])

    assert printed.splitlines()[:4] == [
        "linear_backward    seed 1 · 5 → 3 units · 4 examples",
        "  dA_prev  (5, 4)  largest difference 0        ok",
        "  dW       (3, 5)  largest difference 0        ok",
        "  db       (3, 1)  largest difference 0        ok",
    ]


@pytest.mark.parametrize("assignment", COURSE.assignments())
def test_all_of_them_together_take_no_time_that_anybody_notices(tmp_path, assignment):
    """A student who waits stops testing. Half a million calls take less than a second on a quiet machine.

    They are counted, since a clock tells something else on every machine, and at every moment.
    """
    imports = [line for line in _import_lines(assignment) if "matplotlib" not in line]
    lines = [
        "import sys",
        *imports,
        "calls = [0]",
        "def count(frame, event, argument): calls[0] += event in ('call', 'c_call')",
        "sys.setprofile(count)",
        *answers.cells(assignment).values(),
        *(f"{row.test}({name})" for name, row in answers.rows(assignment).items()),
        "sys.setprofile(None)",
        "print(calls[0])",
    ]
    script = tmp_path / "all.py"
    script.write_text("\n\n".join(lines), encoding="utf-8")
    path = os.pathsep.join([str(COURSE.root), str(COURSE.folder(assignment))])

    run = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )

    assert run.stdout.count("Right on these examples") == len(answers.rows(assignment))
    assert 1_000 < int(run.stdout.splitlines()[-1]) < 500_000


def _import_lines(assignment):
    """What a student needs for the functions and their tests; drawing takes longer to import, and is not needed."""
    if assignment == "step-by-step":
        own = ["from dnn_utils import sigmoid, relu, sigmoid_backward, relu_backward"]
    else:
        own = [f"from {'network' if assignment == 'application' else 'training'} import *"]
    return ["import numpy as np; from testCases import *; from public_tests import *", *own]


def test_a_test_is_called_and_described_after_its_exercise():
    """help(digits_softmax_test) is one of the first things that a student tries."""
    for key in KEYS:
        test, row = public_test_of(key), exercise(key)
        prefix = "digits_" if key.startswith("digits/") else ""
        assert test.__name__ == test.__qualname__ == row.test == f"{prefix}{row.function}_test"
        assert test.__doc__.startswith(f"Exercise {row.number}, {row.function}: ")


# --- the catalogue ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mistake", VISIBLE, ids=str)
def test_a_visible_mistake_fails_with_a_report_that_helps(mistake):
    """The report names the output or the input concerned, or the student's own line, and where to look."""
    name = mistake.row.function

    report = report_of(mistake)

    assert report.startswith(f"{name}    ")
    if "Your function stopped with" in report:
        assert f"  in {name}, line " in report
        assert len(report.splitlines()) >= 4  # the exception, the line, and what it means
    elif "Calling your function" in report:
        assert "Keep the first line" in report
    elif "The values are right" in report:
        inputs = exercise(mistake.key).inputs
        assert re.search(rf"changed its own input: ({'|'.join(inputs)})\b", report)
    else:
        wrong = [line for line in report.splitlines() if line.startswith("  ") and not line.endswith(" ok")]
        assert all(
            re.search("should (be|have|return|raise)|is missing|and [0-9]+ more that are wrong", line) for line in wrong
        )
        assert wrong
        advice = report.splitlines()[-1]  # a cause that fits these numbers, else a reminder
        assert not advice.startswith("  ")
        assert len(advice) > 10


@pytest.mark.parametrize("mistake", HIDDEN, ids=str)
def test_a_mistake_marked_invisible_passes(mistake):
    """Otherwise the flag in the catalogue would not be true."""
    printed, report = public(mistake.key, answers.answer(mistake))

    assert not report
    assert "Grading also tries" in printed


@pytest.mark.parametrize("answer", RIGHT_ANSWERS, ids=str)
def test_every_right_answer_passes(answer):
    """einsum, loops, helpers, other names: whatever is right is right."""
    _, report = public(answer.key, answers.answer(answer))

    assert not report


def test_the_report_of_a_missing_average_reads_as_promised():
    report = complaint("linear_backward", mistaken("linear_backward", "dW-not-averaged"))

    assert report.splitlines() == [
        "linear_backward    seed 1 · 5 → 3 units · 4 examples",
        "  dA_prev  (5, 4)  largest difference 0        ok",
        "  dW       (3, 5)  all 15 entries wrong    dW[0, 0] should be 0.0731387, yours is 0.292555",
        "  db       (3, 1)  largest difference 0        ok",
        "dW is exactly 4 times too large, and there are 4 examples.",
        "Hint: Which of the three gradients are averaged over the examples? Look at the table.",
    ]


def test_shapes_come_before_values():
    """With both wrong, the advice is about the shape: until it is right the values mean nothing."""
    wrong = function(
        "def linear_backward(dZ, cache):\n"
        "    A_prev, W, b = cache\n"
        "    return W.T @ dZ * 2, dZ @ A_prev.T, np.sum(dZ, axis=1) / A_prev.shape[1]\n",
        "linear_backward",
    )

    report = complaint("linear_backward", wrong)

    assert "db is flat" in report
    assert "dA_prev is exactly" not in report


def test_a_wrong_value_and_a_changed_input_are_both_told():
    report = complaint("linear_forward", mistaken("linear_forward", "activations-centred-in-place"))

    assert "Z[0, 0] should be" in report
    assert "Your function also changes its own input: A." in report


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("    dZ -= 1\n    dZ += 1\n    dZ *= 2\n    dZ /= 2\n    dZ[0, 0] = 7\n", "dZ"),
        ("    cache[0][0] = 0\n", "cache[0]"),
        ("    cache[1][...] = 0\n    dZ[...] = 1\n", "dZ, cache[1]"),
    ],
)
def test_inputs_changed_in_place_are_named(body, named):
    """The values are right here, so only the inputs can tell."""
    source = (
        "def linear_backward(dZ, cache):\n"
        "    A_prev, W, b = cache\n"
        "    m = A_prev.shape[1]\n"
        "    results = W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m\n"
        f"{body}"
        "    return results\n"
    )

    report = complaint("linear_backward", function(source, "linear_backward"))

    assert f"The values are right, but your function changed its own input: {named}." in report


# --- known mistakes ---------------------------------------------------------------------------------------


def hints(report):
    return [line.removeprefix("Hint: ") for line in report.splitlines() if line.startswith("Hint: ")]


def recorded_at(key):
    """The file of the public recordings of an exercise, and the exercise's name in it."""
    assignment, _, name = key.partition("/")
    return COURSE.folder(assignment) / recordings.NAME, name


@functools.cache
def recorded_as_known(key):
    """The released recordings of an exercise, in the order of the catalogue."""
    visible = [mistake.name for mistake in mistakes_of(key) if mistake.visible]
    return dict(zip(visible, recordings.mistakes(*recorded_at(key)), strict=True))


@pytest.mark.parametrize("mistake", VISIBLE, ids=str)
def test_a_visible_mistake_gets_its_hint(mistake):
    """Or the hint of the first mistake that cannot be told from it by anything that was recorded."""
    alike = recorded_as_known(mistake.key)
    own = alike[mistake.row.name]

    [hint] = hints(report_of(mistake))

    if hint != mistake.row.hint:
        other = next(name for name, one in alike.items() if one.hint == hint)
        assert list(alike).index(other) < list(alike).index(mistake.row.name)
        assert same_recording(alike[other], own), other


def same_recording(one, other):
    return one.cases.keys() == other.cases.keys() and all(
        one.cases[case].agrees(other.cases[case], RTOL) and other.cases[case].agrees(one.cases[case], RTOL)
        for case in one.cases
    )


RTOL = 1e-7


def test_few_mistakes_share_a_recording():
    """The test above would pass with one hint for everything, if everything looked alike."""
    shared = [
        f"{key}:{name}"
        for key in KEYS
        for (first, one), (name, other) in itertools.combinations(recorded_as_known(key).items(), 2)
        if same_recording(one, other)
    ]

    assert "step-by-step/compute_cost:m-is-rows" in shared  # labels have one row: m is 1 then
    assert len(set(shared)) < 25


@pytest.mark.parametrize("key", KEYS)
def test_nonsense_gets_no_hint(key):
    for result in (None, 0.123, [], (), "Z", np.ones((3, 1)), (None, None, None)):
        assert not hints(complaint(key, lambda *args, result=result: result)), result


def test_a_hint_takes_the_place_of_what_says_the_same():
    """Numbers of the student's stay; the question behind them, or the general advice, gives way to the hint."""
    key = "step-by-step/initialize_parameters"
    report = complaint(key, mistaken(key, "zeros-without-tuple"))

    assert report.count("whole shape") == 1
    assert "Look again" not in report

    key = "step-by-step/linear_backward"
    report = complaint(key, mistaken(key, "W-not-transposed"))

    assert "the left factor's columns (5) must be as many as the right one's rows (3)" in report
    assert report.endswith("Hint: W leads from the layer before to this one. Backwards it has to be turned round.")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("dA_prev = W.T @ dZ; dA_prev[0, 0] += 1e-3", "one entry in twenty is another"),
        ("dA_prev = W.T @ dZ * 2", "another factor than any mistake's"),
        ("dA_prev = W.T @ np.log(dZ.T)", "the same exception at the same name, and other sizes"),
        ("dX = A_prev.T @ dZ", "the same exception with the same sizes, at another name"),
    ],
)
def test_a_mistake_of_ones_own_gets_no_hint_of_another(line, why):
    source = (
        "def linear_backward(dZ, cache):\n"
        "    A_prev, W, b = cache\n"
        f"    {line}\n"
        "    return dA_prev, dZ @ A_prev.T / dZ.shape[1], dZ.sum(axis=1, keepdims=True) / dZ.shape[1]\n"
    )

    assert not hints(complaint("linear_backward", function(source, "linear_backward"))), why


def test_a_mistake_in_the_first_example_only_gets_no_hint(solution):
    """All cases have to agree: here the second one does not."""
    wrong = mistaken("linear_backward", "dW-not-averaged")
    calls = []

    def target(dZ, cache):
        calls.append(dZ.shape)
        return (wrong if dZ.shape == (3, 4) else solution["linear_backward"])(dZ, cache)

    assert not hints(complaint("linear_backward", target))
    assert calls == [(3, 4), (4, 3)]


def test_other_examples_are_tried_only_where_a_known_mistake_fits():
    """A function that loops for ever in the second example must not do so because the first one is wrong."""
    calls = []

    def target(dZ, cache):
        calls.append(dZ.shape)
        return dZ, dZ, dZ

    complaint("linear_backward", target)

    assert calls == [(3, 4)]


def test_what_a_function_prints_is_not_printed_again_for_a_hint(capsys):
    wrong = mistaken("linear_backward", "dW-not-averaged")

    def talks(dZ, cache):
        print("shape", dZ.shape)
        return wrong(dZ, cache)

    with pytest.raises(PublicTestFailure, match="Hint: "):
        public_test_of("linear_backward")(talks)
    assert capsys.readouterr().out == "shape (3, 4)\n"


def rerecorded(folder, index):
    """A recording without the mistakes of any exercise; ``index`` is in place of that of linear_backward's."""
    with np.load(recorded_at("step-by-step/linear_backward")[0]) as file:
        arrays = {name: file[name] for name in file.files if "/mistakes" not in name}
    if index:
        arrays["linear_backward/mistakes"] = np.frombuffer(index, np.uint8)
        arrays["linear_backward/mistakes.numbers"] = np.zeros(2)
    np.savez_compressed(folder / recordings.NAME, **arrays)
    return folder / recordings.NAME


@pytest.mark.parametrize("index", [b"", b"nothing", b'[{"cases": 3}]'], ids=["missing", "not JSON", "other form"])
def test_without_readable_mistakes_the_report_is_as_good_as_before(tmp_path, index):
    report = complaint(
        "linear_backward", mistaken("linear_backward", "dW-not-averaged"), recorded=rerecorded(tmp_path, index)
    )

    assert not hints(report)
    assert "there are 4 examples: is the average over the examples missing?\nLook again: " in report


@pytest.mark.parametrize("assignment", COURSE.assignments())
def test_the_released_recording_tells_outputs_and_hints_and_nothing_else(assignment):
    """No name of a mistake, nothing of its code, no exercise and no case but the public ones; and it is small."""
    path = COURSE.release(assignment) / recordings.NAME
    names = answers.rows(assignment)
    assert path.stat().st_size < 500_000
    with np.load(path) as file:
        parts = ("outputs", "outputs.numbers", "mistakes", "mistakes.numbers")
        assert set(file.files) == {f"{name}/{part}" for name in names for part in parts}
        indices = {name: [file[f"{name}/{part}"].tobytes().decode() for part in parts[::2]] for name in names}
    for name, (outputs, index) in indices.items():
        public_cases = {case.name for case in names[name].public_cases}
        assert {case for case, _ in json.loads(outputs)} <= public_cases
        rows = json.loads(index)
        assert {field for row in rows for field in row} == {"hint", "cases"}
        assert {case for row in rows for case in row["cases"]} <= public_cases
        catalogue = mistakes_of(f"{assignment}/{name}")
        for mistake in catalogue:
            assert f'"{mistake.name}"' not in index
            assert mistake.what not in index
            assert not any(len(new) > 12 and new in index for _, new in mistake.changes)
        assert [row["hint"] for row in rows] == [mistake.hint for mistake in catalogue if mistake.visible]


# --- functions that do not even return something sensible -------------------------------------------------


def returning(expression):
    return function(
        f"def linear_backward(dZ, cache):\n    A_prev, W, b = cache\n    return {expression}\n",
        "linear_backward",
    )


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("None", "Your function should return dA_prev, dW and db; it returns None (is there a return"),
        ("W.T @ dZ, W", "should return dA_prev, dW and db; it returns a tuple with 2 entries"),
        ("[1, 2, 3, 4]", "should return dA_prev, dW and db; it returns a list with 4 entries"),
        ("W", "should return dA_prev, dW and db; it returns an array of shape (3, 5)"),
        ("0.5", "should return dA_prev, dW and db; it returns a single number"),
        ("{'dW': W}", "should return dA_prev, dW and db; it returns a dict with 1 entry"),
        ("(x for x in (W, W, W))", "it returns a value of type generator"),
        ("(W.T @ dZ).tolist(), W, b", "of shape (5, 4), yours is a list or tuple with 5 entries"),
        ("None, W, b", "should be an array of shape (5, 4), yours is None"),
        ("'', W, b", "should be an array of shape (5, 4), yours is a value of type str"),
        ("np.array([[1.0, None]]), W, b", "yours is an array of shape (1, 2) of objects"),
        ("(W.T @ dZ).astype(object), W, b", "yours is an array of shape (5, 4) of objects"),
        ("W.T @ dZ * 1j, W, b", "yours is an array of shape (5, 4) of complex numbers"),
        ("W.T @ dZ * np.nan, W, b", "dA_prev[0, 0] should be -1.15171, yours is nan"),
        ("np.broadcast_to(0.0, (10**6, 10**6)), W, b", "(5, 4), yours has shape (1000000, 1000000)"),
        ("[0.0] * 10**6, W, b", "yours is a list with 1000000 entries"),
        ("np.zeros((5, 0)), W, b", "should have shape (5, 4), yours has shape (5, 0)"),
        ("linear_backward, W, b", "yours is a value of type function"),
    ],
)  # fmt: skip
def test_what_came_back_is_described(expression, said):
    assert said in complaint("linear_backward", returning(expression))


def test_a_dict_in_place_of_nothing():
    report = complaint("update_parameters", lambda params, grads, learning_rate: None)

    assert "Your function should return W1, b1, W2 and b2; it returns None" in report


@pytest.mark.parametrize("target", [None, 5, "linear_forward", np.zeros(2)])
def test_a_target_that_is_no_function(target):
    assert "linear_forward should be a function, yours is " in complaint("linear_forward", target)


def test_nan_is_pointed_out_as_such():
    assert "dA_prev has entries that are not finite" in complaint(
        "linear_backward", returning("W.T @ dZ * np.nan, W, b")
    )


# --- functions that stop ----------------------------------------------------------------------------------


def test_a_stub_hears_that_it_is_not_written_yet():
    stub = function(
        'def linear_forward(A, W, b):\n    raise NotImplementedError("Exercise 3: linear_forward")\n',
        "linear_forward",
    )

    report = complaint("linear_forward", stub)
    assert "Exercise 3: linear_forward is not written yet, or not all of it. It stops at line 2 of its cell." in report


def test_a_function_that_leans_on_a_stub_hears_which_one():
    variables = namespace()
    exec(
        'def linear_forward(A, W, b):\n    raise NotImplementedError("Exercise 3: linear_forward")\n',
        variables,
    )

    report = complaint("L_model_forward", variables["L_model_forward"])

    assert "not written yet: Exercise 3: linear_forward. Write that one first." in report


@pytest.mark.parametrize("key", KEYS)
def test_every_released_stub_is_recognised(key):
    """The words of the stub and the words that the test looks for are written in two places."""
    row = exercise(key)
    path = COURSE.release(row.assignment) / f"{row.assignment}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    stub = function(text(next(cell for cell in cells if cell["id"] == row.grade_id)), key)

    assert f"Exercise {row.number}: {row.function} is not written yet" in complaint(key, stub)


FAILING = """
def helper(Z, b):
    total = Z + b
    return total / undefined_name

def linear_forward(A, W, b):
    Z = helper(W @ A, b)
    return Z, (A, W, b)
"""


def test_an_exception_is_told_at_the_students_own_lines():
    """Also where it happens in a helper of theirs; frames of ours and of libraries are left out."""
    report = complaint("linear_forward", function(FAILING, "linear_forward"))

    assert "Your function stopped with NameError: name 'undefined_name' is not defined" in report
    assert "  in linear_forward, line 7:   Z = helper(W @ A, b)" in report
    assert "  in helper, line 4:   return total / undefined_name" in report
    assert "_try" not in report


def test_an_exception_inside_a_library_is_told_at_the_line_that_called_it():
    source = "def linear_forward(A, W, b):\n    return np.linalg.inv(np.zeros((2, 2))), (A, W, b)\n"

    report = complaint("linear_forward", function(source, "linear_forward"))

    assert "Your function stopped with LinAlgError: Singular matrix" in report
    assert "  in linear_forward, line 2:   return np.linalg.inv(np.zeros((2, 2))), (A, W, b)" in report
    assert report.count("  in ") == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return A @ W.T @ b @ A", "In a product with @ the left factor's columns ("),
        ("return np.dot(A, A)", "In a product the left factor needs as many columns"),
        ("return W + A", "Entry by entry"),
        ("return np.zeros(3, 1)", "np.zeros takes the whole shape as one argument"),
        ("return np.random.randn((3, 1))", "np.random.randn takes rows and columns"),
        ("return {}['W3']", "The dict has no such key"),
        ("return [1][3]", "lists count from 0"),
        ("return None + A", "Something there is None"),
        ("return A ^ 2", "In Python ^ is no power"),
        ("return max(0, A)", "has one answer per entry"),
        ("a, b, c = A, W; return a", "not as many names on the left"),
        ("return linear_forward(A, W, b)", "calls itself again and again"),
        ("exit()", "leave them out"),
        ("raise SystemExit(3)", "leave them out"),
        ("return misspelt", "misspelt is to be returned, and no line above sets it"),
        ("x = misspelt", "is it misspelt"),
        ("import no_such_package", "NumPy is all you need"),
        ("return [A].shape", "np.array makes one of it"),
        ("print(Z); Z = A", "used before it has a value"),
        ("assert False, 'x' * 10000", "Your function stopped with AssertionError: xxx"),
        ("assert A.shape == (7, 7)", "Your function stopped with AssertionError"),
    ],
)  # fmt: skip
def test_common_exceptions_are_explained(body, said):
    report = complaint("linear_forward", function(f"def linear_forward(A, W, b):\n    {body}\n", "linear_forward"))

    assert said in report
    assert max(map(len, report.splitlines())) < 400
    assert "  in linear_forward, line 2" in report


@pytest.mark.parametrize(
    "first_line", ["def linear_forward(A, W):", "def linear_forward(A, W, b, m):", "def linear_forward():"]
)
def test_wrong_arity_is_told_with_the_arguments_that_were_given(first_line):
    report = complaint("linear_forward", function(f"{first_line}\n    return A\n", "linear_forward"))

    assert "Calling your function with (A, W, b) failed with TypeError: linear_forward() " in report
    assert "Keep the first line of the function" in report


def test_arguments_that_a_call_leaves_out_are_not_named():
    """Training functions have arguments with defaults, and the example gives the first five only."""
    report = complaint("application/two_layer_model", lambda X, Y: None)

    given = "(X, Y, layers_dims, learning_rate, num_iterations)"
    assert f"Calling your function with {given} failed with TypeError" in report


def test_a_wrong_arity_inside_is_not_blamed_on_the_first_line():
    """The same TypeError, but raised by a call in the function."""
    source = "def linear_activation_forward(A_prev, W, b, activation):\n    return linear_forward(A_prev, W)\n"

    report = complaint("linear_activation_forward", function(source, "linear_activation_forward"))

    assert "  in linear_activation_forward, line 2:   return linear_forward(A_prev, W)" in report
    assert "Keep the first line" not in report


def test_an_interrupted_loop_is_told_with_its_line():
    """Whoever stops an endless loop wants to know which one it was, not where in our code it was called."""

    def endless(A, W, b):
        raise KeyboardInterrupt

    report = complaint("linear_forward", endless)
    assert "Interrupted in endless, line " in report
    assert report.endswith("Is there a loop without an end?")


UNKNOWN_ACTIVATION = """
def linear_activation_forward(A_prev, W, B, activation):
    Z, linear_cache = linear_forward(A_prev, W, B)
    A, activation_cache = {{"relu": relu, "softmax": softmax}}{choose}(Z)
    return A, {{"linear_cache": linear_cache, "activation_cache": activation_cache}}
"""


def test_no_exception_where_one_was_asked_for():
    key = "digits/linear_activation_forward"
    careless = function(UNKNOWN_ACTIVATION.format(choose=".get(activation, relu)"), key)

    report = complaint(key, careless)

    assert report.splitlines()[:2] == [
        "linear_activation_forward    seed 42 · 3 → 4 units · 2 examples · tanh",
        "  Your function should raise a ValueError; it returns a tuple with 2 entries.",
    ]


def test_another_exception_than_the_one_that_was_asked_for():
    key = "digits/linear_activation_forward"

    report = complaint(key, function(UNKNOWN_ACTIVATION.format(choose="[activation]"), key))

    assert "Your function stopped with KeyError: 'tanh'" in report
    assert "any other activation is a ValueError" in report
    assert report.endswith("Here it should raise a ValueError, and no other exception.")


def test_an_exception_of_no_kind_is_no_answer_and_is_told_which_one_is():
    """The message alone reads as if raising were the mistake."""
    key = "digits/linear_activation_forward"
    source = UNKNOWN_ACTIVATION.format(choose="[activation]").replace(
        "    A, act", "    if activation == 'tanh':\n        raise Exception('no such activation')\n    A, act"
    )

    report = complaint(key, function(source, key))

    assert "Your function stopped with Exception: no such activation" in report
    assert report.endswith("Here it should raise a ValueError, and no other exception.")


def test_the_numbers_for_another_switch_are_recognised():
    key = "digits/l_model_forward"

    report = complaint(key, mistaken(key, "always-normalised"))

    assert "These are the right numbers for use_batchnorm=True, but use_batchnorm=False was asked for." in report


def test_what_a_training_prints_is_seen_and_costs_nothing():
    """Students print while they look for a mistake; the report comes behind it."""
    key = "application/L_layer_model"
    solution = right(key)

    def talks(*args):
        print("learning_rate", *args[3:4])
        return solution(*args)

    printed, report = public(key, talks)

    assert not report
    assert printed.startswith("learning_rate 0.1\nlearning_rate 0.5\nlearning_rate\nL_layer_model    seed 1")


def test_returning_the_very_dict_that_came_in_is_called_that(tmp_path):
    """By a known mistake's hint, and in the report's own words where that is not at hand."""

    def same(params, grads, rate):
        for name in params:
            params[name] = params[name] - rate * grads["d" + name]
        return params

    assert "Hint: Two names for one dict, for = copies nothing" in complaint("update_parameters", same)
    report = complaint("update_parameters", same, recorded=rerecorded(tmp_path, b""))
    assert "It returns the very object that came in" in report


def test_a_forgotten_f_in_a_key_is_guessed():
    def forgot(params, grads, rate):
        return {"W1": params["W{l}"]}

    assert "is there an f in front of the quotes?" in complaint("update_parameters", forgot)


def test_decorated_functions_objects_and_partials_work_too(solution):
    """A timing decorator from another cell, or a class with __call__, is nothing to complain about."""
    right = solution["linear_forward"]

    @functools.wraps(right)
    def timed(*args):
        time.perf_counter()
        return right(*args)

    class Callable:
        def __call__(self, A, W, b):
            return right(A, W, b)

    for target in (timed, Callable(), functools.partial(right), lambda *args: right(*args)):
        assert not public("linear_forward", target)[1]


# --- the recording ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["missing", "empty", "no recording", "cut off", "other version", "other cases"])
def test_a_recording_that_is_missing_or_damaged_is_told_as_such(solution, tmp_path, damage):
    """It is not the student's function that is wrong then, and the report has to say so."""
    path = tmp_path / recordings.NAME
    whole = recorded_at("step-by-step/linear_forward")[0].read_bytes()
    contents = {"empty": b"", "no recording": b"nothing", "cut off": whole[: len(whole) // 2]}
    if damage in contents:
        path.write_bytes(contents[damage])
    if damage.startswith("other"):
        name, case = ("other", "example") if damage == "other version" else ("linear_forward", "of long ago")
        np.savez_compressed(path, **recordings.packed({name: {case: {"Z": np.ones((1, 2))}}}, {}))

    report = public("linear_forward", solution["linear_forward"], recorded=path)[1]

    assert report.startswith("This test cannot run: recorded.npz is ")
    assert "Your function has not been looked at." in report
    assert str(tmp_path) not in report


def test_the_recording_is_found_beside_the_module_wherever_one_works(tmp_path):
    """A student may start Jupyter in another folder than the assignment's."""
    folder = tmp_path / "my assignment"
    folder.mkdir()
    put_trusted_files(COURSE, "step-by-step", folder)
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "import public_tests\n"
        "public_tests.linear_forward_test(lambda A, W, b: (W @ A + b, (A, W, b)))\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": ""}
    )

    assert "Right on these examples" in run.stdout, run.stderr


# --- in a real shell --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shell():
    """A shell as in a notebook, with the public tests imported."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))
    shell.colors = "nocolor"
    with importable("step-by-step"):
        shell.run_cell("import numpy as np\nfrom public_tests import *\nfrom dnn_utils import *").raise_error()
    yield shell
    shell.history_manager.end_session()
    shell.history_manager.db.close()
    atexit.unregister(shell.atexit_operations)  # it would end the session once more
    InteractiveShell.clear_instance()


def shown(shell, capsys, *cells):
    """Everything that the last of these cells puts below itself."""
    for cell in cells:
        capsys.readouterr()
        shell.run_cell(cell, store_history=True)
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_notebook_shows_the_report_and_no_frame_of_ours(shell, capsys):
    text = shown(
        shell,
        capsys,
        "def linear_forward(A, W, b):\n    return W @ A - b, (A, W, b)",
        "linear_forward_test(linear_forward)",
    )

    assert text.startswith("linear_forward    seed 1 · 3 → 1 unit · 2 examples\n  Z  ")
    assert "Z has b in it with the wrong sign." in text
    for ours in ("Traceback", "public_tests", "_try", "PublicTestFailure", "---"):
        assert ours not in text


def test_a_notebook_shows_the_line_of_the_cell_that_failed(shell, capsys):
    text = shown(
        shell,
        capsys,
        "def scaled(W):\n    # a helper of mine\n    return W * undefined",
        "def linear_forward(A, W, b):\n    return scaled(W) @ A + b, (A, W, b)",
        "linear_forward_test(linear_forward)",
    )

    assert "  in linear_forward, line 2:   return scaled(W) @ A + b, (A, W, b)" in text
    assert "  in scaled, line 3:   return W * undefined" in text
    assert "public_tests" not in text


def test_a_failing_further_example_says_how_its_inputs_are_made():
    report = complaint("linear_forward", lambda A, W, b: (W @ A + b, (A, W, b)) if W.shape == (1, 3) else (A, A))
    made = re.search(r"To see these inputs: (\w+)\((.*)\)", report)
    with importable("step-by-step"):
        import testCases

        A, W, b = getattr(testCases, made[1])(**{key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", made[2])})
    assert W.shape != (1, 3)
    assert f"{A.shape[0]} → {W.shape[0]} units · {A.shape[1]} examples" in report
    assert b.shape == (W.shape[0], 1)
    assert "To see these inputs" not in complaint("linear_forward", lambda A, W, b: (A, A))


def test_a_shown_report_has_no_long_line_and_breaks_no_word():
    failure = PublicTestFailure(complaint("L_model_backward", lambda AL, Y, caches: {"dA0": caches, "dW1": AL}))
    shown = failure._render_traceback_()
    words = " ".join(shown).split()
    assert max(map(len, shown)) <= 88
    assert words == str(failure).split()
