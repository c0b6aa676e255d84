"""Equivalent mutants of the solutions of `digits`, each with the reason.

A key is ``line change``, as ``coursekit check`` prints it; lines are counted in the function without docstring and
comments. ``check`` reports missing entries, and entries that are no longer true.
"""

from reasons import COLUMNS, NO_ORDER, REMAINDER, SAME_OBJECT, TWO_AXES, TYPE

SEVERAL_WAYS = "NumPy takes it either way"
ROUNDING = "differs by about 1e-15, which no tolerance should see"
ENTRY_AGAIN = "the array that is overwritten was made a line before, and nobody else has it"

EQUIVALENT: dict[str, dict[str, str]] = {
    "relu": {"2 np.maximum(0, Z) -> np.maximum(Z, 0)": SEVERAL_WAYS},
    "softmax": {
        "2 dropped: keepdims=True": "a flat array of m numbers stands for a row of m columns",
        "2 True -> False": "a flat array of m numbers stands for a row of m columns",
        "3 in place: A = powers / np.sum(powers, axis=0, keepdims=True)": ENTRY_AGAIN,
        "3 dropped: keepdims=True": "a flat array of m numbers stands for a row of m columns",
        "3 True -> False": "a flat array of m numbers stands for a row of m columns",
    },
    "linear_activation_forward": {"9 activation_cache -> Z": SAME_OBJECT},
    "apply_batchnorm": {"2 1 -> -1": TWO_AXES, "3 1 -> -1": TWO_AXES},
    "l_model_forward": {
        "7 after the next: if use_batchnorm:": "the list holds the very dict that gets another entry afterwards",
    },
    "compute_cost": {
        "2 Y -> AL": COLUMNS,
        "2 1 -> -1": TWO_AXES,
        "3 np.clip(AL, 1e-15, 1 - 1e-15) -> np.clip(1e-15, AL, 1 - 1e-15)": "the larger of the two, either way",
        "3 1 - 1e-15 -> 1 + 1e-15": ROUNDING,
        "3 1 - 1e-15 -> 1": ROUNDING,
        "3 1 -> 2": "no probability is above 1, so none is cut, and 1 - 1e-15 is 1 but for rounding",
        "3 1e-15 -> 0.0 (2)": ROUNDING,
        "3 1e-15 -> 1.0000000000000002e-14 (2)": ROUNDING,
        "3 1e-15 -> 1.0000000000000001e-16 (2)": ROUNDING,
        "4 -np.sum(Y * np.log(AL)) / m -> (-np.sum(Y * np.log(AL))).T / m": "a single number is its own transpose",
    },
    "linear_backward": {"3 A_prev -> dZ": COLUMNS, "3 1 -> -1": TWO_AXES, "5 1 -> -1": TWO_AXES},
    "relu_backward": {"3 Z -> activation_cache": SAME_OBJECT},
    "softmax_backward": {"3 dZ -> dA": SAME_OBJECT},
    "linear_activation_backward": {
        "5 softmax_backward(dA, cache['activation_cache']) -> dA": "softmax_backward returns dA as it is",
        "5 'activation_cache' -> 'linear_cache'": "softmax_backward does not read what it is given besides dA",
    },
    "batchnorm_backward": {
        "2 1 -> -1": TWO_AXES,
        "3 1 -> -1": TWO_AXES,
        "4 A - mean -> mean - A": "NA is in the product twice, so its sign does not count",
        "5 1 -> -1": TWO_AXES,
        "6 in place: through_variance = NA * np.mean(dNA * NA, axis=1, keepdims=True)": ENTRY_AGAIN,
        "6 1 -> -1": TWO_AXES,
    },
    "l_model_backward": {"12 dA -> dA_prev": SAME_OBJECT},
    "update_parameters": {"4 range(1, L + 1) -> reversed(range(1, L + 1))": NO_ORDER},
    "l_layer_model": {
        "1 0.0 -> -0.0": "a penalty of minus zero is none, either",
        "7 0 -> 1": "the first step is always a new best, and sets it to 0",
        "7 0 -> -1": "the first step is always a new best, and sets it to 0",
        "13 range(1, L + 1) -> reversed(range(1, L + 1))": NO_ORDER,
        "14 in place: grads[f'dW{l}'] = grads[f'dW{l}'] + l2 * parameters[f'W{l}']": ENTRY_AGAIN,
        "16 step % 100 == 0 -> step % 100 <= 0": REMAINDER,
        "16 100 -> -100": REMAINDER,
        "24 waited >= patience -> waited == patience": "waited grows one by one from 0, and patience is at least 1",
    },
    "predict": {"4 float(np.mean(right)) -> np.mean(right)": TYPE},
}
