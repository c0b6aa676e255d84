"""Rows of ``hidden/<assignment>/``: points and hidden cases of an exercise, and submissions of the demo."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coursekit.model.exercise import Check
from selfcheck.exercises import Case


@dataclass(frozen=True)
class Grading:
    """The part of an exercise that students do not get: points on named checks, and hidden cases.

    ``depends_on`` names the exercises of the assignment whose functions this one calls. ``twins`` are cheap cases, such
    as short trainings: twins are drawn of those whose names a check selects, instead of its recorded cases.
    """

    function: str
    checks: tuple[Check, ...]
    cases: tuple[Case, ...] = ()
    depends_on: tuple[str, ...] = ()
    twins: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """How one submission of the demo is made from the release.

    First come the answers: those of a ``style`` of right answers (if empty, the solutions), with one named mistake and
    replacements of text. Then ``change`` is applied to the whole notebook, as a JSON object.
    """

    student: str
    about: str
    style: str = ""
    mistake: tuple[str, str] | None = None  # (function, name) in the catalogue
    answers: tuple[tuple[str, str], ...] = ()  # (text in a solution, its replacement)
    change: Callable[[dict[str, Any]], dict[str, Any] | str | bytes] = lambda notebook: notebook
    file_name: str = ""  # if empty, the expected name
    blank: bool = False
