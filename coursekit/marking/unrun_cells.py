"""What cells that are not run showed when they were handed in: sanitised and bounded like all outputs, and labelled.

Whoever hands in a notebook can write any outputs into it. So they pass what the outputs of cells pass that are run,
and the first thing that they show is a sentence of the grader's, for every reader of the notebook.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from coursekit.experiments import plan
from coursekit.marking import outputs
from coursekit.marking.output_limits import Room

LABEL = "[Not run for grading: what stands below is shown as it was handed in, and was not checked.]"
NOTHING = "[Not run for grading, and no outputs were handed in with it.]"


def put_in(notebook: NotebookNode, handed_in: Mapping[str, Sequence[Any]]) -> None:
    """The cells of a rebuilt notebook that are not run at grading show what was handed in, with a label."""
    room = Room()
    for cell in unrun_cells(notebook):
        cell.outputs = labelled(handed_in.get(cell.id, ()), room)


def unrun_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that are not run at grading."""
    unrun = plan.unrun(notebook)
    return [cell for cell in notebook.cells if cell.id in unrun]


def labelled(handed_in: Sequence[Any], room: Room) -> list[NotebookNode]:
    """Outputs as they were handed in, made harmless, behind a label; a label that is there already is not shown twice.

    ``room``: what the notebook has left for outputs; it is taken from.
    """
    own = [output for output in handed_in if not is_label(output)]
    made = outputs.build([{"output": output} for output in own], room=room)
    return [new_output("display_data", data={"text/plain": LABEL if made else NOTHING}), *made]


def is_labelled(cell: Any) -> bool:
    """Whether a cell of a graded notebook was not run. (One that was may say so all the same.)"""
    shown = cell.get("outputs") if cell.get("cell_type") == "code" else ()
    return isinstance(shown, list) and any(map(is_label, shown))


def is_label(output: Any) -> bool:
    """Whether an output is the grader's sentence, or reads like it."""
    data = output.get("data") if isinstance(output, dict) else None
    return isinstance(data, dict) and data.get("text/plain") in (LABEL, NOTHING)
