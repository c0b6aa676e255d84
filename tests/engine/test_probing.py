"""What the inside of the sandbox does with a function: calls it, and sends back what came out as data."""

import contextlib
import json
import random
import signal
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import testCases
from coursekit.marking import function_calls
from coursekit.marking.judge import judge
from coursekit.reference import helping
from coursekit.sandbox.guest import caller, codec, helpers
from coursekit.sandbox.guest.helpers import Helpers
from selfcheck.returned_values import kind
from tests.tables import exercise, loaded, solved, table

CASES = [("one", (np.ones((2, 3)),)), ("two", (np.zeros((1, 1)),))]


def observe(target, outputs="Z", cases=CASES, **kwargs):
    return caller.observe(
        target, outputs, ("A",), [(name, tuple(a.copy() for a in args)) for name, args in cases], **kwargs
    )


def first(target, **kwargs):
    return observe(target, **kwargs)["observations"][0]


# --- arguments travel as data ---------------------------------------------------------------------------------

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | arrays.arrays(st.sampled_from(["<f8", "<i8", "|u1", "|b1"]), arrays.array_shapes(max_dims=4, max_side=4))
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(one, other):
    if isinstance(one, np.ndarray):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        )
    if isinstance(one, tuple | list):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return [*one] == [*other] and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


@settings(max_examples=150, deadline=None)
@given(_VALUES)
def test_an_argument_is_the_same_behind_the_wall(value):
    travelled = codec.decode(json.loads(json.dumps(codec.encode(value))), None)
    assert same(value, travelled)


def test_an_argument_is_new_and_may_be_written_to():
    array = np.arange(6.0).reshape(2, 3)
    travelled = codec.decode(codec.encode(array), None)
    travelled[0, 0] = 9
    assert array[0, 0] == 0


def test_the_order_in_memory_is_kept():
    travelled = codec.decode(codec.encode(np.asfortranarray(np.ones((2, 3)))), None)
    assert travelled.flags.f_contiguous
    assert not travelled.flags.c_contiguous


def test_functions_travel_by_name_and_only_those_that_are_found_by_it():
    encoded = codec.encode(testCases.starting_values)
    assert encoded == {"function": ["testCases", "starting_values"]}
    assert codec.decode(encoded, codec.imported) is testCases.starting_values
    nowhere = SimpleNamespace(__module__="no such module", __name__="f", __call__=len)
    for value in (lambda: 0, nowhere, object(), np.array(["a"]), np.array([None]), {1: 2}, 1j, b"x"):
        with pytest.raises(TypeError):
            codec.encode(value)


@pytest.mark.parametrize("assignment", ["step-by-step", "application", "digits"])
def test_a_request_holds_nothing_that_is_expected(assignment):
    """Names and arguments, and no seed, recording, tolerance, check or points."""
    for row in loaded(assignment).exercises:
        request = function_calls.request(row, 1.0)
        assert set(request) == {"op", "function", "outputs", "inputs", "cases", "call_timeout_s"}
        assert all(set(case) == {"case", "args"} for case in request["cases"])
        json.dumps(request)


# --- calls ----------------------------------------------------------------------------------------------------


def test_outputs_and_inputs_come_back_as_doubles():
    seen = first(lambda A: A * 2)
    assert seen["case"] == "one"
    assert seen["outputs"]["Z"]["shape"] == seen["inputs"]["A"]["shape"] == [2, 3]


def test_what_is_not_there_is_not_defined():
    assert observe(None)["defined"] is False


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(3), KeyboardInterrupt, GeneratorExit(), RecursionError(), MemoryError()]
)
def test_every_exception_is_data(error):
    def raises(A):
        raise error

    seen = first(raises)
    assert ("timeout_s" in seen) if error is KeyboardInterrupt else seen["error"]["type"] == type(error).__name__


def test_a_class_that_only_calls_itself_an_exception_of_pythons_is_none():
    class Other(Exception):
        pass

    Other.__name__ = "ValueError"

    def raises(A):
        raise Other

    def really(A):
        raise UnicodeError

    assert "ValueError" not in first(raises)["error"]["is_a"]
    assert "ValueError" in first(really)["error"]["is_a"]


class Endless(dict):
    def items(self):
        while True:
            time.sleep(0.001)  # or it would fill the memory of a machine where the alarm is missed
            yield "x", 1.0

    def __len__(self):
        return 3


