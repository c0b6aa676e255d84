"""Fingerprints: hashes of everything that a mark depends on. Equal fingerprints mean equal marks.

The hashes that all submissions share (assignment, grader) are computed once, that of the submission for each student.
A submission that cannot be read completely has no hash, and is graded again.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from coursekit import PACKAGE
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import SELFCHECK, Course
from coursekit.model.errors import CourseError
from coursekit.submission import folders
from coursekit.submission.candidates import NOTEBOOK_NAME
from coursekit.system import versions

MAX_FILE_BYTES, MAX_ALL_BYTES = 64 << 20, 96 << 20  # per file, per submission; beyond: size and date


@dataclass(frozen=True)
class Fingerprint:
    """Three hashes, so that a new grading knows why work is out of date.

    ``submission``: the student's files; "" if they cannot be read. ``assignment``: what its author writes. ``grader``:
    what runs it.
    """

    submission: str
    assignment: str
    grader: str


def of_submissions(
    course: Course, assignment: str, students: Sequence[str], limits: TimeLimits, sandbox: str
) -> dict[str, Fingerprint]:
    """The fingerprint of each submission under these options.

    Compute them before grading: a file that changes during grading then has another fingerprint next time.
    """
    authored, grader = of_assignment(course, assignment), of_grader(limits, sandbox)
    return {
        student: Fingerprint(of_submission(course.submitted(assignment, student)), authored, grader)
        for student in students
    }


def of_assignment(course: Course, assignment: str) -> str:
    """The hash of what the author writes: source notebook, tests, recordings, shared and hidden files.

    Not included: the configuration, except the shared files that it names, so that a new assignment does not make all
    graded work outdated.
    """
    trusted = course.trusted_files(assignment)
    parts = {f"source/{assignment}": course.source(assignment)}
    parts |= {f"trusted/{name}": path for name, path in trusted.items() if not path.is_relative_to(SELFCHECK)}
    parts |= {f"course/{path.relative_to(course.root).as_posix()}": path for path in course.deciding(assignment)}
    return _hash(_read(parts))


def of_grader(limits: TimeLimits, sandbox: str) -> str:
    """The hash of our code, installed versions, limits and isolation.

    Not included: whether experiments are run, which a receipt records separately.
    """
    code = {
        f"{folder.name}/{path.relative_to(folder).as_posix()}": path
        for folder in (PACKAGE, SELFCHECK)
        for path in sorted(folder.rglob("*.py"))
    }
    said = {
        "limits": repr(sorted((name, float(value)) for name, value in asdict(limits).items() if name != "experiments")),
        "sandbox": sandbox,
        **versions.installed(),
    }
    return _hash([*_read(code), *((name, text.encode()) for name, text in said.items())])


def _read(parts: Mapping[str, Path]) -> list[tuple[str, bytes]]:
    return [(name, path.read_bytes()) for name, path in parts.items() if path.is_file()]


def of_submission(folder: Path) -> str:
    """The hash of the names and contents of all files in a student's folder; "" if it cannot be read.

    Of the dates only the order of several notebooks is included, because the newest one is graded.
    """
    try:
        listing = folders.listing(folder)
    except CourseError:
        return ""
    found = [item for item in listing.files if NOTEBOOK_NAME.search(item.path.name)]
    by_age = sorted(found, key=lambda item: (item.modified, os.fsencode(item.path)))
    return _hash(
        chain(
            ((f"refused/{name}", why.encode()) for name, why in sorted(listing.refused)),
            _contents(listing.files),
            ((f"by age/{item.path}", b"") for item in by_age),
        )
    )


def _contents(files: Iterable[folders.Item]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files, notebooks first; a generator, so that one file at a time is in memory."""

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
    """The hash of the entries that the grader wrote to the gradebook for one submission, by kind and name."""
    return of_bytes(repr(sorted(entries.items())).encode("utf-8", "backslashreplace"))


def _hash(parts: Iterable[tuple[str, bytes]]) -> str:
    whole = hashlib.sha256()
    for name, data in parts:
        label = os.fsencode(name)
        whole.update(b"%d %d\n" % (len(label), len(data)) + label)
        whole.update(data)
    return whole.hexdigest()
