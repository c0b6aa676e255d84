"""What the course supplies for the training of this assignment: the data in parts, and another start.

Examples are columns: X is (n0, m), Y is (classes, m). Whatever is random here comes from a random state of its
own, so the same call gives the same numbers on every computer, and the notebook's own random numbers are not
touched.
"""

from itertools import pairwise

import numpy as np


def one_hot(labels, classes):
    """The labels as columns that are 0 but for a single 1.

    labels   (m,)     whole numbers from 0 to classes - 1
    classes  number   how many classes there are

    Returns Y (classes, m).
    """
    return np.eye(classes)[:, np.asarray(labels)]


def split_off(X, Y, fraction=0.2):
    """A part of the examples held out: X_rest, Y_rest, X_held, Y_held.

    X, Y      (n0, m), (classes, m)   they stay as they are
    fraction  number                  how many of the examples are held out, chosen at random, rounded up
    """
    m = X.shape[1]
    order = np.random.RandomState(42).permutation(m)
    held = int(np.ceil(fraction * m))
    return X[:, order[held:]], Y[:, order[held:]], X[:, order[:held]], Y[:, order[:held]]


def batches(X, Y, batch_size):
    """An endless stream of mini-batches (X_batch, Y_batch): take the next one with next(...).

    Every epoch meets every example once, in a new order; its last batch is shorter if the examples do not fill it.
    """
    rng = np.random.RandomState(0)
    m = X.shape[1]
    while True:
        order = rng.permutation(m)
        for start in range(0, m, batch_size):
            chosen = order[start : start + batch_size]
            yield X[:, chosen], Y[:, chosen]


def initialize_scaled(layer_dims):
    """Starting values whose size fits the layer: random weights divided by the root of the units that come in.

    layer_dims   list of the units per layer, the input first

    Returns a dict with W1, b1, ..., WL, bL of the same shapes as those of initialize_parameters.
    """
    rng = np.random.RandomState(42)
    start = {}
    for l, (incoming, units) in enumerate(pairwise(layer_dims), 1):
        start[f"W{l}"] = rng.randn(units, incoming) / np.sqrt(incoming)
        start[f"b{l}"] = np.zeros([units, 1])
    return start


def weight_sizes(parameters):
    """How large the weights of each layer are: the root of their mean square, one number per layer."""
    L = len(parameters) // 2
    return [float(np.sqrt(np.mean(parameters[f"W{l}"] ** 2))) for l in range(1, L + 1)]


def summary(accuracies, costs, seconds, parameters, steps_per_epoch):
    """One line of the table of results, as a dict.

    accuracies       three numbers between 0 and 1: train, validation, test
    costs            one cost per 100 steps; the number of steps is known to the hundred, rounded up
    steps_per_epoch  how many mini-batches it takes to meet every example once
    """
    steps = 100 * len(costs)
    all_weights = np.concatenate([values.ravel() for name, values in parameters.items() if name[0] == "W"])
    return {
        **dict(zip(("train", "validation", "test"), accuracies, strict=True)),
        "steps": steps,
        "epochs": steps / steps_per_epoch,
        "seconds": seconds,
        "weights": float(np.sqrt(np.mean(all_weights**2))),
    }


def print_results(results):
    """A table with one line per experiment: {name: what summary gave}."""
    width = max(len("network"), *map(len, results))
    print(f"{'network':{width}}   train  valid.    test    steps  epochs  seconds  weights")
    for name, r in results.items():
        accuracies = "".join(f"{100 * r[part]:6.1f} %" for part in ("train", "validation", "test"))
        print(f"{name:{width}}{accuracies} {r['steps']:8,} {r['epochs']:7.0f} {r['seconds']:8.1f} {r['weights']:8.3f}")
