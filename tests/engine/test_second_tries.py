"""Nobody pays twice: a function that leans on a wrong one is tried again with a right one in its place."""

import contextlib
from dataclasses import replace

import pytest

from coursekit.marking import dependencies
from coursekit.marking.verdicts import after_retry, no_marks
from coursekit.model import stubs
from coursekit.model.errors import CourseError
from coursekit.reference import assignments
from coursekit.sandbox import isolation
from tests import leaks
from tests.attacks import QUICK, Room, said
from tests.tables import exercise, loaded

pytestmark = pytest.mark.skipif(not isolation.detect().bwrap, reason=f"no sandbox here: {isolation.detect().missing}")


@pytest.fixture(scope="module")
def rooms(course):
    """One marker per assignment, each started when it is first asked for."""
    with contextlib.ExitStack() as stack:
        made = {}

        def room(assignment):
            if assignment not in made:
                with leaks.of_a_fixture():
                    made[assignment] = stack.enter_context(Room(course, assignment))
            return made[assignment]

        yield room


@pytest.fixture
def room(rooms):
    return rooms("step-by-step")


def reasons(marked):
    return {row.function: row.summary for row in marked.verdicts.exercises if row.summary}


def row(marked, function):
    return next(row for row in marked.verdicts.exercises if row.function == function)


def test_each_exercise_left_out_loses_exactly_its_points(room):
    assert room.marks(room.mark(room.notebook())) == room.points
    for name in room.rows:
        assert_left_out(room, [name])


def assert_left_out(room, names):
    marked = room.mark(room.notebook(blank=names))
    assert room.marks(marked) == room.points | dict.fromkeys(names, 0), names
    for name in names:
        number = room.rows[name].number
        assert reasons(marked)[name] == f"Exercise {number}: {name} is not written yet."


@pytest.mark.parametrize("assignment", ["application", "digits"])
def test_half_of_the_exercises_left_out_lose_exactly_their_points(rooms, assignment):
    """In the other assignments: every second one, then the others, so that each keeps all of its points once."""
    room, names = rooms(assignment), [*rooms(assignment).rows]
    for first in (0, 1):
        assert_left_out(room, names[first::2])


def test_nothing_written_is_nothing_earned_and_nobodys_error(room):
    marked = room.mark(room.notebook(blank=room.points))
    assert room.marks(marked) == dict.fromkeys(room.points, 0)
    assert all(reason.endswith("is not written yet.") for reason in reasons(marked).values()), reasons(marked)


WRONG = "def linear_forward(A, W, b):\n    return W @ A - b, (A, W, b)"


def test_followers_of_a_wrong_function_keep_their_points_and_learn_whose_error_it_was(room):
    marked = room.mark(room.notebook({"linear_forward": WRONG}))
    assert room.marks(marked) == room.points | {"linear_forward": 0}
    for follower in ("linear_activation_forward", "L_model_forward"):
        assert reasons(marked)[follower] == f"{follower} is right; the error comes from linear_forward."
        assert row(marked, follower).follows == ("linear_forward",)
        assert row(marked, follower).mistakes == ()
    assert set(reasons(marked)) == {"linear_forward", "linear_activation_forward", "L_model_forward"}


@pytest.mark.parametrize("order", ["as in the notebook", "the other way round"])
def test_what_is_far_below_costs_nothing_though_only_the_next_is_declared(course, monkeypatch, order):
    """An author names the functions that a function calls; what these call in their turn follows from the table."""
    as_it_is = loaded("step-by-step")
    rows = tuple(
        replace(row, depends_on=("linear_activation_forward",)) if row.function == "L_model_forward" else row
        for row in as_it_is.exercises
    )
    changed = replace(as_it_is, exercises=rows if order.startswith("as") else rows[::-1])
    monkeypatch.setattr(assignments, "load", lambda course, name: changed)
    with Room(course) as room:
        marked = room.mark(room.notebook({"linear_forward": WRONG}))
    assert room.marks(marked) == room.points | {"linear_forward": 0}, said(marked)
    assert row(marked, "L_model_forward").summary == "L_model_forward is right; the error comes from linear_forward."


def _row(function, *depends_on):
    return replace(exercise("step-by-step/linear_forward"), depends_on=depends_on, function=function)


@pytest.mark.parametrize("declared", [("b",), ("a", "b"), ("b", "a")])
@pytest.mark.parametrize("backwards", [False, True])
def test_dependencies_are_transitive_and_come_in_their_order(declared, backwards):
    rows = [_row("a"), _row("b", "a"), _row("c", *declared)]
    found = dependencies.transitive(reversed(rows) if backwards else rows)
    assert [*found.items()] == [("a", ()), ("b", ("a",)), ("c", ("a", "b"))]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([_row("a", "b"), _row("b", "a")], "in a circle: a, b; take one"),
        ([_row("a", "sigmoid")], "depends on sigmoid, which is no exercise of step-by-step"),
    ],
)
def test_dependencies_that_cannot_be_are_refused(rows, why):
    with pytest.raises(CourseError, match=why):
        dependencies.transitive(rows)


def test_that_an_error_of_others_cost_nothing_is_said_only_where_it_was_tried():
    """A second try that was stopped from outside proves nothing."""
    first = no_marks(exercise("step-by-step/linear_activation_forward"), "wrong")
    for second, known in ((replace(first, observed=False), False), (first, True)):
        verdict = after_retry(first, second, ["linear_forward"])
        assert ("that cost nothing here" in verdict.reason) is known


