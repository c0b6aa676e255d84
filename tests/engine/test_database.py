"""A gradebook in a file is what nbgrader would make, and is there as a whole or not at all."""

import contextlib
import os
import sqlite3
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nbgrader import api

from coursekit.grading import gradebook
from coursekit.model import database
from coursekit.model.errors import CourseError

COURSE = "a-course"


def contents(file):
    """Tables, courses and the version of the tables."""
    with contextlib.closing(sqlite3.connect(file)) as book:
        tables = book.execute("select name, sql from sqlite_master order by name").fetchall()
        return tables, *(book.execute(f"select * from {name}").fetchall() for name in ("course", "alembic_version"))


def test_it_is_as_nbgrader_makes_it_and_no_program_is_started_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    stock = tmp_path / "stock.db"
    for course in ("default_course", COURSE):
        api.Gradebook(f"sqlite:///{stock}", course).close()
    monkeypatch.setattr(api, "get_alembic_version", None)
    database.prepare(database.in_folder(tmp_path), COURSE)
    assert contents(tmp_path / "gradebook.db") == contents(stock)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gradebook.db", "stock.db"]


def test_those_who_begin_together_make_one(tmp_path):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: database.prepare(database.in_folder(tmp_path), COURSE), range(6)))
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]
    assert contents(tmp_path / "gradebook.db")[2] == [(database._newest_version(),)]


def test_what_is_there_already_is_left_as_it_is(tmp_path):
    (tmp_path / "gradebook.db").write_bytes(b"somebody's own")
    database.prepare(database.in_folder(tmp_path), COURSE)
    assert (tmp_path / "gradebook.db").read_bytes() == b"somebody's own"


def test_a_disk_may_know_no_links(scratch, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError("no links here")))
    with gradebook.opened(scratch) as book:
        assert book.assignments == []
    assert not list(scratch.root.glob(".gradebook-*"))


def test_a_disk_that_cannot_be_written_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "mkdtemp", lambda *_, **__: (_ for _ in ()).throw(PermissionError("read-only")))
    address = database.in_folder(tmp_path / "gone")
    monkeypatch.setattr(Path, "is_dir", lambda path: True)
    with pytest.raises(CourseError, match=r"it cannot be used \(unable to open database file\)"):
        database.prepare(address, COURSE)
