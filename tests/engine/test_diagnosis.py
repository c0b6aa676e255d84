"""A wrong function is named after the mistake whose outputs it gives, and after no other.

``tests/course/test_mistakes.py`` proves it of every answer of the catalogue, where it also judges them.
"""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from coursekit.marking import diagnosis, judge, observations
from coursekit.marking.function_calls import observe
from coursekit.marking.observations import Observation
from coursekit.marking.redaction import Redactor
from selfcheck import recordings
from selfcheck.comparison import compare
from selfcheck.likely_causes import WrongOutput, common_cause
from selfcheck.returned_values import NotNumbers
from tests import tables
from tests.patience import spends_at_most
from tests.tables import exercise, loaded

KEY = "step-by-step/linear_backward"
ROW = exercise(KEY)
HERE = loaded(ROW.assignment)


def seen(key, target):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return observations.parse(exercise(key).cases, observe(exercise(key), target))


def named(key, observed):
    """The name of the mistake that explains everything, or None."""
    found = recognised(key, observed)
    return found.mistakes[0].name if found.whole else None


def recognised(key, observed, assignment=None):
    row = exercise(key)
    here = loaded(row.assignment)
    return diagnosis.recognise(assignment or here, row, observed, here.expected(row))


def made(name, key=KEY):
    return seen(key, tables.wrong(key, name))


@pytest.fixture
def observed():
    return made("db-flat")


def test_a_function_that_is_not_written_has_no_name():
    def stub(dZ, cache):
        raise NotImplementedError("Exercise 7: linear_backward")

    assert named(KEY, seen(KEY, stub)) is None
    assert named(KEY, seen(KEY, None)) is None


def test_two_mistakes_at_once_are_named_after_none_that_was_not_made():
    both = ("    W_turned = W.T\n", "db = np.sum(dZ, axis=1) / m", "dW = A_prev @ dZ.T / m")
    source = (
        "def linear_backward(dZ, cache):\n    A_prev, W, b = cache\n    m = dZ.shape[1]\n"
        f"{both[0]}    {both[1]}\n    {both[2]}\n    return W_turned @ dZ, dW, db\n"
    )

    assert named(KEY, seen(KEY, tables.defined(KEY, source))) is None


# --- hostile --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "leaf",
    [
        np.zeros((0,)),
        np.zeros((1 << 10, 1 << 7)),
        np.full((3, 5), np.nan),
        np.full((3, 5), np.inf),
        np.full((3, 5), 1e308),
        np.full((1,) * 8, 5e-324),
        np.float64(3).reshape(()),
        NotNumbers("x" * 300),
    ],
    ids=lambda leaf: str(getattr(leaf, "shape", "no numbers")),
)
def test_odd_values_have_no_name_and_raise_nothing(observed, leaf):
    """Also no warning: tests run with warnings as errors."""
    for path in ("dW", "db", "dA_prev"):
        odd = {case: Observation({**one.outputs, path: leaf}, one.inputs) for case, one in observed.items()}
        assert named(KEY, odd) is None
    assert named(KEY, dict.fromkeys(observed, Observation({"": leaf}))) is None


@pytest.mark.parametrize(
    "one",
    [
        Observation(None, problem="no result arrived."),
        Observation(None, problem="a call took longer than 2 s and was stopped: is there a loop without an end?"),
        Observation(None, problem="Your function stopped with", raised=("ValueError",)),
        Observation(None, problem="(" * 300, raised=("ValueError" * 30, "")),
        Observation(None, problem="Your function stopped with X: " + "` at `" * 50, raised=("KeyError",)),
        Observation({}),
        Observation({"dW" * 100: np.zeros(2)}),
    ],
)
def test_odd_cases_have_no_name_and_raise_nothing(observed, one):
    assert named(KEY, dict.fromkeys(observed, one)) is None
    assert named(KEY, {**observed, "example": one}) is None


def test_nothing_seen_has_no_name():
    assert named(KEY, {}) is None
    assert named(KEY, {"no such case": Observation({"dW": np.zeros(2)})}) is None


def test_infinite_and_undefined_numbers_can_be_a_mistakes_own():
    """The logarithm of a probability of exactly 0 is what some forget to think of."""
    assert named("digits/compute_cost", made("not-clipped", "digits/compute_cost")) == "not-clipped"


def test_an_input_that_was_not_changed_is_not_a_change_in_place(observed):
    """The outputs of a function that only spoils its inputs are right: what it did to the inputs must tell."""
    spoilt = made("divided-in-place")
    kept = {case: Observation(one.outputs) for case, one in spoilt.items()}

    assert named(KEY, spoilt) == "divided-in-place"
    assert named(KEY, kept) is None


# --- the recording ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["missing", "not a recording"])
def test_without_a_recording_nothing_has_a_name(tmp_path, observed, damage):
    """Grading goes on: a hint is not worth a class without marks."""
    if damage != "missing":
        (tmp_path / recordings.NAME).write_text("junk")

    assert recognised(KEY, observed, replace(HERE, hidden=tmp_path)).mistakes == ()


