"""One submission's notebook -> marks and the executed notebook. What a worker does, again and again.

The steps: run the cells, close the outputs, probe every exercise, judge; then try again, with right helpers, what lost
marks and depends on something wrong. The order matters: hidden inputs come behind the last output, and references
behind the last probe, what others depend on first, so that a reference that leaks can only help where it is given
anyway. It holds over all runs that one grading takes: see ``repeated_runs``.
"""

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Self

from nbformat import NotebookNode

from coursekit.experiments import plan
from coursekit.marking import function_calls, judge, verdicts, warm_up
from coursekit.marking.limits import Limits
from coursekit.marking.redaction import Quoter, names_of
from coursekit.marking.repeated_runs import Repeats, Settled
from coursekit.marking.runner import Run
from coursekit.marking.verdicts import Verdict
from coursekit.model import notebooks, stubs
from coursekit.model.course import Course
from coursekit.reference import assignments
from coursekit.sandbox import isolation
from coursekit.sandbox.client import Sandbox
from coursekit.sandbox.isolation import Walls
from coursekit.sandbox.timeouts import Hold
from coursekit.submission import answer_hashes, supporting_files
from coursekit.submission.candidates import source_of

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
        self._assignment, self._limits = assignments.load(course, assignment), limits
        self._rows = self._assignment.exercises
        self._questions = {row.key: function_calls.request(row, limits.call_timeout_s) for row in self._rows}
        self._helpers = function_calls.helpers(course, self._assignment)
        self._names = names_of(self._assignment)
        files: dict[str, Path] = course.trusted_files(assignment)
        calls = warm_up.drawings(source_of(course, assignment), files)
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
        code = (cell.source for cell in notebook.cells if cell.cell_type == "code")
        quoter = Quoter.of(code, self._names)
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
        answers = answer_hashes.digests(notebook)
        data = verdicts.as_data(self._assignment.name, final, written, notes, problem, answers)
        notebook.metadata[verdicts.METADATA] = data
        return Marked(notebook, data)

    def _judge(self, row: Any, message: Any, quoter: Quoter) -> Verdict:
        return judge.judge(self._assignment, row, message, quoter)

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
    return isolation.NONE if sandbox == "none" else isolation.require()


def shared(course: Course, assignment: str, limits: Limits, sandbox: str = "auto") -> Marker:
    """A marker that lives on for the next submission; a new one where anything that it was made from has changed."""
    given = course.trusted_files(assignment)
    files = (course.source(assignment), *given.values(), *course.deciding(assignment))
    made_from = tuple((path, (found := path.stat()).st_mtime_ns, found.st_size) for path in files)
    key = (course, assignment, limits, sandbox, tuple(given), made_from)
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
        data = supporting_files.is_data(PurePosixPath(path.relative_to(folder).as_posix()))
        if not data or path.is_symlink() or not path.is_file():
            continue
        size = path.stat().st_size
        total += size
        fits = size <= supporting_files.MAX_FILE_BYTES and total <= supporting_files.MAX_ALL_BYTES
        if fits and len(found) < supporting_files.MAX_FILES:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
