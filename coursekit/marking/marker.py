"""One submission's notebook -> marks and the executed notebook. What a worker does, again and again.

The steps: run the cells, close the outputs, probe every exercise, judge; then try again, with right helpers, what lost
marks and leans on something wrong. The order matters: hidden inputs come behind the last output, and references behind
the last probe, earlier exercises first, so that a reference that leaks can only help where it is given anyway.
"""

import atexit
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Self

from nbformat import NotebookNode

from coursekit import notebooks, stubs
from coursekit.course import Course
from coursekit.marking import beforehand, judge, probe, verdicts
from coursekit.marking.quoting import Quoter
from coursekit.marking.runner import Limits, Run
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
SAME, MAX_RUNS, NO_MORE_RUNS_S = 3, 6, 300.0  # of a notebook that somebody kills: see ``Marker.mark``


@dataclass(frozen=True)
class Marked:
    """A notebook with its outputs, and its verdicts as data (``verdicts.as_data``), in its metadata too."""

    notebook: NotebookNode
    verdicts: dict[str, Any]
    kills: tuple[str, ...] = ()  # the steps in which it was killed, by itself or from outside


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

        Nothing tells who has killed a process: the notebook itself, or somebody outside, which must cost nobody a mark.
        So where one was killed all of it is run again, until nobody kills, or until the same has come out three times,
        as it does where a notebook kills itself.
        """
        begun, before, earlier = time.monotonic(), list[tuple[Any, ...]](), None
        hold = Hold(self._limits.submission_timeout_s)
        while True:
            marked = self._mark(notebook, files, notes, hold)
            if hold.over and earlier is not None:
                return earlier  # this run was cut short
            earlier = marked
            before.append((marked.kills, marked.verdicts))
            late = hold.over or time.monotonic() - begun > NO_MORE_RUNS_S
            if not marked.kills or before.count(before[-1]) == SAME or len(before) == MAX_RUNS or late:
                return marked

    def _mark(self, notebook: NotebookNode, files: Mapping[str, bytes], notes: Sequence[str], hold: Hold) -> Marked:
        quoter = Quoter.of(cell.source for cell in notebook.cells if cell.cell_type == "code")
        with Run(self._sandbox, notebook, self._rows, files, self._limits, hold) as run:
            executed = run.cells()
            first = [self._judge(row, run.probe(row, self._questions[row.key]), quoter) for row in self._rows]
            answers = {cell.id: notebooks.without_magics(cell.source) for cell in notebook.cells}
            final = self._with_second_tries(run, first, answers, quoter)
        return replace(self._marked(executed, final, notes), kills=tuple(run.kills))

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
        data = verdicts.as_data(self._assignment, final, written, notes, problem)
        notebook.metadata[verdicts.METADATA] = data
        return Marked(notebook, data)

    def _judge(self, row: Any, message: Any, quoter: Quoter) -> Verdict:
        return judge.judge(row, message, self._course, quoter)

    def _with_second_tries(
        self, run: Run, first: list[Verdict], answers: Mapping[str, str], quoter: Quoter
    ) -> list[Verdict]:
        final: list[Verdict] = []
        for verdict in first:
            row = verdict.exercise
            lost = verdicts.lost(final)
            wrong = [name for name in row.leans_on if name in lost]
            if wrong and not verdict.full:
                question = {
                    **self._questions[row.key],
                    **self._helpers.for_exercise(row),
                    "source": answers[row.grade_id],
                }
                second = self._judge(row, run.probe(row, question, second=True), quoter)
                verdict = verdicts.after_second_try(verdict, second, wrong)
            final.append(verdict)
        return final


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
