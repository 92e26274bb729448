"""Every frame of an answer shows the numbers of its trace, and says what it shows."""

import copy
import re

import numpy as np
import pytest
from reading import (
    KINDS,
    NAMES,
    RECIPES,
    assert_framed,
    assert_inside,
    assert_shows,
    bars,
    case,
    character,
    drawn,
    elements,
    grids,
    having,
    parsed,
    percent,
    text,
)

from seq2seq_lib import frames

every_case = pytest.mark.parametrize("name", NAMES)
every_recipe = pytest.mark.parametrize("name", RECIPES)
every_kind = pytest.mark.parametrize("kind", KINDS)
TAGS = "div p b i span s em ol li figure figcaption small svg path details summary sub"
TABLE = "table tbody tr th td"


def parts_of(name, kind="generation"):
    """A case, and its frames: those of the encoder, the bridge, those of the decoder"""
    it, found = case(name), elements(kind, name)
    T = len(it.read)
    assert len(found) == T + 1 + len(it.wanted)
    return it, found[:T], found[T], found[T + 1 :]


def sentence(element):
    (says,) = having(element, "says")
    return text(says)


def named(sign):
    return {" ": "a blank", "_": "the start mark _"}.get(sign, sign)


def before(steps, k, first):
    return steps[k - 1] if k else first


@every_case
@every_kind
def test_every_frame_is_well_formed_and_known_tags_alone_stand_in_it(kind, name):
    for element in elements(kind, name):
        assert {each.tag for each in element.iter()} <= set(f"{TAGS} {TABLE}".split())


@every_case
@every_kind
def test_the_same_trace_gives_the_same_bytes_and_stays_as_it_is(kind, name):
    it = case(name)
    kept = copy.deepcopy(it.trace)
    assert [frame.html() for frame in KINDS[kind](it)] == drawn(kind, name)
    for part in "encoder", "decoder":
        for array in "ids", "x", "h", "c":
            was, now = (getattr(getattr(trace, part), array) for trace in (kept, it.trace))
            np.testing.assert_array_equal(was, now)


@every_case
@every_kind
def test_every_picture_has_a_name_or_is_hidden_from_who_cannot_see_it(kind, name):
    for element in elements(kind, name):
        for each in element.iter():
            assert each.get("aria-label", "a name").strip()
            assert each.get("role") != "img" or each.get("aria-label")
            assert each.tag != "svg" or each.get("role") == "img" or each.get("aria-hidden")


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
def test_where_nobody_knows_the_right_answer_nothing_is_judged(name):
    for element in elements("unjudged", name):
        assert not any(having(element, kind) for kind in ("right", "ok", "bad"))
        assert "right" not in sentence(element).lower()


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
    assert_shows(c, it.trace.encoder.c[-1], kind, frames.C_SCALE)
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


@every_recipe
def test_a_frame_unfolds_as_the_same_frame_with_what_is_inside_open(name):
    for frame in KINDS["generation"](case(name)):
        folded, unfolded = frame.html(), frame.html(unfolded=True)
        assert unfolded.count("<details open ") == folded.count("<details ")
        assert unfolded.replace("<details open ", "<details ") == folded


def tape(element, side):
    """The tiles of the question or the answer: character, marks, what stands under it"""
    (part,) = having(element, side)
    return [
        (character(tile), set(tile.get("class", "").split()) - {"sp"}, [*map(character, tile)])
        for tile in part.find("ol")
    ]


@every_case
def test_the_tape_has_the_question_as_written_and_marks_how_far_it_is_read(name):
    it, encoder, bridge, decoder = parts_of(name)
    order = -1 if it.recipe.reverse else 1
    side = it.recipe.layout.vocabulary.encode([it.question], len(it.read), it.recipe.padding)
    (written,) = it.recipe.layout.vocabulary.decode(side)
    for k, element in enumerate([*encoder, bridge, *decoder]):
        tiles = tape(element, "asked")
        assert "".join(character for character, *_ in tiles) == written
        marks = [
            ({"read"} if place < k else {"now"} if place == k else set(), [str(place + 1)])
            for place in range(len(it.read))
        ]
        assert [tuple(rest) for _, *rest in tiles] == marks[::order]
        (asked,) = having(element, "asked")
        assert ("read backwards" in text(asked)) == it.recipe.reverse
        assert bool(having(element, "crossed")) == (k >= len(it.read))


def mistaken(it, wrong):
    """What is right to write but for one place; all of it with None"""
    row = list(it.wanted)
    if wrong is not None:
        row[wrong] = next(c for c in it.characters if c not in (row[wrong], "_", " "))
    return "".join(row)


@every_recipe
@pytest.mark.parametrize("wrong", [None, 0, 1, 2])
def test_what_is_written_stands_over_what_is_right_and_is_judged(name, wrong):
    it = case(name)
    it = it.writing(mistaken(it, wrong))
    found = [parsed(frame.html()) for frame in KINDS["generation"](it)]
    goal = [[c] * (k < it.counted) for k, c in enumerate(it.wanted)]
    for k, element in enumerate(found):
        done = max(0, k - len(it.read))
        for place, (sign, marks, under) in enumerate(tape(element, "written")):
            assert under == goal[place]
            if place >= done:
                assert (sign, marks) == ("·", set())
                continue
            verdict = ["bad"] if place == wrong else ["ok"]
            verdict = verdict if place < it.counted else ["done"]
            assert sign == it.characters[it.trace.choices[place]]
            assert marks == {*verdict, *["now"] * (place + 1 == done)}


