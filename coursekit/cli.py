"""The command line. Only this module prints and exits; every command imports what it needs when it is called."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coursekit import __version__
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from rich.console import Console

    from coursekit.course import Course
    from coursekit.progress import Advance
    from coursekit.regrading import Preview

PROBLEMS, USAGE, OUR_FAULT = 1, 2, 3

app = typer.Typer(
    help="Release, check, grade and explain the notebooks of this course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Assignment = Annotated[str, typer.Argument(help="Name of the assignment, such as step-by-step.", show_default=False)]


class Sandbox(StrEnum):
    """Where notebooks run: in the walls that this machine has, or in none."""

    AUTO = "auto"
    NONE = "none"


Students = Annotated[
    list[str] | None, typer.Option("--student", "-s", help="Only this student; may be given several times.")
]


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Say the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"coursekit {__version__}")
        raise typer.Exit


@app.command()
def release(
    assignments: Annotated[list[str] | None, typer.Argument(help="Which ones; all, if none is named.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 when a release is not fresh.")] = False,
) -> None:
    """Make the student's release from the source notebook."""
    from coursekit import release as steps

    course = _course()
    stale = False
    for name in map(course.require, assignments or course.assignments()):
        changed = steps.stale(course, name) if check else steps.release(course, name)
        stale |= bool(changed)
        if check:
            _say(
                f"release/{name}: "
                + (f"not fresh: {', '.join(changed)}; run `coursekit release`" if changed else "fresh")
            )
        else:
            _say(f"release/{name}: " + (f"wrote {', '.join(changed)}" if changed else "nothing to do, it is fresh"))
    if check and stale:
        raise typer.Exit(PROBLEMS)


@app.command()
def record(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 when a recording is not fresh.")
    ] = False,
) -> None:
    """Record the expected outputs by running the solutions over every case."""
    from coursekit import recording

    course = _course()
    if not check:
        changed = recording.record(course)
        _say("recorded: " + (", ".join(path.name for path in changed) or "nothing to do, the recordings are fresh"))
        return
    problems = recording.check(course)
    for problem in problems:
        _say(f"{problem}; run `coursekit record`")
    if problems:
        raise typer.Exit(PROBLEMS)
    _say("the recordings are fresh")


@app.command()
def check(
    fix: Annotated[bool, typer.Option("--fix", help="Write notebooks in canonical form.")] = False,
    gates: Annotated[bool, typer.Option(help="Grade solutions, blanks, mistakes and mutants, too.")] = True,
    mutants: Annotated[
        int, typer.Option(min=0, metavar="N", help="Try one mutant of the solutions in N; 1: all of them, 0: none.")
    ] = 1,
) -> None:
    """Prove that notebooks, releases, recordings, docs and the grader agree."""
    from coursekit import checks

    findings = checks.run(_course(), fix=fix, gates=gates, say=_say, mutants=mutants)
    for finding in findings:
        _say(str(finding))
    if findings:
        _say(f"{len(findings)} finding{'s' * (len(findings) != 1)}")
        raise typer.Exit(PROBLEMS)
    _say("no findings")


@app.command()
def grade(
    assignment: Assignment,
    student: Students = None,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that one cell may run.")] = 30,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Workers side by side; 0: one per processor.", show_default="0")
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; show whose mark would change, by how much, and why.")
    ] = False,
    sandbox: Annotated[
        Sandbox, typer.Option(help="auto: the walls that this machine has. none: no walls, for work that you trust.")
    ] = Sandbox.AUTO,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="A Dask cluster that does the work, such as tcp://host:8786.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Grade again what has not changed since it was graded.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show failures and the last line only.")] = False,
) -> None:
    """Grade what stands under submitted/<student>/<assignment>/.

    Every notebook runs in a sandbox. A person's marks and comments are never overwritten.
    What was stopped is finished by the same command.
    """
    from coursekit import grade as steps
    from coursekit import progress, regrading
    from coursekit.marking.runner import Limits

    course = _course()
    chosen = steps.choose(course, assignment, student or ())
    limits, jobs = Limits(timeout), jobs or steps.default_jobs()
    for stray in course.strays():
        _say(f"submitted/{stray}: not graded, because no assignment has this name; rename the folder or move its files")
    if dry_run:
        with _preview_shown(len(chosen), quiet) as advance:
            preview = regrading.preview(
                course, assignment, chosen, limits, lambda _: advance(), jobs, sandbox.value, scheduler
            )
        _say_preview(preview, assignment)
        return
    done: list[steps.Graded] = []
    try:
        with _stopped_once(), progress.shown("grading", len(chosen), _console(), _say, quiet) as advance:

            def note(one: steps.Graded) -> None:
                done.append(one)
                advance(failed=one.failed, skipped=one.unchanged)

            steps.grade(course, assignment, chosen, limits, note, jobs, sandbox.value, force, scheduler)
    except KeyboardInterrupt as signal:
        _say(f"stopped; {len(done)} of {len(chosen)} are graded; run the same command again")
        raise typer.Exit(_exit_code(signal)) from None
    except CourseError:
        if done:
            _say(
                f"stopped; {len(done)} of {len(chosen)} are graded; mend what is told here, run the same command again"
            )
        raise
    done.sort(key=lambda one: one.student)
    for one in done:
        for remark in (*one.notes, *([one.problem] if one.problem else [])) if one.failed or not quiet else ():
            _say(f"{'FAILED ' if one.failed else ''}{one.student}: {remark}")
    failed, unchanged = sum(one.failed for one in done), sum(one.unchanged for one in done)
    said = [f"graded {len(done) - failed - unchanged} of {len(done) - unchanged}"] if unchanged < len(done) else []
    said += [f"{unchanged} unchanged since graded before (--force grades them again)"] if unchanged else []
    _say(f"{', '.join(said)}; `coursekit marks {assignment}` shows the marks")
    if failed:
        raise typer.Exit(PROBLEMS)


