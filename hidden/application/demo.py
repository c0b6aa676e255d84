"""The submissions for `application` in `./course demo`."""

from coursekit.author import Recipe

LIMITS = {"cell_timeout_s": 60}  # networks are trained

_STEP = (
    "grads = L_model_backward(AL, Y, caches)\n        parameters = update_parameters(parameters, grads, learning_rate)"
)
CLASS = (
    Recipe("anna", "all right"),
    Recipe("dario", "nothing written", blank=True),
    Recipe(
        "emma",
        "new parameters computed and thrown away",
        answers=((_STEP, _STEP.replace("parameters = update", "update", 1)),),
    ),
)
