"""Drawings of encoder and decoder at work on a sum: over time, and layer by layer."""

import itertools

from seq2seq_lib.drawings.columns import answer_row, decoder, encoder, first_state, spelt
from seq2seq_lib.drawings.lines import arrow, ended, up
from seq2seq_lib.drawings.shapes import (
    BOX,
    HEIGHT,
    draw,
    layer,
    levels,
    lines,
    part,
    state,
    steps,
    text,
    tile,
)

# Every text of this module that a reader sees or hears.
WORDS = {
    "reads": "reads",
    "writes": "writes",
    "inputs": "inputs",
    "targets": "targets",
    "unused": "unused",
    "stays": "c stays\nbehind",
    "from encoder": "from the\nencoder",
    "loss": "loss",
    "encoder": "Encoder",
    "decoder": "Decoder",
    "whole": "Seq2seq",
    "encoder layers": (
        "Four columns for {characters}. Each character goes up through the embedding into the "
        "LSTM. Two arrows, c and h, go from each LSTM to the next. The outputs above the first "
        "three LSTMs end at a bar; the last one leads to h."
    ),
    "encoder layers caption": (
        "The encoder's layers over time, for the question {question} without its blanks. To the "
        "right the LSTM hands on c and h. Upwards it shows h at every step, but only the last is "
        "used: a line that ends at a bar leads nowhere."
    ),
    "training": (
        "Four columns. The inputs below are {inputs}; the targets above are {targets}. Each input "
        "goes up through embedding, LSTM and affine layer into softmax with loss, which gets the "
        "target from above. The first LSTM starts from h."
    ),
    "training caption": (
        "The decoder in training, for the answer {answer}. All inputs go in at once, and each "
        "target is the next input. A low bracket is a blank."
    ),
    "generating": (
        "Four columns. The first reads {start}. In each, an argmax near the top chooses the "
        "character that is written, and a line leads from it to the input of the next column. "
        "Written are {written}."
    ),
    "generating caption": (
        "The decoder when it generates. Only the delimiter, {start}, is given. The argmax takes "
        "the character with the highest score; the dashed line feeds it back as the next input."
    ),
    "layers": (
        "A frame around all, Seq2seq, holds three things. On the left the encoder: TimeEmbedding "
        "and TimeLSTM, which gives h. On the right the decoder: TimeEmbedding, TimeLSTM, "
        "TimeAffine. Above the decoder, outside its frame, TimeSoftmaxWithLoss gives the loss."
    ),
    "layers caption": (
        "Which layer belongs to whom. The decoder ends at the affine layer's scores. Softmax with "
        "loss stands outside it, in Seq2seq, because only training needs it."
    ),
}


def encoder_layers():
    """F6: h and c to the right, h upwards, where only the last is used"""
    question = "57+5"
    xs, (low, embed, lstm, top) = steps(4), levels("tile", "embed", "lstm", "state")
    end = xs[-1] + BOX / 2
    return draw(
        low.bottom + 8,
        WORDS["encoder layers"].format(characters=" ".join(question)),
        WORDS["encoder layers caption"].format(question=question),
        encoder(xs, (low, embed, lstm), question, both=True),
        [ended(x, lstm.top - 1, x, lstm.top - 18) for x in xs[:-1]],
        up(xs[-1], lstm, top, role="h"),
        state(xs[-1], top.y, "h"),
        ended(end + 1, lstm.y - 8, end + 18, lstm.y - 8, "c"),
        lines(end + 2, lstm.top - 20, WORDS["stays"], anchor="start"),
        text(8, low.y, WORDS["reads"], "muted", anchor="start"),
        text(8, lstm.top - 12, WORDS["unused"], "muted", anchor="start"),
    )


