"""Layers over time: the chapter's own layers are the library's, and what it says holds."""

import inspect
import re

import numpy as np
import pytest
from chapters import cells, defined, source

from seq2seq_lib import load_pretrained, lstm
from seq2seq_lib.layers import TimeAffine, TimeEmbedding, TimeSoftmaxWithLoss
from seq2seq_lib.lstm import TimeLSTM

N, T, D, H, V = 2, 4, 3, 5, 7
BUILT = defined("layers")


def assert_same(one, other):
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def assert_same_gradients(layer, fast):
    assert layer.grads.keys() == fast.grads.keys() == layer.params.keys()
    for name in fast.grads:
        assert_same(layer.grads[name], fast.grads[name])


def drawn(rng, **shapes):
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def lstm_weights(rng):
    return drawn(rng, Wx=(D, 4 * H), Wh=(H, 4 * H), b=4 * H)


# The four layers


def test_the_embedding_is_the_librarys(rng):
    W, dys = rng.standard_normal((V, D)), rng.standard_normal((N, T, D))
    ids = np.array([[0, 2, 0, 6], [2, 2, 5, 0]])
    layer, fast = BUILT["Embedding"](W=W), TimeEmbedding(W)
    assert_same(layer.forward(ids), fast.forward(ids))
    layer.backward(dys)
    fast.backward(dys)
    assert_same_gradients(layer, fast)


def test_the_affine_layer_is_the_librarys(rng):
    weights, xs = drawn(rng, W=(D, V), b=V), rng.standard_normal((N, T, D))
    dys = rng.standard_normal((N, T, V))
    layer, fast = BUILT["Affine"](**weights), TimeAffine(**weights)
    assert_same(layer.forward(xs), fast.forward(xs))
    assert_same(layer.backward(dys), fast.backward(dys))
    assert_same_gradients(layer, fast)


@pytest.mark.parametrize("with_state", [False, True])
def test_the_lstm_is_the_librarys(rng, with_state):
    weights, xs = lstm_weights(rng), rng.standard_normal((N, T, D))
    state = (*rng.standard_normal((2, N, H)),) if with_state else None
    dhs, dc = rng.standard_normal((N, T, H)), rng.standard_normal((N, H))
    layer, fast = BUILT["LSTM"](**weights), TimeLSTM(**weights, stateful=with_state)
    if with_state:
        fast.set_state(*state)
    assert_same(layer.forward(xs, state), fast.forward(xs))
    assert_same([layer.h, layer.c], [fast.h, fast.c])
    assert_same(layer.backward(dhs, dc), fast.backward(dhs, dc))
    assert_same([layer.dh, layer.dc], [fast.dh, fast.dc])
    assert_same_gradients(layer, fast)


def test_the_loss_is_the_librarys(rng):
    scores, ts = 5 * rng.standard_normal((N, T, V)), rng.integers(0, V, (N, T))
    layer, fast = BUILT["SoftmaxWithLoss"](), TimeSoftmaxWithLoss()
    assert_same(layer.forward(scores, ts), fast.forward(scores, ts))
    assert_same(layer.backward(), fast.backward())
    assert_same(layer.backward(3.0), fast.backward(3.0))
    assert_same(layer.backward().sum(axis=-1), 0)
    large = scores + np.array([[0], [-1000], [0], [1000]])
    assert layer.forward(large, ts) == pytest.approx(fast.forward(scores, ts))


def test_the_layers_keep_the_two_rules(rng):
    ids = np.array([[0, 2, 0, 6], [2, 2, 5, 0]])
    xs = rng.standard_normal((N, T, D))
    for layer, given in (
        (BUILT["Embedding"](**drawn(rng, W=(V, D))), ids),
        (BUILT["Affine"](**drawn(rng, W=(D, V), b=V)), xs),
        (BUILT["LSTM"](**lstm_weights(rng)), xs),
    ):
        arrays = {**layer.params}, {**layer.grads}
        ys = layer.forward(given)
        layer.backward(np.ones(ys.shape))
        once = {name: gradient.copy() for name, gradient in layer.grads.items()}
        layer.backward(np.ones(ys.shape))
        for name, gradient in once.items():
            assert layer.params[name] is arrays[0][name] and layer.grads[name] is arrays[1][name]
            assert_same(layer.grads[name], gradient)
            assert gradient.any()


# The eight names


def test_the_parts_of_a_step_have_the_same_names_in_the_same_order_here_and_in_the_library():
    names = "project", "gate", "update", "emit", "walk back", "split", "accumulate", "hand on"
    comment = re.compile(rf"^ *# ({'|'.join(names)})\b", re.MULTILINE)
    code = "\n".join(source(cell) for cell in cells("layers") if cell["cell_type"] == "code")
    assert tuple(comment.findall(code)) == names
    assert tuple(comment.findall(inspect.getsource(lstm))) == names


# Checking gradients


def largest_errors(layer, xs, probe, capsys):
    BUILT["check_gradients"](layer, xs, probe)
    printed = re.findall(r"^d(\w+): (.*)$", capsys.readouterr().out, flags=re.MULTILINE)
    return {name: float(error) for name, error in printed}


