"""The command `grade` for instructors, with its dry run."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from coursekit.cli.interrupts import exit_code, stopped_once
from coursekit.cli.terminal import MAX_NAMED, PROBLEMS, Assignment, Students, make_console, progress, say, this_course
from coursekit.grading import lock, roster
from coursekit.model.errors import CourseError
from coursekit.model.wording import first_few

if TYPE_CHECKING:
    from coursekit.grading.grade import Graded
    from coursekit.grading.options import Again, GradingOptions
    from coursekit.grading.regrading import Preview
    from coursekit.model.course import Course


class Sandbox(StrEnum):
    """The isolation of notebooks: all layers that this computer offers, or none."""

    AUTO = "auto"
    NONE = "none"


def grade(
    assignment: Assignment,
    student: Students = None,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds that one cell may run.", show_default="30")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=0, help="Workers side by side; 0: one per processor.", show_default="0"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; show whose mark would change, by how much, and why.")
    ] = False,
    sandbox: Annotated[
        Sandbox | None,
        typer.Option(
            help="auto: all isolation layers of this computer. none: no isolation, for trusted work.",
            show_default="auto",
        ),
    ] = None,
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="A Dask cluster that does the work, such as tcp://host:8786.")
    ] = "",
    run_experiments: Annotated[
        bool, typer.Option("--run-experiments", help="Run the cells, too, that the author tagged as experiments.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Grade again what has not changed since it was graded.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Record marks that an upgrade or other limits have changed.")
    ] = False,
    returned: Annotated[bool, typer.Option("--returned", help="Grade also what was returned to the students.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show failures and the last line only.")] = False,
) -> None:
    """Grade the submissions in submitted/<student>/<assignment>/.

    Every notebook runs in a sandbox. A person's marks and comments are never overwritten.
    Marks that only an upgrade has changed are shown and not recorded, until --accept.
    If a run was stopped, the same command completes it.
    """
    course = this_course()
    chosen = roster.submitted(course, assignment, student or ())
    if not dry_run:
        lock.check_free(course, assignment)
    # The grader is imported below, which takes seconds: after the checks above, so that errors appear at once.
    from coursekit.grading.options import Again

    options = _options(course, timeout, jobs, sandbox, scheduler, run_experiments)
    _say_what_is_ignored(course, assignment)
    again = Again(force, accept, returned)
    if dry_run:
        _say_preview(_preview(course, assignment, chosen, options, again, quiet), course, assignment)
    else:
        _say_graded(_graded(course, assignment, chosen, options, again, quiet), course, assignment, quiet)


def _options(
    course: "Course", timeout: int | None, jobs: int | None, sandbox: Sandbox | None, scheduler: str, experiments: bool
) -> "GradingOptions":
    """The options of this run; the configuration of the course has those that the command line does not give."""
    from coursekit.grading import options
    from coursekit.model import settings

    found = options.configured(
        settings.of(course.root),
        cell_timeout_s=timeout,
        jobs=jobs,
        sandbox=sandbox and sandbox.value,
        run_experiments=experiments or None,
    )
    return replace(found, scheduler=scheduler)


def _say_what_is_ignored(course: "Course", assignment: str) -> None:
    """Report misplaced files in submitted/, and options of the configuration that have no effect."""
    from coursekit.nbgrader_plugin import unused_options

    for misplaced in course.misplaced_files():
        belongs = f"put each notebook into submitted/<student>/{assignment}/"
        say(f"submitted/{misplaced}: not graded, because it is not the folder of an assignment; {belongs}")
    for line in unused_options.messages(course):
        say(line, error=True)


def _graded(
    course: "Course", assignment: str, chosen: Sequence[str], options: "GradingOptions", again: "Again", quiet: bool
) -> "list[Graded]":
    """Grade these students; returns the results by student. If stopped, report the progress and how to continue."""
    from coursekit.grading import grade as steps

    done: list[Graded] = []
    try:
        with stopped_once(), progress("grading", len(chosen), quiet, each=False) as advance:

            def note(one: "Graded") -> None:
                done.append(one)
                advance(failed=one.failed, skipped=one.unchanged or one.returned)

            steps.grade(course, assignment, chosen, options, note, again)
    except KeyboardInterrupt as signal:
        say(f"stopped; {len(done)} of {len(chosen)} are graded; run the same command again")
        raise typer.Exit(exit_code(signal)) from None
    except CourseError:
        if any(not (one.unchanged or one.returned) for one in done):
            say(f"stopped; {len(done)} of {len(chosen)} are graded; fix what is told here, run the same command again")
        raise
    return sorted(done, key=lambda one: one.student)


# The report has the same fact in its table; see "Twins" in docs/MARKING.md.
CONTRADICTED = (
    "right with the recorded numbers and wrong with new ones; perhaps results of the grader were collected and passed "
    "on, perhaps the function fits these numbers only: a suspicion, not a verdict; read the answer"
)


def _say_graded(done: "Sequence[Graded]", course: "Course", assignment: str, quiet: bool) -> None:
    """Report notes and problems of each submission, then the counts. Exits with an error if one failed or was held."""
    from coursekit.grading import penalties, regrading

    for one in done:
        if one.failed or not quiet:
            for remark in (*one.notes, *filter(None, [one.problem])):
                say(f"{'FAILED ' if one.failed else ''}{one.student}: {remark}")
            if one.contradicted:
                say(f"{one.student}: {', '.join(one.contradicted)}: {CONTRADICTED}")
    changes = [one.total_change for one in done if one.total_change]
    if changes and not quiet:
        say(f"another late penalty, though no mark has changed: {penalties.described(changes)}")
    held = {one.student: one.held for one in done if one.held}
    if held:
        _show_changes(regrading.of_changes(held, len(done)), course, assignment)
        names = first_few(sorted(held), MAX_NAMED)
        why = "their marks come from another version of coursekit, or from other limits"
        say(f"held back: {names}; {why}; `coursekit grade {assignment} --accept` records the new ones")
    say(f"{', '.join(_counts(done))}; `coursekit marks {assignment}` shows the marks")
    if held or any(one.failed for one in done):
        raise typer.Exit(PROBLEMS)


def _counts(done: "Sequence[Graded]") -> Iterator[str]:
    failed, unchanged = sum(one.failed for one in done), sum(one.unchanged for one in done)
    returned, held = sum(one.returned for one in done), sum(one.held is not None for one in done)
    unread = sum(bool(one.problem) and not one.failed for one in done)
    changes = sum(one.total_change is not None for one in done)
    if unchanged + returned < len(done):
        yield f"graded {len(done) - failed - unchanged - returned - held} of {len(done) - unchanged - returned}"
    if unread:
        yield f"{unread} of them could not be read"
    if held:
        yield f"{held} held back"
    if unchanged:
        yield f"{unchanged} unchanged since graded before (--force grades them again)"
    if changes:
        yield f"{changes} of them with another late penalty"
    if returned:
        yield f"{returned} returned (--returned grades them, too)"


def _preview(
    course: "Course", assignment: str, chosen: Sequence[str], options: "GradingOptions", again: "Again", quiet: bool
) -> "Preview":
    from coursekit.grading import regrading

    try:
        with stopped_once(), progress("trying", len(chosen), quiet, each=False) as advance:
            return regrading.preview(course, assignment, chosen, options, lambda _: advance(), again)
    except KeyboardInterrupt as signal:
        say("stopped; nothing was written")
        raise typer.Exit(exit_code(signal)) from None


def _say_preview(preview: "Preview", course: "Course", assignment: str) -> None:
    for name, why in preview.failures:
        say(f"FAILED {name}: {why}")
    _show_changes(preview, course, assignment)
    affected = len({change.student for change in preview.changes})
    said = [f"{len(preview.changes)} marks of {affected} of {preview.students} students would change"]
    many = len(preview.total_changes)
    said += [f"{many} total{'s' * (many > 1)} by the late penalty alone"] if many else []
    many = len(preview.returned)
    said += [f"{many} returned and not tried (--returned tries them, too)"] if many else []
    say(f"{', '.join(said)}; nothing was written")
    if preview.failures:
        raise typer.Exit(PROBLEMS)


def _show_changes(preview: "Preview", course: "Course", assignment: str) -> None:
    """Show the tables of marks and of totals that would change."""
    from coursekit.reference import assignments
    from coursekit.reports import marks_table

    if preview.changes:
        make_console().print(marks_table.preview_table(preview, assignments.load(course, assignment)))
    if preview.late:
        say(f"handed in late, so that the penalty is worked out anew as well: {', '.join(preview.late)}")
    if preview.total_changes:
        make_console().print(marks_table.penalties_table(preview.total_changes, assignment))
