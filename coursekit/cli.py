"""The command line: the commands in the order of ``--help``, and what an error looks like.

Only this module and ``coursekit.commands`` print and exit.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from coursekit import __version__, inherited
from coursekit.commands import authoring, grading, machine, results
from coursekit.commands.terminal import OUR_FAULT, PROBLEMS, called_as, say
from coursekit.errors import CourseError

app = typer.Typer(
    help="Release, check, grade and explain the notebooks of this course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    authoring.release,
    authoring.record,
    authoring.check,
    grading.grade,
    results.feedback,
    results.report,
    results.marks,
    machine.doctor,
    machine.demo,
    machine.lab,
):
    app.command()(command)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})(
    authoring.test
)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Say the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"coursekit {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a command; problems of the user's are one line, ours are a line and a log."""
    inherited.settle()
    try:
        app(prog_name=called_as())
    except CourseError as error:
        say(str(error), error=True)
        sys.exit(PROBLEMS)
    except OSError as error:
        say(f"{error.filename or called_as()}: {error.strerror or error}; check the folder and its rights", error=True)
        sys.exit(PROBLEMS)
    except Exception as error:
        say(f"{called_as()}: {type(error).__name__}: {error}; this is our fault, see {_log(error)}", error=True)
        sys.exit(OUR_FAULT)


def _log(error: Exception) -> Path:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="coursekit-", suffix=".log", delete=False, encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    return Path(file.name)