def test_a_new_recording_is_read_though_an_older_one_was_in_use(tmp_path, observed):
    path = tmp_path / recordings.NAME
    path.write_bytes((HERE.hidden / recordings.NAME).read_bytes())
    assert recognised(KEY, observed, replace(HERE, hidden=tmp_path)).mistakes[0].name == "db-flat"

    path.write_text("junk")

    assert recognised(KEY, observed, replace(HERE, hidden=tmp_path)).mistakes == ()


def test_an_answer_takes_less_than_two_milliseconds():
    """For a class of a thousand."""
    wrong = seen(KEY, lambda dZ, cache: (cache[1].T @ dZ, 3 * cache[1], cache[2]))
    assert named(KEY, wrong) is None

    with spends_at_most(50 * 0.002):
        for _ in range(50):
            recognised(KEY, wrong)


# --- several mistakes, and causes --------------------------------------------------------------------------------


def backward(changes, key=KEY):
    """The solution of linear_backward with these texts of it replaced."""
    source = tables.table(ROW.assignment).cells["linear_backward"]
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return tables.defined(key, source)


def changes_of(*names):
    rows = {row.name: row for row in tables.table(ROW.assignment).mistakes if row.function == "linear_backward"}
    return [change for name in names for change in rows[name].changes]


def test_two_mistakes_at_once_are_both_named():
    both = seen(KEY, backward(changes_of("db-flat", "dW-not-averaged")))
    found = recognised(KEY, both)
    assert not found.whole
    assert {one.name for one in found.mistakes} == {"db-flat", "dW-not-averaged"}
    hints = {one.hint for one in found.mistakes}
    verdict = judge.judge(HERE, ROW, observe(ROW, backward(changes_of("db-flat", "dW-not-averaged"))))
    assert hints <= set(verdict.reason.split("\n"))


def test_a_mistake_beside_one_that_has_no_name_is_named():
    (change,) = changes_of("db-flat")
    odd = seen(KEY, backward([change, ("W.T @ dZ", "W.T @ dZ + 7")]))
    assert [one.name for one in recognised(KEY, odd).mistakes] == ["db-flat"]


def test_a_function_that_changes_its_parameters_and_returns_them_made_no_shallow_copy():
    key = "step-by-step/update_parameters"
    source = (
        "def update_parameters(params, grads, learning_rate):\n    for name in params:\n"
        "        params[name] = params[name] - learning_rate * grads['d' + name]\n    return params\n"
    )
    assert named(key, seen(key, tables.defined(key, source))) == "no-copy"


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ((2, 3), "X is exactly 2 times too large, and there are 2 examples: is the average over the examples missing?"),
        ((2, 2), "X is exactly 2 times too large."),
        ((2, 5), ""),
        ((2, 1), ""),
    ],
)
def test_a_cause_is_told_only_if_every_wrong_case_agrees_with_it(factors, said):
    """The first case has as many examples as its wrong factor: by itself that is no evidence."""
    wrong = []
    for m, factor in zip((2, 3), factors, strict=True):
        expected = {"X": np.arange(1.0, 1 + 2 * m).reshape(2, m)}
        got = {"X": expected["X"] * factor + (factor == 1)}
        (finding,) = compare(expected, got)
        wrong.append(WrongOutput(finding, expected, got, {}, m))
    assert common_cause(wrong) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("dW = np.max(0, dZ)", "np.maximum compares two of them"),
        ("dW = math.log(dZ)", "np.log takes a whole array"),
        ("dW = [].append(1).append(2)", "append changes the list itself and returns None"),
        ("dW = 'W' + 1", "str(l) makes a text of a number"),
        ("dW = cache > 0.5", "unpacked first"),
        ("dW = np.sum(dZ, axes=1)", "no argument of this name"),
        ("dW = sum(dZ, axis=1)", "no argument of this name"),
        ("dW = {**cache}", "A tuple stands where a dict is needed"),
        ("pass", "is a line missing"),
    ],
)
def test_an_exception_says_what_it_means_in_grading_too(line, said):
    source = f"def linear_backward(dZ, cache):\n    import math\n    {line}\n    return dA_prev, dW, db\n"
    verdict = judge.judge(HERE, ROW, observe(ROW, tables.defined(KEY, source)), Redactor.of([source]))
    assert said in verdict.reason


def test_the_quoted_line_is_one_of_the_function_under_test_and_the_inner_one_is_named():
    source = (
        "def helper(dZ):\n    return dZ + np.zeros((7, 7, 7, 9))\n"
        "def linear_backward(dZ, cache):\n    wrong = helper(dZ)\n    return wrong, wrong, wrong\n"
    )
    reason = judge.judge(HERE, ROW, observe(ROW, tables.defined(KEY, source)), Redactor.of([source])).reason
    assert "at `wrong = helper(dZ)`, inside helper." in reason
    assert "np.zeros" not in reason
