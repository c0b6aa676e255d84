"""The Formgrader's view of a submission, in which a person grades: cells rendered as on the feedback page.

nbgrader's template passes each cell to nbconvert's filters, which take 19 s for 20,000 ``<div>``, end with a
RecursionError in 2,000 nested tables, leave equations to a script of another host, and do not sanitise a student's
Markdown. So this preprocessor renders all cells before the template, within one budget, and the filters of the template
pass only what was rendered here.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup, escape
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook

from coursekit.feedback import cells
from coursekit.feedback.cells import Cell
from coursekit.marking.unrun_cells import is_labelled
from coursekit.model import notebooks


class RenderCells(Preprocessor):
    """Renders every cell and every output as safe HTML, which ``rendered`` passes. ``configuration`` sets it."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        student, assignment = resources["student"], resources["assignment_id"]
        view = cells.View(original=f"submitted/{student}/{assignment}/", headings_as_written=True, hidden_tests=True)
        graders = {cell.get("id"): notebooks.grader_metadata(cell) for cell in nb.cells if notebooks.grade_id(cell)}
        shown = cells.render(nb, notes_shown_above=False, view=view)
        made = [_cell(cell, graders.get(cell.cell_id)) for cell in shown]
        for place in _behind_experiments(nb, shown, graders):
            made[place]["source"] = _how_to_run_experiments(assignment, student) + made[place]["source"]
        if made:  # the head of the page is nbgrader's, and nbconvert writes its styles later
            made[0]["source"] = _style() + made[0]["source"]
        return new_notebook(cells=made), resources


def _behind_experiments(nb: NotebookNode, shown: Sequence[Cell], graders: Mapping[str, Any]) -> Iterator[int]:
    """The positions of answers for a person to mark that come after cells that were not run."""
    unrun = {str(cell.get("id", "")) for cell in nb.cells if is_labelled(cell)}
    behind = False
    for place, cell in enumerate(shown):
        behind = behind or cell.cell_id in unrun
        about = graders.get(cell.cell_id, {})
        if behind and (about.get("task") or (about.get("solution") and about.get("grade"))):
            yield place


def _how_to_run_experiments(assignment: str, student: str) -> Markup:
    """A note for the person who marks: the command that runs the experiments of this student."""
    command = f"coursekit grade {shlex.quote(assignment)} --student {shlex.quote(student)} --run-experiments"
    said = "Outputs above that are labelled as not run may be forged. To run these cells for this student:"
    return Markup('<p class="absent">{} <code>{}</code></p>').format(said, command)


def rendered(value: Any, *_: Any, **__: Any) -> Markup:
    """HTML that was rendered here unchanged; anything else escaped."""
    return value if isinstance(value, Markup) else escape(value)


def _cell(cell: Cell, grader: dict[str, Any] | None) -> NotebookNode:
    # Without new_code_cell and new_output: their validation takes time, and these cells are valid by construction.
    made: dict[str, Any] = {"id": cell.anchor, "cell_type": cell.kind, "source": _boxed(cell.html)}
    made["metadata"] = {"nbgrader": dict(grader)} if grader else {}
    if cell.kind == "code":
        found = re.fullmatch(r"\[(\d+)\]", cell.prompt)
        made["execution_count"] = int(found[1]) if found else None
        made["outputs"] = [_output(cell, place, made["execution_count"]) for place in range(len(cell.outputs))]
    return from_dict(made)


def _output(cell: Cell, place: int, count: int | None) -> dict[str, Any]:
    about = {"data": {"text/html": _boxed(cell.outputs[place])}, "metadata": {}}
    if place in cell.results:
        return {"output_type": "execute_result", "execution_count": count} | about
    return {"output_type": "display_data"} | about


@lru_cache(maxsize=1)
def _style() -> Markup:
    css = (files("coursekit.feedback") / "templates" / "formgrader.css").read_text(encoding="utf-8")
    return Markup(f"<style>{css}</style>")


def _boxed(html: str) -> Markup:
    """Safe HTML in a box with our style, which the page's MathJax ignores: equations are rendered already."""
    return Markup(f'<div class="submission tex2jax_ignore">{html}</div>')
