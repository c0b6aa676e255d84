"""The catalogue: no mistake keeps its marks, no right answer loses any, and no hint gives an answer away.

And each is named: a wrong function after the mistake whose outputs it gives, and after no other. Every answer is tried
once, in all of its cases, and what a probe sees of it then is judged and named.
"""

import base64
import functools
import itertools
import re
from dataclasses import replace

import mistakes
import numpy as np
import pytest
from hidden_tests import TABLE

from coursekit import notebooks, recording, stubs
from coursekit.marking import diagnosis, observations
from coursekit.marking.judge import judge
from selfcheck import known_mistakes
from tests.course import answers
from tests.course.answers import COURSE, KEYS, cell_of, function, namespace, observed, verdict

STYLES = mistakes.styles()
STYLED = answers.rows("step-by-step")  # the assignment of which there are whole submissions


# --- the rows ---------------------------------------------------------------------------------------------


def test_the_catalogue_is_large_enough():
    """As many as were asked for, and some for every exercise."""

    def count(rows, key):
        return len([row for row in rows if row.exercise.startswith(key)])

    for assignment, wrong, right, each in (
        ("step-by-step", 45, 25, 10),
        ("application", 20, 5, 5),
        ("digits", 45, 10, 5),
    ):
        assert count(mistakes.MISTAKES, f"{assignment}/") >= wrong
        assert count(mistakes.RIGHT_ANSWERS, f"{assignment}/") >= right
        for name in answers.rows(assignment):
            assert len([m for m in mistakes.MISTAKES if m.exercise == f"{assignment}/{name}"]) >= each
            assert [a for a in mistakes.RIGHT_ANSWERS if a.exercise == f"{assignment}/{name}"]


