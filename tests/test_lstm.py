"""The LSTM: equal to the blackboard's, its context, its mask, its state."""

import numpy as np
import pytest
from subjects import build

from benchmarks.step_by_step import StepByStepLSTM
from seq2seq_lib.lstm import TimeLSTM


def everything(lstm, xs, dhs, dc):
    """Outputs, last state and all gradients of one pass there and back"""
    hs = lstm.forward(xs)
    results = {"hs": hs, "h": lstm.h, "c": lstm.c, "dxs": lstm.backward(dhs, dc)}
    return results | {"dh": lstm.dh, "dc": lstm.dc} | lstm.grads


def assert_all_close(results, expected, tolerance):
    assert results.keys() == expected.keys()
    for name in results:
        scale = np.abs(expected[name]).max()
        np.testing.assert_allclose(
            results[name], expected[name], rtol=0, atol=tolerance * scale, err_msg=name
        )


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("sizes", [{"N": 4, "T": 7, "D": 16, "H": 32}, {"N": 1, "T": 1}])
@pytest.mark.parametrize("stateful", [False, True])
def test_lstm_equals_the_step_by_step_one(dtype, tolerance, sizes, stateful, rng):
    subject = build("lstm-stateful", rng, dtype=dtype, **sizes)
    fast = TimeLSTM(**subject.part.params, stateful=stateful)
    plain = StepByStepLSTM(**subject.part.params, stateful=stateful)
    dhs, dc = subject.probes(rng)
    if stateful:
        for lstm in (fast, plain):
            lstm.set_state(subject.inputs["h"], subject.inputs["c"])
    for _ in range(2):  # the second call goes on from the first one's state if stateful
        results = [everything(lstm, subject.inputs["xs"], dhs, dc) for lstm in (fast, plain)]
        assert_all_close(*results, tolerance)


def test_gates_names_the_blocks_of_columns_in_their_order(rng):
    """A bias of 50 opens one gate at a time: f keeps c, i writes, o shows, g writes one."""
    effect = {}
    for k, gate in enumerate(TimeLSTM.gates):
        b = np.zeros(4)
        b[k] = 50
        lstm = TimeLSTM(np.zeros((1, 4)), np.zeros((1, 4)), b, stateful=True)
        lstm.set_state([[0.0]], [[2.0]])
        h = lstm.forward(np.zeros((1, 1, 1)))[0, 0, 0]
        effect[gate] = [float(lstm.c[0, 0]), float(h)]
    half_open = [1.0, np.tanh(1) / 2]
    np.testing.assert_allclose(effect["f"], [2.0, np.tanh(2) / 2])
    np.testing.assert_allclose(effect["i"], half_open)
    np.testing.assert_allclose(effect["o"], [1.0, np.tanh(1)])
    np.testing.assert_allclose(effect["g"], [1.5, np.tanh(1.5) / 2])


@pytest.mark.parametrize("name", ["lstm-context", "lstm-context-keep-stateful"])
def test_lstm_with_context_equals_one_on_the_joined_input(name, rng):
    subject = build(name, rng, N=3, T=4)
    probes = subject.probes(rng)
    outputs, gradients = subject.outputs(), subject.gradients(probes)

    context = subject.inputs.pop("context")
    C = context.shape[1]
    repeated = np.repeat(context[:, None], 4, axis=1)
    subject.inputs["xs"] = np.concatenate([repeated, subject.inputs["xs"]], axis=2)
    for y, joined in zip(outputs, subject.outputs(), strict=True):
        np.testing.assert_allclose(y, joined, rtol=1e-12)
    subject.part.backward(*probes)
    for name, gradient in subject.part.grads.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-12, err_msg=name)
    dboth = subject.part.backward(*probes)
    np.testing.assert_allclose(gradients["xs"], dboth[..., C:], rtol=1e-12)
    np.testing.assert_allclose(gradients["context"], dboth[..., :C].sum(axis=1), rtol=1e-12)


KEPT = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 1, 0], [1, 1, 1, 1]]


