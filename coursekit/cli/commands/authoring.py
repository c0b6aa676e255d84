"""Commands for authors: from the source notebook to a release that passes CI."""

from typing import Annotated

import typer

from coursekit.cli.terminal import PROBLEMS, assignment_names, say, this_course
from coursekit.model.errors import CourseError


def release(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Which ones; all, if none is named.", callback=assignment_names)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 when a release is not fresh.")] = False,
    as_zip: Annotated[
        bool, typer.Option("--zip", help="Also write it as one zip file, for where folders cannot be uploaded.")
    ] = False,
) -> None:
    """Make the student's release from the source notebook."""
    course = this_course()
    chosen = [course.require(name) for name in assignments or course.assignments()]
    if not chosen:
        raise CourseError("source/", "there is no assignment", "write source/<assignment>/<assignment>.ipynb first")
    from coursekit.authoring import release as steps
    from coursekit.authoring import release_zip

    if check and as_zip:
        raise CourseError("--zip", "--check changes nothing", "use one of the two")

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
            if as_zip:
                say(f"release/{name}: as a zip in {release_zip.write(course, name).relative_to(course.root)}")
    if check and stale:
        raise typer.Exit(PROBLEMS)


def record(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Which ones; all, if none is named.", callback=assignment_names)
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 when a recording is not fresh.")
    ] = False,
) -> None:
    """Record the expected outputs by running the solutions over every case."""
    from coursekit.authoring import recording

    course = this_course()
    chosen = [course.require(name) for name in assignments or course.assignments()]
    stale = False
    for name in chosen:
        if check:
            problems = recording.check(course, name)
            stale |= bool(problems)
            for path, what in problems:
                say(f"{path.relative_to(course.root)}: {what}; run `coursekit record {name}`")
        else:
            changed = [str(path.relative_to(course.root)) for path in recording.record(course, name)]
            for misfit in recording.misfits(course, name):
                say(f"hidden/{name}/mistakes.py: {misfit}; nothing is recorded of it")
            say(f"{name}: " + (f"recorded {', '.join(changed)}" if changed else "nothing to do, it is fresh"))
    if stale:
        raise typer.Exit(PROBLEMS)
    if check:
        say("the recordings are fresh")


def check(
    context: typer.Context,
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Which ones; all, if none is named.", callback=assignment_names)
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Write notebooks in canonical form.")] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Leave out the acceptance checks, which grade solutions and mutants."),
    ] = False,
    brief: Annotated[
        bool,
        typer.Option("--brief", help="Grade the solution and the release, and try a sample of mistakes and mutants."),
    ] = False,
    mutants: Annotated[
        int, typer.Option(min=0, metavar="N", help="Try one mutant of the solutions in N; 1: all of them, 0: none.")
    ] = 1,
) -> None:
    """Prove that notebooks, releases, recordings, docs and the grader agree."""
    from coursekit.authoring import checks
    from coursekit.authoring.checks import commands

    course = this_course()
    chosen = tuple(course.require(name) for name in assignments or ())
    ours = commands.of(context.find_root().command)
    findings = checks.run(
        course, chosen, fix=fix, acceptance=not quick, say=say, mutants=mutants, brief=brief, commands=ours
    )
    for finding in findings:
        say(str(finding))
    if findings:
        say(f"{len(findings)} finding{'s' * (len(findings) != 1)}")
        raise typer.Exit(PROBLEMS)
    say("no findings")


def test(context: typer.Context) -> None:
    """Run ruff, mypy, import-linter, `check` and all tests, as CI does; with arguments, run only pytest with them.

    For instance: `test tests/engine/test_cli.py`, `test -n 0 -k help`, and `test -- --help` for the options of pytest.
    """
    from coursekit.authoring import selftest

    raise typer.Exit(selftest.run(this_course(), context.args, say))
