"""The command `upgrade`: back the gradebook up, and map its grade ids to those of source/."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coursekit.cli.terminal import PROBLEMS, MaybeAssignment, say, this_course
from coursekit.grading import lock, roster
from coursekit.model import database
from coursekit.model.errors import CourseError

if TYPE_CHECKING:
    from coursekit.grading.upgrading import Upgrade
    from coursekit.model.course import Course


def upgrade(
    assignment: MaybeAssignment = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be done.")] = False,
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="This grade id has another name now; may be given several times."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD", help="Delete the marks of this grade id; may be given several times."),
    ] = None,
    backed_up: Annotated[
        bool, typer.Option("--backed-up", help="The gradebook is on a server, and you have made a backup.")
    ] = False,
) -> None:
    """Back up the gradebook, and keep its marks where grade ids in source/ have new names.

    Marks, comments and extra credit stay with their cell, those of a person, too.
    A cell is recognised by its function; where that is not certain, nothing is written before you decide.
    """
    course = this_course()
    chosen = [course.require(assignment)] if assignment else list(course.assignments())
    decided = dict(_decision(text) for text in rename or ())
    roster.require_gradebook(course, chosen)
    if not (dry_run or backed_up or database.is_file(course.db_url)):
        where, copy = database.redacted(course.db_url), "pg_dump --format=custom --file=gradebook.dump --dbname=ADDRESS"
        raise CourseError(where, "a gradebook on a server is not copied here",
                          f"make a backup, for instance by `{copy}`, and run this again with --backed-up")  # fmt: skip
    from coursekit.grading import backups, upgrading

    with lock.held(course, "gradebook"), upgrading.compared(course, chosen, decided, remove or ()) as (found, apply):
        _check_decisions(found, decided, remove or ())
        for line in (line for one in found for line in _described(one)):
            say(line)
        if not all(one.plan.decided for one in found):
            say("nothing was written; decide, and run `coursekit upgrade` again with these options")
            raise typer.Exit(PROBLEMS)
        if dry_run:
            say("nothing was written")
            return
        _say_backup(course, backups.make(course))
        apply()
    changed = [one.assignment for one in found if one.plan]
    if changed:
        say(f"done; grade these again: {', '.join(f'`coursekit grade {name}`' for name in changed)}")


def _decision(text: str) -> tuple[str, str]:
    old, _, new = text.partition("=")
    if not old or not new:
        raise typer.BadParameter(f"{text!r} is not OLD=NEW", param_hint="--rename")
    return old, new


def _check_decisions(found: "Sequence[Upgrade]", rename: dict[str, str], remove: Sequence[str]) -> None:
    """Raise CourseError for a decision that fits no cell."""
    for old, new in rename.items():
        if not any(one.plan.renamed.get(old) == new for one in found):
            what = f"the gradebook has no {old} that is missing in source/, or source/ has no new {new} of its kind"
            raise CourseError(f"--rename {old}={new}", what, "see `coursekit upgrade --dry-run`")
    for old in remove:
        if not any(old in one.plan.removed for one in found):
            what = f"the gradebook has no {old} that is missing in source/"
            raise CourseError(f"--remove {old}", what, "see `coursekit upgrade --dry-run`")


def _described(one: "Upgrade") -> Iterator[str]:
    """What is done, or has to be decided, line by line."""
    made = one.plan
    if not made:
        yield f"{one.assignment}: the gradebook has the grade ids of source/"
    for old, new in made.renamed.items():
        yield f"{one.assignment}: {old} is now {new}{_entries(one, old)}"
    for old in made.removed:
        yield f"{one.assignment}: {old} is removed{_entries(one, old)}"
    for new in made.added:
        yield f"{one.assignment}: {new} is new"
    undecided = {*made.unsure, *made.gone}
    for old in (*made.unsure, *made.gone):
        if old.endswith("-test") and old.removesuffix("-test") in undecided:
            continue  # a decision on the answer holds for its test
        place = made.unsure.get(old, "")
        missing = f"{one.assignment}: {old}{_entries(one, old, f'{old}-test')} is not in source/"
        choice = f"--rename {old}={place or 'NEW'} if it has another name now"
        yield f"{missing}{f', where {place} is in its place' * bool(place)}; {choice}, or --remove {old}"


def _entries(one: "Upgrade", *names: str) -> str:
    by_person = sum(one.by_person.get(name, 0) for name in names)
    many = f"{one.submissions} submission{'s' * (one.submissions != 1)}"
    return f" ({many}{f', {by_person} marks or comments of a person' if by_person else ''})"


def _say_backup(course: "Course", made: Path | None) -> None:
    if made:
        say(f"backup: {made.relative_to(course.root)}")
