"""Encoder, decoder, peeky decoder and the whole: what is joined to what, masks, greedy answers."""

import numpy as np
import pytest
from subjects import build

from seq2seq_lib.encoding import Layout
from seq2seq_lib.models import Decoder, Encoder, PeekyDecoder, PeekySeq2seq, Seq2seq

START = 12
KINDS = {
    "baseline": (Seq2seq, {}),
    "peeky": (PeekySeq2seq, {}),
    "baseline-pad-cell": (Seq2seq, {"pad_id": 11, "pass_cell": True}),
    "peeky-pad-cell": (PeekySeq2seq, {"pad_id": 11, "pass_cell": True}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def lively_model(kind, rng, *, hidden_size=32, dtype=np.float32):
    """Random weights large enough that answers differ from question to question"""
    model_class, switches = KINDS[kind]
    model = model_class(13, 16, hidden_size, rng=rng, dtype=dtype, **switches)
    for name, p in model.params.items():
        scale = 0.1 if p.ndim == 1 else 1.0 if name.endswith("embed.W") else 4 / np.sqrt(len(p))
        p[...] = rng.standard_normal(p.shape) * scale
    return model


# What is drawn


def test_initial_values_are_drawn_as_in_the_source(rng):
    model = PeekySeq2seq(13, 400, 300, rng=rng)
    fan_in = {"encoder.lstm.Wx": 400, "encoder.lstm.Wh": 300, "decoder.lstm.Wx": 700}
    fan_in |= {"decoder.lstm.Wh": 300, "decoder.affine.W": 600}
    for name, p in model.params.items():
        assert p.dtype == np.float32
        if name.endswith(".b"):
            assert not p.any()
        else:
            expected = 0.01 if name.endswith("embed.W") else 1 / np.sqrt(fan_in[name])
            assert p.std() == pytest.approx(expected, rel=0.05), name
            assert abs(p.mean()) < expected / 10, name


@pytest.mark.parametrize(("model_class", "count"), [(Seq2seq, 150_573), (PeekySeq2seq, 217_773)])
def test_a_model_has_as_many_parameters_as_the_source_s(model_class, count):
    assert sum(p.size for p in model_class(13, 16, 128).params.values()) == count


def test_parameters_are_named_by_part_and_layer():
    lstm = ["lstm.Wx", "lstm.Wh", "lstm.b"]
    encoder = [f"encoder.{name}" for name in ["embed.W", *lstm]]
    decoder = [f"decoder.{name}" for name in ["embed.W", *lstm, "affine.W", "affine.b"]]
    assert list(Seq2seq(13, 4, 5).params) == encoder + decoder
    assert list(PeekySeq2seq(13, 4, 5).params) == encoder + decoder


@pytest.mark.parametrize("part", [Encoder, Decoder, PeekyDecoder, Seq2seq, PeekySeq2seq])
def test_initial_values_come_from_the_generator_alone(part):
    def drawn(seed):
        return part(5, 2, 3, rng=None if seed is None else np.random.default_rng(seed)).params

    for name, p in drawn(1).items():
        np.testing.assert_array_equal(p, drawn(1)[name])
        np.testing.assert_array_equal(drawn(None)[name], drawn(None)[name])
        assert name.endswith(".b") or (p != drawn(2)[name]).any()


# What is joined to what


def test_encoder_returns_the_hidden_state_after_the_last_step(rng):
    subject = build("encoder", rng)
    encoder, xs = subject.part, subject.inputs["xs"]
    hs = encoder.lstm.forward(encoder.embed.forward(xs)).copy()
    np.testing.assert_array_equal(encoder.forward(xs), hs[:, -1])


def test_decoder_chains_embedding_lstm_and_affine_from_the_state_it_is_given(rng):
    subject = build("decoder-cell", rng)
    decoder, (scores,) = subject.part, subject.outputs()
    decoder.lstm.set_state(subject.inputs["h"], subject.inputs["c"])
    hs = decoder.lstm.forward(decoder.embed.forward(subject.inputs["xs"]))
    np.testing.assert_array_equal(scores, decoder.affine.forward(hs))


def test_peeky_decoder_joins_h_in_front_of_both_inputs(rng):
    subject = build("peeky", rng)
    decoder, h, (scores,) = subject.part, subject.inputs["h"], subject.outputs()
    repeated = np.repeat(h[:, None], 3, axis=1)
    decoder.lstm.set_state(h)
    vectors = decoder.embed.forward(subject.inputs["xs"])
    hs = decoder.lstm.forward(np.concatenate([repeated, vectors], axis=2))
    joined = decoder.affine.forward(np.concatenate([repeated, hs], axis=2))
    np.testing.assert_allclose(scores, joined, rtol=1e-12)


def test_each_decoder_step_reads_one_character_and_is_to_say_the_next(rng):
    model, xs = build("seq2seq", rng).part, [[0, 1, 2]]
    ts = np.array([[4, 3, 2, 0]])
    scores = model.decoder.forward(ts[:, :-1], model.encoder.forward(xs))
    assert model.forward(xs, ts) == model.loss.forward(scores, ts[:, 1:])


def test_a_decoder_step_does_not_see_the_characters_after_it(rng):
    subject = build("peeky", rng, T=4)
    xs = subject.inputs["xs"].copy()
    (scores,) = subject.outputs()
    xs[:, 2:] = (xs[:, 2:] + 1) % 5
    (changed,) = subject.outputs(xs=xs)
    np.testing.assert_array_equal(changed[:, :2], scores[:, :2])
    assert (changed[:, 2:] != scores[:, 2:]).any()


@pytest.mark.parametrize("pass_cell", [False, True])
def test_the_cell_crosses_the_bridge_only_if_passed(pass_cell, rng):
    model = build("seq2seq-cell" if pass_cell else "seq2seq", rng).part
    h, c = model.encode([[0, 1, 2]])
    assert (c is not None) == pass_cell
    without = model.decoder.forward([[3, 4]], h)
    assert (model.decoder.forward([[3, 4]], h, c) != without).any() == pass_cell


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_peeky_with_h_s_extra_weights_at_zero_equals_plain(dtype, rng):
    plain = lively_model("baseline", rng, dtype=dtype)
    peeky = lively_model("peeky", rng, dtype=dtype)
    for name, p in peeky.params.items():
        extra = len(p) - len(plain.params[name])
        p[:extra] = 0
        p[extra:] = plain.params[name]
    xs, ts = rng.integers(0, 13, (6, 7)), rng.integers(0, 13, (6, 5))
    tolerance = {"rtol": 1e-10, "atol": 1e-14} if dtype == np.float64 else {"atol": 1e-6}

    assert peeky.forward(xs, ts) == pytest.approx(plain.forward(xs, ts), rel=1e-6)
    np.testing.assert_array_equal(peeky.generate(xs, START, 4), plain.generate(xs, START, 4))
    for model in (plain, peeky):
        model.forward(xs, ts)
        model.backward()
    for name, gradient in plain.grads.items():
        shared = peeky.grads[name][-len(gradient) :]
        np.testing.assert_allclose(shared, gradient, **tolerance, err_msg=name)


# Masks


def padded_alike(padding, reverse):
    """ "57+5" and "628+1", each alone in the narrowest row that holds it, and padded wider"""
    for question in ("57+5", "628+1"):
        widths = len(question), len(question) + 1, 9
        layouts = [
            Layout(question_width=width, padding=padding, reverse=reverse) for width in widths
        ]
        yield [layout.encode_questions([question, question[::-1]]) for layout in layouts]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("padding", ["end", "front"])
def test_with_pad_id_padding_changes_no_bit_of_the_state(padding, reverse, rng):
    encoder = Encoder(13, 16, 32, pad_id=Layout().pad_id, rng=rng, dtype=np.float64)
    reads_padding = Encoder(13, 16, 32, rng=np.random.default_rng(0), dtype=np.float64)
    for alone, *padded in padded_alike(padding, reverse):
        h, c = encoder.forward(alone), encoder.lstm.c
        for xs in padded:
            np.testing.assert_array_equal(encoder.forward(xs), h)
            np.testing.assert_array_equal(encoder.lstm.c, c)
            assert np.abs(reads_padding.forward(xs) - reads_padding.forward(alone)).max() > 1e-5


def test_with_pad_id_padding_in_the_middle_passes_through_too(rng):
    encoder = build("encoder-pad", rng).part
    pad = encoder.pad_id
    h = encoder.forward([[0, 2, 3], [4, 4, 0]])
    padded = encoder.forward([[0, pad, 2, 3, pad], [pad, 4, pad, 4, 0]])
    np.testing.assert_array_equal(padded, h)


def test_with_pad_id_the_blank_s_embedding_gets_no_gradient_and_others_the_same(rng):
    encoder = build("encoder-pad", rng).part
    dh, pad = rng.standard_normal((2, 3)), encoder.pad_id
    encoder.forward([[0, 2, 3], [4, 4, 0]])
    encoder.backward(dh)
    alone = {name: gradient.copy() for name, gradient in encoder.grads.items()}
    encoder.forward([[0, 2, 3, pad, pad], [pad, 4, pad, 4, 0]])
    encoder.backward(dh)
    np.testing.assert_array_equal(encoder.grads["embed.W"][pad], 0)
    for name, gradient in encoder.grads.items():
        np.testing.assert_allclose(gradient, alone[name], rtol=1e-12, atol=1e-15, err_msg=name)


def test_a_question_of_blanks_alone_leaves_the_state_at_zero(rng):
    encoder = build("encoder-pad", rng).part
    assert not encoder.forward(np.full((2, 3), encoder.pad_id)).any()


def test_with_ignore_id_answers_padded_wider_have_the_same_loss_and_gradients(rng):
    model = build("peeky_seq2seq-pad-ignore-cell", rng).part
    pad = model.loss.ignore_id
    xs, ts = [[0, 2, 3], [4, pad, 0]], np.array([[4, 2, 0], [4, 3, pad]])
    loss = model.forward(xs, ts)
    model.backward()
    before = {name: gradient.copy() for name, gradient in model.grads.items()}
    assert model.forward(xs, np.pad(ts, [(0, 0), (0, 3)], constant_values=pad)) == (
        pytest.approx(loss, rel=1e-14)
    )
    model.backward()
    for name, gradient in model.grads.items():
        np.testing.assert_allclose(gradient, before[name], rtol=1e-12, atol=1e-15, err_msg=name)


def test_with_every_target_ignored_nothing_is_learned(rng):
    model = build("seq2seq-ignore", rng).part
    assert model.forward([[0, 2]], [[4, model.loss.ignore_id, model.loss.ignore_id]]) == 0
    model.backward()
    assert not any(gradient.any() for gradient in model.grads.values())


# Greedy answers


@every_kind
def test_generate_writes_the_same_ids_for_a_batch_as_for_one_question_at_a_time(kind):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        model, questions = lively_model(kind, rng), rng.integers(0, 13, (130, 7))
        alone = np.concatenate([model.generate(q[None], START, 5) for q in questions])
        assert len(np.unique(alone, axis=0)) > 20  # the answers do differ
        for size in (2, 3, 7, 64, 129, 130):
            batches = [questions[k : k + size] for k in range(0, 130, size)]
            together = np.concatenate([model.generate(b, START, 5) for b in batches])
            np.testing.assert_array_equal(together, alone)


def scores_of_two_steps(model, questions):
    h, c = model.encode(questions)
    model.decoder.lstm.set_state(h, c)
    first = model.decoder.step(np.full((len(questions), 1), START), h)
    return np.concatenate([first, model.decoder.step(first.argmax(axis=-1), h)], axis=1)


@every_kind
def test_scores_of_a_question_do_not_depend_on_the_rest_of_the_batch(kind, rng):
    """BLAS may round the odd last row its own way, and in float32 any row: hence the two claims."""
    model, questions = lively_model(kind, rng, dtype=np.float64), rng.integers(0, 13, (200, 7))
    together = scores_of_two_steps(model, questions)
    for size in (2, 4, 18, 128):
        np.testing.assert_array_equal(scores_of_two_steps(model, questions[:size]), together[:size])

    model = lively_model(kind, rng, dtype=np.float32)
    together = scores_of_two_steps(model, questions)
    for size in (1, 2, 3, 5, 128):
        np.testing.assert_allclose(
            scores_of_two_steps(model, questions[:size]), together[:size], rtol=0, atol=2e-5
        )


@every_kind
@pytest.mark.parametrize("part", ["model", "decoder"])
def test_one_question_is_answered_from_the_very_scores_it_has_in_a_batch(
    kind, part, rng, monkeypatch
):
    model, questions = lively_model(kind, rng, dtype=np.float64), rng.integers(0, 13, (30, 7))
    seen, step = [], model.decoder.step

    def recorded_step(xs, h):
        seen.append(step(xs, h))
        return seen[-1]

    monkeypatch.setattr(model.decoder, "step", recorded_step)

    def scores(chosen):
        seen.clear()
        if part == "model":
            model.generate(questions[chosen], START, 3)
        else:
            h, c = (None if x is None else x[chosen] for x in encoded)
            model.decoder.generate(h, START, 3, c)
        return np.concatenate(seen, axis=1)

    encoded = model.encode(questions)
    together = scores(slice(None))
    for n in range(30):
        np.testing.assert_array_equal(scores(slice(n, n + 1))[0], together[n])


@every_kind
def test_generate_feeds_its_own_choices_back(kind, rng):
    model, xs = lively_model(kind, rng), rng.integers(0, 13, (8, 7))
    written = model.generate(xs, START, 5)
    fed = np.concatenate([np.full((8, 1), START), written[:, :-1]], axis=1)
    scores = model.decoder.forward(fed, *model.encode(xs))
    np.testing.assert_array_equal(scores.argmax(axis=-1), written)


@every_kind
def test_the_first_characters_of_a_longer_answer_are_the_shorter_one(kind, rng):
    model, xs = lively_model(kind, rng), rng.integers(0, 13, (8, 7))
    np.testing.assert_array_equal(model.generate(xs, START, 2), model.generate(xs, START, 6)[:, :2])
    assert model.generate(xs, START, 0).shape == (8, 0)


@every_kind
def test_decoder_generates_from_one_state_as_from_many(kind, rng):
    model, xs = lively_model(kind, rng), rng.integers(0, 13, (4, 7))
    h, c = model.encode(xs)
    together = model.decoder.generate(h, START, 5, c)
    for n in range(4):
        one = slice(n, n + 1)
        alone = model.decoder.generate(h[one], START, 5, None if c is None else c[one])
        np.testing.assert_array_equal(alone, together[one])


@every_kind
def test_generate_forgets_the_question_before(kind, rng):
    model, (first, second) = lively_model(kind, rng), rng.integers(0, 13, (2, 6, 7))
    answers = model.generate(second, START, 5)
    model.generate(first, START, 5)
    model.forward(first, first)
    np.testing.assert_array_equal(model.generate(second, START, 5), answers)


@every_kind
def test_generate_depends_on_the_start_character(kind, rng):
    model, xs = lively_model(kind, rng), rng.integers(0, 13, (20, 7))
    assert (model.generate(xs, START, 3) != model.generate(xs, 0, 3)).any()


def test_generate_refuses_a_start_that_is_no_character(rng):
    model = lively_model("baseline", rng)
    for start_id in (-1, 13, 0.5):
        with pytest.raises(ValueError, match="start_id: expected"):
            model.generate([[0, 1]], start_id, 4)


# What is refused


def test_answers_without_a_character_to_say_are_refused(rng):
    model = build("seq2seq", rng).part
    for ts in ([[4], [4]], [4, 3], np.zeros((2, 0), int)):
        with pytest.raises(ValueError, match=r"ts: expected shape \(N, S\) with S of at least 2"):
            model.forward([[0, 1], [2, 3]], ts)


def test_as_many_questions_as_answers_are_expected(rng):
    with pytest.raises(ValueError, match="xs: expected N = 2, as in the state, got N = 3"):
        build("seq2seq", rng).part.forward([[0, 1], [2, 3]], np.zeros((3, 4), int))


@pytest.mark.parametrize("dh", [np.zeros((3, 3)), np.zeros(3), np.zeros((2, 4))])
def test_encoder_refuses_a_gradient_of_another_shape(dh, rng):
    subject = build("encoder", rng)
    subject.outputs()
    with pytest.raises(ValueError, match=r"dh: expected shape \(2, 3\), got"):
        subject.part.backward(dh)


@pytest.mark.parametrize("variant", ["baseline", "peeky"])
def test_generating_between_forward_and_backward_is_refused_not_mixed_up(variant, rng):
    model = lively_model(variant, rng)
    model.forward([[0, 1], [2, 3]], [[START, 1], [START, 2]])
    model.generate([[0, 1], [2, 3]], START, 4)
    with pytest.raises(RuntimeError, match="call forward before backward"):
        model.backward()


@pytest.mark.parametrize(
    ("sizes", "named"),
    [((0, 2, 3), "vocab_size"), ((5, -1, 3), "wordvec_size"), ((5, 2, 3.0), "hidden_size")],
)
def test_a_size_that_is_none_is_refused_by_its_name(sizes, named):
    for part in (Encoder, Decoder, PeekyDecoder, Seq2seq):
        with pytest.raises(ValueError, match=f"{named}: expected a whole number, 1 or more, got"):
            part(*sizes)


def test_random_draws_come_from_a_generator_alone(rng):
    with pytest.raises(ValueError, match=r"rng: expected a numpy.random.Generator, got int"):
        Seq2seq(5, 2, 3, rng=3)


@pytest.mark.parametrize("size", [-1, 4.0, True, None])
def test_generate_refuses_a_number_of_characters_that_is_none(size, rng):
    with pytest.raises(ValueError, match="sample_size: expected a whole number, 0 or more, got"):
        lively_model("baseline", rng).generate([[0, 1]], START, size)
