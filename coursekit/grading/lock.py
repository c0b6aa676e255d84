"""The grading lock: one grader at a time in a course. It first deletes what a killed grader has left behind."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from coursekit.grading import workspace
from coursekit.model.course import Course
from coursekit.model.errors import CourseError

RECORDING = ".recording-"  # prefix of the folders in autograded/ in which results are prepared
_TIMEOUT_S, _POLL_INTERVAL_S = 0.2, 0.02  # ``check_free`` holds the lock for a shorter time


@contextmanager
def held(course: Course, assignment: str) -> Iterator[None]:
    """Hold the lock within the block; first delete what killed graders left. Raises CourseError if the lock is taken.

    The operating system releases the lock when the process ends, also by a kill: a leftover lock file blocks nobody.
    """
    holder = _holder_file(course)
    holder.parent.mkdir(exist_ok=True)
    with _locked(course, assignment):
        try:
            holder.write_text(f"process {os.getpid()}, {assignment}, since {datetime.now():%H:%M:%S}\n", "utf-8")
            delete_leftovers(course)
            yield
        finally:
            holder.unlink(missing_ok=True)


def check_free(course: Course, assignment: str) -> None:
    """Raise CourseError if somebody is grading in this course. (Another grader may still begin before ``held``.)"""
    if _holder(course):  # else nobody grades; trying the lock could block a grader that is just starting
        with _locked(course, assignment):
            return


@contextmanager
def _locked(course: Course, assignment: str) -> Iterator[None]:
    # No soft lock where the file system has no flock: it would outlive a killed grader on another computer.
    lock = FileLock(course.root / ".coursekit" / "grading.lock", fallback_to_soft=False)
    try:
        lock.acquire(timeout=_TIMEOUT_S, poll_interval=_POLL_INTERVAL_S)
    except Timeout:
        found = f"somebody is grading in this course: {_holder(course) or 'another process'}"
        raise CourseError(assignment, found, "wait until it is done, or stop it, and run this again") from None
    try:
        yield
    finally:
        lock.release()


def _holder(course: Course) -> str:
    """The process that holds the lock, or held it when it was killed; "" if unknown."""
    try:
        return _holder_file(course).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _holder_file(course: Course) -> Path:
    """A file beside the lock file, whose content belongs to the filelock library."""
    return course.root / ".coursekit" / "grading.txt"


def delete_leftovers(course: Course) -> None:
    """Delete the temporary folders of killed graders. Only the holder of the lock may call this."""
    for left in (course.root / "autograded").glob(f"{RECORDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    workspace.delete_leftovers(course)
