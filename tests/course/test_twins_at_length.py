"""Twins at length: twenty nonces for every answer that the course knows, and many draws for every right answer."""

import itertools
import json

import pytest

from benchmarks import twin_draws
from coursekit.authoring.mutation.harness import silence
from coursekit.authoring.mutation.trials import harness
from coursekit.marking import function_calls, graded_verdicts, judge
from coursekit.marking.twins import by_function
from coursekit.reference import twins
from coursekit.sandbox import isolation
from coursekit.sandbox.guest import caller, codec
from tests.attacks import Room, said
from tests.tables import ASSIGNMENTS, defined, importable, loaded, solved, table

pytestmark = pytest.mark.nightly

NONCES = 20
DRAWS = 200  # python -m benchmarks.twin_draws tries any number
MUTANTS_STEP = 15  # one mutant in so many
MUTANT_TIMEOUT_S = 1.0


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def drawn(request):
    """An assignment, and the twins of each run and those that decide where one contradicts, by function."""
    with importable(request.param), silence():
        return request.param, [by_function(twins.draw(table(request.param), str(n))) for n in range(NONCES)]


def told(assignment, function, target, runs, call_timeout_s=None):
    """Everything that is told about a function, once for each run: with the twins that the run has drawn."""
    row = loaded(assignment).exercise(function)
    with silence(), importable(assignment):
        verdict = judge.judge(loaded(assignment), row, function_calls.observe(row, target, call_timeout_s))
        for nonce, run in enumerate(runs):
            wrong = judge.contradicted(row, verdict, called(row, target, run[function], call_timeout_s), run[function])
            if wrong:
                names = [twin.of for twin in wrong for _ in range(2)]
                more = by_function(twins.draw(table(assignment), f"{nonce}/more", {function: names}))[function]
                decisive = judge.contradicted(row, verdict, called(row, target, more, call_timeout_s), more)
                yield text(judge.without(row, verdict, decisive))
            else:
                yield text(verdict)


def called(row, target, some, call_timeout_s):
    cases = [(twin.name, tuple(codec.decode(one, codec.imported) for one in twin.arguments)) for twin in some]
    return caller.observe(target, row.outputs, row.inputs, cases, call_timeout_s)


def text(verdict):
    row = graded_verdicts.of_verdict(verdict)
    return json.dumps(graded_verdicts.to_data(graded_verdicts.GradedVerdicts(exercises=(row,))), ensure_ascii=False)


def differing(assignment, runs, answers):
    """The names of those answers about which not every run tells the same."""
    tried, found = 0, []
    for name, function, source, timeout_s in answers:
        with importable(assignment):
            target = defined(f"{assignment}/{function}", source)
        tried += 1
        if len(set(told(assignment, function, target, runs, timeout_s))) > 1:
            found.append(name)
    assert tried > 10
    return found


def test_every_run_tells_the_same_about_right_answers_and_mistakes(drawn):
    assignment, runs = drawn
    about = table(assignment)
    answers = [
        (str(one), one.function, one.source(about.cells[one.function]), None)
        for one in (*about.right_answers, *about.mistakes)
        if not one.misfit(about.cells[one.function])
    ]
    assert differing(assignment, runs, answers) == []


def test_every_run_tells_the_same_about_solutions(drawn):
    assignment, runs = drawn
    for function in table(assignment).cases:
        (once,) = set(told(assignment, function, solved(assignment)[function], runs))
        (row,) = json.loads(once)["exercises"]
        assert row["earned"] == row["points"] > 0


def test_every_run_tells_the_same_about_mutants(drawn):
    assignment, runs = drawn
    with importable(assignment):
        mutants = [
            (f"{function}: {mutant.name}", function, mutant.source, MUTANT_TIMEOUT_S)
            for function in table(assignment).cases
            for mutant in itertools.islice(harness(table(assignment), function).mutants, 0, None, MUTANTS_STEP)
        ]
    assert differing(assignment, runs, mutants) == []


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_no_right_answer_fails_a_twin_of_many(assignment):
    with importable(assignment):
        tried = twin_draws.try_all(table(assignment), range(1000, 1000 + DRAWS))
    asked = [
        check for row in loaded(assignment).exercises for check in row.checks if not check.untouched and check.twins
    ]
    assert sum(many >= DRAWS for many in tried.drawn.values()) >= len(asked)
    assert tried.calls > DRAWS
    assert tried.failures == []


@pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")
def test_twenty_gradings_of_one_notebook_tell_the_same(course):
    """Each exercise has its first mistake of the catalogue; retries and their twins are in the text, too."""
    about = table("step-by-step")
    wrong = {}
    for one in about.mistakes:
        if not one.misfit(about.cells[one.function]):
            wrong.setdefault(one.function, one.source(about.cells[one.function]))
    half = dict(itertools.islice(wrong.items(), 0, None, 2))
    with Room(course, nonces=map(str, itertools.count()).__next__) as room:
        for answers in (wrong, half):
            marked = [room.mark(room.notebook(answers)) for _ in range(NONCES)]
            assert len({json.dumps(one.verdicts.nonces) for one in marked}) == NONCES
            texts = {said(one).replace(json.dumps(list(one.verdicts.nonces)), "") for one in marked}
            assert len(texts) == 1
