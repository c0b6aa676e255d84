"""What mistakes give is recorded by running them, and a recording that is not fresh is found."""

import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coursekit.authoring import recording
from coursekit.authoring.checks import acceptance_courses
from coursekit.authoring.checks import recordings as check
from coursekit.authoring.checks.findings import Source
from coursekit.grading import workspace
from coursekit.model import notebooks
from coursekit.reference.process import ReferenceProcess
from selfcheck import known_mistakes, recordings
from selfcheck.known_mistakes import Known, Recorded
from selfcheck.returned_values import NotNumbers
from tests import tiny
from tests.classroom import ASSIGNMENT, change_recording
from tests.tables import ASSIGNMENTS, loaded, table

PUBLIC, HIDDEN = (f"{where}/{ASSIGNMENT}/{recordings.NAME}" for where in ("source", "hidden"))


def findings(course, brief=False):
    path = course.source(ASSIGNMENT)
    where = f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
    source = Source(ASSIGNMENT, path, where, notebooks.read(path), loaded(ASSIGNMENT).exercises)
    return [(finding.code, finding.where, finding.what) for finding in check.check(course, [source], brief)]


def hidden(function):
    """The mistakes of an exercise as they are recorded for the grader, by name."""
    return {one.name: one for one in recordings.mistakes(loaded(ASSIGNMENT).hidden / recordings.NAME, function)}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_mistake_is_recorded_and_tells_itself_from_the_right_answer(assignment):
    here, unstable = loaded(assignment), table(assignment).unstable
    for row in here.exercises:
        known = here.known_mistakes(row)
        assert [one.name for one in known] == [one.name for one in here.mistakes if one.function == row.function]
        assert all(any(case.tells for case in one.cases.values()) for one in known)
        left_out = {case for one in known for case in unstable.get(f"{row.function}:{one.name}", ())}
        assert all({case.name for case in row.cases} - one.cases.keys() <= left_out for one in known)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_what_students_get_are_the_public_cases_and_no_name(assignment):
    """And of the mistakes only those on which the public test fails."""
    here = loaded(assignment)
    for row in here.exercises:
        outputs, known = recordings.read(here.folder / recordings.NAME, row.function)
        public = {case.name for case in row.public_cases}
        assert outputs.keys() == {case.name for case in row.public_cases if not case.raises}
        assert {one.name for one in known} <= {""}
        assert {one.hint for one in known} == {
            one.hint for one in here.mistakes if one.function == row.function and one.visible
        }
        assert all(one.cases.keys() <= public for one in known)


def test_what_a_killed_command_leaves_of_the_hidden_outputs_is_where_the_next_grading_sweeps(tmp_path):
    course = tiny.course(tmp_path)
    with ReferenceProcess(course.root, tiny.NAME) as reference, recording._fresh(course, reference) as made:
        assert all(path.is_relative_to(course.root / ".coursekit") for path in made)
        assert all(path.parents[1].name.startswith(workspace.PREFIX) for path in made)
    with acceptance_courses.scratch(course) as there:
        assert there.root.parent.name.startswith(workspace.PREFIX)
    assert list((course.root / ".coursekit").iterdir()) == []


def test_what_is_recorded_is_what_the_wrong_formula_gives():
    """An oracle of its own: dW without the average is m times the right one, and nothing else differs."""
    row = loaded(ASSIGNMENT).exercise("linear_backward")
    known, expected = hidden(row.function)["dW-not-averaged"], loaded(ASSIGNMENT).expected(row)

    for case in row.cases:
        right, m = expected[case.name], row.given(case)["dZ"].shape[1]
        given = known.cases[case.name]
        np.testing.assert_allclose(given.outputs["dW"], m * right["dW"])
        np.testing.assert_allclose(given.outputs["db"], right["db"])
        assert given.tells == ("" if m == 1 else known_mistakes.OUTPUTS)
        assert m == 1 or next(iter(given.outputs)) == "dW"  # what tells is compared first


def test_changes_and_exceptions_are_recorded_without_the_words_of_a_version():
    assert hidden("linear_backward")["divided-in-place"].cases["example"].changed == ("dZ",)
    assert hidden("update_parameters")["no-copy"].cases["example"].own
    raised = hidden("linear_backward")["W-not-transposed"].cases["example"]
    assert (raised.raised, raised.sign, raised.at) == ("ValueError", "product 5 3", "dA_prev")


