"""Encoder and decoder as drawings show them over time: a row of characters, a column for each."""

import itertools

from seq2seq_lib.drawings.lines import arrow, up
from seq2seq_lib.drawings.shapes import BOX, layer, lines, state, text, tile
from seq2seq_lib.encoding import PAD, Layout

# Every text of this module that a reader sees or hears.
WORDS = {"c": "c", "h": "h", "blank": "blank"}
LIFT = 8  # of the arrow of c above the middle of an LSTM, of that of h below


def column(x, rows, kinds, side, character, *, wide=None, faint=False):
    """One step: a tile at the lowest of the levels, layers above it, arrows between"""
    parts = [tile(x, rows[0].y, character, side, width=wide, faint=faint)]
    for (under, over), kind in zip(itertools.pairwise(rows), kinds, strict=True):
        parts += [_up(x, under, over, faint), layer(kind, x, over.y, faint=faint)]
    return parts


def encoder(xs, rows, read, *, both=False, **how):
    """Steps that read a question. ``both``: show c beside h on its way to the right."""
    columns = [
        column(x, rows, ("embed", "lstm"), "question", character, **how)
        for x, character in zip(xs, read, strict=True)
    ]
    return columns, onwards(xs, rows[2].y, both=both)


def decoder(xs, rows, fed, written=None, *, wide=None, faint=False):
    """Steps that read an answer and, with a fifth level, write one"""
    columns = [
        column(x, rows[:4], ("embed", "lstm", "affine"), "answer", each, wide=wide, faint=faint)
        for x, each in zip(xs, fed, strict=True)
    ]
    if written is not None:
        columns += [
            [
                _up(x, rows[3], rows[4], faint),
                tile(x, rows[4].y, each, "answer", width=wide, faint=faint),
            ]
            for x, each in zip(xs, written, strict=True)
        ]
    return columns, onwards(xs, rows[2].y, role="edge" if faint else "h")


def onwards(xs, y, *, both=False, role="h"):
    """The state on its way from each LSTM to the next"""
    parts = []
    for x, after in itertools.pairwise(xs):
        start, end = x + BOX / 2 + 1.5, after - BOX / 2 - 1.5
        if not both:
            parts.append(arrow((start, y), (end, y), role=role, over=True))
            continue
        middle = (x + after) / 2
        for name, lift in (("c", -LIFT), ("h", LIFT)):
            parts += [
                arrow((start, y + lift), (end, y + lift), role=name),
                text(middle, y + 2.4 * lift, WORDS[name], name, kind="symbol", size=14),
            ]
    return parts


def first_state(xs, y, words=None):
    """h on its way into the first LSTM"""
    edge = xs[0] - BOX / 2
    parts = [arrow((edge - 19, y), (edge - 1.5, y), role="h"), state(edge - 32, y, "h")]
    return [*parts, lines(edge - 40, y - 34, words)] if words else parts


def answer_row(answer, **switches):
    """An answer as the decoder is trained on it: delimiter in front, blanks at its end"""
    layout = Layout(**switches)
    (row,) = layout.vocabulary.decode(layout.encode_answers([answer]))
    return row


def spelt(characters):
    """A row of characters as a reader hears it"""
    return ", ".join(WORDS["blank"] if each == PAD else each for each in characters)


def _up(x, under, over, faint):
    return up(x, under, over, role="edge" if faint else "muted")
