"""Mutants: what they change, which of them a table of cases lets through, and that none of ours does for no reason."""

import ast
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from coursekit.authoring.checks import acceptance_mutants
from coursekit.authoring.checks.findings import Source
from coursekit.authoring.mutation import harness as harness_module
from coursekit.authoring.mutation import inputs, mutants
from coursekit.authoring.mutation.harness import MutantResult, MutationHarness
from coursekit.reference.process import ReferencePool
from tests import tables
from tests.classroom import ROOT
from tests.patience import until
from tests.processes import descendants, kill, parents
from tests.tables import ASSIGNMENTS, KEYS, loaded

STEP = '''
def step(x, y, rate=0.5):
    """What it does."""
    x = x - rate * y  # downhill
    if y is not None and x > 0:
        print("positive", x)
    return x, y
'''
LOOP = """
def total(values, names):
    sums = {}
    for l in range(1, len(values)):
        sums[f"W{l}"] = np.sum(values[l - 1].T, axis=1, keepdims=True)
        sums[f"b{l}"] = values[l].copy()
    if "W1" not in names:
        raise ValueError(f"no {names}")
    return sums
"""


def harness(key, without=()):
    """The exercise on a bench, as if nobody had thought of the cases whose names begin so."""
    assignment, _, function = key.partition("/")
    table, here = tables.table(assignment), loaded(assignment)
    kept = tuple(case for case in here.exercise(function).cases if not case.name.startswith(without))
    names, live = {case.name for case in kept}, table.cases[function]
    cases = tuple(case for case in (*live.cases, *table.grading[function].cases) if case.name in names)
    part = replace(here, exercises=(harness_module._with_cases(here.exercise(function), kept),))
    return MutationHarness(part, replace(live, cases=cases), table.cells[function], tables.solved(assignment))


def changes(source, function):
    """The mutants of a function: the code of each by its name."""
    return {mutant.name: mutant.source for mutant in mutants.of_function(source, function)}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("1 0.5 -> 1.0", "def step(x, y, rate=1.0):"),
        ("2 x - rate * y -> x + rate * y", "x = x + rate * y"),
        ("2 rate * y -> rate / y", "x = x - rate / y"),
        ("2 rate * y -> rate", "x = x - rate"),
        ("2 x - rate * y -> rate * y - x", "x = rate * y - x"),
        ("2 x - rate * y -> x.T - rate * y", "x = x.T - rate * y"),
        ("2 rate -> y", "x = x - y * y"),
        ("2 in place: x = x - rate * y", "x -= rate * y"),
        ("5 (x, y) -> (y, x)", "return (y, x)"),
        ("5 (x, y) -> x", "return x"),
    ],
)
def test_a_mutant_says_what_it_changes(name, line):
    """The name is what an author has to go by; the line counts without docstring and comments."""
    assert f"\n{line}\n" in f"\n{changes(STEP, 'step')[name]}\n".replace("\n    ", "\n")


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("3 1 -> 0", "range(0, len(values))"),
        ("3 len(values) -> values", "range(1, values)"),
        ("3 range(1, len(values)) -> reversed(range(1, len(values)))", "in reversed(range(1, len(values))):"),
        ("3 without the last: for l in range(1, len(values)):", "in list(range(1, len(values)))[:-1]:"),
        ("4 l - 1 -> l", "np.sum(values[l].T, axis=1"),
        ("4 values[l - 1].T -> values[l - 1]", "np.sum(values[l - 1], axis=1"),
        ("4 axis=1 -> axis=0", "axis=0, keepdims=True"),
        ("4 axis=1 -> axis=None", "axis=None, keepdims=True"),
        ("4 dropped: keepdims=True", ".T, axis=1)"),
        ("4 np.sum -> np.mean", "np.mean(values[l - 1].T"),
        ("4 f'W{l}' -> f'b{l}'", "sums[f'b{l}'] = np.sum"),
        ("4 l -> l + 1", "sums[f'W{l + 1}']"),
        ("5 values[l].copy() -> values[l]", "sums[f'b{l}'] = values[l]\n"),
        ("5 out of the loop: sums[f'b{l}'] = values[l].copy()", "\n    sums[f'b{l}'] = values[l].copy()"),
        ("6 negated: if 'W1' not in names:", "if not 'W1' not in names:"),
        ("6 'W1' not in names -> 'W1' in names", "if 'W1' in names:"),
        ("7 deleted: raise ValueError(f'no {names}')", "pass"),
        ("8 sums -> names", "return names"),
        ("8 deleted: return sums", "ValueError(f'no {names}')"),
    ],
)
def test_loops_indices_keywords_and_texts_are_changed_too(name, piece):
    code = changes(LOOP, "total")[name]
    assert piece in code.replace('"', "'")


