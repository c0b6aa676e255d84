"""One grader in a course at a time; and what one that was killed has left behind is swept."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from coursekit import scratch
from coursekit.course import Course
from coursekit.errors import CourseError

RECORDING = ".recording-"  # the folders in autograded/ in which results are made


@contextmanager
def alone(course: Course, assignment: str) -> Iterator[None]:
    """Nobody else grades in this course, and nothing is left of those who were killed. Raises CourseError.

    The lock goes with the process that holds it, however that ends: a file that is left behind locks nobody out.
    """
    folder = course.root / ".coursekit"
    folder.mkdir(exist_ok=True)
    with (folder / "grading.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise _taken(assignment, file.read()) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, {assignment}, since {datetime.now():%H:%M:%S}\n")
        file.flush()
        sweep(course)
        try:
            yield
        finally:
            file.truncate(0)


def check_free(course: Course, assignment: str) -> None:
    """Raise CourseError where somebody is grading in this course now. (Before ``alone`` somebody may still begin.)"""
    path = course.root / ".coursekit" / "grading.lock"
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        who = file.read()
        try:
            if who:  # else nobody is, and to try the lock could be in the way of one who begins
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(assignment, who) from None


def _taken(assignment: str, who: str) -> CourseError:
    found = f"somebody is grading in this course: {who.strip() or 'another process'}"
    return CourseError(assignment, found, "wait until it is done, or stop it, and run this again")


def sweep(course: Course) -> None:
    """The scratch folders of killed graders are gone. Only for the one who holds the lock."""
    for left in (course.root / "autograded").glob(f"{RECORDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    scratch.sweep(course)
