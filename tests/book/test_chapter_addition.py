"""The chapter of the problem: the claims that no cell of it prints."""

import numpy as np
from chapters import defined

from seq2seq_lib import Recipe, load_pretrained
from seq2seq_lib.data import number_of_carries


def test_a_third_of_the_characters_of_101_are_right_and_hardly_an_answer():
    answers = Recipe().splits().test.answers
    layout = Recipe().layout
    wanted = layout.encode_answers(answers)[:, 1:]
    written = np.repeat(layout.encode_answers(["101"])[:, 1:], len(answers), axis=0)
    assert 0.32 < (written == wanted).mean() < 0.35
    assert (written == wanted).all(axis=1).mean() < 0.002


def test_the_look_up_finds_nothing_in_our_split_and_much_in_a_careless_one():
    names = defined("addition")
    splits = Recipe().splits()
    assert names["looked_up"](splits.train.questions, splits.test.questions) == 0
    drawn = names["careless"](50_000, np.random.default_rng(0))
    assert len(set(drawn)) == 50_000
    assert names["looked_up"](drawn[:45_000], drawn[45_000:]) > 0.2


def test_most_sums_have_a_carry_and_few_have_three():
    numbers = np.array([q.split("+") for q in Recipe().splits().train.questions], int)
    shares = np.bincount(number_of_carries(*numbers.T)) / len(numbers)
    assert shares[0] < 0.3 and shares[3] < 0.07


def test_the_first_row_of_the_chapter_is_read_backwards():
    layout = load_pretrained("reverse+peeky").layout
    assert layout.vocabulary.decode(layout.encode_questions(["57+5"])) == ["   5+75"]


def test_the_constant_answer_with_the_most_right_characters_is_100():
    answers = Recipe().splits().test.answers
    layout = Recipe().layout
    wanted = layout.encode_answers(answers)[:, 1:]
    best = [np.bincount(place).argmax() for place in wanted.T]
    assert layout.vocabulary.decode([best]) == ["100 "]
    always_101 = layout.encode_answers(["101"])[:, 1:]
    gain = (wanted == best).mean() - (wanted == always_101).mean()
    assert 0 < gain < 0.005
    numbers = np.array(answers, int)
    first = wanted[:, 0] == layout.vocabulary.id("1")
    assert first[numbers >= 1000].all() and first[(numbers >= 100) & (numbers < 200)].all()
