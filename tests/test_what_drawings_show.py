"""What a drawing shows is what the library computes: sentences, rows of characters, shapes."""

import itertools

import numpy as np
import pytest
from sketches import heads, numbers, rectangles, texts, tiles, words

from seq2seq_lib import Layout, Recipe, drawings
from seq2seq_lib.drawings import sequences
from seq2seq_lib.encoding import PAD
from seq2seq_lib.layers import TimeSoftmaxWithLoss
from seq2seq_lib.models import Encoder, PeekyDecoder, Seq2seq

SENTENCE = "I am a cat"


@pytest.fixture
def row():
    """The answer 62 as the decoder is trained on it"""
    layout = Layout()
    return layout.vocabulary.decode(layout.encode_answers(["62"]))[0]


def row_at(drawing, *, lowest):
    """The words in the lowest or in the highest line of a drawing, from left to right"""
    found = texts(drawing)
    y = (max if lowest else min)(text.y for text in found)
    return [text.words for text in sorted(found, key=lambda text: text.x) if text.y == y]


# Sentences


@pytest.mark.parametrize("name", ["translation", "two_parts"])
def test_the_same_sentence_goes_in_and_comes_out_in_another_language(name):
    assert {"吾輩は猫である", SENTENCE} <= set(words(getattr(drawings, name)()))


def test_the_encoder_reads_five_words_with_five_lstms_and_keeps_one_h():
    drawing = drawings.encoder_unrolled()
    assert "".join(row_at(drawing, lowest=True)) == "吾輩は猫である"
    assert words(drawing).count("LSTM") == 5 and words(drawing).count("h") == 1


def test_the_decoder_reads_a_sentence_one_step_behind_what_it_writes():
    drawing = drawings.decoder_unrolled()
    assert row_at(drawing, lowest=True) == ["<eos>", *SENTENCE.split()]
    assert row_at(drawing, lowest=False) == [*SENTENCE.split(), "<eos>"]


def test_one_h_joins_encoder_and_decoder_of_the_whole_model():
    drawing = drawings.whole_model()
    assert "".join(row_at(drawing, lowest=True)) == "吾輩は猫である"
    assert row_at(drawing, lowest=False) == [*SENTENCE.split(), "<eos>"]
    assert words(drawing).count("LSTM") == 10 and words(drawing).count("h") == 1


# Sums


def test_the_encoder_hands_c_and_h_on_between_steps_and_h_alone_at_the_end():
    drawing = drawings.encoder_layers()
    (question,) = tiles(drawing, "question")
    assert question == "57+5"
    assert len(heads(drawing, "c")) == len(question) - 1
    assert len(heads(drawing, "h")) == len(question)


def test_training_shows_the_inputs_and_targets_of_the_layout(row):
    assert tiles(drawings.decoder_in_training(), "answer") == [row[1:], row[:-1]]


def test_generating_feeds_every_character_but_the_last_back(row):
    drawing = drawings.decoder_generating()
    assert tiles(drawing, "answer") == [row[1:], row[:-1]]
    assert len(heads(drawing, "answer")) == len(row) - 2


def test_the_layers_are_those_of_the_model_and_only_the_loss_is_outside_its_parts():
    model, drawing = Seq2seq(13, 4, 5), drawings.decoder_layers()
    named = [type(layer).__name__ for layer in (*model.encoder.parts, *model.decoder.parts)]
    shown = {text.words: text for text in texts(drawing)}
    assert sorted(word for word in words(drawing) if word in named) == sorted(named)
    assert "Seq2seq" in shown and type(model.loss).__name__ in shown
    *parts, _ = sorted(rectangles(drawing), key=lambda box: box[2] - box[0])
    loss = shown[type(model.loss).__name__]
    assert sum(box[1] < loss.y < box[3] and box[0] < loss.x < box[2] for box in parts) == 1


# Rows of characters


def test_reading_orders_show_the_rows_of_the_layout_and_their_distances():
    drawing, question = drawings.reading_orders(), sequences.QUESTION
    layouts = Layout(), Layout(reverse=True)
    read = [each.vocabulary.decode(each.encode_questions([question]))[0] for each in layouts]
    assert tiles(drawing, "question") == read
    answer = str(sum(map(int, question.split("+"))))
    assert tiles(drawing, "answer") == [answer, answer]

    small = [text.words for text in texts(drawing) if text.size < 16]
    away = [len(question) - place for place in range(len(question))]
    assert [int(word) for word in small if word.isdigit()] == away + away
    assert {f"{away[0]} steps", f"{away[-1]} step"} <= set(words(drawing))
    assert words(drawing).count(f"on average {np.mean(away):g}") == 2


def test_inputs_and_targets_are_slices_of_one_row(row):
    assert tiles(drawings.shift_by_one(), "answer") == [row, row[1:], row[:-1]]
    assert {"ts[:, :-1]", "ts[:, 1:]"} <= set(words(drawings.shift_by_one()))


def test_the_mask_counts_as_many_targets_as_the_loss_does(rng):
    layout, drawing = Layout(end_mark=True), drawings.loss_mask()
    ids = layout.encode_answers(["62"])[:, 1:]
    assert tiles(drawing, "answer") == layout.vocabulary.decode(ids)
    loss = TimeSoftmaxWithLoss(layout.pad_id)
    loss.forward(rng.standard_normal((1, ids.shape[1], 13)), ids)
    counted = int(loss.backward().any(axis=-1).sum())
    assert f"mean of {counted}" in words(drawing)


def test_a_state_passes_where_the_encoder_keeps_it(rng):
    drawing, layout = drawings.pass_through(), Layout()
    (shown,) = tiles(drawing, "question")
    encoder = Encoder(13, 4, 5, pad_id=layout.pad_id, rng=rng)
    states = [encoder.forward(layout.vocabulary.encode([shown[:k]], k)) for k in range(1, 5)]
    changed = 1 + sum(not np.array_equal(one, next) for one, next in itertools.pairwise(states))
    assert words(drawing).count("LSTM") == changed == len(shown.rstrip(PAD))


# Arrays


def test_blocks_have_the_depths_of_the_recipe():
    recipe, shown = Recipe(), words(drawings.layers_over_time())
    sizes = {"D": recipe.wordvec_size, "H": recipe.hidden_size, "V": len(recipe.characters)}
    for letter, size in sizes.items():
        assert any(word.startswith(f"{letter} = {size} ") for word in shown)
    assert [word for word in shown if word.startswith("(")] == [
        *("(N, T)", "(N, T, D)", "(N, T, H)", "(N, T, V)")
    ]


def test_joined_vectors_are_as_wide_as_the_weights_of_the_peeky_decoder():
    recipe, drawing = Recipe(), drawings.concatenation()
    H, D = recipe.hidden_size, recipe.wordvec_size
    decoder = PeekyDecoder(len(recipe.characters), D, H)
    into_lstm, into_affine = (len(decoder.lstm.params["Wx"]), len(decoder.affine.params["W"]))
    sums = [numbers(word) for word in words(drawing) if "=" in word]
    assert sums == [[H, D, into_lstm], [H, H, into_affine]]
    wide = [right - left for left, _, right, _ in rectangles(drawing)][1:5]
    np.testing.assert_allclose(np.divide(wide, wide[0]), np.divide([H, D, H, H], H), atol=1e-3)
