"""Equivalent mutants of the solutions of `application`, each with the reason.

A key is ``line change``, as ``coursekit check`` prints it; lines are counted in the function without docstring and
comments. ``check`` reports missing entries, and entries that are no longer true.
"""

from reasons import REMAINDER, TYPE

ONLY_PRINTS = "changes what is printed, which is not judged"

EQUIVALENT: dict[str, dict[str, str]] = {
    "prepare_images": {"2 1 -> 2": "reshape takes any negative number for the size that is left over"},
    "two_layer_model": {
        "1 False -> True": ONLY_PRINTS,
        "13 i % 100 == 0 -> i % 100 <= 0": REMAINDER,
        "13 100 -> -100": REMAINDER,
    },
    "L_layer_model": {
        "1 False -> True": ONLY_PRINTS,
        "9 i % 100 == 0 -> i % 100 <= 0": REMAINDER,
        "9 100 -> -100": REMAINDER,
    },
    "predict": {"3 (AL > 0.5).astype(int) -> AL > 0.5": TYPE},
}
