"""What drawings are put together from: text, boxes, tiles, states. All of it SVG text.

The same things look the same in every drawing and in the steppers: a question's tiles have square
corners and an answer's round ones, a blank is a low bracket, and each layer and state has a shape
and a colour of its own. Time runs to the right, layers rise. All numbers are units of a drawing.
"""

import html
from typing import NamedTuple

from seq2seq_lib.captions import Drawing
from seq2seq_lib.encoding import PAD
from seq2seq_lib.palette import variable

WIDTH = 400  # of every drawing; a phone shows about 360 pixels
FONT = 12.5
FONTS = {
    "plain": "system-ui,-apple-system,Segoe UI,Roboto,Noto Sans,sans-serif",
    "mono": "ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace",
    "symbol": "Georgia,DejaVu Serif,serif",
}
BOX, PITCH, GAP = 52, 72, 20  # a layer's width, from step to step, from layer to layer
HEIGHTS = {"lstm": 36, "state": 24}
HEIGHT = 28  # of all others
TINT = 0.13  # how much of its colour a shape is filled with; the rest is paper

# Every text of this module that a reader sees: what stands in a box.
WORDS = {
    "embed": "embed",
    "lstm": "LSTM",
    "affine": "affine",
    "argmax": "argmax",
    "softmax": "softmax with loss",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
}

# kind of layer: (whose colour, corner, line). An affine layer opens upwards besides.
LAYERS = {
    "embed": ("embedding", 2, 1.5),
    "lstm": ("lstm", 9, 2.4),
    "affine": ("affine", 0, 1.5),
    "argmax": ("answer", 10, 1.5),
    "softmax": ("muted", 2, 1.5),
}
CORNERS = {"question": 3, "answer": 10}
STATES = {"h": "h", "c": "c", "x": "embedding"}  # whose colour


class Level(NamedTuple):
    """The height at which one kind of thing stands, the same at every step"""

    y: float
    height: float

    @property
    def top(self):
        return self.y - self.height / 2

    @property
    def bottom(self):
        return self.y + self.height / 2


def levels(*kinds, top=8, gap=GAP):
    """The levels of kinds of things, the lowest first; the highest has its upper edge at ``top``"""
    found = []
    for kind in reversed(kinds):
        height = HEIGHTS.get(kind, HEIGHT)
        found.insert(0, Level(top + height / 2, height))
        top += height + gap
    return found


def steps(count, first=100, pitch=PITCH):
    """Where the steps stand, from left to right"""
    return [first + pitch * k for k in range(count)]


def draw(height, sentence, caption, *parts):
    """Parts, the first at the back, as a ``Drawing``; a part is SVG text or a list of parts"""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{html.escape(sentence)}" viewBox="0 0 {WIDTH} {n(height)}" '
        f'style="font:{FONT}px {FONTS["plain"]};fill:none;stroke-linejoin:round">'
        f"{_joined(parts)}</svg>"
    )
    return Drawing(svg, sentence, caption)


def text(x, y, words, role="ink", *, anchor="middle", kind="plain", size=FONT, bold=False):
    """Words about the line y; x is where they start, have their middle, or end"""
    style = f"fill:{variable(role)}"
    style += f";font-family:{FONTS[kind]}" if kind != "plain" else ""
    style += ";font-style:italic" if kind == "symbol" else ""
    style += ";font-weight:600" if bold or kind != "plain" else ""
    style += f";font-size:{n(size)}px" if size != FONT else ""
    japanese = ' lang="ja"' if any("\u3000" <= letter < "\ua000" for letter in words) else ""
    return (
        f'<text x="{n(x)}" y="{n(y + 0.36 * size)}" text-anchor="{anchor}"{japanese} '
        f'style="{style}">{html.escape(words)}</text>'
    )


def lines(x, y, words, role="muted", *, anchor="middle", size=FONT):
    """Words of one or more lines, broken where they are broken, about the line y"""
    rows = words.splitlines()
    top = y - 1.2 * size * (len(rows) - 1) / 2
    return [
        text(x, top + 1.2 * size * k, row, role, anchor=anchor, size=size)
        for k, row in enumerate(rows)
    ]


