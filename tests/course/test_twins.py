"""Twins of the three assignments: every draw is acceptable, and no right answer fails one."""

import pytest

from coursekit.authoring.mutation.harness import silence
from coursekit.marking import function_calls, judge
from coursekit.marking.twins import by_function
from coursekit.reference import twins
from coursekit.sandbox.guest import caller, codec
from tests.tables import ASSIGNMENTS, defined, importable, loaded, solved, table

NONCES = 3


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def drawn(request):
    """An assignment, and the twins of some runs by function."""
    with importable(request.param), silence():
        return request.param, [by_function(twins.draw(table(request.param), str(n))) for n in range(NONCES)]


def contradicted(assignment, function, target, runs):
    """The verdict on a function, and the twins of all runs that contradict it."""
    row = loaded(assignment).exercise(function)
    with silence(), importable(assignment):
        verdict = judge.judge(loaded(assignment), row, function_calls.observe(row, target))
        found = []
        for run in runs:
            cases = [(twin.name, tuple(codec.decode(one, codec.imported) for one in twin.arguments))
                     for twin in run[function]]  # fmt: skip
            message = caller.observe(target, row.outputs, row.inputs, cases)
            found += [twin.of for twin in judge.contradicted(row, verdict, message, run[function])]
    return verdict, found


def test_every_check_that_pays_has_a_twin(drawn):
    assignment, runs = drawn
    for row in loaded(assignment).exercises:
        for check in row.checks:
            covering = [twin for run in runs for twin in run[row.function] if check.covers(twin.of)]
            assert check.untouched or len(covering) >= NONCES * check.twins, (row.key, check.name)


def test_twins_differ_from_run_to_run(drawn):
    """Not each of them: of a network of zeros the answer is the same whatever goes in."""
    assignment, runs = drawn
    for row in loaded(assignment).exercises:
        assert len({str([twin.arguments for twin in run[row.function]]) for run in runs}) == NONCES, row.key


def test_no_right_answer_fails_a_twin(drawn):
    assignment, runs = drawn
    for answer in table(assignment).right_answers:
        source = answer.source(table(assignment).cells[answer.function])
        with importable(assignment):
            target = defined(f"{assignment}/{answer.function}", source)
        verdict, found = contradicted(assignment, answer.function, target, runs)
        assert verdict.full, str(answer)
        assert found == [], str(answer)


@pytest.mark.parametrize("digits", [3, 4, 5, 6])
def test_a_rounded_cost_is_wrong_in_recorded_cases(digits):
    """Else the twins of a run decide, and one submission gets other marks in another grading.

    Six digits are within the tolerance, except where the cost is small.
    """
    right = solved("step-by-step")["compute_cost"]
    row = loaded("step-by-step").exercise("compute_cost")
    message = function_calls.observe(row, lambda AL, Y: round(right(AL, Y), digits))
    verdict = judge.judge(loaded("step-by-step"), row, message)
    passed = {result.name for result in verdict.results if result.passed}
    assert passed == ({"value", "a single number", "inputs untouched"} if digits == 6 else set())


@pytest.mark.parametrize(
    "drawn",
    [name if name == "step-by-step" else pytest.param(name, marks=pytest.mark.nightly) for name in ASSIGNMENTS],
    indirect=True,
)
def test_the_verdict_on_a_mistake_does_not_depend_on_the_twins(drawn):
    """What it does right in the recorded cases, it does right."""
    assignment, runs = drawn
    for answer in table(assignment).mistakes:
        cell = table(assignment).cells[answer.function]
        if answer.misfit(cell):
            continue
        with importable(assignment):
            target = defined(f"{assignment}/{answer.function}", answer.source(cell))
        _, found = contradicted(assignment, answer.function, target, runs)
        assert found == [], str(answer)
