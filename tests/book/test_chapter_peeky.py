"""Peeking: what the chapter builds is the library's, and what it says holds in the results."""

import numpy as np
import pytest
from chapters import defined, exact, results

import seq2seq_lib
from seq2seq_lib import Recipe, load_pretrained
from seq2seq_lib.results import median_run, select

SIZES = 13, 3, 5


@pytest.fixture(scope="module")
def built():
    return defined("peeky")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def lively(rng, theirs, mine, find):
    """Weights large enough that every path carries a visible gradient, the same in both models"""
    for name, array in theirs.params.items():
        array[...] = rng.standard_normal(array.shape) / 2
        find(mine, name)[...] = array


def close(mine, theirs):
    np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


# What the chapter builds


def test_a_fresh_decoder_starts_from_the_librarys_weights(built):
    theirs = seq2seq_lib.PeekyDecoder(*SIZES, rng=np.random.default_rng(1), dtype=np.float64)
    mine = built["PeekyDecoder"](*SIZES, np.random.default_rng(1))
    for name, array in theirs.params.items():
        np.testing.assert_array_equal(built["find"](mine, name), array)


def test_the_decoder_is_the_librarys(built, rng):
    theirs = seq2seq_lib.PeekyDecoder(*SIZES, dtype=np.float64)
    mine = built["PeekyDecoder"](*SIZES, rng)
    lively(rng, theirs, mine, built["find"])
    ids, h = rng.integers(0, 13, (3, 4)), rng.standard_normal((3, 5))
    dscore = rng.standard_normal((3, 4, 13))
    close(mine.forward(ids, h), theirs.forward(ids, h))
    close(mine.backward(dscore), theirs.backward(dscore))
    for name, gradient in theirs.grads.items():
        close(built["find"](mine, name, "grads"), gradient)
    close(mine.ways["initial state"], theirs.lstm.dh)
    close(mine.ways["LSTM"], theirs.lstm.dcontext)
    close(mine.ways["affine"], theirs.affine.dcontext)
    ids = theirs.generate(h, 12, 6)
    assert len(np.unique(ids)) > 2
    np.testing.assert_array_equal(mine.generate(h, 12, 6), ids)


def test_the_model_is_the_librarys(built, rng):
    theirs = seq2seq_lib.PeekySeq2seq(*SIZES, dtype=np.float64)
    mine = built["PeekySeq2seq"](*SIZES, rng=rng)
    lively(rng, theirs, mine, built["find"])
    xs, ts = rng.integers(0, 13, (3, 7)), rng.integers(0, 13, (3, 5))
    close(mine.forward(xs, ts), theirs.forward(xs, ts))
    mine.backward(0.7), theirs.backward(0.7)
    for name, gradient in theirs.grads.items():
        close(built["find"](mine, name, "grads"), gradient)
    np.testing.assert_array_equal(mine.generate(xs, 12, 4), theirs.generate(xs, 12, 4))


def test_a_forgotten_term_shows_in_the_encoder_alone(built, rng):
    theirs = seq2seq_lib.PeekySeq2seq(*SIZES, dtype=np.float64)
    forgetful = built["PeekySeq2seq"](*SIZES, rng=rng, decoder_class=built["ForgetfulDecoder"])
    lively(rng, theirs, forgetful, built["find"])
    xs, ts = rng.integers(0, 13, (3, 7)), rng.integers(0, 13, (3, 5))
    for model in theirs, forgetful:
        model.forward(xs, ts)
        model.backward()
    for name, gradient in theirs.grads.items():
        right = np.allclose(built["find"](forgetful, name, "grads"), gradient, rtol=1e-9, atol=0)
        assert right == name.startswith("decoder"), name


def test_of_a_fresh_forgetful_models_encoder_nearly_all_gradient_is_missing(built):
    layout = Recipe().layout
    rows = (
        layout.encode_questions(["57+5", "16+75", "628+521", "999+999"]),
        layout.encode_answers(["62", "91", "1149", "1998"]),
    )
    theirs, forgetful = (
        seq2seq_lib.PeekySeq2seq(13, 3, 4, rng=np.random.default_rng(2), dtype=np.float64),
        built["PeekySeq2seq"](
            *(13, 3, 4),
            rng=np.random.default_rng(2),
            decoder_class=built["ForgetfulDecoder"],
        ),
    )
    for model in theirs, forgetful:
        model.forward(*rows)
        model.backward()
    for name, right in theirs.grads.items():
        off = abs(built["find"](forgetful, name, "grads") - right).max() / abs(right).max()
        assert off > 0.8 if name.startswith("encoder") else off < 1e-12, name


