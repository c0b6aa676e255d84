"""The autograde override: ``nbgrader autograde`` and the Formgrader's button grade as ``coursekit grade`` does.

nbgrader 0.9.6 finds notebooks by the pattern ``submitted/<student>/<assignment>/*.ipynb``, skips those whose name is
not the source's, and reads them before any preprocessor runs: a renamed notebook, half a file or a zip archive gets no
mark. No option changes that: the exporter (``Autograde.exporter_class``) is created only if a notebook was found, hooks
swallow their exceptions, and nbgrader's applications name the class of the converter in their code. So a configuration
file can only replace that class by a subclass.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import NbGraderException

from coursekit.model import settings
from coursekit.model.course import Course
from coursekit.model.errors import CourseError

if TYPE_CHECKING:
    from coursekit.grading.grade import Graded

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
    """nbgrader's Autograde as another way to start a grading run of coursekit.

    The options that choose submissions, what is skipped without ``--force``, the log and the end of a run with failures
    are nbgrader's. The run is ``grading.grade``, which writes gradebook, ``autograded/`` and receipts.
    """

    def start(self) -> None:
        try:
            failed = self._grade(self._course())
        except CourseError as error:
            self._fail(str(error))
        except KeyboardInterrupt:
            self.log.error("Canceled")
            raise
        if failed:
            for student in failed:
                assignment = self.coursedir.assignment_id
                self.log.error(f"There was an error processing assignment '{assignment}' for student '{student}'")
            where = f"the error log ({self.logfile})" if self.logfile else "the above messages"
            self._fail(f"Please see {where} for details on the specific errors on the above failures.")

    def _course(self) -> Course:
        """The course, with the database that ``--db`` names, if that is given."""
        root = Path(self.coursedir.root)
        named = str(self.config.CourseDirectory.get("db_url", ""))
        return Course(root, given_db_url="" if named == settings.of(root).CourseDirectory.get("db_url") else named)

    def _fail(self, message: str) -> NoReturn:
        self.log.error(message)
        raise NbGraderException(message) from None

    def _grade(self, course: Course) -> list[str]:
        """Grade the chosen submissions; returns the students whose submission could not be graded."""
        # Imported here: every nbgrader command reads the configuration, and only this one grades.
        from coursekit.grading import grade, options
        from coursekit.nbgrader_plugin import unused_options

        for line in unused_options.messages_of_autograde(course, self.config):
            self.log.warning(line)
        submitted = [student for student in self._matched(course) if self._is_due(course, student)]
        strangers = self._not_in_gradebook(course, submitted)
        for student in strangers:
            self.log.error("No student with ID '%s' exists in the database", student)
        chosen = [student for student in submitted if student not in strangers]
        if not chosen:
            return strangers
        found = options.configured(self.config)
        self.log.info("Autograding %s", f"{len(chosen)} submissions" if len(chosen) > 1 else chosen[0])
        again = options.Again(force=True, accept=True, returned=self.force)
        done = grade.grade(course, self.coursedir.assignment_id, chosen, found, self._report, again)
        return [*strangers, *(one.student for one in done if one.failed)]

    def _matched(self, course: Course) -> list[str]:
        """The students with a submission whom ``--student``, ``--notebook`` and ``student_id_exclude`` choose."""
        asked = self.coursedir
        there = course.students(course.require(asked.assignment_id))
        if not fnmatchcase(asked.assignment_id, asked.notebook_id):
            self._fail(f"No notebook of '{asked.assignment_id}' was matched by '{asked.notebook_id}'")
        found = [student for student in there if fnmatchcase(student, asked.student_id)]
        if not found:
            pattern = course.submitted(asked.assignment_id, asked.student_id)
            self._fail(f"No submissions were matched by '{pattern}'")
        return [student for student in found if student not in asked.student_id_exclude.split(",")]

    def _is_due(self, course: Course, student: str) -> bool:
        """Whether to grade the submission, by nbgrader's rule: forced, not graded yet, or handed in later."""
        assignment = self.coursedir.assignment_id
        folder = course.autograded(assignment, student)
        if self.force or not (folder / f"{assignment}.ipynb").is_file():
            return True
        new, old = map(_handed_in, (course.submitted(assignment, student), folder))
        if new is not None and old is not None and new > old:
            self.log.warning("Updating existing assignment: %s", folder)
            return True
        self.log.info("Skipping existing assignment: %s", folder)
        return False

    def _not_in_gradebook(self, course: Course, students: Sequence[str]) -> list[str]:
        """Those of the students who may not be graded, because they would have to be created."""
        from coursekit.grading import gradebook

        if self.create_student:
            return []
        known = gradebook.students(course)
        return [student for student in students if student not in known]

    def _report(self, one: "Graded") -> None:
        """Log what became of a submission; give its files the permissions that nbgrader would give them."""
        if one.failed:
            self.log.error("%s: %s", one.student, one.problem)
            return
        if one.returned:
            assignment = self.coursedir.assignment_id
            self.log.warning("%s has %s back: not graded again without --force", one.student, assignment)
            return
        for message in filter(None, (*one.notes, one.problem)):
            self.log.warning("%s: %s", one.student, message)
        folder = Path(self.coursedir.root) / "autograded" / one.student / self.coursedir.assignment_id
        self._set_permissions(folder)
        self.log.info("Autograded %s", folder)

    def _set_permissions(self, folder: Path) -> None:
        mode = int(str(self.permissions), 8)
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(mode)
        for path in (folder, *folder.rglob("*"), *folder.parents[:2]) if self.coursedir.groupshared else ():
            if path.is_dir() and path.stat().st_mode & 0o2770 != 0o2770:
                try:
                    path.chmod((path.stat().st_mode | 0o2770) & 0o2777)
                except PermissionError:  # it belongs to another instructor
                    self.log.warning("Could not update permissions of %s to make it groupshared", path)


def _handed_in(folder: Path) -> datetime | None:
    """When a submission was handed in; None if that is unknown."""
    from coursekit.submission import dates, folders, supporting_files

    try:
        files, _ = supporting_files.timestamp(folders.listing(folder).files)
    except CourseError:
        return None
    return dates.of_timestamp(files.get(supporting_files.TIMESTAMP, b""))
