"""Experiments: cells tagged ``experiment``, which decide no mark, take long, and are not run at grading.

Read in this order: ``statements`` (which names code reads and binds, without running it), ``plan`` (which cells are not
run, and which of their statements are). ``marking.unrun_cells`` shows their submitted outputs.
"""

from typing import Any

from coursekit.model import notebooks

TAG = "experiment"


def is_tagged(cell: Any) -> bool:
    """Whether this code cell of a source notebook has the tag."""
    tags = cell.get("metadata", {}).get("tags", ())
    return cell.get("cell_type") == "code" and isinstance(tags, list | tuple) and TAG in tags


def is_graded(cell: Any) -> bool:
    """Whether the cell is an answer, a test, or otherwise graded, and so always run."""
    about = notebooks.grader_metadata(cell)
    return any(about.get(key) for key in ("solution", "grade", "task"))
