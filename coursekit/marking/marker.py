"""One submission's notebook -> marks and the executed notebook. What a worker does, again and again.

The steps: run the cells, close the outputs, probe every exercise, judge; then try again, with right helpers, what lost
marks and depends on something wrong. The order matters: hidden inputs come behind the last output, and references
behind the last probe, what others depend on first, so that a reference that leaks can only help where it is given
anyway. It holds over all runs that one grading takes: see ``settling``.
"""

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Self

from nbformat import NotebookNode

from coursekit import answers_given, notebooks, stubs
from coursekit.course import Course
from coursekit.experiments import plan
from coursekit.marking import beforehand, judge, probe, verdicts
from coursekit.marking.limits import Limits
from coursekit.marking.quoting import Quoter
from coursekit.marking.runner import Run
from coursekit.marking.settling import Repeats, Settled
from coursekit.marking.verdicts import Verdict
from coursekit.reading import supporting
from coursekit.reading.candidates import source_of
from coursekit.sandbox import walls
from coursekit.sandbox.client import Sandbox
from coursekit.sandbox.patience import Hold
from coursekit.sandbox.walls import Walls
from hidden_tests import exercises

DEFAULTS = Limits()
SANDBOXES = ("auto", "none")  # the best walls that this machine has, or none at all


@dataclass(frozen=True)
class Marked:
    """A notebook with its outputs, and its verdicts as data (``verdicts.as_data``), in its metadata too."""

    notebook: NotebookNode
    verdicts: dict[str, Any]


