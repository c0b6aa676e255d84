"""Grading that is stopped in whatever way is finished by starting it again: every mark is there, once.

Processes are killed for real, with SIGKILL, at the points where it matters; each test touches only processes that it
started itself, found as the children of its own grader.
"""

import contextlib
import json
import os
import pickle
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from coursekit.cli import progress
from coursekit.feedback import generation
from coursekit.grading import fingerprints, grade, gradebook, lock, receipts, workspace
from coursekit.grading.fingerprints import Fingerprint
from coursekit.grading.options import DEFAULTS, Again, GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.grading.recorder import NothingCanBeWritten
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from coursekit.system import versions
from selfcheck import recordings
from tests import commands, toy
from tests.patience import spends_at_most, until
from tests.toy import ASSIGNMENT, hand_in

SLOPE = "dw = 2 / m * (X @ error.T)"
CLASS = ("anna", "ben", "cleo")
FULL, WRONG = 10.0, 7.0
FORCED = Again(force=True)


@dataclass
class Memory:
    """Takes the place of ``grade.examine``, and remembers: what is proved here is what happens before and after it."""

    known: dict[frozenset[tuple[str, bytes]], Outcome] = field(default_factory=dict)

    def examine(self, course: Course, assignment: str, students: Any, options: GradingOptions) -> Iterator[Outcome]:
        for student in students:
            files = [path for path in course.submitted(assignment, student).rglob("*") if path.is_file()]
            content = frozenset((path.name, path.read_bytes()) for path in files)
            if content not in self.known:
                (self.known[content],) = EXAMINE(course, assignment, [student], options)
            yield replace(self.known[content], student=student)


EXAMINE = grade.examine


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """A course in which a class of three was graded: all right."""
    course = toy.toy_course(tmp_path_factory.mktemp("before") / "course")
    for student in CLASS:
        hand_in(course, student, toy.solved(course))
    assert not any(one.failed or one.unchanged for one in grade.grade(course, ASSIGNMENT))
    return course


@pytest.fixture
def graded(before, tmp_path):
    """A copy of that course for one test."""
    return Course(shutil.copytree(before.root, tmp_path / "course"))


@pytest.fixture(scope="module")
def remembered():
    return Memory()


@pytest.fixture
def memory(remembered, monkeypatch):
    """A submission that any test has examined already is not examined again."""
    monkeypatch.setattr(grade, "examine", remembered.examine)
    return remembered


def spoil(course: Course, *students: str) -> None:
    for student in students:
        hand_in(course, student, toy.solved(course, SLOPE, SLOPE + " * 2"))


def earned(course: Course) -> dict[str, float]:
    return {one.student: one.earned for one in gradebook.read(course, ASSIGNMENT) if one.judged}


def regraded(done: list[grade.Graded]) -> set[str]:
    assert not any(one.failed for one in done), done
    return {one.student for one in done if not one.unchanged}


def left_over(course: Course) -> list[str]:
    folders = [*course.root.glob("autograded/.*"), *course.root.glob(f".coursekit/{workspace.PREFIX}*")]
    return [path.name for path in folders]


def rows(course: Course, table: str) -> int:
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as book:
        return book.execute(f"select count(*) from {table}").fetchone()[0]


