"""Answers to the exercises of `linear-regression`, wrong and right."""

MISTAKES = {
    "predict_line": (
        ("no-intercept", "leaves out b", {"w.T @ X + b": "w.T @ X"}, "Where does the line cross the axis?"),
        ("intercept-subtracted", "subtracts b", {"+ b": "- b"}, "Look at the sign of b."),
    ),
    "slopes": (
        ("not-averaged", "adds up over the examples", {"dw = 2 / m": "dw = 2", "db = 2 / m": "db = 2"},
         "Is the cost a sum, or a mean?"),
        ("half", "forgets the two of the square", {"dw = 2 / m": "dw = 1 / m", "db = 2 / m": "db = 1 / m"},
         "What is the derivative of a square?"),
        ("error-reversed", "label less prediction", {"predict_line(X, w, b) - y": "y - predict_line(X, w, b)"},
         "Which way does the cost fall? Look at the sign of the error."),
    ),
}  # fmt: skip
RIGHT_ANSWERS = {
    "predict_line": (("dot", "np.dot", {"w.T @ X + b": "np.dot(w.T, X) + b"}),),
    "slopes": (("mean", "np.mean for db", {"2 / m * float(np.sum(error))": "2 * float(np.mean(error))"}),),
}