@contextmanager
def _preview_shown(total: int, quiet: bool) -> Iterator["Advance"]:
    from coursekit import progress

    try:
        with _stopped_once(), progress.shown("trying", total, _console(), _say, quiet) as advance:
            yield advance
    except KeyboardInterrupt as signal:
        _say("stopped; nothing was written")
        raise typer.Exit(_exit_code(signal)) from None


def _say_preview(preview: "Preview", assignment: str) -> None:
    from coursekit import report

    for name, why in preview.failures:
        _say(f"FAILED {name}: {why}")
    if preview.changes:
        _console().print(report.preview_table(preview, assignment))
    affected = len({change.student for change in preview.changes})
    _say(f"{len(preview.changes)} marks of {affected} of {preview.students} students would change; nothing was written")
    if preview.failures:
        raise typer.Exit(PROBLEMS)


@contextmanager
def _stopped_once() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal raise KeyboardInterrupt, the first time: cleaning up is not disturbed."""
    import signal

    watched = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.getsignal(number) for number in watched}

    def stop(number: int, _: object) -> None:
        for one in watched:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    for number in watched:
        if before[number] is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_code(stopped: KeyboardInterrupt) -> int:
    return 128 + (stopped.args[0] if stopped.args else 2)


@app.command()
def feedback(assignment: Assignment, student: Students = None) -> None:
    """Write a feedback page for every graded submission."""
    from coursekit import feedback as steps

    course = _course()
    with _progress("writing feedback", None) as advance:
        pages = steps.feedback(course, assignment, student or (), lambda page: advance(page.student))
    written = [page for page in pages if not page.problem]
    for page in pages:
        if page.problem:
            _say(f"FAILED {page.student}: {page.problem}")
    example = f", for instance {written[0].path.relative_to(course.root)}" if written else ""
    _say(f"wrote {len(written)} page{'s' * (len(written) != 1)} under feedback/{example}")
    if len(written) < len(pages):
        raise typer.Exit(PROBLEMS)


@app.command()
def report(
    assignment: Assignment,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the figures to this file, too.")] = None,
) -> None:
    """Show how the class did: exercise by exercise, and which mistakes were made how often."""
    from coursekit import class_report

    course = _course()
    found = class_report.read(course, course.require(assignment))
    if not found:
        _say(f"{assignment}: nobody was graded yet; run `coursekit grade {assignment}`")
        return
    whole = class_report.summarise(assignment, found)
    for table in class_report.tables(whole):
        _console().print(table)
    if csv is not None:
        _writable(csv)
        _say(f"wrote {class_report.write_csv(whole, csv)} lines to {csv}")


@app.command()
def marks(
    assignment: Annotated[str | None, typer.Argument(help="One assignment; all, if none is named.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the marks to this file, too.")] = None,
    reasons: Annotated[bool, typer.Option(help="Say why marks were lost.")] = True,
) -> None:
    """Show the marks per student and exercise."""
    from coursekit import gradebook, report

    course = _course()
    chosen = [course.require(assignment)] if assignment else list(course.assignments())
    everybody = [(name, gradebook.read(course, name)) for name in chosen]
    for name, students in everybody:
        missing = sorted(set(course.students(name)) - {student.student for student in students})
        if missing and students:
            _say(f"{name}: handed in, but not graded: {', '.join(missing)}; run `coursekit grade {name}`")
        if not students:
            _say(f"{name}: nobody was graded yet; run `coursekit grade {name}`")
            continue
        _console().print(report.marks_table(students, name))
        if reasons and any(student.earned < student.points for student in students):
            _console().print(report.reasons_table(students, name))
    if csv is not None:
        _writable(csv)
        lines = report.write_csv((student for _, students in everybody for student in students), csv)
        _say(f"wrote {lines} line{'s' * (lines != 1)} to {csv}")


@app.command()
def doctor() -> None:
    """Say which walls of the sandbox this machine has, each proved by trying it, and how to get the others."""
    from rich.table import Table
    from rich.text import Text

    from coursekit.sandbox import doctor as steps

    walls = steps.examine()
    table = Table("wall", "stands", "how it was tried", header_style="bold", show_lines=True, pad_edge=False)
    for wall in walls:
        stands = Text("yes", style="green") if wall.stands else Text("NO", style="bold red")
        table.add_row(Text(wall.name), stands, Text(wall.how + (f"\nTo get it: {wall.remedy}" if wall.remedy else "")))
    _console().print(table)
    missing = [wall for wall in walls if not wall.stands]
    _say(f"{len(walls) - len(missing)} of {len(walls)} walls stand")
    if missing:
        raise typer.Exit(PROBLEMS)


@app.command()
def demo() -> None:
    """Grade a class of real submissions in a scratch course, from the release to the feedback."""
    from coursekit import demo as steps
    from coursekit import gradebook, report

    course, console = _course(), _console()
    scratch = steps.prepare(course)
    _say(f"{len(steps.CLASS)} submissions, made from the releases, in {scratch.root.relative_to(course.root)}")
    with _progress("grading", len(steps.CLASS)) as advance:
        steps.grade(scratch, lambda one: advance(one.student))
    with _progress("writing feedback", len(steps.CLASS)) as advance:
        pages = steps.feedback(scratch, lambda page: advance(page.student))
    for assignment in steps.assignments():
        students = gradebook.read(scratch, assignment)
        about = {recipe.student: recipe.about for recipe in steps.CLASS if recipe.assignment == assignment}
        console.print(report.marks_table(students, assignment, about))
        console.print(report.reasons_table(students, assignment))
    _say("Where to look next:")
    for line in steps.where_next(course, scratch, pages):
        _say(f"  {line}")


@app.command()
def lab(
    assignment: Annotated[
        str | None, typer.Argument(help="The assignment to open; the first, if none is named.")
    ] = None,
    student: Annotated[bool, typer.Option("--student", help="Show what a student sees.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to listen on; a free one, if none is given.")] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Start JupyterLab in the course, with nbgrader's tools on."""
    from coursekit import lab as steps

    course = _course()
    if not student:
        from coursekit.release import register

        for name in course.assignments():  # the Formgrader grades what the gradebook knows
            try:
                register(course, name)
            except CourseError as error:
                _say(str(error))
    raise typer.Exit(steps.run(course, student, assignment, port, browser, _say))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def test(context: typer.Context) -> None:
    """Lint, check the notebooks and run the tests; further arguments go to pytest."""
    from coursekit import selftest

    raise typer.Exit(selftest.run(_course(), context.args, _say))


