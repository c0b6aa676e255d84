"""Recordings: the expected outputs, and the results of the named mistakes. Computed from the solutions, never typed.

The reference process makes fresh recordings; this module compares them with those of the course, and replaces these.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from coursekit.grading import workspace
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.reference import assignments
from coursekit.reference.process import ReferenceProcess
from coursekit.system import atomic_write
from selfcheck import known_mistakes, recordings
from selfcheck.known_mistakes import Known, Recorded

# BLAS libraries differ in the last digits between computers, on which a recording must not depend.
RTOL, ATOL = 1e-11, 1e-13
# A mistake may train for hundreds of steps with too large a learning rate, which amplifies these differences.
MISTAKE_RTOL = 1e-6
BRIEF_CASES = 1  # in which a brief check tries each mistake: a training takes long


def paths(course: Course, assignment: str) -> tuple[Path, Path]:
    """The public recording of an assignment and the hidden one."""
    return course.folder(assignment) / recordings.NAME, course.hidden(assignment) / recordings.NAME


def misfits(course: Course, assignment: str) -> list[str]:
    """``answer: why`` of the answers of the catalogue that do not fit their solutions: nothing is recorded of them."""
    if not assignments.load(course, assignment).exercises:
        return []
    with ReferenceProcess(course.root, assignment) as reference:
        return list(reference.ask("misfits"))


def record(course: Course, assignment: str) -> list[Path]:
    """Bring the recordings up to date; returns the files that changed. Raises CourseError."""
    known = assignments.load(course, assignment)
    if known.gaps:
        raise CourseError(f"source/{assignment}", known.gaps[0], "run `coursekit check` to see all of them")
    if not known.exercises:
        return []
    changed = []
    with ReferenceProcess(course.root, assignment) as reference, _fresh(course, reference) as made:
        for path, fresh in zip(paths(course, assignment), made, strict=True):
            if differences(path, fresh):
                path.parent.mkdir(parents=True, exist_ok=True)
                atomic_write.write(path, fresh.read_bytes())
                changed.append(path)
    return changed


def check(course: Course, assignment: str) -> list[tuple[Path, str]]:
    """The differences between the recordings and fresh ones: file and description. Raises CourseError."""
    if not assignments.load(course, assignment).exercises:
        return []
    with ReferenceProcess(course.root, assignment) as reference:
        return check_with(reference, course, assignment)


def check_with(
    reference: ReferenceProcess, course: Course, assignment: str, brief: bool = False
) -> list[tuple[Path, str]]:
    """The same with a process of the assignment that runs already. ``brief``: try each mistake in its first case only.

    Mistakes are compared only if the expected outputs agree, because they depend on these.
    """
    with _fresh(course, reference, BRIEF_CASES if brief else None) as made:
        both = list(zip(paths(course, assignment), made, strict=True))
        found = [(path, what) for path, fresh in both for what in output_differences(path, fresh)]
        return found or [(path, what) for path, fresh in both for what in mistake_differences(path, fresh, brief)]


@contextmanager
def _fresh(course: Course, reference: ReferenceProcess, most: int | None = None) -> Iterator[tuple[Path, Path]]:
    """Make fresh recordings; yields the paths of the public and the hidden one, which exist within the block.

    ``most``: try each mistake in the first so many cases only.
    """
    with workspace.folder(course) as folder:
        public, hidden = folder / "public.npz", folder / "hidden.npz"
        reference.ask("record", public=str(public), hidden=str(hidden), most=most)
        yield public, hidden


def differences(path: Path, fresh: Path) -> list[str]:
    """The differences between the recording at ``path`` and a fresh one."""
    return output_differences(path, fresh) or mistake_differences(path, fresh)


def output_differences(path: Path, fresh: Path) -> list[str]:
    """Cases that are missing in the file, surplus, or have other numbers."""
    if not path.is_file():
        return ["not recorded yet"]
    new = _by_case(fresh)
    try:
        old = _by_case(path)
    except Exception as error:  # NumPy, zipfile and zlib raise many types
        return [f"not a readable recording ({one_line_with_type(error)})"]
    found = [f"{name}: not recorded yet" for name in new.keys() - old.keys()]
    found += [f"{name}: recorded, but no such case" for name in old.keys() - new.keys()]
    found += [f"{name}: other numbers" for name in new.keys() & old.keys() if not _same(new[name], old[name])]
    return sorted(found)


def _by_case(path: Path) -> dict[str, recordings.Outputs]:
    return {
        f"{function}/{case}": outputs
        for function in recordings.functions(path)
        for case, outputs in recordings.read(path, function)[0].items()
    }


def _same(one: recordings.Outputs, other: recordings.Outputs) -> bool:
    return one.keys() == other.keys() and all(
        one[name].shape == other[name].shape and np.allclose(one[name], other[name], rtol=RTOL, atol=ATOL)
        for name in one
    )


def mistake_differences(path: Path, fresh: Path, brief: bool = False) -> list[str]:
    """Exercises whose mistakes are missing in the file, surplus, or have other outputs.

    ``brief``: ``fresh`` does not hold all of their cases.
    """
    if not path.is_file():
        return ["not recorded yet"]
    new, old = _mistakes(fresh), _mistakes(path)
    found = [f"{function}: recorded, but it has no mistakes" for function in old.keys() - new.keys()]
    found += [f"{function}: not recorded yet" for function in new.keys() - old.keys()]
    for function in new.keys() & old.keys():
        if _names(new[function]) != _names(old[function]):
            found.append(f"{function}: other mistakes")
        else:
            found += _other_outputs(function, new[function], old[function], brief)
    return sorted(found)


def _mistakes(path: Path) -> dict[str, tuple[Known, ...]]:
    every = {function: recordings.mistakes(path, function) for function in recordings.functions(path)}
    return {function: known for function, known in every.items() if known}


def _names(known: tuple[Known, ...]) -> list[tuple[str, str]]:
    return [(one.name, one.hint) for one in known]


def _other_outputs(function: str, new: tuple[Known, ...], old: tuple[Known, ...], brief: bool) -> Iterator[str]:
    for one, other in zip(new, old, strict=True):
        for case in one.cases if brief else one.cases.keys() | other.cases.keys():
            if not _alike(one.cases.get(case), other.cases.get(case)):
                yield f"{function}: {one.name or one.hint!r} gives something else in {case!r}"


def _alike(one: Recorded | None, other: Recorded | None) -> bool:
    """Whether two recordings agree. The message of an exception may be missing, because NumPy changes its wording."""
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
