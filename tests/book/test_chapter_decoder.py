"""The decoder: the chapter's class is the library's, and what the chapter says holds."""

import numpy as np
import pytest
from chapters import defined

from seq2seq_lib import load_pretrained, make_additions, models

SIZES = 13, 4, 5
START = 12


@pytest.fixture(scope="module")
def chapter():
    return defined("decoder")


def both(chapter, dtype=np.float64, lively=False):
    """The chapter's decoder and the library's, with the same weights; lively: large ones"""
    pair = [
        kind(*SIZES, rng=np.random.default_rng(5), dtype=dtype)
        for kind in (chapter["Decoder"], models.Decoder)
    ]
    if lively:
        rng = np.random.default_rng(6)
        for p, q in zip(*(each.params.values() for each in pair), strict=True):
            p[...] = q[...] = rng.standard_normal(p.shape) * (0.1 if p.ndim == 1 else 2)
    return pair


# The class


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_chapter_s_decoder_draws_the_same_parameters_under_the_same_names(chapter, dtype):
    mine, theirs = both(chapter, dtype)
    assert list(mine.params) == list(theirs.params) == list(mine.grads)
    for name, array in theirs.params.items():
        assert mine.params[name].dtype == dtype
        np.testing.assert_array_equal(mine.params[name], array)
    assert mine.params["affine.W"] is mine.affine.params["W"]
    assert mine.grads["lstm.Wh"] is mine.lstm.grads["Wh"]


@pytest.mark.parametrize("shape", [(1, 3), (3, 4), (2, 5)])
def test_the_chapter_s_decoder_and_the_library_s_give_the_same_scores_and_gradients(chapter, shape):
    rng = np.random.default_rng(7)
    mine, theirs = both(chapter, lively=True)
    for _ in range(2):  # the second call must not remember the first
        xs, h = rng.integers(0, 13, shape), rng.standard_normal((shape[0], 5))
        dscore = rng.standard_normal((*shape, 13))
        np.testing.assert_allclose(mine.forward(xs, h), theirs.forward(xs, h), rtol=0, atol=1e-12)
        dh = mine.backward(dscore)
        assert dh.any()
        np.testing.assert_allclose(dh, theirs.backward(dscore), rtol=0, atol=1e-12)
        for name, gradient in theirs.grads.items():
            assert gradient.any()
            np.testing.assert_allclose(mine.grads[name], gradient, rtol=0, atol=1e-12)


def test_the_chapter_s_decoder_writes_what_the_library_s_writes_in_a_batch_and_alone(chapter):
    mine, theirs = both(chapter, lively=True)
    codes = np.random.default_rng(8).standard_normal((50, 5))
    written = mine.generate(codes, START, 6)
    assert len(np.unique(written)) > 3 and len(np.unique(written, axis=0)) > 7
    np.testing.assert_array_equal(written, theirs.generate(codes, START, 6))
    alone = [mine.generate(codes[k : k + 1], START, 6) for k in range(50)]
    np.testing.assert_array_equal(written, np.concatenate(alone))


def test_with_trained_weights_the_chapter_s_decoder_writes_the_solver_s_answers(chapter):
    solver = load_pretrained("baseline")
    mine = chapter["Decoder"](13, 16, 128, rng=np.random.default_rng(0))
    for name, array in solver.model.decoder.params.items():
        mine.params[name][...] = array
    questions, _ = make_additions(300, np.random.default_rng(1))
    codes, _ = solver.model.encode(solver.layout.encode_questions(questions))
    written = solver.layout.decode_answers(mine.generate(codes, START, 4))
    assert written == solver(questions)


def test_one_call_and_four_steps_give_the_same_scores(chapter):
    mine, _ = both(chapter, lively=True)
    rng = np.random.default_rng(9)
    xs, h = rng.integers(0, 13, (2, 4)), rng.standard_normal((2, 5))
    together = mine.forward(xs, h)
    mine.lstm.set_state(h)
    one_by_one = [mine.step(xs[:, t : t + 1]) for t in range(4)]
    np.testing.assert_allclose(np.concatenate(one_by_one, axis=1), together, rtol=0, atol=1e-12)


def test_without_setting_the_state_the_second_answer_is_another(chapter):
    solver = load_pretrained("baseline")
    decoder = solver.model.decoder
    h, _ = solver.model.encode(solver.layout.encode_questions(["57+5", "628+521", "999+1"]))
    alone = chapter["Decoder"](13, 16, 128, rng=np.random.default_rng(0))
    for name, array in decoder.params.items():
        alone.params[name][...] = array
    alone.lstm.set_state(h[:1])
    first, second = (chapter["generate_on"](alone, START, 4) for _ in range(2))
    assert solver.layout.decode_answers(first) == ["60"]
    assert (first != second).any()


# What is said about the models that are shipped


