"""Drawings of one LSTM step: forwards, and backwards with its gradients."""

import re

from seq2seq_lib.drawings.lines import arrow, badge, dot, line_through, node
from seq2seq_lib.drawings.shapes import FONTS, TINT, box, draw, lines, state, text
from seq2seq_lib.drawings.shapes import WORDS as NAMES
from seq2seq_lib.palette import variable

# Every text of this module that a reader sees or hears.
WORDS = {
    "before": "before",
    "above": "to the layer above",
    "from above": "from the layer above",
    "next": "next\nstep",
    "c is": "c = f × c before + i × g",
    "h is": "h = o × tanh(c)",
    "cell": (
        "Below, h of the step before and x meet and go into four small layers, f, i, g and o. "
        "Along the top c runs from left to right: it is multiplied by f, then i times g is added. "
        "From the new c a line goes down through tanh and is multiplied by o; this is the new h, "
        "which goes to the next step and to the layer above."
    ),
    "cell caption": (
        "One LSTM step. h and x together decide the forget gate f, the input gate i, the candidate "
        "g and the output gate o. A circle multiplies or adds element by element. A line that is "
        "interrupted passes under another."
    ),
    "backward": (
        "The same step with faint lines, and dashed arrows against their direction. At h two "
        "arrows meet, one from the layer above and one from the next step. At c two arrows meet, "
        "one from the next step and one that comes up from h through tanh."
    ),
    "backward caption": (
        "The step backwards. Gradients (dashed) are added where a value was used twice: h went to "
        "the layer above (1) and to the next step (2); c went to the next step (3) and through "
        "tanh into h (4)."
    ),
}
# Where things stand: the gates from left to right; from the top c, tanh, h, the gates, the inputs.
GATES = {"f": 92, "i": 158, "g": 224, "o": 290}
ACTIVATIONS = {"f": "sigmoid", "i": "sigmoid", "g": "tanh", "o": "sigmoid"}
LEFT, RIGHT, ABOVE, ADD = 26, 374, 336, 191  # ends, the way up, where c is added to
CELL, TANH, PRODUCT, HIDDEN, GATE, INPUTS = 66, 118, 130, 172, 228, 272
BACK = {"dashed": True, "line": 2}


def lstm_cell():
    """The gates and what they do to c and h"""
    o, x = GATES["o"], 60
    return draw(
        380,
        WORDS["cell"],
        WORDS["cell caption"],
        arrow((LEFT, CELL), (GATES["f"] - 10, CELL), role="c"),
        arrow((GATES["f"], CELL), (ADD - 10, CELL), role="c"),
        arrow((ADD, CELL), (RIGHT - 13.5, CELL), role="c"),
        arrow((o, CELL), (o, TANH - 15.5), role="c"),
        dot(o, CELL, "c"),
        arrow((o, TANH), (o, HIDDEN - 10)),
        arrow((ABOVE, HIDDEN), (ABOVE, 10), role="h", over=True),
        arrow((o, HIDDEN), (RIGHT - 13.5, HIDDEN), role="h"),
        dot(ABOVE, HIDDEN, "h"),
        arrow((x, 300), (x, INPUTS + 4)),
        [arrow((LEFT, INPUTS), (at, INPUTS), (at, GATE + 15.5), role="h") for at in GATES.values()],
        dot(x, INPUTS),
        [arrow(*way, role=gate) for gate, way in _ways_of_gates().items()],
        arrow((ADD, PRODUCT), (ADD, CELL + 10)),
        _boxes(),
        [
            text(at + (13 if gate == "g" else -12), GATE - 32, gate, gate, kind="symbol", size=17)
            for gate, at in GATES.items()
        ],
        [state(LEFT, CELL, "c"), state(RIGHT, CELL, "c")],
        [state(LEFT, INPUTS, "h"), state(RIGHT, HIDDEN, "h")],
        [text(LEFT, y - 21, WORDS["before"], "muted") for y in (CELL, INPUTS)],
        state(x, 312, "x"),
        text(ABOVE - 12, 16, WORDS["above"], "muted", anchor="end"),
        [_equation(104, 360, WORDS["c is"]), _equation(310, 360, WORDS["h is"])],
    )


