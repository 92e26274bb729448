"""Drawings of gradients on their way back, and of how they are checked."""

import itertools

from seq2seq_lib.drawings.columns import LIFT
from seq2seq_lib.drawings.lines import arrow, brace, dot, line_through
from seq2seq_lib.drawings.shapes import (
    BOX,
    box,
    draw,
    layer,
    levels,
    lines,
    n,
    outline,
    part,
    state,
    steps,
    text,
    tile,
)

# Every text of this module that a reader sees or hears.
WORDS = {
    "dhs": "dhs (N, T, H)",
    "zero": "0",
    "dh": "dh",
    "from decoder": "from the\ndecoder",
    "zero dhs": (
        "Four columns of an encoder, with dashed arrows downwards and to the left. Above the first "
        "three LSTMs stands 0, above the last dh, which comes from the decoder. From the last LSTM "
        "gradient runs to the left through all others, and down into each embedding."
    ),
    "zero dhs caption": (
        "The encoder backwards. Only the last h was used, so of dhs only the last row is not zero. "
        "The gradient of the earlier steps arrives from their right, through the LSTM. Dashed "
        "lines carry gradients."
    ),
    "encoder": "encoder",
    "decoder": "decoder",
    "forward": "forward: the state",
    "backward": "backward: the gradient",
    "bridge": (
        "An encoder and a decoder, each with a row of LSTMs, and h between them. Above, solid "
        "arrows run to the right through all of them; below, dashed arrows run back to the left."
    ),
    "bridge caption": (
        "The hidden state is the bridge between two LSTMs. Forward (solid) it carries what was "
        "read, backward (dashed) the gradient of all that was written."
    ),
    "loss": "loss",
    "weight": "one weight",
    "below": "w − ε",
    "at": "w",
    "beyond": "w + ε",
    "run": "2ε",
    "rise": "difference\nof the losses",
    "secant": "difference / 2ε",
    "tangent": "gradient",
    "check": (
        "A curve of the loss over one weight. Two points of it, at w − ε and at w + ε, are joined "
        "by a straight line. A dashed line that touches the curve at w is almost parallel to it."
    ),
    "check caption": (
        "A gradient check. Change one weight a little, down and up, and see how the loss differs. "
        "The difference divided by 2ε is the slope of the solid line. The gradient that backward "
        "computes is the slope of the dashed one. They should agree."
    ),
}
BACK = {"dashed": True, "line": 2}


def zero_dhs():
    """The encoder's backward: gradient enters at the last step alone"""
    xs = steps(4, 44, 80)
    low, embed, lstm, top = levels("tile", "embed", "lstm", "state", top=42, gap=22)
    *zeros, last = xs
    return draw(
        low.bottom + 8,
        WORDS["zero dhs"],
        WORDS["zero dhs caption"],
        brace(xs[0] - 14, last + 14, top.top - 6, WORDS["dhs"], kind="mono"),
        [
            [
                box(x - 14, top.top, 28, 24, "edge", tint=0),
                text(x, top.y, WORDS["zero"], "muted", kind="mono"),
                arrow((x, top.bottom), (x, lstm.top - 2), role="edge", dashed=True),
            ]
            for x in zeros
        ],
        state(last, top.y, "h", width=34, label=WORDS["dh"]),
        arrow((last, top.bottom + 1), (last, lstm.top - 2), role="h", **BACK),
        arrow((last + 46, top.y), (last + 18.5, top.y), role="h", **BACK),
        lines(last + 50, top.y, WORDS["from decoder"], anchor="start"),
        [
            [
                arrow((x, lstm.bottom), (x, embed.top - 1.5), **BACK),
                layer("embed", x, embed.y),
                layer("lstm", x, lstm.y),
                arrow((x, low.top), (x, embed.bottom + 1.5), role="edge"),
                tile(x, low.y, character, "question", faint=True),
            ]
            for x, character in zip(xs, "57+5", strict=True)
        ],
        [_pair(x, after, lstm.y) for x, after in itertools.pairwise(xs)],
    )


