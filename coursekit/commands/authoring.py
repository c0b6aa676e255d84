"""For authors: from the source notebook to a release that CI lets through."""

from typing import Annotated

import typer

from coursekit.commands.terminal import PROBLEMS, assignment_names, say, this_course
from coursekit.errors import CourseError


def release(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Which ones; all, if none is named.", callback=assignment_names)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 when a release is not fresh.")] = False,
) -> None:
    """Make the student's release from the source notebook."""
    course = this_course()
    chosen = [course.require(name) for name in assignments or course.assignments()]
    if not chosen:
        raise CourseError("source/", "there is no assignment", "write source/<assignment>/<assignment>.ipynb first")
    from coursekit import release as steps

    stale = False
    for name in chosen:
        changed = steps.stale(course, name) if check else steps.release(course, name)
        stale |= bool(changed)
        if check:
            say(
                f"release/{name}: "
                + (f"not fresh: {', '.join(changed)}; run `coursekit release`" if changed else "fresh")
            )
        else:
            say(f"release/{name}: " + (f"wrote {', '.join(changed)}" if changed else "nothing to do, it is fresh"))
    if check and stale:
        raise typer.Exit(PROBLEMS)


def record(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 when a recording is not fresh.")
    ] = False,
) -> None:
    """Record the expected outputs by running the solutions over every case."""
    from coursekit import recording

    course = this_course()
    if not check:
        changed = recording.record(course)
        say("recorded: " + (", ".join(path.name for path in changed) or "nothing to do, the recordings are fresh"))
        return
    problems = recording.check(course)
    for problem in problems:
        say(f"{problem}; run `coursekit record`")
    if problems:
        raise typer.Exit(PROBLEMS)
    say("the recordings are fresh")


def check(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Write notebooks in canonical form.")] = False,
    gates: Annotated[bool, typer.Option(help="Grade solutions, blanks, mistakes and mutants, too.")] = True,
    mutants: Annotated[
        int, typer.Option(min=0, metavar="N", help="Try one mutant of the solutions in N; 1: all of them, 0: none.")
    ] = 1,
) -> None:
    """Prove that notebooks, releases, recordings, docs and the grader agree."""
    from coursekit import checks
    from coursekit.checks import commands

    ours = commands.of(context.find_root().command)
    findings = checks.run(this_course(), fix=fix, gates=gates, say=say, mutants=mutants, commands=ours)
    for finding in findings:
        say(str(finding))
    if findings:
        say(f"{len(findings)} finding{'s' * (len(findings) != 1)}")
        raise typer.Exit(PROBLEMS)
    say("no findings")


def test(context: typer.Context) -> None:
    """Run ruff, mypy, `check` and all tests, as CI does; with arguments run pytest alone, which gets them.

    For instance: `test tests/engine/test_cli.py`, `test -n 0 -k help`, and `test -- --help` for the options of pytest.
    """
    from coursekit import selftest

    raise typer.Exit(selftest.run(this_course(), context.args, say))
