"""Feeding, one step of an LSTM, the epochs of training: what is drawn is what was computed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from reading import (
    NAMES,
    RECIPES,
    assert_inside,
    assert_shows,
    bars,
    case,
    character,
    elements,
    forced,
    grids,
    having,
    parsed,
    percent,
    places,
    text,
)

from seq2seq_lib import closeups, load_pretrained
from seq2seq_lib.frames import C_SCALE, X_SCALE
from seq2seq_lib.results import recipe_of

every_case = pytest.mark.parametrize("name", NAMES)
every_recipe = pytest.mark.parametrize("name", RECIPES)


def sentence(element):
    return text(having(element, "says")[0])


def named(sign):
    return {" ": "a blank", "_": "the start mark _"}.get(sign, sign)


def both(name):
    it = case(name)
    return it, {"forced": forced(it), "free": it.trace}


# Fed the right answer, and fed its own choices


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


# One step of an LSTM


@every_recipe
def test_a_step_taken_apart_is_put_together_from_the_trace_s_arrays(name):
    it, steps = case(name), case(name).trace.encoder
    drawn = iter(elements("cell", name))
    for place in places(it):
        zeros = np.zeros_like(steps.h[0])
        h_before, c_before = (steps.h[place - 1], steps.c[place - 1]) if place else (zeros, zeros)
        f, i, o, g = (steps.gates[gate][place] for gate in "fiog")
        h, c = steps.h[place], steps.c[place]
        np.testing.assert_allclose(f * c_before + i * g, c, atol=1e-5)
        np.testing.assert_allclose(o * np.tanh(c), h, atol=1e-5)
        terms = [
            [(steps.x[place], "x", X_SCALE), (h_before, "h", 1), (c_before, "c", C_SCALE)],
            [(f, "f", 1), (c_before, "c", C_SCALE), (f * c_before, "c", C_SCALE)],
            [(i, "i", 1), (g, "g", 1), (i * g, "c", C_SCALE)],
            [(f * c_before, "c", C_SCALE), (i * g, "c", C_SCALE), (c, "c", C_SCALE)],
            [(o, "o", 1), (np.tanh(c), "c", 1), (h, "h", 1)],
        ]
        for wanted in terms:
            for grid, (values, kind, scale) in zip(grids(next(drawn)), wanted, strict=True):
                assert_shows(grid, values, kind, scale)
    assert next(drawn, None) is None


@every_recipe
def test_one_unit_is_followed_through_all_grids_and_its_numbers_are_told(name):
    it, steps = case(name), case(name).trace.encoder
    H, drawn = it.recipe.hidden_size, elements("cell", name)
    for k, place in enumerate(places(it)):
        c_before = steps.c[place - 1] if place else np.zeros(H)
        h_before = steps.h[place - 1] if place else np.zeros(H)
        u = int(np.abs(steps.c[place] - c_before).argmax())
        f, i, o, g = (steps.gates[gate][place][u] for gate in "fiog")
        h, c, c_was = steps.h[place][u], steps.c[place][u], c_before[u]
        numbers = [
            [h_before[u], c_was],
            [f, c_was, f * c_was],
            [i, g, i * g],
            [f * c_was, i * g, c],
            [o, c, h],
        ]
        for element, wanted in zip(drawn[5 * k : 5 * k + 5], numbers, strict=True):
            assert all(grid.unit == [u] for grid in grids(element) if grid.kind != "x")
            worked = text(having(element, "worked")[0])
            follow, told = worked.split(":")
            assert follow == f"Follow one unit, number {u + 1} of {H}, framed in every grid"
            told = [float(n) for n in re.findall(r"-?\d+\.\d\d", told.replace("−", "-"))]
            np.testing.assert_allclose(told, wanted, atol=0.00501)
            assert "−0.00" not in worked


@pytest.mark.parametrize("place", [-1, 7, 100])
def test_a_place_where_nothing_is_read_is_refused(place):
    it = case("small")
    with pytest.raises(ValueError, match=f"place: expected 0 to 6, got {place}"):
        closeups.cell(it.trace, it.recipe, place)


@pytest.mark.parametrize("name", ["pass through", "pass through at once"])
def test_a_blank_that_is_passed_over_cannot_be_taken_apart(name):
    it = case(name)
    blanks = set(range(len(it.read))) - set(places(it))
    assert len(blanks) == 3
    for place in blanks:
        with pytest.raises(ValueError, match=f"got the blank at {place}"):
            closeups.cell(it.trace, it.recipe, place)


# The epochs of training


def made_up(epochs=3, **changes):
    return {
        "untrained_accuracy": 0.0,
        "validation_accuracy": [0.25, 0.5, 1.0][:epochs],
        "answers": {"2+5": ["", "7", "<b>", "7"][: epochs + 1], "57+5": ["62", "6", "62", "7"]},
        "known": {"2+5": "trained", "57+5": "new"},
        **changes,
    }


def two_made_up():
    other = {"2+5": ["8", "9", "7", "7"], "57+5": ["62", "62", "6", "62"]}
    return {"baseline": made_up(), "reverse+peeky": made_up(answers=other)}


def of_the_book():
    path = Path(__file__).parents[1] / "book" / "results" / "snapshots.json"
    return {recipe_of(run).variant: run for run in json.loads(path.read_text("utf-8"))["runs"]}


every_run = pytest.mark.parametrize("runs", [two_made_up, of_the_book], ids=["made up", "book"])


@every_run
def test_answers_after_each_epoch_are_those_of_the_runs_and_are_judged(runs):
    runs = runs()
    for epoch, frame in enumerate(closeups.epochs(runs)):
        element = parsed(frame.html())
        head, *rows = having(element, "answers")[0].iter("tr")
        assert [text(th) for th in head] == ["question", *runs]
        told = {text(row[0]).split(" ")[0]: row for row in rows}
        assert list(told) == list(next(iter(runs.values()))["answers"])
        right = dict.fromkeys(runs, 0)
        for question, (th, *cells) in told.items():
            total = str(sum(map(int, question.split("+"))))
            for (name, run), cell in zip(runs.items(), cells, strict=True):
                answer = run["answers"][question][epoch]
                right[name] += answer == total
                judged = ("ok", "right") if answer == total else ("bad", "wrong")
                assert (cell.get("class"), text(cell[0]).strip()) == judged
                assert cell.text == (answer or "(empty)")
                assert text(th[0]) == run["known"][question]
        counts = ", ".join(f"{name} {number}" for name, number in right.items())
        assert sentence(element).endswith(f"{len(told)} questions below: {counts}.")


@every_run
def test_accuracies_after_each_epoch_are_those_of_the_runs_in_words_and_curves(runs):
    runs = runs()
    drawn = closeups.epochs(runs)
    accuracies = [[run["untrained_accuracy"], *run["validation_accuracy"]] for run in runs.values()]
    assert len(drawn) == len(accuracies[0])
    for epoch, frame in enumerate(drawn):
        element = parsed(frame.html())
        told = [float(n) for n in re.findall(r"([\d.]+)\u00a0%", sentence(element))]
        np.testing.assert_allclose(told, [100 * each[epoch] for each in accuracies], atol=0.0501)
        past = [path.get("d")[1:].split("L") for path in having(element, "past")]
        assert len(past) == (len(runs) if epoch else 0)
        for points, each in zip(past, accuracies, strict=False):
            heights = [1 - (float(point.split()[1]) - 12) / 130 for point in points]
            np.testing.assert_allclose(heights, each[: epoch + 1], atol=0.001)
        last = len(drawn) - 1
        at = f"After epoch {epoch} of {last}" if epoch else "Before training"
        assert frame.label == at
        assert element.find(".//svg[@role='img']").get("aria-label").endswith(f"at epoch {epoch}.")


def test_the_last_answers_are_those_of_the_models_that_are_shipped():
    last = parsed(closeups.epochs(of_the_book())[-1].html())
    _, *rows = having(last, "answers")[0].iter("tr")
    for th, *cells in rows:
        question = text(th).split(" ")[0]
        for name, cell in zip(of_the_book(), cells, strict=True):
            assert (cell.text or "") == (load_pretrained(name)(question) or "(empty)")


@pytest.mark.parametrize(
    "runs",
    [
        {},
        {"baseline": made_up(), "reverse": made_up(epochs=2)},
        {"baseline": made_up(epochs=0)},
    ],
    ids=["none", "of other lengths", "untrained"],
)
def test_runs_that_cannot_be_drawn_side_by_side_are_refused(runs):
    with pytest.raises(ValueError, match="runs: expected one or more, of equally many epochs"):
        closeups.epochs(runs)
