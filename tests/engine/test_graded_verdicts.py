"""Verdicts are read back as they were written, and whatever else a file holds becomes an empty value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.marking import graded_verdicts, verdicts
from coursekit.marking.graded_verdicts import MAX_CHARS, GradedVerdicts, WrittenAnswer
from tests.tables import exercise

ROW = exercise("step-by-step/linear_backward")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ENTRY = st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("grade_id", "function", "number", "points", "earned", "checks", "summary", "mistake", "mistakes", "follows",
     "look"), JSON
))  # fmt: skip


def read(data) -> GradedVerdicts:
    return graded_verdicts.of_notebook({graded_verdicts.METADATA: data})


def test_what_was_written_is_read_back():
    """Pages and reports say what the grader has found."""
    results = [
        verdicts.CheckResult(check.name, check.points, index > 0, "", "") for index, check in enumerate(ROW.checks)
    ]
    verdict = verdicts.Verdict(
        ROW, tuple(results), (verdicts.NamedMistake("flat", "A hint."),), calls=("linear_forward",)
    )
    graded = GradedVerdicts(
        "step-by-step",
        (graded_verdicts.of_verdict(verdict),),
        (WrittenAnswer("opinion", 10.0, True),),
        ("a note",),
        "none",
        {"opinion": "0123"},
    )
    assert read(json.loads(json.dumps(graded_verdicts.to_data(graded)))) == graded
    (one,) = graded.exercises
    assert (one.grade_id, one.function, one.number) == (ROW.grade_id, ROW.function, ROW.number)
    assert (one.points, one.earned, one.checks) == (verdict.points, verdict.earned, verdict.results)
    assert (one.mistakes, one.calls, one.follows) == (verdict.mistakes, ("linear_forward",), ())


@given(JSON | st.fixed_dictionaries({"version": JSON, "notes": JSON, "problem": JSON, "exercises": st.lists(ENTRY)}))
def test_whatever_a_file_holds_is_read_without_an_error(data):
    found = read(data)
    assert all(isinstance(one.earned, float) and isinstance(one.summary, str) for one in found.exercises)


@pytest.mark.parametrize("number", [10**400, float("nan"), float("inf"), "7", None])
def test_what_is_no_mark_counts_as_none(number):
    """Python reads integers of any size out of JSON, and NaN."""
    (one,) = read({"exercises": [{"points": number, "earned": number}]}).exercises
    assert (one.points, one.earned) == (0.0, 0.0)


def test_a_text_is_cut():
    """A page has bounded work, whatever a verdict quotes; what a worker of a cluster sends is not cut."""
    long = {"exercises": [{"summary": "x" * (MAX_CHARS + 1)}]}
    assert len(graded_verdicts.of_data(long, max_chars=None).exercises[0].summary) == MAX_CHARS + 1
    (one,) = read(long).exercises
    assert len(one.summary) == MAX_CHARS
