"""Expected outputs: recorded from the source notebook's own solutions, never typed."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

import hidden_tests
import public_tests
from comparison import flatten
from coursekit import solutions
from coursekit.course import Course
from coursekit.errors import CourseError
from public_tests import Case

Outputs = dict[str, np.ndarray]
FILES = ("public_tests.h5", "hidden_tests.h5")
# BLAS libraries differ in the last digits from machine to machine; a recording must not depend on whose it was.
RTOL, ATOL = 1e-11, 1e-13


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


def _must_raise(exercise: hidden_tests.Exercise, case: Case, function: Any) -> None:
    try:
        function(*public_tests.build(exercise.public, case))
    except Exception as error:
        if case.raises in (sort.__name__ for sort in type(error).__mro__):
            return
    found = f"the solution raises no {case.raises}"
    raise CourseError(f"{exercise.key} ({case.name})", found, "mend the solution or the case")


def _outputs(exercise: hidden_tests.Exercise, case: Case, function: Any) -> Outputs:
    with redirect_stdout(StringIO()):  # training tells how it goes
        flat = flatten(function(*public_tests.build(exercise.public, case)), exercise.public.outputs)
    odd = [name for name, leaf in flat.items() if not isinstance(leaf, np.ndarray) or not np.all(np.isfinite(leaf))]
    if odd or not flat:
        found = f"the solution returns no finite numbers in {odd or 'anything'}"
        raise CourseError(f"{exercise.key} ({case.name})", found, "mend the solution or the case")
    return flat


def record(course: Course) -> list[Path]:
    """Both recordings brought up to date; returns the files that changed (none when a fresh recording agrees)."""
    changed = []
    for path, fresh in zip(_paths(course), make(course), strict=True):
        if differences(path, fresh):
            _write(path, fresh)
            changed.append(path)
    return changed


def check(course: Course) -> list[str]:
    """What a fresh recording would change, in words; empty when the recordings are fresh."""
    return [f"{path.name}: {what}" for path, fresh in zip(_paths(course), make(course), strict=True)
            for what in differences(path, fresh)]  # fmt: skip


def expected(course: Course, exercise: hidden_tests.Exercise, case: Case) -> Outputs:
    """The recorded outputs of one case; none where an exception is the right answer."""
    if case.raises:
        return {}
    public, hidden = _paths(course)
    return public_tests.recorded(public if case in exercise.public.cases else hidden, exercise.key, case.name)


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


def _paths(course: Course) -> tuple[Path, Path]:
    public, hidden = FILES
    return course.root / public, course.root / hidden


def _write(path: Path, outputs: dict[str, Outputs]) -> None:
    import h5py

    whole = path.with_suffix(".h5.part")
    with h5py.File(whole, "w") as file:
        for case, arrays in outputs.items():
            group = file.create_group(case)
            for position, (name, array) in enumerate(arrays.items()):
                group.create_dataset(name, data=array).attrs["position"] = position
    whole.replace(path)
