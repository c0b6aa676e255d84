"""The submissions for `step-by-step` in `./course demo`."""

import io
import json
import zipfile

from mistakes import HELPERS, LOOPS, PLAIN

from coursekit.author import Recipe

LIMITS = {"cell_timeout_s": 4, "call_timeout_s": 1.0}  # short, because a submission of the demo has an endless loop


def _without(cell_id):
    return lambda notebook: notebook | {"cells": [cell for cell in notebook["cells"] if cell["id"] != cell_id]}


def _pasted_twice(cell_id):
    def change(notebook):
        cells = []
        for cell in notebook["cells"]:
            cells += [cell, cell | {"id": f"{cell_id}-again"}] if cell["id"] == cell_id else [cell]
        return notebook | {"cells": cells}

    return change


def _zipped(notebook):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("homework/step-by-step/step-by-step.ipynb"), json.dumps(notebook))
    return data.getvalue()


def _cut_off(notebook):
    text = json.dumps(notebook)
    return text[: len(text) // 2]


_COST = "cost = np.sum(losses) / m"
CLASS = (
    Recipe("anna", "all right, with np.dot", style=PLAIN),
    Recipe("ben", "all right, with loops", style=LOOPS),
    Recipe("chloe", "all right, with einsum and helper functions", style=HELPERS),
    Recipe("dario", "nothing written", blank=True),
    Recipe("emma", "dW without the average", mistake=("linear_backward", "dW-not-averaged")),
    Recipe("farid", "W * A in place of the matrix product", mistake=("linear_forward", "element-wise-product")),
    Recipe(
        "gita",
        "the loop reads the last layer's gradient",
        mistake=("L_model_backward", "last-gradient-in-every-layer"),
    ),
    Recipe("hugo", "params.copy() and then -=", mistake=("update_parameters", "shallow-copy")),
    Recipe("ines", "a function that raises", answers=((_COST, 'raise ValueError("I do not know how")'),)),
    Recipe("jonas", "a loop without an end", answers=((_COST, "while True:\n        m += 1"),)),
    Recipe("kira", "a deleted test cell", change=_without("linear-backward-test")),
    Recipe("liam", "a cell pasted twice", change=_pasted_twice("linear-forward")),
    Recipe("mona", "a renamed notebook", file_name="my homework.ipynb"),
    Recipe("noah", "half a file", change=_cut_off),
    Recipe("olga", "a folder in a zip archive", change=_zipped, file_name="homework.zip"),
)
