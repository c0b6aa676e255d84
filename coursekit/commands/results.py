"""For instructors: what came of the grading, as pages, tables and files."""

from pathlib import Path
from typing import Annotated

import typer

from coursekit.commands.terminal import (
    PROBLEMS,
    Assignment,
    Students,
    make_console,
    progress,
    say,
    this_course,
    writable,
)


def feedback(assignment: Assignment, student: Students = None) -> None:
    """Write a feedback page for every graded submission."""
    from coursekit import feedback as steps

    course = this_course()
    with progress("writing feedback", None) as advance:
        pages = steps.feedback(course, assignment, student or (), lambda page: advance(page.student))
    written = [page for page in pages if not page.problem]
    for page in pages:
        if page.problem:
            say(f"FAILED {page.student}: {page.problem}")
    example = f", for instance {written[0].path.relative_to(course.root)}" if written else ""
    say(f"wrote {len(written)} page{'s' * (len(written) != 1)} under feedback/{example}")
    if len(written) < len(pages):
        raise typer.Exit(PROBLEMS)


def report(
    assignment: Assignment,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the figures to this file, too.")] = None,
) -> None:
    """Show how the class did: exercise by exercise, and which mistakes were made how often."""
    from coursekit import class_report, gradebook

    course = this_course()
    found = class_report.read(course, course.require(assignment))
    if not found:
        say(f"{assignment}: nobody was graded yet; run `coursekit grade {assignment}`")
        return
    marks = gradebook.read(course, assignment, everybody=True) if gradebook.exists(course) else []
    whole = class_report.summarise(assignment, found, marks)
    for table in class_report.tables(whole):
        make_console().print(table)
    if csv is not None:
        writable(csv)
        say(f"wrote {class_report.write_csv(whole, csv)} lines to {csv}")


def marks(
    assignment: Annotated[str | None, typer.Argument(help="One assignment; all, if none is named.")] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            help="Write the marks to this file, too: student, assignment, a column per exercise, total, points, status"
            " (final, pending, not graded, absent), pending, sum, extra_credit, penalty, submitted, due,"
            " extended_until, late. Times are UTC; what nobody has marked is empty.",
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="Write what `nbgrader export` writes, by the exporter of nbgrader_config.py."),
    ] = None,
    reasons: Annotated[bool, typer.Option(help="Say why marks were lost.")] = True,
) -> None:
    """Show the marks per student and exercise, and the total: their sum without a late penalty.

    Who handed in nothing is shown as absent; a total with ? waits for a person.
    """
    from coursekit import gradebook, report
    from coursekit.student_marks import NOT_GRADED

    course = this_course()
    chosen = [course.require(assignment)] if assignment else list(course.assignments())
    everybody = [(name, gradebook.read(course, name, everybody=True)) for name in chosen]
    for name, students in everybody:
        missing = [one.student for one in students if one.status == NOT_GRADED and not one.started]
        graded = any(one.started for one in students)
        if missing and graded:
            say(f"{name}: handed in, but not graded: {', '.join(missing)}; run `coursekit grade {name}`")
        if not graded:
            say(f"{name}: nobody was graded yet; run `coursekit grade {name}`")
            continue
        make_console().print(report.marks_table(students, name))
        if reasons and any(student.earned < student.points for student in students if student.started):
            make_console().print(report.reasons_table(students, name))
    if csv is not None:
        writable(csv)
        lines = report.write_csv((student for _, students in everybody for student in students), csv)
        say(f"wrote {lines} line{'s' * (lines != 1)} to {csv}")
    if export is not None:
        from coursekit import exporting

        writable(export)
        say(f"wrote {export} with {exporting.export(course, export, chosen if assignment else [])}")
