"""Drawings of what a decoder sees of the question, and of what that sends back."""

from seq2seq_lib.drawings.columns import answer_row, decoder, encoder, first_state
from seq2seq_lib.drawings.lines import arrow, badge, brace, line_through, node, up
from seq2seq_lib.drawings.shapes import BOX, box, draw, layer, levels, state, steps, text
from seq2seq_lib.recipe import Recipe

# Every text of this module that a reader sees or hears.
WORDS = {
    "into lstm": "h into the LSTM, at every step",
    "into affine": "h into the affine layer, at every step",
    "from lstm": "from every LSTM input",
    "from affine": "from every affine input",
    "x": "x",
    "h": "h",
    "h now": "h now",
    "h and x": "H + D = {H} + {D} = {sum}",
    "h and h": "H + H = {H} + {H} = {sum}",
    "scores": "{V} scores",
    "plain": "Four columns of a decoder. One arrow leads from h: to the LSTM of the first column.",
    "plain caption": (
        "Who sees h in the plain decoder: the first LSTM, as its first state. All later steps "
        "depend on what the LSTM has kept of it."
    ),
    "peeky": (
        "Four columns of a decoder. From h a line along the bottom leads into the LSTM of each "
        "column, a line along the top into the affine layer of each column, and an arrow to the "
        "first LSTM."
    ),
    "peeky caption": (
        "Who sees h in the peeky decoder: every step. It goes into each LSTM and each affine "
        "layer, beside the usual input, and it is the first state as well."
    ),
    "gradients": (
        "The peeky decoder with its arrows turned round. They run back into h in three ways: from "
        "the first LSTM's state, from the input of every LSTM, and from the input of every affine "
        "layer."
    ),
    "gradients caption": (
        "Backwards, h of the peeky decoder collects gradient in three ways: (1) through the first "
        "state, (2) through the input of every LSTM step, (3) through the input of every affine "
        "step. They are added. Dashed lines carry gradients."
    ),
    "concatenation": (
        "One step from bottom to top. h and x, joined end to end, go into the LSTM: {H} and {D} "
        "make {H_D} numbers. h and the LSTM's output, joined, go into the affine layer: {H} and "
        "{H} make {H_H} numbers. It gives {V} scores."
    ),
    "concatenation caption": (
        "Two vectors go into one layer by standing end to end. One step of the peeky decoder, from "
        "bottom to top; a bar is as long as its vector."
    ),
    "attention": (
        "Four encoder steps, each with its own h. A line leads from each, thick where its weight "
        "is large: {weights}. The lines meet in a sum, which goes into the affine layer of a "
        "decoder step, beside its LSTM's output."
    ),
    "attention caption": (
        "Attention: a decoder step looks back at every h of the encoder, not only at the last. The "
        "weights add up to 1, and each step has weights of its own. These are made up."
    ),
}
WEIGHTS = 0.1, 0.6, 0.1, 0.2  # made up
ANSWER = "62"
ROWS = "tile", "embed", "lstm", "affine", "tile"


def who_sees_h_plain():
    """F11: only the first LSTM"""
    rows, xs = levels(*ROWS), steps(4, 114)
    return draw(
        rows[0].bottom + 8,
        WORDS["plain"],
        WORDS["plain caption"],
        _decoder(xs, rows),
        first_state(xs, rows[2].y),
    )


def who_sees_h_peeky():
    """F12: every LSTM and every affine layer"""
    rows, xs = levels(*ROWS, top=42, gap=26), steps(4, 114)
    bottom, top = rows[0].bottom + 14, rows[-1].top - 14
    return draw(
        bottom + 26,
        WORDS["peeky"],
        WORDS["peeky caption"],
        _bus(xs, rows[2], rows[2], bottom),
        _bus(xs, rows[2], rows[3], top),
        _decoder(xs, rows),
        first_state(xs, rows[2].y),
        text(xs[0] - 36, top - 14, WORDS["into affine"], "h", anchor="start"),
        text(xs[0] - 36, bottom + 14, WORDS["into lstm"], "h", anchor="start"),
    )


def gradients_into_h():
    """F12 backwards: three ways by which gradient comes to h"""
    rows, xs = levels(*ROWS, top=42, gap=26), steps(4, 114)
    bottom, top, y = rows[0].bottom + 14, rows[-1].top - 14, rows[2].y
    left = xs[0] - BOX / 2
    return draw(
        bottom + 30,
        WORDS["gradients"],
        WORDS["gradients caption"],
        _bus(xs, rows[2], rows[2], bottom, back=True),
        _bus(xs, rows[2], rows[3], top, back=True),
        _decoder(xs, rows, faint=True),
        arrow((left - 1.5, y), (left - 19, y), role="h", line=2, dashed=True),
        state(left - 32, y, "h"),
        badge(left - 60, y, "1"),
        badge(xs[0] - 28, bottom + 16, "2"),
        text(xs[0] - 14, bottom + 16, WORDS["from lstm"], anchor="start"),
        badge(xs[0] - 28, top - 16, "3"),
        text(xs[0] - 14, top - 16, WORDS["from affine"], anchor="start"),
    )