class Marker:
    """Marks notebooks of one assignment, one after another, in one sandbox. A context manager."""

    def __init__(
        self, course: Course, assignment: str, limits: Limits = DEFAULTS, standing: Walls | None = None
    ) -> None:
        self._course, self._assignment, self._limits = course, assignment, limits
        self._rows = exercises(assignment)
        self._questions = {row.key: probe.request(row, limits.call_timeout_s) for row in self._rows}
        self._helpers = probe.helpers(course, assignment)
        files: dict[str, Path] = course.trusted_files(assignment)
        calls = beforehand.calls(assignment, source_of(course, assignment), files)
        self._sandbox = Sandbox(files, walls=standing, beforehand=calls)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The sandbox is gone, with everything in it."""
        self._sandbox.close()

    def mark(self, notebook: NotebookNode, files: Mapping[str, bytes] = {}, notes: Sequence[str] = ()) -> Marked:
        """The marks of a rebuilt notebook; ``files`` are the student's own that lie beside it.

        Whether experiments are run changes no mark: where an answer needs them, or loses marks while cells of the
        student's own were not run, everything is run.
        """
        quoter = Quoter.of(cell.source for cell in notebook.cells if cell.cell_type == "code")
        limits, hold = self._limits, Hold(self._limits.submission_timeout_s)
        if not limits.experiments and plan.in_want(notebook):  # an answer that uses what only they give
            limits = replace(limits, experiments=True)
        settled, repeats, taught = Settled(), Repeats(hold), set[str]()
        while settled.shown is None or len(settled.final) < len(self._rows):
            repeats.next_run()
            with Run(self._sandbox, notebook, self._rows, files, limits, taught, hold, settled.shown) as run:
                settled = self._further(run, settled, repeats, quoter)
            if settled.in_doubt:
                limits = replace(limits, experiments=True)
                settled, repeats = Settled(), Repeats(hold)
        by_function = {verdict.exercise.function: verdict for verdict in settled.final}
        return self._marked(settled.shown, [by_function[row.function] for row in self._rows], notes)

    def _further(self, run: Run, settled: Settled, repeats: Repeats, quoter: Quoter) -> Settled:
        """What stands after this run: stage by stage, up to the one that has to be repeated in another run."""
        executed = run.cells()
        if settled.shown is None:
            shown = repeats.settle("cells", run.kills, executed)
            if shown is None:
                return settled
            settled = replace(settled, shown=shown)
        tried = tuple(self._judge(row, run.probe(row, self._questions[row.key]), quoter) for row in self._rows)
        if not settled.first:
            if run.leaves_out_own and not all(verdict.full for verdict in tried):
                return Settled(in_doubt=True)  # before any reference enters a process: then nothing more would be paid
            first = repeats.settle("first tries", run.kills, tried, same=tried)
            if first is None:
                return settled
            settled = replace(settled, first=first)
        by_function = {verdict.exercise.function: verdict for verdict in settled.first}
        for number, function in enumerate(self._helpers.below):
            verdict = self._with_second_try(run, by_function[function], settled.final[:number], quoter)
            if number == len(settled.final):
                final = repeats.settle(f"second try of {function}", run.kills, verdict, same=verdict)
                if final is None:
                    return settled
                settled = replace(settled, final=(*settled.final, final))
        return settled

    def nothing(self, notebook: NotebookNode, problem: str, notes: Sequence[str] = ()) -> Marked:
        """The marks of a submission in which there was nothing to run, and why."""
        return self._marked(notebook, [verdicts.nothing_seen(row, problem) for row in self._rows], notes, problem)

    def _marked(
        self, notebook: NotebookNode, final: Sequence[Verdict], notes: Sequence[str], problem: str = ""
    ) -> Marked:
        written = [
            {
                "grade_id": cell.id,
                "points": notebooks.grader_metadata(cell).get("points", 0),
                "answered": not problem and stubs.is_answered(cell),
            }
            for cell in notebook.cells
            if notebooks.is_written(cell)
        ]
        answers = answers_given.digests(notebook)
        data = verdicts.as_data(self._assignment, final, written, notes, problem, answers)
        notebook.metadata[verdicts.METADATA] = data
        return Marked(notebook, data)

    def _judge(self, row: Any, message: Any, quoter: Quoter) -> Verdict:
        return judge.judge(row, message, self._course, quoter)

    def _with_second_try(self, run: Run, verdict: Verdict, below: Sequence[Verdict], quoter: Quoter) -> Verdict:
        row, lost = verdict.exercise, verdicts.lost(below)
        wrong = [name for name in self._helpers.below[row.function] if name in lost]
        if verdict.full or not wrong or run.knows(row):
            return verdict
        question = {**self._questions[row.key], **self._helpers.for_exercise(row), "source": run.answer(row)}
        second = self._judge(row, run.probe(row, question, second=True), quoter)
        return verdicts.after_second_try(verdict, second, wrong)


_shared: dict[Any, Marker] = {}


def standing(sandbox: str) -> Walls:
    """The walls to grade in, by one of ``SANDBOXES``. Raises CourseError where this machine has none."""
    return walls.NONE if sandbox == "none" else walls.require()


def shared(course: Course, assignment: str, limits: Limits, sandbox: str = "auto") -> Marker:
    """A marker that lives on for the next submission; a new one where anything that it was made from has changed."""
    made_from = {name: path.stat().st_mtime_ns for name, path in course.trusted_files(assignment).items()}
    source = course.source(assignment).stat().st_mtime_ns
    key = (course, assignment, limits, sandbox, source, tuple(made_from.items()))
    if key not in _shared:
        _close_all()
        _shared[key] = Marker(course, assignment, limits, standing(sandbox))
    return _shared[key]


@atexit.register
def _close_all() -> None:
    while _shared:
        _shared.popitem()[1].close()


def beside(folder: Path) -> dict[str, bytes]:
    """The files beside a notebook, by relative name: no links, nothing that Python imports, nothing huge."""
    found: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        data = supporting.is_data(PurePosixPath(path.relative_to(folder).as_posix()))
        if not data or path.is_symlink() or not path.is_file():
            continue
        size = path.stat().st_size
        total += size
        fits = size <= supporting.MAX_FILE_BYTES and total <= supporting.MAX_ALL_BYTES
        if fits and len(found) < supporting.MAX_FILES:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
