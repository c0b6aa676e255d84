"""What grading away from here takes, as bytes: a course pack and a submission pack go out, an outcome comes back.

A submission is packed as it lies in its folder, and put on the other side into a folder of its own, so that the very
same steps read it there: no link is followed, what no step would read of a huge file is not sent.
"""

import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coursekit.grading import outcomes
from coursekit.grading.cluster import wire_format
from coursekit.grading.outcomes import Outcome
from coursekit.marking import marker as marking
from coursekit.marking.limits import Limits
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import archives, candidates, folders, supporting_files
from coursekit.submission.folders import Item

MAX_SENT_BYTES = 128 << 20  # of one submission; more than its steps read
_MAX_HOLE_BYTES = 1 << 28  # larger than anything that is read


def of_course(course: Course, assignment: str) -> bytes:
    """All that grading the assignment reads of the course: notebooks, trusted files, tests, recordings, mistakes."""
    sources = map(course.source, course.assignments())  # to tell one assignment's notebook from another's
    paths = [path for path in sources if path.is_file()]
    # Without the configuration, which may hold the password of the gradebook.
    paths += [*course.deciding(assignment), *course.trusted_files(assignment).values()]
    # The worker has its own selfcheck, of the same version.
    named = {path.relative_to(course.root).as_posix(): path for path in paths if path.is_relative_to(course.root)}
    return wire_format.packed(asdict(course.facts), {name: named[name].read_bytes() for name in sorted(named)})


def of_submission(course: Course, assignment: str, student: str, limits: Limits, sandbox: str) -> bytes:
    """What one student handed in, with all that a worker has to know to grade it."""
    folder = course.submitted(assignment, student)
    fields = {"assignment": assignment, "student": student, "limits": asdict(limits), "sandbox": sandbox}
    try:
        listing = folders.listing(folder)
    except CourseError:
        return wire_format.packed({**fields, "closed": _kind(folder), "entries": [], "others": []})
    entries, files, left = list[Any](), dict[str, bytes](), MAX_SENT_BYTES
    for item in sorted(listing.files, key=_worth):
        name, limit = item.path.as_posix(), _limit(item)
        if left < item.size <= limit:
            continue  # no room: better left out than sent with a hole where something would be read
        data = b"" if item.size > limit else _read(item, limit)
        files[name] = data or b""
        left -= len(files[name])
        entries.append([name, item.size if item.size > limit else len(files[name]), item.modified, data is not None])
    others = [[name, _kind(folder / name)] for name, _ in listing.refused]
    return wire_format.packed({**fields, "closed": "", "entries": entries, "others": others}, files)


def _limit(item: Item) -> int:
    if item.path.suffix.lower() == ".zip":
        return archives.MAX_ARCHIVE_BYTES
    notebook = candidates.NOTEBOOK_NAME.search(item.path.name)
    return candidates.MAX_NOTEBOOK_BYTES if notebook else supporting_files.MAX_FILE_BYTES


def _worth(item: Item) -> tuple[bool, bool, int]:
    """What is sent first: notebooks, then archives, then what is small."""
    notebook = bool(candidates.NOTEBOOK_NAME.search(item.path.name))
    return not notebook, item.path.suffix.lower() != ".zip", item.size


def _read(item: Item, limit: int) -> bytes | None:
    """The file's bytes, at most one more than ``limit``; None where it cannot be read."""
    try:
        return item.read(limit)
    except OSError:
        return None


def _kind(path: Path) -> str:
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return "gone"
    return "link" if stat.S_ISLNK(mode) else "folder" if stat.S_ISDIR(mode) else "pipe"


def examined(course: Course, pack: bytes) -> bytes:
    """The outcome of a packed submission, packed; the folder that it was put into is gone again.

    ``course`` is one that lies in a private folder. Raises CourseError where this machine has no sandbox.
    """
    fields, files = wire_format.unpacked(pack)
    assignment, student = fields["assignment"], fields["student"]
    folder = wire_format.inside(course.root, f"submitted/{student}/{assignment}")
    marker = marking.shared(course, assignment, Limits(**fields["limits"]), fields["sandbox"])
    try:
        _lay_out(folder, fields, files)
        return of_outcome(outcomes.examine(course, assignment, student, marker))
    finally:
        _remove(course.root / "submitted")


def _lay_out(folder: Path, fields: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """What was handed in is below the folder as it was there; what cannot be read there cannot be read here."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if fields["closed"]:
        _put_other(folder, fields["closed"])
        return
    folder.mkdir()
    wire_format.put(files, folder)
    for name, size, modified, readable in fields["entries"]:
        path = wire_format.inside(folder, name)
        if size > len(files[name]):
            os.truncate(path, min(size, _MAX_HOLE_BYTES))
        os.utime(path, (modified, modified))
        if not readable:
            path.chmod(0)
    for name, kind in fields["others"]:
        _put_other(wire_format.inside(folder, name), kind)


def _put_other(path: Path, kind: str) -> None:
    """A link to nowhere, a pipe that nobody writes to, a folder that nobody may open: what it was, without harm."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            path.symlink_to("nowhere")
        elif kind == "folder":
            path.mkdir(0o000)
        elif kind == "pipe":
            os.mkfifo(path)
    except OSError:
        return  # its name was shortened for the eye, or is taken: it is not told then


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def of_outcome(outcome: Outcome) -> bytes:
    """The outcome as bytes."""
    fields = {name: value for name, value in vars(outcome).items() if name != "files"}
    return wire_format.packed(fields, outcome.files)


def outcome(fields: Mapping[str, Any], files: dict[str, bytes]) -> Outcome:
    """The outcome out of an opened parcel."""
    return Outcome(**{**fields, "notes": tuple(fields["notes"]), "files": files})