def concatenation():
    """F13: h and x into the LSTM, h and the LSTM's output into the affine layer"""
    recipe = Recipe()
    H, D, V = recipe.hidden_size, recipe.wordvec_size, len(recipe.characters)
    left, unit = 70, 270 / (2 * H)
    middle, end = left + H * unit, left + (H + D) * unit
    low, high, lstm, affine = 268, 126, 206, 64  # where the two rows of bars and the layers are
    into_lstm, into_affine, out = (left + end) / 2, middle, middle + H * unit / 2
    return draw(
        290,
        WORDS["concatenation"].format(H=H, D=D, V=V, H_D=H + D, H_H=2 * H),
        WORDS["concatenation caption"],
        line_through((24, low), (24, high), role="h"),
        [arrow((24, y), (left - 1.5, y), role="h") for y in (low, high)],
        state(24, (low + high) / 2, "h"),
        [_bar(left, middle, low, "h", "h"), _bar(middle, end, low, "embedding", "x")],
        [
            _bar(left, middle, high, "h", "h"),
            _bar(middle, left + 2 * H * unit, high, "h", "h now"),
        ],
        [brace(left, right, y - 16, "") for right, y in ((end, low), (left + 2 * H * unit, high))],
        arrow((into_lstm, low - 27), (into_lstm, lstm + 19.5)),
        arrow((into_affine, high - 27), (into_affine, affine + 15.5)),
        text(
            into_lstm + 12, low - 33, WORDS["h and x"].format(H=H, D=D, sum=H + D), anchor="start"
        ),
        text(into_affine + 12, high - 33, WORDS["h and h"].format(H=H, sum=2 * H), anchor="start"),
        layer("lstm", into_lstm, lstm),
        layer("affine", into_affine, affine),
        arrow((into_lstm + 27, lstm), (out, lstm), (out, high + 14.5)),
        arrow((into_affine, affine - 15), (into_affine, 24)),
        text(into_affine, 14, WORDS["scores"].format(V=V)),
    )


def attention():
    """Outlook: a decoder step that looks back at every h of the encoder"""
    question, (fed, written, *_) = "57+5", answer_row(ANSWER)
    xs, x = steps(4, 34), 358
    affine, high = levels("affine", "tile")
    low, embed, lstm = levels("tile", "embed", "lstm", top=affine.bottom + 82)
    (head,) = levels("state", top=lstm.top - 40)
    meet = x - BOX / 2 - 28, affine.y
    looks = [
        line_through((each, head.top - 1), (each, affine.y), meet, role="h", line=1 + 8 * weight)
        for each, weight in sorted(zip(xs, WEIGHTS, strict=True), key=lambda pair: pair[1])
    ]
    return draw(
        low.bottom + 8,
        WORDS["attention"].format(weights=", ".join(map(str, WEIGHTS))),
        WORDS["attention caption"],
        looks,
        encoder(xs, (low, embed, lstm), question),
        [[up(each, lstm, head, role="h"), state(each, head.y, "h")] for each in xs],
        [
            text(each + 9, affine.y + 27, str(weight), anchor="start")
            for each, weight in zip(xs, WEIGHTS, strict=True)
        ],
        arrow(meet, (x - BOX / 2 - 1, affine.y), role="h"),
        node(*meet, "+", "h"),
        decoder([x], (low, embed, lstm, affine, high), fed, written),
        arrow((xs[-1] + BOX / 2 + 1.5, lstm.y), (x - BOX / 2 - 1.5, lstm.y), role="h"),
    )


def _decoder(xs, rows, **how):
    row = answer_row(ANSWER)
    return decoder(xs, rows, row[:-1], row[1:], **how)


def _bus(xs, source, target, y, *, back=False):
    """h along a line at y, into a layer at every step; or gradients from there"""
    how = {"role": "h", "line": 2, "dashed": back}
    start = xs[0] - BOX / 2 - 32
    edge = source.y + (13 if y > source.y else -13)
    parts = []
    for x in xs:
        last = x == xs[-1]
        into = [
            (x - 36, y),
            (x - 36, target.bottom + 13),
            (x - 15, target.bottom + 13),
            (x - 15, target.bottom + 1.5),
        ]
        way = [(start, edge), (start, y), *into] if last else [(x - 42, y), *into]
        if not back:
            parts.append(arrow(*way, **how))
        elif last:
            parts.append(arrow(*way[::-1], **how))
        else:
            parts.append(line_through(*way[::-1], **how))
    return parts


def _bar(left, right, y, role, words):
    """A vector as a bar"""
    bar = box(left, y - 13, right - left, 26, role, line=1.8)
    return bar + text((left + right) / 2, y - 0.5, WORDS[words], role, kind="symbol", size=15)