def test_the_loss_of_a_forgetful_model_falls_all_the_same(built, rng):
    forgetful = built["PeekySeq2seq"](*SIZES, rng=rng, decoder_class=built["ForgetfulDecoder"])
    xs, ts = rng.integers(0, 13, (3, 7)), rng.integers(0, 13, (3, 5))
    names = seq2seq_lib.PeekySeq2seq(*SIZES).params
    before = forgetful.forward(xs, ts)
    for _ in range(20):
        forgetful.forward(xs, ts)
        forgetful.backward()
        for name in names:
            array, gradient = (built["find"](forgetful, name, kind) for kind in ("params", "grads"))
            array -= 0.1 * gradient
    assert forgetful.forward(xs, ts) < before - 0.1


def test_split_undoes_join(built, rng):
    h, xs = rng.standard_normal((2, 4)), rng.standard_normal((2, 3, 5))
    weights = rng.standard_normal((2, 3, 9))
    dh, dxs = built["split"](weights, 4)

    def weighted():
        return (built["join"](h, xs) * weights).sum()

    for array, gradient in (h, dh), (xs, dxs):
        numeric = built["numerical_gradient"](weighted, array)
        np.testing.assert_allclose(gradient, numeric, atol=1e-8)
    last_only = weights[:, -1, :4]
    assert abs(last_only - dh).min() > 1e-3  # what the colleague of an exercise computes
    np.testing.assert_array_equal(weights[:, -1:].sum(axis=1), weights[:, -1])


def test_only_the_peeky_decoder_looks_at_what_it_is_handed(built):
    for name, looks in ("baseline", False), ("peeky", True):
        solver = load_pretrained(name)
        h, _ = solver.model.encode(solver.layout.encode_questions(["57+5"]))
        scores = [built["first_scores"](solver.model, h, handed) for handed in (h, 0 * h)]
        assert (abs(scores[0] - scores[1]).max() > 1) == looks
        assert solver.layout.start_id == 12


# What the chapter says about models and runs


def test_the_models_answer_as_the_chapter_says():
    questions, sums = ["57+5", "16+75", "628+521", "999+999"], ["62", "91", "1149", "1998"]
    right = {
        name: (np.array(load_pretrained(name)(questions)) == sums).tolist()
        for name in ("baseline", "peeky")
    }
    assert sum(right["baseline"]) == 1 and right["peeky"] == [True, True, False, True]
    for name in right:
        middle = median_run(select(results("variants"), variant=name))
        assert load_pretrained(name).recipe.seed == middle["recipe"]["seed"]


def test_sizes_are_as_the_chapter_says(built):
    plain, peeky = built["size"]("baseline"), built["size"]("peeky")
    assert (plain, peeky, peeky - plain) == (150_573, 217_773, 67_200)
    wide = {run["parameters"] for run in results("peeking-or-size")}
    widths = {run["recipe"]["hidden_size"] for run in results("peeking-or-size")}
    assert wide == {218_361} and widths == {156}

    def plain_size(hidden):
        model = Recipe(hidden_size=hidden).build_model()
        return sum(array.size for array in model.params.values())

    assert min(range(153, 160), key=lambda H: abs(plain_size(H) - peeky)) == 156


def test_the_runs_of_peeky_form_two_groups():
    before = results("variants")
    peeky, reverse = np.sort(exact(before, variant="peeky")), exact(before, variant="reverse")
    assert len(peeky) == 5
    assert reverse.min() < peeky[0] < peeky[1] < 1.05 * reverse.max()
    assert peeky[2] > 90 and not (abs(peeky - peeky.mean()) < 20).any()
    assert exact(before, variant="reverse+peeky").min() > 90
    last = {
        name: [run["validation_accuracy"][-1] for run in before if variant(run) == name]
        for name in ("baseline", "reverse")
    }
    assert [round(100 * np.mean(last[name])) for name in last] == [16, 34]


def variant(run):
    return Recipe.from_dict(run["recipe"]).variant


def test_peeking_and_size_are_as_the_chapter_says():
    before, wide = results("variants"), results("peeking-or-size")
    small = exact(before, variant="baseline").mean()
    assert exact(wide, variant="baseline").mean() < 1.1 * small
    assert exact(wide, variant="reverse").mean() > 1.1 * exact(before, variant="reverse").mean()
    assert exact(wide, variant="baseline").mean() < exact(before, variant="peeky").mean() / 4
    assert exact(wide, variant="reverse").max() < exact(before, variant="reverse+peeky").min() / 1.5
    assert exact(wide, variant="reverse").min() < exact(before, variant="reverse").max()
    lowest, second, third = np.sort(exact(before, variant="peeky"))[:3]
    best_wide = exact(wide, variant="baseline").max()
    assert lowest < best_wide < second < 1.3 * best_wide < 2 * best_wide < third
