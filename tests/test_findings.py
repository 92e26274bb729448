"""Figures of several recipes, and of how models go wrong, show the data and say it in words."""

import re

import numpy as np
import pytest
from drawings import (
    assert_colours_are_left_to_the_page,
    assert_it_says_what_it_shows,
    assert_no_text_is_cut_off,
    assert_no_text_overlaps,
    made_up_results,
)

from seq2seq_lib import VARIANTS, Recipe
from seq2seq_lib.reports import recipe_sentence
from seq2seq_lib.results import select

matplotlib = pytest.importorskip("matplotlib")

from seq2seq_lib import findings, mistakes  # noqa: E402
from seq2seq_lib.palette import colour  # noqa: E402

SEEDS = range(3)


def group(values, measure="test_accuracy", **changes):
    return [
        {"recipe": Recipe(seed=seed, **changes).to_dict(), measure: value}
        for seed, value in enumerate(values)
    ]


@pytest.fixture
def groups(rng):
    results = made_up_results(rng)
    return {
        "the source's recipe, and a long label": group([0.1, 0.4, 0.13]),
        "peeky": select(results, variant="peeky"),
        "twice as wide": group([0.5, 0.51], hidden_size=256),
    }


@pytest.fixture
def headed(rng):
    results = made_up_results(rng)
    labelled = {name: select(results, variant=name) for name in VARIANTS}
    return {"one recipe": labelled, "another recipe": labelled}


@pytest.fixture
def road():
    return {
        "first": group([930_000, 400_000], "wrong"),
        "then": group([900, 12, 2500], "wrong", hidden_size=256),
        "last": group([0, 1, 1], "wrong", hidden_size=512),
    }


@pytest.fixture
def every_sum(rng):
    """Variant k is right in (k + 1) tenths, less a hundredth for each carry, seed and blank"""
    return [
        {
            "recipe": Recipe.of(name, seed=seed).to_dict(),
            "test_accuracy": 0.5,
            "wrong": 1000,
            "new_by_kind": [
                [a, b, c, 100 * (k + 1) - 10 * (c + seed + 6 - a - b), 1000]
                for a in (1, 2, 3)
                for b in (1, 2, 3)
                for c in range(min(a, b) + 1)
            ],
            "frequent_errors": [[-1, 300 + 100 * seed], [100, 200], [-10, 50], [1, 40], [2, 30]]
            + ([[7, 900]] if name == "peeky" and seed == 0 else []),
        }
        for k, name in enumerate(VARIANTS)
        for seed in SEEDS
    ]


@pytest.fixture
def by_position():
    return [
        {
            "recipe": Recipe.of(name, seed=seed, test_size=1234).to_dict(),
            "test_accuracy": 0.2,
            "free": {"exact": 0.2, "by_position": [0.9, 0.5 - 0.1 * seed, 0.3, 0.95]},
            "forced": {"exact": 0.2, "by_position": [0.9, 0.6, 0.4 + 0.1 * k, 0.99]},
        }
        for k, name in enumerate(VARIANTS)
        for seed in SEEDS
    ]


@pytest.fixture
def every_picture(groups, headed, road, every_sum, by_position):
    return {
        "compare": lambda: findings.compare(groups),
        "headed": lambda: findings.compare(headed),
        "road": lambda: findings.compare(road, "wrong"),
        "carries": lambda: mistakes.accuracy_by(every_sum, "carries"),
        "digits": lambda: mistakes.accuracy_by(every_sum, "digits"),
        "position": lambda: mistakes.accuracy_by(by_position, "position"),
        "errors": lambda: mistakes.errors(every_sum),
    }


every_name = pytest.mark.parametrize(
    "name", ["compare", "headed", "road", "carries", "digits", "position", "errors"]
)


@every_name
def test_no_text_of_a_finding_is_cut_off_or_lies_on_another(every_picture, name):
    picture = every_picture[name]()
    assert_no_text_is_cut_off(picture)
    assert_no_text_overlaps(picture)


@every_name
def test_a_finding_says_in_words_what_it_shows(every_picture, name):
    assert_it_says_what_it_shows(every_picture[name]())


@every_name
def test_a_finding_leaves_its_colours_to_the_page(every_picture, name):
    assert_colours_are_left_to_the_page(every_picture[name]())


@every_name
def test_the_caption_of_a_finding_states_runs_and_recipe(every_picture, name):
    caption = every_picture[name]().caption
    svg = every_picture[name]().svg()
    assert re.search(r"\b3 runs of", caption) or ("n, stands beside" in caption and "(n" in svg)
    assert "45,000 training questions" in caption


