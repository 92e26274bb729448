"""Maps of gradients and of all sums have the shades of their data, and say it in words."""

import base64
import re
import struct
import zlib

import numpy as np
import pytest
from drawings import (
    assert_colours_are_left_to_the_page,
    assert_it_says_what_it_shows,
    assert_no_text_is_cut_off,
    assert_no_text_overlaps,
    channels,
    contrast,
)

from seq2seq_lib import Recipe
from seq2seq_lib.analysis import ERROR_SIZES
from seq2seq_lib.palette import MODES, colour

pytest.importorskip("matplotlib")

from seq2seq_lib import maps

VARIANTS = "baseline", "reverse"
STAGES = 0, 1, 25


@pytest.fixture
def paths(rng):
    """Untrained, a place gets twice what the place read before it gets; else, chance decides"""
    decay = np.repeat(2.0 ** np.arange(7)[:, None], 4, axis=1)
    return [
        {
            "recipe": Recipe.of(name, seed=seed, epochs=epochs).to_dict(),
            "test_accuracy": 0.1,
            "full": (
                rng.uniform(1, 2, (7, 4))
                if epochs
                else 0.01 * (seed + 1) * (decay if name == "baseline" else decay[::-1])
            ).tolist(),
            "short": (rng.uniform(1, 2, (7, 4)) * [1, 1, 1e-4, 1e-6]).tolist(),
        }
        for name in VARIANTS
        for epochs in STAGES
        for seed in range(3)
    ]


@pytest.fixture
def sizes(rng):
    return rng.integers(0, 4, (1000, 1000)).astype(np.uint8)


@pytest.fixture
def few():
    sizes = np.zeros((1000, 1000), np.uint8)
    sizes[3, 700], sizes[999, 0] = 1, 4
    return sizes


@pytest.fixture
def every_picture(paths, sizes, few):
    wrong = np.where(sizes == 3, 4, sizes)
    return {
        "full": lambda: maps.gradient_map(paths),
        "short": lambda: maps.gradient_map(paths, "short"),
        "sums": lambda: maps.sums(
            dict.fromkeys(("baseline", "reverse", "peeky", "reverse+peeky"), wrong)
        ),
        "few sums": lambda: maps.sums(
            {"the best of all": few}, [{"recipe": Recipe(seed=7).to_dict()}]
        ),
    }


every_name = pytest.mark.parametrize("name", ["full", "short", "sums", "few sums"])


@every_name
def test_no_text_of_a_map_is_cut_off_or_lies_on_another(every_picture, name):
    picture = every_picture[name]()
    assert_no_text_is_cut_off(picture)
    assert_no_text_overlaps(picture)


@every_name
def test_a_map_says_in_words_what_it_shows(every_picture, name):
    assert_it_says_what_it_shows(every_picture[name]())


@every_name
def test_a_map_leaves_its_colours_to_the_page(every_picture, name):
    assert_colours_are_left_to_the_page(every_picture[name]())


@every_name
def test_a_map_is_drawn_twice_with_the_same_bytes(every_picture, name):
    picture = every_picture[name]()
    assert picture.svg() == picture.svg() == every_picture[name]().svg()


# Gradients


def cells(axes):
    """The numbers within a map, by row and column"""
    numbers = {}
    for text in axes.texts:
        x, y = text.get_position()
        if 0 < x < 4 and 0 < y < 7:
            numbers[int(y), int(x)] = text
    return numbers


def panels(picture):
    """{(variant, stage): axes}; the arrows' axes have no texts but the arrow"""
    found = iter(axes for axes in picture.axes if len(axes.texts) > 1)
    return {(name, stage): next(found) for name in VARIANTS for stage in STAGES}


def test_a_cell_is_its_share_of_what_the_column_sends_back_averaged_over_seeds(paths):
    drawn = panels(maps.gradient_map(paths))
    for (name, stage), axes in drawn.items():
        runs = [
            np.array(run["full"])
            for run in paths
            if run["recipe"] == Recipe.of(name, seed=run["recipe"]["seed"], epochs=stage).to_dict()
        ]
        expected = np.mean([lengths / lengths.sum(axis=0) for lengths in runs], axis=0)
        numbers = cells(axes)
        assert len(numbers) == expected.size
        for place, text in numbers.items():
            assert text.get_text() == f"{100 * expected[place]:.0f}"


def test_the_shade_of_a_cell_grows_with_its_share(paths):
    axes = panels(maps.gradient_map(paths))["baseline", 0]
    shades = {round(patch.get_alpha(), 2) for patch in axes.patches}
    assert shades == {round(min(2.0**k / 127, maps.DARKEST), 2) for k in range(7)}
    for patch in axes.patches:
        (row,) = {int(y) for y in patch.get_path().vertices[::6, 1]}
        assert patch.get_alpha() == pytest.approx(min(2.0**row / 127, maps.DARKEST), abs=0.006)


@pytest.mark.parametrize("mode", MODES)
def test_numbers_can_be_read_on_the_darkest_cell(mode):
    paper, shade, ink = (channels(colour(role, mode)) for role in ("paper", "question", "ink"))
    assert contrast(ink, paper + maps.DARKEST * (shade - paper)) >= 4.5


def test_the_largest_number_of_a_column_is_bold(paths):
    for axes in panels(maps.gradient_map(paths)).values():
        numbers = cells(axes)
        for column in range(4):
            own = [numbers[row, column] for row in range(7)]
            (bold,) = [text for text in own if text.get_weight() == "bold"]
            assert int(bold.get_text()) == max(int(text.get_text()) for text in own)


