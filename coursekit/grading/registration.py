"""Enter an assignment in the gradebook by nbgrader's generate_assignment, which also generates its release."""

import hashlib
from pathlib import Path

from coursekit.grading import converters, gradebook, workspace
from coursekit.model.course import Course
from coursekit.reference import assignments


def register(course: Course, assignment: str) -> None:
    """Enter the assignment and its cells in the gradebook, unless they agree with the source already."""
    digest = hashlib.sha256(course.source(assignment).read_bytes()).hexdigest()
    digest_file = _digest_file(course, assignment)
    as_registered = digest_file.is_file() and digest_file.read_text() == digest
    if as_registered and gradebook.cells(course, assignment) == _cells(course, assignment):
        return
    with workspace.folder(course) as folder:
        generate(course, assignment, folder, database=True)
    digest_file.write_text(digest)


def forget(course: Course, assignment: str) -> None:
    """Let the next ``register`` enter the assignment again."""
    _digest_file(course, assignment).unlink(missing_ok=True)


def _digest_file(course: Course, assignment: str) -> Path:
    return course.root / ".coursekit" / f"registered-{assignment}"


def _cells(course: Course, assignment: str) -> dict[str, float]:
    """The test cells of an assignment with their points."""
    return assignments.points(assignments.load(course, assignment).exercises)


def generate(course: Course, assignment: str, into: Path, *, database: bool, db_url: str = "") -> Path:
    """Generate the release below ``into``; with ``database`` also enter the assignment in the gradebook.

    ``db_url``: another database in place of the gradebook.
    """
    course.trusted_files(assignment)  # raises where nbgrader would follow a link into hidden/
    config = converters.course_config(course, release_directory=str(into), db_url=db_url or course.db_url)
    if not database:
        config.GenerateAssignment.no_database = True
        config.GenerateAssignment.preprocessors = [
            step for step in config.GenerateAssignment.preprocessors if not _saves_cells(step)
        ]
    converters.convert("GenerateAssignment", config, assignment, course.root / ".coursekit" / "release.log")
    return into / assignment


def _saves_cells(step: object) -> bool:
    """Whether a preprocessor, a class or the name of one, is nbgrader's SaveCells."""
    return getattr(step, "__name__", str(step)).rpartition(".")[2] == "SaveCells"
