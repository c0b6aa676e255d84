"""Marks come from numbers that are compared here; everything else in a message counts for nothing."""

import base64
import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

from coursekit.marking import judge as judging
from coursekit.marking import observations, verdicts
from coursekit.marking.function_calls import observe
from coursekit.model.errors import CourseError
from coursekit.reference import outputs
from selfcheck.returned_values import NotNumbers
from tests import tables
from tests.classroom import ASSIGNMENT
from tests.tables import KEYS, exercise, loaded

KEY = "step-by-step/linear_backward"


@pytest.fixture(scope="module")
def functions():
    return tables.solved(ASSIGNMENT)


@pytest.fixture(scope="module")
def solved():
    """The solution of every exercise, by its key."""
    return {key: tables.solved(key.partition("/")[0])[key.partition("/")[2]] for key in KEYS}


def judge(key, message):
    return judging.judge(loaded(key.partition("/")[0]), exercise(key), message)


@pytest.fixture
def message(functions):
    return observe(exercise(KEY), functions["linear_backward"])


@pytest.mark.parametrize("key", KEYS)
def test_the_solution_has_full_marks(key, solved):
    verdict = judge(key, observe(exercise(key), solved[key]))
    assert (verdict.earned, verdict.reason) == (verdict.points, "")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "function",
    [None, lambda *args: None, lambda *args: args, lambda *args: 0.0, lambda *args: {}, lambda *args: []],
    ids=["missing", "returns None", "returns its arguments", "returns 0", "returns {}", "returns []"],
)
def test_a_function_that_does_nothing_earns_nothing(key, function):
    verdict = judge(key, observe(exercise(key), function))
    assert verdict.earned == 0
    assert verdict.reason


@pytest.mark.parametrize(("assignment", "points"), [("step-by-step", 100), ("application", 100), ("digits", 90)])
def test_points_of_an_assignment_are_a_hundred_with_the_written_answer(assignment, points):
    """The other ten points of `digits` are given by a person."""
    assert sum(row.points for row in loaded(assignment).exercises) == points


@pytest.mark.parametrize("key", KEYS)
def test_every_check_looks_at_something(key):
    """A prefix that fits no case or no output would make a check that cannot fail."""
    row = exercise(key)
    expected = loaded(row.assignment).expected(row)
    for check in row.checks:
        cases = [case for case in row.cases if not check.cases or case.name.startswith(check.cases)]
        assert cases
        for prefix in check.cases:
            assert any(case.name.startswith(prefix) for case in cases), prefix
        for prefix in check.outputs:
            assert not any(case.raises for case in cases), "nothing comes out of a call that raises"
            assert any(path.startswith(prefix) for case in cases for path in expected[case.name]), prefix
    names = [case.name for case in row.cases]
    assert len(names) == len(set(names))
    assert len([case for case in row.cases if not case.public]) >= 5


@pytest.mark.parametrize("key", KEYS)
def test_every_case_is_paid_for_by_some_check(key):
    """A case that no check reads would only look like a test."""
    row = exercise(key)
    for case in row.cases:
        assert any(not check.cases or case.name.startswith(check.cases) for check in row.checks if not check.untouched)


def test_partial_credit_names_what_is_wrong(functions):
    def unaveraged(dZ, cache):
        dA_prev, dW, db = functions["linear_backward"](dZ, cache)
        return dA_prev, dW * dZ.shape[1], db

    verdict = judge(KEY, observe(exercise(KEY), unaveraged))
    assert verdict.earned == 6
    assert verdict.reason.startswith("dW: all 15 entries wrong, yours has dW[0, 0] = 0.292555.")
    assert "right only with one example" in verdict.reason
    assert "average" in verdict.reason


def test_no_check_is_paid_by_one_lucky_example(functions):
    """The public numbers, written down, are worth nothing."""
    public = loaded(ASSIGNMENT).expected(exercise(KEY))[exercise(KEY).public_cases[0].name]
    verdict = judge(KEY, observe(exercise(KEY), lambda dZ, cache: tuple(public.values())))
    assert verdict.earned == 0


def test_a_function_that_spoils_its_inputs_loses_that_check_only(functions):
    def spoils(dZ, cache):
        result = functions["linear_backward"](dZ, cache)
        dZ *= 2
        return result

    verdict = judge(KEY, observe(exercise(KEY), spoils))
    assert verdict.earned == 9
    assert verdict.reason.startswith("inputs untouched: Your function changes its own input: dZ.")


