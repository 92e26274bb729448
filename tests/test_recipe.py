"""A recipe decides everything, survives JSON, and refuses what makes no sense by its name."""

import json
import math
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import small_recipe

from seq2seq_lib import VARIANTS, Examples, Recipe
from seq2seq_lib.recipe import CHOICES, SMALLEST_AND_LARGEST

KINDS = {field.name: field.type for field in fields(Recipe)}


def values_of(name):
    if name in SMALLEST_AND_LARGEST:
        least, most = SMALLEST_AND_LARGEST[name]
        if KINDS[name] is int:
            return st.integers(least, most)
        return st.floats(least, most, exclude_min=True)
    if name in CHOICES:
        return st.sampled_from(CHOICES[name])
    if name == "characters":
        return st.text(st.characters(), min_size=1, max_size=9).map(
            lambda text: " _" + "".join(dict.fromkeys("0" + text.replace(" ", "").replace("_", "")))
        )
    return st.booleans() if KINDS[name] is bool else st.text()


RECIPES = st.fixed_dictionaries({}, optional={name: values_of(name) for name in KINDS}).map(
    lambda changes: Recipe(**changes)
)


@given(RECIPES)
def test_a_recipe_survives_json(recipe):
    again = Recipe.from_dict(json.loads(recipe.to_json()))
    assert again == recipe and hash(again) == hash(recipe)
    assert again.to_json() == recipe.to_json() and "\n" not in recipe.to_json()


@given(RECIPES, RECIPES)
def test_recipes_are_equal_exactly_if_all_their_fields_are(one, other):
    assert (one == other) == (one.to_dict() == other.to_dict())
    assert len({one, other}) == 1 + (one != other)


def test_a_recipe_cannot_be_changed_but_replaced():
    recipe = Recipe()
    with pytest.raises(FrozenInstanceError):
        recipe.seed = 1
    assert recipe.replace(seed=1).seed == 1 and recipe.seed == 0


def test_the_defaults_are_the_recipe_of_the_source():
    recipe = Recipe()
    sizes = recipe.wordvec_size, recipe.hidden_size, recipe.batch_size, recipe.epochs
    assert sizes == (16, 128, 128, 25)
    assert (recipe.learning_rate, recipe.max_norm, recipe.schedule) == (0.001, 5.0, "constant")
    assert (recipe.train_size, recipe.validation_size, recipe.test_size) == (45_000, 5_000, 5_000)
    assert not any(getattr(recipe, name) for name, kind in KINDS.items() if kind is bool)


def wrong_values():
    for name, kind in KINDS.items():
        wrong_types = {
            bool: [1, 0, "yes", None],
            int: [True, 1.0, "1", None, [1], np.float64(1)],
            float: [True, "0.1", None, 1j, math.nan],
            str: [1, None, b"end", ["end"]],
        }
        yield from ((name, value) for value in wrong_types[kind])
        if name in SMALLEST_AND_LARGEST:
            least, most = SMALLEST_AND_LARGEST[name]
            yield name, least - 1
            yield name, most * 2
            yield name, 10**30
        if kind is float:
            yield from ((name, value) for value in (0, 0.0, -0.0, math.inf, -math.inf))
        if name in CHOICES:
            yield from ((name, value) for value in ("", "END", "middle", "x" * 1_000_000))
    for characters in ("", "_", " _", "01_", "01 ", "0 _0", "".join(map(chr, range(10_033)))):
        yield "characters", characters


