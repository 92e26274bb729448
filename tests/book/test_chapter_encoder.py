"""The encoder: the chapter's class is the library's, and what the chapter says holds."""

import numpy as np
import pytest
from chapters import defined, exact, results

from seq2seq_lib import VARIANTS, load_pretrained, make_additions, models

SIZES = 13, 4, 5
PAIRS = [(a, b) for a in range(11, 99) for b in range(1, 9)]


@pytest.fixture(scope="module")
def chapter():
    return defined("encoder")


def both(chapter, dtype=np.float64):
    """The chapter's encoder and the library's, from one seed"""
    return [
        kind(*SIZES, rng=np.random.default_rng(5), dtype=dtype)
        for kind in (chapter["Encoder"], models.Encoder)
    ]


# The class


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_chapter_s_encoder_draws_the_same_parameters_under_the_same_names(chapter, dtype):
    mine, theirs = both(chapter, dtype)
    assert list(mine.params) == list(theirs.params) == list(mine.grads)
    for name, array in theirs.params.items():
        assert mine.params[name].dtype == dtype
        np.testing.assert_array_equal(mine.params[name], array)


@pytest.mark.parametrize("shape", [(1, 3), (3, 7), (2, 4)])
def test_the_chapter_s_encoder_and_the_library_s_give_the_same_codes_and_gradients(chapter, shape):
    rng = np.random.default_rng(6)
    mine, theirs = both(chapter)
    for p, q in zip(mine.params.values(), theirs.params.values(), strict=True):
        p[...] = q[...] = rng.standard_normal(p.shape)
    for _ in range(2):  # the second call must not remember the first
        xs, dh = rng.integers(0, 13, shape), rng.standard_normal((shape[0], 5))
        np.testing.assert_allclose(mine.forward(xs), theirs.forward(xs), rtol=0, atol=1e-12)
        np.testing.assert_allclose(mine.backward(dh), theirs.backward(dh), rtol=0, atol=1e-12)
        for name, gradient in theirs.grads.items():
            assert gradient.any()
            np.testing.assert_allclose(mine.grads[name], gradient, rtol=0, atol=1e-12)


def test_the_parameters_of_the_chapter_s_encoder_are_those_of_its_layers(chapter):
    mine, _ = both(chapter)
    assert mine.params["lstm.Wx"] is mine.lstm.params["Wx"]
    assert mine.grads["embed.W"] is mine.embed.grads["W"]


# What is said about single numbers


def test_about_one_number_in_six_moves_far_when_the_question_is_turned():
    solver = load_pretrained("baseline")
    moved = abs(solver.encode("57+5") - solver.encode("5+57"))
    assert 1 / 7 < (moved > 0.1).mean() < 1 / 5
    assert 0.4 < (moved < 0.01).mean() < 0.5 and (moved > 0).all()