def assert_every_mark_is_there_once(course: Course, expected: dict[str, float]) -> None:
    assert earned(course) == expected
    assert rows(course, "submitted_assignment") == rows(course, "student") == len(expected)
    assert rows(course, "grade") == rows(course, "comment") == len(expected) * len(list(marks(course, "anna")))
    for student in expected:
        text = (course.autograded(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8")
        verdicts = json.loads(text)["metadata"]["coursekit"]
        assert sum(row["earned"] for row in verdicts["exercises"]) == expected[student]
    assert left_over(course) == []


def marks(course: Course, student: str) -> dict[str, gradebook.Mark]:
    (found,) = [one for one in gradebook.read(course, ASSIGNMENT) if one.student == student]
    return {mark.grade_id: mark for mark in found.marks}


def start(course: Course, *options: str) -> commands.Running:
    """`coursekit grade` in a session of its own, as from a terminal."""
    return commands.start("grade", ASSIGNMENT, *options, root=course.root)


def finish(course: Course, *options: str) -> tuple[int, list[str]]:
    """Its exit code and what it said, but for how far it was after ten seconds."""
    done = commands.coursekit("grade", ASSIGNMENT, *options, root=course.root)
    return done.returncode, said(done)


def said(done: commands.Done) -> list[str]:
    return [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("grading: ")]


def family(pid: int) -> dict[int, str]:
    """The processes below one of ours, with what tells each apart from a later one of the same number."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = (int(fields[1]), fields[19])
    found, waiting = {}, [pid]
    while waiting:
        above = waiting.pop()
        below = [child for child, (parent, _) in parents.items() if parent == above]
        found |= {child: parents[child][1] for child in below}
        waiting += below
    return found


def alive(processes: dict[int, str]) -> list[int]:
    found = []
    for pid, started in processes.items():
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if fields[19] == started and fields[0] != "Z":
                found.append(pid)
    return found


# --- what has not changed is not graded again --------------------------------------------------------------


def test_the_unchanged_are_not_graded_again_and_that_is_said(graded):
    spoil(graded, "ben")
    stood = {name: (graded.autograded(ASSIGNMENT, name) / receipts.NAME).stat().st_ino for name in CLASS}
    code, lines = finish(graded)
    assert (code, lines[-1]) == (0, "graded 1 of 1, 2 unchanged since graded before (--force grades them again);"
                                   " `coursekit marks linear-regression` shows the marks")  # fmt: skip
    stands = {name: (graded.autograded(ASSIGNMENT, name) / receipts.NAME).stat().st_ino for name in CLASS}
    assert {name for name in CLASS if stands[name] != stood[name]} == {"ben"}
    assert_every_mark_is_there_once(graded, {"anna": FULL, "ben": WRONG, "cleo": FULL})


def test_force_grades_the_unchanged_too(graded):
    assert regraded(grade.grade(graded, ASSIGNMENT)) == set()
    assert regraded(grade.grade(graded, ASSIGNMENT, ["anna", "cleo"], again=FORCED)) == {"anna", "cleo"}
    assert_every_mark_is_there_once(graded, dict.fromkeys(CLASS, FULL))


def append(path: Path, data: bytes = b"\n") -> None:
    path.write_bytes((path.read_bytes() if path.exists() else b"") + data)


@pytest.fixture
def course(tmp_path):
    """A course to which one student has handed in."""
    made = toy.toy_course(tmp_path / "course")
    hand_in(made, "anna", toy.solved(made))
    return made


CHANGES = {
    "a byte of the submission": lambda course: append(course.submitted(ASSIGNMENT, "anna") / f"{ASSIGNMENT}.ipynb"),
    "a file beside it": lambda course: append(course.submitted(ASSIGNMENT, "anna") / "data" / "x.csv"),
    "the name of a file": lambda course: (course.submitted(ASSIGNMENT, "anna") / "n.txt").rename(
        course.submitted(ASSIGNMENT, "anna") / "m.txt"
    ),
    "the source notebook": lambda course: append(course.source(ASSIGNMENT)),
    "a trusted file": lambda course: append(course.root / "public_tests.py"),
    "a module of a shared package": lambda course: append(course.root / "shared" / "figures.py"),
    "the public cases": lambda course: append(course.folder(ASSIGNMENT) / "cases.py"),
    "what is recorded of them": lambda course: append(course.folder(ASSIGNMENT) / recordings.NAME),
    "the hidden cases": lambda course: append(course.hidden(ASSIGNMENT) / "exercises.py"),
    "a module that they import": lambda course: append(course.hidden(ASSIGNMENT).parent / "sizes.py"),
    "the mistakes": lambda course: append(course.hidden(ASSIGNMENT) / "mistakes.py"),
    "what is recorded of these": lambda course: append(course.hidden(ASSIGNMENT) / recordings.NAME),
    "another shared file": lambda course: append(
        course.root / "nbgrader_config.py", b"c.CourseKit.shared_files += ['.gitignore']\n"
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_may_change_a_mark_changes_the_fingerprint(course, what):
    folder = course.submitted(ASSIGNMENT, "anna")
    (folder / "data").mkdir()
    append(folder / "n.txt", b"notes")
    append(course.root / ".gitignore")
    (course.root / "shared").mkdir()
    append(course.root / "shared" / "figures.py")
    append(course.root / "nbgrader_config.py", b"c.CourseKit.shared_files += ['shared']\n")
    append(course.hidden(ASSIGNMENT).parent / "sizes.py")
    first = fingerprint(course)
    CHANGES[what](course)
    assert fingerprint(course) != first


@pytest.mark.parametrize("line", [b"# a remark", b"c.CourseKit.assignments = []", b"c.CourseDirectory.course_id = 'x'"])
def test_another_configuration_makes_no_graded_work_old(course, line):
    """What it says of late penalties is looked at whenever marks are brought up to date; see test_one_mark.py."""
    first = fingerprint(course)
    append(course.root / "nbgrader_config.py", line + b"\n")
    assert fingerprint(course) == first


def test_another_assignment_makes_no_graded_work_old(course):
    first = fingerprint(course)
    for path in (course.source("other"), course.folder("other") / "cases.py", course.hidden("other") / "exercises.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
        append(path)
    append(course.root / "public_tests.py", b"")
    assert fingerprint(course) == first


@pytest.mark.parametrize("name", [".exercises.py.swp", "exercises.py~", ".ipynb_checkpoints/exercises-checkpoint.py"])
def test_what_an_editor_leaves_makes_no_graded_work_old(course, name):
    first = fingerprint(course)
    (course.hidden(ASSIGNMENT) / name).parent.mkdir(exist_ok=True)
    append(course.hidden(ASSIGNMENT) / name)
    assert fingerprint(course) == first


def fingerprint(course: Course, limits: TimeLimits = DEFAULTS.limits, sandbox: str = "auto") -> Fingerprint:
    return fingerprints.of_submissions(course, ASSIGNMENT, ["anna"], limits, sandbox)["anna"]


def test_limits_and_walls_are_part_of_it_but_no_date_of_a_lone_notebook(course):
    first = fingerprint(course)
    os.utime(course.submitted(ASSIGNMENT, "anna") / f"{ASSIGNMENT}.ipynb", (1, 1))
    assert fingerprint(course) == first
    assert fingerprint(course, TimeLimits(30)) == first
    assert len({first, fingerprint(course, TimeLimits(31)), fingerprint(course, sandbox="none")}) == 3


def test_versions_and_the_way_numpy_computes_are_part_of_it(course, monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    first = fingerprint(course)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    second = fingerprint(course)
    monkeypatch.setattr(versions, "_version", lambda name: "1.0")
    assert len({first, second, fingerprint(course)}) == 3


def test_of_several_notebooks_it_counts_which_is_the_newest(course):
    folder = course.submitted(ASSIGNMENT, "anna")
    (folder / f"{ASSIGNMENT}.ipynb").rename(folder / "one.ipynb")
    shutil.copyfile(folder / "one.ipynb", folder / "two.ipynb")
    os.utime(folder / "one.ipynb", (1, 1))
    first = fingerprint(course)
    os.utime(folder / "two.ipynb", (0, 0))
    assert fingerprint(course) != first


def test_a_thousand_fingerprints_take_about_a_second(course):
    with spends_at_most(1.5):
        fingerprints.of_submissions(course, ASSIGNMENT, ["anna"] * 1000, DEFAULTS.limits, "auto")


def mark_changed_in_the_gradebook(course: Course) -> None:
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as book:
        last = "select max(rowid) from grade where auto_score is not null"
        book.execute(f"update grade set auto_score = auto_score - 1 where rowid = ({last})")
        book.commit()


@pytest.mark.parametrize(
    ("harm", "again"),
    [
        (lambda course: (course.root / "gradebook.db").unlink(), set(CLASS)),
        (mark_changed_in_the_gradebook, {"cleo"}),
        (lambda course: append(course.autograded(ASSIGNMENT, "ben") / f"{ASSIGNMENT}.ipynb"), {"ben"}),
        (lambda course: (course.autograded(ASSIGNMENT, "ben") / receipts.NAME).unlink(), {"ben"}),
        (lambda course: (course.autograded(ASSIGNMENT, "ben") / receipts.NAME).write_text("[]"), {"ben"}),
        (lambda course: shutil.rmtree(course.autograded(ASSIGNMENT, "anna")), {"anna"}),
    ],
    ids=["no gradebook", "another mark", "a changed notebook", "no stamp", "a broken stamp", "no notebook"],
)
def test_what_is_not_as_it_was_recorded_is_graded_again(graded, memory, harm, again):
    harm(graded)
    assert regraded(grade.grade(graded, ASSIGNMENT)) == again
    assert_every_mark_is_there_once(graded, dict.fromkeys(CLASS, FULL))


@pytest.mark.parametrize("force", [False, True])
def test_a_persons_marks_and_comments_survive(graded, memory, force):
    from nbgrader.api import Gradebook

    with Gradebook(graded.db_url) as book:
        mark = book.find_grade("slopes-test", ASSIGNMENT, ASSIGNMENT, "ben")
        mark.manual_score, mark.extra_credit = 4, 1
        book.find_comment("slopes", ASSIGNMENT, ASSIGNMENT, "ben").manual_comment = "Talk to me."
        book.db.commit()
    assert regraded(grade.grade(graded, ASSIGNMENT, again=Again(force=force))) == (set(CLASS) if force else set())
    cost = marks(graded, "ben")["slopes"]
    assert (cost.earned, cost.reason, cost.manual) == (5, "Talk to me.", True)


@pytest.mark.parametrize("late", [True, False])
def test_a_new_due_date_counts_for_the_unchanged_too(graded, memory, late):
    """The penalty is worked out anew: none at first, and gone again when the date is put off."""
    from nbgrader.api import Gradebook

    config = graded.root / "nbgrader_config.py"
    config.write_text(config.read_text() + "\n")
    (graded.submitted(ASSIGNMENT, "ben") / "timestamp.txt").write_text("2026-03-02 12:00:00 UTC")
    grade.grade(graded, ASSIGNMENT)
    with Gradebook(graded.db_url) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate="2026-03-01" if late else "2026-03-03")
        book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ben").late_submission_penalty = 5
        book.db.commit()
    assert regraded(grade.grade(graded, ASSIGNMENT)) == set()
    with Gradebook(graded.db_url) as book:  # nbgrader's own method, which the course has not changed, asks for nothing
        assert book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ben").late_submission_penalty is None
        assert (book.find_submission(ASSIGNMENT, "ben").total_seconds_late > 0) == late


# --- kill -9, anywhere -------------------------------------------------------------------------------------

DIES = """
import os, pathlib, pickle, signal
from coursekit.grading import {module}
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
{how}
from coursekit.model.course import find_course
from coursekit.grading import grade
grade.examine = pickle.loads(pathlib.Path("memory").read_bytes()).examine
grade.grade(find_course(), "linear-regression")
"""
POINTS = {
    "before the assignment is entered": ("registration", "registration.register = die"),
    "with half of the files written": ("recorder", "recorder.gradebook_writer.entering = die"),
    "inside the transaction": ("receipts", "receipts.write = die"),
    "behind the transaction": ("recorder", "recorder.atomic_write.replace_folder = die"),
    "between the old folder and the new": (
        "recorder",
        "move = pathlib.Path.rename\n"
        "pathlib.Path.rename = lambda one, to: die() if one.name == 'new' else move(one, to)",
    ),
    "behind the first of two": (
        "recorder",
        "put = recorder.atomic_write.replace_folder\n"
        "recorder.atomic_write.replace_folder = lambda *paths: (put(*paths), die())",
    ),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_grader_killed_at_any_point_has_lost_nothing(graded, memory, point):
    """It had to grade two changed submissions again. What it leaves can be read, and a new start finishes it."""
    module, how = POINTS[point]
    spoil(graded, "anna", "ben")
    (graded.root / "memory").write_bytes(pickle.dumps(memory))
    killed = commands.run(DIES.format(module=module, how=how), root=graded.root)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert all(total in (FULL, WRONG) for total in earned(graded).values())
    assert len(earned(graded)) == len(CLASS)
    for path in graded.root.glob(f"autograded/*/{ASSIGNMENT}/*.ipynb"):
        json.loads(path.read_text(encoding="utf-8"))
    assert "cleo" not in regraded(grade.grade(graded, ASSIGNMENT))
    assert_every_mark_is_there_once(graded, {"anna": WRONG, "ben": WRONG, "cleo": FULL})


def test_a_feedback_page_that_could_not_be_finished_leaves_the_earlier_one(graded, monkeypatch):
    """Half a page, or none where there was one, is what a student would find."""
    (first,) = generation.feedback(graded, ASSIGNMENT, ["anna"])
    before = first.path.read_bytes()

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nbconvert.writers.FilesWriter.write", broken)
    (second,) = generation.feedback(graded, ASSIGNMENT, ["anna"])
    assert second.problem
    assert first.path.read_bytes() == before
    assert not list((graded.root / ".coursekit").glob(f"{workspace.PREFIX}*"))


def test_a_killed_grader_leaves_no_process_and_locks_nobody_out(graded):
    slow(graded, *CLASS)
    process = start(graded, "--jobs", "2")
    with process:
        try:
            until(lambda: asleep(process.pid), "a submission that runs")
            others = family(process.pid)
        finally:
            process.kill()
    until(lambda: not alive(others), "the end of the workers")
    assert regraded(grade.grade(graded, ASSIGNMENT)) <= set(CLASS)
    assert_every_mark_is_there_once(graded, dict.fromkeys(CLASS, FULL))


def slow(course: Course, *students: str) -> None:
    """Submissions in which a program runs for a second, which can be seen from outside."""
    sleeps = 'import subprocess\nsubprocess.run(["sleep", "1"])\ndef slopes('
    for student in students:
        hand_in(course, student, toy.solved(course, "def slopes(", sleeps))


def asleep(pid: int) -> int:
    """That program's number, below one of ours; 0 while it does not run."""
    return next((child for child in family(pid) if _command(child).startswith("sleep\0")), 0)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    return ""


# How far above the program that process is which is killed; the last is the worker, or the grader's only one.
ABOVE = {"the submission's own process": 1, "the fork server": 2, "the worker": 4}


@pytest.mark.parametrize("who", ABOVE)
def test_whoever_is_killed_below_the_grader_costs_nobody_a_mark(graded, who):
    """In the middle of a submission, which nothing can tell from one that dies by itself: it is tried again."""
    slow(graded, "anna", "ben")
    process = start(graded, "--jobs", "2" if who == "the worker" else "1")
    with process:
        try:
            until(lambda: asleep(process.pid), "a submission that runs")
            victim = asleep(process.pid)
            for _ in range(ABOVE[who]):
                victim = parent(victim)
            assert victim in family(process.pid)
            os.kill(victim, signal.SIGKILL)
            done = process.end()
        finally:
            process.kill()
    assert done.returncode == 0, done
    assert re.match(r"graded (\d) of \1[,;]", said(done)[-1])
    assert_every_mark_is_there_once(graded, dict.fromkeys(CLASS, FULL))


# --- stopped on purpose ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "code", "jobs"), [(signal.SIGINT, 130, "2"), (signal.SIGTERM, 143, "1")])
def test_a_grader_that_is_stopped_says_so_in_one_line_and_leaves_nothing(graded, how, code, jobs):
    """Ctrl-C reaches every process of the terminal, SIGTERM the grader alone."""
    slow(graded, *CLASS)
    process = start(graded, "--jobs", jobs)
    with process:
        try:
            until(lambda: asleep(process.pid), "a submission that runs")
            others = family(process.pid)
            (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
            done = process.end()
        finally:
            process.kill()
    assert done.returncode == code, done
    (line,) = said(done)
    assert line.startswith("stopped; ")
    assert line.endswith(" of 3 are graded; run the same command again")
    until(lambda: not alive(others), "the end of everybody who worked for it")
    assert left_over(graded) == []
    assert regraded(grade.grade(graded, ASSIGNMENT)) <= set(CLASS)
    assert_every_mark_is_there_once(graded, dict.fromkeys(CLASS, FULL))


def test_a_second_grader_is_told_who_is_at_work(graded):
    with lock.held(graded, "digits"):
        code, (line,) = finish(graded)
    assert code == 1
    assert line.startswith(f"{ASSIGNMENT}: somebody is grading in this course: process {os.getpid()}, digits, since ")
    assert line.endswith("; wait until it is done, or stop it, and run this again")
    assert regraded(grade.grade(graded, ASSIGNMENT)) == set()


def test_scratch_folders_are_swept_but_for_those_in_which_somebody_works(graded):
    with workspace.folder(graded) as living:
        dead = graded.root / ".coursekit" / f"{workspace.PREFIX}dead"
        killed = graded.root / "autograded" / f"{lock.RECORDING}killed"
        for folder in (dead, killed):
            folder.mkdir()
        grade.grade(graded, ASSIGNMENT)
        assert (living.exists(), dead.exists(), killed.exists()) == (True, False, False)
    assert not living.exists()


@pytest.mark.parametrize("when", ["before its lock", "at its lock"])
def test_a_scratch_folder_that_is_swept_before_it_is_locked_is_made_anew(graded, monkeypatch, when):
    """A sweep that comes between making and locking takes the folder for one of a killed process."""
    acquire = workspace.FileLock.acquire

    def first(lock, *how, **options):
        monkeypatch.undo()
        Path(lock.lock_file).parent.rmdir()
        if when == "at its lock":
            raise FileNotFoundError(lock.lock_file)
        return acquire(lock, *how, **options)

    monkeypatch.setattr(workspace.FileLock, "acquire", first)
    with workspace.folder(graded) as folder:
        assert folder.is_dir()
        workspace.delete_leftovers(graded)
        assert folder.is_dir()


# --- nothing can be written --------------------------------------------------------------------------------


def test_a_gradebook_locked_half_way_stops_the_run_and_nothing_is_lost(graded, memory):
    spoil(graded, *CLASS)
    other = sqlite3.connect(graded.root / "gradebook.db", isolation_level=None)

    def lock(one: grade.Graded) -> None:
        other.execute("BEGIN EXCLUSIVE")

    with contextlib.closing(other):
        with pytest.raises(NothingCanBeWritten, match=r"gradebook\.db: in use by another program"):
            grade.grade(graded, ASSIGNMENT, report=lock)
        other.execute("ROLLBACK")
        assert earned(graded) == {"anna": WRONG, "ben": FULL, "cleo": FULL}
    assert regraded(grade.grade(graded, ASSIGNMENT)) == {"ben", "cleo"}
    assert_every_mark_is_there_once(graded, dict.fromkeys(CLASS, WRONG))


def test_a_full_disk_stops_the_run_and_nothing_is_lost(graded, memory):
    """A disk with room for the results of one student and a half, seen by this grader only."""
    files = (path for path in graded.autograded(ASSIGNMENT, "anna").rglob("*") if path.is_file())
    room = sum(-(-path.stat().st_size // 4096) * 4096 for path in files)  # in whole pages, as that disk counts
    mount = f'mount -t tmpfs -o size={room * 3 // 2} tmpfs autograded && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*command, "true"], cwd=graded.root, capture_output=True, check=False).returncode:
        pytest.skip("nobody may mount anything here")
    spoil(graded, *CLASS)
    command += [sys.executable, "-W", "ignore", "-m", "coursekit", "grade", ASSIGNMENT, "--jobs", "1", "--quiet"]
    full = subprocess.run(command, cwd=graded.root, capture_output=True, text=True, check=False)
    assert full.returncode == 1
    assert "stopped; 1 of 3 are graded" in full.stdout  # below what a slow run says of its progress
    assert "No space left on device" in full.stderr
    assert len(full.stderr.splitlines()) == 1
    assert earned(graded) == {"anna": WRONG, "ben": FULL, "cleo": FULL}
    assert regraded(grade.grade(graded, ASSIGNMENT)) == set(CLASS)
    assert_every_mark_is_there_once(graded, dict.fromkeys(CLASS, WRONG))


def test_a_place_that_cannot_be_written_fails_its_student_only(graded, memory):
    spoil(graded, *CLASS)
    shutil.rmtree(graded.autograded(ASSIGNMENT, "anna").parent)
    graded.autograded(ASSIGNMENT, "anna").parent.write_text("a file in place of a folder")
    anna, *others = grade.grade(graded, ASSIGNMENT)
    assert anna.failed
    assert "cannot be written" in anna.problem
    assert not any(one.failed for one in others)
    graded.autograded(ASSIGNMENT, "anna").parent.unlink()
    assert regraded(grade.grade(graded, ASSIGNMENT)) == {"anna"}
    assert_every_mark_is_there_once(graded, dict.fromkeys(CLASS, WRONG))


def test_letters_that_no_database_takes_cost_nobody_a_mark(graded):
    """A submission may raise them; its marks and the reason are there all the same."""
    hand_in(graded, "ben", toy.solved(graded, SLOPE, "raise ValueError('odd \\ud800 \\x00 letters')"))
    assert regraded(grade.grade(graded, ASSIGNMENT)) == {"ben"}
    assert "odd" in marks(graded, "ben")["slopes"].reason
    assert regraded(grade.grade(graded, ASSIGNMENT)) == set()


# --- what is shown -----------------------------------------------------------------------------------------


def test_results_come_in_the_order_of_the_students_however_many_work(graded):
    notes = {"zoe": toy.solved(graded), "ben": "{", "anna": toy.solved(graded)}
    notes["anna"]["cells"] = notes["anna"]["cells"][:-1]
    for student, notebook in notes.items():
        hand_in(graded, student, notebook)
        path = graded.submitted(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb"
        path.rename(path.with_name(f"{student}.ipynb"))
    one, two = (grade.grade(graded, ASSIGNMENT, options=GradingOptions(jobs=jobs), again=FORCED) for jobs in (1, 2))
    assert one == two
    assert [student.student for student in one] == ["anna", "ben", "cleo", "zoe"]
    code, lines = finish(graded, "--force", "--jobs", "1")
    assert (code, [*dict.fromkeys(line.partition(":")[0] for line in lines[:-1])]) == (0, ["anna", "ben", "zoe"])
    code, (only,) = finish(graded, "--quiet")
    assert (code, "`coursekit marks" in only) == (0, True)


def test_a_slow_class_has_a_rate_too(monkeypatch):
    """ "0 a minute, 5 min left" would be no help."""
    tally = progress.Tally(4)
    for now in (1000.0, 1150.0):
        monkeypatch.setattr(progress.time, "monotonic", lambda now=now: now)
        tally.add(failed=False, skipped=False)
    assert tally.words == "0.4 a minute, 5 min 00 s left"


def test_a_log_has_a_line_now_and_then(monkeypatch):
    from rich.console import Console

    said: list[str] = []
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    with progress.advancing("grading", 4, Console(force_terminal=False), said.append) as advance:
        advance(skipped=True)
        advance()
        advance(failed=True)
        advance()
    assert [line.partition(",")[0] for line in said] == ["grading: 0 of 3", "grading: 1 of 3", "grading: 2 of 3"]
    assert re.fullmatch(r"grading: 2 of 3, [\d.]+ a minute, 0 s left, 1 failed", said[2])
    said.clear()
    monkeypatch.setattr(progress, "EVERY_S", 3600.0)
    with progress.advancing("grading", 2, Console(force_terminal=False), said.append) as advance:
        advance()
        advance()
    assert said == []


def test_a_terminal_has_a_bar_with_rate_time_left_and_failures(tmp_path):
    from rich.console import Console

    with (tmp_path / "screen").open("w+", encoding="utf-8") as screen:
        console = Console(file=screen, force_terminal=True, width=100)
        with progress.advancing("grading", 3, console, lambda _: None) as advance:
            advance()
            advance(failed=True)
        screen.seek(0)
        text = screen.read()
    assert "2/3" in text
    assert " a minute" in text
    assert " s left" in text
    assert "1 failed" in text