def test_the_same_finding_has_the_same_bytes(groups):
    assert findings.compare(groups).svg() == findings.compare(groups).svg()


# Side by side


def dots(picture):
    """The runs of each strip, as they are drawn: [(x, y)]"""
    (axes,) = picture.axes
    return [line.get_xydata() for line in axes.lines if line.get_linestyle() == "None"]


def test_every_run_is_a_dot_at_its_value(groups):
    for drawn, runs in zip(dots(findings.compare(groups)), groups.values(), strict=True):
        expected = sorted(100 * run["test_accuracy"] for run in runs)
        np.testing.assert_allclose(drawn[:, 0], expected)


def test_a_strip_has_the_range_and_the_mean_of_its_runs(groups):
    picture = findings.compare(groups)
    span, mean, _ = picture.axes[0].lines[:3]
    np.testing.assert_allclose(span.get_xdata(), [10, 40])
    np.testing.assert_allclose(mean.get_xdata(), [21, 21])
    shown = [text.get_text() for text in picture.axes[0].texts]
    assert {"21.0", "96.0", "50.5"} <= set(shown)


def test_no_dot_of_a_strip_hides_another():
    picture = findings.compare({"alike": group([0.5, 0.5, 0.501, 0.502, 0.9])})
    (axes,) = picture.axes
    places = axes.transData.transform(dots(picture)[0]) * 72 / picture.dpi
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    assert apart[~np.eye(5, dtype=bool)].min() > 6


def test_groups_of_different_size_say_how_many_runs_they_have(groups, headed):
    shown = " ".join(text.get_text() for text in findings.compare(groups).axes[0].texts)
    assert shown.count("(n\u00a0=\u00a03)") == 2 and shown.count("(n\u00a0=\u00a02)") == 1
    assert not any("(n" in text.get_text() for text in findings.compare(headed).axes[0].texts)


def test_a_strip_of_one_variant_has_its_mark_and_colour(headed):
    (axes,) = findings.compare(headed).axes
    strips = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert len({strip.get_marker() for strip in strips[:4]}) == len(VARIANTS)
    assert [strip.get_color() for strip in strips] == [colour(name) for name in VARIANTS] * 2


def test_headings_stand_above_their_groups_and_are_spoken(headed):
    picture = findings.compare(headed)
    order = [t.get_text() for t in picture.axes[0].texts if not t.get_text()[0].isdigit()][2:]
    assert order == ["one recipe", *VARIANTS, "another recipe", *VARIANTS]
    assert "another recipe, peeky: mean 96.0, runs from 95.0 to 97.0" in picture.sentence


def test_the_caption_names_only_what_all_recipes_share(groups):
    caption = findings.compare(groups).caption
    assert "batches of 128" in caption
    assert "hidden states" not in caption and "epochs" not in caption


def test_wrong_sums_are_on_a_logarithmic_scale_with_a_place_for_none(road):
    picture = findings.compare(road, "wrong")
    (axes,) = picture.axes
    none, one, ten, hundred = axes.transData.transform([(n, 0) for n in (0, 1, 10, 100)])[:, 0]
    assert none < one < ten
    assert hundred - ten == pytest.approx(ten - one, rel=0.02)
    assert none == pytest.approx(axes.transAxes.transform((0, 0))[0])
    np.testing.assert_allclose(dots(picture)[2][:, 0], [0, 1, 1])
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[0] == "0" and labels[-1] == "1,000,000"
    assert "first: mean 665,000, runs from 400,000 to 930,000" in picture.sentence
    assert "last: mean 0.7, runs from 0 to 1" in picture.sentence


def test_a_scale_without_zeros_begins_at_a_power_of_ten():
    (axes,) = findings.compare({"one": group([250, 3000], "wrong")}, "wrong").axes
    assert axes.get_xlim() == (100, 10_000)


def test_a_recipe_that_was_tried_once_has_a_dot_and_neither_mean_nor_range(rng):
    runs = select(made_up_results(rng), variant="reverse")
    picture = findings.compare({"three": runs, "one": runs[:1]})
    (axes,) = picture.axes
    *of_three, dot = axes.lines
    assert len(of_three) == 3 and len(dot.get_xdata()) == 1
    assert "once" in [text.get_text() for text in axes.texts]
    assert "tried once has no mean" in picture.caption
    value = f"{100 * runs[0]['test_accuracy']:.1f}"
    assert f"one: tried once, {value}" in picture.sentence
    assert "tried once" not in findings.compare({"three": runs}).caption


