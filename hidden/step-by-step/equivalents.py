"""Equivalent mutants of the solutions of `step-by-step`, each with the reason.

A key is ``line change``, as ``coursekit check`` prints it; lines are counted in the function without docstring and
comments. ``check`` reports missing entries, and entries that are no longer true.
"""

from reasons import COLUMNS, NO_ORDER, SAME_OBJECT, TWO_AXES

OTHERWISE = "the contract knows two activations only, and the other one is asked for before or after"
SHAPE_OF_LABELS = "the labels have the shape (1, m) of the predictions already"

EQUIVALENT: dict[str, dict[str, str]] = {
    "linear_activation_forward": {
        "2 activation == 'sigmoid' -> activation >= 'sigmoid'": OTHERWISE,
        "5 always: if activation == 'relu':": OTHERWISE,
        "5 activation == 'relu' -> activation >= 'relu'": OTHERWISE,
        "5 activation == 'relu' -> activation <= 'relu'": OTHERWISE,
        "8 activation_cache -> Z": SAME_OBJECT,
    },
    "L_model_forward": {"7 A_prev -> A": SAME_OBJECT},
    "compute_cost": {
        "2 Y -> AL": COLUMNS,
        "2 1 -> -1": TWO_AXES,
        "4 np.sum(losses) / m -> np.sum(losses).T / m": "the sum is a single number, its own transpose",
    },
    "linear_backward": {"3 A_prev -> dZ": COLUMNS, "3 1 -> -1": TWO_AXES, "5 1 -> -1": TWO_AXES},
    "linear_activation_backward": {
        "3 activation == 'relu' -> activation <= 'relu'": OTHERWISE,
        "6 always: if activation == 'sigmoid':": OTHERWISE,
        "6 activation == 'sigmoid' -> activation >= 'sigmoid'": OTHERWISE,
        "6 activation == 'sigmoid' -> activation <= 'sigmoid'": OTHERWISE,
    },
    "L_model_backward": {
        "4 deleted: Y = Y.reshape(AL.shape)": SHAPE_OF_LABELS,
        "4 Y.reshape(AL.shape) -> Y": SHAPE_OF_LABELS,
        "4 AL -> Y": SHAPE_OF_LABELS,
        "4 after the next: Y = Y.reshape(AL.shape)": SHAPE_OF_LABELS,
    },
    "update_parameters": {"4 range(1, L + 1) -> reversed(range(1, L + 1))": NO_ORDER},
}
