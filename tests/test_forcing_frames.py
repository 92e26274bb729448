"""Fed the right answer, and fed its own choices: what is drawn are the two traces."""

import re

import numpy as np
from cases import NAMES, case, elements, every_case, every_recipe, forced
from reading import assert_inside, bars, character, grids, having, named, percent, sentence, text


def both(name):
    it = case(name)
    return it, {"forced": forced(it), "free": it.trace}


def table(element):
    """The rows under their headings: the cells, each a tile or a text"""
    rows = {}
    for row in having(element, "feeding")[0].iter("tr"):
        head, *cells = row
        rows.setdefault(text(head), []).append(cells)
    return rows


def tiles(cells):
    return [character(cell[0]) if len(cell) else None for cell in cells]


@every_case
def test_the_table_has_what_each_decoder_was_fed_and_prefers_up_to_now(name):
    it, traces = both(name)
    for k, element in enumerate(elements("forcing", name)):
        rows = table(element)
        ahead = [None] * (len(it.wanted) - k - 1)
        for which, head in enumerate(["training is fed", "generating is fed"]):
            t = list(traces.values())[which]
            fed = [it.characters[c] for c in t.decoder.ids[: k + 1]]
            written = [it.characters[c] for c in t.choices[: k + 1]]
            assert tiles(rows[head][0]) == fed + ahead
            preferred = rows["prefers"][which]
            assert tiles(preferred) == written + ahead
            assert [cell[0].get("class").split()[0] for cell in preferred[: k + 1]] == [
                "ok" if c == it.wanted[j] else "bad" for j, c in enumerate(written)
            ]
        assert "".join(tiles(rows["right answer"][0])) == it.wanted
        now = [cell.get("aria-current") for cell in rows["training is fed"][0]]
        assert now == [("step" if j == k else None) for j in range(len(it.wanted))]


@every_case
def test_in_training_the_right_characters_are_fed_after_the_start_mark(name):
    it, _ = both(name)
    rows = table(elements("forcing", name)[-1])
    assert "".join(tiles(rows["training is fed"][0])) == "_" + it.wanted[:-1]


@every_case
def test_the_loss_is_minus_the_logarithm_of_the_right_character_s_probability(name):
    it, traces = both(name)
    right = [it.characters.index(c) for c in it.wanted]
    p = traces["forced"].probabilities[np.arange(len(right)), right]
    for k, element in enumerate(elements("forcing", name)):
        told = [cell.text or "" for cell in table(element)["loss"][0]]
        assert not any(told[k + 1 :]) and "-" not in "".join(told)
        np.testing.assert_allclose([*map(float, told[: k + 1])], -np.log(p[: k + 1]), atol=0.00501)
        said = re.search(r"−ln (\d\.\d+) = (\d+\.\d+),", sentence(element))
        np.testing.assert_allclose(float(said[1]), p[k], atol=0.000501)
        assert said[2] == told[k]


@every_case
def test_the_first_difference_is_marked_and_told_at_the_step_where_the_two_part(name):
    it, traces = both(name)
    apart = traces["forced"].decoder.ids != traces["free"].decoder.ids
    first = int(apart.argmax()) if apart.any() else None
    for k, element in enumerate(elements("forcing", name)):
        assert ("Here they part." in sentence(element)) == (k == first)
        marked = [
            (head, j)
            for head, rows in table(element).items()
            for cells in rows
            for j, cell in enumerate(cells)
            if having(cell, "apart")
        ]
        seen = first is not None and first <= k
        assert marked == [("generating is fed", first)] * seen
        if k == first:
            fed = {which: named(it.characters[t.decoder.ids[k]]) for which, t in traces.items()}
            assert f"In training the decoder is fed {fed['forced']}, which is right." in sentence(
                element
            )
            assert f"Generating, it is fed {fed['free']}, its own mistake." in sentence(element)


@every_case
def test_the_sentence_says_what_each_decoder_is_fed_and_prefers(name):
    it, traces = both(name)
    apart = traces["forced"].decoder.ids != traces["free"].decoder.ids
    for k, element in enumerate(elements("forcing", name)):
        fed, chosen = (
            [named(it.characters[ids[k]]) for ids in each]
            for each in zip(*((t.decoder.ids, t.choices) for t in traces.values()), strict=True)
        )
        right = named(it.wanted[k])
        if apart[k]:
            start = f"In training the decoder is fed {fed[0]}"
        elif k == 0:
            start = "Both decoders start with the h of the question and the start mark."
        elif apart[:k].any():
            start = f"Both are fed {fed[0]}, but after different characters."
        else:
            start = f"Both are fed {fed[0]} again, so nothing differs yet."
        if chosen[0] != chosen[1]:
            end = f"Training prefers {chosen[0]}, generating {chosen[1]}; right is {right}."
        elif chosen[0] == right:
            end = f"Both prefer {right}, which is right."
        else:
            end = f"Both prefer {chosen[0]}; right is {right}."
        assert start in sentence(element) and end in sentence(element)


def test_both_ways_of_feeding_come_up_in_what_is_tested():
    parted = {
        (traces["forced"].decoder.ids != traces["free"].decoder.ids).any()
        for _, traces in map(both, NAMES)
    }
    assert parted == {True, False}


@every_case
def test_the_two_charts_are_the_probabilities_of_the_two_traces(name):
    it, traces = both(name)
    for k, element in enumerate(elements("forcing", name)):
        for chart, t in zip(bars(element), traces.values(), strict=True):
            heights = [bar.height for bar in chart]
            np.testing.assert_allclose(heights, 100 * t.probabilities[k], atol=0.0501)
            assert [bar.character for bar in chart if "chosen" in bar.marks] == [
                it.characters[t.choices[k]]
            ]
            assert [bar.character for bar in chart if "right" in bar.marks] == [it.wanted[k]]
            shares = {it.characters[j]: percent(p) for j, p in enumerate(t.probabilities[k])}
            assert all(bar.number in shares[bar.character] for bar in chart if bar.number)


@every_recipe
def test_inside_are_the_arrays_of_the_two_traces(name):
    _, traces = both(name)
    for k, element in enumerate(elements("forcing", name)):
        folds = having(element, "inside")
        for fold, t in zip(folds, traces.values(), strict=True):
            assert_inside(grids(fold), t.decoder, k, t.decoder.c[k - 1] if k else t.bridge_c)
