"""The NumPy helpers that students are given: activations and their gradients, and one module to import all from."""

import ast
import subprocess
import sys
import warnings
from math import exp
from pathlib import Path

import numpy as np
import pytest

import dnn_utils
from dnn import activations, data_files, figures, gradient_lab
from dnn.gradient_lab import gradient_check
from dnn_utils import relu, relu_backward, sigmoid, sigmoid_backward

Z = np.array([[-3.0, -0.5, 0.25, 2.0], [1.5, -1e-3, 4.0, -7.0], [0.75, 6.0, -2.5, 1e-3]])
BEHIND = (activations, data_files, figures, gradient_lab)
ACTIVATIONS = {"sigmoid": (sigmoid, sigmoid_backward), "relu": (relu, relu_backward)}


# --- activations -----------------------------------------------------------------------------------------


def test_sigmoid_is_the_logistic_function_entry_by_entry():
    """The oracle is the definition, one number at a time, with Python's own exp."""
    A, _ = sigmoid(Z)
    assert A.shape == (3, 4)
    for z, a in zip(Z.flat, A.flat, strict=True):
        assert a == pytest.approx(1 / (1 + exp(-z)), rel=1e-14)


def test_relu_keeps_what_is_positive_and_zeroes_the_rest():
    A, _ = relu(np.array([[-1.5, 0.0, 2.5]]))
    assert A.tolist() == [[0.0, 0.0, 2.5]]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_cache_is_z_and_z_is_left_alone(name):
    """A cache that changed later, or another thing in it, would spoil every backward pass."""
    forward, backward = ACTIVATIONS[name]
    given, dA = Z.copy(), np.full_like(Z, 1.5)
    A, cache = forward(given)
    backward(dA, cache)
    assert np.array_equal(cache, Z)
    assert np.array_equal(given, Z)
    assert np.array_equal(dA, np.full_like(Z, 1.5))
    assert not np.shares_memory(A, given)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gradient_is_the_slope_that_central_differences_measure(name):
    """No entry of Z is within the step of 0, where ReLU has no slope."""
    forward, backward = ACTIVATIONS[name]
    step, dA = 1e-6, np.linspace(-2, 3, Z.size).reshape(Z.shape)
    measured = (forward(Z + step)[0] - forward(Z - step)[0]) / (2 * step)
    assert backward(dA, Z) == pytest.approx(dA * measured, abs=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gradient_passes_the_gradient_check_that_students_use(name):
    forward, backward = ACTIVATIONS[name]
    assert gradient_check(lambda Z: forward(Z)[0], backward, (Z,)).ok


def test_the_slope_of_relu_at_exactly_zero_is_zero():
    assert relu_backward(np.array([[5.0, 5.0, 5.0]]), np.array([[-0.0, 0.0, 1e-300]])).tolist() == [[0, 0, 5]]


def test_nothing_overflows_however_large_z_is():
    """A warning on stderr reads like a mistake of the student's; it is an error here."""
    large = np.array([[-1e308, -1e4, -745.2, 745.2, 1e4, 1e308, -np.inf, np.inf]])
    with warnings.catch_warnings(), np.errstate(over="raise", divide="raise", invalid="raise"):
        warnings.simplefilter("error")
        A, cache = sigmoid(large)
        slope = sigmoid_backward(np.ones_like(large), cache)
    assert A.tolist() == [[0, 0, pytest.approx(0, abs=1e-300), 1, 1, 1, 0, 1]]
    assert slope == pytest.approx(np.zeros_like(large), abs=1e-300)


def test_the_slope_of_sigmoid_keeps_its_digits_for_large_z():
    """Computed as s * (1 - s) it would be exactly 0 from Z = 37 on."""
    slope = sigmoid_backward(np.ones((1, 2)), np.array([[-40.0, 40.0]]))
    assert slope == pytest.approx(np.full((1, 2), exp(-40)), rel=1e-12)


# --- the module


def test_importing_the_module_is_cheap():
    """Students import it in every notebook, and the grader for every submission."""
    code = "import sys, dnn_utils; print([m for m in ('matplotlib', 'h5py', 'IPython') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_notebooks_import_everything_from_here():
    """The other modules may be cut anew; what a notebook imports stays."""
    for module in BEHIND:
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}
        offered = names - {"with_default_style", "up", "draw_errors", "remember", "remembered"}
        assert offered <= set(dnn_utils.__all__)
        assert all(getattr(dnn_utils, name) is getattr(module, name) for name in offered)
    assert sorted(dnn_utils.__all__) == dnn_utils.__all__
    assert all(hasattr(dnn_utils, name) for name in dnn_utils.__all__)


@pytest.mark.parametrize("module", [*BEHIND, dnn_utils], ids=lambda module: module.__name__)
def test_a_student_can_read_each_module(module):
    assert len(Path(module.__file__).read_text(encoding="utf-8").splitlines()) <= 310
