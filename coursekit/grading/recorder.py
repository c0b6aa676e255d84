"""Outcomes -> gradebook and autograded/. One writer; a submission is recorded completely or not at all."""

import errno
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Self

from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError, ProgrammingError

from coursekit.grading import (
    changes,
    converters,
    fingerprints,
    gradebook,
    gradebook_writer,
    penalties,
    receipts,
    returned,
    reviews,
)
from coursekit.grading.changes import Changes
from coursekit.grading.fingerprints import Fingerprint
from coursekit.grading.lock import RECORDING
from coursekit.grading.outcomes import Outcome
from coursekit.grading.penalties import TotalChange
from coursekit.grading.receipts import Standing
from coursekit.model.course import IMPORTABLE, Course
from coursekit.model.errors import CourseError
from coursekit.submission import candidates, supporting_files
from coursekit.system import atomic_write

_AFFECT_EVERY_SUBMISSION = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_AFFECT_ONE_SUBMISSION = (
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)  # caused by one submission's data


class NothingCanBeWritten(CourseError):
    """No result can be written: the disk is full, the gradebook is locked or cannot be reached."""


class Recorder:
    """Records outcomes of one assignment, one after another. A context manager."""

    def __init__(self, course: Course, assignment: str, experiments: bool = False) -> None:
        """``experiments``: whether all cells are run; then a receipt without experiments is not up to date."""
        self._course, self._assignment = course, assignment
        self._experiments = experiments or candidates.always_run(course, assignment) is None
        self._config = converters.course_config(course)
        self._trusted = {name: path.read_bytes() for name, path in course.trusted_files(assignment).items()}
        self._reserved = {PurePosixPath(name) for name in (*self._trusted, f"{assignment}.ipynb", receipts.NAME)}
        self._reserved_folders = {parent for path in self._reserved for parent in path.parents[:-1]}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._book = self._open.enter_context(gradebook.opened(self._course))
        with gradebook.translated_errors():
            reviews.prepare(self._book)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def standings(self, wanted: Mapping[str, Fingerprint]) -> dict[str, Standing]:
        """Whether the results of the students with these current fingerprints are up to date, and if not, why."""
        with gradebook.translated_errors():
            entered = gradebook_writer.entered(self._book, self._assignment)
        return receipts.standings(self._course, self._assignment, wanted, entered, self._experiments)

    def returned(self) -> frozenset[str]:
        """The students whose work was returned."""
        with gradebook.translated_errors():
            return frozenset(returned.of(self._book, self._assignment))

    def changes(self, outcome: Outcome) -> Changes:
        """What ``record`` would change in the student's marks; writes nothing."""
        with gradebook.translated_errors():
            return changes.of(self._book, self._course, self._assignment, outcome, self._config)

    def update_penalties(self, students: Iterable[str]) -> dict[str, TotalChange]:
        """Set the current late penalties of these students: a due date, the policy or a person's mark may have changed.

        Returns the totals that changed.
        """
        with gradebook.translated_errors():
            return penalties.refresh(self._book, self._assignment, students, self._config)

    def record(self, outcome: Outcome, fingerprint: Fingerprint | None = None) -> TotalChange | None:
        """Write marks and comments to the gradebook, and the notebook with its files and its receipt to autograded/.

        The files are prepared first and moved into place last, after the transaction. After a kill in between, the
        earlier files are still there, and their receipt no longer agrees with the gradebook. Returns the student's
        totals before and after if only the late penalty has changed. Raises CourseError.
        """
        timestamp = outcome.handed_in_at
        target = self._course.autograded(self._assignment, outcome.student)
        with _translated_errors(target), self._result_folder() as folder:
            made = folder / "new"
            notebook = outcome.notebook.encode("utf-8", "replace")
            self._write(outcome, notebook, made)
            seen = changes.seen(self._course, self._assignment, outcome.student)
            entering = gradebook_writer.entering(
                self._book, outcome.student, outcome.verdicts, timestamp, self._config, seen
            )
            before = penalties.totals(self._book, self._assignment, outcome.student)
            with entering as entries:
                after = penalties.totals(self._book, self._assignment, outcome.student) if before else {}
                made_by = self._experiments, outcome.verdicts.nonces
                receipts.write(made, fingerprint, fingerprints.of_bytes(notebook), entries, *made_by)
            atomic_write.replace_folder(made, target, folder / "old")
        return penalties.total_changes(before, after).get(outcome.student)

    @contextmanager
    def _result_folder(self) -> Iterator[Path]:
        """Yield a temporary folder in autograded/: on the same disk, so that it can be moved atomically."""
        autograded = self._course.root / "autograded"
        autograded.mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=RECORDING, dir=autograded))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _write(self, outcome: Outcome, notebook: bytes, folder: Path) -> None:
        """Write the notebook, the trusted files, and of the student's files only data, never code or configuration."""
        own = {name: data for name, data in outcome.files.items() if self._may_be_stored(PurePosixPath(name))}
        folder.mkdir()
        there = {folder}
        for name, data in {**own, **self._trusted, f"{self._assignment}.ipynb": notebook}.items():
            path = folder / name
            if path.parent not in there:
                path.parent.mkdir(parents=True, exist_ok=True)
                there.add(path.parent)
            path.write_bytes(data)

    def _may_be_stored(self, path: PurePosixPath) -> bool:
        """Whether a student's file is data, does not collide with one of our files, and is not importable by Python."""
        parents = path.parents[:-1]
        in_the_way = path in self._reserved or path in self._reserved_folders or not self._reserved.isdisjoint(parents)
        importable = any(part.suffix in IMPORTABLE for part in (path, *parents))
        return supporting_files.is_data(path) and not in_the_way and not importable


@contextmanager
def _translated_errors(target: Path) -> Iterator[None]:
    """Translate errors of the block: NothingCanBeWritten if every submission would fail, else CourseError."""
    try:
        with gradebook.translated_errors():
            yield
    except OSError as error:
        kind = NothingCanBeWritten if error.errno in _AFFECT_EVERY_SUBMISSION else CourseError
        raise kind(target, f"cannot be written ({error})", "make room, or fix its permissions") from error
    except CourseError as error:
        cause = error.__cause__
        if not isinstance(cause, DatabaseError) or isinstance(cause, _AFFECT_ONE_SUBMISSION):
            raise
        if "disk is full" in str(cause):
            raise NothingCanBeWritten("gradebook.db", "the disk is full", "make room, and run this again") from error
        raise NothingCanBeWritten(error.where, error.found, error.remedy) from error