@pytest.mark.parametrize(
    ("raised", "messages", "sign"),
    [
        (
            "ValueError",
            [
                "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature"
                " (n?,k),(k,m?)->(n?,m?) (size 3 is different from 5)",
                "shapes (3,5) and (3,4) not aligned: 5 (dim 1) != 3 (dim 0)",
            ],
            "product 5 3",
        ),
        (
            "ValueError",
            [
                "operands could not be broadcast together with shapes (3,5) (5,4) ",
                "operands could not be broadcast together with shapes (3, 5) (5, 4)",
            ],
            "broadcast (3,5)(5,4)",
        ),
        ("ValueError", ["too many values to unpack (expected 2)", "too many values to unpack (expected 2, got 3)"],
         "too many to unpack 2"),
        ("KeyError", ["'W3'"], "key 'W3'"),
        ("NameError", ["name 'linear_forwar' is not defined", "name 'x' is not defined. Did you mean: 'X'?"], ""),
        ("NameError", ["name 't_A' is not defined"], "name t_A"),
        ("RuntimeError", ["anything else"], ""),
    ],
)  # fmt: skip
def test_the_same_complaint_has_the_same_sign_in_all_versions(raised, messages, sign):
    assert {known_mistakes.sign(raised, message) for message in messages} == {sign}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("dW = dZ @ A.T", "dW"),
        ("dA_prev, dW,db = f(x)", "dA_prev, dW, db"),
        ("return W + A", ""),
        ("a == b", ""),
        ('grads["dW"] = 1', ""),
        ("", ""),
    ],
)
def test_a_line_is_known_by_the_names_that_it_sets(line, names):
    assert known_mistakes.assigned(line) == names


def test_what_is_packed_comes_out_again():
    """Numbers that are none included; arrays that occur twice are kept once."""
    odd = np.array([[np.nan, -0.0], [np.inf, 1e-300]])
    outputs = {"Z": odd, "cache[0]": odd.copy(), "n": np.array(3.0), "none": np.zeros((0, 2)), "x": NotNumbers("é")}
    cases = {"example": Recorded(outputs, ("A",), True, tells="outputs", absent=("b",)), "m=1": Recorded(raised="X")}

    index, numbers = known_mistakes.pack([Known("a hint", cases, "name")])
    [known] = known_mistakes.unpack(index, numbers)

    assert numbers.size == 5
    assert (known.hint, known.name, known.cases["m=1"]) == ("a hint", "name", cases["m=1"])
    given = known.cases["example"]
    assert (given.changed, given.own, given.tells, given.absent) == (("A",), True, "outputs", ("b",))
    assert list(given.outputs) == list(outputs)
    assert given.outputs["x"] == outputs["x"]
    for path in ("Z", "cache[0]", "n", "none"):
        np.testing.assert_array_equal(given.outputs[path], outputs[path], strict=True)


# --- fresh or not ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(course, tmp_path_factory):
    """A public and a hidden recording of the solutions as they are now."""
    folder = tmp_path_factory.mktemp("made")
    with ReferenceProcess(course.root, ASSIGNMENT) as reference, recording._fresh(course, reference) as both:
        return tuple(Path(shutil.copyfile(path, folder / path.name)) for path in both)


@pytest.fixture
def recorded(scratch, made, monkeypatch):
    """A scratch course with the solutions as they are, which are not run again."""
    monkeypatch.setattr(recording, "_fresh", lambda *_: nullcontext(made))
    return scratch


@pytest.mark.parametrize("name", [PUBLIC, HIDDEN])
def test_other_numbers_or_a_missing_exercise_are_found(recorded, name):
    def change(arrays):
        arrays["linear_forward/mistakes.numbers"] *= 1 + 1e-4
        del arrays["compute_cost/mistakes"], arrays["compute_cost/mistakes.numbers"]

    change_recording(recorded.root / name, change)

    found = findings(recorded)

    assert {(code, where) for code, where, _ in found} == {
        ("X601", f"{name}[linear_forward]"),
        ("X601", f"{name}[compute_cost]"),
    }
    assert any("gives something else in" in what for _, _, what in found)
    assert any(what == "not recorded yet" for _, _, what in found)


