"""``python -m benchmarks.hostile``: what hostile and damaged hand-ins cost the grader itself, the worst first.

Every figure is compared with an honest submission's of the same run. With ``--formgrader`` the page on which a person
grades each submission is opened in a browser, too. The limits of time are all shorter than in grading, by one factor,
so that a submission which uses every one of them up is measured in a minute.
"""

import queue
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import formgrading
from benchmarks.costly import INPUTS, holding
from benchmarks.costly.kit import ASSIGNMENT, POINTS, Costly, hand_in, solved
from benchmarks.costs import Cost, Meter
from coursekit.grading import registration
from coursekit.model.course import Course
from coursekit.sandbox import doctor

ROOT = Path(__file__).resolve().parent.parent
HONEST = "honest"
COLUMNS = (
    "CPU s",
    "× honest",
    "marking / recording / page",
    "MiB",
    "held s",
    "autograded MiB",
    "feedback MiB",
    "Formgrader s",
)
CPU_GOAL, MEMORY_GOAL_MIB, PAGE_GOAL_S = 10.0, 300.0, 3.0
TIMEOUT_S = 180.0  # for one measurement
LATE_S = 5.0  # beside the stated limit: to start and to end processes, on a machine that does other things as well


@dataclass(frozen=True)
class Measured:
    """One input, and what it costs; ``page_s`` until its page in the Formgrader stands, None where none was opened."""

    input: Costly
    cost: Cost
    page_s: float | None = None

    def missed(self, honest: Cost, held_limit_s: float) -> list[str]:
        """In words, each goal that is missed."""
        found = [*self._wrong()]
        if self.cpu_ratio(honest) > CPU_GOAL:
            found.append("processor time")
        if self.cost.memory_mib - honest.memory_mib > MEMORY_GOAL_MIB:
            found.append("memory")
        if self.cost.held_s > held_limit_s + LATE_S:
            found.append("holds a worker")
        if self.page_s is not None and self.page_s > PAGE_GOAL_S:
            found.append("Formgrader")
        return found

    def cpu_ratio(self, honest: Cost) -> float:
        return self.cost.cpu_s / honest.cpu_s

    def _wrong(self) -> Iterable[str]:
        """What is wrong with its marks."""
        if self.cost.failure:
            yield self.cost.failure.strip().splitlines()[0][:100]
        elif problem := wrong_marks(self.input, self.cost):
            yield problem
        if self.cost.harm:
            yield self.cost.harm


def wrong_marks(one: Costly, cost: Cost) -> str:
    """In words, how the marks are not those that this input deserves; empty where they are."""
    lost = {name for name, points in POINTS.items() if cost.marks.get(name, 0.0) < points}
    if one.refusable and cost.problem and lost == POINTS.keys():
        return ""
    if one.lost is None or lost == one.lost:
        return ""
    more, less = sorted(lost - one.lost), sorted(one.lost - lost)
    words = [f"lost marks: {', '.join(more) if len(more) < 4 else f'{len(more)} functions'}"] if more else []
    words += [f"has marks for {', '.join(less) if len(less) < 4 else f'{len(less)} functions'}"] if less else []
    return "; ".join(words)


def class_of(names: Iterable[str]) -> dict[str, Costly]:
    """The inputs by the student who hands them in."""
    return {f"input-{number:03}": INPUTS[name] for number, name in enumerate(names)}


def prepared(room: Path) -> Course:
    """A scratch course in which an honest student has handed in."""
    course = Course(ROOT).copy_to(room / "course")
    registration.register(course, ASSIGNMENT)  # by one process: two would make the gradebook at the same time
    hand_in(solved())(course.submitted(ASSIGNMENT, HONEST))
    return course


def main(
    only: Annotated[list[str] | None, typer.Argument(help="Names of inputs or groups, or parts of names.")] = None,
    formgrader: Annotated[bool, typer.Option("--formgrader", help="Open each in the Formgrader, too.")] = False,
    mathjax: Annotated[
        Path | None, typer.Option(help="A folder with MathJax 2, for a machine without a network.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Measured at the same time.")] = 2,
    out: Annotated[Path | None, typer.Option(help="Write the table as text into this file, too.")] = None,
) -> None:
    """Measure hostile and damaged hand-ins, and print one table. Exit status 1 where a goal is missed."""
    chosen = [
        name
        for name, one in INPUTS.items()
        if not only or any(part in (one.group, name) or part in name for part in only)
    ]
    if not chosen:
        raise typer.BadParameter(f"{(only or [''])[0]}: no input is called so")
    begun = time.monotonic()
    if down := [one.name for one in doctor.try_layers() if not one.active]:  # before anything forks, fills or kills
        sys.exit(f"isolation is not complete here ({', '.join(down)}): nothing hostile is run; see ./course doctor")
    inputs = class_of(chosen)
    with tempfile.TemporaryDirectory(prefix="hostile-") as room:
        course = prepared(Path(room))
        honest, measured = _measured(course, inputs, jobs)
        if formgrader:
            measured = _opened(course, measured, mathjax)
        rows = sorted(measured, key=lambda one: _badness(one, honest), reverse=True)
        console = Console(width=None if sys.stdout.isatty() else 170, highlight=False)
        seconds = time.monotonic() - begun
        made = table(rows, honest, f"{len(rows)} inputs, {seconds:.0f} s; limits of time divided by {holding.SCALE}")
        console.print(made)
        if out is not None:
            with out.open("w", encoding="utf-8") as file:
                Console(file=file, width=170).print(made)
    missed = [one for one in measured if one.missed(honest, held_limit_s())]
    sys.exit(bool(missed))