def test_an_endless_result_is_stopped_like_an_endless_call():
    message = observe(lambda A: Endless(), outputs="", call_timeout_s=0.2)
    assert [seen.get("timeout_s") for seen in message["observations"]] == [0.2]


def test_an_exception_that_tells_its_message_for_ever_is_stopped():
    class Talker(Exception):
        def __str__(self):
            while True:
                pass

    def raises(A):
        raise Talker

    assert first(raises, call_timeout_s=0.2) == {"case": "one", "timeout_s": 0.2}


def test_the_alarm_of_the_notebook_is_put_back():
    def own(*_):
        pass

    previous = signal.signal(signal.SIGALRM, own)
    try:
        observe(lambda A: A, call_timeout_s=5)
        assert signal.getsignal(signal.SIGALRM) is own
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (np.ones((1000, 1000)), "an array of shape (1000, 1000)"),
        (np.ones(2, dtype=complex), "an array of shape (2,) of complex numbers"),
        ("x" * 10_000, "a value of type str"),
    ],
)
def test_what_is_large_or_no_number_is_described(value, described):
    assert first(lambda A: value)["outputs"]["Z"] == {"kind": described}


def test_never_more_than_so_many_values():
    seen = first(lambda A: {str(i): i for i in range(450)}, outputs="")
    assert len(seen["outputs"]) == caller.MAX_OUTPUTS


def test_a_subclass_of_arrays_is_read_as_the_numbers_in_it():
    class Lying(np.ndarray):
        def __array_ufunc__(self, *args, **kwargs):
            return True

        def tobytes(self, *args):
            return b"lies"

    leaf = codec.leaf(np.zeros((1, 2)).view(Lying), kind)
    assert leaf == codec.leaf(np.zeros((1, 2)), kind)


# --- snapshots and helpers --------------------------------------------------------------------------------------


def shell(source=""):
    """A shell in which this was run and kept, and then something else."""
    namespace = {}
    exec(source, namespace)
    kept = dict(namespace)
    namespace["left over"] = 1

    def restore(name):
        namespace.clear()
        namespace.update(kept)

    return SimpleNamespace(namespace=namespace, restore=restore)


def ask(one, key="step-by-step/linear_activation_forward", **more):
    row = exercise(key)
    helpers = Answering(row.depends_on)
    return caller.answer_call(
        one, {**json.loads(json.dumps(function_calls.request(row, 5.0))), "snapshot": "s", **more}, helpers
    )


RIGHT = "def linear_forward(A, W, b):\n    return W @ A + b, (A, W, b)"
FOLLOWER = """
from dnn_utils import relu, sigmoid
def linear_activation_forward(A_prev, W, b, activation):
    Z, cache = linear_forward(A_prev, W, b)
    A, Z = sigmoid(Z) if activation == "sigmoid" else relu(Z)
    return A, (cache, Z)
"""
HELPERS = {"replace": ["linear_forward"], "source": FOLLOWER}


class Answering(Helpers):
    """Stand-ins whose calls this process answers, by the right functions of the course."""

    def __init__(self, names):
        self.answers = []
        super().__init__(self.send, SimpleNamespace(receive=self.answers.pop))
        solved("step-by-step")  # the table keeps it
        self.table = table("step-by-step")

    def send(self, message):
        call = json.loads(json.dumps(message))
        answer = helping.call(self.table, call["helper"], call["args"], call["kwargs"], call["states"])
        self.answers.append(json.loads(json.dumps({"answer": call["number"], **answer})))


def earned(one, **more):
    row = exercise("step-by-step/linear_activation_forward")
    return judge(loaded("step-by-step"), row, ask(one, **more)).earned


def test_a_function_is_called_as_it_stood_at_the_snapshot():
    one = shell(RIGHT + FOLLOWER)
    assert earned(one) == 10
    assert "left over" not in one.namespace


def test_right_helpers_stand_in_place_of_wrong_and_of_missing_ones():
    for wrong in ("def linear_forward(A, W, b):\n    return 0, 0", "linear_forward = 7", ""):
        assert earned(shell(wrong + FOLLOWER)) == 0
        assert earned(shell(wrong + FOLLOWER), **HELPERS) == 10


def test_a_wrong_helper_that_is_the_default_of_an_argument_is_replaced_too():
    bound = """
def linear_forward(A, W, b):
    return W @ A, (A, W, b)
""" + FOLLOWER.replace("activation):", "activation, forward=linear_forward, *, again=linear_forward):").replace(
        "= linear_forward(A_prev", "= forward(A_prev"
    )  # fmt: skip
    assert earned(shell(bound)) == 0
    assert earned(shell(bound), **HELPERS) == 10