def test_the_sums_that_are_stepped_through_are_as_the_chapter_says():
    baseline, reverse = load_pretrained("baseline"), load_pretrained("reverse")
    assert baseline("57+5") == "60"
    assert [baseline("999+1")[0], reverse("999+1")] == ["9", "1000"]
    choices = {
        character
        for solver in (baseline, reverse)
        for character in np.argsort(solver.trace("999+1").probabilities[0])[-2:]
    }
    assert choices == {1, 9}
    assert baseline("340+12")[:2] == "35" != baseline("340+12") and reverse("340+12") == "352"
    free, forced = baseline.trace("999+1"), baseline.trace("999+1", answer="1000")
    assert free.choices[0] == 9 and abs(int(baseline("999+1")) - 1000) < 10
    assert (free.choices[1:] != forced.choices[1:]).any()


def test_fed_the_right_answer_the_first_two_steps_do_not_change():
    solver = load_pretrained("baseline")
    free, taught = solver.trace("57+5"), solver.trace("57+5", answer="62")
    differs = abs(free.probabilities - taught.probabilities).max(axis=1) > 0
    assert differs.tolist() == [False, False, True, True]


@pytest.fixture(scope="module")
def pushed(chapter):
    """{(model, digit more, fed): (what of the rest is right (200, 3), what was written)}"""
    asked, sums = make_additions(1000, np.random.default_rng(0))
    picked = [k for k in range(1000) if 200 <= int(sums[k]) <= 899][:200]
    asked, sums = [asked[k] for k in picked], [sums[k] for k in picked]
    assert len(asked) == 200
    found = {}
    for name in ("baseline", "reverse", "peeky", "reverse+peeky"):
        solver = load_pretrained(name)
        right = solver.layout.encode_answers(sums)[:, 1:]
        for more in (-1, 0, 1):
            first = [str(int(each[0]) + more) for each in sums]
            free = chapter["go_on"](solver, asked, first)
            taught = chapter["forced"](solver, asked, first, right)
            for kind, written in (("free", free), ("teacher", taught)):
                found[name, more, kind] = written[:, 1:] == right[:, 1:], written
    return found


def test_one_push_is_as_the_chapter_shows_it(chapter):
    for name, expected in (("baseline", "400"), ("reverse+peeky", "469")):
        solver = load_pretrained(name)
        assert solver("361+8") == "369"
        written = chapter["go_on"](solver, ["361+8"], ["4"])
        assert solver.layout.decode_answers(written) == [expected]


def test_without_a_push_the_experiment_writes_what_the_solver_writes(chapter):
    for name in ("baseline", "reverse+peeky"):
        solver = load_pretrained(name)
        questions, _ = make_additions(100, np.random.default_rng(2))
        first = [each[0] for each in solver(questions)]
        written = solver.layout.decode_answers(chapter["go_on"](solver, questions, first))
        assert written == solver(questions)


def test_after_a_push_the_strong_model_keeps_the_rest_right_and_the_baseline_does_not(pushed):
    for more in (-1, 1):
        assert pushed["reverse+peeky", more, "free"][0].all(axis=1).mean() > 0.9
        assert pushed["baseline", more, "free"][0].all(axis=1).mean() < 0.03
        assert pushed["peeky", more, "free"][0].all(axis=1).mean() > 0.8
        assert pushed["reverse", more, "free"][0].all(axis=1).mean() < 0.03
    plain = pushed["baseline", 0, "free"][0].all(axis=1).mean()
    assert plain > 5 * pushed["baseline", 1, "free"][0].all(axis=1).mean()
    free, reverse = (pushed[name, 0, "free"][0].all(axis=1).mean() for name in ("peeky", "reverse"))
    assert free > 2 * reverse


def test_a_teacher_cannot_change_the_second_digit_nor_the_whole_rest(pushed):
    for (name, more, kind), (right, _) in pushed.items():
        if kind == "teacher":
            free = pushed[name, more, "free"][0]
            np.testing.assert_array_equal(right[:, 0], free[:, 0])
            np.testing.assert_array_equal(right.all(axis=1), free.all(axis=1))
            assert abs(right[:, 1].mean() - free[:, 1].mean()) < 0.1


def test_after_a_push_the_baseline_writes_the_nearest_number(pushed):
    up, down = pushed["baseline", 1, "free"][1], pushed["baseline", -1, "free"][1]
    assert (up[:, 1] == 0).all()
    assert np.mean((up[:, 2] == 0) & (up[:, 3] == 11)) > 0.5  # the even hundred; 11 is a blank
    assert 0.8 < np.mean(down[:, 1] == 9) < 1
    for more, digit in ((1, 0), (-1, 9)):
        assert np.mean(pushed["reverse+peeky", more, "free"][1][:, 1] == digit) < 0.2


def test_sums_between_100_and_199_are_less_regular(chapter):
    solver = load_pretrained("baseline")
    questions, sums = make_additions(1000, np.random.default_rng(0))
    low = [k for k in range(1000) if 100 <= int(sums[k]) <= 199]
    written = chapter["go_on"](solver, [questions[k] for k in low], ["2"] * len(low))
    assert np.mean(written[:, 1] == 0) == pytest.approx(0.3, abs=0.05)