def test_a_step_that_is_not_kept_hands_state_and_gradient_through(rng):
    """Each question, with gaps anywhere, equals the same question with its gaps cut out."""
    keep = np.array(KEPT, bool)
    subject = build("lstm-stateful", rng, N=len(KEPT), T=4)
    whole, (dhs, dc) = subject.part, subject.probes(rng)
    dhs[~keep] = 0
    x, h, c = (subject.inputs[name] for name in ("xs", "h", "c"))
    whole.set_state(h, c)
    hs = whole.forward(x, keep=keep)
    dxs = whole.backward(dhs, dc)
    np.testing.assert_array_equal(dxs[~keep], 0)

    totals = {name: np.zeros_like(p) for name, p in whole.params.items()}
    for n, kept in enumerate(keep):
        one = slice(n, n + 1)
        cut = TimeLSTM(**whole.params, stateful=True)
        cut.set_state(h[one], c[one])
        np.testing.assert_allclose(hs[one, kept], cut.forward(x[one, kept]), rtol=1e-12)
        np.testing.assert_allclose(whole.h[one], cut.h, rtol=1e-12)
        np.testing.assert_allclose(whole.c[one], cut.c, rtol=1e-12)
        np.testing.assert_allclose(
            dxs[one, kept], cut.backward(dhs[one, kept], dc[one]), rtol=1e-10, atol=1e-15
        )
        np.testing.assert_allclose(whole.dh[one], cut.dh, rtol=1e-10, atol=1e-15)
        np.testing.assert_allclose(whole.dc[one], cut.dc, rtol=1e-10, atol=1e-15)
        for name in totals:
            totals[name] += cut.grads[name]
    for name, total in totals.items():
        np.testing.assert_allclose(whole.grads[name], total, rtol=1e-10, atol=1e-14)


def test_with_no_step_kept_state_and_gradient_pass_unchanged(rng):
    subject = build("lstm-stateful", rng)
    lstm, (dhs, dc) = subject.part, subject.probes(rng)
    hs, c = subject.outputs(keep=np.zeros((2, 3), bool))
    np.testing.assert_array_equal(hs, np.repeat(subject.inputs["h"][:, None], 3, axis=1))
    np.testing.assert_array_equal(c, subject.inputs["c"])
    lstm.backward(dhs, dc)
    np.testing.assert_allclose(lstm.dh, dhs.sum(axis=1), rtol=1e-14)
    np.testing.assert_array_equal(lstm.dc, dc)
    assert not any(gradient.any() for gradient in lstm.grads.values())


def test_keep_of_all_true_changes_no_bit(rng):
    subject = build("lstm-stateful", rng)
    probes = subject.probes(rng)
    outputs, gradients = subject.outputs(), subject.gradients(probes)
    for y, kept in zip(outputs, subject.outputs(keep=np.ones((2, 3))), strict=True):
        np.testing.assert_array_equal(y, kept)
    for name, gradient in subject.gradients(probes).items():
        np.testing.assert_array_equal(gradients[name], gradient, err_msg=name)


def test_a_stateful_lstm_goes_on_where_it_stopped(rng):
    subject = build("lstm-stateful", rng, T=6)
    lstm, xs = subject.part, subject.inputs["xs"]
    (hs, c) = subject.outputs()
    lstm.set_state(subject.inputs["h"], subject.inputs["c"])
    in_parts = [lstm.forward(xs[:, :2]), lstm.forward(xs[:, 2:3]), lstm.forward(xs[:, 3:])]
    np.testing.assert_allclose(np.concatenate(in_parts, axis=1), hs, rtol=1e-12)
    np.testing.assert_allclose(lstm.c, c, rtol=1e-12)


def test_reset_state_starts_from_zeros_and_keeps_what_was_learned(rng):
    subject = build("lstm-stateful", rng)
    lstm, xs = subject.part, subject.inputs["xs"]
    lstm.reset_state()
    first = lstm.forward(xs)
    assert np.abs(lstm.forward(xs) - first).max() > 1e-3
    lstm.reset_state()
    np.testing.assert_array_equal(lstm.forward(xs), first)
    np.testing.assert_array_equal(TimeLSTM(**lstm.params).forward(xs), first)


