"""Several models side by side: each is drawn as alone, told of by name, and in lockstep."""

import re

import pytest
from cases import case
from reading import named, parsed, percent, text

from seq2seq_lib import frames

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
    traces = [it.writing(it.mistaken(wrong)).trace for wrong in (None, 0)]
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
