"""Fixed-seed inputs, one generator per exercise.

Every generator takes its seed and its sizes as keyword arguments; the defaults are the example of the
notebook. The numbers come from a ``RandomState`` of the generator's own, whose stream NumPy keeps the same
from version to version, so the caller's random state is never touched and the same call always gives the same
arrays, new ones each time.

Sizes: ``n_prev`` units come in, ``n`` units go out, ``m`` examples stand side by side as columns;
``layer_dims`` lists the units per layer, the input first.
"""

from itertools import pairwise

import numpy as np

__all__ = [
    "L_model_backward_test_case",
    "L_model_forward_test_case_2hidden",
    "compute_cost_test_case",
    "initialize_parameters_deep_test_case",
    "initialize_parameters_test_case",
    "linear_activation_backward_test_case",
    "linear_activation_forward_test_case",
    "linear_backward_test_case",
    "linear_forward_test_case",
    "update_parameters_test_case",
]


def initialize_parameters_test_case(n_x=3, n_h=2, n_y=1):
    """The sizes n_x, n_h, n_y; the function under test seeds itself."""
    return n_x, n_h, n_y


def initialize_parameters_deep_test_case(layer_dims=(5, 4, 3)):
    """The list of units per layer; the function under test seeds itself."""
    return list(layer_dims)


def linear_forward_test_case(seed=1, n_prev=3, n=1, m=2):
    """A (n_prev, m), W (n, n_prev), b (n, 1)."""
    return _layer(np.random.RandomState(seed), n_prev, n, m)


def linear_activation_forward_test_case(seed=2, n_prev=3, n=1, m=2, scale=1.0):
    """A_prev (n_prev, m), W (n, n_prev), b (n, 1); ``scale`` multiplies W, for extreme values of Z."""
    A_prev, W, b = _layer(np.random.RandomState(seed), n_prev, n, m)
    return A_prev, scale * W, b


def L_model_forward_test_case_2hidden(seed=6, layer_dims=(5, 4, 3, 1), m=4):
    """X (layer_dims[0], m) and the parameters W1, b1, ... of every layer."""
    rng = np.random.RandomState(seed)
    X = rng.randn(layer_dims[0], m)
    return X, _parameters(rng, layer_dims)


def compute_cost_test_case(seed=None, m=3, margin=0.05, extreme=False):
    """Y (1, m) of zeros and ones, AL (1, m) of probabilities.

    Without a seed the three examples of the notebook; with one, random labels and probabilities
    that keep at least ``margin`` away from 0 and 1, or, if ``extreme``, come just so near.
    """
    if seed is None:
        return np.array([[1, 1, 0]]), np.array([[0.8, 0.9, 0.4]])
    rng = np.random.RandomState(seed)
    Y = rng.randint(0, 2, size=(1, m))
    AL = rng.rand(1, m)
    return Y, margin + (1 - 2 * margin) * (np.round(AL) if extreme else AL)


def linear_backward_test_case(seed=1, n_prev=5, n=3, m=4):
    """dZ (n, m) and the cache (A_prev (n_prev, m), W (n, n_prev), b (n, 1))."""
    rng = np.random.RandomState(seed)
    dZ = rng.randn(n, m)
    return dZ, _layer(rng, n_prev, n, m)


def linear_activation_backward_test_case(seed=2, n_prev=3, n=1, m=2):
    """dA (n, m) and the cache ((A_prev, W, b), Z (n, m))."""
    rng = np.random.RandomState(seed)
    dA = rng.randn(n, m)
    linear_cache = _layer(rng, n_prev, n, m)
    return dA, (linear_cache, rng.randn(n, m))


def L_model_backward_test_case(seed=3, layer_dims=(4, 3, 1), m=2):
    """AL (1, m), Y (1, m) and one cache ((A_prev, W, b), Z) per layer.

    AL and the caches are drawn on their own, so AL need not be what the caches lead to: only the formulas
    count here.
    """
    rng = np.random.RandomState(seed)
    AL = rng.randn(1, m)
    caches = []
    for n_prev, n in pairwise(layer_dims):
        linear_cache = _layer(rng, n_prev, n, m)
        caches.append((linear_cache, rng.randn(n, m)))
    return AL, np.arange(1, m + 1).reshape(1, m) % 2, caches


def update_parameters_test_case(seed=2, layer_dims=(4, 3, 1), m=None):
    """The parameters W1, b1, ... (from ``seed``) and the gradients dW1, db1, ... (from ``seed + 1``).

    With ``m`` examples the gradients dA0 (layer_dims[0], m), dA1, ... are there too, as L_model_backward
    leaves them.
    """
    parameters = _parameters(np.random.RandomState(seed), layer_dims)
    rng = np.random.RandomState(seed + 1)
    gradients = {"d" + name: value for name, value in _parameters(rng, layer_dims).items()}
    if m is not None:
        gradients |= {f"dA{layer}": rng.randn(n, m) for layer, n in enumerate(layer_dims[:-1])}
    return parameters, gradients


def _layer(rng, n_prev, n, m):
    return rng.randn(n_prev, m), rng.randn(n, n_prev), rng.randn(n, 1)


def _parameters(rng, layer_dims):
    parameters = {}
    for layer, (n_prev, n) in enumerate(pairwise(layer_dims), start=1):
        parameters[f"W{layer}"] = rng.randn(n, n_prev)
        parameters[f"b{layer}"] = rng.randn(n, 1)
    return parameters
