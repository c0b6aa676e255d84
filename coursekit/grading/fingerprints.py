"""What a result is made from, as hashes: the same hash means that grading again would give the same marks.

The grading's own half (the assignment, the grader, the limits) is worked out once, a submission's for each student.
What cannot be told for certain has no hash, and is graded again.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from coursekit import PACKAGE
from coursekit.marking.limits import Limits
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import folders
from coursekit.submission.candidates import NOTEBOOK_NAME
from coursekit.system import versions

MAX_FILE_BYTES, MAX_ALL_BYTES = 64 << 20, 96 << 20  # read of one file, of one submission; of more, size and date count


def of_submissions(
    course: Course, assignment: str, students: Sequence[str], limits: Limits, sandbox: str
) -> dict[str, str]:
    """The fingerprint of each of these submissions, graded so; "" where there can be none.

    Take them before anything is graded: what changes meanwhile then has another one the next time.
    """
    grading = of_grading(course, assignment, limits, sandbox)
    return {student: of_submission(course.submitted(assignment, student), grading) for student in students}


def of_grading(course: Course, assignment: str, limits: Limits, sandbox: str) -> str:
    """All that decides a mark besides the submission: notebook, tests, recordings, our own code, limits, walls.

    Whether experiments are run decides none: a stamp says it by itself. Nor does the configuration, but for the shared
    files: another assignment in it makes no graded work old.
    """
    parts = {f"source/{assignment}": course.source(assignment)}
    parts |= {f"trusted/{name}": path for name, path in course.trusted_files(assignment).items()}
    parts |= {f"course/{path.relative_to(course.root).as_posix()}": path for path in course.deciding(assignment)}
    parts |= {f"coursekit/{path.relative_to(PACKAGE).as_posix()}": path for path in sorted(PACKAGE.rglob("*.py"))}
    files = {name: path.read_bytes() for name, path in parts.items() if path.is_file()}
    said = {
        "limits": repr(sorted((name, float(value)) for name, value in asdict(limits).items() if name != "experiments")),
        "sandbox": sandbox,
        **versions.installed(),
    }
    return _hash([*files.items(), *((name, text.encode()) for name, text in said.items())])


def of_submission(folder: Path, grading: str) -> str:
    """Names and bytes of everything in a student's folder, under the hash of the grading.

    Of dates only the order of several notebooks counts, by which the newest is taken.
    """
    try:
        listing = folders.listing(folder)
    except CourseError:
        return ""
    found = [item for item in listing.files if NOTEBOOK_NAME.search(item.path.name)]
    by_age = sorted(found, key=lambda item: (item.modified, os.fsencode(item.path)))
    return _hash(
        chain(
            [("grading", grading.encode())],
            ((f"refused/{name}", why.encode()) for name, why in sorted(listing.refused)),
            _contents(listing.files),
            ((f"by age/{item.path}", b"") for item in by_age),
        )
    )


def _contents(files: Iterable[folders.Item]) -> Iterator[tuple[str, bytes]]:
    """What the files hold, one after another, so that no more than one is in memory; notebooks come first."""

    def key(item: folders.Item) -> tuple[bool, bytes]:
        return not NOTEBOOK_NAME.search(item.path.name), os.fsencode(item.path)

    left = MAX_ALL_BYTES
    for item in sorted(files, key=key):
        data = _content(item, min(left, MAX_FILE_BYTES))
        left -= len(data)
        yield f"file/{item.path}", data


def _content(item: folders.Item, limit: int) -> bytes:
    if item.size > limit:
        return f"{item.size} bytes, changed at {item.modified}".encode()
    try:
        return b"=" + item.read(item.size)
    except OSError as error:
        return f"cannot be read ({error.errno})".encode()


def of_bytes(data: bytes) -> str:
    """The hash of a file's content."""
    return hashlib.sha256(data).hexdigest()


def of_entries(entries: Mapping[tuple[str, str], float | str | None]) -> str:
    """The hash of what the grader has entered in a gradebook for one submission, by kind and name."""
    return of_bytes(repr(sorted(entries.items())).encode("utf-8", "backslashreplace"))


def _hash(parts: Iterable[tuple[str, bytes]]) -> str:
    whole = hashlib.sha256()
    for name, data in parts:
        label = os.fsencode(name)
        whole.update(b"%d %d\n" % (len(label), len(data)) + label)
        whole.update(data)
    return whole.hexdigest()
