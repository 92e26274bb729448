"""Reversing: what the chapter builds is the library's, and what it says holds in the results."""

import numpy as np
import pytest
from chapters import defined, exact, results

from seq2seq_lib import Layout, Recipe, Seq2seq, load_pretrained
from seq2seq_lib.analysis import gradient_paths
from seq2seq_lib.results import median_run, select

QUESTIONS = ["57+5", "628+521", "1+1", "340+12"]


@pytest.fixture(scope="module")
def built():
    return defined("reverse")


# What the chapter builds


@pytest.mark.parametrize("side", ["end", "front"])
def test_reversed_rows_are_the_layouts(built, side):
    rows = Layout(padding=side).encode_questions(QUESTIONS)
    wanted = Layout(padding=side, reverse=True).encode_questions(QUESTIONS)
    np.testing.assert_array_equal(built["reversed_rows"](rows), wanted)
    assert (rows != wanted).any(axis=1).all()


def test_reversing_before_the_padding_is_padding_in_front_and_reversing_after_it():
    before = Layout().encode_questions([text[::-1] for text in QUESTIONS])
    after = Layout(reverse=True, padding="front").encode_questions(QUESTIONS)
    np.testing.assert_array_equal(before, after)
    assert (before != Layout(reverse=True).encode_questions(QUESTIONS)).any()


@pytest.mark.parametrize("output", range(4))
def test_gradient_lengths_are_the_librarys(built, output):
    rng = np.random.default_rng(0)
    model = Seq2seq(13, 3, 5, rng=rng, dtype=np.float64)
    for array in model.params.values():
        array[...] = rng.standard_normal(array.shape) / 2
    layout = Layout()
    xs = layout.encode_questions(QUESTIONS)
    ts = layout.encode_answers(["62", "1149", "2", "352"])
    mine = built["gradient_lengths"](model, xs, ts, output)
    np.testing.assert_allclose(mine, gradient_paths(model, xs, ts)[:, output], rtol=1e-12)


def test_steps_between_a_character_and_an_answers_are_as_the_chapter_says(built):
    steps = built["steps_between"]
    assert (steps(7, 1), steps(1, 1)) == (1, 7)
    places, own_place = np.array([1, 2, 3, 5, 6, 7]), np.array([2, 3, 4, 2, 3, 4])
    written = np.arange(1, 5)
    assert steps(places[:, None], written).mean() == steps(8 - places[:, None], written).mean()
    assert steps(places, own_place).tolist() == [8, 8, 8, 4, 4, 4]
    assert steps(8 - places, own_place).tolist() == [2, 4, 6, 6, 8, 10]
    assert [steps(at, 2) for at in (5, 3, 2, 6)] == [4, 6, 7, 3]  # 16+75, in an exercise


def test_distances_are_as_the_chapter_says(built):
    train = Recipe().splits().train
    assert round(np.mean([len(question) < 7 for question in train.questions]), 2) == 0.74
    (ends, first_ends), (fronts, first_fronts), (ends_back, first_back), (turned, first_turned) = (
        built["distances"](Layout(reverse=reverse, padding=side), train.questions)
        for reverse, side in ((False, "end"), (False, "front"), (True, "front"), (True, "end"))
    )
    assert abs(ends - ends_back) < 0.1 and abs(fronts - turned) < 0.1
    assert min(ends, ends_back) > max(fronts, turned) + 0.5
    assert first_ends == 7 and first_turned == 1 < first_back < 2.1 < 5.9 < first_fronts < 7
    short = [built["distances"](Layout(reverse=reverse), ["57+5"])[0] for reverse in (False, True)]
    full = [
        built["distances"](Layout(reverse=reverse), ["628+521"])[0] for reverse in (False, True)
    ]
    assert short[0] > short[1] and full[0] == full[1] == 5.5


# What the chapter says about models and runs


def test_the_models_answer_as_the_chapter_says():
    baseline, reverse = load_pretrained("baseline"), load_pretrained("reverse")
    questions = ["57+5", "340+12", "999+1", "628+521"]
    sums = np.array(["62", "352", "1000", "1149"])
    assert (np.array(baseline(questions)) == sums).sum() == 1
    assert (np.array(reverse(questions)) == sums).sum() == 3
    longest = {
        (name, question): solver.trace(question).probabilities[place].argsort()[:-3:-1].tolist()
        for name, solver in (("baseline", baseline), ("reverse", reverse))
        for question, place in (("999+1", 0), ("340+12", 2))
    }
    assert longest == {  # the ids of digits are the digits
        ("baseline", "999+1"): [9, 1],
        ("baseline", "340+12"): [4, 0],
        ("reverse", "999+1"): [1, 9],
        ("reverse", "340+12"): [2, 3],
    }
    for name, solver in ("baseline", baseline), ("reverse", reverse):
        middle = median_run(select(results("variants"), variant=name))
        assert solver.recipe.seed == middle["recipe"]["seed"]
    rows = Layout().encode_questions(questions)
    forgotten = Layout().decode_answers(reverse.model.generate(rows, Layout().start_id, 4))
    assert (np.array(forgotten) != sums).all() and forgotten[-1] == str(125 + 826) == "951"