def test_below_a_map_stands_the_power_of_ten_of_each_column(paths):
    axes = panels(maps.gradient_map(paths, "short"))["baseline", 25]
    below = [text.get_text() for text in axes.texts if text.get_position()[1] > 7]
    assert below[:4] == ["1", "1", "−3", "−5"]


def test_the_sentence_tells_what_arrives_at_both_ends_of_the_reading(paths):
    sentence = maps.gradient_map(paths).sentence
    ends = "0.8% at the character read first, 50.4% at the one read last, most (50.4%) at the"
    assert f"baseline, untrained: {ends} second units" in sentence
    assert f"reverse, untrained: {ends} first hundreds" in sentence


def test_the_arrow_points_in_the_order_of_reading(paths):
    picture = maps.gradient_map(paths)
    arrows = [text for axes in picture.axes if len(axes.texts) == 1 for text in axes.texts]
    down, up = (text.xy[1] - text.xyann[1] for text in arrows)
    assert down < 0 < up


def test_the_caption_says_how_far_seeds_are_apart_if_there_are_several(paths):
    paths[0]["full"] = np.ones((7, 4)).tolist()
    assert f"up to {100 * (64 / 127 - 1 / 7):.0f} points" in maps.gradient_map(paths).caption
    single = [run for run in paths if run["recipe"]["seed"] == 0]
    caption = maps.gradient_map(single).caption
    assert "One run of each" in caption and "points" not in caption


def test_gradients_without_runs_or_of_an_unknown_question_are_refused(paths):
    with pytest.raises(ValueError, match="at least one run of baseline"):
        maps.gradient_map([])
    with pytest.raises(ValueError, match="at least one run of peeky"):
        maps.gradient_map(paths, variants=["peeky"])
    with pytest.raises(ValueError, match="full, short, got 'long'"):
        maps.gradient_map(paths, "long")


# All sums


def levels(picture):
    """The levels of each stencil, decoded from the PNG in the page"""
    for code in re.findall(r"data:image/png;base64,([\w+/=]+)", picture.svg()):
        content = base64.b64decode(code)
        width, height = struct.unpack(">2I", content[16:24])
        start = content.index(b"IDAT")
        (length,) = struct.unpack(">I", content[start - 4 : start])
        rows = zlib.decompress(content[start + 4 : start + 4 + length])
        pairs = np.frombuffer(rows, np.uint8).reshape(height, 1 + width // 2)[:, 1:]
        yield np.stack([pairs >> 4, pairs & 15], axis=-1).reshape(height, width)


def test_the_map_has_a_to_the_right_and_b_upwards(few):
    few[:100, 900:] = 3  # small a, large b
    (drawn,) = levels(maps.sums({"one": np.where(few == 4, 0, few)}))
    assert drawn.shape == (500, 500)
    assert (drawn[:50, :50] == 15).all() and not drawn[:40, 60:].any()


def test_a_map_lies_within_its_frame(sizes):
    picture = maps.sums({"one": sizes, "two": sizes, "three": sizes})
    rect = r'<rect x="(.+?)" y="(.+?)" width="(.+?)" height="(.+?)" style="fill'
    found = re.findall(rect, picture.svg())
    for place, axes in zip(found, picture.axes, strict=False):
        left, bottom, width, height = axes.get_position().bounds * np.array(
            [400, picture.height] * 2
        )
        expected = [left, picture.height - bottom - height, width, height]
        np.testing.assert_allclose([float(number) for number in place], expected, atol=1e-3)
    assert len(found) == 3


def test_a_point_of_the_map_is_the_mean_of_four_sums_the_stronger_the_more_wrong(sizes):
    (drawn,) = levels(maps.sums({"one": sizes}))
    upright = maps.STRENGTHS[sizes.T[::-1]]
    expected = upright.reshape(500, 2, 500, 2).mean(axis=(1, 3))
    assert np.abs(drawn / 15 - expected).max() <= 0.5 / 15 + 1e-9
    assert np.all(np.diff(maps.STRENGTHS[:4]) > 0.2)


def test_what_is_no_number_has_a_map_and_a_colour_of_its_own(sizes):
    sizes[:500] = ERROR_SIZES.index("no number")
    picture = maps.sums({"one": sizes})
    wrong, no_number = levels(picture)
    assert not wrong[:, :250].any() and (no_number[:, :250] == 15).all()
    assert not no_number[:, 250:].any()
    shown = [text.get_text() for axes in picture.axes for text in axes.texts]
    assert "no number" in shown
    plain = maps.sums({"one": np.minimum(sizes, 3)})
    assert "no number" not in [text.get_text() for axes in plain.axes for text in axes.texts]


def test_few_wrong_sums_are_dots_and_counted_one_by_one(few):
    picture = maps.sums({"the best": few})
    (line,) = picture.axes[0].lines
    assert line.get_xydata().tolist() == [[3, 700], [999, 0]]
    assert not list(levels(picture))
    assert picture.axes[0].get_title("left") == "the best: 2 wrong"
    assert "at most 200 wrong sums" in picture.caption


def test_the_sentence_of_all_sums_has_shares_and_the_most_frequent_size(few):
    few[:, :250] = 2
    sentence = maps.sums({"one": few, "none": np.zeros_like(few)}).sentence
    assert "one: 25.0% are wrong, and of these 100.0% are off by 10 to 99" in sentence
    assert "none: none is wrong" in sentence


def test_seeds_and_recipe_of_the_runs_are_in_the_caption(every_picture):
    assert "seeds 7: 45,000 training questions" in every_picture["few sums"]().caption


def test_four_noisy_maps_weigh_less_than_half_a_megabyte(rng):
    noisy = (rng.random((4, 1000, 1000)) < 0.66).astype(np.uint8)
    picture = maps.sums(dict(zip("abcd", noisy, strict=True)))
    assert len(picture.svg()) < 500_000
