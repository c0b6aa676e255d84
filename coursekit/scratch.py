"""Scratch folders below .coursekit/, locked as long as somebody works in them; what a killed process left is swept."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coursekit.course import Course

PREFIX = "scratch-"


@contextmanager
def folder(course: Course) -> Iterator[Path]:
    """A new folder on the disk of the course. It is gone afterwards; where the process is killed, by the next sweep."""
    room = course.root / ".coursekit"
    room.mkdir(exist_ok=True)
    while True:
        with (
            tempfile.TemporaryDirectory(prefix=PREFIX, dir=room, ignore_cleanup_errors=True) as made,
            _locked(Path(made)) as locked,
        ):
            if locked:
                yield Path(made)
                return


def sweep(course: Course) -> None:
    """The folders in which nobody works any more are gone."""
    for left in (course.root / ".coursekit").glob(f"{PREFIX}*"):
        if not _is_worked_in(left):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(made: Path) -> Iterator[bool]:
    """Whether it is; it may have been swept before."""
    try:
        descriptor = os.open(made, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield made.is_dir()
    finally:
        os.close(descriptor)


def _is_worked_in(left: Path) -> bool:
    try:
        descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
