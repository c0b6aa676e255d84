"""The autograde override: ``nbgrader autograde`` and the Formgrader's button read submissions as coursekit does.

nbgrader 0.9.6 finds notebooks by the pattern ``submitted/<student>/<assignment>/*.ipynb``, skips those whose name is
not the source's, and reads them before any preprocessor runs: a renamed notebook, half a file or a zip archive gets no
mark. No option changes that: the exporter (``Autograde.exporter_class``) is created only if a notebook was found, hooks
swallow their exceptions, and nbgrader's applications name the class of the converter in their code. So a configuration
file can only replace that class by a subclass.
"""

import fnmatch
import glob
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from coursekit.grading import returned, workspace
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import loading

_AUTOGRADE = ("nbgrader.apps.autogradeapp", "nbgrader.apps.api")  # the command, and the Formgrader
_GENERATE = ("nbgrader.apps.generateassignmentapp", "nbgrader.apps.api")


def install() -> None:
    """Make the nbgrader applications in this process use the classes below; does nothing if there are none."""
    for names, converter in ((_AUTOGRADE, AutogradeAnything), (_GENERATE, GenerateWithoutHidden)):
        for name in names:
            if name in sys.modules:
                vars(sys.modules[name])[converter.__base__.__name__] = converter


class GenerateWithoutHidden(GenerateAssignment):
    """nbgrader's GenerateAssignment, which follows links in source/; a link into hidden/ is refused.

    The check runs before anything is copied and before an earlier release is removed.
    """

    def init_notebooks(self) -> None:
        super().init_notebooks()
        course = Course(Path(self.coursedir.root))
        for folder in self.assignments:
            try:
                course.trusted_files(Path(folder).name)
            except CourseError as error:
                self.log.error(str(error))
                raise NbGraderException(str(error)) from None


class AutogradeAnything(Autograde):
    """nbgrader's Autograde over normalised copies of the submissions, so that every submission can be graded.

    The copies are in a temporary folder that takes the place of ``submitted/``; each is made right before it is read.
    Options, logs, the gradebook and ``autograded/`` are nbgrader's own. A submission without a usable notebook gets the
    marks of an untouched one, and the reason in words.
    """

    def start(self) -> None:
        self._handed_in = self.coursedir.submitted_directory
        with workspace.folder(Course(Path(self.coursedir.root))) as copies:
            self._copies = copies
            with _submitted_in(self.coursedir, str(copies)):
                super().start()

    def init_notebooks(self) -> None:
        """List every student with a submission, with the one notebook that the copy will contain."""
        assignment = self.coursedir.assignment_id
        self.assignments = {}
        pattern = self._format_handed_in(self.coursedir.student_id)
        for folder in glob.glob(pattern) if fnmatch.fnmatch(assignment, self.coursedir.notebook_id) else ():  # noqa: PTH207 - as nbgrader does
            found = re.fullmatch(self._format_handed_in("(?P<student_id>[^/]*)", escape=True), folder)
            if found and Path(folder).is_dir():
                copy = self._format_source(assignment, found["student_id"])
                self.assignments[copy] = [str(Path(copy, f"{assignment}.ipynb"))]
        if not self.assignments:
            message = f"No submissions were matched by '{pattern}'"
            self.log.error(message)
            raise NbGraderException(message)

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Whether to grade the submission, as nbgrader decides from the submitted folder; if so, make the copy.

        Returned work is graded only with ``--force``, which the Formgrader's button implies.
        """
        loading.check_name(student_id)
        if not self.force and self._is_returned(assignment_id, student_id):
            self.log.warning("%s has %s back: not graded again without --force", student_id, assignment_id)
            return False
        with _submitted_in(self.coursedir, self._handed_in):
            wanted: bool = super().init_destination(assignment_id, student_id)
        if wanted:
            for earlier in self._copies.iterdir():
                shutil.rmtree(earlier)
            loaded = loading.load(Course(Path(self.coursedir.root)), assignment_id, student_id)
            for message in (loaded.problem, *loaded.notes):
                if message:
                    self.log.warning("%s: %s", student_id, message)
            loading.stage(loaded, Path(self._format_source(assignment_id, student_id)))
        return wanted

    def _is_returned(self, assignment_id: str, student_id: str) -> bool:
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            return student_id in returned.of(book, assignment_id)

    def _format_handed_in(self, student_id: str, escape: bool = False) -> str:
        assignment = self.coursedir.assignment_id
        return str(self.coursedir.format_path(self._handed_in, student_id, assignment, escape=escape))


@contextmanager
def _submitted_in(coursedir: CourseDirectory, folder: str) -> Iterator[None]:
    """Let nbgrader read submissions from this folder; restored after errors, too: the Formgrader reuses the object."""
    before, coursedir.submitted_directory = coursedir.submitted_directory, folder
    try:
        yield
    finally:
        coursedir.submitted_directory = before
