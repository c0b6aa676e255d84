"""What the commands share: how they speak, where they are, how far they have come."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from rich.console import Console

    from coursekit.course import Course

PROBLEMS, USAGE, OUR_FAULT = 1, 2, 3  # exit codes
_A_COMMAND = re.compile(r"\bcoursekit (?=(?:check|demo|doctor|feedback|grade|lab|marks|record|release|report|test)\b)")

Assignment = Annotated[str, typer.Argument(help="Name of the assignment, such as step-by-step.", show_default=False)]
Students = Annotated[
    list[str] | None, typer.Option("--student", "-s", help="Only this student; may be given several times.")
]


def this_course() -> "Course":
    from coursekit.course import find_course

    course = find_course()
    if str(course.root) not in sys.path:
        sys.path.append(str(course.root))  # as nbgrader does: a late policy may lie beside the configuration
    return course


def make_console() -> "Console":
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def say(text: str, error: bool = False) -> None:
    """Print lines in which nothing moves the cursor, and which any terminal can take: they may hold names of files.

    A command that they name can be typed as it stands there.
    """
    text = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    typer.echo(_A_COMMAND.sub(f"{called_as()} ", text), err=error)


def called_as() -> str:
    """What whoever reads this has typed in place of ``coursekit``."""
    return os.environ.get("COURSE_CALLED_AS") or "coursekit"


def writable(csv: Path) -> None:
    if csv.is_dir() or not csv.absolute().parent.is_dir():
        raise CourseError(csv, "this is no place for a file", "name a file in a folder that exists")


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Any]:
    """A bar with count, time spent and time left on a terminal; a line per step elsewhere."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    if not sys.stdout.isatty():
        done = 0

        def line(name: str) -> None:
            nonlocal done
            done += 1
            typer.echo(f"{what} {done}{f'/{total}' if total else ''}: {name}")

        yield line
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=make_console()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda name: bar.update(task, advance=1, description=f"{what} {name}")