@pytest.mark.parametrize(("number", "brief"), [(0, True), (-1, False)])
def test_a_brief_check_tries_a_mistake_in_its_first_case(scratch, number, brief):
    """A result of this case differs: which cases are tried decides what is found."""
    path = scratch.hidden(ASSIGNMENT) / recordings.NAME
    case = loaded(ASSIGNMENT).exercise("linear_backward").cases[number].name
    (known, *others) = recordings.mistakes(path, "linear_backward")
    cases = {name: replace(one, changed=("A",)) if name == case else one for name, one in known.cases.items()}
    packed = recordings.packed({}, {"linear_backward": (replace(known, cases=cases), *others)})
    change_recording(path, lambda arrays: arrays.update(packed))

    what = f"{known.name!r} gives something else in {case!r}"
    found = [("X601", f"{HIDDEN}[linear_backward]", what)]
    assert findings(scratch, brief=True) == (found if brief else [])
    assert findings(scratch) == found


@pytest.mark.parametrize("name", [PUBLIC, HIDDEN])
def test_other_outputs_of_the_solution_are_found(recorded, name):
    """By the case; what the mistakes give is not looked at before these are fixed."""

    def change(arrays):
        arrays["linear_forward/outputs.numbers"][0] += 1e-6
        for array in ("outputs", "outputs.numbers", "mistakes", "mistakes.numbers"):
            arrays[f"more/{array}"] = arrays[f"compute_cost/{array}"]
            del arrays[f"compute_cost/{array}"]

    change_recording(recorded.root / name, change)
    found = findings(recorded)

    assert len([where for _, where, _ in found if "linear_forward" in where]) == 1
    told = {where.partition("[")[2].partition("/")[0]: what for _, where, what in found}
    assert told.pop("linear_forward") == "other numbers"
    assert told == {"compute_cost": "not recorded yet", "more": "recorded, but no such case"}
    assert all(where.startswith(f"{name}[") for _, where, _ in found)


def test_the_last_digits_of_another_machine_are_no_difference(recorded):
    def change(arrays):
        for key in arrays:
            if key.endswith(".numbers"):
                arrays[key] *= 1 + (1e-10 if "/mistakes" in key else 1e-12)

    for name in (PUBLIC, HIDDEN):
        change_recording(recorded.root / name, change)

    assert findings(recorded) == []


def test_what_is_recorded_again_is_left_as_it_is(recorded):
    """And a file that is not there is made, with the bytes that it had."""
    before = {name: (recorded.root / name).read_bytes() for name in (PUBLIC, HIDDEN)}
    (recorded.root / HIDDEN).unlink()
    assert recording.record(recorded, ASSIGNMENT) == [recorded.root / HIDDEN]
    assert recording.record(recorded, ASSIGNMENT) == []
    assert (recorded.root / PUBLIC).read_bytes() == before[PUBLIC]
    assert findings(recorded) == []


def test_a_mistake_that_no_longer_fits_its_solution_is_found(scratch):
    """Then it is not recorded either; whoever betters a solution hears which rows to adapt."""
    path = scratch.source(ASSIGNMENT)
    text = path.read_text(encoding="utf-8")
    assert text.count("Z = W @ A + b") == 1
    path.write_text(text.replace("Z = W @ A + b", "Z = b + W @ A"), encoding="utf-8")

    where = {where for code, where, _ in findings(scratch) if code == "X601"}

    assert f"hidden/{ASSIGNMENT}/mistakes.py[linear_forward:bias-forgotten]" in where
    assert f"{HIDDEN}[linear_forward]" in where


def test_damaged_and_missing_files_are_found(recorded):
    (recorded.root / PUBLIC).unlink()
    (recorded.root / HIDDEN).write_bytes(b"junk")

    assert [(code, where) for code, where, _ in findings(recorded)] == [("X601", PUBLIC), ("X601", HIDDEN)]


def test_solutions_that_cannot_be_run_are_a_finding(scratch):
    path = scratch.source(ASSIGNMENT)
    path.write_text(path.read_text(encoding="utf-8").replace("Z = W @ A + b", "Z = W @ A +"), encoding="utf-8")

    ((code, where, what),) = findings(scratch)

    assert (code, where) == ("X602", f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
    assert "the solutions cannot be run" in what
    assert "SyntaxError" in what
