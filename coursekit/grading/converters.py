"""Call nbgrader's converters with the settings of a course; their messages go to a log file."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traitlets.config import Config
from traitlets.log import get_logger

from coursekit.model import database, settings
from coursekit.model.course import Course
from coursekit.model.errors import CourseError

# Our commands use these values, whatever the configuration of the course says.
_FIXED_SETTINGS = {
    "student_id": "*",
    "student_id_exclude": "",
    "assignment_id": "",
    "notebook_id": "*",
    "directory_structure": str(Path("{nbgrader_step}", "{student_id}", "{assignment_id}")),
    **{f"{step}_directory": step for step in ("source", "release", "submitted", "autograded", "feedback")},
}


def course_config(course: Course, **directories: str) -> Config:
    """The configuration in ``nbgrader_config.py``, for a converter or preprocessor of nbgrader that we run.

    Folders and patterns are replaced by ours; keyword arguments override traits of CourseDirectory. Raises CourseError.
    """
    config: Config = settings.of(course.root)
    for name, value in {**_FIXED_SETTINGS, "root": str(course.root), "db_url": course.db_url, **directories}.items():
        config.CourseDirectory[name] = value
    return config


def convert(converter: str, config: Config, assignment: str, log: Path, student: str = "*") -> None:
    """Run a converter of nbgrader over an assignment. Raises CourseError with the last line of its error message."""
    from nbgrader import converters
    from nbgrader.coursedir import CourseDirectory

    if not config.GenerateAssignment.get("no_database"):
        database.prepare(config.CourseDirectory.db_url, config.CourseDirectory.get("course_id", ""))
    coursedir = CourseDirectory(config=config)
    coursedir.assignment_id, coursedir.student_id = assignment, student
    with logging_to(log) as said, _environment_on_path(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy warns about nbgrader's models
        try:
            getattr(converters, converter)(coursedir=coursedir, config=config).start()
        except (SystemExit, Exception) as error:
            raise _failure(converter, assignment, said, error, log) from error


def _failure(converter: str, assignment: str, said: list[str], error: BaseException, log: Path) -> CourseError:
    if any("Cannot add or remove cells" in text for text in said if text.startswith("Traceback")):
        found = "source/ has other cells with a grade id than the submissions in the gradebook"
        return CourseError(assignment, found, "run `coursekit upgrade`, which keeps their marks and comments")
    return CourseError(assignment, f"nbgrader's {converter} failed ({_cause(said, error)})", f"see {log}")


def _cause(said: list[str], error: BaseException) -> str:
    """The line that names the cause: the last line of the last traceback in the log, if there is one."""
    tracebacks = [text for text in said if text.startswith("Traceback")]
    if any("database is locked" in text for text in tracebacks):
        return "gradebook.db is in use by another program: close it, and run this again"
    last = tracebacks[-1].strip().splitlines()[-1] if tracebacks else str(error) or type(error).__name__
    return last.removeprefix(f"{CourseError.__module__}.{CourseError.__name__}: ")[:300]


@contextmanager
def logging_to(path: Path) -> Iterator[list[str]]:
    """Within the block, nbgrader's messages go only to a file. Yields the list of its errors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logger: Any = get_logger()
    said: list[str] = []

    class Remember(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    file, errors = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace"), Remember(logging.ERROR)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    before = (logger.handlers, logger.level, logger.propagate)
    logger.handlers, logger.propagate = [file, errors], False
    logger.setLevel(logging.INFO)
    try:
        yield said
    finally:
        logger.handlers, logger.propagate = before[0], before[2]
        logger.setLevel(before[1])
        file.close()


@contextmanager
def _environment_on_path() -> Iterator[None]:
    """Put the folder of this Python on PATH within the block: nbgrader starts ``alembic`` by its name."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
