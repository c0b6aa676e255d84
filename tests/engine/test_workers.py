"""Workers on this machine: every submission's outcome comes once, whatever is killed, and nothing is left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading import workers
from coursekit.grading.options import GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from tests import toy
from tests.classroom import ROOT
from tests.patience import until
from tests.processes import NAMED_AND_ENDLESS, POISON, child_running, descendants, kill, parents
from tests.toy import ASSIGNMENT, hand_in

LIMITS = TimeLimits(cell_timeout_s=30, call_timeout_s=5)
FULL = 10


@pytest.fixture
def scratch(tmp_path: Path) -> Course:
    return toy.toy_course(tmp_path / "course")


@pytest.fixture
def solved(scratch: Course) -> dict[str, Any]:
    return toy.solved(scratch)


def examine(course: Course, *students: str, jobs: int) -> Iterator[Outcome]:
    return workers.examine_all(course, ASSIGNMENT, students, GradingOptions(LIMITS, jobs))


def earned(outcome: Outcome) -> float:
    return sum(row.earned for row in outcome.verdicts.exercises)


def poisoned(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with a cell on top that the grader's machine can be told by."""
    cell = {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [], "execution_count": None}
    return notebook | {"cells": [cell | {"source": NAMED_AND_ENDLESS}, *notebook["cells"]]}


def own_workers(before: set[int]) -> set[int]:
    """The worker processes that were not there before; not what they have started, and not Python's own helper."""
    found = set()
    for pid, parent in parents().items():
        if parent == os.getpid() and pid not in before:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            found |= {pid} if b"spawn_main" in command else set()
    return found


def killing(find: Callable[[], int | None], times: int) -> threading.Thread:
    """Kills what ``find`` finds, and what it finds when that is gone, so many times; started already."""

    def run() -> None:
        for _ in range(times):
            victim = until(find)
            gone = {victim} | descendants(victim)
            kill(victim)
            until(lambda gone=gone: not gone & set(parents()))  # what it had started dies a moment later

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_one_worker_keeps_the_order_and_several_bring_everybody_once(scratch, solved):
    for student in ("cleo", "anna", "ben"):
        hand_in(scratch, student, toy.released(scratch) if student == "ben" else solved)
    alone = list(examine(scratch, "cleo", "anna", "ben", jobs=1))
    assert [one.student for one in alone] == ["cleo", "anna", "ben"]
    assert [earned(one) for one in alone] == [FULL, FULL, 0]
    together = sorted(examine(scratch, "cleo", "anna", "ben", jobs=2), key=lambda one: one.student)
    assert together == sorted(alone, key=lambda one: one.student)


def test_one_that_always_kills_its_worker_is_told_and_takes_no_other_with_it(scratch, solved):
    hand_in(scratch, "poison", poisoned(solved))
    others = ("anna", "ben", "cleo")
    for student in others:
        hand_in(scratch, student, solved)
    killer = killing(lambda: child_running(POISON, os.getpid()), workers.MAX_ATTEMPTS)
    found = list(examine(scratch, "poison", *others, jobs=2))
    killer.join()
    assert sorted(one.student for one in found) == ["anna", "ben", "cleo", "poison"]
    by_student = {one.student: one for one in found}
    assert by_student["poison"].failure == "its worker was killed 3 times; grade it again"
    assert [earned(by_student[student]) for student in others] == [FULL] * 3


@pytest.mark.nightly
def test_a_worker_that_is_killed_once_costs_nobody_anything(scratch, solved):
    students = [f"s{number}" for number in range(5)]
    for student in students:
        hand_in(scratch, student, solved)
    before = descendants(os.getpid())
    outcomes = examine(scratch, *students, jobs=2)
    found = [next(outcomes)]
    kill(min(pid for pid in own_workers(before)))
    found += outcomes
    assert sorted(one.student for one in found) == students
    assert {earned(one) for one in found} == {FULL}


@pytest.mark.nightly
def test_nobody_is_blamed_for_workers_that_are_killed_before_they_have_begun(scratch, solved):
    """More of them than a submission has attempts."""
    for student in ("anna", "ben"):
        hand_in(scratch, student, solved)
    gone = descendants(os.getpid())

    def run() -> None:
        for _ in range(workers.MAX_ATTEMPTS + 2):
            for pid in until(lambda: own_workers(gone)):
                gone.add(pid)
                kill(pid)

    killer = threading.Thread(target=run)
    killer.start()
    found = list(examine(scratch, "anna", "ben", jobs=2))
    killer.join()
    assert sorted(one.student for one in found) == ["anna", "ben"]
    assert {earned(one) for one in found} == {FULL}