def test_the_check_agrees_with_right_gradients_and_notices_each_wrong_array(rng, capsys):
    xs, probe = rng.standard_normal((N, T, D)), rng.standard_normal((N, T, V))
    weights = drawn(rng, W=(D, V), b=V)
    errors = largest_errors(BUILT["Affine"](**weights), xs, probe, capsys)
    assert errors.keys() == {"W", "b", "xs"} and max(errors.values()) < 1e-8

    class Wrong(BUILT["Affine"]):
        def backward(self, dys):
            dxs = super().backward(dys)
            for gradient in (*self.grads.values(), dxs):
                gradient.flat[0] += 0.001
            return dxs

    errors = largest_errors(Wrong(**weights), xs, probe, capsys)
    assert min(errors.values()) > 0.0009


def test_the_errors_of_slopes_make_a_valley():
    def error(step, dtype=np.float64):
        w = np.array([0.5], dtype)
        return abs(BUILT["slope"](lambda: np.tanh(w[0]), w, 0, step) - (1 - np.tanh(0.5) ** 2))

    by_step = [error(10.0**-digits) for digits in range(2, 10)]
    assert by_step[0] / by_step[1] == pytest.approx(100, rel=0.01)
    assert 1e3 * min(by_step) < min(by_step[0], by_step[-1])
    assert by_step[3] < 1e-10 and 0 < np.argmin(by_step) < 7
    single = [error(np.float32(10.0**-digits), np.float32) for digits in range(1, 8)]
    assert min(single) > 1e-6 and np.argmin(single) == 2  # 1e-3


def test_a_check_with_one_step_does_not_notice_that_the_future_is_dropped(rng, capsys):
    for steps in (1, 2, 3):
        xs, probe = rng.standard_normal((N, steps, D)), rng.standard_normal((N, steps, H))
        right = BUILT["random_lstm"](rng, D, H)
        assert max(largest_errors(right, xs, probe, capsys).values()) < 1e-8
        wrong = BUILT["NoFuture"](**right.params)
        errors = largest_errors(wrong, xs, probe, capsys)
        assert errors.keys() == {"Wx", "Wh", "b", "xs"}
        agree = {name for name, error in errors.items() if error < 1e-8}
        assert agree == {1: {*errors}, 2: {"Wh"}, 3: set()}[steps]


def test_at_one_step_from_zeros_the_recurrent_weights_have_no_gradient(rng):
    layer = BUILT["random_lstm"](rng, D, H)
    layer.forward(rng.standard_normal((N, 1, D)))
    layer.backward(rng.standard_normal((N, 1, H)))
    assert not layer.grads["Wh"].any() and layer.grads["Wx"].any()


# What the prose says of the models


def test_the_stepped_unit_is_as_the_chapter_says():
    steps = load_pretrained("baseline").trace("57+5").encoder
    unit = abs(steps.c[3] - steps.c[2]).argmax()
    kept = steps.gates["f"][3, unit] * steps.c[2, unit]
    added = steps.gates["i"][3, unit] * steps.gates["g"][3, unit]
    assert f"{added:.2f}" == "0.50" and f"{kept:.2f}" == "-0.34"
    text = "\n".join(source(cell) for cell in cells("layers"))
    assert "What was added: 0.50, against −0.34 that was kept." in text


def test_the_unit_computed_by_hand_is_right():
    f, i, o, g, before = 0.9, 0.2, 0.6, -1.0, 0.5
    after = f * before + i * g
    through_h = 1 * o * (1 - np.tanh(after) ** 2)
    dc = 0.5 + through_h
    got = [after, o * np.tanh(after), through_h, dc, dc * f, dc * before * f * (1 - f)]
    assert np.round(got, 2).tolist() == [0.25, 0.15, 0.56, 1.06, 0.96, 0.05]


def test_new_layers_know_nothing_and_learn_a_row_by_heart():
    layout = load_pretrained("baseline").layout
    ids = layout.encode_questions(["57+5"])
    layers = BUILT["new_layers"](13, 16, 32, np.random.default_rng(0))
    step = BUILT["train_step"], layers, BUILT["SoftmaxWithLoss"](), ids[:, :-1], ids[:, 1:]
    losses = [step[0](*step[1:], rate=1.0) for _ in range(301)]
    assert losses[0] == pytest.approx(np.log(13), abs=0.005)
    assert losses[-1] < 0.01
    scores = ids[:, :-1]
    for layer in layers:
        scores = layer.forward(scores)
    assert layout.vocabulary.decode(scores.argmax(axis=-1)) == ["7+5   "]


def test_the_gradient_of_a_fresh_lstm_reaches_as_far_as_the_chapter_says():
    def reached(steps, bias, seed):
        layer = BUILT["new_layers"](13, 16, 32, np.random.default_rng(seed))[1]
        layer.params["b"][:32] = bias
        layer.forward(np.zeros((1, steps, 16)))
        layer.backward(np.zeros((1, steps, 32)), np.ones((1, 32)))
        return abs(layer.dc).mean()

    for seed in range(3):
        assert reached(1, 0, seed) == pytest.approx(0.5)
        assert reached(20, 0, seed) > 200 * 0.5**20
        assert reached(7, 1, seed) > 5 * reached(7, 0, seed)
