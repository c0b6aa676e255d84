"""The configuration of nbgrader, for our commands, for stock ``nbgrader`` and for the Formgrader."""

from pathlib import Path
from typing import Any

from coursekit.model import database
from coursekit.model.notebooks import BEGIN_SOLUTION, END_SOLUTION
from coursekit.model.stubs import TEXT_STUB

_OURS, _VIEW = "coursekit.nbgrader_plugin.preprocessors", "coursekit.nbgrader_plugin.formgrader_view"
# The filters of nbgrader's template that would render parts of a submission themselves.
_RENDERED = ("markdown2html", "highlight_code", "clean_html", "ansi2html", "strip_files_prefix")


class _Names:
    """nbgrader's preprocessors by name."""

    def __getattr__(self, name: str) -> str:
        return f"nbgrader.preprocessors.{name}"


stock = _Names()


def configure(c: Any, root: Path) -> None:
    """Set up the configuration object of an nbgrader application for the course in ``root``.

    Classes are given by name, not imported: most commands read a configuration and use none of them.
    """
    c.CourseDirectory.root = str(root)
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".*"]
    if named := database.from_environment():
        c.CourseDirectory.db_url = named
    c.Exchange.root = str(root / ".coursekit" / "exchange")
    c.ExchangeFactory.release_assignment = f"{_OURS}.ReleaseWithoutHidden"
    c.ExchangeFactory.release_feedback = "coursekit.nbgrader_plugin.returning.ReleaseAndRecord"

    c.ClearSolutions.begin_solution_delimeter = BEGIN_SOLUTION
    c.ClearSolutions.end_solution_delimeter = END_SOLUTION
    c.ClearSolutions.text_stub = TEXT_STUB
    c.GenerateAssignment.preprocessors = [
        stock.LockCells,
        f"{_OURS}.WriteStubs",
        stock.ClearOutput,
        stock.CheckCellMetadata,
        stock.ComputeChecksums,
        stock.SaveCells,
        stock.ClearHiddenTests,
        stock.ComputeChecksums,  # again, because hidden tests are part of a checksum
        stock.CheckCellMetadata,
        f"{_OURS}.AddSharedFiles",
    ]

    c.AddSharedFiles.course_root = str(root)

    c.Autograde.sanitize_preprocessors = []  # ``autograde`` takes the place of all steps but one
    c.Autograde.autograde_preprocessors = [stock.AssignLatePenalties]

    # The Formgrader's view of a submission: sanitised and limited in size before nbconvert's own steps.
    c.HTMLExporter.default_preprocessors = []
    c.HTMLExporter.preprocessors = [f"{_VIEW}.RenderCells"]
    c.HTMLExporter.filters = dict.fromkeys(_RENDERED, f"{_VIEW}.rendered")
    c.HTMLExporter.sanitize_html = True
    c.GenerateFeedback.exporter_class = "coursekit.feedback.exporter.FeedbackExporter"
    c.GenerateFeedback.preprocessors = []  # the page reads the gradebook, hides hidden tests and sanitises by itself
