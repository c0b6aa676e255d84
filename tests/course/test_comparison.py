"""How values are set beside the recorded ones, and what is said about them: never a word that is not so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from selfcheck.comparison import OutputComparison, changed, compare
from selfcheck.likely_causes import likely_cause
from selfcheck.returned_values import NotNumbers, flatten, kind
from selfcheck.tolerance import ATOL, RTOL

numbers = st.floats(-1e3, 1e3, allow_nan=False)
matrices = arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=numbers)
names = st.sampled_from(["W1", "b1", "dA0", "caches", "AL"])
DW = np.array([[0.5, -1.25, 2.0], [-0.75, 3.0, 0.1]])  # (2, 3)


def rng(seed=5):
    return np.random.RandomState(seed)


# --- flatten ----------------------------------------------------------------------------------------------


def test_flatten_names_every_leaf_by_its_place():
    """The names are what a student reads, so they must be what a student would write."""
    value = (np.ones((2, 3)), [((1.5, np.zeros(2)), None)], {"W1": np.ones(1)})

    flat = flatten(value, ("AL", "caches", "grads"))

    assert list(flat) == ["AL", "caches[0][0][0]", "caches[0][0][1]", "caches[0][1]", 'grads["W1"]']
    assert flat["caches[0][0][0]"] == 1.5
    assert flat["caches[0][1]"] == NotNumbers("None (is there a return, and does every branch set the value?)")


def test_flatten_takes_the_keys_of_a_dict_as_names():
    assert list(flatten({"W1": np.ones(2), "b1": [[1.0], [2.0]]})) == ["W1", "b1[0]", "b1[1]"]


@given(
    st.dictionaries(
        names,
        st.recursive(
            numbers,
            lambda inner: st.lists(inner, min_size=1, max_size=3) | st.tuples(inner, inner),
            max_leaves=8,
        ),
        max_size=3,
    )
)
@settings(max_examples=60, deadline=None)
def test_every_leaf_is_found_by_evaluating_its_name(value):
    """An independent oracle for the names: Python itself evaluates them."""
    for path, leaf in flatten(value).items():
        np.testing.assert_array_equal(leaf, eval(path, {}, dict(value)))


@given(matrices)
@settings(max_examples=30, deadline=None)
def test_a_tuple_and_a_list_are_the_same_to_flatten(matrix):
    """A pair returned as a list costs nobody a point."""
    one, other = (
        flatten((matrix, (1, matrix)), ("A", "cache")),
        flatten([matrix, [1, matrix]], ("A", "cache")),
    )

    assert list(one) == list(other)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None (is there"),
        (np.ones((2, 3)), "an array of shape (2, 3)"),
        ((1, 2), "a tuple with 2 entries"),
        ([np.ones(2)], "a list with 1 entry"),
        ({}, "an empty dict"),
        (0.5, "a single number"),
        ("Z", "a value of type str"),
    ],
)
def test_what_does_not_fit_the_names_becomes_one_leaf_that_says_what_it_is(value, expected):
    flat = flatten(value, ("dA_prev", "dW", "db"))

    assert list(flat) == [""]
    assert kind(flat[""]).startswith(expected)


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (np.array([[1.0, None]], dtype=object), "an array of shape (1, 2) of objects"),
        (np.array([[1j, 2.0]]), "an array of shape (1, 2) of complex numbers"),
        (np.array(["a"]), "an array of shape (1,) of text"),
        ([], "an empty list"),
        (object(), "a value of type object"),
        (abs, "a value of type builtin_function_or_method"),
        (list(range(501)), "a list with 501 entries"),
    ],
)
def test_what_is_not_an_array_of_numbers_is_described(value, described):
    """Nothing that a function can return may stop a test with an error of ours."""
    assert flatten(value, "Z") == {"Z": NotNumbers(described)}


@pytest.mark.parametrize(
    "value",
    [
        np.float32(2.0),
        2,
        True,
        np.int8(2),
        np.array(2.0),
        np.ma.masked_array([[1.0, 2.0]]),
        np.ones((1, 2)).view(np.matrix),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_holds_numbers_is_an_ordinary_array(value):
    leaf = flatten(value, "cost")["cost"]

    assert type(leaf) is np.ndarray
    assert leaf.dtype.kind in "biuf"


def test_a_list_that_holds_itself_comes_to_an_end():
    endless = [1.0, "x"]
    endless[1] = endless

    assert any(isinstance(leaf, NotNumbers) for leaf in flatten(endless, "caches").values())


def test_flatten_does_not_copy_an_array():
    """A student's array may be larger than the memory that is left."""
    huge = np.broadcast_to(np.float64(1.0), (10**6, 10**6))

    assert np.shares_memory(flatten((huge,), ("Z",))["Z"], huge)


