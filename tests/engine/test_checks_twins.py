"""Findings about twins: checks whose results are guessed, and checks whose twins decide nothing."""

import numpy as np
import pytest

from coursekit.authoring.checks import twins as about_twins
from coursekit.marking.retries import _decides_alone
from coursekit.model.exercise import Check
from coursekit.reference.rows import Grading
from coursekit.reference.table import Table
from coursekit.reference.varieties import varieties
from selfcheck.exercises import Case, Exercise
from tests.tables import loaded


def numbers(seed=1, m=3, fixed=False):
    """Random numbers, or always the same."""
    return (np.ones((1, m)) if fixed else np.random.RandomState(seed).randn(1, m),)


FUNCTIONS = {
    "all of them": lambda X: X * 2,
    "whether the first is positive": lambda X: X[:, :1] > 0,
    "how many": lambda X: np.array(X.size),
}


def found(what, check, case, course):
    """The codes and remedies for one exercise with one check and one case."""
    exercise = Exercise(1, "toy", numbers, ("X",), ("Y",), (case,), "", "")
    table = Table(course, "toys", {"toy": exercise}, {"toy": Grading("toy", (check,))}, {})
    table.__dict__["solution_namespace"] = {"toy": FUNCTIONS[what]}  # the cached property: there is no notebook
    rows = [finding for one in varieties(table) for finding in about_twins._of_check("exercises.py", one)]
    return [(row.code, row.remedy) for row in rows]


def test_a_check_of_many_different_results_is_fine(course):
    assert found("all of them", Check("Y", 1), Case("example"), course) == []


def test_a_yes_or_no_needs_more_twins(course):
    """Half of all guesses at one are right; with as many as the finding says, there is no finding."""
    ((code, remedy),) = found("whether the first is positive", Check("Y", 1), Case("example"), course)
    assert code == "E314"
    enough = int(remedy.partition("`twins=")[2].partition("`")[0])
    assert 6 <= enough <= 14  # thirty draws of a coin
    assert found("whether the first is positive", Check("Y", 1, twins=enough), Case("example"), course) == []


@pytest.mark.parametrize("case", [Case("fixed", {"fixed": True}), Case("example")], ids=["inputs", "results"])
def test_twins_that_are_always_the_same_are_found(course, case):
    what = "all of them" if case.make else "how many"
    assert [code for code, _ in found(what, Check("Y", 1), case, course)] == ["E315"]
    assert found(what, Check("Y", 1, twins=0), case, course) == []


def test_no_twins_are_for_results_that_never_vary_only(course):
    assert [code for code, _ in found("all of them", Check("Y", 1, twins=0), Case("example"), course)] == ["E315"]


@pytest.mark.parametrize("check", [Check("same", 1, untouched=True), Check("Y", 1, cases=("raises",))])
def test_checks_without_twins_of_values_are_left_out(course, check):
    """They pay only beside another check."""
    assert found("all of them", check, Case("raises", raises="ValueError"), course) == []


def test_a_retry_keeps_the_cases_of_a_check_without_twins():
    """Without a case and without a twin, the check would pass whatever the function does."""
    row = loaded("application").exercise("predict")
    kept = {case.name for case in row.cases if _decides_alone(row, case)}
    assert kept == {"one half"}
