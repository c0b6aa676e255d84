"""Commands about this computer: test the sandbox, grade a demo class, start JupyterLab."""

from typing import Annotated

import typer

from coursekit.cli.terminal import PROBLEMS, assignment_name, make_console, progress, say, this_course
from coursekit.model.errors import CourseError


def doctor() -> None:
    """Show which isolation layers are active on this computer, by testing each, and how to get the others."""
    from rich.text import Text

    from coursekit.reports.tables import Table
    from coursekit.sandbox import doctor as steps

    layers = steps.try_layers()
    table = Table(show_lines=True)
    table.add_column("isolation layer")
    table.add_column("active")
    table.add_column("how it was tested", ratio=1)
    for layer in layers:
        active = Text("yes", style="green") if layer.active else Text("NO", style="bold red")
        how = layer.how + (f"\nTo get it: {layer.remedy}" if layer.remedy else "")
        table.add_row(Text(layer.name), active, Text(how))
    make_console().print(table)
    missing = [layer for layer in layers if not layer.active]
    say(f"{len(layers) - len(missing)} of {len(layers)} isolation layers are active")
    if missing:
        raise typer.Exit(PROBLEMS)


def demo() -> None:
    """Grade a small class of demo submissions in a scratch course, from the release to the feedback."""
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

        for name in course.assignments():  # the Formgrader lists only assignments in the gradebook
            try:
                register(course, name)
            except CourseError as error:
                say(str(error))
    raise typer.Exit(steps.run(course, student, assignment, port, browser, say))
