"""source -> release, through nbgrader's own generate_assignment; byte-identical when made again."""

import filecmp
import hashlib
from pathlib import Path

from nbgrader.preprocessors import SaveCells

from coursekit import assignments, atomic_write, gradebook, scratch, stock
from coursekit.course import Course


def release(course: Course, assignment: str) -> list[str]:
    """``release/<assignment>`` brought up to date and the assignment entered in the gradebook.

    Returns the names of the files that changed. The old files stay until the new ones are all there.
    """
    with scratch.folder(course) as folder:
        made = _generate(course, assignment, folder, database=True)
        return _mirror(made, course.release(assignment))


def register(course: Course, assignment: str) -> None:
    """The assignment and its cells entered in the gradebook as the source has them now, if they are not yet."""
    digest = hashlib.sha256(course.source(assignment).read_bytes()).hexdigest()
    stamp = course.root / ".coursekit" / f"registered-{assignment}"
    if (
        stamp.is_file()
        and stamp.read_text() == digest
        and gradebook.cells(course, assignment) == _cells(course, assignment)
    ):
        return
    with scratch.folder(course) as folder:
        _generate(course, assignment, folder, database=True)
    stamp.write_text(digest)


def _cells(course: Course, assignment: str) -> dict[str, float]:
    """The test cells of an assignment with their points."""
    return assignments.points(assignments.load(course, assignment).exercises)


def stale(course: Course, assignment: str) -> list[str]:
    """Names of the released files that differ from what the source would give; touches nothing."""
    with scratch.folder(course) as folder:
        made = _generate(course, assignment, folder, database=False)
        return _differing(made, course.release(assignment))


def _generate(course: Course, assignment: str, into: Path, *, database: bool) -> Path:
    course.trusted_files(assignment)  # raises where nbgrader would follow a link into hidden/
    config = stock.course_config(course, release_directory=str(into))
    if not database:
        config.GenerateAssignment.no_database = True
        config.GenerateAssignment.preprocessors = [
            step for step in config.GenerateAssignment.preprocessors if step is not SaveCells
        ]
    stock.convert("GenerateAssignment", config, assignment, course.root / ".coursekit" / "release.log")
    return into / assignment


def released_files(folder: Path) -> set[str]:
    """The names of the files in a release, without what using it makes."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)
    }


def _differing(made: Path, there: Path) -> list[str]:
    new, old = released_files(made), released_files(there) if there.is_dir() else set()
    both = {name for name in new & old if not filecmp.cmp(made / name, there / name, shallow=False)}
    return sorted(both | (new ^ old))


def _mirror(made: Path, there: Path) -> list[str]:
    changed = _differing(made, there)
    for name in changed:
        target = there / name
        if (made / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic_write.write(target, (made / name).read_bytes())
        else:
            target.unlink()
    return changed
