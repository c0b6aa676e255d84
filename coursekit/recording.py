"""Expected outputs, recorded from the source notebook's own solutions, never typed; and what the named mistakes give.

Each is recorded twice: the public cases for the students' tests, and for the grader what must not be released.
"""

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

import hidden_tests
from coursekit import atomic_write, solutions, wrong_answers
from coursekit.course import Course
from coursekit.errors import CourseError
from coursekit.exercise import Exercise
from selfcheck import known_mistakes
from selfcheck.comparison import flatten
from selfcheck.exercises import Case
from selfcheck.known_mistakes import Known, Recorded
from selfcheck.recordings import recorded

Outputs = dict[str, np.ndarray]
Mistakes = dict[str, tuple[Known, ...]]
FILES = ("public_tests.h5", "hidden_tests.h5")
MISTAKE_FILES = ("public_mistakes.h5", "hidden_mistakes.h5")
# BLAS libraries differ in the last digits from machine to machine; a recording must not depend on whose it was.
RTOL, ATOL = 1e-11, 1e-13
# A mistake may train for hundreds of steps with steps that are too large: there those digits grow.
MISTAKE_RTOL = 1e-6


def make(course: Course) -> tuple[dict[str, Outputs], dict[str, Outputs]]:
    """Fresh expected outputs of every assignment as ``{"key/case": {name: array}}``, the public and the hidden ones."""
    public: dict[str, Outputs] = {}
    hidden: dict[str, Outputs] = {}
    for assignment in course.assignments():
        functions = solutions.load(course, assignment)
        for exercise in hidden_tests.exercises(assignment):
            for case in exercise.cases:
                if case.raises:
                    _must_raise(exercise, case, functions[exercise.function])
                    continue
                outputs = _outputs(exercise, case, functions[exercise.function])
                (public if case in exercise.public.cases else hidden)[f"{exercise.key}/{case.name}"] = outputs
    return public, hidden


def _must_raise(exercise: Exercise, case: Case, function: Any) -> None:
    try:
        function(*exercise.public.build(case))
    except Exception as error:
        if case.raises in (sort.__name__ for sort in type(error).__mro__):
            return
    found = f"the solution raises no {case.raises}"
    raise CourseError(f"{exercise.key} ({case.name})", found, "mend the solution or the case")


def _outputs(exercise: Exercise, case: Case, function: Any) -> Outputs:
    with redirect_stdout(StringIO()):  # training tells how it goes
        flat = flatten(function(*exercise.public.build(case)), exercise.public.outputs)
    odd = [name for name, leaf in flat.items() if not isinstance(leaf, np.ndarray) or not np.all(np.isfinite(leaf))]
    if odd or not flat:
        found = f"the solution returns no finite numbers in {odd or 'anything'}"
        raise CourseError(f"{exercise.key} ({case.name})", found, "mend the solution or the case")
    return flat


def make_mistakes(course: Course, expected: Mapping[str, Outputs]) -> tuple[Mistakes, Mistakes]:
    """What every mistake gives, by exercise: for the students in the public cases and without names, and all of it."""
    public: dict[str, list[Known]] = {row.key: [] for row in hidden_tests.TABLE.values()}
    hidden: dict[str, list[Known]] = {row.key: [] for row in hidden_tests.TABLE.values()}
    for assignment in course.assignments():
        for mistake, known in wrong_answers.run(course, assignment, expected):
            hidden[mistake.exercise].append(known)
            if mistake.visible:
                names = {case.name for case in hidden_tests.TABLE[mistake.exercise].public.cases}
                cases = {name: one for name, one in known.cases.items() if name in names}
                public[mistake.exercise].append(Known(known.hint, cases))
    return _filled(public), _filled(hidden)


def _filled(by_exercise: dict[str, list[Known]]) -> Mistakes:
    return {key: tuple(mistakes) for key, mistakes in by_exercise.items() if mistakes}


def record(course: Course) -> list[Path]:
    """All recordings brought up to date; returns the files that changed (none when fresh recordings agree)."""
    changed = []
    public, hidden = make(course)
    for path, fresh in zip(_paths(course), (public, hidden), strict=True):
        if differences(path, fresh):
            _write(path, _put_outputs, fresh)
            changed.append(path)
    for name, mistakes in zip(MISTAKE_FILES, make_mistakes(course, public | hidden), strict=True):
        if mistake_differences(course.root / name, mistakes):
            _write(course.root / name, _put_mistakes, mistakes)
            changed.append(course.root / name)
    return changed


