"""What one submission costs the grader itself: processor time, memory, bytes, and how long it holds a worker.

``python -m benchmarks.costs ROOT …`` measures the students whose names it reads, a line each, and answers with a line
each. Like a worker it grades one after another. It ends where more memory is left over than before, and where it takes
too long it is ended; then the next one takes its place. The sandboxed processes are not counted: they are others, and
what they may use has limits of its own.
"""

import ctypes
import gc
import json
import os
import pickle
import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

READY = "ready\n"
MAX_CPU_S = 15.0  # for one submission: fifty honest ones; what needs more has failed, and need not end
MAX_LEFT_MIB = 32  # of what earlier submissions left over: what fills it again would not be seen
MAX_ADDRESSES = 8 << 30  # of a measured process: what needs more fails, and does not take the machine with it
MIB = 1 << 20


@dataclass(frozen=True)
class Cost:
    """One submission. Seconds of processor time for each step; ``held_s`` is time on the clock, of marking alone.

    ``failure`` says why there are no figures; ``problem``, why there was nothing to grade. ``harm`` says what else
    is not as before: a file that was handed in, or the marks of the honest neighbour who was graded next.
    """

    student: str
    marking_s: float = 0.0
    recording_s: float = 0.0
    page_s: float = 0.0
    memory_mib: float = 0.0
    held_s: float = 0.0
    autograded_mib: float = 0.0
    feedback_mib: float = 0.0
    marks: dict[str, float] = field(default_factory=dict)
    problem: str = ""
    failure: str = ""
    harm: str = ""

    @property
    def cpu_s(self) -> float:
        return self.marking_s + self.recording_s + self.page_s


class Meter:
    """Measures one student after another, in a process of its own. A context manager."""

    def __init__(self, root: Path, assignment: str, limits: dict[str, float], honest: str) -> None:
        self._root = root
        self._asked = json.dumps({"assignment": assignment, "limits": limits, "honest": honest})
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def cost(self, student: str, timeout_s: float) -> Cost:
        """What this student's submission costs; a failure where it is not known in time.

        Raises RuntimeError where not even the honest one can be graded.
        """
        process = self._process or self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        begun = _cpu_of(process.pid)
        process.stdin.write(student + "\n")
        process.stdin.flush()
        late, until = "", time.monotonic() + timeout_s
        while not select.select([process.stdout], [], [], min(1.0, timeout_s))[0] and not late:
            if _cpu_of(process.pid) - begun > MAX_CPU_S:
                late = f"stopped after {MAX_CPU_S:g} s of processor time"
            elif time.monotonic() > until:
                late = f"stopped after {timeout_s:g} s"
        line = "" if late else process.stdout.readline()
        if line:
            answer = json.loads(line)
            if answer.pop("last"):
                self._end()
            return Cost(**answer)
        used_s = _cpu_of(process.pid) - begun if late else 0.0
        held_s = time.monotonic() - until + timeout_s
        self._end()
        return Cost(student, marking_s=used_s, held_s=held_s, failure=late or "the measured process died")

    def _begin(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.costs", str(self._root), self._asked],
            cwd=Path(__file__).resolve().parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        self._process = process
        if process.stdout.readline() != READY:
            self._end()
            raise RuntimeError("no submission can be measured: the honest one was not graded")
        return process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def main(root: str, asked: str) -> None:
    """Answers for every student on a line of the input."""
    options = json.loads(asked)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whoever prints while grading does not answer
    _limit_addresses()
    work = _Work(Path(root), options["assignment"], options["limits"], options["honest"])
    with work.marker():
        warm = work.measured(options["honest"])
        if warm.failure or warm.problem:
            sys.exit(f"the honest submission was not graded: {warm.failure or warm.problem}")
        held = _held_mib()
        print(READY, end="", file=answers, flush=True)
        for line in sys.stdin:
            cost = work.measured(line.strip(), neighbour=True)
            last = _held_mib() > held + MAX_LEFT_MIB
            print(json.dumps(asdict(cost) | {"last": last}), file=answers, flush=True)


def _limit_addresses() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard in (resource.RLIM_INFINITY, -1) or hard > MAX_ADDRESSES:
        resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESSES, hard))


