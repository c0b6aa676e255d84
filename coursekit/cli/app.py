"""The command line: the commands in the order of ``--help``, and the form of error messages.

Only this module and ``coursekit.cli.commands`` print and exit.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from coursekit import __version__
from coursekit.cli.commands import authoring, grading, machine, results, returning, upgrading
from coursekit.cli.interrupts import exit_code
from coursekit.cli.terminal import OUR_FAULT, PROBLEMS, called_as, say
from coursekit.model.errors import CourseError
from coursekit.reports.printable import replace_unencodable
from coursekit.system import inherited


class _Commands(TyperGroup):
    """Ctrl-C ends any command with one line and the exit code of a program that was interrupted."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as signal:
            say("stopped", error=True)
            raise typer.Exit(exit_code(signal)) from None


class _PassThroughCommand(TyperCommand):
    """A command that passes its arguments to another program, except ``--help``; everything after ``--`` is passed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ours, theirs = args[:end], args[end + 1 :]
        if {"-h", "--help"} & set(ours):
            typer.echo(self.get_help(ctx))
            ctx.exit()
        super().parse_args(ctx, [])
        ctx.args = [*ours, *theirs]
        return [*ours, *theirs]


app = typer.Typer(
    cls=_Commands,
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
    returning.return_,
    upgrading.upgrade,
    machine.doctor,
    machine.demo,
    machine.lab,
):
    app.command(command.__name__.strip("_"))(command)
app.command(
    cls=_PassThroughCommand,
    options_metavar="[PYTEST ARGUMENTS]...",
    context_settings={"ignore_unknown_options": True},  # the check of the docs reads this setting
)(authoring.test)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"coursekit {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a command. A user's error is reported in one line, an error of the engine in one line and a log."""
    _restart_in_utf8()
    inherited.reset()
    replace_unencodable(sys.stdout, sys.stderr)
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


def _restart_in_utf8() -> None:
    """Restart Python in UTF-8 mode if it would read file names as ASCII (LC_ALL=C, PYTHONUTF8=0)."""
    if sys.getfilesystemencoding() == "ascii" and os.environ.get("PYTHONUTF8") != "1":
        written_in = {"PYTHONIOENCODING": f"{sys.stdout.encoding}:{sys.stdout.errors}"} if sys.stdout else {}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **written_in, "PYTHONUTF8": "1"})


def _log(error: Exception) -> Path:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="coursekit-", suffix=".log", delete=False, encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    return Path(file.name)
