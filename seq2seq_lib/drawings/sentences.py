"""Drawings of the whole idea, with a sentence to translate as the example."""

from seq2seq_lib.drawings.columns import decoder, encoder, first_state
from seq2seq_lib.drawings.lines import arrow, up
from seq2seq_lib.drawings.shapes import BOX, box, draw, levels, marks, state, steps, text, tile

# Every text of this module that a reader sees or hears.
WORDS = {
    "japanese": "吾輩 は 猫 で ある",
    "english": "I am a cat",
    "eos": "<eos>",
    "seq2seq": "seq2seq",
    "encoder": "encoder",
    "decoder": "decoder",
    "sequence in": "a sequence",
    "sequence out": "another sequence",
    "fixed": "fixed length",
    "one vector": "one vector of fixed length",
    "translation": (
        "An arrow leads from {japanese} into a black box, another one out of it to {english}."
    ),
    "translation caption": (
        "Seq2seq from outside: one sequence goes in, another one comes out, and they may differ in "
        "length. Square corners mark what is read, round ones what is written."
    ),
    "two parts": (
        "Two boxes side by side. {japanese} goes up into the left one, the encoder. A vector, h, "
        "goes from it to the right one, the decoder. Out of the decoder comes {english}."
    ),
    "two parts caption": (
        "The two parts. The encoder turns the sentence into a vector, h; the decoder turns h into "
        "another sentence. A square is a number above zero, a dot one below."
    ),
    "encoder unrolled": (
        "Five columns, one for each word of {japanese}. In each, the word goes up through an "
        "embedding into an LSTM, which hands its state to the right. Above the last LSTM stands h."
    ),
    "encoder unrolled caption": (
        "The encoder, unrolled: time runs to the right, layers rise. All LSTM boxes are the same "
        "layer, one step later each time. Only the last hidden state, h, leaves the encoder."
    ),
    "decoder unrolled": (
        "Five columns. From left to right the decoder reads {fed} and writes {written}. Each word "
        "goes up through embedding, LSTM and affine layer. The first LSTM starts from h."
    ),
    "decoder unrolled caption": (
        "The decoder, unrolled. It is a language model: each step reads one word and predicts the "
        "next. Two things are special: {eos} starts it, and its LSTM starts from h."
    ),
    "whole model": (
        "Below, the encoder reads {japanese}. Its last h goes up to the first LSTM of the decoder, "
        "which reads {fed} and writes {written}."
    ),
    "whole model caption": (
        "The whole model: the encoder below, the decoder above. One line joins the two LSTMs, and "
        "all that crosses it is h."
    ),
}
WORD = 50  # the width of a tile that holds a word
A_VECTOR = 0.9, -0.4, 0.6, -0.9, 0.3, 0.8, -0.6, 0.4  # of no model: what a code looks like


def translation():
    """F1: a black box"""
    japanese = WORDS["japanese"].replace(" ", "")
    return draw(
        94,
        WORDS["translation"].format(japanese=japanese, english=WORDS["english"]),
        WORDS["translation caption"],
        text(66, 16, WORDS["sequence in"], "muted"),
        tile(66, 54, japanese, "question", width=118),
        arrow((127, 54), (150, 54)),
        box(152, 20, 96, 68, "ink", corner=4, tint=1),
        text(200, 54, WORDS["seq2seq"], "paper", bold=True),
        arrow((250, 54), (274, 54)),
        tile(334, 54, WORDS["english"], "answer", width=118),
        text(334, 16, WORDS["sequence out"], "muted"),
    )


def two_parts():
    """F2: encoder and decoder, the code between them"""
    japanese = WORDS["japanese"].replace(" ", "")
    y = 88
    return draw(
        176,
        WORDS["two parts"].format(japanese=japanese, english=WORDS["english"]),
        WORDS["two parts caption"],
        box(8, y - 30, 118, 60, "question", corner=3),
        text(67, y, WORDS["encoder"], "question", bold=True),
        box(274, y - 30, 118, 60, "answer", corner=14),
        text(333, y, WORDS["decoder"], "answer", bold=True),
        tile(67, 158, japanese, "question", width=118),
        arrow((67, 143), (67, y + 32)),
        arrow((333, y - 31), (333, 35)),
        tile(333, 18, WORDS["english"], "answer", width=118),
        arrow((128, y), (154, y), role="h"),
        marks(156, y, A_VECTOR, "h"),
        arrow((246, y), (272, y), role="h"),
        text(200, y - 20, "h", "h", kind="symbol", size=16),
        text(200, y + 19, WORDS["fixed"], "muted"),
    )


def encoder_unrolled():
    """F3: embedding, LSTM, last h, over the words of a sentence"""
    xs, (low, embed, lstm, top) = steps(5, 56), levels("tile", "embed", "lstm", "state")
    return draw(
        low.bottom + 8,
        WORDS["encoder unrolled"].format(japanese=WORDS["japanese"]),
        WORDS["encoder unrolled caption"],
        encoder(xs, (low, embed, lstm), WORDS["japanese"].split(), wide=WORD),
        up(xs[-1], lstm, top, role="h"),
        state(xs[-1], top.y, "h"),
        text(xs[-1] - 22, top.y, WORDS["one vector"], "muted", anchor="end"),
    )


def decoder_unrolled():
    """F4: a language model that h and the mark of an end start"""
    xs, rows = steps(5, 78), levels("tile", "embed", "lstm", "affine", "tile")
    fed, written = _fed_and_written()
    return draw(
        rows[0].bottom + 8,
        WORDS["decoder unrolled"].format(fed=" ".join(fed), written=" ".join(written)),
        WORDS["decoder unrolled caption"].format(eos=WORDS["eos"]),
        decoder(xs, rows, fed, written, wide=WORD),
        first_state(xs, rows[2].y),
    )


def whole_model():
    """F4: both LSTMs, joined by h"""
    xs, above = steps(5, 78), levels("tile", "embed", "lstm", "affine", "tile")
    below = levels("tile", "embed", "lstm", top=above[0].bottom + 56)
    fed, written = _fed_and_written()
    between, start = (below[-1].top + above[0].bottom) / 2, above[2].y
    bridge = (
        (xs[-1], below[-1].top - 1),
        (xs[-1], between),
        (24, between),
        (24, start),
        (xs[0] - BOX / 2 - 1.5, start),
    )
    return draw(
        below[0].bottom + 8,
        WORDS["whole model"].format(
            japanese=WORDS["japanese"], fed=" ".join(fed), written=" ".join(written)
        ),
        WORDS["whole model caption"],
        arrow(*bridge, role="h", line=2.2),
        state(xs[2], between, "h"),
        encoder(xs, below, WORDS["japanese"].split(), wide=WORD),
        decoder(xs, above, fed, written, wide=WORD),
    )


def _fed_and_written():
    """The words of the English sentence as the decoder reads them, and as it writes them"""
    words = WORDS["english"].split()
    return [WORDS["eos"], *words], [*words, WORDS["eos"]]
