"""One submission's notebook -> marks and the executed notebook: the work of a worker for each submission.

The steps: run the cells; close the outputs; call every exercise's function; judge; then the follow-through retry, with
reference functions, of each exercise that lost marks and depends on a wrong function.

The order matters. Hidden inputs enter the process after the last output. References enter after the last first call,
dependencies first, so that a leaked reference only helps an exercise that is retried with it anyway. This order holds
across all runs of one grading: see ``repeated_runs``.
"""

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from nbformat import NotebookNode

from coursekit.experiments import plan
from coursekit.marking import function_calls, graded_verdicts, judge, verdicts, warm_up
from coursekit.marking.graded_verdicts import GradedVerdicts, WrittenAnswer
from coursekit.marking.limits import TimeLimits
from coursekit.marking.redaction import Redactor, names_of
from coursekit.marking.repeated_runs import Repeats, Settled
from coursekit.marking.runner import Run
from coursekit.marking.verdicts import Verdict
from coursekit.model import notebooks, stubs
from coursekit.model.course import Course
from coursekit.reference import assignments
from coursekit.sandbox import isolation
from coursekit.sandbox.client import Sandbox
from coursekit.sandbox.isolation import Isolation
from coursekit.sandbox.timeouts import SubmissionBudget
from coursekit.submission import answer_hashes
from coursekit.submission.candidates import source_of

DEFAULTS = TimeLimits()
SANDBOXES = ("auto", "none")  # all isolation layers of this computer, or none


@dataclass(frozen=True)
class Marked:
    """A notebook with its outputs, and the verdicts."""

    notebook: NotebookNode
    verdicts: GradedVerdicts


class Marker:
    """Marks notebooks of one assignment, one after another, in one sandbox. A context manager."""

    def __init__(
        self, course: Course, assignment: str, limits: TimeLimits = DEFAULTS, layers: Isolation | None = None
    ) -> None:
        self._assignment, self._limits = assignments.load(course, assignment), limits
        self._rows = self._assignment.exercises
        self._calls = {row.key: function_calls.request(row, limits.call_timeout_s) for row in self._rows}
        self._references = function_calls.reference_functions(course, self._assignment)
        self._names = names_of(self._assignment)
        files: dict[str, Path] = course.trusted_files(assignment)
        calls = warm_up.calls(source_of(course, assignment), files)
        self._sandbox = Sandbox(files, layers=layers, warm_up_calls=calls)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox and everything in it."""
        self._sandbox.close()

    def mark(self, notebook: NotebookNode, files: Mapping[str, bytes] = {}) -> Marked:
        """Mark a rebuilt notebook; ``files`` are the student files beside it.

        Skipping experiments changes no mark: everything is run if an answer uses the results of an experiment, or if
        one loses marks while some of the student's own cells were not run.
        """
        code = (cell.source for cell in notebook.cells if cell.cell_type == "code")
        redactor = Redactor.of(code, self._names)
        limits, budget = self._limits, SubmissionBudget(self._limits.submission_timeout_s)
        if not limits.experiments and plan.missing_variables(notebook):  # an answer uses the results of an experiment
            limits = replace(limits, experiments=True)
        settled, repeats, disclosed = Settled(), Repeats(budget), set[str]()
        while settled.shown is None or len(settled.final) < len(self._rows):
            repeats.next_run()
            with Run(self._sandbox, notebook, self._rows, files, limits, disclosed, budget, settled.shown) as run:
                settled = self._advance(run, settled, repeats, redactor)
            if settled.in_doubt:
                limits = replace(limits, experiments=True)
                settled, repeats = Settled(), Repeats(budget)
        by_function = {verdict.exercise.function: verdict for verdict in settled.final}
        return self._marked(settled.shown, [by_function[row.function] for row in self._rows])

    def _advance(self, run: Run, settled: Settled, repeats: Repeats, redactor: Redactor) -> Settled:
        """The settled stages after this run, up to the first that has to be repeated in another run."""
        executed = run.run_cells()
        if settled.shown is None:
            shown = repeats.settle("cells", run.kills, executed)
            if shown is None:
                return settled
            settled = replace(settled, shown=shown)
        tried = tuple(self._judge(row, run.call(row, self._calls[row.key]), redactor) for row in self._rows)
        if not settled.first:
            if run.skips_own_cells and not all(verdict.full for verdict in tried):
                # Now, because after a reference has entered a process, a new run could earn nothing.
                return Settled(in_doubt=True)
            first = repeats.settle("first tries", run.kills, tried, same=tried)
            if first is None:
                return settled
            settled = replace(settled, first=first)
        by_function = {verdict.exercise.function: verdict for verdict in settled.first}
        for number, function in enumerate(self._references.below):
            verdict = self._with_retry(run, by_function[function], settled.final[:number], redactor)
            if number == len(settled.final):
                final = repeats.settle(f"second try of {function}", run.kills, verdict, same=verdict)
                if final is None:
                    return settled
                settled = replace(settled, final=(*settled.final, final))
        return settled

    def mark_unusable(self, notebook: NotebookNode, problem: str) -> Marked:
        """No marks for a submission without a notebook that can be run; ``problem`` is the reason."""
        return self._marked(notebook, [verdicts.no_marks(row, problem) for row in self._rows], problem)

    def _marked(self, notebook: NotebookNode, final: Sequence[Verdict], problem: str = "") -> Marked:
        written = [
            WrittenAnswer(
                cell.id, notebooks.grader_metadata(cell).get("points", 0), not problem and stubs.is_answered(cell)
            )
            for cell in notebook.cells
            if notebooks.is_graded_by_person(cell)
        ]
        said = GradedVerdicts(
            self._assignment.name,
            tuple(map(graded_verdicts.of_verdict, final)),
            tuple(written),
            problem=problem,
            answers=answer_hashes.digests(notebook),
        )
        return Marked(notebook, said)

    def _judge(self, row: Any, message: Any, redactor: Redactor) -> Verdict:
        return judge.judge(self._assignment, row, message, redactor)

    def _with_retry(self, run: Run, verdict: Verdict, below: Sequence[Verdict], redactor: Redactor) -> Verdict:
        row, lost = verdict.exercise, verdicts.lost(below)
        wrong = [name for name in self._references.below[row.function] if name in lost]
        if verdict.full or not wrong or run.knows_reference(row):
            return verdict
        request = {**self._calls[row.key], **self._references.for_exercise(row), "source": run.answer(row)}
        second = self._judge(row, run.call(row, request, retry=True), redactor)
        return verdicts.after_retry(verdict, second, wrong)


_shared: dict[Any, Marker] = {}


def resolve_isolation(sandbox: str) -> Isolation:
    """The isolation layers for one of ``SANDBOXES``. Raises CourseError if "auto" finds none on this computer."""
    return isolation.NONE if sandbox == "none" else isolation.require()


def shared(course: Course, assignment: str, limits: TimeLimits, sandbox: str = "auto") -> Marker:
    """A cached marker, kept for the next submission; a new one if any of its arguments or files has changed."""
    given = course.trusted_files(assignment)
    files = (course.source(assignment), *given.values(), *course.deciding(assignment))
    made_from = tuple((path, (found := path.stat()).st_mtime_ns, found.st_size) for path in files)
    key = (course, assignment, limits, sandbox, tuple(given), made_from)
    if key not in _shared:
        _close_all()
        _shared[key] = Marker(course, assignment, limits, resolve_isolation(sandbox))
    return _shared[key]


@atexit.register
def _close_all() -> None:
    while _shared:
        _shared.popitem()[1].close()
