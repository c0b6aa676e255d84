"""What is measured, part by part: each gives rows of the table. Every ratio is between two figures of one run."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import classes, twin_costs
from benchmarks.watching import Watched, seconds, watch
from coursekit.model.course import Course

BIN = Path(sysconfig.get_path("scripts"))
STOCK_GOAL, LIMIT_GOAL, HELP_GOAL_S, COST_GOAL, MEMORY_GOAL = 20, 0.5, 0.3, 1.10, 1.15
TWIN_GOALS = {"step-by-step": 1.30, "application": 1.20, "digits": 1.05}


@dataclass(frozen=True)
class Row:
    """One line of the table; ``met`` says whether the goal is reached, where there is one."""

    part: str
    what: str
    figure: str
    ratio: str = ""
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Plan:
    """What to measure: ``size`` is our class, ``stock`` nbgrader's, ``sizes`` those whose cost is compared,
    ``pairs`` the submissions that are marked with twins and without."""

    course: Course
    assignment: str
    folder: Path
    size: int = 200
    stock: int = 12
    limit: int = 80
    jobs: int = 2
    sizes: tuple[int, ...] = (10, 50, 200)
    pairs: int = 24
    repeats: int = 5
    say: Callable[[str], None] = lambda text: None
    graded: dict[tuple[int, int], Watched] = field(default_factory=dict)  # by size and jobs: each is run once

    def grade(self, size: int, jobs: int) -> Watched:
        """A class of that size, graded by so many workers."""
        if (size, jobs) not in self.graded:
            self.say(f"grading {size} submissions with {jobs} worker{'s' * (jobs > 1)}")
            root = self.folder / f"ours-{size}-{jobs}"
            made = classes.ours(self.course, self.assignment, size, root)
            command = [sys.executable, "-m", "benchmarks.grading", str(root), self.assignment, str(jobs)]
            self.graded[size, jobs] = watch(command, self.course.root)
            _must_be_right(made.db_url, self.assignment, size)
            shutil.rmtree(root)
        return self.graded[size, jobs]


def throughput(plan: Plan) -> list[Row]:
    """Ours against plain nbgrader, and against what the fork server could do without grading."""
    stock = _stock(plan)
    ours = plan.grade(plan.size, plan.jobs)
    plan.say(f"running the cells of {plan.limit} notebooks in the fork server, and nothing else")
    command = [sys.executable, "-m", "benchmarks.limit", str(plan.course.root), plan.assignment]
    limit = watch([*command, str(plan.jobs), str(plan.limit)], plan.course.root)
    theirs_s = stock.seconds / plan.stock
    faster, share = theirs_s / ours.whole_s, limit.each_s / ours.each_s
    cpu_ms = [1e3 * each for each in (stock.cpu_s / plan.stock, ours.cpu_each_s, limit.cpu_each_s)]
    name, workers = "throughput", f"{plan.jobs} worker{'s' * (plan.jobs > 1)}"
    return [
        Row(name, f"nbgrader autograde, {plan.stock} submissions", _rate(theirs_s), "1"),
        Row(name, f"coursekit grade, {plan.size} submissions, {workers}", _rate(ours.whole_s),
            f"{faster:.1f} × nbgrader", f"≥ {STOCK_GOAL} ×", faster >= STOCK_GOAL),
        Row(name, "  of that, once the workers run", _rate(ours.each_s), f"{theirs_s / ours.each_s:.1f} × nbgrader"),
        Row(name, f"the limit: cells alone, {workers}", _rate(limit.each_s),
            f"{theirs_s / limit.each_s:.1f} × nbgrader"),
        Row(name, "  coursekit's share of the limit", f"{1e3 * (ours.each_s - limit.each_s):.0f} ms more each",
            f"{share:.2f}", f"≥ {LIMIT_GOAL}", share >= LIMIT_GOAL),
        Row(name, "processor time: nbgrader, coursekit, the limit", " / ".join(f"{each:.0f}" for each in cpu_ms)
            + " ms each", f"{cpu_ms[0] / max(cpu_ms[1], 1e-9):.1f} × nbgrader, {cpu_ms[2] / max(cpu_ms[1], 1e-9):.2f}"),
    ]  # fmt: skip


def cost(plan: Plan) -> list[Row]:
    """What one submission costs in classes of different sizes."""
    runs = {size: plan.grade(size, plan.jobs) for size in plan.sizes}
    base = runs.get(50, runs[min(runs)]).each_s
    rows = []
    for size, run in runs.items():
        ratio = run.each_s / base
        judged = size > 50
        figure = f"{1e3 * run.each_s:.0f} ms ({1e3 * run.whole_s:.0f} with the start)"
        rows.append(
            Row("cost", f"one submission of {size}", figure, f"{ratio:.2f}",
                f"≤ {COST_GOAL:.2f}" if judged else "", ratio <= COST_GOAL if judged else None)
        )  # fmt: skip
    return rows


def memory(plan: Plan) -> list[Row]:
    """The most that the grader and its children held, and whether it grows."""
    samples = plan.grade(plan.size, plan.jobs).samples
    quarter = len(samples) // 4
    if not quarter or not max(one.own_mib for one in samples):
        return [Row("memory", "peak", "not known: too short a run, or not Linux", "–")]
    held = {
        "the grader itself": [one.own_mib for one in samples],
        "its workers and sandboxes": [one.others_mib for one in samples],
    }
    rows = []
    for what, mib in held.items():
        growth = max(mib[-quarter:]) / max(1.0, *mib[quarter : 2 * quarter])
        rows.append(
            Row("memory", f"peak of {what}", f"{max(mib):.0f} MiB", f"{growth:.2f} (last quarter : second)",
                f"≤ {MEMORY_GOAL}", growth <= MEMORY_GOAL)
        )  # fmt: skip
    return rows


def twins(plan: Plan) -> list[Row]:
    """Processor time of a submission with twins, and without."""
    plan.say(f"{plan.pairs} pairs of submissions, with twins and without")
    without_s, with_s = twin_costs.measure(plan.course, plan.assignment, plan.pairs, plan.folder / "twins")
    ratio, goal = with_s / without_s, TWIN_GOALS.get(plan.assignment)
    judged = (f"≤ {goal:.2f}", ratio <= goal) if goal else ("", None)
    return [
        Row("twins", "processor time without twins", f"{1e3 * without_s:.0f} ms each", "1"),
        Row("twins", "processor time with twins", f"{1e3 * with_s:.0f} ms each", f"{ratio:.2f}", *judged),
    ]


def scaling(plan: Plan) -> list[Row]:
    """The same class with one worker, and with two."""
    size = 50 if 50 in plan.sizes else min(plan.sizes)
    one, two = (plan.grade(size, jobs).each_s for jobs in (1, 2))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        Row("workers", f"1 worker, {size} submissions", _rate(one), "1"),
        Row("workers", f"2 workers, {size} submissions, {cores} cores", _rate(two), f"{one / two:.2f}"),
    ]


def start_up(plan: Plan, names: Sequence[str] | None = None) -> list[Row]:
    """How long each command takes to say what it does."""
    plan.say("starting every command")
    program = str(BIN / "coursekit")
    base = seconds([sys.executable, "-c", "pass"], plan.repeats)
    rows = [Row("start", "python -c pass", f"{1e3 * base:.0f} ms", "1")]

    def row(what: str, command: list[str], repeats: int, goal: bool) -> None:
        took = seconds(command, repeats)
        told = (f"< {HELP_GOAL_S} s", took < HELP_GOAL_S) if goal else ("", None)
        rows.append(Row("start", what, f"{1e3 * took:.0f} ms", f"{took / base:.0f} × python", *told))

    row("coursekit --help", [program, "--help"], plan.repeats, True)
    for name in commands() if names is None else names:
        row(f"coursekit {name} --help", [program, name, "--help"], min(plan.repeats, 2), name != "test")
    venv = plan.course.root / ".venv"
    if Path(sys.prefix) == venv and not venv.is_symlink():  # else it would first set one up
        row("./course --version", [str(plan.course.root / "course"), "--version"], plan.repeats, True)
    if names is None:
        row("nbgrader --version", [str(BIN / "nbgrader"), "--version"], 1, False)
    return rows


PARTS = {
    "throughput": throughput, "cost": cost, "memory": memory, "twins": twins, "workers": scaling, "start": start_up
}  # fmt: skip


def commands() -> list[str]:
    """Every command of the command line."""
    from coursekit.cli.app import app

    return sorted(str(one.name or one.callback.__name__) for one in app.registered_commands if one.callback)


def _stock(plan: Plan) -> Watched:
    """Plain ``nbgrader autograde``, at work; the release is made before, and not counted."""
    plan.say(f"nbgrader autograde, {plan.stock} submissions")
    root = classes.stock(plan.course, plan.assignment, plan.stock, plan.folder / "stock")
    env = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    nbgrader = str(BIN / "nbgrader")
    watch([nbgrader, "generate_assignment", plan.assignment], root, env)
    ran = watch([nbgrader, "autograde", plan.assignment], root, env)
    _must_be_right(f"sqlite:///{root}/gradebook.db", plan.assignment, plan.stock)
    shutil.rmtree(root)
    return ran


def _must_be_right(db_url: str, assignment: str, size: int) -> None:
    """Raise RuntimeError where the marks are not what they should be: then something else was measured."""
    import warnings

    from nbgrader.api import Gradebook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy has much to say about nbgrader's models
        with Gradebook(db_url) as book:
            marks = {
                one.student.id: (sum(grade.auto_score or 0 for notebook in one.notebooks for grade in notebook.grades),
                                 sum(grade.max_score for notebook in one.notebooks for grade in notebook.grades
                                     if grade.auto_score is not None))
                for one in book.assignment_submissions(assignment)
            }  # fmt: skip
    for student, right in zip(classes.students(size), classes.expected(assignment, size), strict=True):
        earned, points = marks.get(student, (0, 1))
        if (earned == points) != right or not points:
            raise RuntimeError(f"{student} has {earned:g} of {points:g}: this is no measurement")


def _rate(each_s: float) -> str:
    return f"{60 / each_s:.0f} per minute ({1e3 * each_s:.0f} ms each)"
