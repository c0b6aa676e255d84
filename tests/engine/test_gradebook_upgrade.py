"""`coursekit upgrade` keeps every mark and comment where grade ids were renamed, and a backup of what was there."""

import contextlib
import json
import sqlite3
from datetime import datetime
from functools import partial

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from coursekit.cli import app
from coursekit.feedback import generation
from coursekit.grading import backups, grade, gradebook, registration
from coursekit.model.errors import CourseError
from tests import toy

CLASS = ("anna", "ben")


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A graded class of two; a person has marked, commented and rewarded anna's answers."""
    course = toy.toy_course(tmp_path_factory.mktemp("ids") / "course")
    toy.grade_class(course, dict.fromkeys(CLASS, ("", "")))
    toy.set_grade(course, "anna", "why", manual_score=1, needs_manual_grade=False)
    toy.set_grade(course, "anna", "predict-line-test", manual_score=3, extra_credit=0.5)
    with Gradebook(course.db_url) as book:
        book.find_comment("predict-line", toy.ASSIGNMENT, toy.ASSIGNMENT, "anna").manual_comment = "Well done."
        book.db.commit()
    return course


@pytest.fixture
def graded(before, tmp_path, monkeypatch):
    return toy.working_copy(before, tmp_path / "course", monkeypatch)


def in_source(course, *changes):
    path = course.source(toy.ASSIGNMENT)
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def run(*arguments):
    done = CliRunner().invoke(app.app, ["upgrade", *arguments], env={"COLUMNS": "120"}, catch_exceptions=False)
    return done.exit_code, done.stdout.splitlines()


def marks(course):
    return {
        (one.student, mark.grade_id): (mark.earned, mark.automatic, mark.manual, mark.extra_credit, mark.reason)
        for one in gradebook.read(course, toy.ASSIGNMENT)
        for mark in one.marks
    }


def copies(course):
    return sorted((course.root / ".coursekit" / "backups").glob("*"))


RENAMED = {"why": "in-your-words", "predict-line": "line", "predict-line-test": "line-test"}
IDS = (*((f'"{old}"', f'"{new}"') for old, new in RENAMED.items()),)


def test_registering_other_grade_ids_is_refused_and_the_way_out_named(graded):
    """Whatever was renamed, added or removed: marks would belong to nothing, or to something else."""
    known = marks(graded)
    rename = partial(in_source, graded, *IDS)
    for change in (rename, partial(add_question, graded), partial(remove_last_cell, graded)):
        before = graded.source(toy.ASSIGNMENT).read_bytes()
        change()
        with pytest.raises(CourseError, match=r"run `coursekit upgrade`, which keeps their marks and comments"):
            registration.register(graded, toy.ASSIGNMENT)
        assert marks(graded) == known
        graded.source(toy.ASSIGNMENT).write_bytes(before)


def add_question(course):
    last = cells(course)[-1]
    write_cells(course, [*cells(course), json.loads(json.dumps(last).replace('"why"', '"how"'))])


def remove_last_cell(course):
    write_cells(course, cells(course)[:-1])


def cells(course):
    return json.loads(course.source(toy.ASSIGNMENT).read_text(encoding="utf-8"))["cells"]


def write_cells(course, new):
    path = course.source(toy.ASSIGNMENT)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(notebook | {"cells": new}), encoding="utf-8")


def test_marks_comments_and_extra_credit_go_with_a_renamed_cell(graded):
    in_source(graded, *IDS)
    known, stood = marks(graded), (graded.root / "gradebook.db").read_bytes()
    code, said = run("--dry-run")
    assert (code, said[-1]) == (0, "nothing was written")
    assert (graded.root / "gradebook.db").read_bytes() == stood
    assert copies(graded) == []
    code, said = run()
    assert code == 0
    assert "linear-regression: why is now in-your-words (2 submissions, 1 marks or comments of a person)" in said
    (backup,) = copies(graded)
    assert f"backup: {backup.relative_to(graded.root)}" in said
    assert marks(graded) == {(student, RENAMED.get(name, name)): mark for (student, name), mark in known.items()}
    with contextlib.closing(sqlite3.connect(backup)) as book:
        names = {name for (name,) in book.execute("select name from base_cell")}
    assert names == {"predict-line", "predict-line-test", "slopes", "slopes-test", "why"}
    registration.register(graded, toy.ASSIGNMENT)
    assert list(marks(graded)) == [(student, name) for student in CLASS for name in ("line", "slopes", "in-your-words")]
    assert run()[1][0] == "linear-regression: the gradebook has the grade ids of source/"


