"""The frames of an answer's steps show the numbers of its trace."""

import re

import numpy as np
from cases import every_case, every_recipe, parts_of
from reading import (
    assert_framed,
    assert_inside,
    assert_shows,
    bars,
    character,
    grids,
    having,
    named,
    sentence,
    text,
)

from seq2seq_lib import frames
from seq2seq_lib.frames.cell import C_SCALE


def before(steps, k, first):
    return steps[k - 1] if k else first


@every_case
def test_heads_count_the_steps_and_name_parts_and_characters(name):
    it, *_ = parts_of(name)
    found = frames.generation(it.trace, it.recipe, it.right)
    titles = [
        *(f"encoder reads {named(c)}" for c in it.read),
        "hand-over passes h on",
        *(f"decoder writes {named(it.characters[c])}" for c in it.trace.choices),
    ]
    for k, (frame, title) in enumerate(zip(found, titles, strict=True), 1):
        assert frame.label == f"Step {k} of {len(titles)} {title}"


@every_case
def test_a_step_of_the_encoder_shows_h_its_change_and_what_is_inside(name):
    it, encoder, *_ = parts_of(name)
    steps, zeros = it.trace.encoder, np.zeros(it.recipe.hidden_size)
    for k, element in enumerate(encoder):
        h, change, *folded = grids(element)
        h_before, c_before = before(steps.h, k, zeros), before(steps.c, k, zeros)
        assert_shows(h, steps.h[k], "h")
        assert_framed(h, steps.h[k], h_before)
        assert_shows(change, steps.h[k] - h_before, "change")
        if it.recipe.pass_through and it.read[k] == " ":
            assert not folded and not any(change.sizes)
        else:
            assert_inside(folded, steps, k, c_before)


@every_case
def test_a_step_of_the_decoder_shows_h_and_what_is_inside_and_scores(name):
    it, _, _, decoder = parts_of(name)
    t, steps = it.trace, it.trace.decoder
    for k, element in enumerate(decoder):
        h, *folded = grids(element)
        assert_shows(h, steps.h[k], "h")
        assert_framed(h, steps.h[k], before(steps.h, k, t.bridge_h))
        if it.recipe.peeky:
            assert_shows(folded.pop(1), t.bridge_h, "h small")
        assert_inside(folded, steps, k, before(steps.c, k, t.bridge_c))
        told = text(having(element, "scores")[0]).removeprefix("scores ")
        scores = re.findall(r"(.+?) ([−+])(\d+\.\d)(?:, |$)", told)
        assert [c for c, *_ in scores] == [named(c) for c in it.characters]
        numbers = [float(sign.replace("−", "-") + number) for _, sign, number in scores]
        np.testing.assert_allclose(numbers, t.scores[k], atol=0.0501)


@every_case
def test_bars_are_the_probabilities_with_the_choice_and_the_right_one_marked(name):
    it, _, _, decoder = parts_of(name)
    for k, element in enumerate(decoder):
        (chart,) = bars(element)
        assert "".join(bar.character for bar in chart) == it.characters
        p = it.trace.probabilities[k]
        np.testing.assert_allclose([bar.height for bar in chart], 100 * p, atol=0.0501)
        marked = {
            mark: [bar.character for bar in chart if mark in bar.marks]
            for mark in ("chosen", "right")
        }
        assert marked["chosen"] == [it.characters[it.trace.choices[k]]]
        assert marked["right"] == ([it.wanted[k]] if k < it.counted else [])


@every_case
def test_the_choice_goes_back_in_at_the_next_step_and_the_last_one_nowhere(name):
    it, encoder, _, decoder = parts_of(name)
    for k, element in enumerate(decoder):
        (fed,) = having(element, "fed")
        assert character(having(fed, "character")[0]) == it.characters[it.trace.decoder.ids[k]]
        back = [(text(loop), loop.get("style")) for loop in having(element, "loop")]
        choice = it.trace.choices[k]
        words = f"{named(it.characters[choice])} goes back in at step {len(encoder) + k + 3}"
        place = f"--k:{choice};--n:{len(it.characters)}"
        assert back == [(words, place)] * (k + 1 < len(decoder))


@every_recipe
def test_h_goes_over_and_c_only_where_the_recipe_says_so(name):
    it, _, bridge, _ = parts_of(name)
    h, c = grids(bridge)
    assert_shows(h, it.trace.bridge_h, "h")
    kind, caption = ("c", "goes to the decoder") if it.recipe.pass_cell else ("c left", "behind")
    assert_shows(c, it.trace.encoder.c[-1], kind, C_SCALE)
    assert c.caption.endswith(caption)
    assert ("stays behind" in sentence(bridge)) == (not it.recipe.pass_cell)
    assert f"the {it.recipe.hidden_size} numbers of h" in sentence(bridge)


@every_recipe
def test_a_peeky_decoder_is_shown_with_h_of_the_question_and_no_other(name):
    it, encoder, bridge, decoder = parts_of(name)
    assert ("looks at the encoder's h again" in sentence(bridge)) == it.recipe.peeky
    for element in decoder:
        assert bool(having(element, "peek")) == bool(having(element, "small")) == it.recipe.peeky
    assert not any(having(element, "peek") for element in encoder)
