"""An assignment as a value: its exercises, its mistakes and their recordings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.model.exercise import Case, Check, Exercise, Mistake
from coursekit.reference.process import ReferenceProcess
from selfcheck import recordings
from selfcheck.known_mistakes import Known

_State = tuple[tuple[str, int, int], ...]
_loaded: dict[tuple[Path, str], tuple[_State, "Assignment"]] = {}


@dataclass(frozen=True)
class Assignment:
    """An assignment of a course. ``exercises`` are the cased ones, in the order of their numbers.

    ``gaps`` lists inconsistencies between its files, such as an exercise without points. If there are any, nothing is
    graded.
    """

    name: str
    folder: Path
    hidden: Path
    exercises: tuple[Exercise, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    gaps: tuple[str, ...] = ()

    def exercise(self, function: str) -> Exercise:
        """The exercise of a function. Raises CourseError if there is none."""
        for one in self.exercises:
            if one.function == function:
                return one
        raise CourseError(f"source/{self.name}/cases.py", f"there is no exercise {function}", "add it")

    def mistake(self, function: str, name: str) -> Mistake | None:
        """The mistake of the catalogue with this name."""
        found = (one for one in self.mistakes if (one.function, one.name) == (function, name))
        return next(found, None)

    def expected(self, exercise: Exercise) -> dict[str, recordings.Outputs]:
        """The recorded outputs by case; empty for a case that has to raise. Raises CourseError if any are missing."""
        found: dict[str, recordings.Outputs] = {}
        for folder, public in ((self.folder, True), (self.hidden, False)):
            wanted = [case for case in exercise.cases if case.public is public]
            recorded = _outputs(folder / recordings.NAME, exercise) if any(not case.raises for case in wanted) else {}
            for case in wanted:
                if not case.raises and case.name not in recorded:
                    raise _not_recorded(folder, f"nothing of {exercise.function} ({case.name})")
                found[case.name] = {} if case.raises else recorded[case.name]
        return found

    def useless_checks(self) -> Iterator[str]:
        """Checks of outputs that no expected result has: any result would pass them. Looked up where it is recorded."""
        for exercise in self.exercises:
            try:
                expected = self.expected(exercise)
            except CourseError:
                continue
            for check in exercise.checks:
                paths = {path for case, outputs in expected.items() if check.covers(case) for path in outputs}
                for name in check.outputs:
                    if not any(path.startswith(name) for path in paths):
                        said = f"{exercise.function}, check {check.name!r}: no result has an output {name!r}"
                        yield f"{said}: change it in hidden/{self.name}/exercises.py"

    def known_mistakes(self, exercise: Exercise) -> tuple[Known, ...]:
        """The recorded results of the mistakes; empty if there are none, because grading is possible without them."""
        try:
            return recordings.mistakes(self.hidden / recordings.NAME, exercise.function)
        except (OSError, KeyError, ValueError):
            return ()


def _outputs(path: Path, exercise: Exercise) -> dict[str, recordings.Outputs]:
    try:
        return recordings.read(path, exercise.function)[0]
    except Exception as error:  # NumPy, zipfile and zlib raise a dozen kinds
        raise _not_recorded(path.parent, f"nothing of {exercise.function}") from error


def _not_recorded(folder: Path, found: str) -> CourseError:
    where = f"{folder.parent.name}/{folder.name}/{recordings.NAME}"
    return CourseError(where, f"it holds {found}", "run `coursekit record`")


def load(course: Course, name: str) -> Assignment:
    """The assignment from its current files, cached until they change. Raises CourseError if they cannot be used."""
    folder, hidden = course.folder(name), course.hidden(name)
    if not (folder / "cases.py").is_file() and not (hidden / "exercises.py").is_file():
        return Assignment(name, folder, hidden)
    state = _state(course, name)
    cached = _loaded.get((course.root, name))
    if cached is None or cached[0] != state:
        with ReferenceProcess(course.root, name) as reference:
            described = reference.ask("describe")
        _loaded[course.root, name] = cached = state, from_data(name, folder, hidden, described)
    return cached[1]


def _state(course: Course, name: str) -> _State:
    """Path, modification time and size of every file from which the assignment is described."""
    paths = (path for path in course.deciding(name) if path.name != recordings.NAME)
    return tuple((str(path), found.st_mtime_ns, found.st_size) for path in paths if (found := path.stat()))


def from_data(name: str, folder: Path, hidden: Path, described: Mapping[str, Any]) -> Assignment:
    """The assignment from the reference process's description (``reference.describing``)."""
    return Assignment(
        name,
        folder,
        hidden,
        tuple(_exercise(name, row) for row in described["exercises"]),
        tuple(Mistake(**row) for row in described["mistakes"]),
        tuple(described["gaps"]),
    )


def _exercise(assignment: str, row: Mapping[str, Any]) -> Exercise:
    cases = tuple(Case(**{**case, "arguments": tuple(case["arguments"]), "extra": tuple(case["extra"])})
                  for case in row["cases"])  # fmt: skip
    checks = tuple(
        Check(**{**check, "outputs": tuple(check["outputs"]), "cases": tuple(check["cases"])})
        for check in row["checks"]
    )
    outputs = row["outputs"] if isinstance(row["outputs"], str) else tuple(row["outputs"])
    rest: dict[str, Any] = {name: tuple(row[name]) for name in ("inputs", "depends_on")}
    return Exercise(**{**row, **rest, "assignment": assignment, "outputs": outputs, "cases": cases, "checks": checks})


def points(exercises: Sequence[Exercise]) -> dict[str, float]:
    """The points of the test cells, by their ids."""
    return {f"{exercise.grade_id}-test": exercise.points for exercise in exercises}
