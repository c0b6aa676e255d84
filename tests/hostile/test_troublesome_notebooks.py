"""Notebooks that hang, die, make noise or bring files along, graded in the sandbox: what they lose, and nobody else.

One class is graded once; every test reads a mark and asks that nothing was harmed.
"""

import hashlib
from pathlib import Path

import pytest

from coursekit.feedback import generation
from coursekit.grading import grade, gradebook
from coursekit.grading.options import GradingOptions
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from coursekit.reference import assignments
from tests.classroom import ASSIGNMENT, ROOT, copy_course, fill_in, hand_in, released_notebook, solution_cells

POINTS = {row.grade_id: row.points for row in assignments.load(Course(ROOT), ASSIGNMENT).exercises}
SCRIPTS = "from IPython.display import HTML\nHTML('<script>alert(2)</script><img src=x onerror=alert(3)>')"
LIMITS = TimeLimits(cell_timeout_s=3, call_timeout_s=1.0)
COST = "cost = np.sum(losses) / m"


def own_cell(source: str) -> dict:
    return {
        "id": "mine",
        "cell_type": "code",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": source,
    }


def with_cell(notebook: dict, source: str, before: str = "linear-forward") -> dict:
    index = next(i for i, cell in enumerate(notebook["cells"]) if cell["id"] == before)
    notebook["cells"].insert(index, own_cell(source))
    return notebook


def answered(course, old: str = "", new: str = "") -> dict:
    answers = {cell: source.replace(old, new) if old else source for cell, source in solution_cells(course).items()}
    return fill_in(released_notebook(course), answers)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    course = copy_course(tmp_path_factory.mktemp("class") / "course")
    noise = "import sys, warnings\nwarnings.warn('careful')\nprint('x', file=sys.stderr)\nnp.log(np.zeros(2))\n-1"
    submissions = {
        "first": answered(course),
        "noisy": with_cell(answered(course, COST, "np.log(np.zeros(1)); print('-1'); " + COST), noise),
        "dies": answered(course, COST, "import os; os._exit(3)"),
        "dies-early": with_cell(answered(course), "import os\nos._exit(3)"),
        "quits": with_cell(answered(course), "exit()"),
        "raises": with_cell(answered(course), "raise SystemExit(1)"),
        "deaf": with_cell(
            answered(course), "while True:\n    try:\n        import time; time.sleep(30)\n    except: pass"
        ),
        "hangs": with_cell(answered(course), "while True: pass"),
        "files": answered(course),
        "long-line": with_cell(answered(course), "print('x' * 3_000_000)"),
        "scripts": with_cell(answered(course, COST, "raise ValueError('<script>alert(1)</script>')"), SCRIPTS),
        "last": answered(course),
    }
    for student, notebook in submissions.items():
        hand_in(course, student, notebook)
    folder = course.submitted(ASSIGNMENT, "files")
    for name in ("numpy.py", "dnn_utils.py", "testCases.py", "public_tests.py", "IPython.py", "random.py"):
        (folder / name).write_text("raise RuntimeError('not the real one')")
    (folder / "h5py").mkdir()
    (folder / "h5py" / "__init__.py").write_text("raise RuntimeError('not the real one')")
    (folder / "notes.txt").write_text("mine")
    (folder / "secret").symlink_to(course.root / "source")
    before = fingerprint(course.root, "submitted"), fingerprint(course.root, "source", "*.py", "hidden/*/*", "dnn/*")
    done = {one.student: one for one in grade.grade(course, ASSIGNMENT, options=GradingOptions(LIMITS))}
    marks = {who.student: {m.grade_id: m for m in who.marks} for who in gradebook.read(course, ASSIGNMENT)}
    return course, before, done, marks


def fingerprint(root: Path, folder: str, *more: str) -> dict[str, str]:
    paths = [*(root / folder).rglob("*"), *(path for pattern in more for path in root.glob(pattern))]
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths if p.is_file()}


def earned(graded, student) -> dict[str, float]:
    return {cell: mark.earned for cell, mark in graded[3][student].items()}


@pytest.mark.parametrize("student", ["first", "last"])
def test_nobody_else_is_affected(graded, student):
    assert earned(graded, student) == POINTS


def test_nothing_of_the_course_or_of_the_hand_ins_was_changed(graded):
    course, before, _, _ = graded
    assert (
        fingerprint(course.root, "submitted"),
        fingerprint(course.root, "source", "*.py", "hidden/*/*", "dnn/*"),
    ) == before


def test_warnings_prints_and_shown_values_cost_nothing(graded):
    assert earned(graded, "noisy") == POINTS


def test_a_function_that_kills_its_kernel_costs_its_exercise_only(graded):
    assert earned(graded, "dies") == POINTS | {"compute-cost": 0}
    assert "exit status 3" in graded[3]["dies"]["compute-cost"].reason


@pytest.mark.parametrize("student", ["dies-early", "quits", "raises", "deaf", "hangs"])
def test_a_cell_of_ones_own_that_stops_the_kernel_costs_nothing(graded, student):
    assert earned(graded, student) == POINTS


def test_what_was_left_out_is_told_in_the_notebook(graded):
    text = (graded[0].autograded(ASSIGNMENT, "dies-early") / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8")
    assert "Left out, because the kernel was lost here: " in text


def test_modules_beside_the_notebook_are_not_imported_and_that_is_told(graded):
    assert earned(graded, "files") == POINTS
    assert (
        "Python files beside the notebook were not used: IPython.py, numpy.py, random.py." in graded[2]["files"].notes
    )


def test_other_files_come_along_and_links_do_not(graded):
    folder = graded[0].autograded(ASSIGNMENT, "files")
    assert (folder / "notes.txt").read_text() == "mine"
    assert not (folder / "secret").exists()
    for name in ("dnn_utils.py", "testCases.py", "public_tests.py"):
        assert (folder / name).read_bytes() == (graded[0].root / name).read_bytes()


def test_a_line_of_millions_is_cut_and_costs_nothing(graded):
    assert earned(graded, "long-line") == POINTS
    text = (graded[0].autograded(ASSIGNMENT, "long-line") / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8")
    assert "cut here by the grader: too much output" in text
    assert len(text) < 1_500_000


def test_scripts_of_a_submission_do_not_reach_the_feedback_page(graded):
    """Neither those that it displays nor those in an error message that the grader quotes."""
    (page,) = generation.feedback(graded[0], ASSIGNMENT, ["scripts"])
    html = page.path.read_text(encoding="utf-8")
    assert "alert(1)" in html  # quoted, as text
    for number in (1, 2, 3):
        assert f"<script>alert({number})" not in html
        assert f"onerror=alert({number})>" not in html.replace("&gt;", "")


def test_figures_of_the_course_are_on_the_feedback_page(graded):
    """Sanitising must not turn them into text."""
    (page,) = generation.feedback(graded[0], ASSIGNMENT, ["first"])
    html = page.path.read_text(encoding="utf-8")
    assert html.count('src="data:image/png;base64,') == 7
    assert "&lt;img" not in html


def test_one_broken_folder_keeps_nobody_from_their_page(graded):
    course = graded[0]
    broken = course.autograded(ASSIGNMENT, "aaa-broken")
    broken.mkdir(parents=True)
    (broken / "x.txt").write_text("no notebook")
    pages = {page.student: page for page in generation.feedback(course, ASSIGNMENT, ["aaa-broken", "last"])}
    assert "No notebooks" in pages["aaa-broken"].problem
    assert pages["last"].problem == ""
    assert pages["last"].path.is_file()


def test_every_submission_was_graded(graded):
    assert not [one for one in graded[2].values() if one.failed or one.problem]
