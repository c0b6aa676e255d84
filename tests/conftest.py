"""Fixtures that all tests share."""

import signal
from pathlib import Path
from typing import Any

import pytest

from coursekit.course import Course
from tests.classroom import ROOT, copy_course, fill_in, released_notebook, solution_cells

# A shell ignores Ctrl-C for what it starts in the background, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def course() -> Course:
    """The checkout itself. Never write into it."""
    return Course(ROOT)


@pytest.fixture
def scratch(tmp_path: Path) -> Course:
    """A copy of the course for one test."""
    return copy_course(tmp_path / "course")


@pytest.fixture
def released(course: Course) -> dict[str, Any]:
    """The released notebook as a plain dict, new for every test."""
    return released_notebook(course)


@pytest.fixture
def solved(course: Course, released: dict[str, Any]) -> dict[str, Any]:
    """The released notebook with every exercise solved, as a student would hand it in."""
    return fill_in(released, solution_cells(course))
