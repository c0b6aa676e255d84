"""Rows of ``hidden/<assignment>/``: points and hidden cases of an exercise, and submissions of the demo's class."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coursekit.model.exercise import Check
from selfcheck.exercises import Case


@dataclass(frozen=True)
class Grading:
    """What only the grader knows of an exercise: points on named checks, and hidden cases.

    ``depends_on`` names the exercises of the assignment whose functions this one calls.
    """

    function: str
    checks: tuple[Check, ...]
    cases: tuple[Case, ...] = ()
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """How one submission of the demo's class comes out of the release.

    First the answers, from a ``style`` of right answers (the solutions, if empty), with one named mistake and changes
    of text; then a change to the whole notebook, as JSON has it.
    """

    student: str
    about: str
    style: str = ""
    mistake: tuple[str, str] | None = None  # (function, name) in the catalogue
    answers: tuple[tuple[str, str], ...] = ()  # (text in a solution, what replaces it)
    change: Callable[[dict[str, Any]], dict[str, Any] | str | bytes] = lambda notebook: notebook
    file_name: str = ""  # the right one, if empty
    blank: bool = False
