"""Notebooks that were handed out with an older release get the marks that their answers deserve.

Students go on working with the release that they have. The names that its cells import are listed here as they were;
every release before the first version was tried once with its own solutions, and kept all its marks.
"""

import json

import pytest

from coursekit.grading import outcomes
from coursekit.marking import marker
from coursekit.marking.limits import TimeLimits
from coursekit.model import notebooks
from tests.tables import COURSE

NUMPY = "import numpy as np\nimport h5py\nimport matplotlib.pyplot as plt"
SETTINGS = '%matplotlib inline\n%load_ext autoreload\n%autoreload 2\nplt.rcParams["image.cmap"] = "gray"'
COURSE_IMPORTS = "from testCases import *\nfrom public_tests import *"
OLD = {
    "step-by-step": (
        "initialize_parameters",
        "from dnn_utils import sigmoid, relu, sigmoid_backward, relu_backward\n"
        "from dnn_utils import draw_network, draw_training_step, draw_activations, check_network\n"
        "from dnn_utils import draw_layer_forward, draw_forward, draw_layer_backward, draw_backward",
    ),
    "application": (
        "two_layer_model",
        "from dnn_utils import load_data, draw_images, draw_signal, draw_network, draw_costs, check_network\n"
        "from network import initialize_parameters, initialize_parameters_deep, initialize_parameters_scaled\n"
        "from network import linear_activation_forward, compute_cost, cost_backward, linear_activation_backward\n"
        "from network import update_parameters, L_model_forward, L_model_backward",
    ),
    "digits": (
        "softmax",
        "from dnn_utils import load_digits, draw_images, draw_signal, draw_network, draw_costs, draw_forward\n"
        "from dnn_utils import gradient_check, check_network\n"
        "from pictures import draw_softmax, draw_way_back, draw_push, draw_results\n"
        "from training import one_hot, initialize_scaled, split_off, batches, summary, print_results, weight_sizes",
    ),
}


@pytest.mark.parametrize("assignment", OLD)
def test_an_old_notebook_is_graded_as_a_new_one(tmp_path, assignment):
    """Its cells in their order: imports, one exercise with its test; what is missing costs its own points only."""
    function, names = OLD[assignment]
    course = COURSE.copy_to(tmp_path / "course")
    source = {cell.id: cell for cell in notebooks.read(course.source(assignment)).cells}
    key = function.replace("_", "-")
    cells = [code(f"old-{place}", text) for place, text in enumerate((NUMPY, COURSE_IMPORTS, names, SETTINGS))]
    cells += [
        code(key, source[key].source, grade=False, solution=True, locked=False),
        code(f"{key}-test", f"{function}_test({function})", grade=True, solution=False, locked=True, points=5),
    ]
    folder = course.submitted(assignment, "anna")
    folder.mkdir(parents=True)
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (folder / f"{assignment}.ipynb").write_text(text)

    outcome = outcomes.examine(course, assignment, "anna", marker.shared(course, assignment, TimeLimits(), "auto"))

    assert not outcome.failure
    (row,) = (row for row in outcome.verdicts.exercises if row.function == function)
    assert row.earned == row.points, row.summary
    ran = {cell["id"]: cell for cell in json.loads(outcome.notebook)["cells"]}
    old = [cell for cell in ran.values() if "".join(cell["source"]) in (NUMPY, COURSE_IMPORTS, names, SETTINGS)]
    assert len(old) == 4
    assert not [out for cell in old for out in cell["outputs"] if out["output_type"] == "error"]


def code(cell_id, source, **about):
    about = {"nbgrader": {"grade_id": cell_id, "schema_version": 3, "task": False, **about}} if about else {}
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": about,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