# --- compare ----------------------------------------------------------------------------------------------


@given(matrices)
@settings(max_examples=60, deadline=None)
def test_the_same_numbers_are_right_in_any_order_of_summing(matrix):
    wanted = {"Z": matrix @ np.ones((matrix.shape[1], 1))}
    summed = np.zeros((len(matrix), 1))
    for column in reversed(range(matrix.shape[1])):
        summed[:, 0] += matrix[:, column]

    assert [finding.problem for finding in compare(wanted, {"Z": summed})] == [""]


@given(matrices, st.data())
@settings(max_examples=100, deadline=None)
def test_the_first_wrong_entry_is_found_and_counted(matrix, data):
    """The oracle is a plain loop over the entries."""
    wrong = data.draw(arrays(bool, matrix.shape))
    have = np.where(wrong, matrix + 1.0, matrix)

    (finding,) = compare({"Z": matrix}, {"Z": have})

    places = [index for index in np.ndindex(*matrix.shape) if wrong[index]]
    assert bool(finding.problem) == bool(places)
    assert finding.index == (places[0] if places else None)
    if places:
        assert (finding.want, finding.have) == (matrix[places[0]], have[places[0]])
        assert finding.largest == pytest.approx(1.0)
        if matrix.size > 1:
            assert (
                f"{len(places)} of {matrix.size}" if len(places) < matrix.size else f"all {matrix.size}"
            ) in finding.problem


@pytest.mark.parametrize("value", [1.0, -40.0, 1e-3])
def test_the_tolerance_lies_where_it_says(value):
    """Half a tolerance is right, two are wrong, on both sides."""
    for sign in (-1, 1):
        near, far = (
            value + sign * 0.5 * (ATOL + RTOL * abs(value)),
            value + sign * 2 * (ATOL + RTOL * abs(value)),
        )
        (right,), (wrong,) = (compare({"x": np.array(value)}, {"x": np.array(have)}) for have in (near, far))
        assert not right.problem
        assert wrong.problem == "wrong"


def test_a_tolerance_of_its_own_can_be_asked_for():
    want, have = {"cost": np.array(0.5)}, {"cost": np.array(0.5 + 1e-6)}

    assert compare(want, have)[0].problem
    assert not compare(want, have, rtol=1e-5)[0].problem


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_wrong(bad):
    (finding,) = compare({"Z": np.ones((2, 3))}, {"Z": np.array([[1.0, 1, 1], [1, bad, 1]])})

    assert finding.index == (1, 1)


@pytest.mark.parametrize(
    ("have", "said"),
    [
        (np.ones((3, 2)), "should have shape (2, 3), yours has shape (3, 2)"),
        (np.ones(6), "should have shape (2, 3), yours has shape (6,)"),
        (np.array(1.0), "should have shape (2, 3), yours is a single number"),
        (
            NotNumbers("a list with 3 entries"),
            "should be an array of shape (2, 3), yours is a list with 3 entries",
        ),
    ],
)
def test_shape_comes_before_value(have, said):
    (finding,) = compare({"dW": DW}, {"dW": have})

    assert finding.problem == said
    assert finding.sentence == f"dW {said}"
    assert finding.index is None


def test_a_matrix_with_one_entry_is_no_number():
    (strict,) = compare({"cost": np.array(0.5)}, {"cost": np.array([[0.5]])})
    (forgiving,) = compare({"cost": np.array(0.5)}, {"cost": np.array([[0.5]])}, any_shape=True)

    assert strict.problem == "should be a single number, yours has shape (1, 1)"
    assert not forgiving.problem
    assert forgiving.shape == (1, 1)


def problems(expected, got):
    """The sentences about a structure, from values and not from flat dicts."""
    findings = compare(flatten(expected, ("AL", "caches")), flatten(got, ("AL", "caches")))
    return [finding.sentence for finding in findings if finding.problem]


