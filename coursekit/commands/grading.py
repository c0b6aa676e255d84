"""For instructors: submissions into marks, for good or for show."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from coursekit import grading_lock, selection
from coursekit.commands.stopping import exit_code, stopped_once
from coursekit.commands.terminal import PROBLEMS, Assignment, Students, make_console, say, this_course
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from coursekit.course import Course
    from coursekit.progress import Advance
    from coursekit.regrading import Preview


class Sandbox(StrEnum):
    """Where notebooks run: in the walls that this machine has, or in none."""

    AUTO = "auto"
    NONE = "none"


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
    run_experiments: Annotated[
        bool, typer.Option("--run-experiments", help="Run the cells, too, that the author tagged as experiments.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Grade again what has not changed since it was graded.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show failures and the last line only.")] = False,
) -> None:
    """Grade what stands under submitted/<student>/<assignment>/.

    Every notebook runs in a sandbox. A person's marks and comments are never overwritten.
    What was stopped is finished by the same command.
    """
    course = this_course()
    chosen = selection.submitted(course, assignment, student or ())
    if not dry_run:
        grading_lock.check_free(course, assignment)
    from coursekit import grade as steps  # takes seconds, for which nobody waits who is refused
    from coursekit import penalties, progress, regrading, unused_options
    from coursekit.marking.limits import Limits

    whole_s = max(steps.LIMITS.notebook_timeout_s, 10.0 * timeout)  # else one cell could not take so long
    all_s = steps.LIMITS.submission_timeout_s - steps.LIMITS.notebook_timeout_s + whole_s
    limits = Limits(timeout, notebook_timeout_s=whole_s, submission_timeout_s=all_s, experiments=run_experiments)
    jobs = jobs or steps.default_jobs()
    for stray in course.strays():
        belongs = f"put each notebook into submitted/<student>/{assignment}/"
        say(f"submitted/{stray}: not graded, because it is not the folder of an assignment; {belongs}")
    for line in unused_options.told(course):
        say(line, error=True)
    if dry_run:
        with _preview_shown(len(chosen), quiet) as advance:
            preview = regrading.preview(
                course, assignment, chosen, limits, lambda _: advance(), jobs, sandbox.value, scheduler
            )
        _say_preview(preview, course, assignment)
        return
    done: list[steps.Graded] = []
    try:
        with stopped_once(), progress.shown("grading", len(chosen), make_console(), say, quiet) as advance:

            def note(one: steps.Graded) -> None:
                done.append(one)
                advance(failed=one.failed, skipped=one.unchanged)

            steps.grade(course, assignment, chosen, limits, note, jobs, sandbox.value, force, scheduler)
    except KeyboardInterrupt as signal:
        say(f"stopped; {len(done)} of {len(chosen)} are graded; run the same command again")
        raise typer.Exit(exit_code(signal)) from None
    except CourseError:
        if any(not one.unchanged for one in done):
            say(f"stopped; {len(done)} of {len(chosen)} are graded; mend what is told here, run the same command again")
        raise
    done.sort(key=lambda one: one.student)
    for one in done:
        for remark in (*one.notes, *([one.problem] if one.problem else [])) if one.failed or not quiet else ():
            say(f"{'FAILED ' if one.failed else ''}{one.student}: {remark}")
    repriced = [one.repriced for one in done if one.repriced]
    if repriced and not quiet:
        say(f"another late penalty, though no mark has changed: {penalties.words(repriced)}")
    failed, unchanged = sum(one.failed for one in done), sum(one.unchanged for one in done)
    said = [f"graded {len(done) - failed - unchanged} of {len(done) - unchanged}"] if unchanged < len(done) else []
    unread = sum(bool(one.problem) and not one.failed for one in done)
    said += [f"{unread} of them could not be read"] if unread else []
    said += [f"{unchanged} unchanged since graded before (--force grades them again)"] if unchanged else []
    said += [f"{len(repriced)} of them with another late penalty"] if repriced else []
    say(f"{', '.join(said)}; `coursekit marks {assignment}` shows the marks")
    if failed:
        raise typer.Exit(PROBLEMS)


@contextmanager
def _preview_shown(total: int, quiet: bool) -> Iterator["Advance"]:
    from coursekit import progress

    try:
        with stopped_once(), progress.shown("trying", total, make_console(), say, quiet) as advance:
            yield advance
    except KeyboardInterrupt as signal:
        say("stopped; nothing was written")
        raise typer.Exit(exit_code(signal)) from None


def _say_preview(preview: "Preview", course: "Course", assignment: str) -> None:
    from coursekit import assignments, report

    for name, why in preview.failures:
        say(f"FAILED {name}: {why}")
    if preview.changes:
        make_console().print(report.preview_table(preview, assignments.load(course, assignment)))
    if preview.late:
        say(f"handed in late, so that the penalty is worked out anew as well: {', '.join(preview.late)}")
    if preview.repriced:
        make_console().print(report.penalties_table(preview.repriced, assignment))
    affected = len({change.student for change in preview.changes})
    said = [f"{len(preview.changes)} marks of {affected} of {preview.students} students would change"]
    many = len(preview.repriced)
    said += [f"{many} total{'s' * (many > 1)} by the late penalty alone"] if many else []
    say(f"{', '.join(said)}; nothing was written")
    if preview.failures:
        raise typer.Exit(PROBLEMS)
