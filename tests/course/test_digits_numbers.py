"""The numbers that were printed for `digits` long before this course: an oracle that nothing here has made.

They are literals, and so are the draws that lead to them: neither the generators nor the recording are asked.
NumPy prints eight digits, so a right number lies within half a unit of the eighth. The printout broke off inside
the second part; the last numbers, of the whole way back and of the update, were recomputed from the same draws.
"""

from typing import Any

import numpy as np
import pytest

from tests import tables

PRINTED = 5e-9 * 1.001  # half a unit of the eighth digit after the point, and the rounding of the literal itself

Z = [[0.48338097, 0.15237448], [-1.33390458, -2.08407482], [0.7505205, -1.0779219], [-1.23465366, -1.76418096]]
SOFTMAX_OF_Z = [[0.37762821, 0.64676528], [0.0613518, 0.06909858], [0.49326653, 0.18898867], [0.06775346, 0.09514747]]
SMALL_Z = [[1, -1, 0], [2, -2, 3]]
COST = 0.164252033486018
MEANS_BEFORE = [-0.22077365, -0.34418034, -0.34990549, 0.13905794, 0.24136955]
LARGEST_MEAN_AFTER = 1e-15  # "about 0": the printed digits were rounding, the largest was 8.5e-17

LINEAR_BACKWARD = {
    "dA_prev": [[-0.87596241, 3.15776973], [-2.24081818, 6.23229549], [-1.06441566, 1.11304416]],
    "dW": [
        [-0.27749007, 1.21567825, -0.14639757],
        [0.0697697, -0.80983366, 0.12540482],
        [0.2886844, -0.66331421, 0.04662148],
        [0.18734896, -1.42467878, 0.20496254],
    ],
    "db": [[0.62528579], [-0.53560408], [-0.19914937], [-0.87540326]],
}
RELU_BACKWARD = [[0.0675282, -1.42474819], [0.0, 0.0], [-1.15099358, 0.0], [0.0, 0.0]]
SOFTMAX_BACKWARD = [[-0.2, 0.1], [0.1, -0.2], [0.05, 0.05], [0.05, 0.05]]
LAYER_BACKWARD = {
    "dA_prev": [[-0.17185561, -2.24998059], [2.25399676, -1.09340124], [1.95366658, 0.66888278]],
    "dW": [
        [0.11526701, -1.06309839, 0.15888712],
        [0.0, 0.0, 0.0],
        [-0.2858574, -0.37274267, 0.13475452],
        [0.0, 0.0, 0.0],
    ],
    "db": [[-0.67860999], [0.0], [-0.57549679], [0.0]],
}
DW1 = [
    [0.07918554, -0.04402687, 0.00689487],
    [-0.02175084, -0.01893417, 0.0332684],
    [0.02934355, 0.02554365, -0.04488162],
    [0.14972284, -0.07319003, 0.00164142],
]
DB1 = [[-0.05961931], [-0.11048817], [0.14905704], [-0.07161341]]


@pytest.fixture(scope="module")
def course_functions() -> dict[str, Any]:
    return tables.solved("digits")


class Draws:
    """The draws in their order, each made from the state that the one before left behind."""

    def __init__(self) -> None:
        draw = np.random.RandomState(42).randn
        self.A_prev, self.W, self.b = draw(3, 2), draw(4, 3), draw(4, 1)
        self.draw = draw


class BackwardDraws(Draws):
    """Those of the second part, where more is drawn after the first three."""

    def __init__(self) -> None:
        super().__init__()
        draw = self.draw
        self.Z = np.matmul(self.W, self.A_prev) + self.b
        self.linear_cache = (self.A_prev, self.W, self.b)
        self.dA, self.dZ = draw(4, 2), draw(4, 2)
        self.layers = [self._layer(3, 4), self._layer(4, 2)]
        self.AL, self.Y = np.array([[0.7, 0.1], [0.3, 0.9]]), np.eye(2)

    def _layer(self, n_prev: int, n: int) -> dict[str, Any]:
        A, W, b = self.draw(n_prev, 2), self.draw(n, n_prev), self.draw(n, 1)
        return {"linear_cache": (A, W, b), "activation_cache": np.matmul(W, A) + b}


def agrees(values: Any, printed: Any) -> bool:
    values, printed = np.asarray(values), np.asarray(printed)
    return values.shape == printed.shape and bool(np.abs(values - printed).max() <= PRINTED)


def test_the_shapes_of_the_starting_values(course_functions):
    parameters = course_functions["initialize_parameters"]([784, 20, 7, 5, 10])
    assert parameters["W1"].shape == (20, 784)
    assert parameters["b1"].shape == (20, 1)
    assert parameters["W4"].shape == (10, 5)
    assert parameters["b4"].shape == (10, 1)


def test_the_starting_values_are_small_and_drawn_in_order_from_seed_42(course_functions):
    """The seed prints shapes only; which numbers they are follows from its seed and the order of the layers."""
    parameters = course_functions["initialize_parameters"]([4, 3, 2])
    draw = np.random.RandomState(42).randn
    assert np.array_equal(parameters["W1"], draw(3, 4) * 0.01)
    assert np.array_equal(parameters["W2"], draw(2, 3) * 0.01)
    assert not parameters["b1"].any()
    assert not parameters["b2"].any()


