"""The command `return`: record that students have their marks, so that grading leaves them alone."""

from typing import Annotated

import typer

from coursekit.cli.terminal import MAX_NAMED, PROBLEMS, Assignment, Students, say, this_course
from coursekit.grading import lock, roster
from coursekit.model.errors import CourseError
from coursekit.model.wording import first_few


def return_(
    assignment: Assignment,
    student: Students = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: `grade` grades this work again.")] = False,
) -> None:
    """Record that students have their marks back. `grade` then leaves this work alone.

    Nothing is sent: hand out the pages in feedback/ as you like. `nbgrader release_feedback` records it by itself.
    """
    course = this_course()
    roster.require_gradebook(course, [course.require(assignment)])
    from coursekit.grading import gradebook, returned

    with lock.held(course, assignment):
        everybody = {one.student: one for one in gradebook.read(course, assignment, everybody=True) if not one.absent}
        if unknown := sorted(set(student or ()) - everybody.keys()):
            raise CourseError(unknown[0], f"handed in nothing for {assignment}", "check the student's id")
        if not everybody:
            raise CourseError(assignment, "nobody was graded yet", f"run `coursekit grade {assignment}` first")
        chosen = {name: one for name, one in everybody.items() if not student or name in student}
        graded = {name: one for name, one in chosen.items() if one.entered and one.judged}
        with gradebook.opened(course) as book:
            if undo:
                back = sorted(returned.of(book, assignment).keys() & chosen.keys())
                returned.undo(book, assignment, back)
                many = f"{len(back)} of {len(chosen)} were returned and no longer are"
                say(f"{many}; `coursekit grade {assignment}` grades them again where something has changed")
                return
            returned.enter(book, assignment, {name: one.total for name, one in graded.items()})
    if pending := [name for name, one in graded.items() if one.pending]:
        say(f"returned though something waits for a person: {first_few(pending, MAX_NAMED)}")
    say(f"returned {len(graded)} of {len(chosen)}; `coursekit grade` leaves them alone; --undo takes it back")
    if missing := sorted(chosen.keys() - graded.keys()):
        say(f"not graded, so not returned: {first_few(missing, MAX_NAMED)}; run `coursekit grade {assignment}`")
        raise typer.Exit(PROBLEMS)
