"""The sentences of an answer's frames tell what its trace has."""

import re

import numpy as np
from cases import every_case, every_recipe, parts_of
from reading import named, percent, sentence


@every_case
def test_the_sentence_of_the_encoder_has_place_and_counts(name):
    it, encoder, *_ = parts_of(name)
    h = it.trace.encoder.h
    for k, element in enumerate(encoder):
        says = sentence(element)
        assert f"reads {named(it.read[k])}, character {k + 1} of {len(it.read)}." in says
        assert ("from its last character" in says) == (k == 0 and it.recipe.reverse)
        blank = it.recipe.pass_through and it.read[k] == " "
        assert ("passes over blanks" in says) == blank
        assert ("change sign" in says) == (k > 0 and not blank)
        if "change sign" in says:
            counts = re.search(r"(\d+) of the (\d+) numbers.*?0.25; (\d+) change sign", says)
            moved, turned = abs(h[k] - h[k - 1]) > 0.25, h[k] * h[k - 1] < 0
            assert [*map(int, counts.groups())] == [moved.sum(), h.shape[1], turned.sum()]


@every_case
def test_the_sentence_of_the_decoder_has_the_two_likeliest_and_their_shares(name):
    it, _, _, decoder = parts_of(name)
    for k, element in enumerate(decoder):
        p, says = it.trace.probabilities[k], sentence(element)
        fed = named(it.characters[it.trace.decoder.ids[k]])
        first, second = np.argsort(-p, kind="stable")[:2]
        opening = f"Fed its last choice, {fed}, " if k else f"Fed {fed}, "
        likeliest = f"{opening}the decoder finds {named(it.characters[first])} most likely: "
        assert says.startswith(likeliest)
        assert says.removeprefix(likeliest).split("\u00a0%")[0] in percent(p[first])
        told = re.search(r"Next comes (.+?): (.+?)\u00a0%", says)
        assert bool(told) == (p[second] >= 0.005)
        if told:
            assert told[1] == named(it.characters[second]) and told[2] in percent(p[second])
        assert f" It writes {named(it.characters[it.trace.choices[k]])}" in says


@every_recipe
def test_each_character_written_is_called_right_or_told_what_is(name):
    it, *_, decoder = parts_of(name)
    for k, element in enumerate(decoder):
        writes = it.characters[it.trace.choices[k]]
        rest = sentence(element).split(f"It writes {named(writes)}", 1)[1]
        if k >= it.counted or writes == it.wanted[k]:
            assert rest.startswith("." if k >= it.counted else ", which is right.")
            continue
        right = re.match(r"\. Right would be (.+?): (.+?)\u00a0%\.", rest)
        p = it.trace.probabilities[k][it.characters.index(it.wanted[k])]
        assert right[1] == named(it.wanted[k]) and right[2] in percent(p)
