"""A receipt beside every autograded notebook: what the result was made from, and what it consists of."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from coursekit.grading import fingerprints
from coursekit.model.course import Course

NAME = ".graded.json"  # nbgrader looks at no file that begins with a dot, and removes it with its folder


@dataclass(frozen=True)
class Receipt:
    """``fingerprint``: of what was graded and how. ``notebook``, ``entries``: hashes of what came out.

    ``experiments``: whether all cells were run, experiments as well.
    """

    fingerprint: str
    notebook: str
    entries: str
    experiments: bool = False


def write(folder: Path, receipt: Receipt) -> None:
    (folder / NAME).write_text(json.dumps(asdict(receipt), indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> Receipt | None:
    """The receipt in an autograded folder; None where there is none that can be read."""
    try:
        return Receipt(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def up_to_date(
    course: Course, assignment: str, wanted: Mapping[str, str], entered: Mapping[str, str], experiments: bool = False
) -> frozenset[str]:
    """The students whose result stands: made from the same, its notebook whole, and all of it in the gradebook.

    ``wanted`` are the fingerprints of now, ``entered`` the hashes of what the gradebook holds, by student. Where
    ``experiments`` have to be run, a result stands only if they were; where they need not be, it stands either way.
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
