"""Fixed-seed inputs, one generator per exercise.

Every generator takes its seed and its sizes as keyword arguments; the defaults give the example of the
notebook. Each call makes its own ``RandomState``, whose stream is the same in all versions of NumPy. So the
caller's random state never changes, and the same call always returns equal, new arrays.

Sizes: ``n_prev`` units come in, ``n`` units go out, ``m`` examples stand side by side as columns;
``layer_dims`` lists the units per layer, the input first. The three parts belong to the three assignments;
the names of the last one begin with ``digits_``.
"""

from itertools import pairwise

import numpy as np

__all__ = [
    "L_layer_model_test_case",
    "L_model_backward_test_case",
    "L_model_forward_test_case_2hidden",
    "compute_cost_test_case",
    "digits_apply_batchnorm_test_case",
    "digits_batchnorm_backward_test_case",
    "digits_compute_cost_test_case",
    "digits_initialize_parameters_test_case",
    "digits_l_layer_model_test_case",
    "digits_l_model_backward_test_case",
    "digits_l_model_forward_test_case",
    "digits_linear_activation_backward_test_case",
    "digits_linear_activation_forward_test_case",
    "digits_linear_backward_test_case",
    "digits_linear_forward_test_case",
    "digits_predict_test_case",
    "digits_relu_backward_test_case",
    "digits_relu_test_case",
    "digits_softmax_backward_test_case",
    "digits_softmax_test_case",
    "digits_update_parameters_test_case",
    "initialize_parameters_deep_test_case",
    "initialize_parameters_test_case",
    "linear_activation_backward_test_case",
    "linear_activation_forward_test_case",
    "linear_backward_test_case",
    "linear_forward_test_case",
    "mislabelled_test_case",
    "predict_test_case",
    "prepare_images_test_case",
    "two_layer_model_test_case",
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
    that are at least ``margin`` away from 0 and 1, or, if ``extreme``, exactly ``margin`` away.
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
    return _parameters_and_gradients(seed, layer_dims, m, first_dA=0)


# --- application ----------------------------------------------------------------------------------------------


def prepare_images_test_case(seed=1, height=2, width=3, m=2, grey=None):
    """Images (m, height, width, 3) of whole numbers from 0 to 255; ``grey`` fills them all with one number."""
    images = np.random.RandomState(seed).randint(0, 256, (m, height, width, 3)).astype(np.uint8)
    return images if grey is None else np.full_like(images, grey)


def two_layer_model_test_case(seed=1, layer_dims=(4, 3, 1), m=7):
    """X (layer_dims[0], m), Y (1, m) of zeros and ones, and the sizes (n_x, n_h, n_y)."""
    return *_yes_or_no(np.random.RandomState(seed), layer_dims[0], m), tuple(layer_dims)


def L_layer_model_test_case(seed=1, layer_dims=(5, 4, 3, 1), m=7):
    """X (layer_dims[0], m), Y (1, m) of zeros and ones, and the list of units per layer."""
    return *_yes_or_no(np.random.RandomState(seed), layer_dims[0], m), list(layer_dims)


def predict_test_case(seed=1, layer_dims=(4, 3, 1), m=7, labels=True, undecided=False):
    """X (layer_dims[0], m), the labels y (1, m), and the parameters W1, b1, ... of every layer.

    Without ``labels`` y is None. An ``undecided`` network has parameters of zero only, so that every probability
    is exactly one half.
    """
    rng = np.random.RandomState(seed)
    X, y = _yes_or_no(rng, layer_dims[0], m)
    parameters = {name: value * (not undecided) for name, value in _parameters(rng, layer_dims).items()}
    return X, y if labels else None, parameters


def mislabelled_test_case(seed=1, m=9, wrong=None):
    """The answers p (1, m) and the labels y (1, m), zeros and ones; ``wrong`` fixes how many differ."""
    rng = np.random.RandomState(seed)
    y = rng.randint(0, 2, (1, m))
    if wrong is None:
        return rng.randint(0, 2, (1, m)), y
    p = y.copy()
    p[0, rng.permutation(m)[:wrong]] ^= 1
    return p, y


# --- digits -----------------------------------------------------------------------------------------------------


def digits_initialize_parameters_test_case(layer_dims=(784, 20, 7, 5, 10)):
    """The list of units per layer; the function under test seeds itself."""
    return list(layer_dims)


def digits_linear_forward_test_case(seed=42, n_prev=3, n=4, m=2):
    """A (n_prev, m), W (n, n_prev), b (n, 1)."""
    return _layer(np.random.RandomState(seed), n_prev, n, m)


def digits_relu_test_case(seed=None, n=2, m=3):
    """Z (n, m): without a seed the example of the notebook."""
    return _scores(seed, n, m)


def digits_softmax_test_case(seed=None, n=2, m=3, scale=1.0):
    """Z (n, m): without a seed the example of the notebook; ``scale`` multiplies it, for extreme values."""
    return _scores(seed, n, m, scale)


def digits_linear_activation_forward_test_case(seed=42, n_prev=3, n=4, m=2, scale=1.0):
    """A_prev (n_prev, m), W (n, n_prev), B (n, 1); ``scale`` multiplies W, for extreme values of Z."""
    A_prev, W, B = _layer(np.random.RandomState(seed), n_prev, n, m)
    return A_prev, scale * W, B


def digits_apply_batchnorm_test_case(seed=42, n=5, m=10, constant=0):
    """A (n, m), drawn after the example of linear_forward; the first ``constant`` units are equal in all examples."""
    rng = np.random.RandomState(seed)
    _layer(rng, 3, 4, 2)
    return _with_constant_units(rng.randn(n, m), constant)


def digits_l_model_forward_test_case(seed=42, layer_dims=(7, 6, 5, 3), m=4):
    """X (layer_dims[0], m) and the parameters W1, b1, ... of every layer."""
    rng = np.random.RandomState(seed)
    X = rng.randn(layer_dims[0], m)
    return X, _parameters(rng, layer_dims)


def digits_compute_cost_test_case(seed=None, n=2, m=2, sure=False):
    """AL (n, m) of probabilities and Y (n, m) with a single 1 per column; without a seed those of the notebook.

    A network that is ``sure`` gives probabilities of 0 and 1 only, and is wrong about some examples.
    """
    if seed is None:
        return np.array([[0.8, 0.1], [0.2, 0.9]]), np.eye(2)
    AL, Y = _probabilities(np.random.RandomState(seed), n, m)
    return (AL.max(axis=0) == AL).astype(float) if sure else AL, Y


def digits_linear_backward_test_case(seed=42, n_prev=3, n=4, m=2):
    """dZ (n, m) and the cache (A_prev (n_prev, m), W (n, n_prev), b (n, 1))."""
    linear_cache, _, _, dZ = _backward_layer(np.random.RandomState(seed), n_prev, n, m)
    return dZ, linear_cache


def digits_relu_backward_test_case(seed=42, n=4, m=2, zeros=0):
    """dA (n, m) and Z (n, m); the first ``zeros`` entries of Z are exactly 0."""
    _, Z, dA, _ = _backward_layer(np.random.RandomState(seed), 3, n, m)
    Z.flat[:zeros] = 0
    return dA, Z


def digits_softmax_backward_test_case(seed=None, n=4, m=2):
    """dA (n, m), which is AL - Y, and Z (n, m); without a seed the example of the notebook."""
    rng = np.random.RandomState(42 if seed is None else seed)
    _, Z, _, _ = _backward_layer(rng, 3, n, m)
    if seed is None:
        return np.array([[0.8, 0.1], [0.1, 0.8], [0.05, 0.05], [0.05, 0.05]]) - np.eye(4)[:, :2], Z
    AL, Y = _probabilities(rng, n, m)
    return AL - Y, Z


def digits_linear_activation_backward_test_case(seed=42, n_prev=3, n=4, m=2):
    """dA (n, m) and the cache {"linear_cache": (A_prev, W, b), "activation_cache": Z (n, m)}."""
    linear_cache, Z, dA, _ = _backward_layer(np.random.RandomState(seed), n_prev, n, m)
    return dA, {"linear_cache": linear_cache, "activation_cache": Z}


def digits_batchnorm_backward_test_case(seed=42, n=3, m=4, constant=0):
    """dNA (n, m) and A (n, m); the first ``constant`` units are equal in all examples."""
    rng = np.random.RandomState(seed)
    dNA = rng.randn(n, m)
    return dNA, _with_constant_units(rng.randn(n, m), constant)


def digits_l_model_backward_test_case(seed=42, layer_dims=(3, 4, 2), m=2, batchnorm=False):
    """AL, Y (layer_dims[-1], m) and one cache per layer, drawn after the example of linear_activation_backward.

    AL and the caches are drawn on their own, so AL need not be what the caches lead to: only the formulas
    count here. With ``batchnorm`` every hidden layer has a "batchnorm_cache". With two classes and
    two examples AL and Y are those of the notebook.
    """
    rng = np.random.RandomState(seed)
    _backward_layer(rng, 3, 4, 2)
    caches = []
    for n_prev, n in pairwise(layer_dims):
        linear_cache = _layer(rng, n_prev, n, m)
        A, W, b = linear_cache
        caches.append({"linear_cache": linear_cache, "activation_cache": b + np.matmul(W, A)})
    if (layer_dims[-1], m) == (2, 2):
        AL, Y = np.array([[0.7, 0.1], [0.3, 0.9]]), np.eye(2)
    else:
        AL, Y = _probabilities(rng, layer_dims[-1], m)
    if batchnorm:
        for cache in caches[:-1]:
            cache["batchnorm_cache"] = np.abs(rng.randn(*cache["activation_cache"].shape))
    return AL, Y, caches


def digits_update_parameters_test_case(seed=42, layer_dims=(3, 4, 2), m=None):
    """The parameters W1, b1, ... (from ``seed``) and the gradients dW1, db1, ... (from ``seed + 1``).

    With ``m`` examples the gradients dA1 (layer_dims[0], m), dA2, ... are there too, as l_model_backward
    leaves them.
    """
    return _parameters_and_gradients(seed, layer_dims, m, first_dA=1)


def digits_l_layer_model_test_case(seed=42, layer_dims=(4, 6, 5, 3), m=40, random=False):
    """X (layer_dims[0], m), Y (layer_dims[-1], m) with a single 1 per column, and the list of units per layer.

    The label is the index of the largest of the first entries, which can be learnt; or it is ``random``.
    """
    rng = np.random.RandomState(seed)
    return *_classes(rng, layer_dims, m, random), list(layer_dims)


def digits_predict_test_case(seed=42, layer_dims=(4, 5, 3), m=40):
    """X (layer_dims[0], m), Y (layer_dims[-1], m) with a single 1 per column, and the parameters of every layer."""
    rng = np.random.RandomState(seed)
    X, Y = _classes(rng, layer_dims, m)
    return X, Y, _parameters(rng, layer_dims)


def starting_values(layer_dims):
    """Parameters W1, b1, ... that no exercise returns: other starting values for the training."""
    return _parameters(np.random.RandomState(7), layer_dims)


# --- helpers of several generators ----------------------------------------------------------------------------


def _layer(rng, n_prev, n, m):
    return rng.randn(n_prev, m), rng.randn(n, n_prev), rng.randn(n, 1)


def _parameters(rng, layer_dims):
    parameters = {}
    for layer, (n_prev, n) in enumerate(pairwise(layer_dims), start=1):
        parameters[f"W{layer}"] = rng.randn(n, n_prev)
        parameters[f"b{layer}"] = rng.randn(n, 1)
    return parameters


def _parameters_and_gradients(seed, layer_dims, m, first_dA):
    parameters = _parameters(np.random.RandomState(seed), layer_dims)
    rng = np.random.RandomState(seed + 1)
    gradients = {"d" + name: value for name, value in _parameters(rng, layer_dims).items()}
    if m is not None:
        gradients |= {f"dA{layer}": rng.randn(n, m) for layer, n in enumerate(layer_dims[:-1], start=first_dA)}
    return parameters, gradients


def _yes_or_no(rng, n, m):
    """Examples, and labels 0 and 1."""
    return rng.randn(n, m), rng.randint(0, 2, (1, m))


def _classes(rng, layer_dims, m, random=False):
    """Examples, and labels with a single 1 per column."""
    X, n = rng.randn(layer_dims[0], m), layer_dims[-1]
    labels = rng.randint(0, n, m) if random else np.argmax(X[:n], axis=0)
    return X, np.eye(n)[:, labels]


def _scores(seed, n, m, scale=1.0):
    if seed is None:
        return np.array([[1, -1, 0], [2, -2, 3]])
    return scale * np.random.RandomState(seed).randn(n, m)


def _probabilities(rng, n, m):
    """Predictions whose columns add up to 1, and labels with a single 1 per column."""
    AL = 0.05 + rng.rand(n, m)
    return AL / AL.sum(axis=0), np.eye(n)[:, rng.randint(0, n, m)]


def _backward_layer(rng, n_prev, n, m):
    """The linear cache, its Z, and then dA and dZ, both (n, m)."""
    A, W, b = _layer(rng, n_prev, n, m)
    return (A, W, b), b + np.matmul(W, A), rng.randn(n, m), rng.randn(n, m)


def _with_constant_units(A, units):
    A[:units] = 0.5
    return A
