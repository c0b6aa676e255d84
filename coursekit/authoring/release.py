"""source -> release, by nbgrader's generate_assignment; repeated runs give identical bytes."""

import filecmp
from pathlib import Path

from coursekit.grading import registration, workspace
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.system import atomic_write
from selfcheck import recordings


def release(course: Course, assignment: str) -> list[str]:
    """Bring ``release/<assignment>`` up to date and enter the assignment in the gradebook.

    Returns the names of the files that changed. The old files stay until all new ones are generated.
    """
    _require_recording(course, assignment)
    with workspace.folder(course) as folder:
        made = registration.generate(course, assignment, folder, database=True)
        return _mirror(made, course.release(assignment))


def stale(course: Course, assignment: str) -> list[str]:
    """Names of the released files that are not up to date with the source; writes nothing."""
    _require_recording(course, assignment)
    with workspace.folder(course) as folder:
        made = registration.generate(course, assignment, folder, database=False)
        return _differing(made, course.release(assignment))


def _require_recording(course: Course, assignment: str) -> None:
    """Raise CourseError if the public tests of the release could not run, because nothing is recorded."""
    folder = course.folder(assignment)
    if (folder / "cases.py").is_file() and not (folder / recordings.NAME).is_file():
        where = f"source/{assignment}/{recordings.NAME}"
        raise CourseError(where, "nothing is recorded yet", f"run `coursekit record {assignment}`")


def released_paths(folder: Path) -> list[Path]:
    """The files in a release or another folder, in order, without caches and checkpoints."""
    made_by_use = {"__pycache__", ".ipynb_checkpoints"}
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not made_by_use & set(path.parts)]


def released_files(folder: Path) -> set[str]:
    """The names of the files in a release, without caches and checkpoints."""
    return {path.relative_to(folder).as_posix() for path in released_paths(folder)}


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
