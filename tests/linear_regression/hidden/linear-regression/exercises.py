"""Points and hidden cases of `linear-regression`."""

from coursekit.author import Case, Check, Grading

_UNTOUCHED = Check("inputs untouched", 1, untouched=True)
_SIZES = ((4, 3), (1, 6), (5, 1))

EXERCISES = (
    Grading(
        "predict_line",
        (Check("y_hat", 3), _UNTOUCHED),
        tuple(Case(f"{n}-{m}", {"seed": 10 + i, "n": n, "m": m}) for i, (n, m) in enumerate(_SIZES)),
    ),
    Grading(
        "slopes",
        (Check("dw", 3, ("dw",)), Check("db", 2, ("db",)), _UNTOUCHED),
        tuple(Case(f"{n}-{m}", {"seed": 20 + i, "n": n, "m": m}) for i, (n, m) in enumerate(_SIZES)),
        ("predict_line",),
    ),
)
