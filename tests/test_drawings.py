"""Every drawing can be read, seen and heard, in any page and on any screen."""

import itertools
import re
import subprocess
import sys

import pytest
from sketches import (
    EVERY,
    elements,
    heard,
    rectangles,
    texts,
)

from seq2seq_lib.drawings.shapes import WIDTH
from seq2seq_lib.palette import COLOURS, variable

every_drawing = pytest.mark.parametrize("name", EVERY)


# On a page


@every_drawing
def test_a_drawing_says_in_words_what_it_shows(name):
    drawing = EVERY[name]()
    assert heard(drawing) == drawing.sentence
    for said in (drawing.sentence, drawing.caption):
        assert len(said) > 40 and said.endswith(".") and "{" not in said
    assert 'role="img"' in drawing.svg()


@every_drawing
def test_the_same_call_gives_the_same_bytes(name):
    assert EVERY[name]()._repr_html_() == EVERY[name]()._repr_html_()


@every_drawing
def test_a_drawing_can_stand_many_times_in_a_page(name):
    assert not re.search(r'\sid="|url\(|href=|<style|<defs', EVERY[name]().svg())


@every_drawing
def test_all_colours_are_roles_of_the_palette(name):
    svg = EVERY[name]().svg()
    for role in COLOURS:
        svg = svg.replace(variable(role), "colour")
    assert "#" not in svg.replace("&#x27;", "'") and "var(" not in svg
    mixed = r"color-mix\(in srgb,colour [\d.]+%,colour\)"
    for paint in re.findall(r"(?:fill|stroke):([^;\"]+)", svg):
        assert paint in ("none", "colour") or re.fullmatch(mixed, paint)


@every_drawing
def test_no_text_leaves_the_drawing_or_is_too_small(name):
    drawing = EVERY[name]()
    (svg,) = elements(drawing, "svg")
    *_, width, height = map(float, svg.get("viewBox").split())
    assert width == WIDTH
    for text in texts(drawing):
        assert 0 <= text.left and text.right <= width, text
        assert 0 <= text.top and text.bottom <= height, text
        assert text.size >= 11, text


@every_drawing
def test_no_shape_leaves_the_drawing(name):
    drawing = EVERY[name]()
    (svg,) = elements(drawing, "svg")
    height = float(svg.get("viewBox").split()[-1])
    for left, top, right, bottom in rectangles(drawing):
        assert min(left, top) >= 1 and right <= WIDTH - 1 and bottom <= height - 1


@every_drawing
def test_no_two_texts_overlap(name):
    for one, other in itertools.combinations(texts(EVERY[name]()), 2):
        apart = (
            one.right <= other.left
            or other.right <= one.left
            or one.bottom <= other.top
            or other.bottom <= one.top
        )
        assert apart, (one, other)


@every_drawing
def test_no_text_sticks_out_of_the_box_it_stands_in(name):
    drawing = EVERY[name]()
    for text in texts(drawing):
        middle = (text.left + text.right) / 2
        around = [
            box
            for box in rectangles(drawing)
            if box[0] < middle < box[2] and box[1] < text.y < box[3]
        ]
        if around:
            left, _, right, _ = min(around, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
            assert left <= text.left and text.right <= right, text


def test_drawings_need_no_matplotlib():
    script = "import sys; sys.modules['matplotlib'] = None\n"
    script += "from seq2seq_lib import drawings; drawings.two_parts()._repr_html_()"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
