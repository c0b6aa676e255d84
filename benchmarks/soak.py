"""``python -m benchmarks.soak``: a class of a thousand, one in ten hostile or damaged, graded under a killer.

Each kind of submission is graded alone first, by one worker whom nobody disturbs: that is what everybody of this kind
must get in the end, mark by mark and word by word. Then the class is graded by ``coursekit grade``, while a killer
ends workers, sandboxes, submissions and now and then the grader, which is started again.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import hand_ins, killing
from benchmarks.__main__ import table
from benchmarks.hand_ins import ASSIGNMENT, Kind
from benchmarks.parts import Row
from benchmarks.results import Result, difference, left_over, results
from coursekit.grading import grade, receipts
from coursekit.grading.options import GradingOptions
from coursekit.marking.limits import TimeLimits
from coursekit.model.course import Course
from coursekit.reference import assignments

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 5  # for a cell: the loops without an end are to end soon
MAX_STARTS_BEHIND = 5  # of the grader, behind the last kill
Say = Callable[[str], None]


@dataclass(frozen=True)
class Alone:
    """What each kind gets when nobody disturbs, by its name; ``problems``: in words, where that is not as is known."""

    kinds: list[Kind]
    results: dict[str, Result]
    seconds: float
    problems: list[str]


@dataclass
class Report:
    """How it went. ``problems`` says in words what is not as it should be, and is empty in the end."""

    size: int
    sorts: Counter[str]
    kinds: int
    undisturbed_s: float = 0.0
    seconds: float = 0.0
    killed: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    told: list[str] = field(default_factory=list)  # submissions whose failure was told, and that were graded again
    again: int = 0
    whole: int = 0  # students whose notebooks are the same as the undisturbed ones, too
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return not (self.wrong or self.missing or self.double or self.left or self.problems)

    def rows(self) -> list[Row]:
        sorts = ", ".join(f"{many} {sort}" for sort, many in self.sorts.most_common())
        killed = ", ".join(f"{many} × {role}" for role, many in self.killed.most_common())
        rate = f"{60 * self.size / self.seconds:.0f} per minute" if self.seconds else ""
        rows = [
            Row("class", "submissions", f"{self.size}", f"{self.kinds} kinds: {sorts}"),
            Row("class", "each kind alone, undisturbed", f"{self.undisturbed_s:.0f} s"),
            Row("grading", "kills", f"{self.killed.total()}", killed),
            Row("grading", "starts of the grader", f"{self.starts}"),
            Row("grading", "from the first start to the last end", f"{self.seconds:.0f} s", rate),
            Row("grading", "told as failures, and graded by the next start", f"{len(self.told)}"),
            Row("grading", "recorded before, and graded again", f"{self.again}", "", "0", not self.again),
            Row("marks", "the same notebook, byte by byte, as undisturbed", f"{self.whole}"),
        ]
        asked = {
            "wrong marks or reasons": self.wrong,
            "missing": self.missing,
            "double": self.double,
            "processes, files and folders left over": self.left,
            "other problems": self.problems,
        }
        return rows + [Row("marks", what, f"{len(found)}", "", "0", not found) for what, found in asked.items()]

    def complaints(self) -> list[str]:
        return [*self.wrong, *self.missing, *self.double, *self.left, *self.problems]


def main(
    size: Annotated[int, typer.Option(min=10, help="Submissions of the class.")] = 1000,
    seed: Annotated[list[int] | None, typer.Option(help="Who hands in what, and who is killed when; several.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Workers.")] = 2,
    kills: Annotated[int, typer.Option(min=0, help="How many processes are killed.")] = 80,
    every: Annotated[tuple[float, float], typer.Option(help="Seconds between two kills, from … to …")] = (2, 5),
    keep: Annotated[Path | None, typer.Option(help="A new folder for the scratch courses, which stay there.")] = None,
) -> None:
    """Grade a class under a killer, and compare every mark with the undisturbed one. Ends with 1 if one is wrong."""
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="soak-") as made:
        folder, fine = (keep or Path(made)).resolve(), True
        expected = alone(Course(ROOT), folder / "alone", hand_ins.all_kinds(), _tell)
        for one in seed or [1]:
            report = soak(Course(ROOT), folder / f"class-{one}", expected, size, one, jobs, kills, every, _tell)
            after = os.getloadavg()
            told = f"{os.cpu_count()} cores; load {load[0]:.1f} before, {after[0]:.1f} after"
            console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
            console.print(table(report.rows(), f"a soak of {size}, seed {one}, {jobs} workers: {told}"))
            for line in report.complaints()[:100]:
                print(line, flush=True)
            fine = fine and report.fine
    raise typer.Exit(0 if fine else 1)


def soak(
    course: Course,
    folder: Path,
    expected: Alone,
    size: int,
    seed: int,
    jobs: int = 2,
    kills: int = 80,
    every_s: tuple[float, float] = (2, 5),
    say: Say = lambda _: None,
) -> Report:
    """A class of this course, graded in a scratch course below ``folder`` under a killer, and compared."""
    who = hand_ins.a_class(expected.kinds, size, seed)
    report = Report(size, Counter(kind.sort for kind in who.values()), len(set(who.values())), expected.seconds)
    report.problems += expected.problems
    room = _room(course, folder)
    hand_ins.hand_in(room, who)
    say(f"grading {size} submissions with {jobs} workers, {kills} of whose processes are killed")
    begun = time.perf_counter()
    steps = max(1, size // (2 * max(kills, 1)))
    with killing.Killer(seed, kills, every_s, lambda: len(_recorded(room)), steps) as killer:
        _grade_till_done(room, jobs, killer, report, say)
        report.seconds = time.perf_counter() - begun
        report.killed = killer.killed
        report.left += [f"left running: {one.role} {one.pid}" for one in killer.left()]
    report.left += left_over(room)
    compare(room, who, expected.results, report)
    return report


def compare(room: Course, who: dict[str, Kind], expected: dict[str, Result], report: Report) -> None:
    """What is wrong, missing or double in the class is in the report."""
    found, double = results(room)
    report.double += double
    report.missing += [f"{student} ({who[student].name}): no result" for student in who if student not in found]
    report.problems += [f"{student}: nobody has handed that in" for student in found if student not in who]
    for student in found.keys() & who.keys():
        have, want = found[student], expected.get(who[student].name, Result((), (), {}, ""))
        report.whole += have == want
        if not have.notebook:
            report.missing.append(f"{student} ({who[student].name}): no whole notebook")
        elif (have.grades, have.comments, have.verdicts) != (want.grades, want.comments, want.verdicts):
            report.wrong.append(f"{student} ({who[student].name}): {difference(have, want)}")


def alone(course: Course, folder: Path, kinds: list[Kind], say: Say = lambda _: None) -> Alone:
    """One of every kind, graded in a scratch course below ``folder`` by one worker, whom nobody disturbs."""
    room = _room(course, folder)
    students = {f"kind-{number:02}": kind for number, kind in enumerate(kinds)}
    hand_ins.hand_in(room, students)
    say(f"grading {len(kinds)} kinds, undisturbed")
    begun = time.perf_counter()
    done = grade.grade(room, ASSIGNMENT, options=GradingOptions(TimeLimits(TIMEOUT_S)))
    seconds = time.perf_counter() - begun
    found, problems = results(room)
    problems += left_over(room) + [f"{one.student}: {one.problem}" for one in done if one.failed]
    expected: dict[str, Result] = {}
    points = {row.function: row.points for row in assignments.load(room, ASSIGNMENT).exercises}
    for student, kind in students.items():
        if student not in found:
            problems.append(f"{kind.name}: no result, although nobody disturbed")
        else:
            problems += _not_as_known(kind, found[student], points)
            expected[kind.name] = found[student]
    return Alone(kinds, expected, seconds, problems)


def _not_as_known(kind: Kind, result: Result, points: Mapping[str, float]) -> list[str]:
    """In words, where the undisturbed marks are not what anybody can know without a grader."""
    earned = {row["function"]: row["earned"] for row in result.verdicts["exercises"]}
    in_book = sum(score or 0 for _, score in result.grades)
    lost = frozenset(function for function, full in points.items() if earned.get(function) != full)
    wrong = []
    if kind.lost is not None and lost != kind.lost:
        wrong.append(f"{kind.name}: marks are lost in {sorted(lost)}, not in {sorted(kind.lost)}")
    if kind.unread != bool(result.verdicts["problem"]) or (kind.unread and in_book):
        wrong.append(f"{kind.name}: {result.verdicts['problem'] or 'no problem is told'}, {in_book:g} points")
    if in_book != sum(earned.values()):
        wrong.append(f"{kind.name}: {in_book:g} points in the gradebook, {sum(earned.values()):g} in the notebook")
    return wrong


# --- grading -----------------------------------------------------------------------------------------------


def _room(course: Course, folder: Path) -> Course:
    """A scratch course, with folders of its own for whatever is temporary."""
    for name in ("tmp", "cache"):
        (folder / name).mkdir(parents=True)
    return course.copy_to(folder / "course")


def _grade(room: Course, jobs: int, follow: Callable[[int], None] = lambda _: None) -> tuple[int, str]:
    """``coursekit grade``, as anybody calls it: its exit code, and what it said. ``follow`` is told who it is."""
    command = [sys.executable, "-W", "ignore", "-m", "coursekit", "grade", ASSIGNMENT, "--quiet"]
    folder = room.root.parent
    own = {"TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "200"}
    with (folder / "said.txt").open("w+", encoding="utf-8") as file:  # a pipe would wait for the workers, too
        process = subprocess.Popen(
            [*command, "--jobs", str(jobs), "--timeout", str(TIMEOUT_S)],
            cwd=room.root, env=os.environ | own, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            follow(process.pid)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            follow(0)  # before its number is free for others
            code = process.wait()
        finally:
            follow(0)
            process.kill()
            process.wait()
        file.seek(0)
        return code, file.read()


def _grade_till_done(room: Course, jobs: int, killer: killing.Killer, report: Report, say: Say) -> None:
    """The grader is started until it has ended by itself with nothing to complain of, and then once more."""
    known, behind = _recorded(room), 0
    while behind < MAX_STARTS_BEHIND:
        last = killer.done
        code, said = _grade(room, jobs, killer.follow)
        report.starts += 1
        now = _recorded(room)
        report.again += sum(now.get(student) != stamp for student, stamp in known.items())
        known = now
        say(f"start {report.starts} ended with {code}: {len(now)} of {report.size}, {killer.killed.total()} kills")
        lines = [line for line in said.splitlines() if line.strip()]
        if code == 1:
            report.told += [line for line in lines if line.partition(":")[0] in room.students(ASSIGNMENT)]
            say("\n  ".join(["it said:", *lines[:20]]))
        elif code not in (0, -9):
            report.problems.append(f"the grader ended with {code}: {said[-2000:]}")
        elif code == 0 and (last or len(now) == report.size):
            break
        behind += last
    code, said = _grade(room, jobs)
    report.starts += 1
    if code != 0 or f"{report.size} unchanged" not in said:
        report.problems.append(f"the last start, of an unchanged class, ended with {code}: {said[-500:]}")
    report.again += sum(_recorded(room).get(student) != stamp for student, stamp in known.items())


def _recorded(room: Course) -> dict[str, tuple[int, int]]:
    """Of every student with a result, which file the stamp is."""
    found = {}
    for path in room.root.glob(f"autograded/*/{ASSIGNMENT}/{receipts.NAME}"):
        there = path.stat()
        found[path.parent.parent.name] = (there.st_ino, there.st_mtime_ns)
    return found


def _tell(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