def test_warnings_and_prints_cost_nothing(functions, capsys):
    def noisy(dZ, cache):
        print("hello")
        np.log(np.zeros(1))
        return functions["linear_backward"](dZ, cache)

    assert judge(KEY, observe(exercise(KEY), noisy)).earned == 10


def test_an_exception_is_told_with_the_students_line():
    verdict = judge(KEY, observe(exercise(KEY), lambda dZ, cache: dZ @ cache[0]))
    assert verdict.earned == 0
    assert "Your function stopped with ValueError: matmul" in verdict.reason


def test_an_endless_loop_is_stopped_and_the_rest_not_tried():
    def endless(dZ, cache):
        while True:
            pass

    message = observe(exercise(KEY), endless, call_timeout_s=0.2)
    assert len(message["observations"]) == 1
    verdict = judge(KEY, message)
    assert verdict.earned == 0
    assert "took longer than 0.2 s" in verdict.reason


def test_random_state_of_the_notebook_is_left_alone(functions):
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    observe(exercise("step-by-step/initialize_parameters"), functions["initialize_parameters"])
    assert np.array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize(
    "damage",
    [
        lambda m: None,
        lambda m: [],
        lambda m: "a string is the runner's own voice",
        lambda m: {},
        lambda m: m | {"defined": False},
        lambda m: m | {"observations": None},
        lambda m: m | {"observations": {}},
        lambda m: m | {"observations": [None, 3, "x", {"case": 4}, {"case": []}]},
        lambda m: m | {"observations": [o | {"outputs": None} for o in m["observations"]]},
        lambda m: m | {"observations": [o | {"outputs": {"dW": 1}} for o in m["observations"]]},
        lambda m: m | {"observations": [o | {"error": {"type": 1, "message": None}} for o in m["observations"]]},
        lambda m: m | {"observations": [o | {"timeout_s": "forever"} for o in m["observations"]]},
        lambda m: m | {"observations": [o | {"timeout_s": math.nan} for o in m["observations"]]},
        lambda m: m | {"earned": 10, "points": 10, "results": "all passed", "observations": []},
    ],
)
def test_a_malformed_message_earns_nothing_and_raises_nothing(message, damage):
    verdict = judge(KEY, damage(message))
    assert verdict.earned == 0
    assert verdict.reason


@pytest.mark.parametrize(
    "leaf",
    [
        None,
        7,
        {"shape": [3, 5], "data": "AAAA"},
        {"shape": [-1], "data": ""},
        {"shape": [True], "data": base64.b64encode(bytes(8)).decode()},
        {"shape": [1e9], "data": ""},
        {"shape": [1 << 19] * 8, "data": ""},
        {"shape": [1] * 50, "data": base64.b64encode(bytes(8)).decode()},
        {"shape": [1], "data": "not base64!"},
        {"shape": [1], "data": "é"},
        {"kind": ["a", "list"]},
    ],
)
def test_a_malformed_array_is_no_array(leaf):
    assert isinstance(observations._decode(leaf, None), NotNumbers)


def test_an_array_survives_the_way_there(message):
    encoded = message["observations"][0]["outputs"]["dW"]
    decoded = observations._decode(encoded, None)
    assert decoded.shape == (3, 5)
    assert decoded.dtype == np.float64


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_never_right(functions, value):
    def poisoned(dZ, cache):
        return tuple(np.full_like(array, value) for array in functions["linear_backward"](dZ, cache))

    assert judge(KEY, observe(exercise(KEY), poisoned)).earned == 0


# --- calls that should raise ------------------------------------------------------------------------------

RAISING = "digits/linear_activation_forward"


def with_unknown(solved, unknown):
    """The right function, but for what it does with an activation that it does not know."""

    def function(A_prev, W, B, activation):
        if activation in ("relu", "softmax"):
            return solved[RAISING](A_prev, W, B, activation)
        return unknown()

    return function


def raises(error):
    def unknown():
        raise error

    return unknown


def lost(solved, unknown):
    verdict = judge(RAISING, observe(exercise(RAISING), with_unknown(solved, unknown)))
    return [(result.name, result.reason) for result in verdict.results if not result.passed]


class OfItsOwn(ValueError):
    """A student may well be more exact than was asked for."""


@pytest.mark.parametrize("error", [ValueError("?"), ValueError(), UnicodeError("?"), OfItsOwn("?")])
def test_the_exception_that_was_asked_for_is_right_whatever_it_says(solved, error):
    assert lost(solved, raises(error)) == []


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        (lambda: None, "with 'tanh' your function should raise a ValueError."),
        (raises(KeyError("tanh")), "should raise a ValueError. Your function stopped with KeyError"),
        (raises(SystemExit()), "should raise a ValueError. Your function stopped with SystemExit"),
    ],
)
def test_another_exception_or_none_costs_that_check_only(solved, unknown, said):
    ((name, reason),) = lost(solved, unknown)

    assert name == "ValueError for any other activation"
    assert said in reason


