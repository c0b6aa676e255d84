"""Submissions -> marks in the gradebook, through nbgrader's own autograde.

The steps for one student: load (a damaged file becomes a problem in words), stage a copy, autograde the copy. The
submitted folder is only read. One student's failure never touches another's.
"""

import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from traitlets.log import get_logger

from coursekit import notebooks, rebuild, release, stock, submission
from coursekit.course import IMPORTABLE, Course
from coursekit.errors import CourseError
from hidden_tests import exercises

MAX_SUPPORT_BYTES = 50 << 20


@dataclass(frozen=True)
class Graded:
    """How grading one submission went; ``problem`` is empty when there was something to grade."""

    student: str
    problem: str = ""
    notes: tuple[str, ...] = ()
    failed: bool = False  # our own failure: no mark was written


@dataclass(frozen=True)
class Limits:
    """How long the student's code may take: one cell, and one call of a function by the grader, in seconds."""

    cell_timeout_s: int = 30
    call_timeout_s: float = 5.0


def grade(
    course: Course,
    assignment: str,
    students: Sequence[str] = (),
    limits: Limits = Limits(),
    report: Callable[[Graded], None] = lambda _: None,
    jobs: int = 1,
) -> list[Graded]:
    """Grade the submissions of an assignment, by student; ``report`` is called after each.

    ``jobs`` processes work side by side: the order of the reports is then the order in which they end.
    """
    there = course.students(course.require(assignment))
    unknown = sorted(set(students) - set(there))
    if unknown:
        raise CourseError(
            f"submitted/{unknown[0]}/{assignment}", "there is no such submission", "check the student's id"
        )
    chosen = [student for student in there if not students or student in students]
    if not chosen:
        raise CourseError(course.submitted(assignment).relative_to(course.root), "no submissions found",
                          f"put each student's notebook into submitted/<student>/{assignment}/")  # fmt: skip
    release.register(course, assignment)
    _check_points(course, assignment)
    done = []
    for one in _all(course, assignment, chosen, limits, jobs):
        done.append(one)
        report(one)
    return sorted(done, key=lambda one: one.student)


def _all(course: Course, assignment: str, students: list[str], limits: Limits, jobs: int) -> Iterator[Graded]:
    if jobs == 1:
        yield from (_grade_one(course, assignment, student, limits) for student in students)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:  # nbgrader changes the working directory
        futures = [pool.submit(_grade_one, course, assignment, student, limits) for student in students]
        for future in as_completed(futures):
            yield future.result()


def _check_points(course: Course, assignment: str) -> None:
    """Raise CourseError where a test cell promises other points than the table of exercises gives."""
    rows = {f"{row.grade_id}-test": row for row in exercises(assignment)}
    for cell in notebooks.read(course.source(assignment)).cells:
        row = rows.get(notebooks.grade_id(cell) or "")
        if row is not None and notebooks.grader_metadata(cell).get("points") != row.points:
            promised = notebooks.grader_metadata(cell).get("points")
            where = f"source/{assignment}/{assignment}.ipynb[{cell.id}]"
            raise CourseError(where, f"{promised} points, but {row.points:g} in hidden_tests.py", "make them agree")


def _grade_one(course: Course, assignment: str, student: str, limits: Limits) -> Graded:
    log = course.root / ".coursekit" / "grade.log"
    try:
        submission.check_name(student)
        loaded = submission.load(course, assignment, student)
        with tempfile.TemporaryDirectory(prefix="staged-", dir=course.root / ".coursekit") as staged:
            _stage(course, loaded, Path(staged))
            config = stock.course_config(course, submitted_directory=staged)
            config.Autograde.force = True
            config.Execute.timeout = limits.cell_timeout_s
            config.RunWithProbes.call_timeout_s = limits.call_timeout_s
            stock.convert("Autograde", config, assignment, log, student)
            repairs = rebuild.rebuild(notebooks.read(course.source(assignment)), loaded.notebook, assignment).repairs
    except CourseError as error:
        return Graded(student, str(error), failed=True)
    except Exception as error:  # the boundary of one submission: the others are still graded
        with stock.logging_to(log):
            get_logger().error("".join(traceback.format_exception(error)))
        return Graded(student, f"{type(error).__name__}: {str(error)[:200]}; see {log}", failed=True)
    return Graded(student, loaded.problem, () if loaded.problem else (*loaded.notes, *repairs))


def _stage(course: Course, loaded: submission.Submission, staged: Path) -> None:
    """The notebook to grade under its right name, and the student's other files; no links, and nothing huge."""
    folder = staged / loaded.student / loaded.assignment
    folder.mkdir(parents=True)
    (folder / f"{loaded.assignment}.ipynb").write_text(notebooks.dumps(loaded.notebook), encoding="utf-8", newline="\n")
    there = course.submitted(loaded.assignment, loaded.student)
    total = 0
    for path in sorted(_other_files(there)):
        total += path.stat().st_size
        if total > MAX_SUPPORT_BYTES:
            break
        target = folder / path.relative_to(there)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _other_files(folder: Path) -> list[Path]:
    found = []
    for where, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for name in names:
            path = Path(where) / name
            if path.suffix not in (".ipynb", *IMPORTABLE) and path.is_file() and not path.is_symlink():
                found.append(path)
    return found
