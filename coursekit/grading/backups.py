"""Backups of the gradebook: copies with a date in their name, which nothing overwrites."""

import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from sqlalchemy.engine import make_url

from coursekit.model import database
from coursekit.model.course import Course
from coursekit.model.errors import CourseError


def make(course: Course) -> Path | None:
    """Copy gradebook.db to ``.coursekit/backups/``; None if the gradebook is a server's, which makes its own backups.

    The copy is one state of the database, also while others write, and appears complete or not at all. Raises
    CourseError. Only the holder of the grading lock may call this.
    """
    address = course.db_url
    if not database.is_file(address):
        return None
    file = Path(str(make_url(address).database))
    folder = course.root / ".coursekit" / "backups"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as part:
            copy = Path(part, file.name)
            _copy(file, copy)
            copy.chmod(file.stat().st_mode & 0o777)
            return _named(copy, folder, datetime.now())
    except sqlite3.Error as error:
        raise CourseError(file.name, f"no backup can be made ({error})", "close other programs that use it") from error
    except OSError as error:
        raise CourseError(folder, f"no backup can be written ({error})", "make room, or fix its permissions") from error


def _copy(file: Path, to: Path) -> None:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as source, closing(sqlite3.connect(to)) as made:
        source.backup(made)
        (found,) = made.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(f"it is damaged: {found}")


def _named(copy: Path, folder: Path, now: datetime) -> Path:
    """Give the copy a name that no other backup has."""
    endings = chain([""], (f"-{number}" for number in count(2)))
    names = (folder / f"gradebook-{now:%Y-%m-%d-%H%M%S}{ending}.db" for ending in endings)
    return copy.rename(next(name for name in names if not name.exists()))
