"""Runs a rebuilt notebook in a sandbox: first its cells, with their outputs; then function calls, without outputs.

A cell or a call that hangs is stopped. If the child is lost (it ended, or does not answer), a new one runs the notebook
again without the step that caused it, so that a problem in one exercise costs only that exercise. If this happens too
often, or takes too long, the remaining outputs are missing; but the functions are still called, in children that run
only the cells that define them.

Hidden inputs enter a child only after the last cell, so that no output and no file of a notebook can contain one. No
expected output and no right function ever does.
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
from coursekit.sandbox.request import Helper
from coursekit.sandbox.timeouts import SubmissionBudget

MAX_RESTARTS = 8
_IMPORTS = re.compile(r"(?m)^(?:import|from)\b")
_IN_A_FILE = re.compile(r" \([^()\s]+, line (\d+)\)$")  # of a SyntaxError: the file is IPython's name for the cell


class Run:
    """One run of a notebook in a sandbox; a context manager. Call ``run_cells`` first, then ``call`` for each request.

    Once the outputs are settled, later runs get the notebook with them as ``shown``, and quote only from that.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        notebook: NotebookNode,
        rows: Sequence[Exercise],
        files: Mapping[str, bytes],
        limits: TimeLimits,
        budget: SubmissionBudget | None = None,
        shown: NotebookNode | None = None,
    ) -> None:
        self._notebook, self._shown = notebook, shown
        self._tests = frozenset(f"{row.grade_id}-test" for row in rows)
        unrun = {} if limits.experiments else plan.unrun(notebook)
        self.skips_own_cells = any(name.startswith(notebooks.ADDED) for name in unrun)  # the student's own cells
        self._budget = budget or SubmissionBudget(limits.submission_timeout_s)
        self._process = NotebookProcess(sandbox, files, self._budget)
        self._time = TimeLeft(limits, self._budget, self._process.cpu_steal_s)
        self._cell_runner = CellRunner(self._process, self._time, self._budget, self._tests, unrun)
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
        """A dictionary that each cell run adds its seconds to, without CPU steal time."""
        self._cell_runner.cell_times_s = {}
        return self._cell_runner.cell_times_s

    def run_cells(self) -> NotebookNode:
        """Run the cells; returns the notebook with its outputs."""
        self._executed = self._execute(lambda cell: True)
        self._shown = self._shown or self._executed.notebook
        if not self._executed.complete:
            self._process.leave()
        self._time.restart()
        return self._executed.notebook

    def answer(self, exercise: Exercise) -> str:
        """The source of the exercise's own cell, without magics."""
        return next(notebooks.without_magics(cell.source) for cell in self._notebook.cells
                    if cell.id == exercise.grade_id)  # fmt: skip

    def call(self, exercise: Exercise, request: Mapping[str, Any], helper: Helper | None = None) -> Any:
        """The child's reply to a request for an exercise (untrusted data), or a text that says why there is none.

        In a follow-through retry, ``helper`` answers the calls of right functions. A retry is made even if the
        exercise's own test cell was stopped: another function may have caused that.
        """
        why = self._why_not_tried(exercise, helper is not None)
        if why:
            return why
        allowed_s = self._time.for_a_cell_s()
        request = {**request, "op": "probe", "snapshot": f"{exercise.grade_id}-test"}
        reply = self._process.ask(request, allowed_s, helper)
        if reply.end == "lost":
            self._process.lose(f"{exercise.grade_id}-{'second' if helper else 'probe'}", reply.why)
            return f"{NOT_TRIED}: {reply.why}."
        if reply.end == "timeout":
            return self._time.reason(ENDLESS, ENDLESS_LATE, allowed_s)
        undefined = reply.done.get("defined") is False
        return (self._why_undefined(exercise) if undefined else "") or reply.done

    def _why_not_tried(self, exercise: Exercise, retry: bool) -> str:
        """Why the function cannot be called; empty if there is a child that has run the notebook.

        Starts a child if there is none.
        """
        test_cell = f"{exercise.grade_id}-test"
        if test_cell in self._executed.problems and not retry:
            return self._executed.problems[test_cell]
        if late := self._time.late():
            return f"{NOT_TRIED}. {late}"
        if not self._process.runs and not self._budget.used_up:
            self._execute(self._defines)
        return "" if self._process.runs else f"{NOT_TRIED}. {NOT_RUN}"

    def _execute(self, is_needed: Callable[[NotebookNode], bool]) -> ExecutedNotebook:
        """Run the needed cells in a new child. If it ends in a cell, repeat without that cell (``MAX_RESTARTS``)."""
        restarts = 0
        while True:
            executed = ExecutedNotebook(copy.deepcopy(self._notebook))
            self._budget.spend(len(self._notebook.cells))
            self._time.add(self._process.begin())  # the fork does not count for the notebook
            self._cell_runner.run_all(executed, is_needed)
            if not executed.lost_at:
                return executed
            self._process.lose(executed.lost_at, executed.why)
            restarts += 1
            if restarts > MAX_RESTARTS or self._budget.used_up:
                return executed

    def _defines(self, cell: NotebookNode) -> bool:
        """Whether a function may need the cell: it is an answer, the student's own, or it imports something.

        A cell that hung the first time would only hang again.
        """
        if cell.id in self._executed.problems:
            return False
        if notebooks.is_solution(cell) or cell.id.startswith(notebooks.ADDED):
            return True
        return cell.id not in self._tests and _IMPORTS.search(cell.source) is not None

    def _why_undefined(self, exercise: Exercise) -> str:
        """The error that kept the answer's cell from defining its function; empty if there was none."""
        for cell in (self._shown or self._executed.notebook).cells:
            for output in cell.outputs if cell.id == exercise.grade_id and cell.cell_type == "code" else ():
                if output.output_type == "error":
                    what = _IN_A_FILE.sub(r" (line \1 of the cell)", output.evalue[:500])
                    what = what if output.ename == "NotRun" else f"{output.ename}: {what}"
                    said = "".join(c if c.isprintable() else " " for c in what)
                    return f"The cell of {exercise.function} does not run: {' '.join(said.split())}"[:500]
        return ""
