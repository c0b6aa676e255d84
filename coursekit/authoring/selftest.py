"""``./course test``: lint, types, imports, checks, tests. CI and developers run the same steps."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from coursekit.model.course import Course

# These run at the same time; each shows its output when it has ended. The full `check` is part of the nightly run.
STEPS = (
    ("lint", ("-m", "ruff", "check", ".")),
    ("format", ("-m", "ruff", "format", "--check", ".")),
    ("types", ("-m", "mypy")),
    ("imports", ("-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache", "--no-logo")),
    ("checks", ("-m", "coursekit", "check", "--brief")),
)
TESTS = ("tests", ("-m", "pytest"))  # last and alone: it uses all processors, and readers of the log look for its end


@dataclass(frozen=True)
class _Done:
    name: str
    failed: bool
    seconds: float
    output: str = ""


def run(course: Course, arguments: Sequence[str], say: Callable[[str], None]) -> int:
    """Run every step, also after a failure; returns 0 if all passed, else 1. With arguments, run pytest only."""
    done: list[_Done] = []

    def note(one: _Done) -> None:
        say(f"{one.output}== {one.name}: {'failed' if one.failed else 'passed'} in {one.seconds:.0f} s")
        done.append(one)

    if not arguments:
        with ThreadPoolExecutor(len(STEPS)) as threads:
            for one in threads.map(lambda step: _run(course, step[0], step[1], captured=True), STEPS):
                note(one)
    name, command = TESTS
    say(f"== {name}")
    note(_run(course, name, (*command, *arguments)))
    if failed := [one.name for one in done if one.failed]:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _run(course: Course, name: str, command: Sequence[str], captured: bool = False) -> _Done:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("COURSE_CALLED_AS", None)  # the tests expect the name coursekit in messages
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=course.root,
        env=environment,
        stdout=subprocess.PIPE if captured else None,
        stderr=subprocess.STDOUT if captured else None,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return _Done(name, ended.returncode != 0, time.monotonic() - start, ended.stdout or "")
