"""Shared parts of the commands: output, the course, common arguments, progress."""

import os
import re
import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from coursekit.model.errors import CourseError
from coursekit.reports.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from coursekit.cli.progress import Advance
    from coursekit.model.course import Course

PROBLEMS, USAGE, OUR_FAULT = 1, 2, 3  # exit codes
MAX_NAMED = 10  # students in one line
_COMMANDS = "check|demo|doctor|feedback|grade|lab|marks|record|release|report|return|test|upgrade"
_A_COMMAND = re.compile(rf"\bcoursekit (?=(?:{_COMMANDS})\b)")

NO_TERMINAL = 80  # columns of output to a file or a pipe, if COLUMNS is not set; fits any screen
NARROWEST = 40  # columns; narrower terminals are treated like this


def assignment_name(text: str | None) -> str | None:
    """The name without the slash that a shell completes. Raises CourseError for a path."""
    if text is None:
        return None
    *folders, name = [part for part in text.split("/") if part not in ("", ".")] or [""]
    if not folders:
        return name
    example = f"`{name} --student {folders[-1]}`" if len(folders) == 2 and folders[0] == "submitted" else f"`{name}`"
    raise CourseError(text, "this is a path and not the name of an assignment", f"write {example}")


def assignment_names(texts: list[str] | None) -> list[str]:
    """The names without slashes. Raises CourseError for a path."""
    return [name for name in map(assignment_name, texts or []) if name]


Assignment = Annotated[
    str,
    typer.Argument(help="Name of the assignment, such as step-by-step.", show_default=False, callback=assignment_name),
]
MaybeAssignment = Annotated[
    str | None, typer.Argument(help="One assignment; all, if none is named.", callback=assignment_name)
]
Students = Annotated[
    list[str] | None, typer.Option("--student", "-s", help="Only this student; may be given several times.")
]


def this_course() -> "Course":
    from coursekit.model.course import find_course

    course = find_course()
    if str(course.root) not in sys.path:
        sys.path.append(str(course.root))  # as nbgrader does: a late policy may be a module beside the configuration
    return course


def make_console() -> "Console":
    from rich.console import Console

    named = os.environ.get("COLUMNS", "")
    elsewhere = int(named) if named.isdigit() else NO_TERMINAL
    console = Console(width=None if sys.stdout.isatty() else elsewhere, highlight=False)
    console.width = max(console.width, NARROWEST)
    return console


def say(text: str, error: bool = False) -> None:
    """Print lines without control characters, in the encoding of the terminal: they may contain file names.

    ``coursekit`` in commands is replaced by the name under which the user called it, so that they can be copied.
    """
    text = _A_COMMAND.sub(f"{called_as()} ", text)
    typer.echo(printable(text, (sys.stderr if error else sys.stdout).encoding), err=error)


def called_as() -> str:
    """The name under which the user called ``coursekit``."""
    return os.environ.get("COURSE_CALLED_AS") or "coursekit"


def progress(what: str, total: int | None, quiet: bool = False, each: bool = True) -> "AbstractContextManager[Advance]":
    """A bar on a terminal; elsewhere a line for each step, or one from time to time."""
    from coursekit.cli.progress import advancing

    return advancing(what, total, make_console(), say, quiet, each)
