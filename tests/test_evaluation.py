"""Exact match and what lies behind it, on rows made by hand."""

import math

import numpy as np
import pytest

from seq2seq_lib.data import Examples
from seq2seq_lib.encoding import Layout
from seq2seq_lib.evaluation import (
    BATCH,
    accuracy_by_group,
    accuracy_by_position,
    evaluate,
    every_sum,
    exact_match,
    per_character_accuracy,
    right_answers,
    right_characters,
    write_answers,
)

PLAIN, MARKED = Layout(), Layout(end_mark=True)


def written_as(layout, texts):
    """Texts that a model wrote, padded with blanks, as ids without the delimiter in front"""
    return layout.vocabulary.encode(texts, layout.sample_size)


class Calculator:
    """A model that can add, after a manner: ``answer`` makes the text that it writes"""

    def __init__(self, layout, answer=lambda total: str(total)):
        self.layout, self.answer, self.batches = layout, answer, []

    def generate(self, xs, start_id, sample_size):
        assert (start_id, sample_size) == (self.layout.start_id, self.layout.sample_size)
        self.batches.append(len(xs))
        xs = xs[:, ::-1] if self.layout.reverse else xs
        questions = self.layout.vocabulary.decode(xs)
        totals = [sum(map(int, question.split("+"))) for question in questions]
        end = "_" if self.layout.end_mark else ""
        return written_as(self.layout, [self.answer(total) + end for total in totals])


def test_with_every_units_digit_wrong_three_characters_in_four_are_right_and_no_answer():
    answers = PLAIN.encode_answers(["62", "1134", "9"])
    written = written_as(PLAIN, ["63", "1135", "8"])
    assert per_character_accuracy(written, answers, PLAIN) == 0.75
    assert exact_match(written, answers, PLAIN) == 0


def test_an_answer_is_right_if_all_its_characters_are():
    answers = PLAIN.encode_answers(["62", "62", "62", "62"])
    written = written_as(PLAIN, ["62", "6", "620", " 62"])
    np.testing.assert_array_equal(
        right_answers(written, answers, PLAIN), [True, False, False, False]
    )
    assert exact_match(written, answers, PLAIN) == 0.25


def test_without_an_end_mark_the_blanks_count_as_they_are_the_stop_signal():
    answers, written = PLAIN.encode_answers(["62"]), written_as(PLAIN, ["6200"])
    right, counted = right_characters(written, answers, PLAIN)
    np.testing.assert_array_equal(right, [[True, True, False, False]])
    assert counted.all()
    assert exact_match(written, answers, PLAIN) == 0


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("62_", True),
        ("62_00", True),
        ("62___", True),
        ("62", False),
        ("620_", False),
        ("6_", False),
    ],
)
def test_with_an_end_mark_nothing_behind_it_counts(text, right):
    answers, written = MARKED.encode_answers(["62"]), written_as(MARKED, [text])
    assert exact_match(written, answers, MARKED) == right
    _, counted = right_characters(written, answers, MARKED)
    np.testing.assert_array_equal(counted, [[True, True, True, False, False]])


def test_with_an_end_mark_only_what_counts_is_averaged():
    answers = MARKED.encode_answers(["62", "9999"])
    written = written_as(MARKED, ["60_77", "9999_"])
    assert per_character_accuracy(written, answers, MARKED) == 7 / 8


def test_accuracy_by_position_is_the_share_of_right_characters_at_each_place():
    answers = PLAIN.encode_answers(["62", "1134", "9"])
    written = written_as(PLAIN, ["63", "1135", "8"])
    np.testing.assert_allclose(
        accuracy_by_position(written, answers, PLAIN), [2 / 3, 2 / 3, 1, 2 / 3]
    )


def test_accuracy_by_position_is_nan_where_nothing_counts():
    answers, written = MARKED.encode_answers(["62", "9"]), written_as(MARKED, ["61_", "9_"])
    np.testing.assert_array_equal(
        accuracy_by_position(written, answers, MARKED), [1, 0.5, 1, np.nan, np.nan]
    )