def test_a_persons_mark_holds_for_the_renamed_question_when_it_is_graded_again(graded):
    """The students' notebooks have the old ids."""
    in_source(graded, ('"why"', '"in-your-words"'))
    assert run()[0] == 0
    (failed, *_) = generation.feedback(graded, toy.ASSIGNMENT, ["anna"])
    assert "grade" in failed.problem
    assert not any(one.failed or one.held for one in grade.grade(graded, toy.ASSIGNMENT))
    anna, ben = gradebook.read(graded, toy.ASSIGNMENT)
    assert [(mark.grade_id, mark.earned, mark.waiting) for mark in anna.marks] == [
        ("predict-line", 3.5, False),
        ("slopes", 6, False),
        ("in-your-words", 1, False),
    ]
    assert [mark.waiting for mark in ben.marks] == [False, False, True]
    (written, *_) = generation.feedback(graded, toy.ASSIGNMENT, ["anna"])
    assert not written.problem


def test_what_is_not_certain_is_asked_and_nothing_is_written(graded):
    """Another text in the place of a question may be another question."""
    in_source(graded, ('"why"', '"how"'), ("predict-line", "fit"), ("predict_line", "fit"))
    stood = (graded.root / "gradebook.db").read_bytes()
    code, said = run()
    assert (code, said[-1]) == (1, "nothing was written; decide, and run `coursekit upgrade` again with these options")
    assert (
        "linear-regression: predict-line (2 submissions, 2 marks or comments of a person) is not in source/,"
        " where fit is in its place; --rename predict-line=fit if it has another name now, or --remove predict-line"
    ) in said
    assert len(said) == 3
    assert (graded.root / "gradebook.db").read_bytes() == stood
    with pytest.raises(CourseError, match=r"^--rename predict-line=nothing: the gradebook has no predict-line that is"):
        run("--rename", "predict-line=nothing")
    with pytest.raises(CourseError, match=r"^--remove slopes: the gradebook has no slopes that is missing in source/"):
        run("--remove", "slopes")


def test_a_removed_cell_takes_its_marks_along_and_a_new_one_begins_without(graded):
    """Also in a gradebook that only nbgrader wrote, which has none of our tables."""
    with contextlib.closing(sqlite3.connect(graded.root / "gradebook.db")) as book:
        book.execute("drop table coursekit_answers")
        book.commit()
    add_question(graded)
    assert run()[1][0] == "linear-regression: how is new"
    assert marks(graded)["anna", "how"][:3] == (0, None, False)
    in_source(graded, ('"how"', '"what-for"'), ('"why"', '"what"'))
    code, said = run("--remove", "why", "--remove", "how")
    assert code == 0
    assert "linear-regression: why is removed (2 submissions, 1 marks or comments of a person)" in said
    assert {name for _, name in marks(graded)} == {"predict-line", "slopes", "what", "what-for"}
    assert marks(graded)["anna", "what"][:3] == (0, None, False)
    assert len(copies(graded)) == 2


def test_several_changes_are_made_completely_or_not_at_all(graded, monkeypatch):
    in_source(graded, *IDS)
    known = marks(graded)

    def stop(*_):
        raise RuntimeError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr("coursekit.grading.upgrading._replace_source", stop)
        with pytest.raises(RuntimeError, match="stopped"):
            run()
    assert marks(graded) == known
    assert len(copies(graded)) == 1


def test_a_backup_never_replaces_another(tmp_path):
    names = []
    for number in range(3):
        copy = tmp_path / "copy.db"
        copy.write_text(f"{number}")
        names.append(backups._named(copy, tmp_path, datetime(2026, 3, 1, 12, 30, 5)).name)
    assert [(tmp_path / name).read_text() for name in names] == ["0", "1", "2"]
    assert names == [f"gradebook-2026-03-01-123005{number}.db" for number in ("", "-2", "-3")]


def test_a_backup_is_as_private_as_the_gradebook_and_a_damaged_one_is_none(graded):
    (graded.root / "gradebook.db").chmod(0o600)
    made = backups.make(graded)
    assert made.stat().st_mode & 0o777 == 0o600
    assert made.parent.parent == graded.root / ".coursekit"
    data = (graded.root / "gradebook.db").read_bytes()
    (graded.root / "gradebook.db").write_bytes(data[:4096] + b"\1" * 8192 + data[12288:])
    with pytest.raises(CourseError, match=r"^gradebook.db: no backup can be made"):
        backups.make(graded)
    assert copies(graded) == [made]


def test_a_gradebook_on_a_server_needs_a_backup_of_its_own(graded, monkeypatch):
    monkeypatch.setenv("COURSE_DB_URL", "postgresql://grader:secret@nowhere.invalid/marks")
    with pytest.raises(CourseError, match="pg_dump") as error:
        run()
    assert "secret" not in str(error.value)
    assert "--backed-up" in str(error.value)
