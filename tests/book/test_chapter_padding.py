"""Strict padding: what the chapter builds is the library's, and what it says holds."""

import ast
import math

import numpy as np
import pytest
from chapters import cells, defined, exact, results, source

from seq2seq_lib import Examples, Recipe, load_pretrained
from seq2seq_lib.layers import TimeSoftmaxWithLoss
from seq2seq_lib.lstm import TimeLSTM
from seq2seq_lib.results import recipe_of, select

N, T, D, H, V = 3, 6, 4, 5, 7
BUILT = defined("padding")
ROUNDING = 1e-6  # of 32-bit products whose rows stand in other places


def assert_same(one, other):
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


# What the chapter builds


@pytest.mark.parametrize("ignore_id", [2, V])  # V is no target: nothing is masked
def test_the_masked_loss_is_the_librarys(rng, ignore_id):
    own, library = BUILT["MaskedSoftmaxWithLoss"](ignore_id), TimeSoftmaxWithLoss(ignore_id)
    scores, ts = rng.standard_normal((N, T, V)), rng.integers(0, 4, (N, T))
    assert 0 < (ts == 2).sum() < ts.size
    assert_same(own.forward(scores, ts), library.forward(scores, ts))
    assert_same(own.backward(1.5), library.backward(1.5))
    assert (own.backward()[ts == ignore_id] == 0).all()


def test_without_a_counted_target_the_loss_is_zero_and_so_is_its_gradient(rng):
    own = BUILT["MaskedSoftmaxWithLoss"](2)
    assert own.forward(rng.standard_normal((N, T, V)), np.full((N, T), 2)) == 0
    assert (own.backward() == 0).all()


def a_layer(rng):
    weights = {"Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": 4 * H}
    return {name: rng.standard_normal(shape) for name, shape in weights.items()}


@pytest.mark.parametrize("real", [0.0, 0.5, 1.0])
def test_pass_through_is_the_librarys_forwards_and_backwards(rng, real):
    params, xs, dhs = a_layer(rng), rng.standard_normal((N, T, D)), rng.standard_normal((N, T, H))
    h, c, keep = rng.standard_normal((N, H)), rng.standard_normal((N, H)), rng.random((N, T)) < real
    library = TimeLSTM(**params, stateful=True)
    library.set_state(h, c)
    hs, c_last, steps = BUILT["pass_through_forward"](xs, keep, h, c, params)
    assert_same(hs, library.forward(xs, keep=keep))
    assert_same(c_last, library.c)
    dxs, dh, dc, grads = BUILT["pass_through_backward"](dhs, steps, params)
    assert_same(dxs, library.backward(dhs))
    assert_same(dh, library.dh)
    assert_same(dc, library.dc)
    for name, gradient in grads.items():
        assert_same(gradient, library.grads[name])
    assert (dxs[~keep] == 0).all()


def without_docstring(chapter, name):
    """The code of a function that a chapter defines"""
    code = "\n".join(
        source(cell)
        for cell in cells(chapter)
        if cell["cell_type"] == "code" and f"def {name}(" in source(cell)
    )
    (function,) = [each for each in ast.parse(code).body if getattr(each, "name", "") == name]
    return ast.unparse(function.body[1:])


def test_the_steps_are_those_of_the_chapter_on_layers():
    for name in ("lstm_step", "lstm_step_backward"):
        assert without_docstring("padding", name) == without_docstring("layers", name)


# What the chapter says about blanks


def asked_with(blanks, model, layout, text="57+5"):
    row = layout.vocabulary.encode([text], len(text) + blanks)
    return layout.decode_answers(model.generate(row, layout.start_id, layout.sample_size))[0]


def test_blanks_change_the_baselines_answer_as_the_chapter_says():
    solver = load_pretrained("baseline")
    numbers = [int(asked_with(blanks, solver.model, solver.layout)) for blanks in (0, 1, 2, 3, 6)]
    assert numbers[0] > 620 and abs(numbers[3] - 62) < 5
    assert (np.diff(numbers) < 0).all()


def test_with_pass_through_neither_number_nor_side_of_blanks_changes_the_state():
    strict = Recipe.of("baseline", pass_through=True).build_model()
    plain, layout = Recipe.of("baseline").build_model(), Recipe.of("baseline").layout
    texts = "57+5", "57+5   ", "   57+5", " 57+5  "
    for model, equal in (strict, True), (plain, False):
        first, *others = [
            model.encoder.forward(layout.vocabulary.encode([text], len(text))) for text in texts
        ]
        furthest = [np.abs(first - other).max() for other in others]
        assert all((apart < ROUNDING) if equal else (apart > 1e-3) for apart in furthest)


