"""The figures show the data they were given, say it in words, and look the same each time."""

import importlib
import itertools
import math
import re
import sys

import numpy as np
import pytest
from drawings import (
    EPOCHS,
    assert_colours_are_left_to_the_page,
    assert_it_says_what_it_shows,
    assert_no_text_is_cut_off,
    assert_no_text_overlaps,
    channels,
    contrast,
    curves,
    made_up_results,
    texts,
)

from seq2seq_lib import VARIANTS, Layout
from seq2seq_lib.palette import COLOURS, DARK_PAGES, MODES, colour, style_sheet, variable

matplotlib = pytest.importorskip("matplotlib")

from seq2seq_lib import plots  # noqa: E402
from seq2seq_lib.pictures import Picture  # noqa: E402

every_name = pytest.mark.parametrize(
    "name",
    ["batch", "learning_curve", "no epoch yet", "variant", "variants", "bars", "reliability"],
)


@pytest.fixture
def results(rng):
    return made_up_results(rng)


@pytest.fixture
def history():
    return [{"loss": 2.5 - 0.2 * e, "accuracy": 0.01 * e, "seconds": 1.0} for e in range(6)]


@pytest.fixture
def judged(rng):
    """A modest model, and one that is never sure: {variant: (probabilities, verdicts)}"""
    sure, luck = rng.uniform(0, 1, 4000), rng.random(4000)
    return {"peeky": (sure, luck < sure**0.5), "baseline": (0.3 * sure, luck < 0.3 * sure)}


@pytest.fixture
def every_picture(results, history, judged):
    layout = Layout()
    rows = layout.vocabulary.decode
    questions = rows(layout.encode_questions(["57+5", "628+521"]))
    answers = rows(layout.encode_answers(["62", "1149"]))
    return {
        "batch": plots.batch(questions, answers),
        "learning_curve": plots.learning_curve(history, 8),
        "no epoch yet": plots.learning_curve([], 8),
        "variant": plots.variant(results, "reverse"),
        "variants": plots.variants(results),
        "bars": plots.bars({"one": 0.25, "two": 0.75}, "Two parts & a whole"),
        "reliability": plots.reliability(judged),
    }


# What is drawn


def test_reliability_is_the_share_of_right_answers_in_each_group_of_sureness(judged):
    (axes,) = plots.reliability(judged).axes
    diagonal, peeky, baseline = axes.lines
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 100]
    for line, (sure, right) in zip((peeky, baseline), judged.values(), strict=True):
        groups = [(sure >= k / 10) & (sure < (k + 1) / 10) for k in range(10)]
        expected = [[100 * sure[g].mean(), 100 * right[g].mean()] for g in groups if g.any()]
        np.testing.assert_allclose(line.get_xydata(), expected)
    assert len(peeky.get_xdata()) == 10 and len(baseline.get_xdata()) == 3


def test_reliability_leaves_out_groups_that_are_small_and_counts_the_surest_answers():
    sure = np.array([0.05] * 49 + [0.55] * 50 + [1.0] * 50)
    right = np.array([True] * 49 + [True, False] * 25 + [True] * 50)
    picture = plots.reliability({"peeky": (sure, right)})
    (axes,) = picture.axes
    np.testing.assert_allclose(axes.lines[1].get_xydata(), [[55, 50], [100, 100]])
    assert "50.0% where it gives 55.0%, 100.0% where it gives 100.0%" in picture.sentence
    assert "149 questions" in picture.caption and "fewer than 50" in picture.caption
    with pytest.raises(ValueError, match="peeky: expected 50 answers in a group, got 49 in all"):
        plots.reliability({"peeky": (sure[:49], right[:49])})


