"""Hashes of a submission's answers; they show whether a person has already read an answer."""

import hashlib
import json
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from coursekit.model import notebooks


def digests(notebook: NotebookNode) -> dict[str, str]:
    """The hash of each answer, text or code with its pictures, by the ``grade_id`` of its cell.

    Trailing blanks and blank lines around an answer do not count.
    """
    return {
        name: _digest(cell)
        for cell in notebook.cells
        if (notebooks.is_solution(cell) or notebooks.grader_metadata(cell).get("task"))
        and (name := notebooks.grade_id(cell))
    }


def in_file(path: Path) -> dict[str, str]:
    """The hashes of the answers in an autograded notebook; empty if the file is missing or unreadable."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return digests(notebooks.parse(json.dumps(raw), path))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def _digest(cell: NotebookNode) -> str:
    text = "\n".join(line.rstrip() for line in cell.source.strip().splitlines())
    pictures: Any = cell.get("attachments", {})
    said = json.dumps([text, pictures], sort_keys=True, default=str)
    return hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:32]
