"""What a test reads off a drawing: its texts and their room, its tiles, its arrow heads."""

import html
import itertools
import re
from typing import NamedTuple
from xml.etree import ElementTree

from seq2seq_lib import drawings
from seq2seq_lib.drawings.shapes import FONT
from seq2seq_lib.encoding import PAD
from seq2seq_lib.palette import variable

SVG = "{http://www.w3.org/2000/svg}"
EVERY = {name: getattr(drawings, name) for name in drawings.__all__ if name != "Drawing"}
WIDE, NARROW = "mwMW@%", "iljtfrI.,:;'|()[] "


class Text(NamedTuple):
    """A text and the room that it takes up in a wide font"""

    words: str
    x: float
    y: float  # its middle
    left: float
    right: float
    size: float

    @property
    def top(self):
        return self.y - 0.5 * self.size

    @property
    def bottom(self):
        return self.y + 0.45 * self.size


def elements(drawing, tag):
    return list(ElementTree.fromstring(drawing.svg()).iter(SVG + tag))


def texts(drawing):
    found = []
    for text in elements(drawing, "text"):
        words, style = "".join(text.itertext()), text.get("style")
        size = re.search(r"font-size:([\d.]+)px", style)
        size = float(size[1]) if size else FONT
        width = size * sum(_width(letter, style) for letter in words)
        x, y = float(text.get("x")), float(text.get("y")) - 0.36 * size
        left = x - {"start": 0, "middle": width / 2, "end": width}[text.get("text-anchor")]
        found.append(Text(words, x, y, left, left + width, size))
    return found


def words(drawing):
    return [text.words for text in texts(drawing)]


def rectangles(drawing):
    """[(left, top, right, bottom)]"""
    boxes = []
    for rect in elements(drawing, "rect"):
        left, top, width, height = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        boxes.append((left, top, left + width, top + height))
    return boxes


def tiles(drawing, side):
    """The tiles of a question or an answer, row by row from the top: a text for each row"""
    rows, children = {}, list(ElementTree.fromstring(drawing.svg()))
    corner = {"question": "3", "answer": "10"}[side]
    for frame, inside in itertools.pairwise(children):
        if (frame.get("width"), frame.get("height"), frame.get("rx")) != ("28", "28", corner):
            continue
        character = PAD if inside.tag == SVG + "path" else inside.text
        rows.setdefault(float(frame.get("y")), []).append((float(frame.get("x")), character))
    return ["".join(character for _, character in sorted(rows[y])) for y in sorted(rows)]


def heads(drawing, role):
    """[(x, y)]: where the arrows of a role's colour point to"""
    ends = []
    for path in elements(drawing, "path"):
        if path.get("style") == f"fill:{variable(role)}":
            x, y = re.match(r"M([\d.-]+) ([\d.-]+)L", path.get("d")).groups()
            ends.append((float(x), float(y)))
    return ends


def numbers(words):
    return [int(number) for number in re.findall(r"\d+", words)]


def heard(drawing):
    """What stands in the page's HTML for who cannot see it"""
    return html.unescape(re.search(r'aria-label="([^"]*)"', drawing.svg())[1])


def _width(letter, style):
    """Of a letter, in its size: not less than DejaVu's, which is wider than what pages show"""
    if "\u3000" <= letter:
        return 1.0
    if "monospace" in style:
        return 0.61
    width = 1.0 if letter in WIDE else 0.42 if letter in NARROW else 0.66
    return width * (1.08 if "serif" in style and "sans" not in style else 1)
