"""The catalogue: no mistake keeps its marks, no right answer loses any, and no hint gives an answer away."""

import base64
import contextlib
import io
import re
import warnings

import numpy as np
import pytest

import mistakes
from coursekit import notebooks, stubs
from coursekit.marking.judge import judge
from coursekit.marking.probe import observe
from hidden_tests import TABLE
from tests.course import answers
from tests.course.answers import COURSE, KEYS, cell_of, function, namespace, verdict

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


@pytest.mark.parametrize("mistake", mistakes.MISTAKES, ids=str)
def test_a_mistake_loses_marks_and_is_told_why(mistake):
    """With every other function right, so that nothing else can be the reason."""
    row = TABLE[mistake.exercise]
    seen = observed(row, answers.answer(mistake))

    marks = judge(row, seen, COURSE)

    assert 0 <= marks.earned < marks.points
    assert all(result.reason for result in marks.results if not result.passed)
    assert own_numbers_only(marks.reason, row, seen)


def observed(row, target):
    """What a probe sees; all that follows is worked out from this one run."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return observe(row, target)


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
    """Judged with the student's own helpers; a function that calls the wrong one fails with it."""
    rows = answers.rows(TABLE[key].assignment)
    variables = namespace(mistakes.find(key, FAR_REACHING[key]))

    lost = {name for name, row in rows.items() if verdict(row.key, variables[name]).earned < row.points}

    name = TABLE[key].function
    assert lost == {name} | {other for other, row in rows.items() if name in row.leans_on}


# --- right answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", mistakes.RIGHT_ANSWERS, ids=str)
def test_a_right_answer_keeps_full_marks(answer):
    marks = verdict(answer.exercise, answers.answer(answer))

    assert marks.earned == marks.points, marks.reason


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

    right, empty = verdict(key, answers.solved(row.assignment)[row.function]), verdict(key, blank)

    assert (right.earned, right.reason) == (row.points, "")
    assert empty.earned == 0
    assert empty.reason.rstrip(".") == f"Exercise {row.public.number}: {row.function} is not written yet"


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_function_earns_nothing(key):
    row = TABLE[key]

    assert judge(row, observe(row, None), COURSE).earned == 0


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "result", [None, 0.0, {}, [], (), "Z", np.zeros((3, 1)), (1, 2, 3), (None, None), {"W1": None}]
)
def test_nonsense_earns_nothing_and_is_told_what_it_is(key, result):
    """Whatever comes back, the judge has a verdict and a reason in words."""
    marks = verdict(key, lambda *args: result)

    assert marks.earned == 0
    assert marks.reason


# --- hints ------------------------------------------------------------------------------------------------


def solution_pieces(key):
    """Lines of the solution, and what stands to the right of an equals sign in them, without spaces."""
    source = cell_of(key)
    blank = stubs.blank(source, TABLE[key].assignment)
    for line in source.splitlines():
        code = line.partition("#")[0].strip()
        if code and code not in blank:
            yield from {code.replace(" ", ""), code.partition(" = ")[2].replace(" ", "")} - {""}


@pytest.mark.parametrize("mistake", mistakes.MISTAKES, ids=str)
def test_a_hint_is_a_sentence_that_does_not_give_the_answer(mistake):
    """It names the cause; the line to write stays the student's to find."""
    bare = mistake.hint.replace(" ", "")

    assert mistake.hint[0].isupper() or mistake.hint.startswith(
        ("np.", "db ", "dW ", "dA", "linear_", "range ", "grads ")
    )
    assert mistake.hint[-1] in ".?"
    assert 30 <= len(mistake.hint) <= 160
    assert not any(piece in bare for piece in solution_pieces(mistake.exercise) if len(piece) > 4)
    assert not any(len(old.strip()) > 6 and old.strip() in mistake.hint for old, _ in mistake.changes)


@pytest.mark.parametrize("mistake", mistakes.MISTAKES, ids=str)
def test_what_the_student_did_is_one_line(mistake):
    assert "\n" not in mistake.what
    assert mistake.what[0].islower() or mistake.what.startswith(("W", "Z", "A", "X"))
    assert not mistake.what.endswith(".")


def test_a_whole_notebook_of_answers_still_has_its_markers():
    """The demo hands the answers in as cells: they must look like what a student leaves behind."""
    for change in (*mistakes.MISTAKES, *mistakes.RIGHT_ANSWERS):
        original = cell_of(change.exercise)
        source = mistakes.apply(change, original)
        assert source != original
        assert source.count(notebooks.BEGIN_SOLUTION) == original.count(notebooks.BEGIN_SOLUTION)
        assert change.function in notebooks.defined_functions(source)
