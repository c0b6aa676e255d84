"""Training is right, not just running: the same numbers as an implementation that shares nothing with the course.

Everything here is written out a second time, layer by layer in plain loops, with slopes from the textbook; it only
takes the starting values, the split and the order of the batches from the course, because these are random.
"""

import contextlib
import io

import numpy as np
import pytest

from tests.course import answers

EXACT = {"rtol": 1e-10, "atol": 1e-12}


@pytest.fixture(scope="module")
def application():
    return answers.solved("application")


@pytest.fixture(scope="module")
def digits():
    return answers.solved("digits")


def quietly(function, *args, **named):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*args, **named)


def lists(parameters):
    """W1, b1, ... as a list of pairs; copies, so that training here cannot write into the caller's."""
    count = len(parameters) // 2
    return [(parameters[f"W{layer}"].copy(), parameters[f"b{layer}"].copy()) for layer in range(1, count + 1)]


def assert_same(parameters, layers):
    assert list(parameters) == [f"{letter}{number + 1}" for number in range(len(layers)) for letter in "Wb"]
    for number, (W, b) in enumerate(layers, start=1):
        np.testing.assert_allclose(parameters[f"W{number}"], W, **EXACT)
        np.testing.assert_allclose(parameters[f"b{number}"], b, **EXACT)


# --- application: one output with a sigmoid, all examples in every step -------------------------------------------


def train_yes_or_no(X, Y, layers, rate, steps):
    """Gradient descent, one example after the other; the layers after the last step, and every cost."""
    costs, m = [], X.shape[1]
    for _ in range(steps):
        sums = [(np.zeros_like(W), np.zeros_like(b)) for W, b in layers]
        cost = 0.0
        for j in range(m):
            signals, x = [X[:, j]], X[:, j]
            for number, (W, b) in enumerate(layers, start=1):
                z = [sum(W[i, k] * x[k] for k in range(len(x))) + b[i, 0] for i in range(len(b))]
                x = np.array([1 / (1 + np.exp(-v)) if number == len(layers) else max(v, 0.0) for v in z])
                signals.append(x)
            answer, label = x[0], Y[0, j]
            cost -= np.log(answer if label == 1 else 1 - answer) / m
            slope = np.array([answer - label])  # through the cost and the sigmoid together
            for number in range(len(layers) - 1, -1, -1):
                before = signals[number]
                dW, db = sums[number]
                for i in range(len(slope)):
                    dW[i] += slope[i] * before / m
                    db[i, 0] += slope[i] / m
                slope = np.array(
                    [sum(layers[number][0][:, k] * slope) if before[k] > 0 else 0.0 for k in range(len(before))]
                )
        layers = [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(layers, sums, strict=True)]
        costs.append(cost)
    return layers, costs


@pytest.fixture(scope="module")
def examples():
    rng = np.random.RandomState(91)
    X = rng.randn(4, 6)
    return X, (X[:1] * X[1:2] > 0).astype(int)


def test_two_layer_model_agrees_step_for_step(application, examples):
    X, Y = examples
    start = application["initialize_parameters"](4, 3, 1)
    for steps in (1, 2, 3, 101):
        parameters, costs = quietly(application["two_layer_model"], X, Y, (4, 3, 1), 0.3, steps)
        layers, every = train_yes_or_no(X, Y, lists(start), 0.3, steps)
        assert_same(parameters, layers)
        np.testing.assert_allclose(costs, every[::100], rtol=0, atol=1e-10)


@pytest.mark.parametrize("dims", [[4, 1], [4, 3, 1], [4, 5, 3, 2, 1]])
def test_L_layer_model_agrees_step_for_step(application, examples, dims):
    X, Y = examples
    start = application["initialize_parameters_scaled"](dims)
    for steps in (1, 2, 101):
        parameters, costs = quietly(application["L_layer_model"], X, Y, dims, 0.2, steps)
        layers, every = train_yes_or_no(X, Y, lists(start), 0.2, steps)
        assert_same(parameters, layers)
        np.testing.assert_allclose(costs, every[::100], rtol=0, atol=1e-10)


def test_it_learns_what_can_be_learnt(application, examples):
    """Agreement alone would not notice if both went the wrong way."""
    X, Y = examples

    parameters, costs = quietly(application["L_layer_model"], X, Y, [4, 5, 3, 1], 0.3, 1001)

    assert costs[-1] < 0.05 < costs[0]
    np.testing.assert_array_equal(quietly(application["predict"], X, Y, parameters), Y)


# --- digits: softmax, batches, batch normalisation, penalty, early stopping ----------------------------------------

EPSILON = 1e-8


def forward_by_hand(X, layers, batchnorm):
    """Per layer what came in and Z, then the probabilities; per hidden layer also mean and deviation of each unit."""
    kept, x = [], X
    for number, (W, b) in enumerate(layers, start=1):
        z = np.array([[sum(W[i] * x[:, j]) + b[i, 0] for j in range(x.shape[1])] for i in range(len(b))])
        before, statistics = x, None
        if number == len(layers):
            powers = np.exp(z - z.max(axis=0))
            x = powers / powers.sum(axis=0)
        else:
            x = np.where(z > 0, z, 0.0)
            if batchnorm:
                statistics = [(row.mean(), np.sqrt(row.var() + EPSILON)) for row in x]
                x = np.array([(row - mean) / deviation for row, (mean, deviation) in zip(x, statistics, strict=True)])
        kept.append((before, z, x, statistics))
    return x, kept


def cost_by_hand(probabilities, Y):
    losses = [-np.log(max(probabilities[Y[:, j].argmax(), j], 1e-15)) for j in range(Y.shape[1])]
    return sum(losses) / len(losses)