def test_a_variant_is_drawn_with_its_runs_their_mean_and_their_range(results):
    (axes,) = plots.variant(results, "peeky").axes
    expected = curves(results, "peeky")
    *runs, mean = axes.lines
    np.testing.assert_allclose([line.get_ydata() for line in runs], expected)
    np.testing.assert_allclose(mean.get_ydata(), expected.mean(axis=0))
    np.testing.assert_array_equal(mean.get_xdata(), range(1, EPOCHS + 1))
    band = axes.collections[0].get_paths()[0].vertices
    for epoch in range(1, EPOCHS + 1):
        heights = band[band[:, 0] == epoch, 1]
        assert heights.min() == pytest.approx(expected[:, epoch - 1].min())
        assert heights.max() == pytest.approx(expected[:, epoch - 1].max())


def test_the_plot_of_all_variants_has_the_mean_of_each(results):
    (axes,) = plots.variants(results).axes
    means = {line.get_label(): line for line in axes.lines if line.get_label() in VARIANTS}
    assert list(means) == list(VARIANTS)
    for name, line in means.items():
        np.testing.assert_allclose(line.get_ydata(), curves(results, name).mean(axis=0))


def test_variants_differ_in_dashes_in_marks_and_in_colour(results):
    (axes,) = plots.variants(results).axes
    lines = [line for line in axes.lines if line.get_label() in VARIANTS]
    for property_of in ("get_linestyle", "get_marker", "get_color"):
        assert len({getattr(line, property_of)() for line in lines}) == len(VARIANTS)


def test_variants_that_were_not_run_yet_are_left_out(results):
    (axes,) = plots.variants(results[:4]).axes
    assert {line.get_label() for line in axes.lines} & set(VARIANTS) == {"baseline", "reverse"}


def test_names_at_the_ends_of_lines_do_not_overlap(results):
    assert_no_text_overlaps(plots.variants(results), VARIANTS)


@every_name
def test_no_text_is_cut_off_at_the_edge_of_a_picture(every_picture, name):
    assert_no_text_is_cut_off(every_picture[name])


def test_a_learning_curve_has_the_loss_above_and_the_accuracy_below(history):
    above, below = plots.learning_curve(history, 8).axes
    np.testing.assert_allclose(above.lines[-1].get_ydata(), [e["loss"] for e in history])
    np.testing.assert_allclose(below.lines[-1].get_ydata(), [100 * e["accuracy"] for e in history])
    assert above.get_xlim() == below.get_xlim() == (1, 8)
    assert above.lines[0].get_ydata()[0] == math.log(13)


def test_bars_are_as_long_as_their_shares():
    (axes,) = plots.bars({"one": 0.25, "two": 0.75}, "Parts").axes
    assert [bar.get_width() for bar in axes.patches] == [0.25, 0.75]
    assert [text.get_text() for text in axes.texts] == ["25.0%", "75.0%"]


def test_a_batch_shows_every_character_that_is_not_a_blank(every_picture):
    shown = [text for text in texts(every_picture["batch"]) if len(text) == 1]
    assert sorted(shown) == sorted("57+5628+521_62_1149")


@pytest.mark.parametrize("name", ["variant", "variants"])
def test_no_results_are_refused_with_a_sentence(name):
    arguments = ([], "peeky") if name == "variant" else ([],)
    with pytest.raises(ValueError, match="expected at least one run"):
        getattr(plots, name)(*arguments)


def test_runs_of_two_recipes_are_not_averaged(results):
    results[1]["recipe"]["learning_rate"] = 0.01
    with pytest.raises(ValueError, match="differ in their seed alone"):
        plots.variant(results, "baseline")


# Labels at the ends of lines


@pytest.mark.parametrize(
    "places", [[0, 0, 0, 0], [99, 99, 98, 97], [5, 50, 51, 90], [97.4, 43.1, 98.2, 11.5], [3]]
)
def test_labels_keep_their_distance_their_order_and_the_bounds(places):
    moved = plots.spread(places, 7, 2, 99)
    ordered = sorted(moved)
    assert all(b - a >= 7 - 1e-9 for a, b in itertools.pairwise(ordered))
    assert 2 - 1e-9 <= ordered[0] and ordered[-1] <= 99 + 1e-9
    assert [moved[k] for k in sorted(range(len(places)), key=places.__getitem__)] == ordered