@every_recipe
@pytest.mark.parametrize("wrong", [[], [0], [1], [1, 2], [0, 1, 2], [-1]])
def test_the_first_mistake_is_marked_where_it_is_and_nowhere_else(name, wrong):
    it, row = case(name), list(case(name).wanted)
    for place in wrong:
        row[place] = mistaken(it, place)[place]
    it = it.writing("".join(row))
    places = [place % len(row) for place in wrong if place % len(row) < it.counted]
    S = len(row)
    found = [parsed(frame.html()) for frame in KINDS["generation"](it)]
    told = [k for k, each in enumerate(found) if "This is the first mistake." in sentence(each)]
    assert told == [len(it.read) + 1 + place for place in places[:1]]
    for k, element in enumerate(found):
        marks = [(text(em), em.get("style")) for em in having(element, "bad") if em.tag == "em"]
        seen = [place for place in places[:1] if len(it.read) + 1 + place <= k]
        assert marks == [("↑ first wrong", f"margin-left:{100 * p / S:.4g}%") for p in seen]
    (answer,) = it.recipe.layout.decode_answers([it.trace.choices])
    end = f"The answer is {answer or 'empty'}"
    whole = f"; it should be {it.right}." if places else ", as it should be."
    assert sentence(found[-1]).endswith(end + whole)


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


@every_recipe
def test_a_note_says_so_where_the_units_come_first(name):
    it, *_ = parts_of(name)
    right = it.writing(it.wanted)
    for frame in KINDS["generation"](right):
        assert ("↑ units first" in frame.html()) == it.recipe.units_first
        assert ("↑ should be" in frame.html()) == (not it.recipe.units_first)


PAIRS = [("small", "reversed"), ("peeking", "cell"), ("all", "end mark"), ("baseline", "reverse")]


@pytest.mark.parametrize("names", PAIRS, ids=" beside ".join)
def test_models_side_by_side_are_each_drawn_as_alone_in_lockstep(names):
    both = [case(name) for name in names]
    traces, recipes = [it.trace for it in both], [it.recipe for it in both]
    alone = [frames.generation(it.trace, it.recipe, it.right) for it in both]
    together = frames.comparison(traces, recipes, names, both[0].right)
    for k, (frame, *each) in enumerate(zip(together, *alone, strict=True), 1):
        assert frame.label.startswith(f"Step {k} of {len(together)} ")
        halves = frame.picture.split('<div class="half">')[1:]
        for half, name, single in zip(halves, names, each, strict=True):
            title = single.label.split(" ", 5)[5]
            assert single.picture in half
            assert half.startswith(f'<p class="name"><b>{name}</b> ')
            assert title.endswith(text(parsed(half.split("</p>")[0] + "</p>"))[len(name) + 1 :])


@pytest.mark.parametrize("names", PAIRS, ids=" beside ".join)
def test_the_sentence_of_a_comparison_tells_of_each_model_by_name(names):
    both = [case(name) for name in names]
    together = frames.comparison(*zip(*((it.trace, it.recipe) for it in both), strict=True), names)
    for k, frame in enumerate(together):
        says = text(parsed(frame.sentence))
        for it, name in zip(both, names, strict=True):
            place = k - len(it.read) - 1
            if place >= 0:
                writes = named(it.characters[it.trace.choices[place]])
                share = re.search(rf"{name} writes {re.escape(writes)} \((.+?)\u00a0%\)", says)[1]
                assert share in percent(it.trace.probabilities[place].max())
            else:
                reads = k < len(it.read) and f"{name} reads {named(it.read[k])}."
                hands = f"{name} hands over " + ("h and c" if it.recipe.pass_cell else "is h")
                assert (reads or f"{hands}: {it.recipe.hidden_size} numbers") in says
    assert all(f"{name}'s answer is " in says for name in names)


def test_the_sentence_of_a_comparison_judges_each_model():
    it = case("small")
    traces = [it.writing(mistaken(it, wrong)).trace for wrong in (None, 0)]
    step = frames.comparison(traces, [it.recipe] * 2, ["one", "two"], it.right)[len(it.read) + 1]
    says = text(parsed(step.sentence)).replace("\u00a0", " ")
    assert re.fullmatch(
        r"one writes 6 \(\d+ %\), which is right. "
        r"two writes 0 \(\d+ %\), but 6 would be right.",
        says,
    )


@pytest.mark.parametrize("names", [("small", "end mark"), ("small", "hostile")])
def test_models_with_other_numbers_of_steps_cannot_go_side_by_side(names):
    both = [case(name) for name in names]
    with pytest.raises(ValueError, match="expected equally many steps of each model"):
        frames.comparison(*zip(*((it.trace, it.recipe) for it in both), strict=True), names)


def test_each_model_needs_a_recipe_and_a_name():
    it = case("small")
    with pytest.raises(ValueError, match=r"shorter|longer"):
        frames.comparison([it.trace] * 2, [it.recipe], ["one", "two"])
