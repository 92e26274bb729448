"""Analysis: the paths of gradients and the kinds of mistakes are what they say."""

import numpy as np
import pytest

from seq2seq_lib.analysis import (
    ERROR_SIZES,
    error_sizes,
    gradient_paths,
    most_frequent,
    teacher_forced,
)
from seq2seq_lib.recipe import Recipe

SMALL = {"hidden_size": 6, "wordvec_size": 4}


def small_model(**switches):
    recipe = Recipe(**SMALL, **switches)
    model, layout = recipe.build_model(), recipe.layout
    for array in model.params.values():
        array += 0.5 * np.random.default_rng(1).standard_normal(array.shape).astype(array.dtype)
    questions = layout.encode_questions(["57+5", "628+521", "1+1"])
    return model, layout, questions, layout.encode_answers(["62", "1149", "2"])


@pytest.mark.parametrize("switches", [{}, {"peeky": True}, {"pass_cell": True}])
def test_a_gradient_path_is_what_a_nudge_of_one_character_does_to_one_output(switches):
    recipe = Recipe(**SMALL, **switches)
    model, _, questions, answers = small_model(**switches)
    paths = gradient_paths(model, questions[:1], answers[:1])
    assert paths.shape == (7, 4)

    def loss_of_output(j, nudge, i):
        vectors = model.encoder.embed.forward(questions[:1])
        vectors[0, i] += nudge
        model.encoder.lstm.forward(vectors)
        lstm = model.encoder.lstm
        scores = model.decoder.forward(
            answers[:1, :-1], lstm.h, lstm.c if recipe.pass_cell else None
        )
        return model.loss.forward(scores[:, j : j + 1], answers[:1, j + 1 : j + 2])

    step = 1e-2  # float32: a large step, and a loose comparison
    for i, j in [(0, 0), (3, 2), (6, 3)]:
        slopes = [
            (loss_of_output(j, step * axis, i) - loss_of_output(j, -step * axis, i)) / (2 * step)
            for axis in np.eye(4)
        ]
        assert np.linalg.norm(slopes) == pytest.approx(paths[i, j], rel=0.02, abs=2e-4)


def test_an_output_sees_no_path_from_a_blank_that_is_passed_through():
    model, layout, questions, answers = small_model(pass_through=True)
    paths = gradient_paths(model, questions[:1], answers[:1])
    blank = questions[0] == layout.pad_id
    assert (paths[blank] == 0).all()
    assert (paths[~blank] > 0).all()


def test_teacher_forcing_agrees_with_generating_up_to_the_first_mistake():
    model, layout, questions, answers = small_model()
    forced = teacher_forced(model, questions, answers)
    written = model.generate(questions, layout.start_id, layout.sample_size)
    for mine, free, right in zip(forced, written, answers[:, 1:], strict=True):
        wrong = np.flatnonzero(free != right)
        until = wrong[0] + 1 if wrong.size else len(right)
        assert (mine[:until] == free[:until]).all()


def test_errors_are_put_in_classes_by_their_distance_from_the_sum():
    answers = np.array([[100, 101, 91], [110, 1, 200], [0, 1100, -1]])
    names = [[ERROR_SIZES[size] for size in row] for row in error_sizes(answers, 100)]
    assert names == [
        ["right", "1 to 9", "1 to 9"],
        ["10 to 99", "10 to 99", "100 or more"],
        ["100 or more", "100 or more", "no number"],
    ]
    assert error_sizes(answers, 100).dtype == np.uint8


def test_the_most_frequent_values_come_first_and_ties_by_size():
    assert most_frequent(np.array([3, -10, 3, 10, 7, -10, 10, 0]), 4) == [
        (3, 2),
        (-10, 2),
        (10, 2),
        (0, 1),
    ]
    assert most_frequent(np.array([], int)) == []