def test_labels_that_have_room_stay_where_they_are():
    assert plots.spread([90, 10, 50], 7, 2, 99) == [90, 10, 50]


# On a page


@every_name
def test_a_picture_says_in_words_what_it_shows(every_picture, name):
    assert_it_says_what_it_shows(every_picture[name])


def test_the_sentence_of_a_variant_has_its_numbers(results):
    expected = curves(results, "reverse")
    sentence = plots.variant(results, "reverse").sentence
    assert "mean of 3 runs" in sentence
    assert f"{expected[:, -1].mean():.1f}% after epoch {EPOCHS}" in sentence
    assert f"between {expected[:, -1].min():.1f}% and {expected[:, -1].max():.1f}%" in sentence


def test_the_caption_of_results_states_runs_and_recipe(results):
    for picture in (plots.variant(results, "peeky"), plots.variants(results)):
        assert re.search(r"\b3 runs\b", picture.caption)
        assert "45,000 training questions" in picture.caption
        assert "hidden states of 128" in picture.caption and "rate 0.001" in picture.caption


@every_name
def test_a_picture_is_well_formed_with_text_as_text_and_colours_left_to_the_page(
    every_picture, name
):
    assert_colours_are_left_to_the_page(every_picture[name])
    assert "<image" not in every_picture[name].svg()


def test_ids_of_different_pictures_differ(every_picture):
    ids = [set(re.findall(r'id="([^"]+)"', picture.svg())) for picture in every_picture.values()]
    assert not any(one & other for one, other in itertools.combinations(ids, 2))


def test_the_same_call_gives_the_same_bytes(results):
    assert plots.variants(results).svg() == plots.variants(results).svg()


def test_a_picture_can_be_drawn_twice(results):
    picture = plots.variants(results)
    assert picture.svg() == picture.svg()


def test_no_figure_stays_open_and_no_setting_is_left_behind(results, history):
    before = dict(matplotlib.rcParams)
    picture = plots.learning_curve(history)
    picture.svg()
    assert isinstance(picture, matplotlib.figure.Figure) and isinstance(picture, Picture)
    assert dict(matplotlib.rcParams) == before
    from matplotlib import _pylab_helpers

    assert _pylab_helpers.Gcf.figs == {}


# The palette


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("role", [role for role in COLOURS if role not in ("paper", "panel")])
def test_every_colour_can_be_read_on_both_papers(role, mode):
    least = 3 if role == "edge" else 4.5
    for paper in ("paper", "panel"):
        assert contrast(channels(colour(role, mode)), channels(colour(paper, mode))) >= least


def test_no_two_roles_share_a_colour():
    for mode in MODES:
        assert len({colour(role, mode) for role in COLOURS}) == len(COLOURS)


def test_the_style_sheet_has_every_role_for_light_and_dark_pages():
    light, dark = style_sheet(".s2s").strip().split("\n")
    for role in COLOURS:
        name = re.match(r"var\((--[a-z0-9-]+), (#[0-9a-f]{6})\)", variable(role))
        assert name[2] == colour(role)
        assert f"{name[1]}:{colour(role)}" in light
        assert f"{name[1]}:{colour(role, 'dark')}" in dark
    assert all(f"{page} .s2s" in dark for page in DARK_PAGES)


@pytest.mark.parametrize(("role", "mode"), [("pink", "light"), ("ink", "sepia")])
def test_an_unknown_role_or_mode_is_refused_by_name(role, mode):
    with pytest.raises(ValueError, match=f"'{role}' and '{mode}'"):
        colour(role, mode)


def test_without_matplotlib_the_message_names_what_to_install(monkeypatch):
    for module in [name for name in sys.modules if name.startswith("seq2seq_lib.p")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"figures need matplotlib: pip install .*\[plots\]"):
        importlib.import_module("seq2seq_lib.plots")


def test_bars_of_nothing_are_drawn_without_a_warning():
    assert "a 0.0%" in plots.bars({"a": 0.0}, "shares").sentence
