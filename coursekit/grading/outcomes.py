"""Grade one submission: from its files and the course to an outcome, a value. Nothing is written."""

import traceback
from dataclasses import dataclass, field, replace
from datetime import datetime

from coursekit.marking import graded_verdicts, unrun_cells
from coursekit.marking.graded_verdicts import GradedVerdicts
from coursekit.marking.marker import Marked, Marker
from coursekit.model import notebooks
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line_with_type
from coursekit.submission import candidates, loading, rebuild, supporting_files


@dataclass(frozen=True)
class Outcome:
    """The result of grading one submission: ``notebook`` as text, the student ``files`` beside it, the ``verdicts``.

    If the engine failed, ``failure`` is one line and ``log`` the traceback.
    """

    student: str
    notebook: str = ""
    verdicts: GradedVerdicts = field(default_factory=GradedVerdicts)
    files: dict[str, bytes] = field(default_factory=dict)
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
    files = dict(loaded.supporting)
    if loaded.match is None:
        notebook = rebuild.with_notes(candidates.released(course, assignment), loaded.notes)
        return _outcome(student, marker.mark_unusable(notebook, loaded.problem), loaded.notes, files)
    rebuilt = rebuild.rebuild(candidates.source_of(course, assignment), loaded.match)
    unrun_cells.put_in(rebuilt.notebook, rebuilt.handed_in)
    notes = (*loaded.notes, *rebuilt.repairs)
    return _outcome(student, marker.mark(rebuild.with_notes(rebuilt.notebook, notes), files), notes, files)


def _outcome(student: str, marked: Marked, notes: tuple[str, ...], files: dict[str, bytes]) -> Outcome:
    verdicts = replace(marked.verdicts, notes=notes)
    shown = replace(verdicts, nonces=())  # a notebook that is graded again stays the same
    marked.notebook.metadata[graded_verdicts.METADATA] = graded_verdicts.to_data(shown)
    return Outcome(student, notebooks.dumps(marked.notebook), verdicts, files)