def lstm_backward():
    """What meets at h, what at c, on the way back"""
    f, _, _, o = GATES.values()
    x = 60
    return draw(
        332,
        WORDS["backward"],
        WORDS["backward caption"],
        [arrow(*way[::-1], role="edge", dashed=True) for way in _ways_of_gates().values()],
        arrow((ADD, CELL), (ADD, PRODUCT - 10), role="edge", dashed=True),
        [
            line_through((at, GATE), (at, INPUTS), (at - 8, INPUTS), role="edge", dashed=True)
            for at in GATES.values()
        ],
        arrow((o - 8, INPUTS), (LEFT + 13.5, INPUTS), role="edge", dashed=True),
        arrow((x, INPUTS), (x, 299), role="edge", dashed=True),
        state(x, 312, "x"),
        arrow((f, CELL), (LEFT + 13.5, CELL), role="c", **BACK),
        arrow((ADD, CELL), (f + 10, CELL), role="c", **BACK),
        arrow((o, CELL), (ADD + 10, CELL), role="c", **BACK),
        arrow((RIGHT + 18, CELL), (o + 10, CELL), role="c", **BACK),
        arrow((ABOVE, 12), (ABOVE, HIDDEN - 10), role="h", over=True, **BACK),
        arrow((RIGHT + 18, HIDDEN), (ABOVE + 10, HIDDEN), role="h", **BACK),
        arrow((ABOVE, HIDDEN), (o + 10, HIDDEN), role="h", **BACK),
        arrow((o, HIDDEN), (o, CELL + 10), role="c", **BACK),
        _boxes(faint=True),
        [node(ABOVE, HIDDEN, "+", "h"), node(o, CELL, "+", "c")],
        text(ABOVE, HIDDEN + 21, "h", "h", kind="symbol", size=16),
        text(o, CELL - 21, "c", "c", kind="symbol", size=16),
        [state(LEFT, CELL, "c"), state(LEFT, INPUTS, "h")],
        [text(LEFT, y - 21, WORDS["before"], "muted") for y in (CELL, INPUTS)],
        badge(ABOVE + 18, 18, "1"),
        text(ABOVE - 12, 18, WORDS["from above"], "muted", anchor="end"),
        badge(RIGHT - 4, HIDDEN + 19, "2"),
        badge(RIGHT - 4, CELL - 19, "3"),
        lines(RIGHT - 2, (CELL + HIDDEN) / 2, WORDS["next"]),
        badge(o - 19, (CELL + TANH) / 2 - 2, "4"),
    )


def _ways_of_gates():
    """gate: the way of its values to where they multiply"""
    f, i, g, o = GATES.values()
    return {
        "f": [(f, GATE - 15), (f, CELL + 10)],
        "i": [(i, GATE - 15), (i, PRODUCT), (ADD - 10, PRODUCT)],
        "g": [(g, GATE - 15), (g, PRODUCT), (ADD + 10, PRODUCT)],
        "o": [(o, GATE - 15), (o, HIDDEN + 10)],
    }


def _boxes(faint=False):
    """The four small layers, the tanh of c, and the circles"""
    f, o = GATES["f"], GATES["o"]
    role = "edge" if faint else "ink"
    signs = (f, CELL, "×"), (ADD, PRODUCT, "×"), (ADD, CELL, "+"), (o, HIDDEN, "×")
    boxes = [
        _small(ACTIVATIONS[gate], at, GATE, "edge" if faint else gate) for gate, at in GATES.items()
    ]
    return [
        boxes,
        _small("tanh", o, TANH, "edge" if faint else "muted"),
        [node(x, y, sign, role) for x, y, sign in signs],
    ]


def _small(name, x, y, role):
    """A gate's round box, or the square one of a tanh"""
    faint = role == "edge"
    corner, tint = 9 if name == "sigmoid" else 2, 0 if faint else TINT
    frame = box(x - 28, y - 14, 56, 28, role, corner=corner, tint=tint)
    return frame + text(x, y, NAMES[name], "muted" if faint else "ink")


def _equation(x, y, words):
    """An equation with each letter in the colour of what it stands for"""
    pieces = re.split(r"\b([fighoc])\b", words)
    coloured = "".join(
        f'<tspan style="fill:{variable(piece if k % 2 else "ink")}">{piece}</tspan>'
        for k, piece in enumerate(pieces)
        if piece
    )
    return (
        f'<text x="{x}" y="{y}" text-anchor="middle" style="font-family:{FONTS["symbol"]};'
        f'font-style:italic;font-weight:600;font-size:15px">{coloured}</text>'
    )
