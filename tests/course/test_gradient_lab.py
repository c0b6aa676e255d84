"""The gradient lab: right gradients pass, wrong ones are found, placed and explained, and kinks are named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnn.figures import Picture
from dnn.gradient_lab import check_network, gradient_check

R = np.random.RandomState(7)
A, W, B = R.randn(5, 4), R.randn(3, 5), R.randn(3, 1)


def linear(A, W, b):
    return W @ A + b


def linear_back(dZ, A, W, b):
    return W.T @ dZ, dZ @ A.T, dZ.sum(axis=1, keepdims=True)


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def softmax(Z):
    shifted = np.exp(Z - Z.max(axis=0))
    return shifted / shifted.sum(axis=0)


def softmax_back(dA, Z):
    S = softmax(Z)
    return S * (dA - (dA * S).sum(axis=0))


def normal(A):
    return (A - A.mean(axis=1, keepdims=True)) / np.sqrt(A.var(axis=1, keepdims=True) + 1e-8)


def normal_back(dN, A):
    N, std = normal(A), np.sqrt(A.var(axis=1, keepdims=True) + 1e-8)
    return (dN - dN.mean(axis=1, keepdims=True) - N * (dN * N).mean(axis=1, keepdims=True)) / std


def cross_entropy(P, Y):
    return -np.mean(Y * np.log(P) + (1 - Y) * np.log(1 - P))


def relu(Z):
    return np.maximum(Z, 0)


Y = np.array([[1, 0, 1, 1]])
P = np.array([[0.8, 1e-4, 1e-6, 0.3]])
RIGHT = {
    "linear": (linear, linear_back, (A, W, B)),
    "sigmoid": (sigmoid, lambda dA, Z: dA * sigmoid(Z) * (1 - sigmoid(Z)), (3 * A,)),
    "softmax": (softmax, softmax_back, (A,)),
    "batch norm": (normal, normal_back, (A,)),
    "cost, with probabilities near 0": (
        cross_entropy,
        lambda u, P, Y: (u * (-Y / P + (1 - Y) / (1 - P)) / 4, None),
        (P, Y),
    ),
    "large entries": (lambda X: X**2, lambda u, X: 2 * u * X, (1e7 * A,)),
    "small entries": (lambda X: X**3, lambda u, X: 3 * u * X**2, (1e-5 * A,)),
    "two outputs": (lambda X: (X**2, X.sum(axis=0)), lambda u, X: 2 * X * u[0] + u[1], (A,)),
    "a number": (lambda x: x**3, lambda u, x: 3 * u * x**2, (1.7,)),
}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_right_gradient_passes_without_a_word(name, seed):
    report = gradient_check(*RIGHT[name], seed=seed)
    assert report.ok, report
    assert [check.explain() for check in report.checks] == [""] * len(report.checks)
    assert "WRONG" not in str(report)


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5), st.integers(2, 5), st.floats(-4, 4))
@settings(max_examples=30, deadline=None)
def test_a_right_gradient_passes_whatever_the_sizes(seed, n, before, m, power):
    random = np.random.RandomState(seed)
    inputs = random.randn(before, m), 10**power * random.randn(n, before), random.randn(n, 1)
    assert gradient_check(linear, linear_back, inputs, seed=seed).ok


def spoil(change):
    """The gradients of the linear half, after ``change`` of the dict of them."""

    def backward(dZ, A, W, b):
        gradients = dict(zip("AWb", linear_back(dZ, A, W, b), strict=True))
        change(gradients)
        return tuple(gradients.values())

    return backward


def one_entry(g):
    g["W"][2, 3] += 0.01


def one_row(g):
    g["W"][1] = g["W"][1] * 2


def one_column(g):
    g["W"][:, 4] += [1, 5, -2]


WRONG = {
    "not averaged": (
        lambda g: g.update(W=g["W"] * 4),
        "W",
        "all 15 entries are wrong: 4 times too large, and there",
    ),
    "averaged": (
        lambda g: g.update(b=g["b"] / 4),
        "b",
        "4 times too small, and there are 4 examples: averaged once",
    ),
    "sign": (lambda g: g.update(A=-g["A"]), "A", "all 20 entries are wrong: the sign is wrong"),
    "factor and sign": (lambda g: g.update(A=-2.5 * g["A"]), "A", "2.5 times too large; the sign is wrong"),
    "shape turned": (
        lambda g: g.update(W=g["W"].T),
        "W",
        "the gradient has shape (5, 3), the parameter (3, 5) (it is",
    ),
    "no keepdims": (lambda g: g.update(b=g["b"][:, 0]), "b", "the gradient has shape (3,), the parameter (3, 1)"),
    "zero": (lambda g: g.update(W=0 * g["W"]), "W", "all 15 entries are wrong: zero, where the slope is not"),
    "nan": (lambda g: g.update(W=np.nan * g["W"]), "W", "all 15 entries are wrong: nan or infinite"),
    "one entry": (one_entry, "W", "1 of 15 entries wrong"),
    "one row": (one_row, "W", "5 of 15 entries wrong, only in row 1: 2 times too large"),
    "one column": (one_column, "W", "3 of 15 entries wrong, only in column 4, by no common factor"),
    "another thing": (lambda g: g.update(W=g["W"] + W), "W", "all 15 entries are wrong, by no common factor"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_gradient_is_found_placed_and_explained(name):
    change, parameter, told = WRONG[name]
    report = gradient_check(linear, spoil(change), (A, W, B))
    assert not report.ok
    assert [check.name for check in report.checks if not check.ok] == [parameter]
    assert f"{parameter}: " in str(report)
    assert told in report[parameter].explain()


def test_one_wrong_entry_is_pointed_at():
    check = gradient_check(linear, spoil(one_entry), (A, W, B))["W"]
    assert check.worst == (2, 3)
    assert np.argwhere(check.wrong).tolist() == [[2, 3]]
    assert check.ratio == pytest.approx(check.given[2, 3] / (check.given[2, 3] - 0.01), rel=1e-6)


def test_a_transposed_gradient_of_a_square_matrix_is_called_so():
    """No shape gives it away."""
    square = R.randn(4, 4)
    report = gradient_check(lambda W: W @ A[:4], lambda dZ, W: (dZ @ A[:4].T).T, (square,))
    assert "this is the transpose of the right gradient" in report["W"].explain()


def test_the_measured_gradient_is_the_analytic_one():
    """The oracle is mathematics: with upstream u, d sum(u * X**2) / dX = 2 u X."""
    seen = []
    report = gradient_check(lambda X: X**2, lambda u, X: seen.append(u) or 0 * X, (A,), seed=3)
    assert report["X"].measured == pytest.approx(2 * seen[0] * A, rel=1e-7)
    assert seen[0].std() > 0.3
    assert np.array_equal(seen[0], np.random.RandomState(3).randn(5, 4))


def test_the_table_has_a_line_per_parameter():
    lines = str(gradient_check(linear, spoil(one_row), (A, W, B))).splitlines()
    assert lines[0].split() == ["shape", "largest", "error", "at", "yours", "measured", "ratio"]
    assert [line.split()[0] for line in lines[1:4]] == ["A", "W", "b"]
    assert [line.split()[-1] for line in lines[1:4]] == ["right", "WRONG", "right"]
    assert "3 x 5" in lines[2]
    assert lines[4].startswith("W: 5 of 15 entries wrong")


def test_names_may_be_given():
    report = gradient_check(lambda *inputs: linear(*inputs), linear_back, (A, W, B), names=["A_prev", "W1", "b1"])
    assert [check.name for check in report.checks] == ["A_prev", "W1", "b1"]
    unnamed = gradient_check(lambda *inputs: linear(*inputs), linear_back, (A, W, B))
    assert [check.name for check in unnamed.checks] == ["input 0", "input 1", "input 2"]
    with pytest.raises(KeyError, match="no parameter 'dW'; there are A_prev, W1, b1"):
        report["dW"]


# --- kinks


def at_zero():
    Z = R.randn(3, 4)
    Z[np.abs(Z) < 0.1] = 0.5
    Z[1, 2] = 0
    return Z


@pytest.mark.parametrize("slope", [0, 0.5, 1])
def test_at_a_kink_every_slope_between_the_sides_is_right_and_the_report_says_so(slope):
    report = gradient_check(relu, lambda dA, Z: dA * np.where(Z == 0, slope, Z > 0), (at_zero(),))
    assert report.ok, report
    if slope != 0.5:  # which is what central differences measure
        assert "Z: 1 at a kink, first [1, 2]: the slopes from the two sides differ there" in str(report)


@pytest.mark.parametrize("slope", [-0.5, 2, -1])
def test_at_a_kink_another_slope_is_wrong(slope):
    report = gradient_check(relu, lambda dA, Z: dA * np.where(Z == 0, slope, Z > 0), (at_zero(),))
    assert np.argwhere(report["Z"].wrong).tolist() == [[1, 2]]


@pytest.mark.parametrize("distance", [3e-7, -3e-7, 2e-8, -2e-8])
def test_near_a_kink_the_step_is_made_smaller(distance):
    """With the step of 1e-6 the kink is inside it; the gradient is known all the same, and must be right."""
    Z = at_zero()
    Z[1, 2] = distance
    assert gradient_check(relu, lambda dA, Z: dA * (Z > 0), (Z,)).ok
    report = gradient_check(relu, lambda dA, Z: dA * (3 * (Z > 0) - 1), (Z,))
    assert report["Z"].wrong[1, 2]


def test_a_mistake_elsewhere_is_not_excused_by_a_kink():
    Z = at_zero()
    report = gradient_check(relu, lambda dA, Z: 2 * dA * (Z > 0), (Z,))
    assert np.array_equal(report["Z"].wrong, Z > 0)


# --- whole networks


def network(layer_dims, scale, m=6, seed=0):
    """Parameters, and functions for the cost and its gradients, of a ReLU network with a sigmoid at its end."""
    random = np.random.RandomState(seed)
    X, Y = random.randn(layer_dims[0], m), random.randint(0, 2, (1, m))
    depth = len(layer_dims) - 1
    parameters = {}
    for l in range(1, depth + 1):
        parameters[f"W{l}"] = random.randn(layer_dims[l], layer_dims[l - 1]) * scale
        parameters[f"b{l}"] = random.randn(layer_dims[l], 1) * scale

    def run(p):
        activations = [X]
        for l in range(1, depth + 1):
            Z = p[f"W{l}"] @ activations[-1] + p[f"b{l}"]
            activations.append(sigmoid(Z) if l == depth else relu(Z))
        return activations

    def gradients(p):
        found, activations = {}, run(p)
        dZ = (activations[-1] - Y) / m
        for l in range(depth, 0, -1):
            found[f"dW{l}"], found[f"db{l}"] = dZ @ activations[l - 1].T, dZ.sum(axis=1, keepdims=True)
            found[f"dA{l - 1}"] = p[f"W{l}"].T @ dZ
            dZ = found[f"dA{l - 1}"] * (activations[l - 1] > 0)
        return found

    return parameters, lambda p: cross_entropy(run(p)[-1], Y), gradients


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.01])
def test_a_whole_network_passes(scale):
    """With 0.01 the gradients of the first layer are a millionth of the cost, and drown in its rounding at one step."""
    parameters, cost, gradients = network([5, 4, 3, 1], scale)
    before = {name: value.copy() for name, value in parameters.items()}
    report = check_network(parameters, cost, gradients(parameters))
    assert report.ok, report
    assert [check.name for check in report.checks] == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert all(np.array_equal(parameters[name], before[name]) for name in before)


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("name", ["dW1", "db2", "dW3"])
def test_a_wrong_layer_of_a_network_is_found(scale, name):
    parameters, cost, gradients = network([5, 4, 3, 1], scale)
    found = gradients(parameters)
    found[name] = found[name] * 6
    report = check_network(parameters, cost, found, examples=6)
    assert [check.name for check in report.checks if not check.ok] == [name[1:]]
    assert "6 times too large, and there are 6 examples" in report[name[1:]].explain()


def test_a_factor_is_seen_although_many_entries_are_tiny():
    """Slopes near zero are measured with few digits; they must not hide what the clear ones have in common."""
    X = 10.0 ** -np.arange(8).reshape(2, 4)
    report = gradient_check(lambda W: np.cosh(X * W), lambda u, W: 32 * u * X * np.sinh(X * W), (R.randn(2, 4),))
    assert "32 times too large" in report["W"].explain()


def test_a_dict_may_be_an_input_of_gradient_check():
    parameters, cost, gradients = network([3, 2, 1], 1.0)
    report = gradient_check(cost, lambda u, p: {key: u * value for key, value in gradients(p).items()}, [parameters])
    assert report.ok
    assert len(report.checks) == 4


def test_gradients_too_small_to_measure_are_accepted_but_not_without_a_word():
    x = np.array([[1.0, 2.0]])
    report = gradient_check(lambda x: 1e6 + 1e-12 * x, lambda u, x: 3e-12 * u, (x,))
    assert report.ok
    assert "2 too small to measure against rounding; accepted unseen" in str(report)


# --- what it is given


def test_a_forward_that_changes_its_inputs_is_told():
    def forward(X):
        X *= 2
        return X

    mine = A.copy()
    with pytest.raises(ValueError, match="forward changes its inputs; work on new arrays"):
        gradient_check(forward, lambda u, X: u, (mine,))
    assert np.array_equal(mine, A)


def test_a_forward_with_random_numbers_is_told():
    random = np.random.RandomState(0)
    with pytest.raises(ValueError, match="something else each time; fix its random numbers"):
        gradient_check(lambda X: X * random.rand(*X.shape), lambda u, X: u, (A,))


def test_a_forward_that_gives_nan_is_told():
    with pytest.raises(ValueError, match="forward gives nan or infinity; start from other inputs"):
        gradient_check(np.log, lambda u, X: u / X, (-np.abs(A),), names=["X"])


def test_the_wrong_number_of_gradients_is_told():
    with pytest.raises(ValueError, match="2 gradients for 3 inputs; give None for the rest"):
        gradient_check(linear, lambda dZ, *inputs: linear_back(dZ, *inputs)[:2], (A, W, B))


def test_a_missing_gradient_of_a_network_is_told():
    parameters, cost, gradients = network([3, 2, 1], 1.0)
    found = {key: value for key, value in gradients(parameters).items() if key != "db2"}
    with pytest.raises(ValueError, match=r"no gradient db2; found .*dW1"):
        check_network(parameters, cost, found)


def test_the_heat_map_says_where_the_gradient_is_wrong():
    report = gradient_check(linear, spoil(one_row), (A, W, B))
    picture = report.heat_map("W")
    assert isinstance(picture, Picture)
    assert "5 of 15 entries wrong" in picture.alt
    assert "only in row 1" in picture.alt
    assert picture.png == report.heat_map("W").png
    assert "every entry is right" in report.heat_map("A").alt
    assert gradient_check(linear, spoil(lambda g: g.update(b=g["b"][:, 0])), (A, W, B)).heat_map("b").png
