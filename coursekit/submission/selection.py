"""Chooses the notebook to grade, and explains the choice to the student."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.model.wording import first_few
from coursekit.submission import wrong_file_types
from coursekit.submission.candidates import NOTEBOOK_NAME, OTHER, PARTLY, UNANSWERED, UNKNOWN, UNSURE, Candidate, Reader
from coursekit.submission.folders import Item, Listing, printable
from coursekit.submission.matched_cells import MatchedCells
from coursekit.submission.supporting_files import TIMESTAMP

_PYTHON = ("", "python", "python3", "ipython", "ipython3")


@dataclass(frozen=True)
class Choice:
    """The notebook to grade with its matched cells, its file, all files of its folder or archive, and the notes."""

    notebook: NotebookNode
    match: MatchedCells
    item: Item
    among: tuple[Item, ...]
    notes: tuple[str, ...]


def choose(course: Course, assignment: str, listing: Listing) -> Choice:
    """The best of the submitted notebooks. Raises CourseError, in words for the student, if there is none."""
    expected = f"{assignment}.ipynb"
    reader = Reader(course, assignment)
    reader.read(listing.files)
    if not reader.found:
        raise _no_notebook(expected, listing, reader)
    best = max(reader.found, key=lambda one: _preference(one, expected))
    if best.rank == OTHER:
        found = f"this is the notebook of the assignment {best.other}, not of {assignment}"
        raise CourseError(best.item.name, found, f"hand in {expected}")
    if best.rank == UNKNOWN:
        language = (
            ""
            if best.salvaged.language.lower() in _PYTHON
            else f" (its language is {printable(best.salvaged.language)})"
        )
        found = f"no answer cell of {assignment} is in this notebook, and none of its functions{language}"
        raise CourseError(best.item.name, found, f"write your answers into {expected}, and hand that in")
    notes = (*_about_place(best, reader, expected), *best.salvaged.notes, *_about_content(best), *_about_others(reader))
    return Choice(best.salvaged.notebook, best.match, best.item, reader.files_by_archive[best.item.archive], notes)


def _preference(one: Candidate, expected: str) -> tuple[int, bool, bool, bool, int, float, str, int]:
    """Sort key: rank, expected name at the top, expected name anywhere, newest; within one file the most answers."""
    path = one.item.path
    right = path.name == expected
    at_the_top = str(path) == expected and not one.item.archive
    depth = -len(path.parts) if right else 0
    place = (at_the_top, right, not one.item.checkpoint, depth, one.item.modified, path.name)
    return one.rank, *place, len(one.answers)


def _about_place(best: Candidate, reader: Reader, expected: str) -> tuple[str, ...]:
    """Notes on an unusual place or name of the notebook, and on notebooks that were not chosen."""
    by_name = {one.item.name: one for one in reader.found}  # a file may contain two notebooks
    others = [one for one in by_name.values() if one.item.name != best.item.name and not one.item.checkpoint]
    if best.item.name == expected:
        return _about_other_answers(best, others, expected)
    state = _why_not_used(expected, by_name.get(expected), reader)
    instead = f"{expected} {state}; the answers in {best.item.name} were graded."
    notes = (instead,) if state else _about_path(best, others, expected)
    return (*notes, *_about_checkpoint(best.item, first=not notes))


def _about_other_answers(best: Candidate, others: Sequence[Candidate], expected: str) -> tuple[str, ...]:
    """A note on notebooks with other answers, beside the chosen one with the expected name."""
    left = [one.item for one in others if one.rank >= UNSURE and dict(one.answers) != dict(best.answers)]
    if not left or best.rank < UNSURE:
        return ()
    what = "has" if len(left) == 1 else "have"
    return (f"{_listed(left)} {what} other answers in it; {expected} has the right name, so it was graded.",)


def _why_not_used(expected: str, there: Candidate | None, reader: Reader) -> str:
    """Why the notebook with the expected name was not graded; "" if there was none."""
    if there is not None:
        states = {PARTLY: "is damaged", OTHER: "is another assignment's notebook",
                  UNSURE: "holds only text that may be an answer"}  # fmt: skip
        return "is as it was released" if there.unchanged else states.get(there.rank, "holds no answers")
    return next((f"cannot be used ({error.found})" for error in reader.problems if error.where == expected), "")


def _about_path(best: Candidate, others: Sequence[Candidate], expected: str) -> tuple[str, ...]:
    """A note on the notebook's archive, folder or name; none on a checkpoint outside an archive."""
    item, name = best.item, printable(best.item.path)
    if item.archive and not item.archive.lower().endswith(".zip"):
        return (f"{item.archive} was a zip archive; the notebook was taken out of it.",)
    if item.archive:
        return (f"The notebook was taken out of {item.archive}" + ("." if name == expected else f" ({name})."),)
    if item.checkpoint:
        return ()
    if item.path.name == expected:
        return (f"The notebook lay in the folder {printable(item.path.parent)}; it was found there.",)
    if others:
        several = _listed([item, *(one.item for one in others)])
        why = "the newest" if any(one.rank == best.rank for one in others) else "the one with your answers"
        return (f"There were several notebooks ({several}), none called {expected}; {why}, {name}, was graded.",)
    return (f"The notebook was called {name}; it was graded as {expected}.",)


def _about_checkpoint(item: Item, first: bool) -> tuple[str, ...]:
    if not item.checkpoint:
        return ()
    subject = f"Only {printable(item.path)} could be graded," if first else "That is"
    return (f"{subject} a copy that JupyterLab keeps; it may be older than your last change.",)


def _about_content(best: Candidate) -> tuple[str, ...]:
    notes = []
    if best.salvaged.language.lower() not in _PYTHON:
        notes.append(
            f"The notebook says that it is written in {printable(best.salvaged.language)}; it was graded as Python."
        )
    if best.unchanged:
        notes.append("The notebook is as it was released: nothing was filled in.")
    elif best.rank == UNANSWERED:
        notes.append("No answer was filled in; what was added or changed elsewhere does not look like one.")
    return tuple(notes)


def _about_others(reader: Reader) -> tuple[str, ...]:
    if not reader.unread_count:
        return ()
    many = "One more notebook was" if reader.unread_count == 1 else f"{reader.unread_count} more notebooks were"
    return (f"{many} not looked at: there was too much to read. Hand in one notebook.",)


def _no_notebook(expected: str, listing: Listing, reader: Reader) -> CourseError:
    """The error for a submission without a readable notebook: the reason, and what to do."""
    if reader.problems:
        return next((error for error in reader.problems if error.where == expected), reader.problems[0])
    refused = [(name, why) for name, why in listing.refused if NOTEBOOK_NAME.search(name) or not listing.files]
    if refused:
        return CourseError(*refused[0], "hand in the notebook itself")
    there = [item for files in reader.files_by_archive.values() for item in files if item.path.name != TIMESTAMP]
    if not there:
        return CourseError(expected, "no notebook was handed in, the folder is empty", f"hand in {expected}")
    kinds = {item.name: wrong_file_types.kind(item.path) for item in there}
    notes = [f"{name} ({what})" if what else name for name, (what, _) in kinds.items()]
    only = first_few(notes, 3, "other files")
    remedy = next((remedy for what, remedy in kinds.values() if what), wrong_file_types.DOWNLOAD)
    return CourseError(expected, f"no notebook was handed in, only {only}", remedy)


def _listed(items: Iterable[Item]) -> str:
    return first_few(sorted(item.name for item in items), 5)
