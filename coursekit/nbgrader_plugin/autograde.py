"""Stock ``nbgrader autograde`` and the Formgrader's button, reading what students hand in the way that we do.

nbgrader 0.9.6 finds notebooks by the pattern ``submitted/<student>/<assignment>/*.ipynb``, passes over those whose name
is not the source's, and reads them before any preprocessor can act: a renamed notebook, half a file or a zip archive
gets no mark. No option reaches that far: the exporter (``Autograde.exporter_class``) is made only when a notebook was
found, hooks swallow their exceptions, and the class of the converter is written into nbgrader's applications. So the
one thing that a configuration file can do is to put a subclass in that place.
"""

import fnmatch
import glob
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from coursekit.grading import workspace
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import loading

_AUTOGRADE = ("nbgrader.apps.autogradeapp", "nbgrader.apps.api")  # the command, and the Formgrader
_GENERATE = ("nbgrader.apps.generateassignmentapp", "nbgrader.apps.api")


def install() -> None:
    """The nbgrader applications in this process use the classes below; where there are none nothing changes."""
    for names, converter in ((_AUTOGRADE, AutogradeAnything), (_GENERATE, GenerateWithoutHidden)):
        for name in names:
            if name in sys.modules:
                vars(sys.modules[name])[converter.__base__.__name__] = converter


class GenerateWithoutHidden(GenerateAssignment):
    """nbgrader's GenerateAssignment, which copies what a link in source/ points to: one into hidden/ is refused.

    That is before anything is copied, or any earlier release removed.
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
    """nbgrader's Autograde over readable copies of the submissions: whatever is in a folder, it is graded.

    The copies lie in a scratch folder in the place of ``submitted/``, each made right before it is read. Options,
    logs, the gradebook and ``autograded/`` are nbgrader's own. A submission without a usable notebook gets the marks
    of an untouched one, and the reason in words.
    """

    def start(self) -> None:
        self._handed_in = self.coursedir.submitted_directory
        with workspace.folder(Course(Path(self.coursedir.root))) as copies:
            self._copies = copies
            with _submitted_in(self.coursedir, str(copies)):
                super().start()

    def init_notebooks(self) -> None:
        """Every student who handed something in, with the one notebook that the copy will hold."""
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
        """Whether it is to be graded, as nbgrader decides it from the folder handed in; if so the copy is there."""
        loading.check_name(student_id)
        with _submitted_in(self.coursedir, self._handed_in):
            wanted: bool = super().init_destination(assignment_id, student_id)
        if wanted:
            for earlier in self._copies.iterdir():
                shutil.rmtree(earlier)
            loaded = loading.load(Course(Path(self.coursedir.root)), assignment_id, student_id)
            for told in (loaded.problem, *loaded.notes):
                if told:
                    self.log.warning("%s: %s", student_id, told)
            loading.stage(loaded, Path(self._format_source(assignment_id, student_id)))
        return wanted

    def _format_handed_in(self, student_id: str, escape: bool = False) -> str:
        assignment = self.coursedir.assignment_id
        return str(self.coursedir.format_path(self._handed_in, student_id, assignment, escape=escape))


@contextmanager
def _submitted_in(coursedir: CourseDirectory, folder: str) -> Iterator[None]:
    """nbgrader looks for submissions in this folder; the Formgrader goes on using the object, also after a failure."""
    before, coursedir.submitted_directory = coursedir.submitted_directory, folder
    try:
        yield
    finally:
        coursedir.submitted_directory = before
