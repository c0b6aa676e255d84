"""An assignment is what its files say now; what does not agree in them is a gap, and nothing is graded then."""

import os
import shutil
from dataclasses import replace

import pytest

from coursekit import author
from coursekit.authoring import recording
from coursekit.authoring.checks import form
from coursekit.grading import grade
from coursekit.model.errors import CourseError
from coursekit.reference import assignments
from selfcheck import recordings
from tests import tables, tiny
from tests.classroom import ASSIGNMENT, ROOT

GRADING = 'Grading("double", (Check("all", 3),){})'
ONE_MORE = '    Exercise(2, "halve", double_test_case, ("x",), "y", (Case("example"),), "x / 2", "more"),\n)'


def with_rows(*rows):
    imports = (
        "from coursekit.author import Check; from coursekit.author import Grading\nfrom selfcheck.exercises import Case"
    )
    return f"{imports}\nEXERCISES = ({', '.join(rows)},)"


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    course = tiny.course(tmp_path_factory.mktemp("tiny"))
    return assignments.load(course, tiny.NAME)


def test_an_exercise_is_described_as_data(described):
    (exercise,) = described.exercises
    assert (exercise.key, exercise.grade_id, exercise.test, exercise.points) == (
        "tiny/double",
        "double",
        "double_test",
        5,
    )
    assert [(case.name, case.sizes, case.words, case.public) for case in exercise.cases] == [
        ("example", {"m": 2}, "2 examples", True),
        ("one", {"m": 1}, "1 example", True),
        ("many", {"m": 9}, "9 examples", False),
    ]
    assert [len(exercise.given(case)["x"]) for case in exercise.cases] == [2, 1, 9]
    assert exercise.given(exercise.cases[0])["x"] is not exercise.given(exercise.cases[0])["x"]
    assert described.gaps == ()
    assert assignments.points(described.exercises) == {"double-test": 5}


def test_what_there_is_not_is_told(described):
    with pytest.raises(CourseError, match=r"source/tiny/cases\.py: there is no exercise triple"):
        described.exercise("triple")
    assert described.mistake("double", "no-such") is None
    with pytest.raises(
        CourseError, match=r"source/tiny/recorded\.npz: it holds nothing of double; run `coursekit record`"
    ):
        described.expected(described.exercises[0])
    assert described.known_mistakes(described.exercises[0]) == ()


@pytest.mark.parametrize(
    ("modules", "gaps"),
    [
        ({"exercises": ""}, ["double has no points: add it to hidden/tiny/exercises.py"]),
        ({"cases": ""}, ["double has points, but no cases: add it to source/tiny/cases.py"]),
        (
            {"cases": tiny.CASES.replace("),\n)", "),\n" + ONE_MORE)},
            ["halve has no points: add it to hidden/tiny/exercises.py"],
        ),
        (
            {"exercises": with_rows(GRADING.format(""), GRADING.format("").replace("double", "halve"))},
            ["halve has points, but no cases: add it to source/tiny/cases.py"],
        ),
        (
            {"exercises": with_rows(GRADING.format(', depends_on=("halve",)'))},
            ["double depends on halve, which is no exercise: change it in hidden/tiny/exercises.py"],
        ),
        (
            {"exercises": with_rows('Grading("double", (Check("few", 3, cases=("exam", "few")),))')},
            ["double, check 'few': no case begins with 'few': change it in hidden/tiny/exercises.py"],
        ),
        (
            {"exercises": with_rows(GRADING.format(', (Case("one", {"m": 4}),)'))},
            ["double has two cases 'one': rename one of them"],
        ),
        (
            {"mistakes": "MISTAKES = {'halve': [('a', '', {}, '')]}\nRIGHT_ANSWERS = {'third': [('b', '', {})]}"},
            [
                "hidden/tiny/mistakes.py has an answer to halve, which is no exercise: remove it",
                "hidden/tiny/mistakes.py has an answer to third, which is no exercise: remove it",
            ],
        ),
        (
            {"equivalents": "EQUIVALENT = {'halve': {'1 x -> y': 'so'}}"},
            ["hidden/tiny/equivalents.py has mutants of halve, which is no exercise: remove them"],
        ),
    ],
)
def test_names_that_do_not_agree_are_gaps(tmp_path, modules, gaps):
    course = tiny.course(tmp_path, **modules)
    found = assignments.load(course, tiny.NAME)
    assert list(found.gaps) == gaps
    rows, findings = form._exercises(course, tiny.NAME)
    assert rows == found.exercises
    assert [(one.code, one.where, f"{one.what}: {one.remedy}") for one in findings] == [
        ("E300", "source/tiny", gap) for gap in gaps
    ]
    if course.source(tiny.NAME).is_file():
        folder = course.submitted(tiny.NAME, "anna")
        folder.mkdir(parents=True)
        shutil.copy(course.source(tiny.NAME), folder)
        with pytest.raises(CourseError) as error:
            grade.grade(course, tiny.NAME)
        assert (error.value.where, error.value.found) == ("source/tiny", gaps[0])