LAYER = ((DW, DW), DW)


@pytest.mark.parametrize(
    ("caches", "said"),
    [
        ([LAYER], "caches should have 2 entries, yours has 1"),
        ([LAYER] * 3, "caches should have 2 entries, yours has 3"),
        ([], "caches should be a tuple or list of 2, yours is an empty list"),
        (DW, "caches should be a tuple or list of 2, yours is an array of shape (2, 3)"),
        ([LAYER, DW], "caches[1] should be a tuple or list of 2, yours is an array of shape (2, 3)"),
        ([LAYER, ((DW,), DW)], "caches[1][0] should have 2 entries, yours has 1"),
        ([LAYER, ((DW, [DW]), DW)], "caches[1][0][1] should be an array of shape (2, 3), yours is a list or "
                                   "tuple with 1 entry"),
        ({"a": LAYER, "b": LAYER}, "caches should be a tuple or list of 2, yours is a dict with 2 entries"),
    ],
)  # fmt: skip
def test_a_wrong_structure_is_told_once_and_at_its_outermost_place(caches, said):
    """Twelve lines about twelve arrays hide that one list is too short."""
    assert problems((DW, [LAYER, LAYER]), (DW, caches)) == [said]


def test_right_structures_of_either_kind_are_right():
    assert problems((DW, [LAYER, LAYER]), [DW, (list(LAYER), LAYER)]) == []


def test_a_missing_key_is_told_with_the_keys_that_are_there():
    (finding,) = [f for f in compare({"W1": DW, "b1": DW}, {"W1": DW, "W2": DW}) if f.problem]

    assert finding.sentence == "b1 is missing; there is W1 and W2"


def test_more_keys_than_expected_cost_nothing():
    assert not any(f.problem for f in compare({"dW1": DW}, flatten({"dW1": DW, "dAL": DW, "L": 2, "note": "mine"})))


def test_a_wrong_number_of_returned_values_is_one_finding():
    expected = {"dA_prev": DW, "dW": DW, "db": DW}

    (finding,) = compare(expected, flatten((DW, DW), tuple(expected)))

    assert finding.sentence == "should return dA_prev, dW and db; it returns a tuple with 2 entries"


# --- changed ----------------------------------------------------------------------------------------------


def after(change):
    """Names of the inputs that ``change`` has changed in a dict of parameters and a list of caches."""
    inputs = ({"W1": DW.copy(), "b1": np.ones((2, 1))}, [LAYER, LAYER], 0.1)
    before = flatten(inputs, ("params", "caches", "rate"))
    before = {path: np.copy(leaf) for path, leaf in before.items()}
    change(*inputs)
    return changed(before, flatten(inputs, ("params", "caches", "rate")))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda params, caches, rate: None, []),
        (lambda params, caches, rate: params["W1"].__isub__(1e-9), ['params["W1"]']),
        (lambda params, caches, rate: params.update(b1=params["b1"] + 1), ['params["b1"]']),
        (lambda params, caches, rate: params.pop("b1"), ['params["b1"]']),
        (lambda params, caches, rate: params.update(W2=DW), ['params["W2"]']),
        (lambda params, caches, rate: caches.pop(), ["caches"]),
        (lambda params, caches, rate: caches.append(LAYER), ["caches"]),
        (lambda params, caches, rate: caches.clear(), ["caches"]),
        (lambda params, caches, rate: caches.__setitem__(0, DW), ["caches[0]"]),
    ],
)
def test_every_change_of_an_input_is_named(change, named):
    """Also the smallest one, and also a key that was added."""
    assert after(change) == named


# --- causes: right where they speak, and silent elsewhere -------------------------------------------------


def cause(want, have, *, m=None, inputs=None, others=None):
    """What is said about ``dW`` when it should be ``want``."""
    expected = {"dW": np.asarray(want), **(others or {})}
    got = {"dW": np.asarray(have)}
    (finding,) = [finding for finding in compare(expected, got) if finding.path == "dW"]
    assert finding.problem
    return likely_cause(finding, expected, got, flatten(inputs or {}), m)


COLUMN = np.array([[0.5], [-2.0], [3.0]])


