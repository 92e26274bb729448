"""Embedding, affine map and softmax with loss: what they compute."""

import numpy as np
import pytest
from subjects import PAD, build

from seq2seq_lib.layers import Layer, TimeAffine, TimeEmbedding, TimeSoftmaxWithLoss


def test_a_layer_keeps_the_very_arrays_it_was_given(rng):
    W = rng.standard_normal((2, 3))
    assert Layer(W=W).params["W"] is W


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"W": [[1.0]]}, "W: expected an array of float32 or float64, got list"),
        ({"W": np.ones(2, int)}, "W: expected an array of float32 or float64, got int64"),
        ({"W": np.ones(2, np.float16)}, "W: expected an array of float32 or float64, got float16"),
        ({"W": np.ones(2), "b": np.ones(2, np.float32)}, "one dtype, got W float64, b float32"),
    ],
)
def test_a_layer_refuses_parameters_it_cannot_train(params, message):
    with pytest.raises(ValueError, match=message):
        Layer(**params)


def test_embedding_looks_up_the_row_of_each_id(rng):
    W = rng.standard_normal((5, 2))
    ys = TimeEmbedding(W).forward([[4, 0, 4]])
    np.testing.assert_array_equal(ys, [[W[4], W[0], W[4]]])


def test_embedding_gradient_is_the_sum_over_all_uses_of_a_row(rng):
    layer, dys = TimeEmbedding(np.ones((4, 2))), rng.standard_normal((2, 2, 2))
    layer.forward([[3, 3], [0, 3]])
    layer.backward(dys)
    expected = np.zeros((4, 2))
    expected[3], expected[0] = dys[0, 0] + dys[0, 1] + dys[1, 1], dys[1, 0]
    np.testing.assert_allclose(layer.grads["W"], expected, rtol=1e-14)


def test_affine_maps_every_step_alike(rng):
    layer, xs = build("affine", rng).part, rng.standard_normal((2, 3, 2))
    ys = layer.forward(xs)
    expected = xs[1, 2] @ layer.params["W"] + layer.params["b"]
    np.testing.assert_allclose(ys[1, 2], expected, rtol=1e-14)


def test_affine_with_context_equals_one_on_the_joined_input(rng):
    subject = build("affine-context", rng, N=3, T=4)
    joined = TimeAffine(**subject.part.params)
    xs, context = subject.inputs["xs"], subject.inputs["context"]
    repeated = np.repeat(context[:, None], 4, axis=1)
    (ys,) = subject.outputs()
    np.testing.assert_allclose(
        joined.forward(np.concatenate([repeated, xs], axis=2)), ys, rtol=1e-12
    )

    dys = rng.standard_normal(ys.shape)
    gradients, dboth = subject.gradients([dys]), joined.backward(dys)
    C = context.shape[1]
    np.testing.assert_allclose(gradients["xs"], dboth[..., C:], rtol=1e-12)
    np.testing.assert_allclose(gradients["context"], dboth[..., :C].sum(axis=1), rtol=1e-12)
    for name, gradient in joined.grads.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-12)


def test_loss_is_the_mean_of_minus_the_log_probability_of_the_target():
    scores = np.log([[[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]])
    loss = TimeSoftmaxWithLoss().forward(scores, [[1, 2]])
    assert loss == pytest.approx(-(np.log(0.25) + np.log(0.7)) / 2, rel=1e-14)


def test_loss_of_equal_scores_is_the_logarithm_of_the_vocabulary_size():
    assert TimeSoftmaxWithLoss().forward(np.zeros((2, 3, 13)), np.ones((2, 3), int)) == (
        pytest.approx(np.log(13), rel=1e-15)
    )


def test_loss_with_ignore_id_is_the_mean_over_the_counted_targets_alone(rng):
    scores, ts = rng.standard_normal((2, 3, 5)), np.array([[0, 2, PAD], [4, PAD, PAD]])
    counted = ts != PAD
    picked, targets = scores[counted][None], ts[counted][None]
    masked, plain = TimeSoftmaxWithLoss(ignore_id=PAD), TimeSoftmaxWithLoss()
    assert masked.forward(scores, ts) == pytest.approx(plain.forward(picked, targets), rel=1e-14)

    dscores = masked.backward()
    np.testing.assert_array_equal(dscores[~counted], 0)
    np.testing.assert_allclose(dscores[counted], plain.backward()[0], rtol=1e-14)


def test_an_ignored_target_s_scores_change_neither_loss_nor_gradient(rng):
    scores, ts = rng.standard_normal((1, 3, 5)), [[0, 2, PAD]]
    layer = TimeSoftmaxWithLoss(ignore_id=PAD)
    loss, dscores = layer.forward(scores, ts), layer.backward()
    scores[0, 2] = [-np.inf, 1e4, -1e4, 0, 5]
    assert layer.forward(scores, ts) == loss
    np.testing.assert_array_equal(layer.backward(), dscores)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_with_no_counted_target_loss_and_gradient_are_zero(rng, dtype):
    layer = TimeSoftmaxWithLoss(ignore_id=PAD)
    scores = rng.standard_normal((2, 3, 5)).astype(dtype)
    assert str(layer.forward(scores, np.full((2, 3), PAD))) == "0.0"
    np.testing.assert_array_equal(layer.backward(), np.zeros((2, 3, 5)))


def test_each_row_of_the_loss_s_gradient_sums_to_zero_and_scales_with_dout(rng):
    subject = build("loss", rng)
    subject.outputs()
    dscores = subject.part.backward()
    np.testing.assert_allclose(dscores.sum(axis=-1), 0, atol=1e-15)
    np.testing.assert_allclose(subject.part.backward(dout=-3), -3 * dscores, rtol=1e-14)


def test_loss_refuses_targets_of_another_shape(rng):
    with pytest.raises(ValueError, match=r"ts: expected shape \(2, 3\), got \(2, 2\)"):
        TimeSoftmaxWithLoss().forward(np.zeros((2, 3, 5)), np.zeros((2, 2), int))


@pytest.mark.parametrize("scores", [np.zeros((2, 5)), np.zeros((1, 1, 5), int), [[["a"]]]])
def test_loss_refuses_what_are_no_scores(scores):
    with pytest.raises(ValueError, match=r"scores: expected float32 or float64 of shape \(N, T, V"):
        TimeSoftmaxWithLoss().forward(scores, np.zeros((1, 1), int))


def test_a_context_wider_than_the_weights_is_refused():
    layer = TimeAffine(np.zeros((3, 4)), np.zeros(4))
    for context in (np.zeros((2, 5)), np.zeros(2), 0.0):
        with pytest.raises(ValueError, match=r"context: expected shape \(N, C\), C at most 3, got"):
            layer.forward(np.zeros((2, 1, 3)), context)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: TimeEmbedding(np.zeros(3)), "W: expected shape"),
        (lambda: TimeAffine(np.zeros(3), np.zeros(3)), "W: expected shape"),
        (lambda: TimeAffine(np.zeros((3, 4)), np.zeros(1)), r"b: expected shape \(4\), got"),
    ],
)
def test_weights_of_the_wrong_shape_are_refused_at_once(make, named):
    with pytest.raises(ValueError, match=named):
        make()
