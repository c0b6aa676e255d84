"""The catalogue: no mistake keeps its marks, no right answer loses any, and no hint gives an answer away."""

import base64
import re

import numpy as np
import pytest

import mistakes
from coursekit import notebooks, stubs
from coursekit.judge import judge
from coursekit.probe import observe
from hidden_tests import TABLE
from tests.course.answers import ASSIGNMENT, CELLS, COURSE, FUNCTIONS, function, namespace, verdict

STYLES = mistakes.styles()


@pytest.fixture(scope="module")
def solution():
    return namespace()


# --- the rows ---------------------------------------------------------------------------------------------


def test_the_catalogue_is_large_enough():
    """As many as were asked for, and some for every exercise."""
    per_exercise = {key: [m for m in mistakes.MISTAKES if m.exercise == key] for key in TABLE}

    assert len(mistakes.MISTAKES) >= 45
    assert len(mistakes.RIGHT_ANSWERS) >= 25
    assert min(map(len, per_exercise.values())) >= 10


def test_names_are_kebab_case_and_used_once():
    changes = [*mistakes.MISTAKES, *mistakes.RIGHT_ANSWERS]

    assert len({str(change) for change in changes}) == len(changes)
    assert all(change.exercise in TABLE for change in changes)
    assert all(re.fullmatch(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*", change.name) for change in changes)
    assert all(mistakes.find(change.exercise, change.name) is change for change in changes)


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError, match="linear_forward:no-such-mistake"):
        mistakes.find("step-by-step/linear_forward", "no-such-mistake")


@pytest.mark.parametrize("cell", ["def linear_backward(dZ, cache):\n    pass\n", 2 * CELLS["linear-backward"]])
def test_a_change_that_no_longer_fits_says_so(cell):
    """Whoever betters a solution must hear which rows to adapt, not see tests fail for odd reasons."""
    mistake = mistakes.find("step-by-step/linear_backward", "db-flat")

    with pytest.raises(ValueError, match=r"mistakes.py\[step-by-step/linear_backward:db-flat\].*(0|2) times"):
        mistakes.apply(mistake, cell)


def test_a_change_touches_nothing_else():
    mistake = mistakes.find("step-by-step/linear_backward", "db-along-units")

    changed = mistakes.apply(mistake, CELLS["linear-backward"])

    assert changed == CELLS["linear-backward"].replace("axis=1", "axis=0")


# --- mistakes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mistake", mistakes.MISTAKES, ids=str)
def test_a_mistake_loses_marks_and_is_told_why(mistake):
    """With every other function right, so that nothing else can be the reason."""
    name = mistake.function
    target = namespace(mistake)[name]

    marks = verdict(name, target)

    assert 0 <= marks.earned < marks.points
    assert all(result.reason for result in marks.results if not result.passed)
    assert own_numbers_only(marks.reason, FUNCTIONS[name], target)


def own_numbers_only(reason, row, target):
    """Whether each number with decimals in a reason is one that the function itself returned."""
    own = set()
    for observation in observe(row, target)["observations"]:
        for leaf in observation.get("outputs", {}).values():
            if "data" in leaf:
                own |= {f"{value:.6g}" for value in np.frombuffer(base64.b64decode(leaf["data"]), "<f8")}
    return set(re.findall(r"-?\d+\.\d{3,}(?:e[-+]\d+)?", reason)) <= own


def test_the_check_for_numbers_of_others_can_fail(solution):
    """A test that cannot fail proves nothing: the expected number in a reason is caught."""
    mistake = mistakes.find("step-by-step/linear_backward", "not-averaged")
    target, row = namespace(mistake)["linear_backward"], FUNCTIONS["linear_backward"]

    assert own_numbers_only("yours is 0.292555", row, target)
    assert not own_numbers_only("it should be 0.0731387, yours is 0.292555", row, target)


def test_leans_on_names_the_graded_functions_that_a_solution_calls(solution):
    """Worked out from the code: directly, or through another graded function."""

    def called(name):
        direct = set(solution[name].__code__.co_names) & set(FUNCTIONS)
        return direct.union(*(called(other) for other in direct))

    for name, row in FUNCTIONS.items():
        assert set(row.leans_on) == called(name), name


# One mistake per exercise that changes values everywhere.
FAR_REACHING = {
    "initialize_parameters": "not-scaled",
    "initialize_parameters_deep": "not-scaled",
    "linear_forward": "bias-subtracted",
    "linear_activation_forward": "activations-exchanged",
    "L_model_forward": "sigmoid-everywhere",
    "compute_cost": "sign-lost",
    "linear_backward": "not-averaged",
    "linear_activation_backward": "activations-exchanged",
    "L_model_backward": "sign-lost",
    "update_parameters": "uphill",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_mistake_reaches_the_exercises_that_lean_on_it_and_no_other(name):
    """Judged with the student's own helpers; a function that calls the wrong one fails with it."""
    mistake = mistakes.find(f"{ASSIGNMENT}/{name}", FAR_REACHING[name])
    variables = namespace(mistake)

    lost = {other for other in FUNCTIONS if verdict(other, variables[other]).earned < FUNCTIONS[other].points}

    assert lost == {name} | {other for other, row in FUNCTIONS.items() if name in row.leans_on}


# --- right answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", mistakes.RIGHT_ANSWERS, ids=str)
def test_a_right_answer_keeps_full_marks(answer):
    marks = verdict(answer.function, namespace(answer)[answer.function])

    assert marks.earned == marks.points, marks.reason


@pytest.mark.parametrize("style", STYLES)
def test_a_whole_submission_in_one_style_keeps_full_marks(style):
    """Every exercise in the style, each leaning on the others as the student wrote them."""
    assert set(STYLES[style]) == set(FUNCTIONS)
    variables = namespace(*STYLES[style].values())

    lost = {name: verdict(name, variables[name]).reason for name in FUNCTIONS}

    assert lost == dict.fromkeys(FUNCTIONS, "")


def test_there_are_three_styles_and_they_differ_everywhere():
    assert len(STYLES) == 3
    for name, row in FUNCTIONS.items():
        sources = {mistakes.apply(answers[name], CELLS[row.grade_id]) for answers in STYLES.values()}
        assert len(sources | {CELLS[row.grade_id]}) == 4, name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_solution_earns_all_and_the_blank_nothing(solution, name):
    row = FUNCTIONS[name]
    blank = function(stubs.blank(CELLS[row.grade_id], ASSIGNMENT), name)

    right, empty = verdict(name, solution[name]), verdict(name, blank)

    assert (right.earned, right.reason) == (row.points, "")
    assert empty.earned == 0
    assert empty.reason.rstrip(".") == f"Exercise {row.public.number}: {name} is not written yet"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_missing_function_earns_nothing(name):
    row = FUNCTIONS[name]

    assert judge(row, observe(row, None), COURSE).earned == 0


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "result", [None, 0.0, {}, [], (), "Z", np.zeros((3, 1)), (1, 2, 3), (None, None), {"W1": None}]
)
def test_nonsense_earns_nothing_and_is_told_what_it_is(name, result):
    """Whatever comes back, the judge has a verdict and a reason in words."""
    marks = verdict(name, lambda *args: result)

    assert marks.earned == 0
    assert marks.reason


# --- hints ------------------------------------------------------------------------------------------------


def solution_pieces(name):
    """Lines of the solution, and what stands to the right of an equals sign in them, without spaces."""
    source = CELLS[FUNCTIONS[name].grade_id]
    blank = stubs.blank(source, ASSIGNMENT)
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
    assert not any(piece in bare for piece in solution_pieces(mistake.function) if len(piece) > 4)
    assert not any(len(old.strip()) > 6 and old.strip() in mistake.hint for old, _ in mistake.changes)


@pytest.mark.parametrize("mistake", mistakes.MISTAKES, ids=str)
def test_what_the_student_did_is_one_line(mistake):
    assert "\n" not in mistake.what
    assert mistake.what[0].islower() or mistake.what.startswith(("W", "Z", "A", "X"))
    assert not mistake.what.endswith(".")


def test_a_whole_notebook_of_answers_still_has_its_markers():
    """The demo hands the answers in as cells: they must look like what a student leaves behind."""
    for change in (*mistakes.MISTAKES, *mistakes.RIGHT_ANSWERS):
        source = mistakes.apply(change, CELLS[FUNCTIONS[change.function].grade_id])
        original = CELLS[FUNCTIONS[change.function].grade_id]
        assert source != original
        assert source.count(notebooks.BEGIN_SOLUTION) == original.count(notebooks.BEGIN_SOLUTION)
        assert change.function in notebooks.defined_functions(source)
