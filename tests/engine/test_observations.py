"""A probe's message is read as data: whatever is malformed counts as not returned, and nothing of it raises."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from coursekit.marking import observations
from coursekit.marking.redaction import Redactor
from coursekit.sandbox.guest import codec
from selfcheck.returned_values import NotNumbers, kind
from tests.tables import exercise

ROW = exercise("step-by-step/linear_forward")
FIRST, SECOND = (case.name for case in ROW.cases[:2])
QUOTER = Redactor.of(["def linear_forward(A, W, b):\n    return Z, cache\n"])


def read(redactor=QUOTER, **fields):
    """What is seen of the first case when its observation has these fields."""
    return observations.parse(ROW.cases, {"observations": [{"case": FIRST, **fields}]}, redactor)[FIRST]


@settings(max_examples=100, deadline=None)
@given(arrays.arrays(st.sampled_from(["<f8", "<f4", "<i8", "|b1", "|u1"]), arrays.array_shapes(min_dims=0, max_dims=4)))
def test_an_array_survives_the_way_out(array):
    encoded = json.loads(json.dumps(codec.leaf(array, kind)))
    decoded = observations._decode(encoded, QUOTER)
    assert decoded.shape == array.shape
    assert np.array_equal(decoded, array.astype(float), equal_nan=True)


def test_there_is_one_observation_for_every_case_of_ours_and_no_other():
    seen = observations.parse(
        ROW.cases, {"observations": [{"case": "my own", "outputs": {}}, {"case": FIRST, "outputs": {}}]}
    )
    assert list(seen) == [case.name for case in ROW.cases]
    assert seen[FIRST].outputs == {}
    assert seen[SECOND].problem == "no result arrived."


def test_of_two_answers_to_one_case_one_counts():
    twice = {"observations": [{"case": FIRST, "error": {}}, {"case": FIRST, "outputs": {}}]}
    assert observations.parse(ROW.cases, twice)[FIRST].outputs == {}


def test_cases_behind_a_hang_are_told_as_not_tried():
    seen = observations.parse(ROW.cases, {"observations": [{"case": FIRST, "timeout_s": 2}]})
    assert "longer than 2 s" in seen[FIRST].problem
    assert seen[SECOND].problem == "not tried, because an earlier call took too long."


def test_an_exception_is_told_as_far_as_it_may_be():
    message = "cannot reshape array of size 4 into shape (3,1)"
    error = {"type": "ValueError", "is_a": ["ValueError", "Exception"], "message": message, "line": "return Z, cache"}
    seen = read(error=error)
    assert seen.raised == ("ValueError", "Exception")
    assert seen.problem == (
        "Your function stopped with ValueError: cannot reshape array of size 4 into shape (3,1) at `return Z, cache`."
    )
    secret = "0.123456789"
    hidden = read(error={"type": f"E{secret}", "is_a": [], "message": secret, "line": secret})
    assert hidden.problem == "Your function stopped with an exception."
    assert secret in read(redactor=None, error=error | {"message": secret}).problem


def test_an_exception_whose_name_may_not_be_told_is_told_as_what_it_is():
    """NumPy's own MemoryError has a name with an underscore; "an exception" would help nobody."""
    error = {"type": "_ArrayMemoryError", "is_a": ["_ArrayMemoryError", "MemoryError", "Exception"], "message": "x"}
    assert read(error=error).problem == "Your function stopped with MemoryError."


def test_names_that_may_not_be_told_are_left_out():
    seen = read(
        outputs={"Z": {"kind": "a value of type Secret"}, "secret": {"kind": "an empty list"}, "": {"kind": "x"}}
    )
    assert seen.outputs == {"Z": NotNumbers(observations.SOMETHING), "": NotNumbers(observations.SOMETHING)}


@pytest.mark.parametrize(
    "shape", [[0, 1001], [0] * 7, [1 << 20, 0], [-1], [1.0], ["1"], [None], [[1]], [10**30, 0], [True]]
)
def test_a_shape_says_nothing_that_no_numbers_fill(shape):
    assert isinstance(observations._decode({"shape": shape, "data": ""}, QUOTER), NotNumbers)


@pytest.mark.parametrize("shape", [[0], [1, 0], [0, 3]])
def test_no_numbers_at_all_are_an_array_all_the_same(shape):
    assert observations._decode({"shape": shape, "data": ""}, QUOTER).shape == tuple(shape)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = st.sampled_from(
    ["outputs", "inputs", "error", "timeout_s", "shape", "data", "kind", "type", "is_a", "Z", "case"]
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_FIELDS, _JSON, max_size=5), st.dictionaries(_FIELDS, _JSON, max_size=5))
def test_nothing_that_a_message_says_raises(fields, inner):
    item = {**fields, "outputs": {"Z": inner, **inner}, "case": FIRST}
    for one in (item, fields | {"case": FIRST}, {"case": FIRST, "error": inner}):
        seen = observations.parse(ROW.cases, {"observations": [one, inner]}, QUOTER)
        assert set(seen) == {case.name for case in ROW.cases}
        assert all(len(observation.problem) < 800 for observation in seen.values())


@pytest.mark.parametrize("data", ["", "AAAA", "====", "A" * 15, "\x00", "é", base64.b64encode(bytes(9)).decode()])
def test_data_that_does_not_fill_its_shape_is_no_array(data):
    assert isinstance(observations._decode({"shape": [1], "data": data}, QUOTER), NotNumbers)
