"""The numbers that were printed for these ten exercises long before this course: its independent oracle.

They are literals, so a mistake that crept into the solutions, the generators and the recording alike would
show. NumPy prints eight digits, so a right number lies within half a unit of the eighth; the cost was printed
in full.
"""

import numpy as np
import pytest

import testCases as tc
from selfcheck import recordings
from selfcheck.returned_values import flatten
from tests import tables

RECORDED = tables.COURSE.folder("step-by-step") / recordings.NAME
EXERCISES = tables.table("step-by-step").cases
PRINTED = 5e-9 * 1.001  # half a unit of the eighth digit after the point, and the rounding of the literal itself

W1_OF_3_2_1 = [[0.01624345, -0.00611756, -0.00528172], [-0.01072969, 0.00865408, -0.02301539]]
W1_OF_5_4_3 = [
    [0.01788628, 0.0043651, 0.00096497, -0.01863493, -0.00277388],
    [-0.00354759, -0.00082741, -0.00627001, -0.00043818, -0.00477218],
    [-0.01313865, 0.00884622, 0.00881318, 0.01709573, 0.00050034],
    [-0.00404677, -0.0054536, -0.01546477, 0.00982367, -0.01101068],
]
W2_OF_5_4_3 = [
    [-0.01185047, -0.0020565, 0.01486148, 0.00236716],
    [-0.01023785, -0.00712993, 0.00625245, -0.00160513],
    [-0.00768836, -0.00230031, 0.00745056, 0.01976111],
]
COST = 0.2797765635793422
UPDATED_W1 = [
    [-0.59562069, -0.09991781, -2.14584584, 1.82662008],
    [-1.76569676, -0.80627147, 0.51115557, -1.18258802],
    [-1.0535704, -0.86128581, 0.68284052, 2.20374577],
]

# By exercise and case: the outputs that were printed, and what else the functions return is not in here.
SEED = {
    ("initialize_parameters", "example"): {
        "W1": W1_OF_3_2_1,
        "b1": [[0.0], [0.0]],
        "W2": [[0.01744812, -0.00761207]],
        "b2": [[0.0]],
    },
    ("initialize_parameters_deep", "example"): {
        "W1": W1_OF_5_4_3,
        "b1": [[0.0], [0.0], [0.0], [0.0]],
        "W2": W2_OF_5_4_3,
        "b2": [[0.0], [0.0], [0.0]],
    },
    ("linear_forward", "example"): {"Z": [[3.26295337, -1.23429987]]},
    ("linear_activation_forward", "sigmoid"): {"A": [[0.96890023, 0.11013289]]},
    ("linear_activation_forward", "relu"): {"A": [[3.43896131, 0.0]]},
    ("L_model_forward", "example"): {"AL": [[0.03921668, 0.70498921, 0.19734387, 0.04728177]]},
    ("linear_backward", "example"): {
        "dA_prev": [
            [-1.15171336, 0.06718465, -0.3204696, 2.09812712],
            [0.60345879, -3.72508701, 5.81700741, -3.84326836],
            [-0.4319552, -1.30987417, 1.72354705, 0.05070578],
            [-0.38981415, 0.60811244, -1.25938424, 1.47191593],
            [-2.52214926, 2.67882552, -0.67947465, 1.48119548],
        ],
        "dW": [
            [0.07313866, -0.0976715, -0.87585828, 0.73763362, 0.00785716],
            [0.85508818, 0.37530413, -0.59912655, 0.71278189, -0.58931808],
            [0.97913304, -0.24376494, -0.08839671, 0.55151192, -0.10290907],
        ],
        "db": [[-0.14713786], [-0.11313155], [-0.13209101]],
    },
    ("linear_activation_backward", "sigmoid"): {
        "dA_prev": [[0.11017994, 0.01105339], [0.09466817, 0.00949723], [-0.05743092, -0.00576154]],
        "dW": [[0.10266786, 0.09778551, -0.01968084]],
        "db": [[-0.05729622]],
    },
    ("linear_activation_backward", "relu"): {
        "dA_prev": [[0.44090989, 0.0], [0.37883606, 0.0], [-0.2298228, 0.0]],
        "dW": [[0.44513824, 0.37371418, -0.10478989]],
        "db": [[-0.20837892]],
    },
    ("L_model_backward", "example"): {
        "dA0": [[0.0, 0.52257901], [0.0, -0.3269206], [0.0, -0.32070404], [0.0, -0.74079187]],
        "dA1": [[0.12913162, -0.44014127], [-0.14175655, 0.48317296], [0.01663708, -0.05670698]],
        "dW1": [
            [0.41010002, 0.07807203, 0.13798444, 0.10502167],
            [0.0, 0.0, 0.0, 0.0],
            [0.05283652, 0.01005865, 0.01777766, 0.0135308],
        ],
        "dW2": [[-0.39202432, -0.13325855, -0.04601089]],
        "db1": [[-0.22007063], [0.0], [-0.02835349]],
        "db2": [[0.15187861]],
    },
    ("update_parameters", "example"): {
        "W1": UPDATED_W1,
        "b1": [[-0.04659241], [-1.28888275], [0.53405496]],
        "W2": [[-0.55569196, 0.0354055, 1.32964895]],
        "b2": [[-0.84610769]],
    },
}