def test_reverse_beside_baseline_is_as_the_chapter_says():
    runs = results("variants")
    plain, turned = exact(runs, variant="baseline"), exact(runs, variant="reverse")
    assert (turned[:, None] > plain).sum() == 24
    leads = np.sort((turned[:, None] - plain)[turned[:, None] > plain])
    assert round(leads[0] * 5000 / 100) == 1 < 50 < leads[1] * 5000 / 100  # in questions
    assert np.sort(turned)[1] > plain.max() and turned.min() < np.sort(plain)[-1]
    curves = {
        name: np.array([run["validation_accuracy"] for run in select(runs, variant=name)])
        for name in ("baseline", "reverse")
    }
    assert all((curve >= 0.1).any(axis=1).all() for curve in curves.values())
    slow, fast = (np.sort((curve >= 0.1).argmax(axis=1) + 1) for curve in curves.values())
    assert fast[3] == 11 == slow[0] < slow[1] and slow[0] < fast[4]
    last_slow, last_fast = (curve[:, -1] for curve in curves.values())
    assert last_fast.mean() > last_slow.mean() and last_slow.max() > last_fast.min()


def test_order_and_padding_are_as_the_chapter_says():
    before, moved = results("variants"), results("order-or-padding")
    baseline, reverse = exact(before, variant="baseline"), exact(before, variant="reverse")
    start_first, end_last = exact(moved, variant="baseline"), exact(moved, variant="reverse")
    assert all(run["recipe"]["padding"] == "front" for run in moved)
    assert len(start_first) == len(end_last) == 5
    assert (
        0 < 5 * (baseline.mean() - start_first.mean()) < min(np.ptp(baseline), np.ptp(start_first))
    )
    assert end_last.min() > reverse.max()
    assert end_last.mean() - baseline.mean() > 2 * (reverse.mean() - baseline.mean()) > 0
    assert max(baseline.mean(), start_first.mean()) < 20 < 30 < min(reverse.mean(), end_last.mean())


def shares(runs, question, **wanted):
    """Shares (seeds, places of the question, places of the answer), each column adding up to 1"""
    lengths = np.array([run[question] for run in select(runs, **wanted)])
    assert len(lengths) == 5
    return lengths / lengths.sum(axis=1, keepdims=True)


def test_a_fresh_baseline_is_pulled_at_as_the_chapter_says(built):
    layout = Layout()
    rows = layout.encode_questions(["628+521"]), layout.encode_answers(["1149"])
    lengths = built["gradient_lengths"](Recipe.of("baseline").build_model(), *rows, 0)
    costs = lengths[:-1] / lengths[1:]
    assert (costs < 0.9).all() and 0.45 < costs[-1] < 0.55 < costs[:-1].min()


def test_the_gradients_paths_are_as_the_chapter_says():
    runs = results("gradient-paths")
    for variant, last in ("baseline", -1), ("reverse", 0):
        first = -1 - last  # the places that are read last and first
        untrained = shares(runs, "full", variant=variant, epochs=0)
        assert (untrained.argmax(axis=1) == last % 7).all()
        steps = np.diff(untrained.mean(axis=(0, 2)))
        assert (steps > 0).all() if last else (steps < 0).all()
        early = shares(runs, "full", variant=variant, epochs=1).mean(axis=2)
        assert (early[:, first] > early[:, last]).all()
        for epochs in (1, 25):
            later = shares(runs, "full", variant=variant, epochs=epochs).mean(axis=(0, 2))
            assert later.argmin() != first % 7
    trained = shares(runs, "full", variant="baseline", epochs=25).mean(axis=0)
    assert (np.sort(trained.argsort(axis=0)[-2:], axis=0).T == [0, 4]).all()  # the hundreds
    assert np.ptp(trained, axis=1).max() < 0.05  # the columns are alike
    for variant, odd in ("baseline", np.argmax), ("reverse", np.argmin):
        each = np.ptp(shares(runs, "full", variant=variant, epochs=25), axis=2).max(axis=1)
        accuracies = [run["test_accuracy"] for run in select(runs, variant=variant, epochs=25)]
        alike = each < 0.05
        assert alike.sum() == (4 if variant == "baseline" else 1)
        good_or_poor = odd(accuracies)
        assert alike[good_or_poor] == (variant == "reverse") and each[~alike].min() > 0.1
    thousands, hundreds, tens, units = shares(runs, "full", variant="reverse", epochs=25).mean(0).T
    assert min(tens[[1, 5]].sum(), units[[1, 5]].sum()) > 1.5 * thousands[[1, 5]].sum()
    untrained = shares(runs, "full", variant="reverse", epochs=0).mean(axis=0)
    assert untrained[:, 3].argmin() == 6  # the units of the second number, for those of the answer
    blanks = [
        shares(runs, "short", variant="baseline", epochs=e)[:, 4:].sum(1).mean() for e in (0, 25)
    ]
    assert blanks[0] > 0.7 and abs(blanks[1] - 1 / 6) < 0.01
    for variant in "baseline", "reverse":
        lengths = np.array([r["short"] for r in select(runs, variant=variant, epochs=25)])
        powers = np.log10(lengths.sum(axis=1)).mean(axis=0)
        assert powers[:2].min() > 1 and powers[2:].max() < -1


def test_the_peeky_maps_of_an_exercise_are_as_the_chapter_says():
    runs = results("gradient-paths")
    leads = {}
    for variant in "peeky", "reverse+peeky":
        trained = shares(runs, "full", variant=variant, epochs=25).mean(axis=0)
        for column, own in (2, [1, 5]), (3, [2, 6]):  # tens and units, and their digits
            others = np.delete(trained[:, column], own)
            leads[variant, column] = trained[own, column].min() - others.max()
    assert 0 < leads.pop(("peeky", 3)) < 0.01 < 0.02 < min(leads.values())