@pytest.mark.parametrize(
    ("modules", "where"),
    [
        ({"cases": tiny.CASES.replace("),\n)", "),\n" + ONE_MORE.replace("halve", "double"))}, "source/tiny/cases.py"),
        ({"exercises": with_rows(GRADING.format(""), GRADING.format(""))}, "hidden/tiny/exercises.py"),
    ],
)
def test_an_exercise_that_is_there_twice_is_refused(tmp_path, modules, where):
    course = tiny.course(tmp_path, **modules)
    with pytest.raises(CourseError, match="an exercise is there twice") as error:
        assignments.load(course, tiny.NAME)
    assert error.value.where.endswith(where)
    ((), (finding,)) = form._exercises(course, tiny.NAME)
    assert (finding.code, finding.what) == ("E300", "an exercise is there twice")


def test_exercises_come_in_the_order_of_their_numbers(tmp_path):
    first = tiny.CASES.index("    Exercise(1")
    more = ONE_MORE.removesuffix("\n)")
    cases = f"{tiny.CASES[:first]}{more}\n{tiny.CASES[first:]}"
    course = tiny.course(tmp_path, cases, with_rows(GRADING.format(""), GRADING.format("").replace("double", "halve")))
    assert [row.function for row in assignments.load(course, tiny.NAME).exercises] == ["double", "halve"]


def test_an_assignment_of_neither_is_an_assignment_without_exercises(tmp_path, monkeypatch):
    """A notebook with written answers only; no process is started for it."""
    monkeypatch.setattr(assignments, "ReferenceProcess", None)
    course = tiny.course(tmp_path)
    found = assignments.load(course, "essay")
    assert (found.exercises, found.mistakes, found.gaps) == ((), (), ())
    assert recording.record(course, "essay") == []


def test_it_is_read_once_and_again_when_a_file_has_changed(tmp_path, monkeypatch):
    """Any module that the author may have changed: one beside the cases, a shared one, one that is new."""
    course = tiny.course(tmp_path)
    (course.root / "nbgrader_config.py").write_text("c = get_config()\nc.CourseKit.shared_files = ['shared']\n")
    (course.root / "shared").mkdir()
    started = []
    monkeypatch.setattr(
        assignments,
        "ReferenceProcess",
        lambda *given, real=assignments.ReferenceProcess: started.append(given) or real(*given),
    )
    first = assignments.load(course, tiny.NAME)
    assert assignments.load(course, tiny.NAME) is first
    assert len(started) == 1
    changed = [
        course.folder(tiny.NAME) / "more.py",
        course.hidden(tiny.NAME) / "mistakes.py",
        course.hidden(tiny.NAME).parent / "sizes.py",
        course.root / "shared" / "deep.py",
        course.root / "beside.py",
        course.folder(tiny.NAME) / "numbers.csv",
    ]
    for count, path in enumerate(changed, 2):
        path.write_text("x = 1", encoding="utf-8")
        assert assignments.load(course, tiny.NAME) == replace(first)
        assert len(started) == count
    cases = course.folder(tiny.NAME) / "cases.py"
    cases.write_text(tiny.CASES.replace("2 times x", "3 times x"), encoding="utf-8")  # of the same size
    os.utime(cases, ns=(0, 0))
    assert assignments.load(course, tiny.NAME).exercises[0].look == "3 times x"


def test_a_recording_is_read_as_it_is_now(tmp_path):
    course = tiny.course(tmp_path)
    assert recording.record(course, tiny.NAME) == [
        course.folder(tiny.NAME) / recordings.NAME,
        course.hidden(tiny.NAME) / recordings.NAME,
    ]
    found = assignments.load(course, tiny.NAME)
    expected = found.expected(found.exercises[0])
    assert {case: list(named["y"]) for case, named in expected.items() if case != "many"} == {
        "example": [0, 2],
        "one": [0],
    }
    path = course.hidden(tiny.NAME) / recordings.NAME
    path.write_bytes(b"junk")
    with pytest.raises(CourseError, match=r"hidden/tiny/recorded\.npz: it holds nothing of double"):
        found.expected(found.exercises[0])
    assert recording.record(course, tiny.NAME) == [path]
    assert found.expected(found.exercises[0]).keys() == expected.keys()


# --- the hidden line of a test cell ----------------------------------------------------------------------------


@pytest.fixture
def in_the_notebook(monkeypatch):
    monkeypatch.chdir(ROOT / "source" / ASSIGNMENT)


def test_the_authors_line_prints_the_marks_of_the_functions_own_exercise(in_the_notebook, capsys):
    author.check(tables.solved(ASSIGNMENT)["linear_forward"])
    assert capsys.readouterr().out == f"hidden: {ASSIGNMENT}/linear_forward 10 of 10\n"


def test_the_authors_line_raises_with_the_checks_that_fail(in_the_notebook):
    wrong = tables.wrong(f"{ASSIGNMENT}/linear_backward", "dW-not-averaged")
    with pytest.raises(AssertionError, match=r"linear_backward: [\d.]+ of 10\n  dW: "):
        author.check(wrong)


def test_the_authors_line_is_refused_for_a_function_that_is_no_exercise(in_the_notebook):
    with pytest.raises(CourseError, match=r"there is no exercise <lambda>"):
        author.check(lambda: 0)