def box(left, top, width, height, role, *, corner=2, line=1.5, tint=TINT, dashed=False):
    """A frame, filled with a little of its own colour"""
    dashes = ";stroke-dasharray:4 3" if dashed else ""
    return (
        f'<rect x="{n(left)}" y="{n(top)}" width="{n(width)}" height="{n(height)}" '
        f'rx="{n(corner)}" style="fill:{_tinted(role, tint)};'
        f'stroke:{variable(role)};stroke-width:{n(line)}{dashes}"/>'
    )


def outline(d, role, *, line=1.5, tint=0, dashed=False):
    """Any other shape, or a line"""
    fill = _tinted(role, tint) if tint else "none"
    dashes = ";stroke-dasharray:4 3" if dashed else ""
    stroke = f"stroke:{variable(role)};stroke-width:{n(line)}{dashes}"
    return f'<path d="{d}" style="fill:{fill};{stroke}"/>'


def part(name, role, left, top, right, bottom, corner=None):
    """The frame of a part of the model, its name in the upper left corner"""
    corner = CORNERS.get(role, 3) if corner is None else corner
    frame = box(left, top, right - left, bottom - top, role, corner=corner, tint=0.05)
    return frame + text(left + 10, top + 14, name, role, anchor="start", bold=True)


def layer(kind, x, y, *, width=BOX, label=None, faint=False):
    """A layer's box about a point, its name inside; a faint one is there to find one's way"""
    role, corner, line = LAYERS[kind]
    role, tint = ("edge", 0) if faint else (role, TINT)
    height = HEIGHTS.get(kind, HEIGHT)
    left, top = x - width / 2, y - height / 2
    if kind == "affine":
        d = f"M{n(left + 6)} {n(top + height)}h{n(width - 12)}l6 {n(-height)}h{n(-width)}z"
        shape = outline(d, role, line=line, tint=tint)
    else:
        shape = box(left, top, width, height, role, corner=corner, line=line, tint=tint)
    return shape + text(x, y, label or WORDS[kind], "muted" if faint else "ink")


def tile(x, y, characters, side, *, width=None, filled=False, dashed=False, faint=False):
    """A character of a question or an answer, in a frame of its own; a word with a ``width``"""
    character, width = width is None, width or HEIGHT
    frame = box(
        x - width / 2,
        y - HEIGHT / 2,
        width,
        HEIGHT,
        "edge" if faint else side,
        corner=CORNERS[side],
        tint=1 if filled else 0 if dashed or faint else TINT,
        dashed=dashed,
    )
    role = "paper" if filled else "muted" if dashed or faint else "ink"
    if characters == PAD:
        return frame + outline(f"M{n(x - 4.5)} {n(y + 1)}v4.5h9v-4.5", role)
    font = {"kind": "mono", "size": 16} if character else {}
    return frame + text(x, y, characters, role, **font)


def state(x, y, name, *, width=24, height=24, label=None):
    """A vector that is handed on: h, c or a character's x"""
    role = STATES[name]
    corner = 3 if name == "x" else 12
    frame = box(
        x - width / 2, y - height / 2, width, height, role, corner=corner, line=1.8, tint=0.18
    )
    return frame + text(x, y - 0.5, label or name, role, kind="symbol", size=16)


def marks(left, y, values, role, cell=11):
    """A vector's numbers: a square above zero, a dot below, larger the farther from zero"""
    found = [box(left, y - cell / 2, cell * len(values), cell, role, tint=0)]
    for k, value in enumerate(values):
        x, size = left + cell * (k + 0.5), cell * abs(value) * 0.8
        kind, corner = ("positive", 0) if value > 0 else ("negative", size / 2)
        found.append(
            box(x - size / 2, y - size / 2, size, size, kind, corner=corner, line=0, tint=1)
        )
    return found


def n(number):
    """A number as short as it can be written"""
    return f"{round(number, 2) + 0:g}"


def _tinted(role, share):
    if share in (0, 1):
        return variable(role if share else "paper")
    return f"color-mix(in srgb,{variable(role)} {n(100 * share)}%,{variable('paper')})"


def _joined(parts):
    return parts if isinstance(parts, str) else "".join(map(_joined, parts))