@pytest.mark.parametrize(
    ("name", "value"), list(wrong_values()), ids=lambda value: ascii(value)[:20].replace("\\", "")
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_its_field(name, value):
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got ") as refusal:
        Recipe(**{name: value})
    assert str(refusal.value).isprintable() and len(str(refusal.value)) < 250


@pytest.mark.parametrize("values", [None, [], "recipe", 3, [["seed", 1]]])
def test_what_is_no_json_object_is_no_recipe(values):
    with pytest.raises(ValueError, match="recipe: expected a JSON object, got"):
        Recipe.from_dict(values)


@pytest.mark.parametrize("name", ["hiddensize", "", "__class__", "x" * 1_000_000, "\x1b[31m"])
def test_an_unknown_field_is_refused(name):
    with pytest.raises(ValueError, match="recipe: expected known fields, got") as refusal:
        Recipe.from_dict({name: 1, "seed": 2})
    assert str(refusal.value).isprintable() and len(str(refusal.value)) < 150


def test_a_missing_field_has_its_default():
    assert Recipe.from_dict({"seed": 3}) == Recipe(seed=3)


def test_the_four_variants_are_the_combinations_of_two_switches():
    assert list(VARIANTS) == ["baseline", "reverse", "peeky", "reverse+peeky"]
    recipes = {name: Recipe.of(name, seed=7) for name in VARIANTS}
    assert {name: recipe.variant for name, recipe in recipes.items()} == {n: n for n in VARIANTS}
    assert len({(recipe.reverse, recipe.peeky) for recipe in recipes.values()}) == 4
    assert {recipe.seed for recipe in recipes.values()} == {7}


@pytest.mark.parametrize("variant", ["", "peeky+reverse", "Peeky", None, 1, ["peeky"], {}])
def test_an_unknown_variant_is_refused(variant):
    with pytest.raises(ValueError, match="variant: expected one of baseline, reverse, peeky, "):
        Recipe.of(variant)


def test_stages_draw_independently_of_each_other_and_differ_by_seed():
    draws = {
        (seed, stage): tuple(Recipe(seed=seed).rng(stage).random(3))
        for seed in range(3)
        for stage in range(3)
    }
    assert len(set(draws.values())) == 9
    assert draws[1, 2] == tuple(Recipe(seed=1).rng(2).random(3))


def test_the_cosine_schedule_rises_for_a_twentieth_and_then_falls_to_nothing():
    rates = [Recipe(schedule="cosine").rate(update, 1000) for update in range(1000)]
    top = int(np.argmax(rates))
    assert top == 50 and rates[top] == 0.001
    assert np.all(np.diff(rates[: top + 1]) > 0) and np.all(np.diff(rates[top:]) < 0)
    assert 0 < rates[-1] < 1e-8
    assert {Recipe().rate(update, 1000) for update in range(1000)} == {0.001}


PAIRS = [(a, b) for a in range(12) for b in range(a, 12)]
EXAMPLES = Examples([f"{a}+{b}" for a, b in PAIRS], [str(a + b) for a, b in PAIRS])


def test_a_recipe_for_other_questions_has_their_sizes_widths_and_characters():
    recipe = small_recipe("peeky").for_examples(EXAMPLES)
    sizes = recipe.train_size, recipe.validation_size, recipe.test_size
    assert sizes == (62, 8, 8) and (recipe.question_width, recipe.answer_width) == (5, 2)
    assert recipe.characters == Recipe().characters
    assert (recipe.variant, recipe.hidden_size) == ("peeky", 16)
    assert [len(part.questions) for part in recipe.splits(EXAMPLES)] == [*sizes]


def test_characters_that_additions_do_not_use_join_the_vocabulary():
    examples = Examples(EXAMPLES.questions, [answer + "吾輩" for answer in EXAMPLES.answers])
    recipe = small_recipe().for_examples(examples)
    assert recipe.characters == "".join(sorted(" +0123456789_吾輩"))


@pytest.mark.parametrize(
    "others",
    [None, Examples(EXAMPLES.questions[:-1], EXAMPLES.answers[:-1]), Examples(["1+1"], ["3"])],
)
def test_only_the_questions_of_the_recipe_are_accepted(others):
    with pytest.raises(ValueError, match=r"data: expected the .*questions that this"):
        small_recipe().for_examples(EXAMPLES).splits(others)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_questions_to_split_are_refused(count):
    few = Examples(EXAMPLES.questions[:count], EXAMPLES.answers[:count])
    with pytest.raises(ValueError, match=f"data: expected enough questions .*, got {count}"):
        small_recipe().for_examples(few)


def test_the_data_seed_decides_the_questions_and_the_seed_does_not():
    splits = small_recipe().splits()
    assert splits == small_recipe(seed=1, hidden_size=3).splits()
    assert splits != small_recipe(data_seed=1).splits()


@pytest.mark.parametrize("switch", ["mask_loss", "pass_through"])
def test_texts_with_blanks_are_refused_where_a_blank_means_padding(switch):
    examples = Examples([f"a {k}" for k in range(20)], ["b"] * 20)
    assert Recipe().for_examples(examples).question_width == 4
    with pytest.raises(ValueError, match="without blanks, got 'a 0'"):
        Recipe(**{switch: True}).for_examples(examples)
