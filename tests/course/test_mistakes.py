"""The catalogue: no mistake keeps its marks, no right answer loses any, and no hint gives an answer away.

And each is named: a wrong function after the mistake whose outputs it gives, and after no other. Every answer is tried
once, in all of its cases, and what a probe sees of it then is judged and named.
"""

import base64
import functools
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest

from coursekit.marking import diagnosis, observations
from coursekit.model import notebooks, stubs
from tests.course import answers
from tests.course.answers import (
    COURSE,
    KEYS,
    MISTAKES,
    RIGHT_ANSWERS,
    cell_of,
    find,
    function,
    judged,
    mistakes_of,
    namespace,
    observed,
    verdict,
)
from tests.tables import exercise, loaded

STYLES = {}  # whole submissions: by style and function, the right answer
for right in RIGHT_ANSWERS:
    if right.row.style:
        STYLES.setdefault(right.row.style, {})[right.row.function] = right
STYLED = answers.rows("step-by-step")  # the assignment of which there are whole submissions


# --- the rows ---------------------------------------------------------------------------------------------


def test_the_catalogue_is_large_enough():
    """As many as were asked for, and some for every exercise."""

    def count(rows, key):
        return len([row for row in rows if row.key.startswith(key)])

    for assignment, wrong, right, each in (
        ("step-by-step", 45, 25, 10),
        ("application", 20, 5, 5),
        ("digits", 45, 10, 5),
    ):
        assert count(MISTAKES, f"{assignment}/") >= wrong
        assert count(RIGHT_ANSWERS, f"{assignment}/") >= right
        for name in answers.rows(assignment):
            assert len([m for m in MISTAKES if m.key == f"{assignment}/{name}"]) >= each
            assert [a for a in RIGHT_ANSWERS if a.key == f"{assignment}/{name}"]


