"""What a course says of itself in its configuration: read once, checked, and never what would hand out its secrets."""

import os

import pytest

from coursekit.model import settings
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.model.settings import Facts
from tests.classroom import ROOT


@pytest.fixture
def said(tmp_path):
    """The facts of a course whose configuration has these lines."""

    def facts(*lines):
        for name in ("shared", "hidden/a", "source/a", "submitted/anna", "release"):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "utils.py").write_text("")
        (tmp_path / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *lines]))
        return settings.facts(tmp_path)

    return facts


def test_the_facts_of_this_course():
    assert Course(ROOT).facts == Facts(
        "dnn-from-scratch",
        ("step-by-step", "application", "digits"),
        ("dnn_utils.py", "dnn", "testCases.py", "public_tests.py", "LICENSE"),
    )
    assert Course(ROOT).assignments() == ("step-by-step", "application", "digits")


def test_a_course_need_not_say_anything(said, tmp_path):
    assert said() == Facts()
    (tmp_path / "nbgrader_config.py").unlink()
    assert settings.facts(tmp_path) == Facts()


def test_lists_and_tuples_are_taken_without_what_is_there_twice(said):
    assert said(
        "c.CourseKit.assignments = ('b', 'a', 'b')", "c.CourseKit.shared_files = ['shared/', 'utils.py']"
    ) == Facts(assignments=("b", "a"), shared_files=("shared", "utils.py"))


def test_a_change_is_seen_and_what_is_the_same_is_read_once(said, tmp_path, monkeypatch):
    first = said("c.CourseDirectory.course_id = 'one'")
    monkeypatch.setattr(settings, "_read", None)
    assert settings.facts(tmp_path) is first
    monkeypatch.undo()
    assert said("c.CourseDirectory.course_id = 'other'").course_id == "other"


def test_a_worker_has_the_facts_that_it_was_given(tmp_path):
    """There is no configuration on it, which may hold a password."""
    given = Facts("x", ("a",), ("utils.py",))
    assert Course(tmp_path, given).facts is given


def test_assignments_come_in_their_order_and_others_behind_them(said, tmp_path):
    said("c.CourseKit.assignments = ['second', 'first', 'of-next-year']")
    for name in ("other", "first", "second"):
        source = Course(tmp_path).source(name)
        source.parent.mkdir(parents=True)
        source.write_text("{}")
    assert Course(tmp_path).assignments() == ("second", "first", "other")


@pytest.mark.parametrize("option", ["assignments", "shared_files"])
@pytest.mark.parametrize("value", ["'abc'", "7", "None", "{'a': 1}", "['a', 7]", "['']", "[['a']]", "[None]"])
def test_a_value_of_another_type_is_refused(said, option, value):
    with pytest.raises(CourseError, match="is no list of names; write a list of strings") as error:
        said(f"c.CourseKit.{option} = {value}")
    assert error.value.where == f"nbgrader_config.py: CourseKit.{option}"


@pytest.mark.parametrize(
    ("option", "meant"),
    [("asignments", "; do you mean assignments?"), ("shared_file", "; do you mean shared_files?"), ("zzz", "")],
)
def test_an_option_that_does_not_exist_is_refused_with_the_one_that_is_meant(said, option, meant):
    with pytest.raises(CourseError) as error:
        said(f"c.CourseKit.{option} = ['a']")
    assert error.value.where == f"nbgrader_config.py: CourseKit.{option}"
    assert error.value.found == f"there is no such option{meant}"


@pytest.mark.parametrize(
    "name",
    ["hidden", "hidden/a", "./hidden", "Hidden", "shared/../hidden", "..", "../x", ".", "/", "./", "source", "release",
     "submitted/anna", "autograded", "feedback", "gradebook.db", ".coursekit", "nbgrader_config.py"],
)  # fmt: skip
def test_no_shared_file_gives_away_what_is_not_for_students(said, name):
    with pytest.raises(CourseError, match="cannot be handed out with every assignment; name files at the top"):
        said(f"c.CourseKit.shared_files = ['utils.py', {name!r}]")


def test_a_shared_file_that_is_not_there_is_refused(said):
    with pytest.raises(CourseError, match=r"CourseKit\.shared_files: there is no gone\.py; take it off the list"):
        said("c.CourseKit.shared_files = ['utils.py', 'gone.py']")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links on this system")
def test_no_link_gives_away_what_is_not_for_students(said, tmp_path):
    said("c.CourseKit.shared_files = ['shared']")
    (tmp_path / "hidden" / "a" / "mistakes.py").write_text("")
    (tmp_path / "shared" / "more.py").symlink_to(tmp_path / "hidden" / "a" / "mistakes.py")
    with pytest.raises(CourseError, match=r"shared/more\.py: it is a link into hidden/"):
        Course(tmp_path).shared_files("a")
