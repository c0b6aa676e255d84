"""For authors: the row types of ``cases.py`` and ``hidden/<assignment>/``, and ``check`` for the hidden line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from coursekit.model.exercise import Check
from coursekit.reference.rows import Grading, Recipe
from selfcheck.exercises import Case, Exercise

__all__ = ["Case", "Check", "Exercise", "Grading", "Recipe", "check"]


def check(function: Callable[..., Any]) -> None:
    """The author's check, the hidden line of a test cell: run every case of the exercise, compare with the recording.

    Prints one line; raises AssertionError with the checks that fail. The function's name determines the exercise, the
    working directory the assignment. This line does not run at grading: there the grader calls the function itself, and
    compares outside the student's process.
    """
    from coursekit.marking import function_calls, judge
    from coursekit.model.course import find_course
    from coursekit.reference import assignments

    course, folder = find_course(Path.cwd()), Path.cwd()
    assignment = assignments.load(course, folder.relative_to(course.root / "source").parts[0])
    exercise = assignment.exercise(function.__name__)
    verdict = judge.judge(assignment, exercise, function_calls.observe(exercise, function))
    lost = [f"{result.name}: {result.reason}" for result in verdict.results if not result.passed]
    assert not lost, f"{exercise.key}: {verdict.earned:g} of {verdict.points:g}\n  " + "\n  ".join(lost)
    print(f"hidden: {exercise.key} {verdict.earned:g} of {verdict.points:g}")