def test_names_are_kebab_case_and_used_once():
    changes = [*mistakes.MISTAKES, *mistakes.RIGHT_ANSWERS]

    assert len({str(change) for change in changes}) == len(changes)
    assert all(change.exercise in TABLE for change in changes)
    assert all(re.fullmatch(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*", change.name) for change in changes)
    assert all(mistakes.find(change.exercise, change.name) is change for change in changes)


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError, match="linear_forward:no-such-mistake"):
        mistakes.find("step-by-step/linear_forward", "no-such-mistake")


@pytest.mark.parametrize(
    "cell", ["def linear_backward(dZ, cache):\n    pass\n", 2 * cell_of("step-by-step/linear_backward")]
)
def test_a_change_that_no_longer_fits_says_so(cell):
    """Whoever betters a solution must hear which rows to adapt, not see tests fail for odd reasons."""
    mistake = mistakes.find("step-by-step/linear_backward", "db-flat")

    with pytest.raises(ValueError, match=r"mistakes.py\[step-by-step/linear_backward:db-flat\].*(0|2) times"):
        mistakes.apply(mistake, cell)


def test_a_change_touches_nothing_else():
    mistake = mistakes.find("step-by-step/linear_backward", "db-along-units")

    changed = mistakes.apply(mistake, cell_of(mistake.exercise))

    assert changed == cell_of(mistake.exercise).replace("axis=1", "axis=0")


# --- mistakes ---------------------------------------------------------------------------------------------


RANDOM = "step-by-step/initialize_parameters:seed-removed"  # other numbers in every call: nothing to compare with


@functools.cache
def alike(key):
    """Mistakes that give the same as an earlier one of the table in all cases, and which that is."""
    rtol, known = TABLE[key].public.rtol, known_mistakes.read(COURSE.root / recording.MISTAKE_FILES[1], key)
    return {
        late.name: early.name
        for early, late in reversed([*itertools.combinations(known, 2)])
        if all(
            early.cases[case].agrees(replace(late.cases[case], own=None), rtol)  # which object it is, no probe can see
            for case in early.cases.keys() & late.cases.keys()
        )
    }


def brief(row, hidden=True):
    """The exercise without the trainings whose iterations are as many as by default: thousands."""
    public, more = row.public, row.hidden if hidden else ()
    if row.assignment == "application":
        public = replace(public, cases=tuple(case for case in public.cases if not case.name.endswith("by default")))
        more = tuple(case for case in more if not case.name.endswith("by default"))
    return replace(row, public=public, hidden=more)


@pytest.mark.parametrize("mistake", mistakes.MISTAKES, ids=str)
def test_a_mistake_loses_marks_and_is_named_and_told_why(mistake):
    """With every other function right, so that nothing else can be the reason.

    It is named from what a probe sees, the hidden cases included; of two that give the same the first one is.
    Thousands of iterations are left out: fewer of them show what is wrong.
    """
    row = brief(TABLE[mistake.exercise])
    seen = observed(row, answers.answer(mistake))

    marks = judge(row, seen, COURSE)

    assert 0 <= marks.earned < marks.points
    assert all(result.reason for result in marks.results if not result.passed)
    assert own_numbers_only(marks.reason, row, seen)
    name = None if str(mistake) == RANDOM else alike(mistake.exercise).get(mistake.name, mistake.name)
    assert (marks.mistake and marks.mistake.name) == name


def test_few_mistakes_give_the_same_as_another():
    """Otherwise their names would prove little. These two are one function, written in two ways."""
    assert alike("application/predict") == {"rounded-up": "zero-as-threshold"}
    assert sum(len(alike(key)) for key in KEYS) < 15


def own_numbers_only(reason, row, seen):
    """Whether each number with decimals in a reason is one that the function itself returned."""
    own = {
        f"{float(value):.6g}" for case in row.cases for value in case.extra if isinstance(value, float)
    }  # its arguments
    for observation in seen["observations"]:
        for leaf in observation.get("outputs", {}).values():
            if "data" in leaf:
                own |= {f"{value:.6g}" for value in np.frombuffer(base64.b64decode(leaf["data"]), "<f8")}
    return set(re.findall(r"-?\d+\.\d{3,}(?:e[-+]\d+)?", reason)) <= own


def test_the_check_for_numbers_of_others_can_fail():
    """A test that cannot fail proves nothing: the expected number in a reason is caught."""
    mistake = mistakes.find("step-by-step/linear_backward", "not-averaged")
    row = TABLE[mistake.exercise]
    seen = observed(row, answers.answer(mistake))

    assert own_numbers_only("yours is 0.292555", row, seen)
    assert not own_numbers_only("it should be 0.0731387, yours is 0.292555", row, seen)


@pytest.mark.parametrize("key", KEYS)
def test_leans_on_names_the_graded_functions_that_a_solution_calls(key):
    """Worked out from the code: directly, through another graded function, or as the value of an argument."""
    functions = answers.solved(TABLE[key].assignment)
    graded = answers.rows(TABLE[key].assignment)

    def called(name):
        given = {value.__name__ for value in functions[name].__defaults__ or () if callable(value)}
        direct = {*functions[name].__code__.co_names, *given} & set(graded)
        return direct.union(*(called(other) for other in direct))

    assert set(TABLE[key].leans_on) == called(TABLE[key].function)
    assert len(set(TABLE[key].leans_on)) == len(TABLE[key].leans_on)


# One mistake per exercise that changes values everywhere.
FAR_REACHING = {
    "step-by-step/initialize_parameters": "not-scaled",
    "step-by-step/initialize_parameters_deep": "not-scaled",
    "step-by-step/linear_forward": "bias-subtracted",
    "step-by-step/linear_activation_forward": "activations-exchanged",
    "step-by-step/L_model_forward": "sigmoid-everywhere",
    "step-by-step/compute_cost": "sign-lost",
    "step-by-step/linear_backward": "not-averaged",
    "step-by-step/linear_activation_backward": "activations-exchanged",
    "step-by-step/L_model_backward": "sign-lost",
    "step-by-step/update_parameters": "uphill",
    "application/prepare_images": "not-scaled",
    "application/two_layer_model": "update-thrown-away",
    "application/L_layer_model": "update-thrown-away",
    "application/predict": "opposite-answers",
    "application/mislabelled": "right-ones",
    "digits/initialize_parameters": "not-scaled",
    "digits/linear_forward": "bias-forgotten",
    "digits/relu": "absolute-value",
    "digits/softmax": "along-the-rows",
    "digits/linear_activation_forward": "activations-exchanged",
    "digits/apply_batchnorm": "not-centred",
    "digits/l_model_forward": "always-normalised",
    "digits/compute_cost": "sign-lost",
    "digits/linear_backward": "not-averaged",
    "digits/relu_backward": "turned-round",
    "digits/softmax_backward": "averaged",
    "digits/linear_activation_backward": "activations-exchanged",
    "digits/batchnorm_backward": "not-divided",
    "digits/l_model_backward": "sign-lost",
    "digits/update_parameters": "uphill",
    "digits/l_layer_model": "update-thrown-away",
    "digits/predict": "share-of-wrong-ones",
}


@pytest.mark.parametrize("key", KEYS)
def test_a_mistake_reaches_the_exercises_that_lean_on_it_and_no_other(key):
    """Judged with the student's own helpers; a function that calls the wrong one fails with it.

    In the public cases only: these mistakes show in every one.
    """
    rows = {name: brief(row, hidden=False) for name, row in answers.rows(TABLE[key].assignment).items()}
    variables = namespace(mistakes.find(key, FAR_REACHING[key]))

    lost = {name for name, row in rows.items() if not judge(row, observed(row, variables[name]), COURSE).full}

    name = TABLE[key].function
    assert lost == {name} | {other for other, row in rows.items() if name in row.leans_on}


# --- right answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", mistakes.RIGHT_ANSWERS, ids=str)
def test_a_right_answer_keeps_full_marks_and_has_no_name(answer):
    row = TABLE[answer.exercise]
    seen = observed(row, answers.answer(answer))

    marks = judge(row, seen, COURSE)

    assert marks.earned == marks.points, marks.reason
    assert diagnosis.recognise(COURSE, row, observations.read(row, seen)) is None


@pytest.mark.parametrize("style", STYLES)
def test_a_whole_submission_in_one_style_keeps_full_marks(style):
    """Every exercise in the style, each leaning on the others as the student wrote them."""
    assert set(STYLES[style]) == set(STYLED)
    variables = namespace(*STYLES[style].values())

    lost = {name: verdict(name, variables[name]).reason for name in STYLED}

    assert lost == dict.fromkeys(STYLED, "")


def test_there_are_three_styles_and_they_differ_everywhere():
    assert len(STYLES) == 3
    for name, row in STYLED.items():
        sources = {mistakes.apply(style[name], cell_of(row.key)) for style in STYLES.values()}
        assert len(sources | {cell_of(row.key)}) == 4, name


@pytest.mark.parametrize("key", KEYS)
def test_the_solution_earns_all_and_the_blank_nothing(key):
    row = TABLE[key]
    blank = function(stubs.blank(cell_of(key), row.assignment), key)

    seen = observed(row, answers.solved(row.assignment)[row.function])
    right, empty = judge(row, seen, COURSE), verdict(key, blank)

    assert (right.earned, right.reason) == (row.points, "")
    assert diagnosis.recognise(COURSE, row, observations.read(row, seen)) is None
    assert empty.earned == 0
    assert empty.reason.rstrip(".") == f"Exercise {row.public.number}: {row.function} is not written yet"


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_function_earns_nothing(key):
    row = TABLE[key]

    assert judge(row, observed(row, None), COURSE).earned == 0


NONSENSE = (None, 0.123, [], np.full((3, 1), np.nan), (1, 2, 3))
NEARLY_NONSENSE = (0.0, {}, (), "Z", np.zeros((3, 1)), (None, None), {"W1": None})  # what some mistake may give


@pytest.mark.parametrize("key", KEYS)
def test_nonsense_earns_nothing_has_no_name_and_is_told_what_it_is(key):
    """Whatever comes back, the judge has a verdict and a reason in words."""
    for number, result in enumerate((*NONSENSE, *NEARLY_NONSENSE)):
        marks = verdict(key, lambda *args, result=result: result)

        assert marks.earned == 0, result
        assert marks.reason, result
        assert marks.mistake is None or number >= len(NONSENSE), result


# --- hints ------------------------------------------------------------------------------------------------


def solution_pieces(key):
    """Lines of the solution, and what stands to the right of an equals sign in them, without spaces."""
    source = cell_of(key)
    blank = stubs.blank(source, TABLE[key].assignment)
    for line in source.splitlines():
        code = line.partition("#")[0].strip()
        if code and code not in blank:
            yield from {code.replace(" ", ""), code.partition(" = ")[2].replace(" ", "")} - {""}


@pytest.mark.parametrize("key", KEYS)
def test_a_hint_is_a_sentence_that_does_not_give_the_answer(key):
    """It names the cause; the line to write stays the student's to find."""
    pieces = {piece for piece in solution_pieces(key) if len(piece) > 4}
    for mistake in mistakes.of(key):
        bare = mistake.hint.replace(" ", "")

        assert mistake.hint[0].isupper() or mistake.hint.startswith(
            ("np.", "db ", "dW ", "dA", "linear_", "range ", "grads ")
        ), mistake
        assert mistake.hint[-1] in ".?", mistake
        assert 30 <= len(mistake.hint) <= 160, mistake
        assert not any(piece in bare for piece in pieces), mistake
        assert not any(len(old.strip()) > 6 and old.strip() in mistake.hint for old, _ in mistake.changes), mistake


@pytest.mark.parametrize("key", KEYS)
def test_what_the_student_did_is_one_line(key):
    for mistake in mistakes.of(key):
        assert "\n" not in mistake.what, mistake
        assert mistake.what[0].islower() or mistake.what.startswith(("W", "Z", "A", "X")), mistake
        assert not mistake.what.endswith("."), mistake


def test_a_whole_notebook_of_answers_still_has_its_markers():
    """The demo hands the answers in as cells: they must look like what a student leaves behind."""
    for change in (*mistakes.MISTAKES, *mistakes.RIGHT_ANSWERS):
        original = cell_of(change.exercise)
        source = mistakes.apply(change, original)
        assert source != original
        assert source.count(notebooks.BEGIN_SOLUTION) == original.count(notebooks.BEGIN_SOLUTION)
        assert change.function in notebooks.defined_functions(source)