def test_mutants_are_distinct_code_and_never_the_function_itself():
    for source, function in ((STEP, "step"), (LOOP, "total")):
        found = changes(source, function)
        assert len(found) > 30
        assert len(set(found.values())) == len(found)
        assert mutants.bare(source, function) not in found.values()
        assert all(ast.parse(code).body[0].name == function for code in found.values())


def test_what_is_only_told_is_not_mutated():
    """What is printed, and the words of an exception, are not judged."""
    assert not [name for name in changes(STEP, "step") if name.startswith(("3 ", "4 "))]
    assert {name for name in changes(LOOP, "total") if name.startswith("7 ")} == {
        "7 deleted: raise ValueError(f'no {names}')"
    }


def test_names_stay_when_only_words_change():
    """A better docstring must not make the list of equivalent mutants wrong."""
    longer = STEP.replace("What it does.", "What it does.\n\n    At length.\n    ").replace("  # downhill", "")
    assert changes(longer, "step") == changes(STEP, "step")


def test_a_cell_without_the_function_is_told():
    with pytest.raises(ValueError, match="no function other"):
        mutants.of_function(STEP, "other")


# --- drawn calls ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["step-by-step/L_model_forward", "digits/apply_batchnorm", "digits/l_layer_model"])
def test_drawn_calls_are_new_and_always_the_same(key):
    one = harness(key)
    drawn = list(inputs.draw(one.live_exercise, key, 60, one.solution))
    assert drawn == list(inputs.draw(one.live_exercise, key, 60, one.solution))
    assert len({str(case.make) for case in drawn}) == 60
    assert not [case for case in drawn if case.make in [known.make for known in one.live_exercise.cases]]
    assert len(one.calls(60)) > 40  # the solution has an answer to nearly all of them


# --- tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "names", "name"),
    [
        ("digits/relu_backward", "zeros", "3 Z > 0 -> Z >= 0"),
        ("application/predict", "one half", "3 AL > 0.5 -> AL >= 0.5"),
    ],
)
def test_a_missing_case_lets_a_mutant_survive(key, names, name):
    """The gate can fail: without the case that was made for it, a wrong comparison keeps full marks."""
    strong, weak = harness(key), harness(key, names)
    (mutant,) = [mutant for mutant in strong.mutants if mutant.name == name]
    assert strong.result(mutant).killed
    survivor = weak.result(mutant)
    assert not survivor.killed
    assert "entries wrong with seed=" in survivor.difference
    assignment, _, function = key.partition("/")
    listed = {function: {name: "somebody thought so"}}
    (found,) = acceptance_mutants.judged(assignment, [asdict(survivor)], listed, complete=False)
    assert (found.code, found.where) == ("G710", key)
    assert found.what.startswith(f"mutant {name!r} keeps full marks, but differs: ")


def test_a_loop_without_an_end_and_a_hunger_for_memory_are_killed(monkeypatch):
    monkeypatch.setattr(harness_module, "CALL_TIMEOUT_S", 0.2)
    one = harness("digits/relu")
    endless, hungry = "while True:\n        pass", "return np.zeros(1 << 48), Z"
    for body in (endless, hungry):
        assert one.result(mutants.Mutant("mine", f"def relu(Z):\n    {body}")).killed


def test_a_mutant_with_an_input_changed_in_place_is_killed():
    one = harness("step-by-step/update_parameters")
    in_place = [mutant for mutant in one.mutants if " in place: " in mutant.name]
    assert len(in_place) == 2
    assert all(one.result(mutant).killed for mutant in in_place)


def test_the_solution_is_like_itself_and_a_mistake_is_not():
    one = harness("step-by-step/linear_backward")
    assert not one.loses(one.solution)
    assert one.difference(one.solution) == ""

    def forgets_the_average(dZ, cache):
        dA_prev, dW, db = one.solution(dZ, cache)
        return dA_prev, dW * dZ.shape[1], db

    assert one.difference(forgets_the_average).startswith("dW: all ")


def test_a_run_in_processes_gives_what_a_run_here_gives(course):
    """One process more or less changes no outcome, and every mutant has exactly one."""
    key, function = "digits/softmax", "softmax"
    one = harness(key)
    with ReferencePool(course.root, "digits", 2) as pool:
        (known,) = pool.ask("mutants", [{"function": function}])
        numbers = range(known["count"])
        pieces = [list(numbers[start : start + 7]) for start in range(0, len(numbers), 7)]
        tried = pool.ask("try mutants", ({"function": function, "which": piece, "calls": 40} for piece in pieces))
    outcomes = [MutantResult(**outcome) for piece in tried for outcome in piece]
    assert outcomes == [one.result(mutant, 40) for mutant in one.mutants]
    assert known["equivalent"] == tables.table("digits").equivalent[function]
    assert {outcome.name for outcome in outcomes if not outcome.killed} == set(known["equivalent"])