def test_the_linear_half(course_functions):
    draws = Draws()
    found, cache = course_functions["linear_forward"](draws.A_prev, draws.W, draws.b)
    assert found.shape == (4, 2)
    assert agrees(found, Z)
    assert all(mine is theirs for mine, theirs in zip(cache, (draws.A_prev, draws.W, draws.b), strict=True))


def test_relu_and_softmax_of_a_small_matrix(course_functions):
    A, cache = course_functions["relu"](np.array(SMALL_Z))
    assert agrees(A, [[1, 0, 0], [2, 0, 3]])
    assert np.array_equal(cache, SMALL_Z)
    A, cache = course_functions["softmax"](np.array(SMALL_Z))
    assert agrees(A, [[0.26894142, 0.73105858, 0.04742587], [0.73105858, 0.26894142, 0.95257413]])
    assert np.array_equal(cache, SMALL_Z)


@pytest.mark.parametrize(
    ("activation", "printed"), [("relu", np.maximum(Z, 0)), ("softmax", SOFTMAX_OF_Z)], ids=["relu", "softmax"]
)
def test_a_whole_layer(course_functions, activation, printed):
    draws = Draws()
    A, cache = course_functions["linear_activation_forward"](draws.A_prev, draws.W, draws.b, activation)
    assert agrees(A, printed)
    assert set(cache) == {"linear_cache", "activation_cache"}
    assert agrees(cache["activation_cache"], Z)


def test_the_cost_in_full(course_functions):
    """It was printed with all its digits; the last one depends on the order of the additions."""
    cost = course_functions["compute_cost"](np.array([[0.8, 0.1], [0.2, 0.9]]), np.eye(2))
    assert np.shape(cost) == ()
    assert abs(cost - COST) <= 1e-15


def test_the_means_before_and_after_batch_normalisation(course_functions):
    A = Draws().draw(5, 10)
    NA = course_functions["apply_batchnorm"](A)
    assert agrees(A.mean(axis=1), MEANS_BEFORE)
    assert np.abs(NA.mean(axis=1)).max() < LARGEST_MEAN_AFTER
    assert np.abs(NA.var(axis=1) - 1).max() < 1e-7


def test_the_linear_half_backward(course_functions):
    draws = BackwardDraws()
    found = course_functions["linear_backward"](draws.dZ, draws.linear_cache)
    for gradient, (name, printed) in zip(found, LINEAR_BACKWARD.items(), strict=True):
        assert agrees(gradient, printed), name


def test_relu_backward(course_functions):
    draws = BackwardDraws()
    assert agrees(course_functions["relu_backward"](draws.dA, draws.Z), RELU_BACKWARD)


def test_softmax_backward(course_functions):
    AL = np.array([[0.8, 0.1], [0.1, 0.8], [0.05, 0.05], [0.05, 0.05]])
    Y = np.array([[1, 0], [0, 1], [0, 0], [0, 0]])
    assert agrees(course_functions["softmax_backward"](AL - Y, BackwardDraws().Z), SOFTMAX_BACKWARD)


def test_a_whole_layer_backward(course_functions):
    draws = BackwardDraws()
    cache = {"linear_cache": draws.linear_cache, "activation_cache": draws.Z}
    found = course_functions["linear_activation_backward"](draws.dA, cache, "relu")
    for gradient, (name, printed) in zip(found, LAYER_BACKWARD.items(), strict=True):
        assert agrees(gradient, printed), name


def test_the_whole_way_back(course_functions):
    draws = BackwardDraws()
    grads = course_functions["l_model_backward"](draws.AL, draws.Y, draws.layers)
    assert agrees(grads["dW1"], DW1)
    assert agrees(grads["db1"], DB1)


def test_the_gradient_of_a_layer_belongs_to_its_input(course_functions):
    """In the seed `dA2` is what layer 2 hands on, in the shape of what it got."""
    draws = BackwardDraws()
    grads = course_functions["l_model_backward"](draws.AL, draws.Y, draws.layers)
    _, W2, _ = draws.layers[1]["linear_cache"]
    assert agrees(grads["dA2"], np.matmul(W2.T, draws.AL - draws.Y))
    assert grads["dA1"].shape == (3, 2)


def test_one_step_of_the_same_network(course_functions):
    """The seed updates with the gradients above; where they are right to the digit, the step is too."""
    draws = BackwardDraws()
    grads = course_functions["l_model_backward"](draws.AL, draws.Y, draws.layers)
    parameters = {
        f"{name}{l}": values
        for l, layer in enumerate(draws.layers, 1)
        for name, values in zip("Wb", layer["linear_cache"][1:], strict=True)
    }
    updated = course_functions["update_parameters"](parameters, grads, 0.1)
    assert agrees(updated["W1"], parameters["W1"] - 0.1 * np.array(DW1))
    assert agrees(updated["b1"], parameters["b1"] - 0.1 * np.array(DB1))
