"""Made-up results, and what every figure must satisfy, whatever it shows."""

import itertools
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from seq2seq_lib import VARIANTS, Recipe
from seq2seq_lib.results import select

matplotlib = pytest.importorskip("matplotlib")

from seq2seq_lib.pictures import SETTINGS, WIDTH  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
EPOCHS = 12


def made_up_results(rng):
    """Three runs of each variant: the second variant reaches half, the last nearly all."""
    ends = dict(zip(VARIANTS, (0.1, 0.6, 0.95, 0.96), strict=True))
    return [
        {
            "recipe": Recipe.of(name, seed=seed, epochs=EPOCHS).to_dict(),
            "loss": [2.0] * EPOCHS,
            "validation_accuracy": [
                float(np.clip(end * epoch / EPOCHS + rng.uniform(-0.02, 0.02), 0, 1))
                for epoch in range(1, EPOCHS + 1)
            ],
            "test_accuracy": end + 0.01 * seed,
            "parameters": 100_000 + 1000 * len(name),
        }
        for name, end in ends.items()
        for seed in range(3)
    ]


def curves(results, name):
    return 100 * np.array([run["validation_accuracy"] for run in select(results, variant=name)])


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.elements = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def texts(picture):
    found = ElementTree.fromstring(picture.svg()).iter(SVG + "text")
    return ["".join(text.itertext()) for text in found]


def boxes(picture):
    """[(text, where it is, in units)] of every text that is drawn"""
    with matplotlib.rc_context(SETTINGS):
        picture.draw_without_rendering()
        to_units = picture.dpi_scale_trans.inverted()
        return [
            (text.get_text(), 72 * text.get_window_extent().transformed(to_units).get_points())
            for text in picture.findobj(matplotlib.text.Text)
            if text.get_text() and text.get_visible()
        ]


def assert_no_text_is_cut_off(picture):
    for text, ((left, bottom), (right, top)) in boxes(picture):
        assert min(left, bottom) >= -0.5, text
        assert right <= WIDTH + 0.5 and top <= picture.height + 0.5, text


def assert_no_text_overlaps(picture, among=None):
    """No two texts overlap, of all or of those ``among`` some, by more than their empty rims"""
    found = [(text, box) for text, box in boxes(picture) if among is None or text in among]
    assert len(found) >= len(among or [1])
    for (text, a), (other, b) in itertools.combinations(found, 2):
        shared = np.minimum(a[1], b[1]) - np.maximum(a[0], b[0])
        assert (shared <= 0.5).any(), f"{text!r} and {other!r}"


def assert_it_says_what_it_shows(picture):
    page = _Page()
    page.feed(picture._repr_html_())
    ((_, svg),) = [element for element in page.elements if element[0] == "svg"]
    assert svg["role"] == "img" and svg["aria-label"] == picture.sentence
    assert len(picture.sentence) > 20 and picture.caption.endswith(".")
    assert "nan" not in picture.sentence.split()


def assert_colours_are_left_to_the_page(picture):
    svg = picture.svg()
    ElementTree.fromstring(svg)
    assert texts(picture)
    assert "<style" not in svg and "DejaVu" not in svg
    left = set(re.findall(r"(?<!, )#[0-9a-f]{6}", svg))
    assert not left, "colours that are no role of the palette"


def channels(code):
    return np.array([int(code[place : place + 2], 16) for place in (1, 3, 5)]) / 255


def _luminance(channels):
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """Of two colours, each as its three channels from 0 to 1: as WCAG defines it"""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
