"""Hidden tests as a course on plain nbgrader would have them: in the student's kernel, with what is recorded beside.

The same cases and the same comparison as the grader's, of which nothing is imported. Lies beside the notebook.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cases
import exercises

from selfcheck import recordings
from selfcheck.comparison import compare
from selfcheck.returned_values import flatten

PUBLIC = {exercise.function: exercise for exercise in cases.EXERCISES}
HIDDEN = {grading.function: grading.cases for grading in exercises.EXERCISES}


def check(target: Callable[..., Any]) -> None:
    """Raise AssertionError where one of the recorded cases comes out wrong."""
    exercise = PUBLIC[target.__name__]
    here = Path(__file__).parent
    for name, tried in ((recordings.NAME, exercise.cases), ("hidden.npz", HIDDEN[target.__name__])):
        for case in tried:
            if case.raises:
                continue
            want = recordings.outputs(here / name, exercise.function)[case.name]
            got = flatten(target(*exercise.build(case)), exercise.outputs)
            wrong = [one.problem for one in compare(want, got, rtol=exercise.rtol) if one.problem]
            assert not wrong, f"{exercise.function}, {case.name}: {wrong[0]}"