def test_handing_on_h_alone_shows_only_if_a_digit_follows_the_blank(rng):
    params, zeros = a_layer(rng), np.zeros((1, H))
    step, word = BUILT["lstm_step"], rng.standard_normal((4, 1, D))
    blank = [rng.standard_normal((1, D))]

    def last(vectors, real):
        h = c = zeros
        for x, is_real in zip(vectors, real, strict=True):
            h_new, c, _ = step(x, h, c, **params)
            h = h_new if is_real else h
        return h

    alone = last(word, [True] * 4)
    assert np.array_equal(alone, last([*word, *blank], [True] * 4 + [False]))
    assert not np.allclose(alone, last([*blank, *word], [False] + [True] * 4))


def test_the_masked_mean_is_as_in_the_questions():
    loss, layout = BUILT["MaskedSoftmaxWithLoss"](11), Recipe.of("baseline").layout
    assert layout.pad_id == 11
    for words in (["7"], ["62", "1149"], ["7", "7", "1149"]):
        ts = layout.encode_answers(words)[:, 1:]
        assert_same(loss.forward(np.zeros((*ts.shape, 13)), ts), math.log(13))
    rows = Recipe.of("baseline", end_mark=True).layout.encode_answers(["7", "62", "1149"])[:, 1:]
    assert ((rows != 11).sum(), rows.size) == (10, 15)


@pytest.mark.slow
def test_a_mask_alone_fills_every_place_and_an_end_mark_mends_it():
    sizes = {"train_size": 12_000, "validation_size": 500, "test_size": 10}
    masked = BUILT["train"](2, mask_loss=True, **sizes)
    asked, _ = masked.recipe.splits().validation
    assert {len(answer) for answer in masked(asked)} == {4}
    closed = BUILT["train"](3, mask_loss=True, end_mark=True, **sizes)
    assert min(len(answer) for answer in closed(asked)) < 4


@pytest.mark.slow
def test_with_an_end_mark_more_lengths_are_right_than_if_all_had_three_digits():
    both = BUILT["train"](2, mask_loss=True, end_mark=True)
    asked, sums = both.recipe.splits().validation
    right, written = np.char.str_len(sums), np.char.str_len(both(asked))
    assert np.mean(written == right) > np.mean(right == 3) > 0.7


def test_blanks_inside_a_question_are_refused_as_the_chapter_shows():
    spaced = Examples([f"{a} + 5" for a in range(10)], [str(a + 5) for a in range(10)])
    mended = Examples([text.replace(" ", "") for text in spaced.questions], spaced.answers)
    strict = Recipe.of("baseline", pass_through=True)
    with pytest.raises(ValueError, match=r"'0 \+ 5'"):
        strict.for_examples(spaced)
    assert strict.for_examples(mended).question_width == 3


# What was measured


def test_strict_padding_is_as_the_chapter_says():
    plain, strict = exact(results("variants"), variant="baseline"), results("strict-padding")
    mask = exact(strict, mask_loss=True, end_mark=False)
    end = exact(strict, mask_loss=False, end_mark=True)
    through = exact(strict, mask_loss=False, pass_through=True)
    everything = exact(strict, mask_loss=True, end_mark=True, pass_through=True)
    assert mask.max() < 2
    for group in end, through, everything:
        assert group.min() < plain.max() and group.max() > plain.min()
        assert group.mean() < exact(results("variants"), variant="reverse").mean()
    assert min(through.mean(), everything.mean()) > max(plain.mean(), end.mean())
    for group in through, everything:
        assert group.min() < np.sort(plain)[-2]
    for group in mask, end, through, everything:
        assert len(group) == 5


def test_only_these_combinations_were_run_with_five_seeds():
    def switches(runs):
        recipes = [run["recipe"] for run in runs]
        return [(r["mask_loss"], r["end_mark"], r["pass_through"]) for r in recipes]

    alone = (True, False, False), (False, True, False), (False, False, True)
    assert set(switches(results("strict-padding"))) == {*alone, (True, True, True)}
    on_the_road = switches(results("road"))
    assert on_the_road.count((True, True, False)) == 1
    assert not {(True, False, True), (False, True, True)} & set(on_the_road)
    (pair,) = select(results("road"), mask_loss=True, end_mark=True)
    assert pair["test_accuracy"] > 0.99


def test_in_the_exercise_a_mask_without_an_end_mark_fails_and_pass_through_alone_is_next():
    runs = select(results("exercises"), seed=0, epochs=8, batch_size=128)
    shares = {
        (recipe.mask_loss, recipe.end_mark, recipe.pass_through): run["validation_accuracy"][-1]
        for recipe, run in zip(map(recipe_of, runs), runs, strict=True)
    }
    assert len(shares) == len(runs) == 8
    from_the_worst = sorted(shares, key=shares.get)
    assert set(from_the_worst[:2]) == {(True, False, False), (True, False, True)}
    assert from_the_worst[2] == (False, False, True)
    failed, others = np.split(sorted(shares.values()), [2])
    assert failed.max() < 0.01 < others.min() and others.max() < 0.07
    plain, through = results("variants"), select(results("strict-padding"), pass_through=True)
    through = exact(through, mask_loss=False, end_mark=False)
    assert through.mean() > exact(plain, variant="baseline").mean()  # with 25 epochs, five seeds
