"""Runs the cells of a notebook one after another in a child, and puts their outputs into the notebook."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from coursekit.marking import outputs
from coursekit.marking import unrun_cells as as_handed_in
from coursekit.marking.notebook_process import NotebookProcess
from coursekit.marking.stop_reasons import ENDLESS, ENDLESS_LATE, LEFT_OUT, NOT_RUN, NOT_TRIED, STOPPED, STOPPED_LATE
from coursekit.marking.time_left import TimeLeft
from coursekit.model import notebooks
from coursekit.sandbox.reply import Reply
from coursekit.sandbox.timeouts import SubmissionBudget

_SNAPSHOT_TIMEOUT_S = 10


@dataclass
class ExecutedNotebook:
    """A notebook after one run of its cells.

    notebook    with the outputs of this run
    problems    by cell id, why the function that the cell tests cannot be called
    lost_at     the id of the cell in which the child ended, after which no cell ran; empty if none
    why         why the child ended
    complete    no cell was left out for lack of time or of restarts
    displays    the displays of all cells by id, for later updates
    room        what is left of the output limits of the notebook
    """

    notebook: NotebookNode
    problems: dict[str, str] = field(default_factory=dict)
    lost_at: str = ""
    why: str = ""
    complete: bool = True
    displays: outputs.Displays = field(default_factory=dict)
    room: outputs.Room = field(default_factory=outputs.Room)


class CellRunner:
    """Runs cells in the current child of a ``NotebookProcess``.

    ``tests`` are the ids of the test cells; after each the child takes a snapshot of the variables. ``unrun`` has the
    cells that are not run completely: by id, the part that is run (``experiments.plan.unrun``).
    """

    def __init__(
        self,
        process: NotebookProcess,
        time_left: TimeLeft,
        budget: SubmissionBudget,
        tests: frozenset[str],
        unrun: Mapping[str, str],
    ) -> None:
        self._process, self._time, self._budget = process, time_left, budget
        self._tests, self._unrun = tests, unrun
        self.cell_times_s: dict[str, float] | None = None  # by cell id, without CPU steal time; None: not measured

    def run_all(self, executed: ExecutedNotebook, is_needed: Callable[[NotebookNode], bool]) -> None:
        """Run the needed cells, up to one in which the child ends."""
        for cell in executed.notebook.cells:
            if cell.cell_type != "code":
                continue
            self._run_or_explain(cell, executed, is_needed)
            if cell.id in self._tests and not executed.lost_at and (why := self._take_snapshot(cell.id)):
                executed.lost_at, executed.why = cell.id, why

    def _run_or_explain(
        self, cell: NotebookNode, executed: ExecutedNotebook, is_needed: Callable[[NotebookNode], bool]
    ) -> None:
        """Run the cell; if it may not run, show the reason as its output."""
        if cell.id in self._unrun and not (self._may_run(cell, executed) and self._unrun[cell.id] and is_needed(cell)):
            cell.outputs = as_handed_in.labelled(cell.outputs, executed.room)
        elif why := self._process.fatal.get(cell.id, ""):
            why = LEFT_OUT.format(why=why)
            cell.outputs = [_error("NotRun", why)]
            executed.problems[cell.id] = f"{NOT_TRIED}. {why}"
        elif why := NOT_RUN if executed.lost_at else self._time.late():
            cell.outputs = [_error("NotRun", why)]
            executed.complete = False
        elif is_needed(cell):
            self._run(cell, executed)

    def _may_run(self, cell: NotebookNode, executed: ExecutedNotebook) -> bool:
        """Whether there is a child, and time, and the cell has not ended a child before."""
        return not (executed.lost_at or self._time.late() or cell.id in self._process.fatal)

    def _run(self, cell: NotebookNode, executed: ExecutedNotebook) -> None:
        allowed_s = self._time.for_a_cell_s()
        part = self._unrun.get(cell.id)
        if part is None:
            # Only in test cells: in a student's own cell the markers are text, and seeking missing ends takes minutes.
            source = notebooks.without_hidden(cell.source) if cell.id in self._tests else cell.source
            reply = self._ask(cell.id, {"op": "run", "source": source, "store_history": True}, allowed_s)
            cell.outputs = outputs.build(
                reply.events, displays=executed.displays, dropped=reply.dropped, room=executed.room
            )
            count = reply.done.get("execution_count")
            cell.execution_count = count if type(count) is int and 0 < count < 1 << 31 else None
        else:
            reply = self._ask(cell.id, {"op": "run", "source": part, "store_history": False}, allowed_s)
            made = outputs.build(reply.events, dropped=reply.dropped, room=executed.room)
            failed = [output for output in made if output.output_type == "error"]
            cell.outputs = [*as_handed_in.labelled(cell.outputs, executed.room), *failed]
        self._explain_end(cell, executed, reply, allowed_s)

    def _explain_end(self, cell: NotebookNode, executed: ExecutedNotebook, reply: Reply, allowed_s: float) -> None:
        """Add an error output to a cell that was stopped, or in which the child ended."""
        if reply.end == "timeout":
            cell.outputs.append(_error("TimeoutError", self._time.reason(STOPPED, STOPPED_LATE, allowed_s)))
            executed.problems[cell.id] = self._time.reason(ENDLESS, ENDLESS_LATE, allowed_s)
        elif reply.end == "lost":
            cell.outputs.append(_error("KernelDied", reply.why))
            executed.problems[cell.id] = f"{NOT_TRIED}: {reply.why}."
            executed.lost_at, executed.why = cell.id, reply.why

    def _ask(self, cell_id: str, request: Mapping[str, Any], allowed_s: float) -> Reply:
        if self.cell_times_s is None:
            return self._process.ask(request, allowed_s)
        began, steal_s = time.monotonic(), self._process.cpu_steal_s()
        reply = self._process.ask(request, allowed_s)
        took_s = time.monotonic() - began
        self.cell_times_s[cell_id] = took_s - max(0.0, self._process.cpu_steal_s() - steal_s)
        return reply

    def _take_snapshot(self, name: str) -> str:
        """Take a snapshot of the notebook's variables; returns why that failed, or an empty text."""
        timeout_s = max(1.0, min(_SNAPSHOT_TIMEOUT_S, self._budget.left_s()))
        reply = self._process.ask({"op": "keep", "name": name}, timeout_s)
        return "" if reply.end == "done" else reply.why


def _error(name: str, what: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=what, traceback=[what])
