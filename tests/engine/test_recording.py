"""What mistakes give is recorded by running them, and a recording that is not fresh is found."""

import h5py
import numpy as np
import pytest

import mistakes
from coursekit import notebooks, recording, wrong_answers
from coursekit.checks import recordings
from coursekit.checks.findings import Source
from hidden_tests import TABLE, exercises
from selfcheck import known_mistakes
from selfcheck.known_mistakes import Known, Recorded
from selfcheck.returned_values import NotNumbers
from tests.classroom import ASSIGNMENT

PUBLIC, HIDDEN = recording.MISTAKE_FILES


def findings(course):
    path = course.source(ASSIGNMENT)
    where = f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"
    found = recordings.check(course, [Source(ASSIGNMENT, path, where, notebooks.read(path))])
    return [(finding.code, finding.where, finding.what) for finding in found]


def test_every_mistake_is_recorded_and_tells_itself_from_the_right_answer(course):
    for row in TABLE.values():
        known = known_mistakes.read(course.root / HIDDEN, row.key)
        assert [one.name for one in known] == [mistake.name for mistake in mistakes.of(row.key)]
        assert all(any(case.tells for case in one.cases.values()) for one in known)
        left_out = {case for one in known for case in wrong_answers.NOISE.get(f"{row.key}:{one.name}", ())}
        assert all({case.name for case in row.cases} - one.cases.keys() <= left_out for one in known)


def test_what_is_recorded_is_what_the_wrong_formula_gives(course):
    """An oracle of its own: dW without the average is m times the right one, and nothing else differs."""
    row = TABLE[f"{ASSIGNMENT}/linear_backward"]
    known = {one.name: one for one in known_mistakes.read(course.root / HIDDEN, row.key)}["dW-not-averaged"]

    for case in row.cases:
        right, m = recording.expected(course, row, case), row.public.generator(**case.make)[0].shape[1]
        given = known.cases[case.name]
        np.testing.assert_allclose(given.outputs["dW"], m * right["dW"])
        np.testing.assert_allclose(given.outputs["db"], right["db"])
        assert given.tells == ("" if m == 1 else known_mistakes.OUTPUTS)
        assert m == 1 or next(iter(given.outputs)) == "dW"  # what tells is compared first


def test_changes_and_exceptions_are_recorded_without_the_words_of_a_version(course):
    def cases(exercise, name):
        known = known_mistakes.read(course.root / HIDDEN, f"{ASSIGNMENT}/{exercise}")
        return next(one for one in known if one.name == name).cases

    assert cases("linear_backward", "divided-in-place")["example"].changed == ("dZ",)
    assert cases("update_parameters", "no-copy")["example"].own
    raised = cases("linear_backward", "W-not-transposed")["example"]
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


@pytest.mark.parametrize("name", [PUBLIC, HIDDEN])
def test_other_numbers_or_a_missing_exercise_are_found(scratch, name):
    with h5py.File(scratch.root / name, "r+") as file:
        file[f"{ASSIGNMENT}/linear_forward/numbers"][...] *= 1 + 1e-4
        del file[f"{ASSIGNMENT}/compute_cost"]

    found = findings(scratch)

    assert {(code, where) for code, where, _ in found} == {
        ("X601", f"{name}[{ASSIGNMENT}/linear_forward]"),
        ("X601", f"{name}[{ASSIGNMENT}/compute_cost]"),
    }
    assert any("gives something else in" in what for _, _, what in found)
    assert any(what == "not recorded yet" for _, _, what in found)


def test_the_last_digits_of_another_machine_are_no_difference(scratch):
    for name in (PUBLIC, HIDDEN):
        with h5py.File(scratch.root / name, "r+") as file:
            for row in exercises(ASSIGNMENT):
                file[f"{row.key}/numbers"][...] *= 1 + 1e-10

    assert findings(scratch) == []


def test_a_mistake_that_no_longer_fits_its_solution_is_found(scratch):
    """Then it is not recorded either; whoever betters a solution hears which rows to adapt."""
    path = scratch.source(ASSIGNMENT)
    text = path.read_text(encoding="utf-8")
    assert text.count("Z = W @ A + b") == 1
    path.write_text(text.replace("Z = W @ A + b", "Z = b + W @ A"), encoding="utf-8")

    where = {where for code, where, _ in findings(scratch) if code == "X601"}

    assert f"mistakes.py[{ASSIGNMENT}/linear_forward:bias-forgotten]" in where
    assert f"{HIDDEN}[{ASSIGNMENT}/linear_forward]" in where


def test_damaged_and_missing_files_are_found(scratch):
    (scratch.root / PUBLIC).unlink()
    (scratch.root / HIDDEN).write_bytes(b"junk")

    assert [(code, where) for code, where, _ in findings(scratch)] == [("X601", PUBLIC), ("X601", HIDDEN)]
