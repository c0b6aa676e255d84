"""A receipt beside every autograded notebook: hashes of what the result was made from, and of the result."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from coursekit.grading import fingerprints
from coursekit.grading.fingerprints import Fingerprint
from coursekit.model.course import Course

NAME = ".graded.json"  # nbgrader ignores files that begin with a dot, and removes them with their folder
FORMAT = 2  # format 1 had one hash of everything, under the name ``fingerprint``, and no number


class Standing(Enum):
    """Why a submission has to be graded, or that it has not: its receipt is up to date."""

    UP_TO_DATE = "up to date"
    SUBMISSION = "another submission"
    GRADER = "graded by another version, or under other limits"
    ASSIGNMENT = "another assignment, or experiments have to be run now"
    UNKNOWN = "no receipt, or not the result that it is for"


@dataclass(frozen=True)
class Receipt:
    """``fingerprint``: what the result was made from; None if another version wrote it. The others: see ``write``."""

    fingerprint: Fingerprint | None
    notebook: str = ""
    entries: str = ""
    experiments: bool = False


def write(
    folder: Path,
    fingerprint: Fingerprint | None,
    notebook: str,
    entries: str,
    experiments: bool = False,
    nonces: Sequence[str] = (),
) -> None:
    """Write the receipt of a result; without a fingerprint none, so that the submission is graded again.

    ``notebook``, ``entries``: hashes of the result. ``experiments``: whether all cells were run, including experiments.
    ``nonces``: those of the runs that decided, by which their twins can be drawn again.
    """
    if fingerprint is None:
        return
    fields: dict[str, Any] = {"format": FORMAT, **asdict(fingerprint), "notebook": notebook, "entries": entries}
    fields |= {"experiments": experiments, "nonces": list(nonces)}
    (folder / NAME).write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> Receipt | None:
    """The receipt in an autograded folder; None if it is missing or damaged."""
    try:
        fields: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if "fingerprint" in fields or fields["format"] != FORMAT:
            return Receipt(None)
        made_from = Fingerprint(fields["submission"], fields["assignment"], fields["grader"])
        return Receipt(made_from, fields["notebook"], fields["entries"], bool(fields["experiments"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def standings(
    course: Course,
    assignment: str,
    wanted: Mapping[str, Fingerprint],
    entered: Mapping[str, str],
    experiments: bool = False,
) -> dict[str, Standing]:
    """The standing of each student's result.

    ``wanted`` are the current fingerprints, ``entered`` the hashes of the entries in the gradebook, by student. If
    ``experiments`` have to be run, a receipt is up to date only if they were; otherwise it does not matter.
    """
    return {
        student: _standing(course, assignment, student, fingerprint, entered.get(student), experiments)
        for student, fingerprint in wanted.items()
    }


def _standing(
    course: Course, assignment: str, student: str, wanted: Fingerprint, entries: str | None, experiments: bool
) -> Standing:
    folder = course.autograded(assignment, student)
    receipt = read(folder)
    if receipt is None or entries is None:
        return Standing.UNKNOWN
    made_from = receipt.fingerprint
    if made_from is None:
        return Standing.GRADER
    if not wanted.submission or made_from.submission != wanted.submission:
        return Standing.SUBMISSION
    if made_from.grader != wanted.grader:  # also where the result is another one: it may be one of another version
        return Standing.GRADER
    if made_from.assignment != wanted.assignment or (experiments and not receipt.experiments):
        return Standing.ASSIGNMENT
    try:
        notebook = fingerprints.of_bytes((folder / f"{assignment}.ipynb").read_bytes())
    except OSError:
        return Standing.UNKNOWN
    return Standing.UP_TO_DATE if (notebook, entries) == (receipt.notebook, receipt.entries) else Standing.UNKNOWN
