"""What an author writes with: the rows of ``hidden/<assignment>/``, and the hidden line of a test cell."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursekit.exercise import Check
from selfcheck.exercises import Case, Exercise

__all__ = ["Case", "Check", "Exercise", "Grading", "Recipe", "check"]


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


def check(function: Callable[..., Any]) -> None:
    """The author's line in a test cell: run every case of the exercise and compare with the recording.

    Prints one line; raises AssertionError with the checks that fail. The exercise is the one of the function's name, in
    the assignment of the working directory. In a grading this line does not run: the grader calls the function by
    itself, and compares outside the student's process.
    """
    from coursekit import assignments
    from coursekit.course import find_course
    from coursekit.marking import judge, probe

    course, folder = find_course(Path.cwd()), Path.cwd()
    assignment = assignments.load(course, folder.relative_to(course.root / "source").parts[0])
    exercise = assignment.exercise(function.__name__)
    verdict = judge.judge(assignment, exercise, probe.observe(exercise, function))
    lost = [f"{result.name}: {result.reason}" for result in verdict.results if not result.passed]
    assert not lost, f"{exercise.key}: {verdict.earned:g} of {verdict.points:g}\n  " + "\n  ".join(lost)
    print(f"hidden: {exercise.key} {verdict.earned:g} of {verdict.points:g}")
