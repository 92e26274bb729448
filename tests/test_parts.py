"""Characters, grids and bars show what they are given: marks by size and sign, text as text."""

import numpy as np
import pytest
from reading import assert_framed, assert_shows, bars, character, grids, parsed, percent, text

from seq2seq_lib.frames import parts

HOSTILE = "<>&\"'/"
KINDS = {"h": 1.0, "c": 2.0, "x": 1.5, "g": 1.0}
every_count = pytest.mark.parametrize("count", [1, 5, 15, 16, 17, 32, 40, 128])


def the_grid(markup):
    (grid,) = grids(parsed(markup))
    return grid


def the_bars(markup):
    (chart,) = bars(parsed(markup))
    return chart


@every_count
@pytest.mark.parametrize(("kind", "scale"), KINDS.items())
def test_a_grid_shows_each_number_at_its_place_with_its_sign_and_size(kind, scale, count, rng):
    values = rng.normal(size=count) * scale / 2
    grid = the_grid(parts.grid(values, kind, "numbers", scale=scale))
    assert_shows(grid, values, kind, scale)


@every_count
def test_a_gate_shows_how_far_each_number_is_open_and_counts_the_ends(count, rng):
    values = rng.beta(0.3, 0.3, size=count)
    for kind in "fio":
        assert_shows(the_grid(parts.gate(values, kind, "gate")), values, kind)


def test_marks_grow_with_the_number_to_the_largest_and_stay_there():
    values = np.linspace(-2, 2, 161)
    sizes = the_grid(parts.grid(values, "h", "numbers")).sizes[:161]
    assert sizes == sorted(sizes) and set(sizes) == set(range(-3, 4))
    assert sizes == [-size for size in reversed(sizes)]
    assert sizes[40] == -3 and sizes[120] == 3  # -1 and 1


def test_zero_and_what_is_near_it_has_no_mark():
    grid = the_grid(parts.grid([0.0, -0.0, 0.1, -0.1], "h", "numbers"))
    assert not any(grid.sizes)
    assert grid.label == "0 above zero, 0 below, 4 near zero"


@pytest.mark.parametrize("count", [1, 16, 17, 33])
def test_a_grid_has_no_more_columns_and_rows_than_it_needs(count):
    svg = parsed(parts.grid(np.ones(count), "h", "ones")).find(".//svg")
    assert svg.get("viewBox") == f"0 -.5 {min(count, 16)} {-(-count // 16)}"


def test_equal_neighbours_are_one_line_a_row_so_that_pages_stay_small():
    svg = parsed(parts.grid(np.ones(40), "h", "ones")).find(".//svg")
    assert [path.get("d") for path in svg] == ["M0 0h16M0 1h16M0 2h8"]


def test_a_grid_says_its_caption_and_has_a_note_only_if_it_is_given_one():
    grid = the_grid(parts.grid([1.0], "c left", "<b>c</b> stays", note="as it was"))
    assert (grid.kind, grid.caption, grid.note) == ("c left", "c stays", "as it was")
    assert "<small" not in parts.grid([1.0], "h", "h")


@pytest.mark.parametrize("spread", [0.05, 0.3, 2.0])
def test_the_numbers_that_moved_most_are_framed_and_six_at_most(spread, rng):
    before, values = rng.normal(size=(2, 40)) * spread
    grid = the_grid(parts.grid(values, "h", "h", before=before))
    assert_framed(grid, values, before)
    assert len(grid.moved) <= 6
    assert grid.moved == parts.most_moved(before, values) == sorted(grid.moved)


def test_of_numbers_that_moved_alike_the_first_ones_are_framed():
    assert parts.most_moved(np.zeros(9), np.full(9, -0.5)) == [0, 1, 2, 3, 4, 5]


def test_a_number_that_moved_by_just_the_limit_is_not_framed():
    assert parts.most_moved([0.0, 0.0], [0.25, 0.250001]) == [1]
    assert the_grid(parts.grid([0.25], "h", "h", before=[0.0])).moved == []


@pytest.mark.parametrize("unit", [0, 15, 16, 39])
@pytest.mark.parametrize("draw", [parts.grid, parts.gate])
def test_the_unit_that_is_pointed_at_is_framed_alone(draw, unit):
    values = np.full(40, 0.5)
    assert the_grid(draw(values, "f", "values", unit=unit)).unit == [unit]
    assert the_grid(draw(values, "f", "values")).unit == []


