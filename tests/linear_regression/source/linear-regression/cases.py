"""Public half of the exercises of `linear-regression`, with the generators of their inputs."""

import numpy as np

from selfcheck.exercises import Case, Exercise


def predict_line_test_case(seed=1, n=3, m=4):
    """X (n, m), w (n, 1) and b of a line through m examples."""
    random = np.random.RandomState(seed)
    return random.randn(n, m), random.randn(n, 1), float(random.randn())


def slopes_test_case(seed=1, n=3, m=4):
    """The same, with labels y (1, m)."""
    random = np.random.RandomState(seed)
    return random.randn(n, m), random.randn(1, m), random.randn(n, 1), float(random.randn())


EXERCISES = (
    Exercise(
        1,
        "predict_line",
        predict_line_test_case,
        ("X", "w", "b"),
        "y_hat",
        (Case("example"), Case("other sizes", {"seed": 2, "n": 2, "m": 5})),
        "every example is a column of X; the weights belong to its rows.",
        "a single example, and looks whether the inputs stay as they were",
    ),
    Exercise(
        2,
        "slopes",
        slopes_test_case,
        ("X", "y", "w", "b"),
        ("dw", "db"),
        (Case("example"), Case("other sizes", {"seed": 3, "n": 2, "m": 5})),
        "dw has the shape of w, db is a number; both are averaged over the examples.",
        "a single example, and looks whether the inputs stay as they were",
    ),
)
