"""The generators of fixed-seed inputs: the old draws in the old order, and the random state left alone."""

import inspect

import numpy as np
import pytest

import testCases as tc
from selfcheck.returned_values import NotNumbers, flatten
from tests.tables import ASSIGNMENTS, loaded, table

GENERATORS = [getattr(tc, name) for name in tc.__all__]
USED = [exercise.generator for name in ASSIGNMENTS for exercise in table(name).cases.values()]
RANDOM = [generator for generator in GENERATORS if "seed" in inspect.signature(generator).parameters]
ids = {"ids": lambda generator: generator.__name__}


def leaves(value):
    """Every array and number in a generator's value, in order; sizes are none."""
    found = flatten((value,), ("value",)).values()
    return [leaf for leaf in found if not isinstance(leaf, NotNumbers)]


def redrawn(seed, *shapes):
    """The draws as the exercises describe them: the global generator, seeded, one array after the other."""
    np.random.seed(seed)
    return [np.random.randn(*shape) for shape in shapes]


def assert_equal(value, drawn):
    arrays = leaves(value)
    assert len(arrays) == len(drawn)
    for mine, theirs in zip(arrays, drawn, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_every_exercise_has_a_generator_of_its_own_and_each_is_exported():
    assert set(USED) == set(GENERATORS)
    assert len(USED) == len(GENERATORS)


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


# --- application ------------------------------------------------------------------------------------------


def test_images_are_whole_numbers_as_in_a_file():
    images = tc.prepare_images_test_case(seed=8, height=4, width=5, m=3)

    assert images.shape == (3, 4, 5, 3)
    assert images.dtype == np.uint8
    assert len(np.unique(images)) > 50


def test_images_of_one_grey_have_the_same_shape():
    assert np.array_equal(tc.prepare_images_test_case(height=4, m=3, grey=51), np.full((3, 4, 3, 3), 51))


@pytest.mark.parametrize("generator", [tc.two_layer_model_test_case, tc.L_layer_model_test_case], **ids)
def test_examples_labels_and_sizes_to_train_with(generator):
    X, Y, layers_dims = generator(seed=8, layer_dims=(6, 2, 4, 1), m=5)

    assert (X.shape, Y.shape) == ((6, 5), (1, 5))
    assert set(Y.flat) <= {0, 1}
    assert tuple(layers_dims) == (6, 2, 4, 1)


def test_sizes_are_a_tuple_for_two_layers_and_a_new_list_for_more():
    first = tc.L_layer_model_test_case()[2]
    first.pop()

    assert tc.two_layer_model_test_case()[2] == (4, 3, 1)
    assert tc.L_layer_model_test_case()[2] == [5, 4, 3, 1]


def test_the_networks_that_are_asked_give_both_answers():
    """Were all answers of a case the same, many a wrong function would be right."""
    application = loaded("application")
    for case, expected in application.expected(application.exercise("predict")).items():
        p = expected["p"]
        assert set(p.flat) == {0, 1} or p.size == 1 or case == "one half", case


def test_a_network_without_labels_and_one_that_is_undecided():
    X, y, parameters = tc.predict_test_case(labels=False, undecided=True)

    assert y is None
    assert not any(value.any() for value in parameters.values())
    assert shapes(parameters) == shapes(tc.predict_test_case()[2])
    assert_equal(X, leaves(tc.predict_test_case()[0]))


@pytest.mark.parametrize(("m", "wrong"), [(1, 0), (1, 1), (9, 0), (9, 4), (9, 9)])
def test_as_many_answers_are_wrong_as_were_asked_for(m, wrong):
    p, y = tc.mislabelled_test_case(seed=8, m=m, wrong=wrong)

    assert p.shape == y.shape == (1, m)
    assert set(p.flat) | set(y.flat) <= {0, 1}
    assert np.sum(p != y) == wrong


def test_the_public_example_has_both_sorts_of_wrong_answers():
    p, y = tc.mislabelled_test_case()

    assert (p > y).any()
    assert (p < y).any()
    assert (p == y).any()


# --- digits: the draws of the old example ---------------------------------------------------------------------

FORWARD = ((3, 2), (4, 3), (4, 1))  # A_prev, W, b
BACKWARD = (*FORWARD, (4, 2), (4, 2))  # and dA, dZ


@pytest.mark.parametrize(
    "generator", [tc.digits_linear_forward_test_case, tc.digits_linear_activation_forward_test_case], **ids
)
def test_digits_forward_draws_A_W_b_from_seed_42(generator):
    assert_equal(generator(), redrawn(42, *FORWARD))


def test_digits_batchnorm_takes_the_next_draw():
    assert_equal(tc.digits_apply_batchnorm_test_case(), redrawn(42, *FORWARD, (5, 10))[3:])


def test_digits_backward_draws_A_W_b_dA_dZ_from_seed_42():
    A, W, b, dA, dZ = redrawn(42, *BACKWARD)
    Z = W @ A + b

    assert_equal(tc.digits_linear_backward_test_case(), [dZ, A, W, b])
    for value, drawn in (
        (tc.digits_relu_backward_test_case(), [dA, Z]),
        (tc.digits_linear_activation_backward_test_case(), [dA, A, W, b, Z]),
    ):
        for mine, theirs in zip(leaves(value), drawn, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-14)


def test_digits_softmax_backward_begins_with_prediction_minus_label():
    dA, Z = tc.digits_softmax_backward_test_case()

    np.testing.assert_allclose(dA, [[-0.2, 0.1], [0.1, -0.2], [0.05, 0.05], [0.05, 0.05]], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(Z, tc.digits_relu_backward_test_case()[1])


def test_digits_l_model_backward_draws_two_layers_after_that():
    drawn = redrawn(42, *BACKWARD, (3, 2), (4, 3), (4, 1), (4, 2), (2, 4), (2, 1))[5:]

    AL, Y, caches = tc.digits_l_model_backward_test_case()

    np.testing.assert_array_equal(AL, [[0.7, 0.1], [0.3, 0.9]])
    np.testing.assert_array_equal(Y, np.eye(2))
    for cache, (A, W, b) in zip(caches, (drawn[:3], drawn[3:]), strict=True):
        assert list(cache) == ["linear_cache", "activation_cache"]
        assert_equal(cache["linear_cache"], [A, W, b])
        np.testing.assert_allclose(cache["activation_cache"], W @ A + b, rtol=0, atol=1e-14)


def test_digits_examples_that_are_written_down():
    np.testing.assert_array_equal(tc.digits_relu_test_case(), [[1, -1, 0], [2, -2, 3]])
    np.testing.assert_array_equal(tc.digits_softmax_test_case(), [[1, -1, 0], [2, -2, 3]])
    np.testing.assert_array_equal(tc.digits_compute_cost_test_case()[0], [[0.8, 0.1], [0.2, 0.9]])
    np.testing.assert_array_equal(tc.digits_compute_cost_test_case()[1], np.eye(2))
    assert tc.digits_initialize_parameters_test_case() == [784, 20, 7, 5, 10]


# --- digits: other sizes ------------------------------------------------------------------------------------


def assert_probabilities(AL):
    assert AL.min() >= 0
    np.testing.assert_allclose(AL.sum(axis=0), 1)


def assert_labels(Y):
    assert set(Y.flat) <= {0, 1}
    np.testing.assert_array_equal(Y.sum(axis=0), 1)


def test_scores_in_other_sizes_and_scaled():
    Z = tc.digits_softmax_test_case(seed=8, n=3, m=5)

    assert Z.shape == tc.digits_relu_test_case(seed=8, n=3, m=5).shape == (3, 5)
    np.testing.assert_array_equal(tc.digits_softmax_test_case(seed=8, n=3, m=5, scale=-1e3), -1e3 * Z)


@pytest.mark.parametrize(
    "generator", [tc.digits_apply_batchnorm_test_case, tc.digits_batchnorm_backward_test_case], **ids
)
def test_units_that_say_the_same_to_everybody(generator):
    A = leaves(generator(seed=8, n=5, m=4, constant=2))[-1]

    assert A.shape == (5, 4)
    np.testing.assert_array_equal(A.std(axis=1) == 0, [True, True, False, False, False])


def test_a_softmax_network_in_other_sizes():
    X, parameters = tc.digits_l_model_forward_test_case(seed=8, layer_dims=(6, 2, 4), m=5)

    assert shapes((X, parameters)) == [(6, 5), (2, 6), (2, 1), (4, 2), (4, 1)]


def test_probabilities_and_labels_of_other_numbers_of_classes():
    AL, Y = tc.digits_compute_cost_test_case(seed=8, n=4, m=7)

    assert AL.shape == Y.shape == (4, 7)
    assert_probabilities(AL)
    assert_labels(Y)


def test_a_sure_network_is_sometimes_wrong_about_it():
    AL, Y = tc.digits_compute_cost_test_case(seed=489, n=4, m=6, sure=True)

    assert_labels(AL)
    assert 0 < np.sum(AL.argmax(axis=0) == Y.argmax(axis=0)) < 6


def test_zeros_of_the_relu_come_first():
    _, Z = tc.digits_relu_backward_test_case(seed=8, n=3, m=5, zeros=7)

    np.testing.assert_array_equal(Z.ravel() == 0, [True] * 7 + [False] * 8)


def test_prediction_minus_label_in_other_sizes():
    dA, Z = tc.digits_softmax_backward_test_case(seed=8, n=3, m=5)

    assert dA.shape == Z.shape == (3, 5)
    np.testing.assert_allclose(dA.sum(axis=0), 0, atol=1e-15)


def test_a_softmax_network_backward_in_other_sizes_with_batch_norm():
    """The predictions must not change with the switch, or the two could not be compared."""
    plain = tc.digits_l_model_backward_test_case(seed=8, layer_dims=(6, 2, 4, 3), m=5)
    AL, Y, caches = tc.digits_l_model_backward_test_case(seed=8, layer_dims=(6, 2, 4, 3), m=5, batchnorm=True)

    assert AL.shape == Y.shape == (3, 5)
    assert_probabilities(AL)
    assert_labels(Y)
    assert shapes(caches[0]) == [(6, 5), (2, 6), (2, 1), (2, 5), (2, 5)]
    assert ["batchnorm_cache" in cache for cache in caches] == [True, True, False]
    for cache in caches[:-1]:
        cache.pop("batchnorm_cache")
    assert_equal((AL, Y, caches), leaves(plain))


def test_digits_gradients_of_the_inputs_are_named_from_one():
    _, grads = tc.digits_update_parameters_test_case(seed=8, layer_dims=(6, 2, 4), m=5)

    assert list(grads) == ["dW1", "db1", "dW2", "db2", "dA1", "dA2"]
    assert shapes((grads["dA1"], grads["dA2"])) == [(6, 5), (2, 5)]


@pytest.mark.parametrize("random", [False, True])
def test_labels_to_train_with_can_be_learnt_or_not(random):
    X, Y, layers_dims = tc.digits_l_layer_model_test_case(seed=8, layer_dims=(6, 2, 4), m=50, random=random)

    assert (X.shape, Y.shape, layers_dims) == ((6, 50), (4, 50), [6, 2, 4])
    assert_labels(Y)
    assert np.array_equal(Y.argmax(axis=0), X[:4].argmax(axis=0)) is not random


def test_a_network_to_ask_comes_with_examples_and_labels():
    X, Y, parameters = tc.digits_predict_test_case(seed=8, layer_dims=(6, 2, 4), m=5)

    assert shapes((X, Y, parameters)) == [(6, 5), (4, 5), (2, 6), (2, 1), (4, 2), (4, 1)]
    assert_labels(Y)


def test_starting_values_are_new_each_time_and_no_exercise():
    first, second = tc.starting_values([4, 3, 2]), tc.starting_values([4, 3, 2])

    first["W1"][...] = 0
    assert shapes(second) == [(3, 4), (3, 1), (2, 3), (2, 1)]
    assert second["W1"].any()
    assert "starting_values" not in tc.__all__