def held_limit_s() -> float:
    """How long a submission may hold a worker under the benchmark's short limits, as it is stated."""
    stated = getattr(holding.SHORT, "submission_timeout_s", None)
    return float(stated) if stated else 2 * holding.SHORT.notebook_timeout_s  # its cells, and its calls


def _measured(course: Course, inputs: dict[str, Costly], jobs: int) -> tuple[Cost, list[Measured]]:
    """The honest cost, the median of three; and every input's. What is near a goal is measured three times, too."""
    meters = [Meter(course.root, ASSIGNMENT, asdict(holding.SHORT), HONEST) for _ in range(jobs)]
    with ExitStack() as stack:
        idle = queue.SimpleQueue[Meter]()
        for meter in meters:
            idle.put(stack.enter_context(meter))

        def costs(student: str, times: int) -> list[Cost]:
            meter = idle.get()
            try:
                return [meter.cost(student, TIMEOUT_S) for _ in range(times)]
            finally:
                idle.put(meter)

        honest = _median(costs(HONEST, 3))
        _tell(f"honest: {_figures(honest)}")

        def measure(student: str) -> Measured:
            inputs[student].write(course.submitted(ASSIGNMENT, student))
            (cost,) = costs(student, 1)
            if not cost.failure and CPU_GOAL / 2 < cost.cpu_s / honest.cpu_s < CPU_GOAL * 2:
                cost = _median([cost, *costs(student, 2)])
            found = Measured(inputs[student], cost)
            missed = found.missed(honest, held_limit_s())
            one = found.input
            _tell(f"{one.group}: {one.name}: {_figures(cost)} {'MISSED ' + '; '.join(missed) if missed else ''}")
            return found

        with ThreadPoolExecutor(jobs) as pool:
            return honest, list(pool.map(measure, inputs))


def _median(costs: list[Cost]) -> Cost:
    """The one in the middle by processor time."""
    return sorted(costs, key=lambda cost: cost.cpu_s)[len(costs) // 2]


def _opened(course: Course, measured: list[Measured], mathjax: Path | None) -> list[Measured]:
    """The same with the time that the Formgrader's page of each takes."""
    with formgrading.opened(course, ASSIGNMENT, mathjax) as pages:
        first = median(pages.seconds(HONEST) for _ in range(3))
        _tell(f"honest in the Formgrader: {first:.2f} s")
        found = []
        for one in measured:
            seconds = pages.seconds(one.cost.student)
            if seconds is not None and (seconds > 1.0):
                _tell(f"Formgrader: {one.input.name}: {seconds:.2f} s")
            found.append(Measured(one.input, one.cost, seconds))
    return found


def _badness(one: Measured, honest: Cost) -> tuple[Any, ...]:
    worst = max(
        one.cpu_ratio(honest) / CPU_GOAL,
        (one.cost.memory_mib - honest.memory_mib) / MEMORY_GOAL_MIB,
        one.cost.held_s / (held_limit_s() + LATE_S),
        (one.page_s or 0.0) / PAGE_GOAL_S,
    )
    return bool(one.missed(honest, held_limit_s())), worst


def table(rows: list[Measured], honest: Cost, caption: str) -> Table:
    """The inputs with their figures, and what each misses."""
    made = Table(caption=caption, header_style="bold", pad_edge=False)
    made.add_column("input", overflow="fold", min_width=44)
    for name in COLUMNS:
        made.add_column(name, justify="right")
    made.add_column("missed", overflow="fold")
    made.add_row("an honest submission", *_cells(honest, 1.0, None), "", end_section=True)
    for one in rows:
        missed = one.missed(honest, held_limit_s())
        made.add_row(f"{one.input.group}: {one.input.name}", *_cells(one.cost, one.cpu_ratio(honest), one.page_s),
                     "; ".join(missed))  # fmt: skip
    goals = (
        f"≤ {CPU_GOAL:g}",
        "",
        f"≤ {MEMORY_GOAL_MIB:g} more",
        f"≤ {held_limit_s():g}",
        "",
        "",
        f"≤ {PAGE_GOAL_S:g}",
    )
    met = sum(not one.missed(honest, held_limit_s()) for one in rows)
    made.add_section()
    made.add_row("the goals", "", *goals, f"{met} of {len(rows)} meet all")
    return made


def _cells(cost: Cost, ratio: float, page_s: float | None) -> list[str]:
    parts = " / ".join(f"{seconds:.2f}" for seconds in (cost.marking_s, cost.recording_s, cost.page_s))
    shown = "" if page_s is None else f"{page_s:.2f}"
    return [f"{cost.cpu_s:.2f}", f"{ratio:.1f}", parts, f"{cost.memory_mib:.0f}", f"{cost.held_s:.1f}",
            f"{cost.autograded_mib:.2f}", f"{cost.feedback_mib:.2f}", shown]  # fmt: skip


def _figures(cost: Cost) -> str:
    return f"{cost.cpu_s:.2f} s of processor, {cost.memory_mib:.0f} MiB, held {cost.held_s:.1f} s"


def _tell(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
