"""The hidden half of the exercises of `application`: points on named checks, and hidden cases.

Hidden cases call the generator with other seeds and sizes: m = 1, one layer, many layers, extreme values. A check
passes if its outputs are right in every case that it names, so no mark depends on a lucky example.
"""

from sizes import network_cases

import testCases as tc
from coursekit.author import Check, Grading
from selfcheck.exercises import Case

_INPUTS_UNCHANGED = Check("inputs untouched", 1, untouched=True)
_PRINTING = Check("costs while printing", 3, cases=("printing",))
_ONE_AND_MANY = ("1 layers", "4 layers", "5 layers")

EXERCISES = (
    Grading(
        "prepare_images",
        (
            Check("every number in its place", 10, cases=("example", "other sizes", "size")),
            Check("numbers from 0 to 1", 4, cases=("grey",), twins=0),
            _INPUTS_UNCHANGED,
        ),
        (
            *(
                Case(f"size {height}-{width}-{m}", {"seed": 301 + i, "height": height, "width": width, "m": m})
                for i, (height, width, m) in enumerate(((1, 4, 3), (5, 2, 1), (3, 3, 6), (8, 8, 2)))
            ),
            Case("grey 255", {"grey": 255}),
            Case("grey 51", {"height": 4, "width": 3, "m": 5, "grey": 51}),
        ),
    ),
    Grading(
        "two_layer_model",
        (
            Check("parameters", 17, ("parameters",), ("example", "other sizes", "2 layers")),
            Check("costs", 9, ("costs",), ("example", "other sizes", "2 layers")),
            _PRINTING,
            _INPUTS_UNCHANGED,
        ),
        (
            *network_cases(311, ((3, 4, 1), 1), ((6, 2, 1), 9), extra=(0.2, 101)),
            *network_cases(313, ((2, 5, 1), 3), extra=(1.0, 60)),
            *network_cases(314, ((4, 3, 1), 12), extra=(0.03, 301)),
            *network_cases(315, ((1, 2, 1), 5), extra=(0.0, 150)),
            *network_cases(316, ((5, 4, 1), 8), extra=(0.4, 250), also=["once more"]),
            Case("printing, 501 iterations", {"seed": 317, "layer_dims": (3, 2, 1), "m": 4}, (0.1, 501, True)),
            Case("2 layers, rate and iterations by default", {"seed": 318, "layer_dims": (2, 2, 1), "m": 3}),
        ),
        twins=(
            Case("2 layers", {"layer_dims": (3, 4, 1), "m": 6}, (0.3, 20)),
            Case("printing", {"layer_dims": (3, 2, 1), "m": 4}, (0.1, 20, True)),
        ),
    ),
    Grading(
        "L_layer_model",
        (
            Check("parameters", 12, ("parameters",), ("example", "one hidden layer", "2 layers")),
            Check("costs", 7, ("costs",), ("example", "one hidden layer", "2 layers")),
            Check("parameters with one layer, and many", 3, ("parameters",), _ONE_AND_MANY),
            Check("costs with one layer, and many", 2, ("costs",), _ONE_AND_MANY),
            Check("parameters from other starting values", 1, ("parameters",), ("start",)),
            Check("costs from other starting values", 1, ("costs",), ("start",)),
            _PRINTING,
            _INPUTS_UNCHANGED,
        ),
        (
            *network_cases(321, ((4, 1), 6), ((3, 1), 1), ((4, 3, 1), 5), extra=(0.2, 101)),
            *network_cases(324, ((5, 2, 1), 1), extra=(1.0, 60)),
            *network_cases(325, ((4, 6, 5, 3, 1), 5), ((6, 5, 4, 3, 2, 1), 8), extra=(0.3, 201)),
            Case("start", {"seed": 327, "layer_dims": (4, 3, 2, 1), "m": 6}, (0.1, 101, False, tc.starting_values)),
            Case("printing, 501 iterations", {"seed": 328, "layer_dims": (3, 2, 1), "m": 4}, (0.1, 501, True)),
            Case("1 layers, rate and iterations by default", {"seed": 329, "layer_dims": (2, 1), "m": 3}),
        ),
        twins=(
            Case("2 layers", {"layer_dims": (4, 3, 1), "m": 6}, (0.3, 20)),
            Case("1 layers", {"layer_dims": (4, 1), "m": 5}, (0.3, 20)),
            Case("4 layers", {"layer_dims": (3, 4, 3, 2, 1), "m": 5}, (0.3, 20)),
            Case("start", {"layer_dims": (4, 3, 2, 1), "m": 6}, (0.1, 20, False, tc.starting_values)),
            Case("printing", {"layer_dims": (3, 2, 1), "m": 4}, (0.1, 20, True)),
        ),
    ),
    Grading(
        "predict",
        (
            Check("two and three layers", 8, cases=("example", "three layers", "2 layers", "3 layers"), twins=3),
            Check("one layer, and many", 4, cases=("1 layers", "4 layers", "5 layers"), twins=3),
            Check("exactly one half", 2, cases=("one half",), twins=0),
            _INPUTS_UNCHANGED,
        ),
        (
            # seeds whose networks give both answers
            *network_cases(344, ((4, 1), 6), ((5, 4, 1), 15), ((4, 3, 2, 1), 30)),
            *network_cases(357, ((3, 5, 4, 2, 1), 25), ((6, 5, 4, 3, 2, 1), 40), labels=False),
            *network_cases(359, ((3, 1), 1), ((5, 2, 1), 1)),
            Case("one half", {"seed": 337, "layer_dims": (3, 2, 1), "m": 5, "undecided": True}),
        ),
        twins=(  # so many examples that nobody guesses all answers
            Case("2 layers", {"layer_dims": (4, 3, 1), "m": 40}),
            Case("1 layers", {"layer_dims": (4, 1), "m": 40}),
            Case("4 layers", {"layer_dims": (3, 5, 4, 2, 1), "m": 40, "labels": False}),
        ),
    ),
    Grading(
        "mislabelled",
        (
            Check("some wrong answers", 6, cases=("example", "twenty", "some"), twins=2),
            Check("all wrong, or none", 3, cases=("all", "none"), twins=0),
            _INPUTS_UNCHANGED,
        ),
        (
            *(
                Case(f"some of {m}", {"seed": 340 + m, "m": m, "wrong": wrong})
                for m, wrong in ((5, 1), (12, 3), (50, 9))
            ),
            *(Case(f"all of {m}", {"seed": 340 + m, "m": m, "wrong": m}) for m in (1, 7)),
            *(Case(f"none of {m}", {"seed": 340 + m, "m": m, "wrong": 0}) for m in (1, 6)),
        ),
    ),
)