def check(course: Course) -> list[str]:
    """What fresh recordings would change, in words; empty when the recordings are fresh.

    Mistakes are looked at when the expected outputs are fresh: with other outputs they are others, too.
    """
    made = make(course)
    found = [f"{path.name}: {what}" for path, fresh in zip(_paths(course), made, strict=True)
             for what in differences(path, fresh)]  # fmt: skip
    if found:
        return found
    mistakes = make_mistakes(course, made[0] | made[1])
    return [f"{name}: {what}" for name, fresh in zip(MISTAKE_FILES, mistakes, strict=True)
            for what in mistake_differences(course.root / name, fresh)]  # fmt: skip


def expected(course: Course, exercise: Exercise, case: Case) -> Outputs:
    """The recorded outputs of one case; none where an exception is the right answer."""
    if case.raises:
        return {}
    public, hidden = _paths(course)
    return recorded(public if case in exercise.public.cases else hidden, exercise.key, case.name)


def differences(path: Path, fresh: dict[str, Outputs]) -> list[str]:
    """Cases that the file lacks, has too many, or has with other numbers."""
    import h5py

    if not path.is_file():
        return ["not recorded yet"]
    known: dict[str, Outputs] = {}

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            case, _, output = name.rpartition("/")
            known.setdefault(case, {})[output] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(collect)
    found = [f"{name}: not recorded yet" for name in fresh.keys() - known.keys()]
    found += [f"{name}: recorded, but no such case" for name in known.keys() - fresh.keys()]
    found += [f"{name}: other numbers" for name in fresh.keys() & known.keys() if not _same(fresh[name], known[name])]
    return sorted(found)


def _same(one: Outputs, other: Outputs) -> bool:
    return one.keys() == other.keys() and all(
        one[name].shape == other[name].shape and np.allclose(one[name], other[name], rtol=RTOL, atol=ATOL)
        for name in one
    )


def mistake_differences(path: Path, fresh: Mistakes) -> list[str]:
    """Exercises whose mistakes the file lacks, has too many, or has with other outputs."""
    import h5py

    if not path.is_file():
        return ["not recorded yet"]
    with h5py.File(path, "r") as file:
        keys = {f"{assignment}/{name}" for assignment, group in file.items() for name in group}
    found = [f"{key}: recorded, but it has no mistakes" for key in keys - fresh.keys()]
    found += [f"{key}: not recorded yet" for key in fresh.keys() - keys]
    for key in fresh.keys() & keys:
        known = known_mistakes.read(path, key)
        if [(one.name, one.hint) for one in known] != [(one.name, one.hint) for one in fresh[key]]:
            found.append(f"{key}: other mistakes")
        else:
            found += [f"{key}: {one.name or one.hint!r} gives something else in {case!r}"
                      for one, other in zip(fresh[key], known, strict=True)
                      for case in one.cases.keys() | other.cases.keys()
                      if not _alike(one.cases.get(case), other.cases.get(case))]  # fmt: skip
    return sorted(found)


def _alike(one: Recorded | None, other: Recorded | None) -> bool:
    """Whether two recordings agree; the words of an exception may be missing where NumPy says it in a new way."""
    if one is None or other is None:
        return False
    if (one.raised, one.tells, one.changed, one.absent) != (other.raised, other.tells, other.changed, other.absent):
        return False
    if one.outputs is None or other.outputs is None:
        return one.outputs is other.outputs and (one.sign == other.sign or not one.sign or not other.sign)
    return one.outputs.keys() == other.outputs.keys() and all(
        known_mistakes.same(leaf, other.outputs[path], MISTAKE_RTOL) or one.tells == known_mistakes.VARIES
        for path, leaf in one.outputs.items()
    )


def _paths(course: Course) -> tuple[Path, Path]:
    public, hidden = FILES
    return course.root / public, course.root / hidden


def _write(path: Path, put: Callable[[Any, Any], None], what: object) -> None:
    import h5py

    with atomic_write.replacing(path) as part, h5py.File(part, "w", libver="v110") as file:
        put(file, what)


def _put_outputs(file: Any, outputs: dict[str, Outputs]) -> None:
    for case, arrays in outputs.items():
        group = file.create_group(case)
        for position, (name, array) in enumerate(arrays.items()):
            group.create_dataset(name, data=array).attrs["position"] = position


def _put_mistakes(file: Any, mistakes: Mistakes) -> None:
    for key, known in mistakes.items():
        index, numbers = known_mistakes.pack(known)
        group = file.create_group(key)
        for name, data in (("index", np.frombuffer(index, np.uint8)), ("numbers", numbers)):
            group.create_dataset(name, data=data, compression="gzip", compression_opts=9, shuffle=True)
