"""``./course test``: lint, types, imports, checks, tests. CI and developers run the same steps."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from coursekit.model.course import Course

# The full `check` is part of the nightly run. pytest is last, because readers of the log look for its summary.
STEPS = (
    ("lint", ("-m", "ruff", "check", ".")),
    ("format", ("-m", "ruff", "format", "--check", ".")),
    ("types", ("-m", "mypy")),
    ("imports", ("-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache", "--no-logo")),
    ("checks", ("-m", "coursekit", "check", "--brief")),
    ("tests", ("-m", "pytest")),
)


def run(course: Course, arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Run every step, also after a failure; returns 0 if all passed, else 1. With arguments, run pytest only."""
    failed = []
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("COURSE_CALLED_AS", None)  # the tests expect the name coursekit in messages
    for name, command in STEPS[-1:] if arguments else STEPS:
        say(f"== {name}")
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, *command, *(arguments if name == "tests" else ())],
            cwd=course.root,
            env=environment,
            check=False,
        )
        if done.returncode:
            failed.append(name)
        say(f"== {name}: {'failed' if done.returncode else 'passed'} in {time.monotonic() - start:.0f} s")
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0
