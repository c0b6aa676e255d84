"""No mark depends on whether experiments are run: what an honest student writes between them keeps its points."""

import json

import pytest

from coursekit.experiments import plan
from coursekit.grading import outcomes
from coursekit.marking.limits import TimeLimits
from coursekit.marking.marker import Marker
from coursekit.marking.runner import Run
from coursekit.model.notebooks import ADDED
from coursekit.sandbox import isolation
from coursekit.submission import candidates
from tests.classroom import ASSIGNMENT, hand_in, small_course, text
from tests.patience import spends_at_most

LAST = "update-parameters"
TRAINING = 'trained = dict(W1=[[3.0]])\nfor name in ("W1",): print(name, trained[name])'


def cell(source):
    return {"cell_type": "code", "id": f"own-{abs(hash(source))}", "source": source, "outputs": [], "metadata": {},
            "execution_count": None}  # fmt: skip


# What stands in cells of the student's own before the last answer, what above its def, and a name that it then uses.
HONEST = {
    "nothing of their own": ([], "", ""),
    "an answer that looks at the training first": ([], "print(trained['W1'])", ""),
    "an argument's default": ([], "def look(at=trained): return at", ""),
    "a helper that is a lambda": (["step = lambda p, g, r: p - r * g\nprint(step(1, 2, 3), trained)"], "", "step"),
    "a helper by another name": (
        ["def move(p, g, r): return p - r * g\nstep = move\nprint(trained)"], "", "step"),
    "a loop with a name that the training has used": (
        ["kept = {}\nfor name in ('a', 'b'):\n    kept[name] = name\nstep = lambda p, g, r: p - r * g"],
        "kept['b']", "step"),
    "something changed by a function of a module": (
        ["one = np.zeros(1)", "np.copyto(one, 1)\nprint(len(trained))"], "assert one[0] == 1", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The small course, with a training before the last exercise."""
    course = small_course(tmp_path_factory.mktemp("marks") / "course")
    source = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    place = next(number for number, one in enumerate(source["cells"]) if one["id"] == LAST)
    training = cell(TRAINING) | {"id": "training", "metadata": {"tags": ["experiment"]}}
    source["cells"].insert(place, training)
    course.source(ASSIGNMENT).write_text(json.dumps(source), encoding="utf-8")
    return course


@pytest.fixture(scope="module")
def markers(course):
    """One that leaves experiments out, and one that runs them."""
    limits = (TimeLimits(), TimeLimits(experiments=True))
    with (
        Marker(course, ASSIGNMENT, limits[0], isolation.require()) as without,
        Marker(course, ASSIGNMENT, limits[1], isolation.require()) as everything,
    ):
        yield without, everything


def handed(course, own, above="", helper="", answer=None):
    notebook = json.loads(course.source(ASSIGNMENT).read_text(encoding="utf-8"))
    place = next(number for number, one in enumerate(notebook["cells"]) if one["id"] == LAST)
    source = text(notebook["cells"][place]) if answer is None else answer
    if helper:
        source = source.replace("def update_parameters", f"assert {helper}(1, 2, 0) == 1\ndef update_parameters")
    notebook["cells"][place]["source"] = f"{above}\n{source}"
    notebook["cells"][place:place] = [cell(one) for one in own]
    return notebook


def marks(course, marker, student):
    outcome = outcomes.examine(course, ASSIGNMENT, student, marker)
    assert not outcome.failure, outcome.log
    return {row.function: row.earned for row in outcome.verdicts.exercises}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_answer_keeps_its_points(course, markers, name):
    student = f"honest-{list(HONEST).index(name)}"
    hand_in(course, student, handed(course, *HONEST[name]))
    full = {row.function: row.points for row in markers[0]._rows}
    assert [marks(course, marker, student) for marker in markers] == [full, full]


def test_an_answer_that_finds_out_whether_they_were_run_gains_and_loses_nothing(course, markers):
    spoilt = "try:\n    trained\n    update_parameters = None\nexcept NameError:\n    pass"
    solution = handed(course, [])
    answer = next(text(one) for one in solution["cells"] if one["id"] == LAST)
    hand_in(course, "detects", handed(course, [], answer=f"{answer}\n\n\n{spoilt}"))
    without, everything = (marks(course, marker, "detects") for marker in markers)
    assert without == everything
    assert without["update_parameters"] == 0


def test_where_nothing_of_the_students_own_is_left_out_nothing_is_run_twice(course, markers, monkeypatch):
    """A wrong answer is no reason for trainings."""
    hand_in(course, "wrong", handed(course, [], answer="def update_parameters(parameters, grads, rate): return {}"))
    runs = []

    def watched(*args):
        runs.append(args[4].experiments)
        return Run(*args)

    monkeypatch.setattr("coursekit.marking.marker.Run", watched)
    assert marks(course, markers[0], "wrong")["update_parameters"] == 0
    assert runs
    assert not any(runs)


def test_an_experiment_that_the_student_has_changed_is_one_as_well(course, markers):
    """Everybody tries another learning rate; it takes as long as ours."""
    notebook = handed(course, [])
    (training,) = (one for one in notebook["cells"] if one["id"] == "training")
    training["source"] = "trained = dict(W1=[[4.0]])\nprint('run', 'again')"
    training["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "handed in\n"}]
    hand_in(course, "changed", notebook)
    outcome = outcomes.examine(course, ASSIGNMENT, "changed", markers[0])
    assert "handed in" in outcome.notebook
    assert "run again" not in outcome.notebook
    assert marks(course, markers[0], "changed") == {row.function: row.points for row in markers[0]._rows}


@pytest.mark.parametrize("piece", ["a;", "a\n", "a=1;"])
def test_very_many_statements_are_not_looked_at_one_by_one(course, piece):
    """Each costs the grader 20 times what a character costs."""
    source = candidates.source_of(course, ASSIGNMENT)
    notebook = type(source)(source | {"cells": [*source.cells]})
    for number in range(2):
        added = type(source)(cell(piece * (90_000 // len(piece)) + "trained") | {"id": f"{ADDED}{number + 1}"})
        notebook.cells.append(added)
    with spends_at_most(2):
        assert not [name for name in plan.unrun(notebook) if name.startswith(ADDED)]
