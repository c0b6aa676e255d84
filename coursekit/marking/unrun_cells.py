"""Submitted outputs of cells that are not run: sanitised and limited like all outputs, and labelled.

A student can write any outputs into a notebook. So they are validated like the outputs of executed cells, and the first
one is a sentence of the grader's, for every reader of the notebook.
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
    """Put the submitted outputs, with a label, into the cells of a rebuilt notebook that are not run at grading."""
    room, unrun = Room(), plan.unrun(notebook)
    for cell in notebook.cells:
        if cell.id in unrun:
            cell.outputs = labelled(handed_in.get(cell.id, ()), room)


def labelled(handed_in: Sequence[Any], room: Room) -> list[NotebookNode]:
    """The submitted outputs, sanitised, after a label; labels among them are removed.

    What the outputs need is taken from ``room``.
    """
    own = [output for output in handed_in if not is_label(output)]
    made = outputs.build([{"output": output} for output in own], room=room)
    return [new_output("display_data", data={"text/plain": LABEL if made else NOTHING}), *made]


def is_labelled(cell: Any) -> bool:
    """Whether a cell of a graded notebook has the label of an unrun cell. (A cell that was run can forge it.)"""
    shown = cell.get("outputs") if cell.get("cell_type") == "code" else ()
    return isinstance(shown, list) and any(map(is_label, shown))


def is_label(output: Any) -> bool:
    """Whether an output has the text of a label, from the grader or forged."""
    data = output.get("data") if isinstance(output, dict) else None
    return isinstance(data, dict) and data.get("text/plain") in (LABEL, NOTHING)
