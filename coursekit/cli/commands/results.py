"""Commands for instructors: the results of grading as pages, tables and files."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coursekit.cli.terminal import (
    PROBLEMS,
    Assignment,
    MaybeAssignment,
    Students,
    make_console,
    progress,
    say,
    this_course,
)
from coursekit.grading import roster
from coursekit.model import wording
from coursekit.model.errors import CourseError
from coursekit.reports import csv_files

if TYPE_CHECKING:
    from coursekit.model.course import Course

Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write a CSV file, too; - is the standard output.")
]
Excel = Annotated[
    bool, typer.Option("--excel", help="With --csv: a byte order mark, so that Excel reads names outside ASCII.")
]


def feedback(assignment: Assignment, student: Students = None) -> None:
    """Write a feedback page for every graded submission."""
    course = this_course()
    roster.graded(course, assignment, student or ())
    from coursekit.feedback import generation as steps

    with progress("writing feedback", None) as advance:
        pages = steps.feedback(course, assignment, student or (), lambda page: advance(page.student))
    _say_outdated(course, [assignment], student or ())
    written = [page for page in pages if not page.problem]
    for page in pages:
        if page.problem:
            say(f"FAILED {page.student}: {page.problem}")
    example = f", for instance {written[0].path.relative_to(course.root)}" if written else ""
    say(f"wrote {len(written)} page{'s' * (len(written) != 1)} under feedback/{example}")
    if len(written) < len(pages):
        raise typer.Exit(PROBLEMS)


def report(assignment: Assignment, csv: Csv = None, excel: Excel = False) -> None:
    """Show the class report: results by exercise, and how often each mistake was made."""
    course = this_course()
    to_screen = _check(csv, excel)
    roster.graded(course, assignment)
    from coursekit.grading import gradebook
    from coursekit.reports import class_report

    found = class_report.read_verdicts(course, assignment)
    if not found:
        raise CourseError(assignment, "nobody was graded yet", f"run `coursekit grade {assignment}` first")
    marks = gradebook.read(course, assignment, everybody=True) if gradebook.exists(course) else []
    if marks:
        _say_outdated(course, [assignment])
    whole = class_report.summarise(assignment, found, marks)
    for table in class_report.tables(whole) if to_screen else ():
        make_console().print(table)
    if csv is not None:
        lines = class_report.write_csv(whole, csv, excel)
        _say_written(lines, csv)


def marks(
    assignment: MaybeAssignment = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Write the marks to this file, too (- is the standard output): student, assignment, a column per"
            " exercise, total, points, status (final, pending, unreadable, not graded, absent), pending, sum,"
            " extra_credit, penalty, submitted, due, extended_until, late, returned. Times are UTC; what nobody has"
            " marked is empty.",
        ),
    ] = None,
    excel: Excel = False,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="FILE",
            help="Write what `nbgrader export` writes, by the exporter of nbgrader_config.py.",
        ),
    ] = None,
    reasons: Annotated[bool, typer.Option(help="Show why marks were lost.")] = True,
) -> None:
    """Show the marks per student and exercise, and the total: their sum less a late penalty.

    Who handed in nothing is shown as absent; a total with ? waits for a person.
    """
    course = this_course()
    to_screen = _check(csv, excel)
    if export is not None:
        if export == csv_files.STDOUT:
            raise typer.BadParameter(
                "it needs the name of a file; --csv - writes to the standard output", param_hint="--export"
            )
        csv_files.check(export)
    chosen = [course.require(assignment)] if assignment else list(course.assignments())
    roster.require_gradebook(course, chosen)
    from coursekit.grading import gradebook
    from coursekit.reference import assignments
    from coursekit.reports import marks_table

    everybody = [(name, gradebook.read(course, name, everybody=True)) for name in chosen]
    if not any(one.entered for _, students in everybody for one in students):
        raise CourseError(", ".join(chosen), "nobody was graded yet", f"run `coursekit grade {chosen[0]}` first")
    for name, students in everybody:
        missing = [one.student for one in students if not one.entered and not one.absent]
        graded = any(one.entered for one in students)
        again = f"run `coursekit grade {name}`"
        if missing and graded:
            say(f"{name}: handed in, but not graded: {wording.joined(missing)}; {again}", error=not to_screen)
        if not graded:
            say(f"{name}: nobody was graded yet; {again}", error=not to_screen)
        if not graded or not to_screen:
            continue
        make_console().print(marks_table.marks_table(students, name))
        if reasons and any(student.earned < student.points for student in students if student.started):
            make_console().print(marks_table.reasons_table(students, assignments.load(course, name)))
    _say_outdated(course, [name for name, students in everybody if any(one.entered for one in students)])
    if csv is not None:
        lines = marks_table.write_csv((student for _, students in everybody for student in students), csv, excel)
        _say_written(lines, csv)
    if export is not None:
        from coursekit.reports import nbgrader_export

        say(f"wrote {export} with {nbgrader_export.export(course, export, chosen if assignment else [])}")


def _say_outdated(course: "Course", assignments: Iterable[str], students: Collection[str] = ()) -> None:
    """Report the assignments in which the totals of these students have an outdated late penalty."""
    from coursekit.grading import penalties

    for name in assignments:
        if remark := penalties.remark(course, name, students):
            say(remark, error=True)


def _check(csv: Path | None, excel: bool) -> bool:
    """Whether to show tables: not if the CSV file is the standard output. Raises CourseError before any work."""
    if csv is None:
        if excel:
            raise typer.BadParameter(
                "it says how the file of --csv is written; name that file, too", param_hint="--excel"
            )
        return True
    csv_files.check(csv)
    return csv != csv_files.STDOUT


def _say_written(lines: int, csv: Path) -> None:
    if csv != csv_files.STDOUT:
        say(f"wrote {lines} line{'s' * (lines != 1)} to {csv}")