def test_a_function_that_only_raises_earns_nothing():
    """The right exception is no merit in a function that can do nothing else."""

    def broken(A_prev, W, B, activation):
        raise ValueError("always")

    verdict = judge(RAISING, observe(exercise(RAISING), broken))

    assert verdict.earned == 0
    assert "always" in verdict.reason


@pytest.mark.parametrize("is_a", [None, "ValueError", {"ValueError": 1}, [["ValueError"]], 7])
def test_a_malformed_list_of_what_was_raised_is_not_believed(solved, is_a):
    message = observe(exercise(RAISING), solved[RAISING])
    for observation in message["observations"]:
        if "error" in observation:
            observation["error"]["is_a"] = is_a

    assert judge(RAISING, message).earned == 3


def test_a_case_that_should_raise_is_not_recorded_but_the_solution_is_held_to_it():
    row, table = exercise(RAISING), tables.table("digits")
    case = next(case for case in row.cases if case.raises)
    cases = table.cases[row.function], table.grading[row.function]
    live = next(one for where in cases for one in where.cases if one.name == case.name)

    assert loaded("digits").expected(row)[case.name] == {}
    for function in (lambda *args: None, lambda *args: 1 / 0):
        solutions = SimpleNamespace(solved={row.function: function}, assignment="digits")
        with pytest.raises(CourseError, match="the solution raises no ValueError"):
            outputs._must_raise(solutions, table.cases[row.function], live)


# --- what there is to say of several verdicts ---------------------------------------------------------------


def verdict(earned, reason="It is wrong.", key=KEY):
    """A verdict in which the first checks are passed, as many as are worth these points."""
    row, left, results = exercise(key), earned, []
    for check in row.checks:
        passed = left >= check.points
        left -= check.points * passed
        results.append(verdicts.CheckResult(check.name, check.points, passed, "" if passed else reason))
    assert left == 0
    return verdicts.Verdict(row, tuple(results))


def test_a_second_try_gives_the_points_that_it_earns_and_says_nothing_else():
    """Its words may hold what the references gave away."""
    final = verdicts.after_retry(verdict(0), verdict(4, "The reference says 42."), ["linear_forward"])
    assert (final.earned, final.follows, final.calls) == (4, ("linear_forward",), ())
    assert "42" not in final.reason
    assert "Part of it was the error of linear_forward, and costs nothing here." in final.reason


def test_a_function_that_is_right_by_itself_is_told_whose_error_it_was():
    final = verdicts.after_retry(verdict(0), verdict(10), ["linear_forward", "relu"])
    assert final.full
    assert final.reason == "linear_backward is right; the error comes from linear_forward and relu."


def test_a_function_that_is_wrong_with_right_helpers_too_keeps_its_own_reason():
    final = verdicts.after_retry(verdict(4, "Mine."), verdict(0, "Theirs."), ["relu"])
    assert (final.earned, final.follows, final.calls) == (4, (), ("relu",))
    assert "Mine." in final.reason
    assert "Theirs." not in final.reason
    assert "relu, which it uses, is wrong as well; that cost nothing here." in final.reason


def test_a_mistake_that_the_second_try_knows_is_the_functions_own():
    """Behind somebody else's error its own cannot be recognised, and yet it is what costs the points."""
    named = verdicts.NamedMistake("keys-off-by-one", "Which number has the input of layer l?")
    for earned in (0, 4):
        second = dataclasses.replace(verdict(earned), mistakes=(named,))
        final = verdicts.after_retry(verdict(0), second, ["linear_forward"])
        assert final.mistakes == (named,)
        assert "Which number has the input of layer l?" in final.reason


def test_points_of_the_first_try_are_never_taken_away_by_the_second():
    assert verdicts.after_retry(verdict(6), verdict(0), ["relu"]).earned == 6


def test_a_reason_is_one_line_per_cause_with_the_names_of_its_checks():
    final = verdict(4)
    assert final.reason == "db, dA_prev, inputs untouched: It is wrong."
    assert verdict(10).reason == ""


def test_an_answer_that_says_nothing_of_the_inputs_is_no_proof_that_they_are_untouched(message):
    for observation in message["observations"]:
        del observation["inputs"]
    lost = [result.name for result in judge(KEY, message).results if not result.passed]
    assert lost == ["inputs untouched"]