def main() -> None:
    """Run a command; problems of the user's are one line, ours are a line and a log."""
    try:
        app(prog_name="coursekit")
    except CourseError as error:
        typer.echo(str(error), err=True)
        sys.exit(PROBLEMS)
    except OSError as error:
        typer.echo(
            f"{error.filename or 'coursekit'}: {error.strerror or error}; check the folder and its rights", err=True
        )
        sys.exit(PROBLEMS)
    except Exception as error:
        typer.echo(f"coursekit: {type(error).__name__}: {error}; this is our fault, see {_log(error)}", err=True)
        sys.exit(OUR_FAULT)


def _writable(csv: Path) -> None:
    if csv.is_dir() or not csv.absolute().parent.is_dir():
        raise CourseError(csv, "this is no place for a file", "name a file in a folder that exists")


def _log(error: Exception) -> Path:
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="coursekit-", suffix=".log", delete=False, encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    return Path(file.name)


def _course() -> "Course":
    from coursekit.course import find_course

    return find_course()


def _console() -> "Console":
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def _say(text: str) -> None:
    """Print lines in which nothing moves the cursor, and which any terminal can take: they may hold names of files."""
    typer.echo("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text))


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Any]:
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
    with Progress(*columns, console=_console()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda name: bar.update(task, advance=1, description=f"{what} {name}")