SABOTAGE = """import os, pathlib, signal
from multiprocessing import connection

class Once(str):
    def __reduce__(self):
        return sabotaged, (str(self), str(pathlib.Path(__file__).with_name("done")))

def sabotaged(value, done):
    #The first process that is given it dies in the middle of its next long answer.
    write = connection.Connection._send
    def half(self, buffer, *args):
        if len(buffer) > 2048 and not os.path.exists(done):
            pathlib.Path(done).touch()
            os.write(self._handle, bytes(buffer)[: len(buffer) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(self, buffer, *args)
    connection.Connection._send = half
    return value
"""


def test_a_worker_that_is_killed_in_the_middle_of_its_answer_keeps_nobody_waiting(
    scratch, solved, tmp_path, monkeypatch
):
    """The other half never comes."""
    (tmp_path / "sabotage.py").write_text(SABOTAGE)
    monkeypatch.syspath_prepend(tmp_path)
    import sabotage

    students = ["anna", "ben", "cleo"]
    for student in students:
        hand_in(scratch, student, solved)
    options = GradingOptions(LIMITS, jobs=2, sandbox=sabotage.Once("auto"))
    found = list(workers.examine_all(scratch, ASSIGNMENT, students, options))
    assert (tmp_path / "done").exists()
    assert sorted(one.student for one in found) == students
    assert {earned(one) for one in found} == {FULL}


class Stillborn:
    """A worker that ends before it is ready."""

    ready = alive = False

    def __init__(self) -> None:
        self.assigned: list[str] = []
        self.pipe, child_end = multiprocessing.Pipe()
        child_end.close()

    def receive(self) -> None:
        return None

    def end(self, wait: bool = False) -> None:
        self.pipe.close()


def test_where_no_worker_lives_that_is_told_though_several_end_at_once(course, monkeypatch):
    """Three at a time step over the number at which it gives up: it went on for ever."""
    monkeypatch.setattr(workers, "_Worker", Stillborn)
    found = list(examine(course, "anna", "ben", "cleo", jobs=3))
    assert [one.failure for one in found] == ["no worker lives; grade it again"] * 3


def test_who_stops_in_between_leaves_no_process_behind(scratch, solved):
    for student in ("anna", "ben", "cleo"):
        hand_in(scratch, student, poisoned(solved) if student != "anna" else solved)
    before = descendants(os.getpid())
    outcomes = examine(scratch, "anna", "ben", "cleo", jobs=2)
    assert next(outcomes).student == "anna"
    until(lambda: child_running(POISON, os.getpid()))
    with pytest.raises(KeyboardInterrupt):
        outcomes.throw(KeyboardInterrupt())
    assert not own_workers(before)
    until(lambda: child_running(POISON, os.getpid()) is None)


def test_a_grader_that_is_killed_leaves_no_worker_behind(scratch, solved, tmp_path):
    for student in ("anna", "ben"):
        hand_in(scratch, student, poisoned(solved))
    program = tmp_path / "grader.py"
    program.write_text(
        f"""from pathlib import Path
from coursekit.grading import workers
from coursekit.grading.options import GradingOptions
from coursekit.model.course import Course
from coursekit.marking.limits import TimeLimits
if __name__ == "__main__":
    course = Course(Path({str(scratch.root)!r}))
    list(workers.examine_all(course, {ASSIGNMENT!r}, ("anna", "ben"), GradingOptions(TimeLimits(60), jobs=2)))
"""
    )
    grader = subprocess.Popen([sys.executable, str(program)], cwd=ROOT)
    try:
        until(lambda: child_running(POISON, grader.pid))
        theirs = descendants(grader.pid)
    finally:
        grader.send_signal(signal.SIGKILL)
        grader.wait()
    until(lambda: not theirs & set(parents()))


PROGRAM = """
from pathlib import Path
from coursekit.grading import grade
from coursekit.grading.options import GradingOptions
from coursekit.model.course import Course
print("starts")
done = grade.grade(Course(Path.cwd()), "linear-regression", options=GradingOptions(jobs=2))
print([one.failed for one in done])
"""


def test_workers_do_not_run_the_program_that_starts_them(tmp_path):
    """multiprocessing imports it in each: here it would grade again, and nbgrader's commands take seconds."""
    course = toy.toy_course(tmp_path / "course")
    for student in ("anna", "ben"):
        toy.hand_in(course, student, toy.solved(course))
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-W", "ignore", str(tmp_path / "program.py")]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)
    assert done.stdout == "starts\n[False, False]\n", done.stderr[-2000:]
