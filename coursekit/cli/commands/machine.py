"""The course on this machine: what holds submissions in, a class to look at, JupyterLab."""

from typing import Annotated

import typer

from coursekit.cli.terminal import PROBLEMS, assignment_name, make_console, progress, say, this_course
from coursekit.model.errors import CourseError


def doctor() -> None:
    """Say which walls of the sandbox this machine has, each proved by trying it, and how to get the others."""
    from rich.text import Text

    from coursekit.reports.tables import Table
    from coursekit.sandbox import doctor as steps

    walls = steps.try_layers()
    table = Table(show_lines=True)
    table.add_column("wall")
    table.add_column("stands")
    table.add_column("how it was tried", ratio=1)
    for wall in walls:
        stands = Text("yes", style="green") if wall.active else Text("NO", style="bold red")
        table.add_row(Text(wall.name), stands, Text(wall.how + (f"\nTo get it: {wall.remedy}" if wall.remedy else "")))
    make_console().print(table)
    missing = [wall for wall in walls if not wall.active]
    say(f"{len(walls) - len(missing)} of {len(walls)} walls stand")
    if missing:
        raise typer.Exit(PROBLEMS)


def demo() -> None:
    """Grade a class of real submissions in a scratch course, from the release to the feedback."""
    from coursekit.authoring import demo as steps
    from coursekit.grading import gradebook
    from coursekit.reference import assignments
    from coursekit.reports import marks_table

    course, console = this_course(), make_console()
    made = steps.prepare(course)
    say(f"{made.size} submissions, made from the releases, in {steps.FOLDER}")
    with progress("grading", made.size) as advance:
        steps.grade(made, lambda one: advance(one.student))
    with progress("writing feedback", made.size) as advance:
        pages = steps.feedback(made, lambda page: advance(page.student))
    for one in made.classes:
        students = gradebook.read(made.scratch, one.assignment)
        console.print(marks_table.marks_table(students, one.assignment, dict(one.about)))
        console.print(marks_table.reasons_table(students, assignments.load(made.scratch, one.assignment)))
    say("Where to look next:")
    for line in steps.where_next(course, made, pages):
        say(f"  {line}")


def lab(
    assignment: Annotated[
        str | None,
        typer.Argument(help="The assignment to open; the first, if none is named.", callback=assignment_name),
    ] = None,
    student: Annotated[bool, typer.Option("--student", help="Show what a student sees.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to listen on; a free one, if none is given.")] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Start JupyterLab in the course, with nbgrader's tools on."""
    course = this_course()
    if assignment:
        course.require(assignment)
    from coursekit.lab import jupyterlab as steps

    if not student:
        from coursekit.grading.registration import register

        for name in course.assignments():  # the Formgrader grades what the gradebook knows
            try:
                register(course, name)
            except CourseError as error:
                say(str(error))
    raise typer.Exit(steps.run(course, student, assignment, port, browser, say))