class _Work:
    """Grading as a worker, the recorder and the feedback command do it, in this one process."""

    def __init__(self, root: Path, assignment: str, limits: dict[str, float], honest: str) -> None:
        from coursekit.marking.limits import TimeLimits
        from coursekit.model.course import Course

        self.honest, self._assignment, self._limits = honest, assignment, TimeLimits(**limits)
        self._course = Course(root)
        (root / ".coursekit").mkdir(exist_ok=True)

    @contextmanager
    def marker(self) -> Iterator[None]:
        """There is a sandbox of our own."""
        from coursekit.marking.marker import Marker
        from coursekit.sandbox import isolation

        with Marker(self._course, self._assignment, self._limits, isolation.require()) as self._marker:
            yield

    def measured(self, student: str, neighbour: bool = False) -> Cost:
        """What it costs to mark, record and show a submission; with a ``neighbour``, what an honest one lost."""
        from coursekit.feedback import generation
        from coursekit.grading import outcomes
        from coursekit.grading.recorder import Recorder

        before, standing = self._handed_in(student), self._course_files()
        held = _held_mib()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
        begun, clock, waited = _cpu_s(), time.monotonic(), _waited_s()
        outcome = outcomes.examine(self._course, self._assignment, student, self._marker)
        held_s = time.monotonic() - clock - (_waited_s() - waited)
        outcome = pickle.loads(pickle.dumps(outcome))  # as a worker's answer travels to the grader
        marked = _cpu_s()
        failure = outcome.failure and f"{outcome.failure}\n{outcome.log}"
        if not outcome.failure:
            with Recorder(self._course, self._assignment) as recorder:
                opened = _cpu_s()  # once for a class
                recorder.record(outcome)
            recorded = _cpu_s()
            (page,) = generation.feedback(self._course, self._assignment, [student])
            failure = page.problem
        else:
            opened = recorded = marked
        shown = _cpu_s()
        memory = _peak_mib() - held
        harm = "" if self._handed_in(student) == before else "what was handed in has changed"
        harm = harm or ("" if self._course_files() == standing else "files of the course have changed")
        if neighbour and not harm:
            harm = self._harmed_neighbour()
        return Cost(
            student, marked - begun, recorded - opened, shown - recorded, memory, held_s,
            _mib(self._course.autograded(self._assignment, student)),
            _mib(self._course.feedback(self._assignment, student)),
            _marks(outcome), outcome.verdicts.problem, failure, harm,
        )  # fmt: skip

    def _harmed_neighbour(self) -> str:
        """In words, what the honest submission behind this one has lost."""
        from coursekit.grading import outcomes

        outcome = outcomes.examine(self._course, self._assignment, self.honest, self._marker)
        lost = [row.function for row in outcome.verdicts.exercises if row.earned < row.points]
        if outcome.failure or not outcome.verdicts.exercises:
            return f"the next submission is not graded: {outcome.failure}"
        return f"the next submission lost marks: {', '.join(lost)}" if lost else ""

    def _handed_in(self, student: str) -> list[tuple[Any, ...]]:
        return _listing(self._course.submitted(self._assignment, student))

    def _course_files(self) -> list[tuple[Any, ...]]:
        root = self._course.root
        return [*_listing(root / "source"), *_listing(root / "release"), *map(_status, sorted(root.glob("*.[ph][y5]")))]


def _marks(outcome: Any) -> dict[str, float]:
    return {row.function: row.earned for row in outcome.verdicts.exercises}


def _listing(folder: Path) -> list[tuple[Any, ...]]:
    """Every name below a folder with its kind, size and time; no link is followed."""
    where = [Path(at) / name for at, folders, files in os.walk(folder) for name in (*folders, *files)]
    return [_status(path) for path in sorted(where)]


def _status(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    return str(path), status.st_mode, status.st_size, status.st_mtime_ns


def _mib(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / MIB


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _waited_s() -> float:
    """How long this process has waited for a processor that others had."""
    return int(Path("/proc/self/schedstat").read_text("ascii").split()[1]) / 1e9


def _held_mib() -> float:
    """What this process holds, when it has given back what it can."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return _status_mib("VmRSS")


def _peak_mib() -> float:
    return _status_mib("VmHWM")


def _status_mib(name: str) -> float:
    text = Path("/proc/self/status").read_text("ascii", "replace")
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main(*sys.argv[1:])
