"""The functions and checks that every layer shares."""

import numpy as np
import pytest

from seq2seq_lib.functions import (
    batch_first,
    checked_array,
    checked_ids,
    log_softmax,
    one_hot,
    rows,
    sigmoid,
    softmax,
    time_first,
)


def test_sigmoid_is_one_over_one_plus_exp():
    x = np.linspace(-20, 20, 41)
    np.testing.assert_allclose(sigmoid(x), 1 / (1 + np.exp(-x)), rtol=0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_and_softmax_of_extreme_numbers_give_no_warning(dtype):
    far = np.array([-1e4, 1e4], dtype)
    np.testing.assert_array_equal(sigmoid(far), [0, 1])
    np.testing.assert_array_equal(softmax(np.array([1e4, -np.inf], dtype)), [1, 0])
    np.testing.assert_array_equal(softmax(far), [0, 1])
    np.testing.assert_array_equal(log_softmax(np.array([1e4, -np.inf], dtype)), [0, -np.inf])


@pytest.mark.parametrize("shape", [(4,), (2, 4), (2, 3, 4)])
def test_softmax_is_exp_over_the_sum_of_exp_along_the_last_axis(rng, shape):
    x = rng.standard_normal(shape)
    np.testing.assert_allclose(softmax(x).sum(axis=-1), 1, rtol=1e-15)
    first = np.exp(x[..., 0]) / np.exp(x).sum(axis=-1)
    np.testing.assert_allclose(softmax(x)[..., 0], first, rtol=1e-14)


def test_softmax_does_not_change_when_all_scores_move_together(rng):
    x = rng.standard_normal((2, 5))
    np.testing.assert_allclose(softmax(x + 1000), softmax(x), rtol=1e-12)


def test_log_softmax_is_the_logarithm_of_softmax(rng):
    x = rng.standard_normal((2, 3, 4))
    np.testing.assert_allclose(log_softmax(x), np.log(softmax(x)), rtol=1e-14)


@pytest.mark.parametrize("function", [sigmoid, softmax, log_softmax])
def test_functions_keep_float32_and_leave_their_argument_alone(rng, function):
    x = rng.standard_normal((2, 3)).astype(np.float32)
    before = x.copy()
    assert function(x).dtype == np.float32
    np.testing.assert_array_equal(x, before)


def test_rows_puts_the_steps_of_the_first_sequence_first(rng):
    x = rng.standard_normal((2, 3, 4))
    assert rows(x).shape == (6, 4)
    np.testing.assert_array_equal(rows(x)[4], x[1, 1])


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 3, 4), (2, 1, 4), (1, 1, 4), (0, 3, 4)])
def test_time_first_is_a_contiguous_copy_and_batch_first_takes_it_back(rng, shape):
    x = rng.standard_normal(shape)
    y = time_first(x)
    np.testing.assert_array_equal(y, np.einsum("ntd->tnd", x))
    assert y.flags.c_contiguous
    assert not np.shares_memory(x, y)
    np.testing.assert_array_equal(batch_first(y), x)


def test_one_hot_marks_each_id_once():
    np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])


def test_checked_array_lets_a_letter_stand_for_any_size_and_casts():
    x = np.ones((2, 3), np.float32)
    assert checked_array("x", x, ("N", 3), np.float32) is x
    assert checked_array("x", [[1, 2, 3]], ("N", "T"), np.float64).dtype == np.float64


@pytest.mark.parametrize(
    ("x", "shape", "message"),
    [
        (np.ones((2, 3)), ("N", 4), r"x: expected shape \(N, 4\), got \(2, 3\)"),
        (np.ones((2, 3)), ("N", "N"), r"x: expected shape \(N, N\), got \(2, 3\)"),
        (np.ones(3), ("N", 3), r"x: expected shape \(N, 3\), got \(3,\)"),
        (np.ones((1, 1), bool), (1, 1), "x: expected real numbers, got an array of bool"),
        (np.ones((1, 1), complex), (1, 1), "x: expected real numbers, got an array of complex128"),
        (["a"], (1,), "x: expected real numbers, got an array of <U1"),
        ([None], (1,), "x: expected real numbers, got an array of object"),
    ],
)
def test_checked_array_names_the_array_what_was_expected_and_what_came(x, shape, message):
    with pytest.raises(ValueError, match=message):
        checked_array("x", x, shape, np.float64)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_checked_ids_takes_every_integer_dtype(dtype):
    np.testing.assert_array_equal(checked_ids("ids", np.array([[0, 4]], dtype), 5), [[0, 4]])


WRONG_IDS = [
    ([[0, 5]], "expected ids from 0 to 4, got 5"),
    ([[0, -1]], "expected ids from 0 to 4, got -1"),
    ([[0.0, 1.0]], r"expected character ids, integers of shape \(N, T\), got float64 of shape"),
    ([[True, False]], r"expected character ids, integers of shape \(N, T\), got bool"),
    ([["1"]], r"expected character ids, integers of shape \(N, T\), got <U1"),
    ([0, 1], r"expected character ids, integers of shape \(N, T\), got int64 of shape \(2,\)"),
    ([[[0]]], r"integers of shape \(N, T\), got int64 of shape \(1, 1, 1\)"),
    (3, r"integers of shape \(N, T\), got int64 of shape \(\)"),
]


@pytest.mark.parametrize(("ids", "message"), WRONG_IDS)
def test_checked_ids_names_what_was_expected_and_what_came(ids, message):
    with pytest.raises(ValueError, match=f"^question: .*{message}"):
        checked_ids("question", ids, 5)
