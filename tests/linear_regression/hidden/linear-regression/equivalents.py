"""Mutants of the solutions of `linear-regression` that are no errors, each with the reason."""

EQUIVALENT: dict[str, dict[str, str]] = {
    "slopes": {
        "2 X -> y": "both have one column for each example",
        "2 1 -> -1": "X has two axes, so the last one is axis 1, too",
        "5 float(np.sum(error)) -> np.sum(error)": "the same number in another type",
    },
}
