"""Backward against central differences, for every layer and model; and the checker itself."""

import numpy as np
import pytest
from gradients import assert_gradients_match, assert_gradients_match_along_a_direction
from subjects import SUBJECTS, build

every_subject = pytest.mark.parametrize("name", SUBJECTS)


def loss_and_gradients(subject, rng):
    probes = subject.probes(rng)
    subject.outputs()
    gradients = subject.gradients(probes)
    return lambda: subject.weighted_sum(probes), subject.arrays(), gradients


@every_subject
@pytest.mark.parametrize(
    "sizes",
    [{"N": 3, "T": 4}, {"N": 2, "T": 3}, {"N": 1, "T": 1}, {"N": 2, "T": 3, "D": 1, "H": 1}],
    ids=["N3-T4", "N2-T3", "N1-T1", "D1-H1"],
)
def test_every_element_of_every_gradient_matches_central_differences(name, sizes, rng):
    assert_gradients_match(*loss_and_gradients(build(name, rng, **sizes), rng))


@every_subject
def test_gradients_at_full_size_match_along_a_random_direction(name, rng):
    subject = build(name, rng, N=128, T=5, V=13, D=16, H=128)
    assert_gradients_match_along_a_direction(*loss_and_gradients(subject, rng), rng)


def three_times_the_square():
    W = np.array([[1.0, 2.0, -0.5], [0.3, -4.0, 1.5]])
    return (lambda: 3 * (W**2).sum()), W


def test_the_checker_accepts_a_right_gradient_and_restores_the_arrays(rng):
    loss, W = three_times_the_square()
    before = W.copy()
    assert_gradients_match(loss, {"W": W}, {"W": 6 * W})
    assert_gradients_match_along_a_direction(loss, {"W": W}, {"W": 6 * W}, rng)
    np.testing.assert_array_equal(W, before)


def test_the_checker_names_parameter_index_and_both_values():
    loss, W = three_times_the_square()
    wrong = 6 * W
    wrong[1, 2] = 8
    with pytest.raises(AssertionError, match=r"W\[1, 2\]: backward gives 8, central.* 9"):
        assert_gradients_match(loss, {"W": W}, {"W": wrong})


@pytest.mark.parametrize("factor", [1.0001, 0.0])
def test_the_checker_notices_a_factor_of_one_in_ten_thousand(factor, rng):
    loss, W = three_times_the_square()
    with pytest.raises(AssertionError, match="W"):
        assert_gradients_match(loss, {"W": W}, {"W": 6 * W * factor})
    with pytest.raises(AssertionError, match="direction"):
        assert_gradients_match_along_a_direction(loss, {"W": W}, {"W": 6 * W * factor}, rng)


def test_the_checker_refuses_a_missing_gradient():
    loss, W = three_times_the_square()
    with pytest.raises(AssertionError):
        assert_gradients_match(loss, {"W": W}, {})
