"""The trace of one question shows what the model computes, no more and no less."""

import dataclasses

import numpy as np
import pytest
from subjects import build

from seq2seq_lib.functions import softmax
from seq2seq_lib.trace import trace

QUESTION, START, WIDTH = np.array([0, 2, 3, 1, 2]), 4, 6
NAMES = ["seq2seq", "seq2seq-pad-ignore-cell", "peeky_seq2seq", "peeky_seq2seq-pad-ignore-cell"]
every_model = pytest.mark.parametrize("name", NAMES)


def traced(name, rng, dtype=np.float64):
    model = build(name, rng, dtype=dtype).part
    return model, trace(model, QUESTION, START, WIDTH)


def all_arrays(t):
    for steps in (t.encoder, t.decoder):
        yield from (steps.ids, steps.x, steps.h, steps.c, *steps.gates.values())
    yield from (t.bridge_h, t.bridge_c, t.scores, t.probabilities, t.choices)


@every_model
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
def test_choices_are_the_ids_that_generate_writes(name, dtype):
    for seed in range(5):
        model, t = traced(name, np.random.default_rng(seed), dtype)
        np.testing.assert_array_equal(t.choices, model.generate([QUESTION], START, WIDTH)[0])


@every_model
def test_the_encoder_s_steps_end_in_the_state_that_crosses_the_bridge(name, rng):
    model, t = traced(name, rng)
    h, c = model.encode(np.stack([QUESTION, QUESTION]))
    np.testing.assert_array_equal(t.encoder.h[-1], h[0])
    np.testing.assert_array_equal(t.bridge_h, h[0])
    np.testing.assert_array_equal(t.bridge_c, np.zeros(3) if c is None else c[0])
    np.testing.assert_array_equal(t.encoder.ids, QUESTION)


@every_model
def test_each_step_of_the_encoder_is_the_state_after_the_question_so_far(name, rng):
    model, t = traced(name, rng)
    for length in range(1, len(QUESTION) + 1):
        h = model.encoder.forward([QUESTION[:length]])[0]
        np.testing.assert_allclose(t.encoder.h[length - 1], h, rtol=1e-12)
        np.testing.assert_allclose(t.encoder.c[length - 1], model.encoder.lstm.c[0], rtol=1e-12)


@every_model
def test_the_decoder_reads_the_start_and_then_its_own_choices(name, rng):
    model, t = traced(name, rng)
    np.testing.assert_array_equal(t.decoder.ids, [START, *t.choices[:-1]])
    scores = model.decoder.forward([t.decoder.ids], *model.encode([QUESTION]))[0]
    np.testing.assert_allclose(t.scores, scores, rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(t.choices, t.scores.argmax(axis=1))


@every_model
def test_probabilities_are_the_softmax_of_the_scores(name, rng):
    _, t = traced(name, rng)
    np.testing.assert_allclose(t.probabilities.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal(t.probabilities, softmax(t.scores))


@every_model
def test_states_follow_from_gates_by_the_lstm_s_two_equations(name, rng):
    model, t = traced(name, rng)
    read = QUESTION != model.encoder.pad_id if model.encoder.pad_id is not None else slice(None)
    for steps, first_c, kept in (
        (t.encoder, np.zeros(3), read),
        (t.decoder, t.bridge_c, slice(None)),
    ):
        c_before = np.vstack([first_c, steps.c[:-1]])
        f, i, o, g = (steps.gates[name] for name in "fiog")
        np.testing.assert_allclose(steps.c[kept], (f * c_before + i * g)[kept], rtol=1e-12)
        np.testing.assert_allclose(steps.h[kept], (o * np.tanh(steps.c))[kept], rtol=1e-12)
        for gate in (f, i, o):
            assert ((gate > 0) & (gate < 1)).all()


def test_a_padded_step_shows_the_state_before_it(rng):
    model, t = traced("seq2seq-pad-ignore-cell", rng)
    (place,) = np.flatnonzero(QUESTION == model.encoder.pad_id)
    np.testing.assert_array_equal(t.encoder.h[place], t.encoder.h[place - 1])
    np.testing.assert_array_equal(t.encoder.c[place], t.encoder.c[place - 1])


@every_model
def test_x_is_the_vector_of_the_character_read(name, rng):
    model, t = traced(name, rng)
    for steps, part in ((t.encoder, model.encoder), (t.decoder, model.decoder)):
        np.testing.assert_array_equal(steps.x, part.embed.params["W"][steps.ids])


@every_model
def test_shapes_are_as_the_docstrings_say(name, rng):
    _, t = traced(name, rng)
    for steps, length in ((t.encoder, len(QUESTION)), (t.decoder, WIDTH)):
        assert steps.ids.shape == (length,)
        assert steps.x.shape == (length, 2)
        assert list(steps.gates) == ["f", "i", "o", "g"]
        for array in (steps.h, steps.c, *steps.gates.values()):
            assert array.shape == (length, 3)
    assert t.bridge_h.shape == t.bridge_c.shape == (3,)
    assert t.scores.shape == t.probabilities.shape == (WIDTH, 5)
    assert t.choices.shape == (WIDTH,)


@every_model
def test_arrays_are_copies_that_no_later_call_changes(name, rng):
    model, t = traced(name, rng)
    before = [array.copy() for array in all_arrays(t)]
    for p in model.params.values():
        p += 1
    trace(model, QUESTION[::-1], 0, WIDTH)
    model.generate(np.zeros((2, 5), int), 0, WIDTH)
    for array, was in zip(all_arrays(t), before, strict=True):
        np.testing.assert_array_equal(array, was)
        assert not np.shares_memory(array, QUESTION)


@every_model
def test_writing_to_a_trace_changes_nothing_in_the_model(name, rng):
    model, t = traced(name, rng)
    answers = model.generate([QUESTION], START, WIDTH)
    for array in all_arrays(t):
        array[...] = 0
    np.testing.assert_array_equal(model.generate([QUESTION], START, WIDTH), answers)


def test_a_trace_is_read_only_as_a_whole(rng):
    _, t = traced("seq2seq", rng)
    with pytest.raises(dataclasses.FrozenInstanceError):
        t.scores = None


@pytest.mark.parametrize("question", [[[0, 1]], 3])
def test_a_question_of_another_shape_is_refused(question, rng):
    model = build("seq2seq", rng).part
    with pytest.raises(ValueError, match=r"question: expected shape \(T,\), got"):
        trace(model, question, START, WIDTH)
