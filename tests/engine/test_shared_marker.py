"""A marker lives on for the next submission, in the Formgrader for days, but only while its course is the same."""

import os
import shutil

import pytest

from coursekit.authoring import recording
from coursekit.grading.cluster import payload, wire_format
from coursekit.marking import marker as marking
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from tests import tiny

CHANGED = (
    "hidden/tiny/exercises.py", "hidden/tiny/recorded.npz", "hidden/tiny/data/more.csv", "hidden/sizes.py",
    "hidden/helpers/__init__.py", "hidden/all.csv", "source/tiny/cases.py", "source/tiny/recorded.npz",
    "source/tiny/tiny.ipynb", "beside.py",
)  # fmt: skip


def shared(course):
    return marking.shared(course, tiny.NAME, TimeLimits(), "none")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    made = tiny.course(tmp_path_factory.mktemp("recorded") / "course")
    (made.root / "nbgrader_config.py").touch()
    recording.record(made, tiny.NAME)
    for name in CHANGED:
        (made.root / name).parent.mkdir(exist_ok=True)
        (made.root / name).touch()
    return made


@pytest.fixture
def course(recorded, tmp_path):
    yield Course(shutil.copytree(recorded.root, tmp_path / "course"))
    marking._close_all()


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_file_of_the_course_makes_a_new_one(course, name):
    first = shared(course)
    assert shared(course) is first
    os.utime(course.root / name, (1, 1))
    assert shared(course) is not first


@pytest.mark.parametrize(
    "name", ["release/tiny/tiny.ipynb", "hidden/other/exercises.py", "hidden/tiny/.mistakes.py.swp"]
)
def test_another_file_makes_none(course, name):
    first = shared(course)
    (course.root / name).parent.mkdir(parents=True, exist_ok=True)
    (course.root / name).write_text("x = 1")
    assert shared(course) is first


def test_points_that_are_changed_between_two_submissions_count(course):
    assert shared(course)._assignment.exercises[0].points == 5
    (course.hidden(tiny.NAME) / "exercises.py").write_text(tiny.EXERCISES.replace('"all", 3', '"all", 30'))
    assert shared(course)._assignment.exercises[0].points == 32


def test_a_file_that_is_open_in_an_editor_is_in_nobodys_way(course):
    """Emacs marks it by a link to nowhere."""
    (course.folder(tiny.NAME) / ".#cases.py").symlink_to("author@machine.4711")
    (course.hidden(tiny.NAME) / ".#exercises.py").symlink_to("author@machine.4711")
    assert shared(course)._assignment.exercises[0].points == 5
    _, files = wire_format.decode(payload.of_course(course, tiny.NAME))
    assert not [name for name in files if "#" in name]


def test_a_pack_for_a_cluster_has_what_lies_in_a_folder_of_the_hidden_one(course):
    course.source("half-made").parent.mkdir()
    course.source("half-made").symlink_to("nowhere")
    _, files = wire_format.decode(payload.of_course(course, tiny.NAME))
    assert "hidden/tiny/data/more.csv" in files


def test_an_assignment_without_anything_hidden_can_be_packed(tmp_path):
    made = tiny.course(tmp_path, exercises="")
    (made.root / "nbgrader_config.py").touch()
    _, files = wire_format.decode(payload.of_course(made, tiny.NAME))
    assert sorted(files) == ["source/tiny/cases.py", "source/tiny/tiny.ipynb"]
