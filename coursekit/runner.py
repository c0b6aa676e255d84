"""Run a rebuilt notebook in a kernel, with a probe behind the test cell of every exercise.

The probe is sent by the grader and its answer is kept apart from the cell's outputs. A cell that hangs is interrupted;
a kernel that dies or does not answer is replaced and the notebook run again without the cell that did it, so that
one exercise's misfortune costs one exercise.
"""

import copy
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.preprocessors.execute import Execute
from traitlets import Float, Unicode

from coursekit import notebooks
from coursekit.course import Course
from coursekit.probe import MIME
from coursekit.submission import PROBLEM
from hidden_tests import Exercise, exercises

OBSERVATIONS = "coursekit_observations"
MAX_RESTARTS = 8
LEFT_OUT = "The kernel died here, so this was left out."
MAX_STREAM_CHARS = 200_000
CUT = "cut here by the grader: too much output"
NOT_RUN = "Not run: the kernel had died too often before."
_TIMEOUT_NAME = "CellTimeoutError"


class _KernelLost(Exception):
    """The kernel died or went deaf in the cell that the message names."""


class RunWithProbes(Execute):
    """nbgrader's Execute, with probes. What they saw is in ``resources[OBSERVATIONS]``, by exercise key."""

    course_root = Unicode("", help="The course directory.").tag(config=True)
    call_timeout_s = Float(5.0, help="Seconds for one call of a student's function by the grader.").tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook with its outputs. Starts over without a cell that killed its kernel, ``MAX_RESTARTS`` times."""
        if PROBLEM in nb.metadata:  # there is nothing of the student's to run
            resources[OBSERVATIONS] = {}
            return nb, resources
        assignment = resources["nbgrader"]["assignment"]
        self._exercises: dict[str, Exercise] = {f"{row.grade_id}-test": row for row in exercises(assignment)}
        self._fatal: set[str] = set()
        Course(Path(self.course_root)).put_trusted_files(assignment, Path(resources["metadata"]["path"]))
        while True:
            self._seen: dict[str, Any] = {}
            self._stopped: dict[str, NotebookNode | None] = {}
            resources[OBSERVATIONS] = self._seen
            self._last_try, self._dead = len(self._fatal) == MAX_RESTARTS, False
            try:
                return super().preprocess(copy.deepcopy(nb), resources, km)
            except _KernelLost as lost:
                self._fatal.add(str(lost))

    @contextmanager
    def setup_kernel(self, **kwargs: Any) -> Iterator[None]:
        """A kernel that finds the course's own modules, and no window to open a figure in."""
        path = os.pathsep.join([self.course_root, str(Path(__file__).parent.parent)])
        env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with ExitStack() as stack:  # nobody's own start-up files may take part
            for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR"):
                env[name] = stack.enter_context(tempfile.TemporaryDirectory(prefix="grading-"))
            stack.enter_context(super().setup_kernel(env=env, stderr=subprocess.DEVNULL, **kwargs))
            yield

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Run one cell; behind the test cell of an exercise, its probe."""
        if cell.cell_type != "code":
            return cell, resources
        whole, exercise = cell.source, self._exercises.get(notebooks.grade_id(cell) or "")
        cell.source = notebooks.without_hidden(whole)
        self._run(cell, cell.id, index)
        cell.source, cell.outputs = whole, joined(cell.outputs)
        if notebooks.is_solution(cell):
            self._stopped[cell.id] = next((o for o in cell.outputs if o.output_type == "error"), None)
        if exercise is not None:
            self._seen[exercise.key] = self._probe(cell, exercise, index)
            self.nb.cells[index] = cell
        return cell, resources

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Note that a cell asked its kernel to exit: it will do so a moment after its reply."""
        super().on_cell_executed(**kwargs)
        payload = kwargs["execute_reply"]["content"].get("payload") or []
        self._exits = any(item.get("source") == "ask_exit" for item in payload)

    def _run(self, cell: NotebookNode, name: str, index: int) -> None:
        """Run a cell unless it is known to be fatal; after a timeout make sure that the kernel still answers."""
        if self._dead or name in self._fatal:
            why = NOT_RUN if self._dead else LEFT_OUT
            cell.outputs = [new_output("error", ename="NotRun", evalue=why, traceback=[why])]
            return
        self._exits = False
        try:
            self.execute_cell(cell, index, store_history=name == cell.get("id"))
            lost = self._exits or (_timed_out(cell) and not self._answers(index))
        except (DeadKernelError, CellTimeoutError):
            lost = True
        if lost and not self._last_try:
            raise _KernelLost(name)
        self._dead = lost

    def _answers(self, index: int) -> bool:
        ping = new_code_cell("pass")
        timeout: int = self.trait_values()["timeout"]
        self.timeout = 5
        try:
            self.execute_cell(ping, index, store_history=False)
        finally:
            self.timeout = timeout
        return not _timed_out(ping)

    def _probe(self, cell: NotebookNode, exercise: Exercise, index: int) -> Any:
        """What the probe of an exercise saw; a string says in words why it saw nothing."""
        endless = f"It ran for more than {self.timeout} s and was stopped: is there a loop without an end?"
        if any(output.output_type == "error" and output.ename == "NotRun" for output in cell.outputs):
            return f"The function could not be tried: {cell.outputs[0].evalue}"
        if _timed_out(cell):
            return endless
        call = f"globals().get({exercise.function!r})"
        code = (
            f"__import__('coursekit.probe', fromlist=['probe']).probe({exercise.key!r}, {call}, {self.call_timeout_s})"
        )
        asked = new_code_cell(code)
        self._run(asked, f"{cell.id}-probe", index)
        if _timed_out(asked):
            return endless
        for output in asked.outputs:
            if output.output_type == "error":
                what = output.evalue if output.ename == "NotRun" else f"{output.ename}: {output.evalue}"
                return f"The function could not be tried: {what[:300]}"
            if output.output_type == "display_data" and MIME in output.data:
                answer = output.data[MIME]
                undefined = isinstance(answer, dict) and answer.get("defined") is False
                return (self._why_undefined(exercise) if undefined else "") or answer
        return "The grader got no answer from this exercise."

    def _why_undefined(self, exercise: Exercise) -> str:
        """In words, what kept the answer's own cell from defining its function; empty where nothing did."""
        error = self._stopped.get(exercise.grade_id)
        if error is None:
            return ""
        return f"The cell of {exercise.function} does not run: {error.ename}: {error.evalue}"[:500]


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with the pieces of each stream put together at the first one's place, and overlong text cut.

    Two gradings give the same notebook, however the kernel cut its output. (nbclient can join them too, but its time
    grows with the square of a line's length.)
    """
    whole: list[NotebookNode] = []
    streams: dict[str, list[str]] = {}
    for output in outputs:
        if output.output_type != "stream":
            whole.append(output)
        elif output.name in streams:
            streams[output.name].append(output.text)
        else:
            streams[output.name] = [output.text]
            whole.append(output)
    for output in whole:
        if output.output_type == "stream":
            text = "".join(streams[output.name])
            output.text = text if len(text) <= MAX_STREAM_CHARS else f"{text[:MAX_STREAM_CHARS]}\n[{CUT}]\n"
    return whole


def _timed_out(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" and output.ename == _TIMEOUT_NAME for output in cell.outputs)