def decoder_in_training():
    """F7: the right answer goes in, shifted by one against the targets"""
    answer = "62"
    row = answer_row(answer)
    xs = steps(4)
    low, embed, lstm, affine, loss, high = levels(
        "tile", "embed", "lstm", "affine", "softmax", "tile"
    )
    right = xs[-1] + BOX / 2
    return draw(
        low.bottom + 8,
        WORDS["training"].format(inputs=spelt(row[:-1]), targets=spelt(row[1:])),
        WORDS["training caption"].format(answer=answer),
        decoder(xs, (low, embed, lstm, affine), row[:-1]),
        [up(x, affine, loss) for x in xs],
        layer("softmax", (xs[0] + xs[-1]) / 2, loss.y, width=xs[-1] - xs[0] + BOX),
        [tile(x, high.y, each, "answer", dashed=True) for x, each in zip(xs, row[1:], strict=True)],
        [arrow((x, high.bottom + 1), (x, loss.top - 1.5)) for x in xs],
        arrow((right + 1, loss.y), (right + 19, loss.y)),
        text(right + 22, loss.y, WORDS["loss"], anchor="start"),
        first_state(xs, lstm.y, WORDS["from encoder"]),
        text(8, low.y, WORDS["inputs"], "muted", anchor="start"),
        text(8, high.y, WORDS["targets"], "muted", anchor="start"),
    )


def decoder_generating():
    """F8: each character that is written is the next input"""
    row = answer_row("62")
    xs = steps(4)
    low, embed, lstm, affine, choice, high = levels(
        "tile", "embed", "lstm", "affine", "argmax", "tile"
    )
    back = [
        arrow(
            (x + HEIGHT / 2, high.y),
            (x + 36, high.y),
            (x + 36, low.y),
            (after - HEIGHT / 2 - 1.5, low.y),
            role="answer",
            dashed=True,
        )
        for x, after in itertools.pairwise(xs)
    ]
    return draw(
        low.bottom + 8,
        WORDS["generating"].format(start=row[0], written=spelt(row[1:])),
        WORDS["generating caption"].format(start=row[0]),
        back,
        decoder(xs, (low, embed, lstm, affine), row[:-1]),
        [
            [up(x, affine, choice), layer("argmax", x, choice.y, width=58), up(x, choice, high)]
            for x in xs
        ],
        [tile(x, high.y, each, "answer") for x, each in zip(xs, row[1:], strict=True)],
        first_state(xs, lstm.y, WORDS["from encoder"]),
        text(8, low.y, WORDS["reads"], "muted", anchor="start"),
        text(8, high.y, WORDS["writes"], "muted", anchor="start"),
    )


def decoder_layers():
    """F9: three layers; softmax with loss stands outside, in Seq2seq"""
    left, right = 82, 298
    edge, (loss,) = 30, levels("softmax", top=58)
    low, embed, lstm, affine = levels("tile", "embed", "lstm", "affine", top=loss.bottom + 48)
    return draw(
        low.bottom + 16,
        WORDS["layers"],
        WORDS["layers caption"],
        part(WORDS["whole"], "muted", 6, edge, 394, low.bottom + 8),
        part(WORDS["encoder"], "question", 16, lstm.top - 26, 148, embed.bottom + 9),
        part(WORDS["decoder"], "answer", 216, affine.top - 26, 380, embed.bottom + 9),
        [
            [up(x, below, above), layer(kind, x, above.y, width=116, label=name)]
            for x, below, above, kind, name in (
                (left, low, embed, "embed", "TimeEmbedding"),
                (left, embed, lstm, "lstm", "TimeLSTM"),
                (right, low, embed, "embed", "TimeEmbedding"),
                (right, embed, lstm, "lstm", "TimeLSTM"),
                (right, lstm, affine, "affine", "TimeAffine"),
            )
        ],
        up(right, affine, loss),
        layer("softmax", right, loss.y, width=164, label="TimeSoftmaxWithLoss"),
        arrow((right, loss.top - 1), (right, 8)),
        text(right + 10, 14, WORDS["loss"], anchor="start"),
        text(left, low.y, "xs", kind="mono"),
        text(right, low.y, "ts[:, :-1]", kind="mono"),
        text(112, loss.y, "ts[:, 1:]", kind="mono"),
        arrow((150, loss.y), (214, loss.y)),
        arrow((left + 59, lstm.y), (168, lstm.y), role="h"),
        state(181, lstm.y, "h"),
        arrow((194, lstm.y), (right - 59.5, lstm.y), role="h"),
    )
