"""Outcomes -> gradebook and autograded/. One writer; a submission is recorded as a whole or not at all."""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Self

from nbgrader import utils

from coursekit import bookkeeping, gradebook, stock, supporting
from coursekit.course import Course
from coursekit.errors import CourseError
from coursekit.outcomes import Outcome


class Recorder:
    """Records outcomes of one assignment, one after another. A context manager."""

    def __init__(self, course: Course, assignment: str) -> None:
        self._course, self._assignment = course, assignment
        self._config = stock.course_config(course)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._book = self._open.enter_context(gradebook.opened(self._course))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def record(self, outcome: Outcome) -> None:
        """Marks and comments are in the gradebook, the notebook with its files in autograded/.

        The files are made first and put in their place last: until then the earlier ones stand. Raises CourseError.
        """
        timestamp = _timestamp(outcome.files)
        target = self._course.autograded(self._assignment, outcome.student)
        try:
            with tempfile.TemporaryDirectory(prefix="recording-", dir=self._course.root / ".coursekit") as folder:
                made = Path(folder) / "new"
                self._write(outcome, made)
                with gradebook.told():
                    bookkeeping.enter(self._book, outcome.student, outcome.verdicts, timestamp, self._config)
                _put(made, target, Path(folder) / "old")
        except OSError as error:
            raise CourseError(target, f"cannot be written ({error})", "make room, or mend its permissions") from error

    def _write(self, outcome: Outcome, folder: Path) -> None:
        for name, data in outcome.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        folder.mkdir(exist_ok=True)
        self._course.put_trusted_files(self._assignment, folder)
        (folder / f"{self._assignment}.ipynb").write_text(outcome.notebook, encoding="utf-8", newline="\n")


def _timestamp(files: Mapping[str, bytes]) -> datetime | None:
    """When it was handed in, if nbgrader's collect, or the submission's own timestamp.txt, says so."""
    text = files.get(supporting.TIMESTAMP, b"").decode("ascii", "replace").strip()
    return utils.parse_utc(text) if text else None


def _put(new: Path, target: Path, old: Path) -> None:
    """``new`` is at ``target``; what stood there is gone, or, where this was stopped in between, neither is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)
