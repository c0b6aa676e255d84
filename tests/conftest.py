"""Fixtures that all tests share."""

import signal
from pathlib import Path
from typing import Any

import pytest

from coursekit.model.course import Course
from coursekit.system import inherited
from tests.classroom import ROOT, copy_course, fill_in, released_notebook, solution_cells


def _pass_on_defaults() -> None:
    """What the tests start has every signal as by default, however they were started: by nohup, in the background, …

    The tests themselves go on ignoring what they were told to: a handler is not inherited, being ignored is.
    """
    inherited.reset()
    for name in ("SIGHUP", "SIGQUIT", "SIGTERM", "SIGTSTP", "SIGTTIN", "SIGTTOU"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            signal.signal(getattr(signal, name), lambda *_: None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_pass_on_defaults()


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
