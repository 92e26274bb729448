"""What drawings are put together from looks the same in all of them, and as in the steppers."""

import re

import pytest
from sketches import elements, heads, tiles

from seq2seq_lib import captions, pictures
from seq2seq_lib.drawings import lines, shapes
from seq2seq_lib.drawings.shapes import LAYERS, draw
from seq2seq_lib.palette import variable

parts = pytest.mark.parametrize(
    "part",
    [
        *(shapes.layer(kind, 50, 50) for kind in LAYERS),
        shapes.tile(50, 50, "7", "question"),
        shapes.tile(50, 50, " ", "answer"),
        shapes.state(50, 50, "h"),
        lines.arrow((0, 0), (10, 0), (10, 30)),
        lines.node(50, 50, "×"),
    ],
)


def drawing(*parts):
    return draw(100, "A sentence.", "A caption.", *parts)


@parts
def test_a_shape_has_a_colour_of_the_page(part):
    assert re.search(r"var\(--s2s-\w+, #[0-9a-f]{6}\)", part)
    assert elements(drawing(part), "rect") or elements(drawing(part), "path")


def test_no_two_layers_share_colour_corners_and_line():
    assert len(set(LAYERS.values())) == len(LAYERS)
    assert len({(corner, line) for _, corner, line in LAYERS.values()}) >= len(LAYERS) - 1


def test_tiles_of_questions_are_square_cornered_and_those_of_answers_round():
    corners = [
        int(elements(drawing(shapes.tile(50, 50, "7", side)), "rect")[0].get("rx"))
        for side in ("question", "answer")
    ]
    assert corners[0] < 4 < corners[1]


def test_a_blank_is_a_bracket_that_no_font_needs_to_have():
    blank = drawing(shapes.tile(50, 50, " ", "answer"))
    assert not elements(blank, "text")
    assert tiles(blank, "answer") == [" "]


def test_an_arrow_points_to_where_it_goes():
    assert heads(drawing(lines.arrow((3, 4), (10, 4), (10, 40), role="h")), "h") == [(10, 40)]


def test_an_arrow_that_passes_over_another_line_clears_its_way():
    over = drawing(lines.arrow((0, 0), (30, 0), over=True))
    below, line, _ = elements(over, "path")
    assert variable("paper") in below.get("style")
    assert below.get("d") == line.get("d")


def test_levels_rise_without_touching_and_start_at_the_top():
    low, middle, high = shapes.levels("tile", "lstm", "state", top=8)
    assert high.top == 8
    assert low.top - middle.bottom == middle.top - high.bottom == shapes.GAP


def test_words_and_sentences_are_escaped():
    found = draw(50, 'Is "<eos>" & more.', "<eos> & more.", shapes.text(9, 9, "<eos> & more"))
    assert elements(found, "text")[0].text == "<eos> & more"
    assert "&lt;eos&gt; &amp; more.</figcaption>" in found._repr_html_()


def test_japanese_says_that_it_is_japanese():
    marked = drawing(shapes.text(9, 9, "吾輩")), drawing(shapes.text(9, 9, "cat"))
    assert [elements(each, "text")[0].get("lang") for each in marked] == ["ja", None]


def test_a_number_is_written_as_short_as_it_can_be():
    shortest = {2.0: "2", 1 / 3: "0.33", -0.001: "0", 1234.5: "1234.5"}
    assert {number: shapes.n(number) for number in shortest} == shortest


def test_pictures_and_drawings_wear_the_same_style():
    assert pictures.STYLE is captions.STYLE
    shown = drawing(shapes.text(9, 9, "cat"))._repr_html_()
    assert shown.startswith(f'<style>{captions.STYLE}</style><figure class="s2s"><svg ')
    assert shown.endswith("</svg><figcaption>A caption.</figcaption></figure>")
