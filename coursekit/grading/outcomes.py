"""Grade one submission: from its files and the course to an outcome, a value. Nothing is written."""

import traceback
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coursekit.marking import unrun_cells
from coursekit.marking.marker import Marker
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.submission import candidates, loading, rebuild, supporting_files


@dataclass(frozen=True)
class Outcome:
    """The result of grading one submission: ``verdicts`` as in ``verdicts.as_data``, ``notebook`` as text.

    ``problem`` says why there was nothing to grade. If the engine failed, ``failure`` is one line and ``log`` the
    traceback.
    """

    student: str
    notebook: str = ""
    verdicts: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""
    failure: str = ""
    log: str = ""

    @property
    def handed_in_at(self) -> datetime | None:
        """The time of submission in timestamp.txt, written by nbgrader's collect or by the student; None without."""
        from coursekit.submission import dates  # imports nbgrader, which takes a second and which workers do not need

        return dates.of_timestamp(self.files.get(supporting_files.TIMESTAMP, b""))


def examine(course: Course, assignment: str, student: str, marker: Marker) -> Outcome:
    """Load, rebuild and mark one student's submission. Errors are reported in the outcome, never raised."""
    try:
        loading.check_name(student)
        return _examine(course, assignment, student, marker)
    except CourseError as error:
        return Outcome(student, failure=str(error))
    except Exception as error:  # the boundary of one submission: the others are still graded
        log = "".join(traceback.format_exception(error))
        return Outcome(student, failure=one_line_with_type(error), log=log)


def _examine(course: Course, assignment: str, student: str, marker: Marker) -> Outcome:
    loaded = loading.load(course, assignment, student)
    rebuilt = rebuild.rebuild(candidates.source_of(course, assignment), loaded.notebook)
    files = dict(loaded.supporting)
    if loaded.problem:
        notes = loaded.notebook.metadata[loading.NOTES]
        notebook = rebuild.with_notes(rebuilt.notebook, tuple(notes))
        marked = marker.mark_unusable(notebook, loaded.problem, notes)
        return Outcome(student, notebooks.dumps(marked.notebook), marked.verdicts, files, problem=loaded.problem)
    unrun_cells.put_in(rebuilt.notebook, rebuilt.handed_in)
    notes = (*loaded.notes, *rebuilt.repairs)
    notebook = rebuild.with_notes(rebuilt.notebook, notes)
    marked = marker.mark(notebook, files, notes)
    return Outcome(student, notebooks.dumps(marked.notebook), marked.verdicts, files, notes)
