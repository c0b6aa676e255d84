"""A new assignment is two folders and a line; several courses are graded by one process."""

import hashlib
import subprocess
import sys
import zipfile

import pytest

from coursekit.authoring import checks, recording, release, release_zip
from coursekit.grading import fingerprints, grade, gradebook
from coursekit.model import settings
from coursekit.model.errors import CourseError
from tests import toy
from tests.classroom import copy_course

RIGHT = {"predict-line": 4, "slopes": 6, "why": 0}  # nobody has read the written answer yet


def _digests(course, folder):
    files = sorted(path for path in (course.root / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(course.root): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _graded(course):
    assert not [one.problem for one in grade.grade(course, toy.ASSIGNMENT) if one.failed]
    students = gradebook.read(course, toy.ASSIGNMENT)
    return {one.student: {mark.grade_id: mark.earned for mark in one.marks} for one in students}


@pytest.mark.parametrize("brief", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_another_assignment_changes_no_release_and_no_graded_work(tmp_path, brief):
    course = copy_course(tmp_path / "course")
    others = course.assignments()
    before = [_digests(course, folder) for folder in ("release", "hidden", "source")]
    grading = {name: fingerprints.of_assignment(course, name) for name in others}

    toy.add_assignment(course)
    config = course.root / settings.CONFIG
    listed = config.read_text().replace('"digits"]', '"digits", "linear-regression"]')
    config.write_text(listed)
    assert course.assignments() == (*others, toy.ASSIGNMENT)
    recording.record(course, toy.ASSIGNMENT)
    release.release(course, toy.ASSIGNMENT)

    assert checks.run(course, (toy.ASSIGNMENT,), brief=brief) == []
    for folder, known in zip(("release", "hidden", "source"), before, strict=True):
        now = _digests(course, folder)
        assert {path: now[path] for path in known} == known
        assert all(toy.ASSIGNMENT in path.parts for path in now.keys() - known.keys())
    assert {name: fingerprints.of_assignment(course, name) for name in others} == grading
    toy.hand_in(course, "ada", toy.solved(course))
    assert _graded(course) == {"ada": RIGHT}


def test_two_courses_with_equally_named_modules_and_exercises_do_not_see_each_other(tmp_path):
    one, other = toy.toy_course(tmp_path / "one"), toy.write_course(tmp_path / "other")
    notebook = other.source(toy.ASSIGNMENT)
    notebook.write_text(notebook.read_text().replace("w.T @ X + b", "w.T @ X - b"))
    recording.record(other, toy.ASSIGNMENT)
    release.release(other, toy.ASSIGNMENT)
    for course in (one, other):
        toy.hand_in(course, "plus", toy.solved(one))
        toy.hand_in(course, "minus", toy.solved(other))
    wrong = RIGHT | {"predict-line": 0}
    assert _graded(one) == {"plus": RIGHT, "minus": wrong}
    assert _graded(other) == {"plus": wrong, "minus": RIGHT}
    assert _graded(one) == {"plus": RIGHT, "minus": wrong}


def test_a_course_whose_imports_fail_here_grades_nobody(tmp_path):
    course = toy.toy_course(tmp_path / "course")
    toy.hand_in(course, "ada", toy.solved(course))
    source = course.source(toy.ASSIGNMENT)
    source.write_text(source.read_text().replace("import numpy as np", "import numpy as np, no_such_package"))
    with pytest.raises(CourseError, match=r"no_such_package.*; use the environment of this course"):
        grade.grade(course, toy.ASSIGNMENT)
    assert not any(one.entered for one in gradebook.read(course, toy.ASSIGNMENT))


def test_a_course_that_lacks_a_module_does_not_get_another_courses(tmp_path):
    course = toy.toy_course(tmp_path / "course")
    toy.hand_in(course, "ada", toy.solved(course))
    (course.root / "public_tests.py").unlink()  # the checkout that coursekit comes from has one, too
    with pytest.raises(CourseError, match="public_tests"):
        grade.grade(course, toy.ASSIGNMENT)


def test_a_release_is_one_zip_too_with_the_same_bytes_each_time(tmp_path):
    course = toy.toy_course(tmp_path / "course")
    first = release_zip.write(course, toy.ASSIGNMENT)
    before = first.read_bytes()
    assert release_zip.write(course, toy.ASSIGNMENT) == first
    assert first.read_bytes() == before
    with zipfile.ZipFile(first) as archive:
        files = {path.removeprefix(f"{toy.ASSIGNMENT}/"): archive.read(path) for path in archive.namelist()}
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
    assert files == {name: (course.release(toy.ASSIGNMENT) / name).read_bytes() for name in
                     release.released_files(course.release(toy.ASSIGNMENT))}  # fmt: skip
    readme = course.folder(toy.ASSIGNMENT) / "README.md"
    readme.write_text(readme.read_text() + "\nOne more line.\n")
    release.release(course, toy.ASSIGNMENT)
    other = release_zip.write(course, toy.ASSIGNMENT)
    assert other != first
    assert first.read_bytes() == before


def test_a_student_who_unpacks_the_zip_can_run_the_public_tests_with_numpy_alone(tmp_path):
    course = toy.toy_course(tmp_path / "course")
    with zipfile.ZipFile(release_zip.write(course, toy.ASSIGNMENT)) as archive:
        archive.extractall(tmp_path / "student")
    program = """
import sys
sys.modules["h5py"] = sys.modules["coursekit"] = None
from public_tests import *
def predict_line(X, w, b):
    return w.T @ X + b
predict_line_test(predict_line)
predict_line_test(lambda X, w, b: w.T @ X)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "student" / toy.ASSIGNMENT, capture_output=True, text=True
    )
    assert "Right on these examples" in done.stdout
    assert "Where does the line cross the axis?" in done.stderr


def _change(course, where, old, new):
    path = course.root / where / toy.ASSIGNMENT
    path = path / ("exercises.py" if where == "hidden" else "cases.py")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_check_of_an_output_that_no_result_has_is_found_and_grades_nobody(tmp_path):
    course = toy.toy_course(tmp_path / "course")
    toy.hand_in(course, "ada", toy.solved(course))
    _change(course, "hidden", 'Check("dw", 3, ("dw",))', 'Check("dw", 3, ("dW",))')
    found = [finding for finding in checks.run(course, (toy.ASSIGNMENT,), acceptance=False) if finding.code == "E300"]
    assert [finding.what for finding in found] == ["slopes, check 'dw': no result has an output 'dW'"]
    with pytest.raises(CourseError, match="no result has an output 'dW'"):
        grade.grade(course, toy.ASSIGNMENT)


def test_a_hint_that_gives_a_line_of_the_solution_away_is_found_in_the_release(tmp_path):
    course = toy.write_course(tmp_path / "course")
    mistakes = course.hidden(toy.ASSIGNMENT) / "mistakes.py"
    mistakes.write_text(mistakes.read_text().replace("Look at the sign of b.", "Write y_hat = w.T @ X + b there."))
    recording.record(course, toy.ASSIGNMENT)
    release.release(course, toy.ASSIGNMENT)
    found = checks.run(course, (toy.ASSIGNMENT,), acceptance=False)
    where = f"release/{toy.ASSIGNMENT}/recorded.npz"
    assert [(finding.code, finding.where) for finding in found] == [("R504", where)]


def test_without_a_recording_there_is_no_new_release_and_the_old_one_stays(tmp_path):
    course = toy.toy_course(tmp_path / "course")
    before = _digests(course, "release")
    (course.folder(toy.ASSIGNMENT) / "recorded.npz").unlink()
    with pytest.raises(CourseError, match="nothing is recorded yet; run `coursekit record linear-regression`"):
        release.release(course, toy.ASSIGNMENT)
    assert _digests(course, "release") == before


def test_record_names_a_mistake_that_does_not_fit_and_refuses_files_that_do_not_agree(tmp_path):
    course = toy.toy_course(tmp_path / "course")
    mistakes = course.hidden(toy.ASSIGNMENT) / "mistakes.py"
    mistakes.write_text(mistakes.read_text().replace('{"+ b": "- b"}', '{"+ c": "- c"}'))
    (said,) = recording.misfits(course, toy.ASSIGNMENT)
    assert said.startswith("predict_line:intercept-subtracted: '+ c' is 0 times in the solution cell")
    _change(course, "source", 'Case("other sizes", {"seed": 3', 'Case("example", {"seed": 3')
    with pytest.raises(CourseError, match="slopes has two cases 'example'"):
        recording.record(course, toy.ASSIGNMENT)


def test_what_an_assignment_lacks_is_named_when_it_is_checked_alone(tmp_path):
    course = toy.toy_course(tmp_path / "course")
    (course.folder(toy.ASSIGNMENT) / "requirements.txt").unlink()
    release.release(course, toy.ASSIGNMENT)
    assert [finding.code for finding in checks.run(course, (toy.ASSIGNMENT,), acceptance=False)] == ["D407"]
    course.source(toy.ASSIGNMENT).rename(course.folder(toy.ASSIGNMENT) / "regression.ipynb")
    with pytest.raises(CourseError, match="there is no notebook source/linear-regression/"):
        course.require(toy.ASSIGNMENT)