def test_the_gate_tries_every_mutant_of_every_exercise_once(course):
    """In pieces; with a list of equivalents that has one entry too few, and one too many."""

    class Asked:
        def ask(self, question, each):
            return [self.answer(question, **given) for given in each]

        def answer(self, question, function, which=()):
            if question == "mutants":
                return {"count": 45, "equivalent": {f"{function} 7": "a reason", f"{function} 99": "a reason"}}
            return [
                {"function": function, "name": f"{function} {n}", "killed": n not in (7, 44), "difference": ""}
                for n in which
            ]

    source = Source("digits", course.source("digits"), "here", None, loaded("digits").exercises[:2])
    findings, figure = acceptance_mutants.check(source, Asked())
    assert figure == "90 mutants: 86 killed, 2 surviving, 2 proved equivalent"
    first, second = (f"digits/{row.function}" for row in source.exercises)
    where = "hidden/digits/equivalents.py"
    assert [(found.code, found.where) for found in findings] == [
        ("G710", first),
        ("G710", second),
        ("G711", f"{where}[{source.exercises[0].function}]"),
        ("G711", f"{where}[{source.exercises[1].function}]"),
    ]
    assert acceptance_mutants.check(source, Asked(), every=5)[1].startswith("18 mutants (one in 5): ")


def test_a_run_that_is_killed_leaves_no_process_behind():
    """``coursekit check`` may be stopped in the middle, by anything."""
    source = """
from pathlib import Path
from coursekit.reference.process import ReferencePool
with ReferencePool(Path.cwd(), "digits", 2) as pool:
    (known,) = pool.ask("mutants", [{"function": "l_layer_model"}])
    print("ready", flush=True)
    pool.ask("try mutants", [{"function": "l_layer_model", "which": list(range(known["count"]))}] * 2)
"""
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout.readline() == "ready\n"
        started = descendants(running.pid)
        assert started
        kill(running.pid)
        until(lambda: not started & set(parents()))


def test_the_stray_seed_is_not_one_of_ours():
    """A function that forgets to seed itself must meet other numbers than the right ones."""
    one = harness("step-by-step/initialize_parameters")
    (mutant,) = [mutant for mutant in one.mutants if mutant.name == "2 deleted: np.random.seed(1)"]
    np.random.seed(1)
    assert one.result(mutant).killed


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_equivalent_has_a_reason_and_an_exercise(assignment):
    equivalent = tables.table(assignment).equivalent
    assert equivalent.keys() <= {row.function for row in loaded(assignment).exercises}
    assert all(len(reason) > 20 for names in equivalent.values() for reason in names.values())


@pytest.mark.parametrize(
    ("outcome", "listed", "code", "what"),
    [
        (MutantResult("f", "1 x -> y", True), True, "G711", "'1 x -> y' loses marks now"),
        (MutantResult("f", "1 x -> y", False), False, "G710", "no call was found on which it differs"),
        (MutantResult("f", "1 x -> y", False, "Z wrong with m=1"), True, "G710", "but differs: Z wrong with m=1"),
        (MutantResult("f", "2 x -> y", True), True, "G711", "there is no mutant '1 x -> y' any more"),
        (MutantResult("f", "1 x -> y", True), False, "", ""),
        (MutantResult("f", "1 x -> y", False), True, "", ""),
    ],
)
def test_the_list_of_equivalents_has_to_be_complete_and_true(outcome, listed, code, what):
    findings = acceptance_mutants.judged("a", [asdict(outcome)], {"f": {"1 x -> y": "a reason"} if listed else {}})
    assert [finding.code for finding in findings] == ([code] if code else [])
    assert all(what in finding.what for finding in findings)


def test_a_sample_does_not_complain_of_what_was_not_tried():
    assert acceptance_mutants.judged("a", [], {"f": {"1 x -> y": "a reason"}}, complete=False) == []


@pytest.mark.parametrize("key", KEYS)
def test_parts_of_an_exercise_have_all_of_its_cases(key):
    """The early exit must not forget a case, and full marks mean the whole exercise."""
    one, row = harness(key), tables.exercise(key)
    *parts, whole = one._partial_exercises
    assert one.exercise == whole == row
    assert {case.name for part in parts for case in part.cases} == {case.name for case in row.cases}
    assert [case.name for case in one.live_exercise.cases] == [case.name for case in row.cases]
