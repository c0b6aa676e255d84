"""A rebuilt notebook in a sandbox: first its cells, with their outputs; then the probes, when no output is kept.

A cell or a call that hangs is stopped. Where the child is lost (it died, or does not answer) a new one plays the
notebook again without the step that did it, so that one exercise's misfortune costs one exercise. Where that happens
too often, or takes too long, the rest of the outputs is missing; but the functions are tried all the same, in children
that play only what defines them. Hidden inputs enter a child only behind the last cell: nothing that a notebook
prints, shows, or writes for a later cell can hold one. And a function is never tried in a child that began after its
own reference had been in another one.
"""

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from nbformat import NotebookNode

from coursekit.experiments import plan
from coursekit.marking.cell_runner import CellRunner, ExecutedNotebook
from coursekit.marking.limits import TimeLimits
from coursekit.marking.notebook_process import NotebookProcess
from coursekit.marking.stop_reasons import ENDLESS, ENDLESS_LATE, NOT_RUN, NOT_TRIED
from coursekit.marking.time_left import TimeLeft
from coursekit.model import notebooks
from coursekit.model.exercise import Exercise
from coursekit.sandbox.client import Sandbox
from coursekit.sandbox.timeouts import SubmissionBudget

MAX_RESTARTS = 8
_IMPORTS = re.compile(r"(?m)^(?:import|from)\b")
_IN_A_FILE = re.compile(r" \([^()\s]+, line (\d+)\)$")  # of a SyntaxError: the file is IPython's name for the cell


class Run:
    """One notebook in a sandbox; a context manager. Call ``cells`` first, then ``probe`` for every question.

    All runs of one grading share ``taught``, the functions whose references have been in any of its processes. Once
    there are outputs to show, later runs get the notebook with them as ``shown``: nothing else is quoted.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        notebook: NotebookNode,
        rows: Sequence[Exercise],
        files: Mapping[str, bytes],
        limits: TimeLimits,
        disclosed: set[str],
        budget: SubmissionBudget | None = None,
        shown: NotebookNode | None = None,
    ) -> None:
        self._notebook, self._disclosed, self._shown = notebook, disclosed, shown
        self._disclosed_before: frozenset[str] = frozenset(disclosed)  # what had been taught when the child began
        self._tests = frozenset(f"{row.grade_id}-test" for row in rows)
        unrun = {} if limits.experiments else plan.unrun(notebook)
        self.leaves_out_own = any(name.startswith(notebooks.ADDED) for name in unrun)  # the student's own cells
        self._budget = budget or SubmissionBudget(limits.submission_timeout_s)
        self._process = NotebookProcess(sandbox, files, self._budget)
        self._time = TimeLeft(limits, self._budget, self._process.cpu_steal_s)
        self._cells = CellRunner(self._process, self._time, self._budget, self._tests, unrun)
        self._executed = ExecutedNotebook(notebook)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.leave()

    @property
    def kills(self) -> list[str]:
        """The steps in which a process was killed, perhaps from outside."""
        return self._process.kills

    def measure_cells(self) -> dict[str, float]:
        """From now on filled with the seconds that each cell takes, without other programs' share."""
        self._cells.cell_times_s = {}
        return self._cells.cell_times_s

    def run_cells(self) -> NotebookNode:
        """The notebook with its outputs."""
        self._executed = self._execute(lambda cell: True)
        self._shown = self._shown or self._executed.notebook
        if not self._executed.complete:
            self._process.leave()
        self._time.restart()
        return self._executed.notebook

    def knows_reference(self, exercise: Exercise) -> bool:
        """Whether the exercise's reference was in a process of this grading before the child began that would try it.

        Then the child may have it from there, and what it returns earns nothing.
        """
        return exercise.function in (self._disclosed_before if self._process.runs else self._disclosed)

    def answer(self, exercise: Exercise) -> str:
        """The source of the exercise's own cell, without magics."""
        return next(notebooks.without_magics(cell.source) for cell in self._notebook.cells
                    if cell.id == exercise.grade_id)  # fmt: skip

    def call(self, exercise: Exercise, request: Mapping[str, Any], retry: bool = False) -> Any:
        """The child's answer to a question about an exercise (hostile data), or in words why there is none.

        A ``second`` try is made although the exercise's own test cell was stopped: that may have been another's fault.
        The references that it brings are those of the functions named in ``question["replace"]``.
        """
        why = self._why_not_tried(exercise, retry)
        if why:
            return why
        allowed_s = self._time.for_a_cell_s()
        self._disclosed.update(request.get("replace", ()))
        reply = self._process.ask({**request, "op": "probe", "snapshot": f"{exercise.grade_id}-test"}, allowed_s)
        if reply.end == "lost":
            self._process.lose(f"{exercise.grade_id}-{'second' if retry else 'probe'}", reply.why)
            return f"{NOT_TRIED}: {reply.why}."
        if reply.end == "timeout":
            return self._time.reason(ENDLESS, ENDLESS_LATE, allowed_s)
        undefined = reply.done.get("defined") is False
        return (self._why_undefined(exercise) if undefined else "") or reply.done

    def _why_not_tried(self, exercise: Exercise, retry: bool) -> str:
        """In words, why the function cannot be tried; empty where a child is there that has played the notebook."""
        test_cell = f"{exercise.grade_id}-test"
        if self.knows_reference(exercise):
            return f"{NOT_TRIED}. {DISCLOSED}"
        if test_cell in self._executed.problems and not retry:
            return self._executed.problems[test_cell]
        if late := self._time.late():
            return f"{NOT_TRIED}. {late}"
        if not self._process.runs and not self._budget.used_up:
            self._execute(self._defines)
        return "" if self._process.runs else f"{NOT_TRIED}. {NOT_RUN}"

    def _execute(self, is_needed: Callable[[NotebookNode], bool]) -> ExecutedNotebook:
        """The needed cells in a new child; again without the one that it did not outlive, but not too often."""
        restarts = 0
        while True:
            executed = ExecutedNotebook(copy.deepcopy(self._notebook))
            self._budget.spend(len(self._notebook.cells))
            self._time.add(self._process.begin())  # what it takes to make a child is no time of the notebook's
            self._disclosed_before = frozenset(self._disclosed)
            self._cells.run_all(executed, is_needed)
            if not executed.lost_at:
                return executed
            self._process.lose(executed.lost_at, executed.why)
            restarts += 1
            if restarts > MAX_RESTARTS or self._budget.used_up:
                return executed

    def _defines(self, cell: NotebookNode) -> bool:
        """Whether a function may need the cell: it is an answer, the student's own, or it imports something.

        What hung the first time would only hang again.
        """
        if cell.id in self._executed.problems:
            return False
        if notebooks.is_solution(cell) or cell.id.startswith(notebooks.ADDED):
            return True
        return cell.id not in self._tests and _IMPORTS.search(cell.source) is not None

    def _why_undefined(self, exercise: Exercise) -> str:
        """In words, what kept the answer's own cell from defining its function; empty where nothing did."""
        for cell in (self._shown or self._executed.notebook).cells:
            for output in cell.outputs if cell.id == exercise.grade_id and cell.cell_type == "code" else ():
                if output.output_type == "error":
                    what = _IN_A_FILE.sub(r" (line \1 of the cell)", output.evalue[:500])
                    what = what if output.ename == "NotRun" else f"{output.ename}: {what}"
                    said = "".join(c if c.isprintable() else " " for c in what)
                    return f"The cell of {exercise.function} does not run: {' '.join(said.split())}"[:500]
        return ""
