"""The generators of fixed-seed inputs: the old draws in the old order, and the random state left alone."""

import inspect

import numpy as np
import pytest

import testCases as tc
from comparison import flatten

GENERATORS = [getattr(tc, name) for name in tc.__all__]
RANDOM = [generator for generator in GENERATORS if "seed" in inspect.signature(generator).parameters]
ids = {"ids": lambda generator: generator.__name__}


def leaves(value):
    """Every array and number in a generator's value, in order."""
    return list(flatten((value,), ("value",)).values())


def redrawn(seed, *shapes):
    """The draws as the exercises describe them: the global generator, seeded, one array after the other."""
    np.random.seed(seed)
    return [np.random.randn(*shape) for shape in shapes]


def assert_equal(value, drawn):
    arrays = leaves(value)
    assert len(arrays) == len(drawn)
    for mine, theirs in zip(arrays, drawn, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("generator", GENERATORS, **ids)
def test_the_callers_random_state_is_left_alone(generator):
    """Who seeds at the top of the notebook must get the same numbers with and without our examples."""
    np.random.seed(20)
    before = np.random.get_state()

    generator()

    after = np.random.get_state()
    assert before[0] == after[0]
    assert before[2:] == after[2:]
    np.testing.assert_array_equal(before[1], after[1])


@pytest.mark.parametrize("generator", GENERATORS, **ids)
def test_the_same_call_gives_the_same_arrays_whatever_was_drawn_before(generator):
    """Everybody must see the same example, in whichever order the cells are run."""
    first = leaves(generator())
    np.random.seed(7)
    np.random.randn(100)
    second = leaves(generator())

    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("generator", GENERATORS, **ids)
def test_every_call_gives_new_objects(generator):
    """A function that writes into its inputs must not spoil the next call's."""
    first, second = leaves(generator()), leaves(generator())

    for one, other in zip(first, second, strict=True):
        if one.ndim:
            assert not np.shares_memory(one, other)
            one[...] = 99
    for one, other in zip(second, leaves(generator()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_layer_dims_is_a_new_list_each_time():
    """A student may pop from the given list; the grader notices, and the next call must not."""
    first = tc.initialize_parameters_deep_test_case()
    first.pop()

    assert tc.initialize_parameters_deep_test_case() == [5, 4, 3]


@pytest.mark.parametrize("generator", RANDOM, **ids)
def test_another_seed_gives_other_numbers(generator):
    """A hidden case is the same generator at another seed, so the seed must count."""
    seeds = (51, 52)

    one, other = (leaves(generator(seed=seed)) for seed in seeds)

    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# --- the public examples, drawn once more -----------------------------------------------------------------


def test_initialize_parameters_asks_for_3_2_1():
    assert tc.initialize_parameters_test_case() == (3, 2, 1)


def test_linear_forward_draws_A_W_b_from_seed_1():
    assert_equal(tc.linear_forward_test_case(), redrawn(1, (3, 2), (1, 3), (1, 1)))


def test_linear_activation_forward_draws_A_W_b_from_seed_2():
    assert_equal(tc.linear_activation_forward_test_case(), redrawn(2, (3, 2), (1, 3), (1, 1)))


def test_L_model_forward_draws_X_and_then_the_layers_from_seed_6():
    drawn = redrawn(6, (5, 4), (4, 5), (4, 1), (3, 4), (3, 1), (1, 3), (1, 1))

    X, parameters = tc.L_model_forward_test_case_2hidden()

    assert list(parameters) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert_equal((X, parameters), drawn)


def test_compute_cost_gives_labels_first_and_then_predictions():
    Y, AL = tc.compute_cost_test_case()

    np.testing.assert_array_equal(Y, [[1, 1, 0]])
    np.testing.assert_array_equal(AL, [[0.8, 0.9, 0.4]])


def test_linear_backward_draws_dZ_A_W_b_from_seed_1():
    dZ, cache = tc.linear_backward_test_case()

    assert isinstance(cache, tuple)
    assert_equal((dZ, *cache), redrawn(1, (3, 4), (5, 4), (3, 5), (3, 1)))


def test_linear_activation_backward_draws_dA_A_W_b_Z_from_seed_2():
    dA, (linear_cache, Z) = tc.linear_activation_backward_test_case()

    assert_equal((dA, *linear_cache, Z), redrawn(2, (1, 2), (3, 2), (1, 3), (1, 1), (1, 2)))


def test_L_model_backward_draws_AL_and_then_each_layers_cache_from_seed_3():
    AL, Y, caches = tc.L_model_backward_test_case()

    np.testing.assert_array_equal(Y, [[1, 0]])
    drawn = redrawn(3, (1, 2), (4, 2), (3, 4), (3, 1), (3, 2), (3, 2), (1, 3), (1, 1), (1, 2))
    assert_equal((AL, caches), drawn)


def test_update_parameters_draws_parameters_from_seed_2_and_gradients_from_seed_3():
    shapes = ((3, 4), (3, 1), (1, 3), (1, 1))

    parameters, grads = tc.update_parameters_test_case()

    assert list(parameters) == ["W1", "b1", "W2", "b2"]
    assert list(grads) == ["dW1", "db1", "dW2", "db2"]
    assert_equal(parameters, redrawn(2, *shapes))
    assert_equal(grads, redrawn(3, *shapes))


# --- other sizes: all unequal, so that no two of them can be mistaken for each other ----------------------


def shapes(value):
    return [leaf.shape for leaf in leaves(value)]


@pytest.mark.parametrize("generator", [tc.linear_forward_test_case, tc.linear_activation_forward_test_case], **ids)
def test_a_layer_forward_in_other_sizes(generator):
    assert shapes(generator(seed=8, n_prev=7, n=3, m=5)) == [(7, 5), (3, 7), (3, 1)]


def test_scale_multiplies_the_weights_only():
    A, W, b = tc.linear_activation_forward_test_case(seed=8, n_prev=7, n=3, m=5)
    A_too, W_large, b_too = tc.linear_activation_forward_test_case(seed=8, n_prev=7, n=3, m=5, scale=1000.0)

    np.testing.assert_array_equal(W_large, 1000.0 * W)
    np.testing.assert_array_equal((*A.flat, *b.flat), (*A_too.flat, *b_too.flat))


def test_a_network_forward_in_other_sizes():
    value = tc.L_model_forward_test_case_2hidden(seed=8, layer_dims=(6, 2, 4), m=5)

    assert shapes(value) == [(6, 5), (2, 6), (2, 1), (4, 2), (4, 1)]


@pytest.mark.parametrize("m", [1, 2, 9])
def test_the_cost_of_other_numbers_of_examples(m):
    """Labels are 0 and 1, and the probabilities keep their distance from both."""
    Y, AL = tc.compute_cost_test_case(seed=8, m=m, margin=0.2)

    assert Y.shape == AL.shape == (1, m)
    assert set(Y.flat) <= {0, 1}
    assert AL.min() >= 0.2
    assert AL.max() <= 0.8


def test_extreme_probabilities_come_just_as_near_to_0_and_1_as_the_margin():
    _, AL = tc.compute_cost_test_case(seed=8, m=9, margin=1e-3, extreme=True)

    assert {round(value, 12) for value in AL.flat} == {0.001, 0.999}


def test_a_layer_backward_in_other_sizes():
    assert shapes(tc.linear_backward_test_case(seed=8, n_prev=7, n=3, m=5)) == [
        (3, 5),
        (7, 5),
        (3, 7),
        (3, 1),
    ]


def test_an_activation_backward_in_other_sizes():
    value = tc.linear_activation_backward_test_case(seed=8, n_prev=7, n=3, m=5)

    assert shapes(value) == [(3, 5), (7, 5), (3, 7), (3, 1), (3, 5)]


def test_a_network_backward_in_other_sizes():
    AL, Y, caches = tc.L_model_backward_test_case(seed=8, layer_dims=(6, 2, 4, 1), m=5)

    assert shapes(AL) == shapes(Y) == [(1, 5)]
    assert shapes(caches[0]) == [(6, 5), (2, 6), (2, 1), (2, 5)]
    assert shapes(caches[1]) == [(2, 5), (4, 2), (4, 1), (4, 5)]
    assert shapes(caches[2]) == [(4, 5), (1, 4), (1, 1), (1, 5)]


def test_parameters_and_gradients_of_a_deeper_network():
    parameters, grads = tc.update_parameters_test_case(seed=8, layer_dims=(6, 2, 4, 3))

    assert shapes(parameters) == shapes(grads) == [(2, 6), (2, 1), (4, 2), (4, 1), (3, 4), (3, 1)]


def test_gradients_of_the_activations_come_along_when_examples_are_asked_for():
    """L_model_backward leaves them in its dict, and the other gradients must not change by that."""
    _, without = tc.update_parameters_test_case(seed=8, layer_dims=(6, 2, 4))
    _, grads = tc.update_parameters_test_case(seed=8, layer_dims=(6, 2, 4), m=5)

    assert list(grads) == [*without, "dA0", "dA1"]
    assert shapes((grads["dA0"], grads["dA1"])) == [(6, 5), (2, 5)]
    assert_equal({name: grads[name] for name in without}, leaves(without))