@pytest.mark.parametrize(
    ("want", "have", "m", "said"),
    [
        (DW, DW.T, 5, "rows and columns exchanged"),
        (COLUMN, COLUMN.ravel(), 5, "is flat: (3,) and (3, 1)"),
        (COLUMN, np.array(1.5), 5, "single number"),
        (COLUMN, np.ones((1, 5)), 5, "one entry per example (m = 5)"),
        (COLUMN, np.ones((3, 5)), 5, "one column per example (m = 5)"),
        (np.array(0.5), np.array([[0.5]]), 5, "an array with 2 axes"),
        (np.array(0.5), np.ones((1, 5)), 5, "a sum over all entries is missing"),
        (DW, DW * 5, 5, "exactly 5 times too large, and there are 5 examples"),
        (DW, DW / 5, 5, "exactly 5 times too small, and there are 5 examples"),
        (DW, -DW * 5, 5, "5 times too large, with the wrong sign"),
        (DW, -DW, 5, "wrong sign everywhere"),
        (DW, DW * 100, None, "exactly 100 times too large."),
        (DW, DW * 5 / 3, 5, "looks as if it was divided by 3, but there are 5 examples."),
        (DW, DW / np.log(10), 5, "base 10"),
        (np.array(0.5), np.array(0.5 / np.log(2)), 5, "base 2"),
        (DW, np.abs(DW), 5, "but for the sign of some"),
        (DW, DW * 0, 5, "all zeros"),
        (DW, np.where(DW > 0, DW, 0), 5, "but for entries of 0"),
        (np.where(DW > 0, DW, 0), DW, 5, "the entries that should be 0"),
        (DW, np.where(DW > 1, np.nan, DW), 5, "not finite"),
        (DW[:, :2], DW[:, :2].T, 5, "transposed"),
        (DW, np.abs(DW) + 0.3, 5, "No entry of dW is negative"),
    ],
)  # fmt: skip
def test_a_cause_is_named_where_the_numbers_show_it(want, have, m, said):
    assert said in cause(want, have, m=m)


def test_an_output_in_the_wrong_place_is_recognised():
    assert cause(DW, COLUMN @ COLUMN.T, others={"dW2": COLUMN @ COLUMN.T}) == ""  # other shape: nothing said
    assert cause(DW, DW + 1, others={"dW2": DW + 1}) == "dW holds what should be in dW2."


def test_an_input_handed_back_is_recognised():
    assert cause(DW, DW + 1, inputs={"params": {"W1": DW + 1}}) == 'dW is the same as the input params["W1"].'


@pytest.mark.parametrize(
    ("factor", "said"), [(-1, "is b left out?"), (1, "once too often?"), (-2, "with the wrong sign")]
)
def test_an_input_left_out_or_counted_twice_is_recognised(factor, said):
    """Also when it is added by broadcasting, as a bias is."""
    b = np.array([[0.3], [0.7]])

    text = cause(DW, DW + factor * b, inputs={"A": rng().randn(3, 3), "b": b})

    assert said in text
    assert " b" in text


@given(
    arrays(float, (3, 4), elements=st.floats(0.1, 9)),
    arrays(float, (3, 4), elements=st.floats(0.1, 9)),
)
@settings(max_examples=100, deadline=None)
def test_unrelated_numbers_get_no_cause(want, have):
    """Better to say less: a wrong guess sends a student after the wrong mistake for an hour."""
    signs = np.array([[1, -1, 1, -1]] * 3)
    noise = rng(1).rand(3, 4)  # keeps Hypothesis from drawing multiples
    want, have = want * signs + noise, (have + np.sqrt(2) * noise) * -signs

    assert cause(want, have, m=4, inputs={"A": rng(2).randn(3, 4), "b": rng(3).randn(3, 1)}) == ""


@pytest.mark.parametrize(
    ("want", "have", "m"),
    [
        (DW, np.ones((6, 1)), 5),  # as many entries, but neither flat nor exchanged
        (DW, np.ones((4, 4)), 4),
        (DW, np.ones((2, 5)), 3),
        (COLUMN, np.ones((1, 4)), 5),  # not one per example
        (DW, DW * 2.39947, 5),  # a ratio that means nothing
        (DW, DW * 1.25, 3),
        (DW, DW + 0.125, 5),
        (np.ones((1, 1)), np.zeros((1, 1)), 5),
        (np.zeros((2, 3)), DW, 5),  # all should be 0: no part of it is right
    ],
)  # fmt: skip
def test_nothing_is_said_where_nothing_is_known(want, have, m):
    assert cause(want, have, m=m) == ""


