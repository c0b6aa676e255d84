"""The activations of ``dnn_utils`` and their gradients; not released with an assignment that asks for them.

``A`` and ``Z`` are (units, m): examples are columns.
"""

from __future__ import annotations

import numpy as np


def sigmoid(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``A = 1 / (1 + exp(-Z))``, entry by entry, for Z of any size without overflow.

    Z   (n, m)   output of the linear half

    Returns A (n, m), every entry between 0 and 1, and the cache Z for sigmoid_backward.
    """
    small = np.exp(-np.abs(Z))  # at most 1, so it cannot overflow
    return np.where(np.asarray(Z) >= 0, 1, small) / (1 + small), Z


def relu(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``A = max(0, Z)``, entry by entry.

    Z   (n, m)   output of the linear half

    Returns A (n, m) and the cache Z for relu_backward.
    """
    return np.maximum(0, Z), Z


def sigmoid_backward(dA: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """``dZ = dA * s * (1 - s)`` with ``s = sigmoid(Z)``, entry by entry; not averaged over m.

    dA      (n, m)   gradient with respect to the layer's activations
    cache   (n, m)   the Z that sigmoid was called with

    Returns dZ (n, m).
    """
    small = np.exp(-np.abs(cache))  # s * (1 - s) without the digits that 1 - s loses for large Z
    return dA * small / (1 + small) ** 2


def relu_backward(dA: np.ndarray, cache: np.ndarray) -> np.ndarray:
    """``dZ = dA`` where ``Z > 0``, and 0 elsewhere, also where Z is exactly 0; not averaged over m.

    dA      (n, m)   gradient with respect to the layer's activations
    cache   (n, m)   the Z that relu was called with

    Returns dZ (n, m).
    """
    return np.where(np.asarray(cache) > 0, dA, 0)
