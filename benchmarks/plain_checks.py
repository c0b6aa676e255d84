"""Hidden tests as a course on plain nbgrader would have them: in the student's kernel, with what is recorded beside.

The same cases and the same comparison as the grader's; nothing of coursekit is imported. Lies beside the notebook.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hidden_tests
from selfcheck.comparison import compare
from selfcheck.recordings import recorded
from selfcheck.returned_values import flatten


def check(key: str, target: Callable[..., Any]) -> None:
    """Raise AssertionError where one of the recorded cases comes out wrong."""
    exercise = hidden_tests.TABLE[key]
    here = Path(__file__).parent
    for case in exercise.cases:
        if case.raises:
            continue
        name = "public_tests.h5" if case in exercise.public.cases else "hidden_tests.h5"
        want = recorded(here / name, key, case.name)
        got = flatten(target(*exercise.public.build(case)), exercise.public.outputs)
        wrong = [one.problem for one in compare(want, got, rtol=exercise.public.rtol) if one.problem]
        assert not wrong, f"{key}, {case.name}: {wrong[0]}"