def test_an_lstm_that_is_not_stateful_starts_from_zeros_every_time(rng):
    subject = build("lstm", rng)
    (first,), (second,) = subject.outputs(), subject.outputs()
    np.testing.assert_array_equal(first, second)


def test_the_last_state_is_h_and_c_and_its_cell_is_zero_if_not_given(rng):
    subject = build("lstm-stateful", rng)
    hs, c = subject.outputs(c=None)
    np.testing.assert_array_equal(subject.part.h, hs[:, -1])
    zero_cell = subject.outputs(c=np.zeros_like(c))
    np.testing.assert_array_equal(zero_cell[0], hs)


def test_state_is_copied_in_and_never_written_to_afterwards(rng):
    subject = build("lstm-stateful", rng)
    lstm, h, c = subject.part, subject.inputs["h"], subject.inputs["c"]
    lstm.set_state(h, c)
    held = lstm.h, lstm.c
    before = h.copy(), c.copy()
    h[...] = c[...] = 9
    np.testing.assert_array_equal(held, before)
    lstm.forward(subject.inputs["xs"])
    np.testing.assert_array_equal(held, before)


def test_set_state_on_an_lstm_that_is_not_stateful_is_refused(rng):
    with pytest.raises(RuntimeError, match="set_state: this TimeLSTM is not stateful"):
        build("lstm", rng).part.set_state(np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("h", "c", "message"),
    [
        (np.zeros((2, 4)), None, r"h: expected shape \(N, 3\), got \(2, 4\)"),
        (np.zeros(3), None, r"h: expected shape \(N, 3\), got \(3,\)"),
        (np.zeros((2, 3)), np.zeros((1, 3)), r"c: expected shape \(2, 3\), got \(1, 3\)"),
    ],
)
def test_set_state_of_another_shape_is_refused(h, c, message, rng):
    with pytest.raises(ValueError, match=message):
        build("lstm-stateful", rng).part.set_state(h, c)


def test_a_batch_of_another_size_than_the_state_s_is_refused(rng):
    subject = build("lstm-stateful", rng)
    with pytest.raises(ValueError, match="xs: expected N = 4, as in the state, got N = 2"):
        subject.outputs(h=np.zeros((4, 3)), c=None)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 12), (3, 11), (12,)), r"Wh: expected shape \(H, 4H\), got \(3, 11\)"),
        (((2, 11), (3, 12), (12,)), r"Wx: expected shape \(D, 12\), got \(2, 11\)"),
        (((2, 12), (3, 12), (3,)), r"b: expected shape \(12\), got \(3,\)"),
        (((2, 12), (12,), (12,)), r"Wh: expected shape \(H, 4H\), got \(12,\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(shapes, message):
    with pytest.raises(ValueError, match=message):
        TimeLSTM(*map(np.zeros, shapes))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"xs": np.zeros((2, 3, 7))}, r"xs: expected shape \(N, T, 2\), got \(2, 3, 7\)"),
        ({"context": np.zeros((3, 5))}, r"context: expected shape \(2, 5\), got \(3, 5\)"),
        ({"keep": np.ones((2, 4))}, r"keep: expected shape \(2, 3\), got \(2, 4\)"),
    ],
)
def test_a_refused_call_leaves_the_call_before_it_intact(changed, message, rng):
    subject = build("lstm-context-keep-stateful", rng)
    probes = subject.probes(rng)
    subject.outputs()
    gradients = subject.gradients(probes)
    with pytest.raises(ValueError, match=message):
        subject.outputs(**changed)
    for name, gradient in subject.gradients(probes).items():
        np.testing.assert_array_equal(gradients[name], gradient, err_msg=name)


@pytest.mark.parametrize(
    ("dhs", "dc", "message"),
    [
        ((2, 4, 3), None, r"dhs: expected shape \(2, 3, 3\), got \(2, 4, 3\)"),
        ((2, 3, 3), (1, 3), r"dc: expected shape \(2, 3\), got \(1, 3\)"),
    ],
)
def test_a_gradient_of_another_shape_is_refused(dhs, dc, message, rng):
    subject = build("lstm", rng)
    subject.outputs()
    with pytest.raises(ValueError, match=message):
        subject.part.backward(np.zeros(dhs), None if dc is None else np.zeros(dc))