def test_accuracy_by_group_gives_share_and_number_sorted_by_group():
    groups = accuracy_by_group([True, False, True, True], np.array([3, 0, 0, 3]))
    assert groups == {0: (0.5, 2), 3: (1.0, 2)}
    assert list(groups) == [0, 3]
    assert accuracy_by_group([True, False], ["b", "a"]) == {"a": (0.0, 1), "b": (1.0, 1)}


def test_shapes_that_do_not_agree_are_refused():
    answers = PLAIN.encode_answers(["62", "9"])
    with pytest.raises(ValueError, match=r"written: expected shape \(2, 4\), got \(2, 3\)"):
        exact_match(np.zeros((2, 3), int), answers, PLAIN)
    with pytest.raises(ValueError, match=r"groups: expected shape \(2,\), got \(3,\)"):
        accuracy_by_group([True, False], [1, 2, 3])


def test_the_accuracy_of_no_answers_is_nan():
    answers, written = PLAIN.encode_answers([]), written_as(PLAIN, [])
    assert math.isnan(exact_match(written, answers, PLAIN))
    assert math.isnan(per_character_accuracy(written, answers, PLAIN))
    assert np.isnan(accuracy_by_position(written, answers, PLAIN)).all()
    assert accuracy_by_group([], []) == {}


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, 2 * BATCH + 7])
def test_answers_are_written_in_order_in_batches_of_limited_size(count):
    model = Calculator(PLAIN)
    questions = PLAIN.encode_questions([f"{n % 1000}+{n % 7}" for n in range(count)])
    written = write_answers(model, PLAIN, questions)
    expected = [str(n % 1000 + n % 7) for n in range(count)]
    assert PLAIN.decode_answers(written) == expected
    assert sum(model.batches) == count
    assert max(model.batches, default=0) <= BATCH


@pytest.mark.parametrize("layout", [PLAIN, MARKED, Layout(reverse=True)], ids=str)
def test_evaluate_lays_out_questions_and_answers_and_compares(layout):
    examples = Examples(["57+5", "1+2", "628+521", "0+0"], ["62", "3", "1149", "0"])
    assert evaluate(Calculator(layout), layout, examples) == (1, 1)
    exact, characters = evaluate(Calculator(layout, lambda total: str(total + 1)), layout, examples)
    assert exact == 0
    assert 0 < characters < 1


def test_every_sum_puts_a_in_the_row_and_b_in_the_column():
    rows = []
    layout = Layout(reverse=True)
    answers = every_sum(Calculator(layout), layout, largest=12, on_row=rows.append)
    a, b = np.indices((13, 13))
    np.testing.assert_array_equal(answers, a + b)
    assert rows == list(range(13))


def test_every_sum_tells_the_first_number_from_the_second():
    layout = Layout()
    model = Calculator(layout)
    model.generate = lambda xs, start_id, sample_size: written_as(
        layout, [text.split("+")[0] for text in layout.vocabulary.decode(xs)]
    )
    np.testing.assert_array_equal(every_sum(model, layout, largest=2), [[0] * 3, [1] * 3, [2] * 3])


@pytest.mark.parametrize("text", ["", "+", "1+1", "01", "1 1", " 1", "_1", "1_1"])
def test_every_sum_marks_an_answer_that_is_no_number_with_minus_one(text):
    layout = Layout()
    answers = every_sum(Calculator(layout, lambda total: text), layout, largest=1)
    np.testing.assert_array_equal(answers, -np.ones((2, 2)))


def test_a_blank_within_an_answer_counts_where_an_end_mark_closes_it():
    layout = Layout(characters="abX_ ", answer_width=4, end_mark=True)
    answers = layout.encode_answers(["a b"])
    written = layout.vocabulary.encode(["aXb__", "a b_a"], 5)
    right = right_answers(written, np.repeat(answers, 2, axis=0), layout)
    assert right.tolist() == [False, True]
