"""What nbgrader is told, for our own commands, for stock ``nbgrader`` and for the Formgrader alike."""

from pathlib import Path
from typing import Any

from coursekit.notebooks import BEGIN_SOLUTION, END_SOLUTION
from coursekit.stubs import TEXT_STUB

COURSE_ID = "dnn-from-scratch"


def configure(c: Any, root: Path) -> None:
    """Set up the configuration object of an nbgrader application for the course in ``root``."""
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
    from nbconvert.preprocessors.sanitize import SanitizeHTML
    from nbgrader import preprocessors as stock

    from coursekit import plugins, runner

    c.CourseDirectory.root = str(root)
    c.CourseDirectory.course_id = COURSE_ID
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".*"]
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
        runner.RunWithProbes,
        stock.LimitOutput,
        plugins.SaveVerdicts,  # before late penalties, which read the marks
        stock.AssignLatePenalties,
        stock.CheckCellMetadata,
    ]
    for step in (plugins.AddSharedFiles, plugins.RebuildNotebook, plugins.SaveVerdicts, runner.RunWithProbes):
        c[step.__name__].course_root = str(root)
    c.Execute.timeout = 30
    c.Execute.record_timing = False  # two gradings of the same notebook give the same file
    c.Execute.shutdown_kernel = "immediate"

    # Our figures are HTML for the sake of their alt text, and PNG, which needs no trust: here the PNG is shown.
    c.NbConvertBase.display_data_priority = [
        "image/png",
        "image/jpeg",
        "text/html",
        "text/markdown",
        "text/latex",
        "text/plain",
    ]
    c.SanitizeHTML.enabled = True  # nbconvert's own preprocessors are off unless they are told
    c.GenerateFeedback.preprocessors = [
        plugins.GetGradesAsText,
        stock.ClearHiddenTests,
        SanitizeHTML,  # a submission's scripts must not run in anybody's browser
        CSSHTMLHeaderPreprocessor,
    ]