def test_a_function_that_could_not_be_defined_without_its_helper_is_defined_then():
    assert earned(shell(), **HELPERS) == 10
    assert earned(shell(), **HELPERS | {"source": "def ("}) == 0


def test_a_stand_in_holds_no_line_of_the_right_function():
    stand_in = Answering(["linear_forward"]).stand_in("linear_forward")
    assert stand_in.__code__.co_filename == helpers.__file__
    assert stand_in.__globals__["__name__"] == helpers.__name__


def test_random_numbers_go_on_where_a_helper_left_them():
    """As if the right function had been called in this very process."""
    one = Answering([])
    one.table = SimpleNamespace(solution_namespace={"draw": lambda n: np.random.randn(n) + random.random()})
    np.random.seed(4), random.seed(5)
    here = [one.table.solution_namespace["draw"](3), np.random.rand(), random.random()]
    np.random.seed(4), random.seed(5)
    there = [one.stand_in("draw")(3), np.random.rand(), random.random()]
    assert [np.array(value).tolist() for value in here] == [np.array(value).tolist() for value in there]


@pytest.mark.parametrize(
    "value", [object(), np.ma.masked_array([1.0]), np.ones(2).view(np.recarray), {1: 2}, print, np.array([None]), 1j]
)
def test_a_call_that_cannot_be_sent_is_not_tried_and_never_wrong(value):
    """Also where the student's code swallows every exception."""
    one = Answering([])
    stand_in = one.stand_in("linear_forward")

    def function(A):
        with contextlib.suppress(BaseException):
            stand_in(value, A, A)
        return A * 2

    seen = caller.observe(function, "Z", ("A",), CASES, helpers=one)["observations"]
    assert [set(observation) for observation in seen] == [{"case", "untried"}] * 2


def test_a_call_from_another_thread_is_not_tried():
    one, raised = Answering([]), []

    def calls():
        try:
            one.stand_in("linear_forward")(1, 2, 3)
        except BaseException as error:
            raised.append(type(error))

    thread = threading.Thread(target=calls)
    thread.start()
    thread.join()
    assert raised == [helpers.NotAnswered]
    assert one.unanswered


@pytest.mark.parametrize("error", [KeyError("W1"), ValueError("not today"), ZeroDivisionError()])
def test_what_a_right_function_raises_is_raised_here(error):
    def draw():
        raise error

    one = Answering([])
    one.table = SimpleNamespace(solution_namespace={"draw": draw})
    with pytest.raises(type(error)):
        one.stand_in("draw")()
    assert not one.unanswered


HOSTILE = [
    {"args": None, "kwargs": {"dict": {}}, "states": {}},
    {"args": [{"function": ["os", "system"]}], "kwargs": {"dict": {}}, "states": {}},
    {"args": [{"array": "AAAA", "dtype": "O", "shape": [1], "order": "C"}], "kwargs": {"dict": {}}, "states": {}},
    {"args": [{"array": "", "dtype": "<f8", "shape": [1 << 60], "order": "C"}], "kwargs": {"dict": {}}, "states": {}},
    {"args": [], "kwargs": {"dict": {}}, "states": {"numpy": {"keys": "AAAA"}}},
    {"args": [], "kwargs": [], "states": {}},
]


@pytest.mark.parametrize("call", HOSTILE)
def test_a_hostile_call_of_a_helper_is_not_answered(call):
    """Data only is decoded in the reference process; nothing that it names is looked up."""
    answer = helping.call(SimpleNamespace(solution_namespace={"f": lambda *a: 1}), "f", *call.values())
    assert set(answer) == {"why"}


def test_nothing_that_is_printed_gets_out(capfd):
    noisy = FOLLOWER.replace("    Z, cache", "    print('loud')\n    Z, cache")
    ask(shell(RIGHT + noisy))
    print("quiet", file=sys.stderr)
    assert capfd.readouterr() == ("", "quiet\n")


def test_an_alarm_that_a_finalizer_swallows_rings_again(monkeypatch):
    """Python drops what is raised in a finalizer, and in a callback of the garbage collector."""

    class Slow:
        def __del__(self):
            until = time.monotonic() + 0.3
            while time.monotonic() < until:
                pass

    def endless(A):
        Slow()
        while True:
            pass

    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # pytest would tell it as a warning
    assert first(endless, call_timeout_s=0.1) == {"case": "one", "timeout_s": 0.1}
