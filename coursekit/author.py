"""What an author writes with: the rows of ``hidden/<assignment>/``, and the hidden line of a test cell."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from coursekit.model.exercise import Check
from coursekit.reference.rows import Grading, Recipe
from selfcheck.exercises import Case, Exercise

__all__ = ["Case", "Check", "Exercise", "Grading", "Recipe", "check"]


def check(function: Callable[..., Any]) -> None:
    """The author's line in a test cell: run every case of the exercise and compare with the recording.

    Prints one line; raises AssertionError with the checks that fail. The exercise is the one of the function's name, in
    the assignment of the working directory. In a grading this line does not run: the grader calls the function by
    itself, and compares outside the student's process.
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
