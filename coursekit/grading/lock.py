"""The grading lock: one grader in a course at a time, who first deletes what a killed one has left behind."""

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

RECORDING = ".recording-"  # the folders in autograded/ in which results are made
_TIMEOUT_S, _POLL_INTERVAL_S = 0.2, 0.02  # ``check_free`` holds the lock for less than that


@contextmanager
def held(course: Course, assignment: str) -> Iterator[None]:
    """Nobody else grades in this course, and nothing is left of those who were killed. Raises CourseError.

    The lock goes with the process that holds it, however that ends: a file that is left behind locks nobody out.
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
    """Raise CourseError where somebody is grading in this course now. (Before ``held`` somebody may still begin.)"""
    if _holder(course):  # else nobody is, and to try the lock could be in the way of one who begins
        with _locked(course, assignment):
            return


@contextmanager
def _locked(course: Course, assignment: str) -> Iterator[None]:
    # No soft lock where the file system has no flock: it would outlive a killed grader on another machine.
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
    """Who holds the lock, or held it when they were killed; "" where that is not known."""
    try:
        return _holder_file(course).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _holder_file(course: Course) -> Path:
    """Beside the lock: what is in a lock file is the library's."""
    return course.root / ".coursekit" / "grading.txt"


def delete_leftovers(course: Course) -> None:
    """The scratch folders of killed graders are gone. Only for the one who holds the lock."""
    for left in (course.root / "autograded").glob(f"{RECORDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    workspace.delete_leftovers(course)
