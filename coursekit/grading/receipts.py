"""A receipt beside every autograded notebook: hashes of what the result was made from, and of the result."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from coursekit.grading import fingerprints
from coursekit.model.course import Course

NAME = ".graded.json"  # nbgrader ignores files that begin with a dot, and removes them with their folder


@dataclass(frozen=True)
class Receipt:
    """``fingerprint``: of the submission and the grader. ``notebook``, ``entries``: hashes of the result.

    ``experiments``: whether all cells were run, including experiments.
    """

    fingerprint: str
    notebook: str
    entries: str
    experiments: bool = False


def write(folder: Path, receipt: Receipt) -> None:
    (folder / NAME).write_text(json.dumps(asdict(receipt), indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> Receipt | None:
    """The receipt in an autograded folder; None if it is missing or cannot be read."""
    try:
        return Receipt(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def up_to_date(
    course: Course, assignment: str, wanted: Mapping[str, str], entered: Mapping[str, str], experiments: bool = False
) -> frozenset[str]:
    """The students whose receipt is up to date: same fingerprint, notebook unchanged, and all entries in the gradebook.

    ``wanted`` are the current fingerprints, ``entered`` the hashes of the entries in the gradebook, by student. If
    ``experiments`` have to be run, a receipt is up to date only if they were; otherwise it does not matter.
    """
    return frozenset(
        student
        for student, fingerprint in wanted.items()
        if fingerprint
        and student in entered
        and _is_up_to_date(course, assignment, student, fingerprint, entered[student], experiments)
    )


def _is_up_to_date(
    course: Course, assignment: str, student: str, fingerprint: str, entries: str, experiments: bool
) -> bool:
    folder = course.autograded(assignment, student)
    receipt = read(folder)
    if receipt is None or (receipt.fingerprint, receipt.entries) != (fingerprint, entries):
        return False
    if experiments and not receipt.experiments:
        return False
    try:
        return fingerprints.of_bytes((folder / f"{assignment}.ipynb").read_bytes()) == receipt.notebook
    except OSError:
        return False