def backward_by_hand(probabilities, Y, layers, kept):
    """(dW, db) per layer; batch normalisation by its whole table of slopes, unit by unit."""
    m, found, slope = Y.shape[1], [], probabilities - Y
    for number in range(len(layers) - 1, -1, -1):
        before, z, after, statistics = kept[number]
        if number < len(layers) - 1:
            if statistics is not None:
                for i, (_, deviation) in enumerate(statistics):
                    table = (np.eye(m) - 1 / m - np.outer(after[i], after[i]) / m) / deviation
                    slope[i] = table @ slope[i]
            slope = np.where(z > 0, slope, 0.0)
        found.insert(
            0, (sum(np.outer(slope[:, j], before[:, j]) for j in range(m)) / m, slope.sum(axis=1)[:, None] / m)
        )
        slope = layers[number][0].T @ slope
    return found


def train_by_hand(training, X, Y, layers, rate, steps, size, batchnorm=False, l2=0.0, patience=None):
    """The layers after the last step, and the costs of the batches of all steps."""
    X_train, Y_train, X_val, Y_val = training["split_off"](X, Y)
    stream = training["batches"](X_train, Y_train, size)
    costs, judged = [], []
    for _ in range(steps):
        x, y = next(stream)
        probabilities, kept = forward_by_hand(x, layers, batchnorm)
        costs.append(cost_by_hand(probabilities, y))
        slopes = backward_by_hand(probabilities, y, layers, kept)
        layers = [(W - rate * (dW + l2 * W), b - rate * db) for (W, b), (dW, db) in zip(layers, slopes, strict=True)]
        judged.append(cost_by_hand(forward_by_hand(X_val, layers, batchnorm)[0], Y_val))
        if patience is not None and len(judged) - 1 - judged.index(min(judged)) >= patience:
            break
    return layers, costs


@pytest.mark.parametrize(
    ("steps", "options"),
    [
        (1, {}),
        (2, {"use_batchnorm": True}),
        (101, {}),
        (101, {"use_batchnorm": True}),
        (101, {"l2": 0.05}),
        (101, {"l2": 0.05, "use_batchnorm": True}),
        (250, {"patience": 5}),
        (250, {"patience": 5, "use_batchnorm": True}),
    ],
    ids=str,
)
def test_the_digits_network_agrees_step_for_step(digits, steps, options):
    rng = np.random.RandomState(92)
    X, dims = rng.randn(5, 33), [5, 6, 4, 3]
    Y = np.eye(3)[:, rng.randint(0, 3, 33)]
    options = {"patience": None, "initialize": digits["initialize_scaled"]} | options

    parameters, costs = digits["l_layer_model"](X, Y, dims, 0.1, steps, 6, **options)

    by_hand = {"batchnorm": options.get("use_batchnorm", False), "l2": options.get("l2", 0.0)}
    start = lists(digits["initialize_scaled"](dims))
    layers, every = train_by_hand(digits, X, Y, start, 0.1, steps, 6, patience=options["patience"], **by_hand)
    np.testing.assert_allclose(costs, every[::100], rtol=0, atol=1e-10)
    assert_same(parameters, layers)
    assert options["patience"] is None or len(every) < steps  # else nothing was stopped


# --- the digits themselves ------------------------------------------------------------------------------------------

# What a trial showed: the network of the experiments, 10,000 steps, batches of 32, a rate of 0.009.
ACCURACIES = {
    "plain": ({}, 0.08),
    "batch norm": ({"use_batchnorm": True}, 0.95),
    "scaled": ({"scaled": True}, 0.92),
    "both": ({"use_batchnorm": True, "scaled": True}, 0.96),
}


@pytest.fixture(scope="module")
def images(digits):
    from dnn_utils import load_digits

    pixels, labels = load_digits(answers.COURSE.source("digits").parent / "datasets" / "digits.h5")
    X = pixels.reshape(len(pixels), -1).T / 16
    return digits["split_off"](X, digits["one_hot"](labels, 10))


def test_the_best_network_for_digits_soon_reads_most_of_them(digits, images):
    """Nine in ten, after 300 larger steps; that all four are as good as they were found to be is proved every night."""
    X, Y, X_test, Y_test = images

    parameters, costs = digits["l_layer_model"](
        X, Y, [64, 20, 7, 5, 10], 0.1, 300, 32, True, patience=None, initialize=digits["initialize_scaled"]
    )

    assert 0.8 < digits["predict"](X_test, Y_test, parameters, True) < 0.985
    assert costs[-1] < costs[0] / 2


@pytest.mark.nightly
@pytest.mark.parametrize("name", ACCURACIES)
def test_the_network_for_digits_is_as_good_as_it_was_found_to_be(digits, images, name):
    """Within two points below; a little above is no harm, since with batch norm every rounding counts.

    One image of the test set is worth a quarter of a point. Nearly all right would mean that it had seen them.
    """
    X, Y, X_test, Y_test = images
    options, expected = ACCURACIES[name]
    batchnorm = options.get("use_batchnorm", False)
    start = digits["initialize_scaled" if options.get("scaled") else "initialize_parameters"]

    parameters, costs = digits["l_layer_model"](
        X, Y, [64, 20, 7, 5, 10], 0.009, 10_000, 32, batchnorm, patience=None, initialize=start
    )

    accuracy = digits["predict"](X_test, Y_test, parameters, batchnorm)
    assert len(costs) == 100
    assert expected - 0.02 <= accuracy <= (0.1 if name == "plain" else 0.985)
    if name == "plain":
        assert costs[-1] == pytest.approx(np.log(10), abs=0.02)  # it has learnt nothing
