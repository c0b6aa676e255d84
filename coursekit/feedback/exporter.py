"""The exporter of nbgrader's GenerateFeedback, for nbgrader's command, the Formgrader's button and our command."""

from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode

from coursekit.feedback import cells, marks, page
from coursekit.model.course import Course
from coursekit.reference import assignments


class FeedbackExporter(Exporter):
    """An autograded notebook -> its feedback page. Set as ``GenerateFeedback.exporter_class``."""

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(  # type: ignore[override] # every exporter but the base class returns text
        self, nb: NotebookNode, resources: Any = None, **kw: Any
    ) -> tuple[str, Any]:
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        about = resources["nbgrader"]
        assignment, student = about["assignment"], about["student"]
        converter: Any = self.parent
        course = Course(Path(converter.coursedir.root))
        exercises = assignments.load(course, assignment)
        known = marks.read_marks(nb, exercises, about["notebook"], student, about["db_url"], self.config)
        # If there was nothing to grade, the notebook is the untouched release: not the student's work.
        rendered = () if known.problem else cells.render(nb, notes_shown_above=bool(known.notes))
        self._only_the_page(assignment, student)
        return page.render(known, cells.title(nb), rendered), resources

    def _only_the_page(self, assignment: str, student: str) -> None:
        """Delete from the student's feedback folder what GenerateFeedback has copied from the autograded folder.

        The page needs none of these files, and they may be harmful: an HTML page by the student, the target of a link.
        """
        converter: Any = self.parent
        pages = {Path(path).with_suffix(self.file_extension).name for path in converter.notebooks}
        folder = Path(converter.coursedir.root) / converter._format_dest(assignment, student)
        for path in sorted(folder.rglob("*"), reverse=True):  # the content of a folder before the folder
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            elif path.parent != folder or path.name not in pages:
                path.unlink()