def bridge():
    """Forward the state crosses it, backward the gradient"""
    y, top, bottom = 92, 34, 128
    xs = 44, 124, 276, 356
    inner = BOX / 2 + 1.5
    stretches = (
        (xs[0] + inner, xs[1] - inner),
        (xs[1] + inner, 185),
        (215, xs[2] - inner),
        (xs[2] + inner, xs[3] - inner),
    )
    return draw(
        164,
        WORDS["bridge"],
        WORDS["bridge caption"],
        part(WORDS["encoder"], "question", 8, top, 160, bottom),
        part(WORDS["decoder"], "answer", 240, top, 392, bottom),
        [layer("lstm", x, y) for x in xs],
        [
            [
                arrow((start, y - LIFT), (end, y - LIFT), role="h", line=2),
                arrow((end, y + LIFT), (start, y + LIFT), role="h", **BACK),
            ]
            for start, end in stretches
        ],
        state(200, y, "h", width=28, height=44),
        text(200, 15, WORDS["forward"]),
        text(200, bottom + 20, WORDS["backward"]),
    )


def gradient_check():
    """A central difference against a slope"""
    below, at, beyond, floor = 0.35, 0.55, 0.75, 216
    points = [_place(t / 40) for t in range(36)]
    (x1, y1), (x, y), (x2, y2) = map(_place, (below, at, beyond))
    slope = (y2 - y1) / (x2 - x1)
    tangent = (_place(at + 1e-4)[1] - _place(at - 1e-4)[1]) / (
        _place(at + 1e-4)[0] - _place(at - 1e-4)[0]
    )
    return draw(
        floor + 34,
        WORDS["check"],
        WORDS["check caption"],
        arrow((44, floor), (384, floor)),
        arrow((44, floor), (44, 10)),
        text(54, 16, WORDS["loss"], "muted", anchor="start"),
        text(384, floor - 12, WORDS["weight"], "muted", anchor="end"),
        [
            [line_through((px, py), (px, floor), role="edge", line=1, dashed=True)]
            for px, py in ((x1, y1), (x, y), (x2, y1))
        ],
        line_through((x1, y1), (x2, y1), role="muted", line=1),
        line_through((x2, y1), (x2, y2), role="muted", line=1),
        outline("M" + "L".join(f"{n(px)} {n(py)}" for px, py in points), "ink", line=2.4),
        _sloping(x1, y1, slope, -36, x2 - x1 + 36, role="positive", line=2),
        _sloping(x, y, tangent, -44, 44, role="negative", line=2.4, dashed=True),
        [dot(px, py, "ink", 4) for px, py in ((x1, y1), (x, y), (x2, y2))],
        [
            text(px, floor + 18, WORDS[name], kind="symbol", size=14)
            for px, name in ((x1, "below"), (x, "at"), (x2, "beyond"))
        ],
        text((x + x2) / 2, y1 + 13, WORDS["run"], kind="symbol", size=14),
        lines(x2 + 8, (y1 + y2) / 2 + 6, WORDS["rise"], "ink", anchor="start"),
        line_through((80, 50), (110, 50), role="positive", line=2),
        text(118, 50, WORDS["secant"], anchor="start"),
        line_through((80, 72), (110, 72), role="negative", line=2.4, dashed=True),
        text(118, 72, WORDS["tangent"], anchor="start"),
    )


def _pair(x, after, y):
    """The gradients of c and h on their way to the step before"""
    return [
        [
            arrow(
                (after - BOX / 2 - 1.5, y + lift), (x + BOX / 2 + 1.5, y + lift), role=name, **BACK
            ),
            text((x + after) / 2, y + 2.4 * lift, name, name, kind="symbol", size=14),
        ]
        for name, lift in (("c", -LIFT), ("h", LIFT))
    ]


def _place(t):
    """A point of the curve, t from 0 to 1"""
    return 54 + 310 * t, 191 - 150 * t**3 - 15 * t


def _sloping(x, y, slope, before, after, **how):
    """A straight line through a point"""
    return line_through((x + before, y + before * slope), (x + after, y + after * slope), **how)
