"""Temporary folders in .coursekit/, locked while in use; those of killed processes are deleted by the next grader."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from coursekit.model.course import Course

PREFIX = "scratch-"


@contextmanager
def folder(course: Course) -> Iterator[Path]:
    """Yield a new folder on the disk of the course, deleted afterwards; after a kill, by ``delete_leftovers``."""
    parent = course.root / ".coursekit"
    parent.mkdir(exist_ok=True)
    while True:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent, ignore_cleanup_errors=True) as made:
            lock = _lock(Path(made))
            try:
                lock.acquire()
            except FileNotFoundError:  # deleted as a leftover before it was locked
                continue
            try:
                files = Path(made, "files")  # without the lock file
                files.mkdir(mode=0o700)
                yield files
            finally:
                lock.release()
            return


def delete_leftovers(course: Course) -> None:
    """Delete the folders that no process has locked."""
    for left in (course.root / ".coursekit").glob(f"{PREFIX}*"):
        try:
            with _lock(left).acquire(timeout=0):
                shutil.rmtree(left, ignore_errors=True)
        except OSError:  # in use (filelock's Timeout is one), already gone, or somebody else's
            continue


def _lock(made: Path) -> FileLock:
    # No soft lock where the file system has no flock: it would outlive a killed process on another computer.
    return FileLock(made / ".lock", fallback_to_soft=False)