def test_groups_without_runs_or_with_two_recipes_are_refused_by_name(groups):
    with pytest.raises(ValueError, match="at least one run of nothing"):
        findings.compare(groups | {"nothing": []})
    with pytest.raises(ValueError, match="differ in their seed alone, for mixed"):
        findings.compare({"mixed": group([0.1]) + group([0.2], hidden_size=9)})
    with pytest.raises(ValueError, match="test_accuracy, wrong, got 'loss'"):
        findings.compare(groups, "loss")


# How models go wrong


def means(axes):
    """{variant: the heights of its marks}"""
    return {
        line.get_label(): line.get_ydata() for line in axes.lines if line.get_marker() != "None"
    }


def test_accuracy_by_carries_is_of_sums_of_three_digits_alone(every_sum):
    (axes,) = mistakes.accuracy_by(every_sum, "carries").axes
    for k, name in enumerate(VARIANTS):
        np.testing.assert_allclose(means(axes)[name], [10 * (k + 1) - c - 1 for c in range(4)])


def test_accuracy_by_digits_counts_both_orders(every_sum):
    every_sum[0]["new_by_kind"] = [[1, 3, 0, 10, 100], [3, 1, 0, 50, 100], [3, 3, 0, 1, 1]]
    (axes,) = mistakes.accuracy_by(every_sum[:1], "digits").axes
    np.testing.assert_allclose(means(axes)["baseline"], [30, 100])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1+3", "3+3"]


def test_upright_lines_are_the_range_over_seeds(every_sum):
    (axes,) = mistakes.accuracy_by(every_sum, "carries").axes
    segment = axes.collections[0].get_segments()[0]
    np.testing.assert_allclose(segment[:, 1], [8, 10])


def test_marks_of_variants_stand_side_by_side_and_differ(every_sum):
    (axes,) = mistakes.accuracy_by(every_sum, "carries").axes
    lines = [line for line in axes.lines if line.get_label() in VARIANTS]
    assert len({line.get_marker() for line in lines}) == len(VARIANTS)
    assert len({line.get_xdata()[0] for line in lines}) == len(VARIANTS)


def test_sentence_and_caption_have_the_shares_and_the_number_of_sums(every_sum):
    picture = mistakes.accuracy_by(every_sum, "carries")
    assert "reverse: 19.0% for 0, 18.0% for 1" in picture.sentence
    assert "1,000 for 3" in picture.caption


def test_positions_have_both_ways_of_feeding_a_panel_for_each_variant(by_position):
    picture = mistakes.accuracy_by(by_position, "position")
    assert len(picture.axes) == len(VARIANTS)
    free, forced = picture.axes[1].lines
    np.testing.assert_allclose(free.get_ydata(), [90, 40, 30, 95])
    np.testing.assert_allclose(forced.get_ydata(), [90, 60, 50, 99])
    assert free.get_markerfacecolor() == colour("reverse")
    assert forced.get_markerfacecolor() == colour("paper")
    assert "30.0% and 50.0% at 3" in picture.sentence and "1,234 test answers" in picture.caption


def test_errors_are_shares_of_all_wrong_sums_the_most_frequent_first(every_sum):
    baseline, _, peeky, _ = mistakes.errors(every_sum).axes
    widths = [bar.get_width() for bar in baseline.patches]
    np.testing.assert_allclose(widths, [0.4, 0.2, 0.05, 0.04, 0.03])
    labels = [label.get_text() for label in baseline.get_yticklabels()]
    assert labels == ["−1", "+100", "−10", "+1", "+2"]
    np.testing.assert_allclose(baseline.collections[0].get_segments()[0][:, 0], [0.3, 0.5])
    assert peeky.patches[1].get_width() == pytest.approx(0.3)  # +7: 0.9 in one of three runs


def test_models_without_any_wrong_sum_have_no_errors_to_draw(every_sum):
    for run in every_sum:
        run |= {"wrong": 0, "frequent_errors": []}
    picture = mistakes.errors(every_sum)
    assert not any(axes.patches for axes in picture.axes)
    assert_it_says_what_it_shows(picture)


def test_an_unknown_kind_is_refused_with_those_that_are_known(every_sum):
    with pytest.raises(ValueError, match="carries, digits, position, got 'sums'"):
        mistakes.accuracy_by(every_sum, "sums")


def test_a_caption_names_what_in_the_recipe_is_not_as_in_the_source():
    runs = group([0.1, 0.2, 0.3], schedule="cosine", padding="front")
    runs[0]["recipe"]["end_mark"] = True
    sentence = recipe_sentence(runs)
    assert "a rate that falls along a cosine, blanks in front" in sentence
    assert "end mark" not in sentence and "end mark" in recipe_sentence(runs[:1])
