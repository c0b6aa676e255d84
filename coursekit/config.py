"""What nbgrader is told, for our own commands, for stock ``nbgrader`` and for the Formgrader alike."""

from pathlib import Path
from typing import Any

from coursekit import database
from coursekit.notebooks import BEGIN_SOLUTION, END_SOLUTION
from coursekit.stubs import TEXT_STUB

COURSE_ID = "dnn-from-scratch"


def configure(c: Any, root: Path) -> None:
    """Set up the configuration object of an nbgrader application for the course in ``root``."""
    from nbgrader import preprocessors as stock

    from coursekit import plugins, stock_reading
    from coursekit.feedback_page.exporter import FeedbackExporter
    from coursekit.feedback_page.formgrader import FILTERS, RenderCells

    c.CourseDirectory.root = str(root)
    c.CourseDirectory.course_id = COURSE_ID
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".*"]
    if named := database.named():
        c.CourseDirectory.db_url = named
    c.Exchange.root = str(root / ".coursekit" / "exchange")

    c.ClearSolutions.begin_solution_delimeter = BEGIN_SOLUTION
    c.ClearSolutions.end_solution_delimeter = END_SOLUTION
    c.ClearSolutions.text_stub = TEXT_STUB
    c.GenerateAssignment.preprocessors = [
        stock.LockCells,
        plugins.WriteStubs,
        stock.ClearOutput,
        stock.CheckCellMetadata,
        stock.ComputeChecksums,
        stock.SaveCells,
        stock.ClearHiddenTests,
        stock.ComputeChecksums,  # again, because hidden tests are part of a checksum
        stock.CheckCellMetadata,
        plugins.AddSharedFiles,
    ]

    c.Autograde.sanitize_preprocessors = [
        plugins.RebuildNotebook,  # first: the others trust ids and metadata
        stock.ClearOutput,
        stock.OverwriteKernelspec,
        stock.OverwriteCells,
        stock.CheckCellMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        plugins.MarkInSandbox,
        stock.LimitOutput,
        plugins.SaveVerdicts,  # before late penalties, which read the marks
        stock.AssignLatePenalties,
        stock.CheckCellMetadata,
    ]
    for step in (plugins.AddSharedFiles, plugins.RebuildNotebook, plugins.MarkInSandbox):
        c[step.__name__].course_root = str(root)
    stock_reading.install()  # what no option can say: how submissions are found and read

    # The Formgrader's view of a submission: safe and bounded before nbconvert's own steps see it.
    c.HTMLExporter.default_preprocessors = []
    c.HTMLExporter.preprocessors = [RenderCells]
    c.HTMLExporter.filters = FILTERS
    c.HTMLExporter.sanitize_html = True
    c.GenerateFeedback.exporter_class = FeedbackExporter
    c.GenerateFeedback.preprocessors = []  # the page reads the gradebook, hides hidden tests and sanitises by itself
