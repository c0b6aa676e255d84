"""nbgrader's release of feedback: what students get through the exchange is returned, and `grade` leaves it alone."""

import glob
import re
import shutil
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash

from coursekit.grading import gradebook, returned

_SECRET = "submission_secret.txt"  # of nbgrader's `submit`; the name of the released page is made from it


class ReleaseAndRecord(ExchangeReleaseFeedback):
    """nbgrader's release of feedback, which records each student whose page is released.

    nbgrader 0.9.6 reads the secret beside the page, where our pages have no other file; here it is read beside the
    submission. A submission that did not come through the exchange has none, and its page is named and left out.
    """

    def copy_files(self) -> None:
        excluded = self.coursedir.student_id_exclude.split(",")
        for found in sorted(glob.glob(f"{self.src_path}/*.html")):  # noqa: PTH207 - src_path is a pattern
            page = Path(found)
            student = self._student(page.parent)
            if student and student not in excluded:
                self._release(page, student)

    def _student(self, folder: Path) -> str:
        step, assignment = self.coursedir.feedback_directory, self.coursedir.assignment_id
        pattern = self.coursedir.format_path(step, "(?P<student>.*)", assignment, escape=True)
        found = re.fullmatch(pattern, str(folder))
        return found["student"] if found else ""

    def _release(self, page: Path, student: str) -> None:
        step, assignment = self.coursedir.submitted_directory, self.coursedir.assignment_id
        try:
            secret = Path(self.coursedir.format_path(step, student, assignment), _SECRET).read_text(encoding="utf-8")
        except (OSError, ValueError):
            self.log.warning("%s: not handed in through the exchange, so that no feedback is released", student)
            return
        name = notebook_hash(secret=secret, notebook_id=page.stem)
        part = Path(self.dest_path, f"{name}-tmp.html")
        shutil.copy(page, part)
        part.replace(Path(self.dest_path, f"{name}.html"))
        self.log.info("Feedback of '%s' on '%s' released", student, assignment)
        self._record(student)

    def _record(self, student: str) -> None:
        assignment = self.coursedir.assignment_id
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book:
            try:
                total = gradebook.marks_of(book.find_submission(assignment, student)).total
            except MissingEntry:  # a page of somebody who is no longer in the gradebook
                return
            returned.enter(book, assignment, {student: total})
