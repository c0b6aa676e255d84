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
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from nbformat import NotebookNode
from nbformat.v4 import new_output

from coursekit import notebooks
from coursekit.exercise import Exercise
from coursekit.experiments import plan
from coursekit.experiments import shown as as_handed_in
from coursekit.marking import outputs
from coursekit.sandbox.client import Child, Reply, Sandbox
from coursekit.sandbox.patience import LOOK_S, MOST, Hold

MAX_RESTARTS = 8
LEFT_OUT = "Left out, because the kernel was lost here: {why}."
NOT_RUN = "Not run: the kernel had died too often before."
OUT_OF_TIME = "Not run: the notebook took longer than {limit:g} s in all."
STOPPED = "This cell ran for more than {limit:g} s and was stopped."
STOPPED_LATE = "This cell was stopped: the notebook took longer than {limit:g} s in all."
ENDLESS = "It ran for more than {limit:g} s and was stopped: is there a loop without an end?"
ENDLESS_LATE = "It was stopped: the notebook took longer than {limit:g} s in all."
NOT_TRIED = "The function could not be tried"
TAUGHT = "Its process began after the right function had been in another one."
_KEEP_TIMEOUT_S = 10
# How the fork server, and those who wait for it, say what may have come from outside, such as a full memory.
_KILLED = ("signal 9 (SIGKILL)", "the sandbox has ended")
_IMPORTS = re.compile(r"(?m)^(?:import|from)\b")
_IN_A_FILE = re.compile(r" \([^()\s]+, line (\d+)\)$")  # of a SyntaxError: the file is IPython's name for the cell


@dataclass(frozen=True)
class Limits:
    """How long the student's code may take, in seconds: one cell, one call by the grader, all cells (and all calls).

    ``experiments``: whether the cells are run, too, that the author has tagged as experiments. No mark depends on it.

    The last limit is for all that is done for one submission, with second tries and whatever has to be run again.

    Time in which other programs had the processors does not count: marks do not depend on how busy a machine is.
    """

    cell_timeout_s: float = 30
    call_timeout_s: float = 5.0
    notebook_timeout_s: float = 300
    submission_timeout_s: float = 400
    experiments: bool = False