@given(matrices.filter(lambda a: a.size > 1 and np.abs(a).max() > 1e-3), st.integers(2, 9))
@settings(max_examples=60, deadline=None)
def test_the_factor_m_is_found_for_any_array(matrix, m):
    """A division by m that is missing, and one too many."""
    assert f"{m} times too large" in cause(matrix, matrix * m, m=m)
    assert f"{m} times too small" in cause(matrix, matrix / m, m=m)


@given(matrices, matrices, st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_a_cause_never_holds_an_expected_number(want, have, m):
    """The grader shows causes for hidden cases: only shapes, m and small whole factors may stand in them."""
    expected, got = {"dW": want + np.pi}, {"dW": have}
    (finding,) = compare(expected, got)

    text = f"{finding.sentence} {likely_cause(finding, expected, got, {}, m) if finding.problem else ''}"

    assert not any(f"{value:.5g}" in text for value in expected["dW"].flat)


def test_a_finding_writes_its_entry_as_python_does():
    assert OutputComparison("dW", index=(0, 2)).entry == "dW[0, 2]"
    assert OutputComparison("cost", index=()).entry == "cost"


# --- what the training exercises return -------------------------------------------------------------------


@pytest.mark.parametrize(
    "costs",
    [[0.7, 0.5], (0.7, 0.5), np.array([0.7, 0.5]), [np.array(0.7), np.float64(0.5)], [np.squeeze([[0.7]]), 0.5]],
)
def test_costs_may_be_numbers_of_any_kind(costs):
    """A cost may be an array without axes, and so may those in a list."""
    expected = flatten(({"W1": np.ones((1, 2))}, [0.7, 0.5]), ("parameters", "costs"))

    got = flatten(({"W1": np.ones((1, 2))}, costs), ("parameters", "costs"))

    assert list(got) == ['parameters["W1"]', "costs"]
    assert not any(finding.problem for finding in compare(expected, got))


def test_a_matrix_in_a_list_of_costs_is_no_number():
    (finding,) = compare({"costs": np.array([0.7])}, flatten([np.array([[0.7]])], "costs"))

    assert finding.problem == "should be an array of shape (1,), yours is a list or tuple with 1 entry"


@pytest.mark.parametrize("nothing", [[], np.array([]), np.array([], dtype=int)])
def test_no_numbers_in_a_list_are_no_numbers_in_an_array(nothing):
    (finding,) = compare({"wrong": np.array([], dtype=int)}, flatten(nothing, "wrong"))

    assert not finding.problem


@pytest.mark.parametrize(
    ("something", "said"),
    [
        ([3], "should have shape (0,), yours has shape (1,)"),
        (
            None,
            "should be an array of shape (0,), yours is None (is there a return, and does every branch set the value?)",
        ),
        ({}, "should be an array of shape (0,), yours is an empty dict"),
    ],
)
def test_something_where_nothing_is_right(something, said):
    (finding,) = compare({"wrong": np.array([], dtype=int)}, flatten(something, "wrong"))

    assert finding.problem == said


def test_an_empty_list_where_numbers_belong_is_wrong():
    (finding,) = compare({"costs": np.array([0.7])}, flatten([], "costs"))

    assert finding.problem == "should be an array of shape (1,), yours is an empty list"


def test_a_missing_key_deep_inside_is_told_with_its_neighbours():
    """What stands beside it helps; that there are caches at all does not."""
    caches = [{"linear_cache": np.ones(2), "activation_cache": np.ones(3)}]
    expected = flatten([{**caches[0], "batchnorm_cache": np.ones(3)}], "caches")

    wrong = [finding for finding in compare(expected, flatten(caches, "caches")) if finding.problem]

    assert [finding.sentence for finding in wrong] == [
        'caches[0]["batchnorm_cache"] is missing; there is linear_cache and activation_cache'
    ]


def test_a_share_of_the_examples_is_not_called_divided_by_another_number():
    """20 of 40 and 16 of 40 have a simple ratio by chance."""
    expected, got = {"accuracy": np.array(0.5)}, {"accuracy": np.array(0.4)}
    (finding,) = compare(expected, got)

    assert likely_cause(finding, expected, got, {}, 40) == ""