@pytest.fixture(scope="module")
def solution():
    return tables.solved("step-by-step")


@pytest.mark.parametrize(("function", "case_name"), SEED, ids=[" ".join(key) for key in SEED])
def test_the_solution_reproduces_every_printed_number(solution, function, case_name):
    """The students of this course can compare with everybody who has ever done these exercises."""
    exercise = EXERCISES[function]
    case = next(case for case in exercise.cases if case.name == case_name)

    outputs = flatten(solution[function](*exercise.build(case)), exercise.outputs)

    for name, printed in SEED[function, case_name].items():
        assert outputs[name].shape == np.shape(printed), name
        np.testing.assert_allclose(outputs[name], printed, rtol=0, atol=PRINTED, err_msg=name)


@pytest.mark.parametrize(("function", "case_name"), SEED, ids=[" ".join(key) for key in SEED])
def test_the_recording_holds_every_printed_number(function, case_name):
    """A recording is made by the solution, so something else than the solution has to vouch for it."""
    there = recordings.outputs(RECORDED, function)[case_name]

    for name, printed in SEED[function, case_name].items():
        assert there[name].shape == np.shape(printed), name
        np.testing.assert_allclose(there[name], printed, rtol=0, atol=PRINTED, err_msg=name)


def test_the_cost_agrees_to_the_last_digit(solution):
    """All sixteen digits were printed; neighbouring doubles are 5.6e-17 apart: one unit is allowed."""
    Y, AL = tc.compute_cost_test_case()

    cost = solution["compute_cost"](AL, Y)
    there = recordings.outputs(RECORDED, "compute_cost")["example"]["cost"]

    assert np.shape(cost) == there.shape == ()
    assert abs(float(cost) - COST) <= 1e-16
    assert abs(float(there) - COST) <= 1e-16


def test_every_exercise_has_printed_numbers():
    """An exercise that fell out of this file would lose its oracle without anybody noticing."""
    functions = {function for function, _ in SEED} | {"compute_cost"}

    assert functions == set(EXERCISES)


def test_the_updated_parameters_leave_the_given_ones_alone(solution):
    """The printed numbers come from one step; a second step from the same parameters must give them again."""
    parameters, grads = tc.update_parameters_test_case()

    first = solution["update_parameters"](parameters, grads, 0.1)
    second = solution["update_parameters"](parameters, grads, 0.1)

    np.testing.assert_allclose(first["W1"], UPDATED_W1, rtol=0, atol=PRINTED)
    np.testing.assert_array_equal(first["W1"], second["W1"])