def test_names_are_kebab_case_and_used_once():
    changes = [*MISTAKES, *RIGHT_ANSWERS]

    assert len({str(change) for change in changes}) == len(changes)
    assert all(change.key in KEYS for change in changes)
    assert all(re.fullmatch(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*", change.row.name) for change in changes)
    for change in MISTAKES:
        named = loaded(change.assignment).mistake(change.row.function, change.row.name)
        assert (named.what, named.hint, named.visible) == (change.row.what, change.row.hint, change.row.visible)


def test_an_unknown_name_is_no_mistake():
    assert loaded("step-by-step").mistake("linear_forward", "no-such-mistake") is None


@pytest.mark.parametrize(
    "cell", ["def linear_backward(dZ, cache):\n    pass\n", 2 * cell_of("step-by-step/linear_backward")]
)
def test_a_change_that_no_longer_fits_says_so(cell):
    """Whoever betters a solution must hear which rows to adapt, not see tests fail for odd reasons."""
    mistake = find("step-by-step/linear_backward", "db-flat")

    with pytest.raises(ValueError, match=r"'.*' is (0|2) times in the solution cell; adapt the row"):
        mistake.row.source(cell)


def test_a_change_touches_nothing_else():
    mistake = find("step-by-step/linear_backward", "db-along-units")

    changed = mistake.row.source(cell_of(mistake.key))

    assert changed == cell_of(mistake.key).replace("axis=1", "axis=0")


# --- mistakes ---------------------------------------------------------------------------------------------


RANDOM = "step-by-step/initialize_parameters:seed-removed"  # other numbers in every call: nothing to compare with


@functools.cache
def alike(key):
    """Mistakes that give the same as an earlier one of the table in all cases, and which that is."""
    row = exercise(key)
    rtol, known = row.rtol, loaded(row.assignment).known_mistakes(row)
    return {
        late.name: early.name
        for early, late in reversed([*itertools.combinations(known, 2)])
        if all(early.cases[case].agrees(late.cases[case], rtol) for case in early.cases.keys() & late.cases.keys())
    }


def brief(row, hidden=True):
    """The exercise without the trainings whose iterations are as many as by default: thousands."""
    long = "by default" if row.assignment == "application" else "(nothing)"
    return replace(
        row, cases=tuple(case for case in row.cases if (hidden or case.public) and not case.name.endswith(long))
    )


def recognised(row, seen):
    here = loaded(row.assignment)
    return diagnosis.recognise(here, row, observations.parse(row.cases, seen), here.expected(row)).mistakes


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_loses_marks_and_is_named_and_told_why(mistake):
    """With every other function right, so that nothing else can be the reason.

    It is named from what a probe sees, the hidden cases included; of two that give the same the first one is.
    Thousands of iterations are left out: fewer of them show what is wrong.
    """
    row = brief(exercise(mistake.key))
    seen = observed(row, answers.answer(mistake))

    marks = judged(row, seen)

    assert 0 <= marks.earned < marks.points
    assert all(result.reason for result in marks.results if not result.passed)
    assert own_numbers_only(marks.reason, row, seen)
    name = None if str(mistake) == RANDOM else alike(mistake.key).get(mistake.row.name, mistake.row.name)
    assert [one.name for one in marks.mistakes] == [name] * bool(name)


def test_few_mistakes_give_the_same_as_another():
    """Otherwise their names would prove little. These two are one function, written in two ways."""
    assert alike("application/predict") == {"rounded-up": "zero-as-threshold"}
    assert sum(len(alike(key)) for key in KEYS) < 15


_FLOAT = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")


def own_numbers_only(reason, row, seen):
    """Whether each number with decimals in a reason is one that the function itself returned."""
    own = {f"{float(text):.6g}" for case in row.cases for text in case.extra if _FLOAT.fullmatch(text)}  # its arguments
    for observation in seen["observations"]:
        for leaf in observation.get("outputs", {}).values():
            if "data" in leaf:
                own |= {f"{value:.6g}" for value in np.frombuffer(base64.b64decode(leaf["data"]), "<f8")}
    return set(re.findall(r"-?\d+\.\d{3,}(?:e[-+]\d+)?", reason)) <= own


def test_the_check_for_numbers_of_others_can_fail():
    """A test that cannot fail proves nothing: the expected number in a reason is caught."""
    mistake = find("step-by-step/linear_backward", "not-averaged")
    row = exercise(mistake.key)
    seen = observed(row, answers.answer(mistake))

    assert own_numbers_only("yours is 0.292555", row, seen)
    assert not own_numbers_only("it should be 0.0731387, yours is 0.292555", row, seen)


@pytest.mark.parametrize("key", KEYS)
def test_depends_on_names_the_graded_functions_that_a_solution_calls(key):
    """Worked out from the code: directly, through another graded function, or as the value of an argument."""
    row = exercise(key)
    functions, graded = answers.solved(row.assignment), answers.rows(row.assignment)

    def called(name):
        given = {value.__name__ for value in functions[name].__defaults__ or () if callable(value)}
        direct = {*functions[name].__code__.co_names, *given} & set(graded)
        return direct.union(*(called(other) for other in direct))

    assert set(row.depends_on) == called(row.function)
    assert len(set(row.depends_on)) == len(row.depends_on)


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
def test_a_mistake_reaches_the_exercises_that_depend_on_it_and_no_other(key):
    """Judged with the student's own helpers; a function that calls the wrong one fails with it.

    In the public cases only: these mistakes show in every one.
    """
    rows = {name: brief(row, hidden=False) for name, row in answers.rows(key.partition("/")[0]).items()}
    variables = namespace(find(key, FAR_REACHING[key]))

    lost = {name for name, row in rows.items() if not judged(row, observed(row, variables[name])).full}

    name = exercise(key).function
    assert lost == {name} | {other for other, row in rows.items() if name in row.depends_on}


# --- right answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", RIGHT_ANSWERS, ids=str)
def test_a_right_answer_keeps_full_marks_and_has_no_name(answer):
    row = exercise(answer.key)
    seen = observed(row, answers.answer(answer))

    marks = judged(row, seen)

    assert marks.earned == marks.points, marks.reason
    assert recognised(row, seen) == ()


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
        sources = {style[name].row.source(cell_of(row.key)) for style in STYLES.values()}
        assert len(sources | {cell_of(row.key)}) == 4, name


def blank_of(key):
    """The solution cell of an exercise as it is released."""
    notebook = notebooks.read(COURSE.source(key.partition("/")[0]))
    return stubs.blank(cell_of(key), stubs.numbers(notebook))


@pytest.mark.parametrize("key", KEYS)
def test_the_solution_earns_all_and_the_blank_nothing(key):
    row = exercise(key)
    blank = function(blank_of(key), key)

    seen = observed(row, answers.solved(row.assignment)[row.function])
    right, empty = judged(row, seen), verdict(key, blank)

    assert (right.earned, right.reason) == (row.points, "")
    assert recognised(row, seen) == ()
    assert empty.earned == 0
    assert empty.reason.rstrip(".") == f"Exercise {row.number}: {row.function} is not written yet"


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_function_earns_nothing(key):
    row = exercise(key)

    assert judged(row, observed(row, None)).earned == 0


NONSENSE = (None, 0.123, [], np.full((3, 1), np.nan), (1, 2, 3))
NEARLY_NONSENSE = (0.0, {}, (), "Z", np.zeros((3, 1)), (None, None), {"W1": None})  # what some mistake may give


@pytest.mark.parametrize("key", KEYS)
def test_nonsense_earns_nothing_has_no_name_and_is_told_what_it_is(key):
    """Whatever comes back, the judge has a verdict and a reason in words."""
    for number, result in enumerate((*NONSENSE, *NEARLY_NONSENSE)):
        marks = verdict(key, lambda *args, result=result: result)

        assert marks.earned == 0, result
        assert marks.reason, result
        assert not marks.mistakes or number >= len(NONSENSE), result


# --- hints ------------------------------------------------------------------------------------------------


def solution_pieces(key):
    """Lines of the solution, and what stands to the right of an equals sign in them, without spaces."""
    source = cell_of(key)
    blank = blank_of(key)
    for line in source.splitlines():
        code = line.partition("#")[0].strip()
        if code and code not in blank:
            yield from {code.replace(" ", ""), code.partition(" = ")[2].replace(" ", "")} - {""}


@pytest.mark.parametrize("key", KEYS)
def test_a_hint_is_a_sentence_that_does_not_give_the_answer(key):
    """It names the cause; the line to write stays the student's to find."""
    pieces = {piece for piece in solution_pieces(key) if len(piece) > 4}
    for mistake in mistakes_of(key):
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
    for mistake in mistakes_of(key):
        assert "\n" not in mistake.what, mistake
        assert mistake.what[0].islower() or mistake.what.startswith(("W", "Z", "A", "X")), mistake
        assert not mistake.what.endswith("."), mistake


def test_a_whole_notebook_of_answers_still_has_its_markers():
    """The demo hands the answers in as cells: they must look like what a student leaves behind."""
    for change in (*MISTAKES, *RIGHT_ANSWERS):
        original = cell_of(change.key)
        source = change.row.source(original)
        assert source != original
        assert source.count(notebooks.BEGIN_SOLUTION) == original.count(notebooks.BEGIN_SOLUTION)
        assert change.row.function in notebooks.defined_functions(source)