def test_drawing_changes_no_number(rng):
    values = rng.uniform(size=20)
    kept = values.copy()
    parts.grid(values, "h", "h", before=values[::-1])
    parts.gate(values, "f", "f")
    parts.bars(values, "abcdefghijklmnopqrst", 0, caption="bars")
    np.testing.assert_array_equal(values, kept)


def test_each_bar_is_as_high_as_its_probability(rng):
    p = rng.dirichlet(np.full(13, 0.1))
    chart = the_bars(parts.bars(p, "0123456789+ _", 3, caption="bars"))
    assert "".join(bar.character for bar in chart) == "0123456789+ _"
    np.testing.assert_allclose([bar.height for bar in chart], 100 * p, atol=0.0501)


def test_a_bar_has_its_number_above_it_from_half_a_percent_on():
    p = [0.004, 0.006, 0.2, 0.79, 0.0]
    chart = the_bars(parts.bars(p, "abcde", 3, caption="bars"))
    assert [bar.number for bar in chart] == ["", "1", "20", "79", ""]


@pytest.mark.parametrize("right", [None, 1, 2])
def test_the_chosen_bar_and_the_right_one_are_marked_and_no_other(right):
    chart = the_bars(parts.bars([0.1, 0.2, 0.7, 0.0], "abcd", 2, right, caption="bars"))
    assert [k for k, bar in enumerate(chart) if "chosen" in bar.marks] == [2]
    assert [k for k, bar in enumerate(chart) if "right" in bar.marks] == (
        [] if right is None else [right]
    )


@pytest.mark.parametrize(
    ("right", "label"),
    [
        (None, "blank 1\u00a0%, < 20\u00a0%, b 79\u00a0% (chosen)"),
        (2, "blank 1\u00a0%, < 20\u00a0%, b 79\u00a0% (chosen, right)"),
        (3, "blank 1\u00a0%, < 20\u00a0%, b 79\u00a0% (chosen), & <1\u00a0% (right)"),
        (4, "blank 1\u00a0%, < 20\u00a0%, b 79\u00a0% (chosen), e 0\u00a0% (right)"),
    ],
)
def test_bars_are_said_in_words_those_that_are_seen_and_the_right_one(right, label):
    markup = parts.bars([0.006, 0.2, 0.79, 0.004, 0.0], " <b&e", 2, right, caption="bars")
    assert parsed(markup).find(".//*[@role='img']").get("aria-label") == label


def test_bars_of_another_number_of_characters_are_refused():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        parts.bars([0.5, 0.5], "abc", 0, caption="bars")


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0, "0"),
        (1e-12, "&lt;1"),
        (0.005, "&lt;1"),
        (0.0051, "1"),
        (0.014, "1"),
        (0.5, "50"),
        (0.9949, "99"),
        (0.995, "&gt;99"),
        (1 - 1e-12, "&gt;99"),
        (1, "100"),
    ],
)
def test_a_share_is_whole_and_ends_at_0_and_100_only_if_it_is_exactly_that(p, said):
    assert parts.share(p) == said


def test_the_share_that_tests_expect_is_the_share_that_is_said(rng):
    for p in rng.beta(0.2, 0.2, size=200):
        assert text(parsed(parts.share(p))) in percent(p)


@pytest.mark.parametrize("sign", HOSTILE)
def test_a_character_that_html_knows_is_shown_as_a_character(sign):
    (tile,) = parsed(parts.tile(sign, "now"))
    assert (character(tile), tile.get("class"), len(tile)) == (sign, "now", 0)
    for markup in parts.named(sign), parts.bold(sign):
        assert parts.plain(markup) == text(parsed(markup)) == sign
    assert the_bars(parts.bars([1.0], sign, 0, caption="bars"))[0].character == sign


def test_a_blank_is_drawn_and_named_in_words():
    (tile,) = parsed(parts.tile(" ", "ok now"))
    assert tile.get("class") == "ok now sp" and not tile.text
    assert parts.named(" ") == "a blank"


def test_the_delimiter_is_named_in_words():
    assert parts.plain(parts.named("_")) == "the start mark _"


def test_what_stands_under_a_tile_is_not_its_character():
    (tile,) = parsed(parts.tile("5", under="<i>1</i>"))
    assert character(tile) == "5" and tile.find("i").text == "1"


def test_plain_text_is_what_a_reader_hears():
    assert parts.plain("<b class='x'>a &lt; b</b> &amp;amp;") == "a < b &amp;"
