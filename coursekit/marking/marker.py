"""One submission's notebook -> marks and the executed notebook: the work of a worker for each submission.

The steps: run the cells; close the outputs; call every exercise's function; judge; then the follow-through retry of
each exercise that lost marks and depends on a wrong function, where the grader answers the calls of right ones.

The order matters. Hidden inputs enter the process after the last output, and what is shown comes from the first run,
which saw none. Retries come after the last first call, dependencies first: what a right function answers helps only
exercises that are retried with it anyway. Nothing of it helps another run, which has other twins.
"""

import atexit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from nbformat import NotebookNode

from coursekit.experiments import plan
from coursekit.marking import graded_verdicts, verdicts, warm_up
from coursekit.marking.calls import Calls
from coursekit.marking.graded_verdicts import GradedVerdicts, WrittenAnswer
from coursekit.marking.limits import TimeLimits
from coursekit.marking.redaction import Redactor, names_of
from coursekit.marking.repeated_runs import Repeats, Settled
from coursekit.marking.retries import Retries
from coursekit.marking.runner import Run
from coursekit.marking.twins import TwinSource, new_nonce
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
    """Marks notebooks of one assignment, one after another, in one sandbox. A context manager.

    ``nonces`` returns the nonce of each run, which decides its twins.
    """

    def __init__(
        self,
        course: Course,
        assignment: str,
        limits: TimeLimits = DEFAULTS,
        layers: Isolation | None = None,
        nonces: Callable[[], str] = new_nonce,
    ) -> None:
        self._assignment, self._limits, self._nonces = assignments.load(course, assignment), limits, nonces
        self._rows = self._assignment.exercises
        self._names = names_of(self._assignment)
        files: dict[str, Path] = course.trusted_files(assignment)
        calls = warm_up.calls(source_of(course, assignment), files)
        self._sandbox = Sandbox(files, layers=layers, warm_up_calls=calls)
        self._twins = TwinSource(course.root, assignment)
        self._retries = Retries(course.root, self._assignment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox and everything in it, and the reference processes."""
        self._sandbox.close()
        self._twins.close()
        self._retries.close()

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
        settled, repeats = Settled(), Repeats(budget)
        while settled.final is None:
            repeats.next_run()
            nonce = self._nonces()
            if self._rows:  # a plain assignment has nothing to draw
                self._twins.begin(nonce)
            with Run(self._sandbox, notebook, self._rows, files, limits, budget, settled.shown) as run:
                settled = self._advance(run, nonce, settled, repeats, redactor)
            if settled.in_doubt:
                limits = replace(limits, experiments=True)
                settled, repeats = Settled(), Repeats(budget)
        assert settled.shown is not None
        return self._marked(settled.shown, settled.final, nonces=settled.nonces)

    def _advance(self, run: Run, nonce: str, settled: Settled, repeats: Repeats, redactor: Redactor) -> Settled:
        """The settled stages after this run, up to the first that has to be repeated in another run."""
        executed = run.run_cells()
        if settled.shown is None:
            shown = repeats.settle("cells", run.kills, executed)
            if shown is None:
                return settled
            settled = replace(settled, shown=shown)
        called = Calls(run, self._assignment, redactor, nonce, self._twins, self._limits.call_timeout_s)
        tried = tuple(called.verdict(row) for row in self._rows)
        if settled.first is None:
            first = repeats.settle("first tries", run.kills, tried, same=tried)
            if first is None:
                return settled
            if run.skips_own_cells and not all(verdict.full for verdict in first):
                return Settled(in_doubt=True)
            settled = replace(settled, first=first, nonces=(nonce,))
        final = self._retries.after(settled.first or (), called)
        nonces = tuple(dict.fromkeys((*settled.nonces, nonce)))
        return replace(settled, final=repeats.settle("second tries", run.kills, final, same=final), nonces=nonces)

    def mark_unusable(self, notebook: NotebookNode, problem: str) -> Marked:
        """No marks for a submission without a notebook that can be run; ``problem`` is the reason."""
        return self._marked(notebook, [verdicts.no_marks(row, problem) for row in self._rows], problem)

    def _marked(
        self, notebook: NotebookNode, final: Sequence[Verdict], problem: str = "", nonces: tuple[str, ...] = ()
    ) -> Marked:
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
            nonces=nonces,
        )
        return Marked(notebook, said)


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
