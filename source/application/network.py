"""The functions of assignment `step-by-step`, supplied: a mistake made there does not follow you here.

They do the same, but they are put together in another way. Examples are columns: ``A`` and ``Z`` are
(units, m), ``W`` is (units, units of the layer before), ``b`` is (units, 1), and m is the number of examples.
Nothing here writes into an array that it was given.
"""

from itertools import pairwise

import numpy as np

from dnn_utils import relu, relu_backward, sigmoid, sigmoid_backward

FORWARD = {"relu": relu, "sigmoid": sigmoid}
BACKWARD = {"relu": relu_backward, "sigmoid": sigmoid_backward}
MARGIN = 1e-15  # predictions count as no nearer than this to 0 and 1, where the logarithm ends


def initialize_parameters(n_x, n_h, n_y):
    """Small random weights and zero biases for a network with one hidden layer.

    n_x, n_h, n_y   number of units in the input, the hidden and the output layer

    Returns a dict with W1 (n_h, n_x), b1 (n_h, 1), W2 (n_y, n_h), b2 (n_y, 1); always the same numbers.
    """
    return _starting_values((n_x, n_h, n_y), seed=1, size=lambda n_prev: 0.01)


def initialize_parameters_deep(layer_dims):
    """Small random weights (randn * 0.01) and zero biases for a network of any depth.

    layer_dims   units per layer, the input first: [n0, n1, ..., nL]

    Returns a dict with Wl (nl, n(l-1)) and bl (nl, 1) for l = 1 ... L; always the same numbers.
    """
    return _starting_values(layer_dims, seed=3, size=lambda n_prev: 0.01)


def initialize_parameters_scaled(layer_dims):
    """Random weights scaled by the number of incoming units (randn / sqrt(n_prev)), and zero biases.

    layer_dims   units per layer, the input first: [n0, n1, ..., nL]

    Returns a dict with Wl (nl, n(l-1)) and bl (nl, 1) for l = 1 ... L; always the same numbers.
    """
    return _starting_values(layer_dims, seed=1, size=lambda n_prev: 1 / np.sqrt(n_prev))


def _starting_values(layer_dims, seed, size):
    numbers = np.random.RandomState(seed)  # a generator of its own: the notebook's stays where it is
    values = {}
    for layer, (n_prev, n) in enumerate(pairwise(layer_dims), start=1):
        values |= {f"W{layer}": size(n_prev) * numbers.randn(n, n_prev), f"b{layer}": np.zeros(shape=(n, 1))}
    return values


def linear_activation_forward(A_prev, W, b, activation):
    """A whole layer forward: ``A = g(W @ A_prev + b)``.

    A_prev       (n_prev, m)   activations of the layer before
    W, b         (n, n_prev), (n, 1)
    activation   "relu" or "sigmoid", the g

    Returns A (n, m) and the cache ((A_prev, W, b), Z (n, m)) for linear_activation_backward.
    """
    A, Z = FORWARD[activation](b + np.matmul(W, A_prev))
    return A, ((A_prev, W, b), Z)


def L_model_forward(X, parameters):
    """The whole network forward: ReLU in every layer but the last, which has a sigmoid.

    X            (n0, m)   the examples, one column each
    parameters   dict      W1, b1, ..., WL, bL

    Returns AL (nL, m), the predicted probabilities, and the list of the L caches, the first layer's first.
    """
    last = len(parameters) // 2
    signal, kept = X, []
    for layer in range(1, last + 1):
        bend = "sigmoid" if layer == last else "relu"
        weights, biases = parameters[f"W{layer}"], parameters[f"b{layer}"]
        signal, memory = linear_activation_forward(signal, weights, biases, bend)
        kept.append(memory)
    return signal, kept


def compute_cost(AL, Y):
    """The cross-entropy between predictions and labels, averaged over the m examples; always finite.

    AL   (1, m)   predicted probabilities
    Y    (1, m)   labels, 0 or 1

    Returns the cost, a number.
    """
    truth = _given_to_the_truth(AL, Y)
    return float(-np.mean(np.log(truth)))


def cost_backward(AL, Y):
    """The slope of each example's loss with respect to its prediction, not averaged over m; always finite.

    AL   (1, m)   predicted probabilities
    Y    (1, m)   labels, 0 or 1

    Returns dAL (1, m): -1 / AL where the label is 1, and 1 / (1 - AL) where it is 0.
    """
    return np.where(Y == 1, -1.0, 1.0) / _given_to_the_truth(AL, Y)


def _given_to_the_truth(AL, Y):
    """The probability that each prediction gives to the label that is right."""
    return np.clip(np.where(Y == 1, AL, 1 - AL), MARGIN, 1 - MARGIN)


def linear_activation_backward(dA, cache, activation):
    """A whole layer backward; dW and db are averaged over the m examples, dA_prev is not.

    dA           (n, m)   gradient with respect to the layer's activations
    cache        what linear_activation_forward returned
    activation   "relu" or "sigmoid"

    Returns dA_prev (n_prev, m), dW (n, n_prev), db (n, 1).
    """
    (A_prev, W, _), Z = cache
    slope = BACKWARD[activation](dA, Z)
    per_example = slope / slope.shape[1]
    return np.matmul(W.T, slope), np.matmul(per_example, A_prev.T), per_example.sum(axis=1, keepdims=True)


def L_model_backward(AL, Y, caches):
    """The whole network backward, from the cost to every gradient.

    AL       (1, m)   predicted probabilities from L_model_forward
    Y        (1, m)   labels, 0 or 1
    caches   list     the L caches from L_model_forward

    Returns a dict: dA0 ... dA(L-1), each like its A, and dWl, dbl for l = 1 ... L, each like its Wl, bl.
    """
    found, upstream = {}, cost_backward(AL, Y)
    for layer in reversed(range(len(caches))):  # the cache at place `layer` is that of layer + 1
        bend = "sigmoid" if layer == len(caches) - 1 else "relu"
        upstream, weights, biases = linear_activation_backward(upstream, caches[layer], bend)
        found |= {f"dA{layer}": upstream, f"dW{layer + 1}": weights, f"db{layer + 1}": biases}
    return found


def update_parameters(params, grads, learning_rate):
    """One step of gradient descent on every weight and bias.

    params          dict     W1, b1, ..., WL, bL; stays as it is
    grads           dict     dW1, db1, ..., dWL, dbL (other entries are ignored)
    learning_rate   number

    Returns a new dict W1, b1, ..., WL, bL.
    """
    return {name: value - learning_rate * grads["d" + name] for name, value in params.items()}