@pytest.mark.parametrize("seed", [0, 1, 2])  # the sums that the chapter draws, and others
def test_single_numbers_know_what_the_chapter_says(chapter, seed):
    a, b = np.random.default_rng(seed).integers(100, 1000, (2, 6000))
    asked, digits = [f"{x}+{y}" for x, y in zip(a, b, strict=True)], (a + b) % 10
    known, right = {}, {}
    for name in (*VARIANTS, "best"):
        solver = load_pretrained(name)
        hidden, _ = solver.model.encode(solver.layout.encode_questions(asked))
        known[name] = [chapter["explained"](hidden, of).max() for of in ((a + b) // 100, digits)]
        right[name] = np.mean([int(answer) % 10 for answer in solver(asked)] == digits)
    assert all(hundreds > 0.87 for hundreds, _ in known.values())
    assert known["baseline"][1] < 0.01 and known["reverse"][1] < 0.01
    assert known["peeky"][1] < 0.2 and right["peeky"] > 0.9
    assert known["reverse+peeky"][1] > 0.7 and known["best"][1] > 0.98
    number = chapter["explained"](hidden, digits).argmax()  # of best
    wave = [hidden[digits == digit, number].mean() for digit in range(10)]
    assert abs(wave[3] - wave[7]) < 0.1 and abs(wave[1] - wave[9]) < 0.1
    assert np.argmin(wave) in (4, 5, 6) and np.argmax(wave) == 0 and np.ptp(wave) > 1


def test_the_share_that_labels_explain_is_one_where_they_fix_a_number_and_none_by_chance(chapter):
    labels = np.arange(6000) % 10
    noise = np.random.default_rng(0).standard_normal(6000)
    hidden = np.stack([np.cos(labels), labels + noise, noise], axis=1)
    fixed, half, nothing = chapter["explained"](hidden, labels)
    assert fixed == pytest.approx(1) and 0.85 < half < 0.92 and nothing < 0.005


# What is said about the code


def test_every_number_of_the_code_changes_and_most_of_them_little():
    solver = load_pretrained("baseline")
    change = abs(solver.encode("57+5") - solver.encode("5+57"))
    assert (change > 0).all()
    assert np.mean(change >= 0.1) == pytest.approx(1 / 6, abs=0.02)
    assert np.mean(change < 0.1) > 0.8
    assert 0.4 < np.mean(change < 0.01) < 0.5
    assert change.max() < 2  # the last border of the figure
    assert solver(["57+5", "5+57"]) == ["60", "60"]


def test_a_kept_state_spoils_the_second_answer():
    solver = load_pretrained("baseline")
    encoder, layout = solver.model.encoder, solver.layout
    xs = layout.encode_questions(["57+5"])
    encoder.lstm.stateful = True
    codes = np.concatenate([encoder.forward(xs), encoder.forward(xs)])
    first, second = layout.decode_answers(
        solver.model.decoder.generate(codes, layout.start_id, layout.sample_size)
    )
    assert first == "60" and abs(int(second) - 62) > 40


def test_handing_over_the_cell_is_as_the_chapter_says():
    source = {"pass_cell": True, "learning_rate": 0.001}
    apart = []
    for name in VARIANTS:
        without = exact(results("variants"), variant=name)
        with_cell = exact(results("memory-cell"), variant=name, **source)
        assert with_cell.mean() > without.mean()
        apart.append(with_cell.min() > without.max())
    assert sum(apart) == 1


def test_without_the_division_half_of_the_gates_are_stuck():
    rng = np.random.default_rng(1)
    outputs = rng.uniform(-1, 1, (1000, 128)) @ rng.standard_normal((128, 100))
    border = np.log(99)  # where a sigmoid reaches 0.99
    assert np.mean(abs(outputs) > border) == pytest.approx(0.5, abs=0.05)
    assert np.mean(abs(outputs) / np.sqrt(128) > border) == 0


def test_a_fresh_encoder_without_the_division_gets_stuck_from_step_to_step():
    shares = []
    for seed in range(5):
        fresh = models.Encoder(13, 16, 128, rng=np.random.default_rng(seed), dtype=np.float64)
        table, *weights, _ = fresh.params.values()
        Wx, Wh = (array * np.sqrt(len(array)) for array in weights)
        fresh.params["lstm.Wx"][...], fresh.params["lstm.Wh"][...] = Wx, Wh
        questions, _ = make_additions(200, np.random.default_rng(seed))
        xs = load_pretrained("baseline").layout.encode_questions(questions)
        hs = fresh.lstm.forward(table[xs])
        before = np.insert(hs[:, :-1], 0, 0, axis=1)
        outputs = (table[xs] @ Wx + before @ Wh)[..., : 3 * 128]  # f, i, o
        shares.append((abs(outputs) > np.log(99)).mean(axis=(0, 2)))
    mean = np.mean(shares, axis=0)
    assert mean[0] == 0 and (np.diff(mean) >= 0).all()
    assert mean[-1] == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_a_fresh_encoder_s_gradient_reaches_every_character_and_shrinks_on_its_way(seed):
    encoder = models.Encoder(13, 16, 128, rng=np.random.default_rng(seed))
    xs = load_pretrained("baseline").layout.encode_questions(["57+5"])
    lengths = np.linalg.norm(encoder.backward(np.ones_like(encoder.forward(xs)))[0], axis=1)
    assert lengths.min() > 0 and (np.diff(lengths) > 0).all()


# What is said about neighbours


def test_the_nearest_codes_are_those_that_the_chapter_names(chapter):
    questions, sums = make_additions(1000, np.random.default_rng(0), max_digits=2)
    assert sums.count("62") == 9 and "57+5" not in questions
    answer = dict(zip(questions, sums, strict=True))
    found = {}
    for name in ("baseline", "reverse+peeky"):
        order = chapter["distances"](load_pretrained(name), "57+5", questions).argsort()[:8]
        found[name] = [questions[place] for place in order]
        assert all(len(each) == 4 and each[2] == "+" for each in found[name])
        near = [abs(int(answer[each]) - 62) <= 2 for each in found[name]]
        assert np.mean(near) > 0.7
    assert [each for each in found["baseline"] if answer[each] == "62"] == []
    assert [e for e in found["reverse+peeky"] if answer[e] == "62"] == ["55+7", "54+8"]


@pytest.mark.parametrize("name", ["baseline", "reverse+peeky", "best"])
def test_the_code_keeps_both_the_looks_and_the_sum(name):
    solver = load_pretrained(name)

    def codes(questions):
        return solver.model.encode(solver.layout.encode_questions(questions))[0]

    here = codes([f"{a}+{b}" for a, b in PAIRS])
    same, other, turned = (
        np.linalg.norm(codes(moved) - here, axis=1)
        for moved in (
            [f"{a - 1}+{b + 1}" for a, b in PAIRS],
            [f"{a + 1}+{b + 1}" for a, b in PAIRS],
            [f"{b}+{a}" for a, b in PAIRS],
        )
    )
    assert len(PAIRS) == 704
    if name == "best":
        assert np.mean(same < other) > 0.98 and same.mean() < turned.mean() < other.mean()
    else:
        assert np.mean(same < other) == pytest.approx(0.9, abs=0.02)
        assert turned.mean() > 2.5 * other.mean() > 2.5 * same.mean()
    if name == "baseline":
        assert other.mean() == pytest.approx(1 / 3, abs=0.05)


def test_the_baseline_writes_one_answer_for_three_neighbours():
    near = ["57+4", "57+5", "57+6", "57+7"]
    written = load_pretrained("baseline")(near)
    assert written[0] == written[1] == written[2] != written[3]
    assert load_pretrained("reverse+peeky")(near) == ["61", "62", "63", "64"]


def test_the_sum_is_easier_to_read_off_the_baseline_s_code():
    learn, sums = make_additions(2000, np.random.default_rng(3))
    test, wanted = make_additions(1000, np.random.default_rng(4))
    errors = {}
    for name in ("baseline", "reverse+peeky"):
        model, layout = load_pretrained(name).model, load_pretrained(name).layout
        codes = [
            np.c_[model.encode(layout.encode_questions(each))[0].astype(float), np.ones(len(each))]
            for each in (learn, test)
        ]
        ruler = np.linalg.lstsq(codes[0], np.array(sums, float))[0]
        errors[name] = np.median(abs(codes[1] @ ruler - np.array(wanted, float)))
    assert 2 * errors["baseline"] < errors["reverse+peeky"]