def test_a_wrong_follower_of_a_wrong_function_loses_its_own_points(room):
    wrong = room.solutions["linear-activation-forward"].replace("sigmoid(Z)", "sigmoid(2 * Z)")
    assert wrong != room.solutions["linear-activation-forward"]
    marked = room.mark(room.notebook({"linear_forward": WRONG, "linear_activation_forward": wrong}))
    # "relu" and the inputs are right
    assert room.marks(marked) == room.points | {"linear_forward": 0, "linear_activation_forward": 5}, said(marked)
    assert (
        "Part of it was the error of linear_forward, and costs nothing here."
        in reasons(marked)["linear_activation_forward"]
    )
    follower = "L_model_forward is right; the error comes from linear_forward and linear_activation_forward."
    assert reasons(marked)["L_model_forward"] == follower


def test_a_follower_that_does_nothing_right_is_told_that_the_other_is_wrong_as_well(room):
    nothing = "def linear_activation_forward(A_prev, W, b, activation):\n    return 0, 0"
    marked = room.mark(room.notebook({"linear_forward": WRONG, "linear_activation_forward": nothing}))
    assert room.marks(marked) == room.points | {"linear_forward": 0, "linear_activation_forward": 0}
    assert row(marked, "linear_activation_forward").calls == ("linear_forward",)
    assert (
        "linear_forward, which it uses, is wrong as well; that cost nothing here."
        in reasons(marked)["linear_activation_forward"]
    )


@pytest.mark.parametrize("name", ["argument", "keyword"])
def test_a_wrong_helper_bound_to_an_argument_is_replaced_too(room, name):
    """``def f(…, forward=linear_forward)`` keeps the function that there was when it was defined."""
    more = ", forward=linear_forward" if name == "argument" else ", *, forward=linear_forward"
    bound = f"""
def linear_activation_forward(A_prev, W, b, activation{more}):
    Z, linear_cache = forward(A_prev, W, b)
    A, activation_cache = sigmoid(Z) if activation == "sigmoid" else relu(Z)
    return A, (linear_cache, activation_cache)"""
    marked = room.mark(room.notebook({"linear_forward": WRONG, "linear_activation_forward": bound}))
    assert room.marks(marked) == room.points | {"linear_forward": 0}, said(marked)


@pytest.mark.parametrize(
    "gone",
    [
        "del linear_forward",
        "linear_forward = None",
        "def linear_forward(A, W, b):\n    raise KeyError('not today')",
        "import nowhere\ndef linear_forward(A, W, b):\n    return W @ A + b, (A, W, b)",
        "def linear_forward(A, W, b)\n    return W @ A + b, (A, W, b)",
    ],
)
def test_a_helper_that_is_gone_costs_its_own_points_only(room, gone):
    marked = room.mark(room.notebook({"linear_forward": gone}))
    assert room.marks(marked) == room.points | {"linear_forward": 0}, said(marked)


def test_a_follower_that_could_not_even_be_defined_is_defined_with_a_right_helper(room):
    """A default argument asks for the helper at once: the whole cell fails where there is none."""
    answer = room.solutions["linear-activation-forward"].replace(
        "activation):", "activation, forward=linear_forward):", 1
    )
    stub = stubs.blank(room.solutions["linear-forward"], stubs.numbers(room.source)).replace(
        "def linear_forward", "def linear_forwards"
    )
    marked = room.mark(room.notebook({"linear_forward": stub, "linear_activation_forward": answer}))
    assert room.marks(marked) == room.points | {"linear_forward": 0}, said(marked)


def test_a_right_function_whose_helpers_hang_is_right(room, monkeypatch):
    monkeypatch.setattr(room.marker, "_limits", replace(QUICK, cell_timeout_s=0.8))
    endless = "def linear_forward(A, W, b):\n    while True:\n        pass"
    marked = room.mark(room.notebook({"linear_forward": endless}))
    assert room.marks(marked) == room.points | {"linear_forward": 0}, said(marked)


def test_a_helper_by_a_second_name_is_replaced_too(room):
    own = """
_mine = linear_forward
def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = _mine(A_prev, W, b)
    A, activation_cache = sigmoid(Z) if activation == "sigmoid" else relu(Z)
    return A, (linear_cache, activation_cache)"""
    marked = room.mark(room.notebook({"linear_forward": WRONG, "linear_activation_forward": own}))
    assert room.marks(marked) == room.points | {"linear_forward": 0}, said(marked)


def test_the_same_notebook_gets_the_same_verdict_every_time(room):
    notebook = room.notebook({"linear_forward": WRONG})
    first = room.mark(notebook)
    assert [room.mark(notebook).verdicts for _ in range(2)] == [first.verdicts] * 2


def test_a_helper_that_is_none_is_no_reason_to_replace_every_none(room):
    """None is one object, wherever it stands: the default of an argument is not the function that is missing."""
    own = """
def linear_activation_forward(A_prev, W, b, activation, scale=None):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = sigmoid(Z) if activation == "sigmoid" else relu(Z)
    return A if scale is None else A * scale(A), (linear_cache, activation_cache)"""
    marked = room.mark(room.notebook({"linear_forward": "linear_forward = None", "linear_activation_forward": own}))
    assert room.marks(marked) == room.points | {"linear_forward": 0}, said(marked)


def test_a_cell_that_does_not_run_is_told_by_its_line_and_not_by_a_name_of_ours(room):
    """IPython calls a cell 905904086.py, and a cell behind a dead kernel has an error that we invented."""
    answers = {
        "linear_forward": "def linear_forward(A, W, b):\n    Z = np.dot(W, A + b\n",
        "compute_cost": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\ndef compute_cost(AL, Y): return 0",
    }
    told = reasons(room.mark(room.notebook(answers)))
    assert "does not run: SyntaxError: incomplete input (line 2 of the cell)" in told["linear_forward"]
    assert "NotRun" not in told["compute_cost"]
    assert "the kernel was lost here" in told["compute_cost"]
