"""Cells that an author tags ``experiment``: they decide no mark, cost much time, and are not run at grading.

Read in this order: ``statements`` (what code reads and gives, without running it), ``plan`` (which cells are not run,
and what of them is). What they showed when they were handed in: ``marking.unrun_cells``.
"""

from typing import Any

from coursekit.model import notebooks

TAG = "experiment"


def is_tagged(cell: Any) -> bool:
    """Whether the author has tagged this code cell of a source notebook."""
    tags = cell.get("metadata", {}).get("tags", ())
    return cell.get("cell_type") == "code" and isinstance(tags, list | tuple) and TAG in tags


def is_graded(cell: Any) -> bool:
    """Whether the cell is an answer, a test, or graded in another way: then it is always run."""
    about = notebooks.grader_metadata(cell)
    return any(about.get(key) for key in ("solution", "grade", "task"))
