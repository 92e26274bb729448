"""The first chapter: what it says of the models that it asks is so."""

import numpy as np

from seq2seq_lib import Recipe, load_pretrained, make_additions
from seq2seq_lib.solver import right_answer

SUMS = ["1+1", "57+5", "340+12", "628+521", "999+999"]


def right(name):
    return [
        answer == right_answer(q)
        for q, answer in zip(SUMS, load_pretrained(name)(SUMS), strict=True)
    ]


def test_the_models_answer_the_five_sums_as_the_chapter_says():
    assert sum(right("baseline")) == 1
    assert right("reverse+peeky") == [False, True, True, True, False]
    assert all(right("best"))


def test_the_models_have_seen_as_many_sums_as_the_chapter_says():
    assert load_pretrained("reverse+peeky").recipe.train_size == Recipe().train_size == 45_000


def test_the_baseline_is_off_by_a_little_in_the_sums_that_it_gets_wrong():
    answers = load_pretrained("baseline")(SUMS)
    off = [abs(int(a) - int(right_answer(q))) for q, a in zip(SUMS, answers, strict=True)]
    assert 0 < max(off) < 20
    assert sum(each > 0 for each in off) == 4


def test_the_rule_of_the_third_exercise_holds_up_rather_well():
    fresh = make_additions(200, np.random.default_rng(5))
    wanted = np.array(fresh.answers, dtype=int)
    answers = np.array(load_pretrained("baseline")(fresh.questions), dtype=int)
    off = abs(answers - wanted)
    assert np.median(off) == 1 and off.max() == 12
    same_length = [len(str(a)) == len(str(b)) for a, b in zip(answers, wanted, strict=True)]
    assert np.mean(same_length) > 0.95
    assert np.mean(answers // 100 == wanted // 100) > 0.95
