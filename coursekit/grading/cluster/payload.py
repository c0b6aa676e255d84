"""Payloads of a remote worker, as bytes: the course and one submission go out, an outcome comes back.

The files of a submission are sent as they are, and the worker restores them in a folder, where the usual steps read
them. Links are not followed; of a file that is too large to be read, only the size is sent.
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
from coursekit.marking import graded_verdicts
from coursekit.marking import marker as marking
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import archives, candidates, folders, supporting_files
from coursekit.submission.folders import Item

MAX_SENT_BYTES = 128 << 20  # of one submission; more than grading reads
_MAX_HOLE_BYTES = 1 << 28  # the largest sparse file; larger than any file that is read


def of_course(course: Course, assignment: str) -> bytes:
    """All files of the course that grading reads: notebooks, trusted files, tests, recordings, mistakes."""
    sources = map(course.source, course.assignments())  # to recognise that of another assignment
    paths = [path for path in sources if path.is_file()]
    # Without the configuration, which may hold the password of the gradebook.
    paths += [*course.deciding(assignment), *course.trusted_files(assignment).values()]
    # The worker has its own selfcheck, of the same version.
    named = {path.relative_to(course.root).as_posix(): path for path in paths if path.is_relative_to(course.root)}
    return wire_format.encode(asdict(course.facts), {name: named[name].read_bytes() for name in sorted(named)})


def of_submission(course: Course, assignment: str, student: str, limits: TimeLimits, sandbox: str) -> bytes:
    """One student's submission with the options for grading it."""
    folder = course.submitted(assignment, student)
    fields = {"assignment": assignment, "student": student, "limits": asdict(limits), "sandbox": sandbox}
    try:
        listing = folders.listing(folder)
    except CourseError:
        return wire_format.encode({**fields, "closed": _kind(folder), "entries": [], "others": []})
    entries, files, left = list[Any](), dict[str, bytes](), MAX_SENT_BYTES
    for item in sorted(listing.files, key=_priority):
        name, limit = item.path.as_posix(), _limit(item)
        if left < item.size <= limit:
            continue  # no room: leave the file out rather than send it incomplete
        data = b"" if item.size > limit else _read(item, limit)
        files[name] = data or b""
        left -= len(files[name])
        entries.append([name, item.size if item.size > limit else len(files[name]), item.modified, data is not None])
    others = [[name, _kind(folder / name)] for name, _ in listing.refused]
    return wire_format.encode({**fields, "closed": "", "entries": entries, "others": others}, files)


def _limit(item: Item) -> int:
    if item.path.suffix.lower() == ".zip":
        return archives.MAX_ARCHIVE_BYTES
    notebook = candidates.NOTEBOOK_NAME.search(item.path.name)
    return candidates.MAX_NOTEBOOK_BYTES if notebook else supporting_files.MAX_FILE_BYTES


def _priority(item: Item) -> tuple[bool, bool, int]:
    """The sort key of what is sent first: notebooks, then archives, then small files."""
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


def examine(course: Course, submission: bytes) -> bytes:
    """Grade a submission payload; returns the outcome as bytes, and deletes the restored files.

    ``course`` is in a private folder of the worker. Raises CourseError if this computer has no sandbox.
    """
    fields, files = wire_format.decode(submission)
    assignment, student = fields["assignment"], fields["student"]
    folder = wire_format.path_inside(course.root, f"submitted/{student}/{assignment}")
    marker = marking.shared(course, assignment, TimeLimits(**fields["limits"]), fields["sandbox"])
    try:
        _unpack(folder, fields, files)
        return of_outcome(outcomes.examine(course, assignment, student, marker))
    finally:
        _remove(course.root / "submitted")


def _unpack(folder: Path, fields: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Restore the submitted files below the folder; files that could not be read there cannot be read here."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if fields["closed"]:
        _put_other(folder, fields["closed"])
        return
    folder.mkdir()
    wire_format.write_files(files, folder)
    for name, size, modified, readable in fields["entries"]:
        path = wire_format.path_inside(folder, name)
        if size > len(files[name]):
            os.truncate(path, min(size, _MAX_HOLE_BYTES))
        os.utime(path, (modified, modified))
        if not readable:
            path.chmod(0)
    for name, kind in fields["others"]:
        _put_other(wire_format.path_inside(folder, name), kind)


def _put_other(path: Path, kind: str) -> None:
    """Restore what is not a regular file in a harmless form: a dangling link, an unused pipe, a closed folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            path.symlink_to("nowhere")
        elif kind == "folder":
            path.mkdir(0o000)
        elif kind == "pipe":
            os.mkfifo(path)
    except OSError:
        return  # its name was shortened for display, or exists already: left out


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def of_outcome(outcome: Outcome) -> bytes:
    """The outcome as bytes."""
    fields = {name: value for name, value in vars(outcome).items() if name not in ("files", "verdicts")}
    return wire_format.encode({**fields, "verdicts": graded_verdicts.to_data(outcome.verdicts)}, outcome.files)


def outcome(fields: Mapping[str, Any], files: dict[str, bytes]) -> Outcome:
    """The outcome from a decoded message."""
    verdicts = graded_verdicts.of_data(fields["verdicts"], max_chars=None)  # as they are, like those of a local worker
    return Outcome(**{**fields, "verdicts": verdicts, "files": files})