@dataclass
class _Played:
    """The notebook after its cells: ``trouble`` says in words, by cell, why there is nothing to ask behind it."""

    notebook: NotebookNode
    trouble: dict[str, str] = field(default_factory=dict)
    lost: str = ""  # the cell that the child did not outlive, behind which nothing ran
    why: str = ""  # in words
    whole: bool = True  # no cell was left out for want of time or of restarts


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
        limits: Limits,
        taught: set[str],
        hold: Hold | None = None,
        shown: NotebookNode | None = None,
    ) -> None:
        self._hold = hold or Hold(limits.submission_timeout_s)
        self._sandbox, self._notebook, self._files, self._limits = sandbox, notebook, files, limits
        self._taught, self._shown = taught, shown
        self._knows: frozenset[str] = frozenset(taught)  # what had been taught when the child began
        self._tests = {f"{row.grade_id}-test" for row in rows}
        self._unrun = {} if limits.experiments else plan.unrun(notebook)
        self.leaves_out_own = any(name.startswith(notebooks.ADDED) for name in self._unrun)  # the student's own cells
        self.seconds: dict[str, float] | None = None  # if set: what each cell took, without other programs' share
        self._deadline = time.monotonic() + limits.notebook_timeout_s
        self._fatal: dict[str, str] = {}  # steps that a child did not outlive, with why in words
        self.kills: list[str] = []  # the steps in which a process was killed, perhaps from outside
        self._child: Child | None = None
        self._born = 0.0
        self._open = ExitStack()
        self._played = _Played(notebook)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def cells(self) -> NotebookNode:
        """The notebook with its outputs."""
        self._played = self._play()
        self._shown = self._shown or self._played.notebook
        if not self._played.whole:
            self._leave()
        self._deadline = time.monotonic() + self._limits.notebook_timeout_s  # slow cells cost no function its time
        return self._played.notebook

    def knows(self, exercise: Exercise) -> bool:
        """Whether the exercise's reference was in a process of this grading before the child began that would try it.

        Then the child may have it from there, and what it returns earns nothing.
        """
        return exercise.function in (self._taught if self._child is None else self._knows)

    def answer(self, exercise: Exercise) -> str:
        """The source of the exercise's own cell, without magics."""
        return next(notebooks.without_magics(cell.source) for cell in self._notebook.cells
                    if cell.id == exercise.grade_id)  # fmt: skip

    def probe(self, exercise: Exercise, question: Mapping[str, Any], second: bool = False) -> Any:
        """The child's answer to a question about an exercise (hostile data), or in words why there is none.

        A ``second`` try is made although the exercise's own test cell was stopped: that may have been another's fault.
        The references that it brings are those of the functions named in ``question["replace"]``.
        """
        test_cell = f"{exercise.grade_id}-test"
        if self.knows(exercise):
            return f"{NOT_TRIED}. {TAUGHT}"
        if test_cell in self._played.trouble and not second:
            return self._played.trouble[test_cell]
        if late := self._late():
            return f"{NOT_TRIED}. {late}"
        if self._child is None and not self._hold.over:
            self._play(functions_only=True)
        if self._child is None:
            return f"{NOT_TRIED}. {NOT_RUN}"
        patience_s = self._patience()
        self._taught.update(question.get("replace", ()))
        reply = self._ask({**question, "op": "probe", "snapshot": test_cell}, patience_s)
        if reply.end == "lost":
            self._lose(f"{exercise.grade_id}-{'second' if second else 'probe'}", reply.why)
            return f"{NOT_TRIED}: {reply.why}."
        if reply.end == "timeout":
            return self._told(ENDLESS, ENDLESS_LATE, patience_s)
        undefined = reply.done.get("defined") is False
        return (self._why_undefined(exercise) if undefined else "") or reply.done

    def _play(self, functions_only: bool = False) -> _Played:
        """The cells in a new child; again without the one that it did not outlive, but not too often."""
        restarts = 0
        while True:
            played = _Played(copy.deepcopy(self._notebook))
            self._hold.play(len(self._notebook.cells))
            self._child = self._begin()
            self._run_all(played, functions_only)
            if not played.lost:
                return played
            self._lose(played.lost, played.why)
            restarts += 1
            if restarts > MAX_RESTARTS or self._hold.over:
                return played

    def _begin(self) -> Child:
        """A new child; what it takes to make one is no time of the notebook's."""
        began = time.monotonic()
        child = self._open.enter_context(self._sandbox.child(self._files))
        self._born = time.monotonic()
        self._deadline += self._born - began
        self._knows = frozenset(self._taught)
        return child

    def _lose(self, step: str, why: str) -> None:
        self._fatal[step] = why
        if any(words in why for words in _KILLED):
            self.kills.append(f"{step}: {why}")
        self._leave()

    def _leave(self) -> None:
        if self._child is not None and time.monotonic() - self._born > LOOK_S:
            self._hold.give_back(self._child.others_had_s())
        self._open.close()
        self._child = None

    def _run_all(self, played: _Played, functions_only: bool) -> None:
        shown: outputs.Shown = {}
        room = outputs.Room()
        for cell in played.notebook.cells:
            if cell.cell_type != "code":
                continue
            if cell.id in self._unrun and not self._is_defined(cell, played, functions_only):
                cell.outputs = as_handed_in.labelled(cell.outputs, room)
            elif why := self._fatal.get(cell.id, ""):
                why = LEFT_OUT.format(why=why)
                cell.outputs = [_error("NotRun", why)]
                played.trouble[cell.id] = f"{NOT_TRIED}. {why}"
            elif why := NOT_RUN if played.lost else self._late():
                cell.outputs = [_error("NotRun", why)]
                played.whole = False
            elif not functions_only or self._defines(cell):
                self._run(cell, played, shown, room)
            if cell.id in self._tests and not played.lost and (why := self._keep(cell.id)):
                played.lost, played.why = cell.id, why

    def _defines(self, cell: NotebookNode) -> bool:
        """Whether a function may need the cell: it is an answer, the student's own, or it imports something.

        What hung the first time would only hang again.
        """
        if cell.id in self._played.trouble:
            return False
        if notebooks.is_solution(cell) or cell.id.startswith(notebooks.ADDED):
            return True
        return cell.id not in self._tests and _IMPORTS.search(cell.source) is not None

    def _is_defined(self, cell: NotebookNode, played: _Played, functions_only: bool) -> bool:
        """Whether there is something to be run in a cell that is not run as a whole."""
        if played.lost or self._late() or cell.id in self._fatal:
            return False
        return bool(self._unrun[cell.id]) and (not functions_only or self._defines(cell))

    def _run(self, cell: NotebookNode, played: _Played, shown: outputs.Shown, room: outputs.Room) -> None:
        patience_s = self._patience()
        defined = self._unrun.get(cell.id)
        # In a student's own cell the markers are text; and looking for ends that never come takes minutes.
        source = notebooks.without_hidden(cell.source) if cell.id in self._tests else cell.source
        request = {"op": "run", "source": source if defined is None else defined, "store_history": defined is None}
        reply = self._ask(request, patience_s) if self.seconds is None else self._timed(cell.id, request, patience_s)
        if defined is None:
            cell.outputs = outputs.build(reply.events, shown=shown, dropped=reply.dropped, room=room)
            count = reply.done.get("execution_count")
            cell.execution_count = count if type(count) is int and 0 < count < 1 << 31 else None
        else:
            made = outputs.build(reply.events, dropped=reply.dropped, room=room)
            failed = [output for output in made if output.output_type == "error"]
            cell.outputs = [*as_handed_in.labelled(cell.outputs, room), *failed]
        if reply.end == "timeout":
            cell.outputs.append(_error("TimeoutError", self._told(STOPPED, STOPPED_LATE, patience_s)))
            played.trouble[cell.id] = self._told(ENDLESS, ENDLESS_LATE, patience_s)
        elif reply.end == "lost":
            cell.outputs.append(_error("KernelDied", reply.why))
            played.trouble[cell.id] = f"{NOT_TRIED}: {reply.why}."
            played.lost, played.why = cell.id, reply.why

    def _timed(self, cell_id: str, request: Mapping[str, Any], patience_s: float) -> Reply:
        assert self._child is not None
        assert self.seconds is not None
        began, had_s = time.monotonic(), self._child.others_had_s()
        reply = self._ask(request, patience_s)
        took_s = time.monotonic() - began
        self.seconds[cell_id] = took_s - max(0.0, self._child.others_had_s() - had_s)
        return reply

    def _keep(self, name: str) -> str:
        """A snapshot of the notebook's variables was taken; else in words why not."""
        reply = self._ask({"op": "keep", "name": name}, max(1.0, min(_KEEP_TIMEOUT_S, self._hold.left_s())))
        return "" if reply.end == "done" else reply.why

    def _ask(self, request: Mapping[str, Any], timeout_s: float) -> Reply:
        assert self._child is not None
        return self._child.ask(request, timeout_s)

    def _told(self, of_the_cell: str, of_the_notebook: str, patience_s: float) -> str:
        """In words, by which limit something was stopped that had so much patience."""
        if patience_s < self._limits.cell_timeout_s:
            return of_the_notebook.format(limit=self._whole_s())
        return of_the_cell.format(limit=self._limits.cell_timeout_s)

    def _whole_s(self) -> float:
        """The limit that ends first: of all cells (or all calls), or of all that is done for the submission."""
        held = self._hold.left_s() < self._deadline - time.monotonic()
        return self._limits.submission_timeout_s if held else self._limits.notebook_timeout_s

    def _late(self) -> str:
        return OUT_OF_TIME.format(limit=self._whole_s()) if self._left_s() < 0 else ""

    def _patience(self) -> float:
        return max(1.0, min(self._limits.cell_timeout_s, self._left_s()))

    def _left_s(self) -> float:
        """Of the notebook's time, and the submission's; where little is left, with what other programs had of it."""
        left_s, had_s = self._deadline - time.monotonic(), 0.0
        if min(left_s, self._hold.left_s()) < self._limits.cell_timeout_s and self._child is not None:
            had_s = self._child.others_had_s()
        return min(left_s + min(had_s, MOST * self._limits.notebook_timeout_s), self._hold.left_s(had_s))

    def _why_undefined(self, exercise: Exercise) -> str:
        """In words, what kept the answer's own cell from defining its function; empty where nothing did."""
        for cell in (self._shown or self._played.notebook).cells:
            for output in cell.outputs if cell.id == exercise.grade_id and cell.cell_type == "code" else ():
                if output.output_type == "error":
                    what = _IN_A_FILE.sub(r" (line \1 of the cell)", output.evalue[:500])
                    what = what if output.ename == "NotRun" else f"{output.ename}: {what}"
                    said = "".join(c if c.isprintable() else " " for c in what)
                    return f"The cell of {exercise.function} does not run: {' '.join(said.split())}"[:500]
        return ""


def _error(name: str, what: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=what, traceback=[what])
