"""Measures say of a model what a look at its answers, one by one, says too."""

import json

import numpy as np
import pytest
from runs import ROOT, finished, small_recipe

from seq2seq_lib import Examples, Solver, load_checkpoint, measures
from seq2seq_lib.analysis import ERROR_SIZES, gradient_paths
from seq2seq_lib.checkpoint import Checkpoint
from seq2seq_lib.data import Splits, number_of_carries
from seq2seq_lib.models import Seq2seq

SHIPPED = ROOT / "seq2seq_lib" / "pretrained"
HISTORY = [{"loss": 2.0, "accuracy": 0.25, "seconds": 1.04}] * 3


def checkpoint(**changes):
    recipe = small_recipe(**changes)
    return Checkpoint(recipe.build_model(), recipe, HISTORY), recipe.splits()


class Oracle(Seq2seq):
    """Answers as ``rule(a, b)`` says, a number or a text; for a layout that is not reversed."""

    def __init__(self, recipe, rule):
        self.layout, self.rule = recipe.layout, rule

    def generate(self, xs, start_id, sample_size):
        questions = [text.strip() for text in self.layout.vocabulary.decode(xs)]
        answers = [str(self.rule(*map(int, q.split("+"))))[:4] for q in questions]
        return self.layout.encode_answers(answers)[:, 1:]


def every_sum(rule):
    """The record of a model whose answers to all sums are rule(a, b), -1 for no number"""
    given, splits = checkpoint()
    answers = np.array([[rule(a, b) for b in range(1000)] for a in range(1000)])
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(measures.evaluation, "every_sum", lambda *_: answers)
        return measures.every_sum(given, splits), splits


@pytest.fixture(scope="module")
def careless():
    """All sums of a model that forgets the carry into the hundreds, and some other things."""

    def rule(a, b):
        if (a, b) == (7, 8):
            return -1
        if a == 1000 - b:
            return 999
        return a + b - 100 * (a % 100 + b % 100 >= 100)

    return every_sum(rule)


def test_accuracy_has_the_history_of_the_run():
    given, splits = checkpoint()
    record = measures.accuracy(given, splits)
    assert record["loss"] == [2.0] * 3 and record["validation_accuracy"] == [0.25] * 3
    assert record["seconds"] == 3.1 and 0 <= record["test_character_accuracy"] <= 1


@pytest.mark.parametrize(
    "measure",
    [
        measures.accuracy,
        measures.snapshots,
        measures.paths,
        measures.mistakes,
        measures.every_sum,
    ],
)
def test_a_record_is_plain_data_and_arrays_and_the_same_each_time(measure, monkeypatch):
    monkeypatch.setattr(measures, "PATH_QUESTIONS", 20)
    monkeypatch.setattr(measures.evaluation, "every_sum", lambda *_: np.zeros((1000, 1000), int))
    untrained = {"epochs": 0}  # a run that has ended, hence one that can be repeated
    first, second = ({**measure(*checkpoint(**untrained))} for _ in range(2))
    arrays = [
        {k: r.pop(k) for k in list(r) if isinstance(r[k], np.ndarray)} for r in (first, second)
    ]
    assert json.loads(json.dumps(first)) == json.loads(json.dumps(second))
    for name, array in arrays[0].items():
        np.testing.assert_array_equal(array, arrays[1][name])


QUICK = {"epochs": 3, "learning_rate": 0.05}  # so that each epoch changes what is answered


@pytest.mark.parametrize("variant", ["baseline", "reverse+peeky"])
def test_snapshots_are_what_runs_of_fewer_epochs_answer(variant):
    recipe = small_recipe(variant, **QUICK)
    trainer = finished(recipe)
    given, splits = trainer.checkpoint(), trainer.splits
    record = measures.snapshots(given, splits)
    questions = list(record["answers"])
    assert questions == list(measures.SNAPSHOT_QUESTIONS)
    after = []
    for epochs in range(4):
        shorter = finished(recipe.replace(epochs=epochs))
        after.append(Solver(shorter.model, recipe)(questions))
        assert [answers[epochs] for answers in record["answers"].values()] == after[-1]
    assert all(len(answers) == 4 for answers in record["answers"].values())
    assert len(set(map(tuple, after))) == 4
    assert record.items() >= measures.accuracy(given, splits).items()
    assert record["untrained_accuracy"] == finished(recipe.replace(epochs=0)).accuracy()


def test_snapshots_say_which_questions_were_trained_on(monkeypatch):
    given, splits = checkpoint(epochs=0)
    trained = next(q for q in splits.train.questions if len(set(q.split("+"))) == 2)
    mirrored = "+".join(trained.split("+")[::-1])
    new = splits.test.questions[0]
    monkeypatch.setattr(measures, "SNAPSHOT_QUESTIONS", (new, mirrored, trained))
    known = measures.snapshots(given, splits)["known"]
    assert known == {new: "new", mirrored: "mirrored", trained: "trained"}


def test_snapshots_of_a_run_that_ends_with_other_weights_are_refused():
    trainer = finished(small_recipe())
    given = trainer.checkpoint()
    bias = given.model.params["decoder.affine.b"]
    bias[3] = np.nextafter(bias[3], np.float32(np.inf))
    message = r"^decoder.affine.b: expected the checkpoint's weights .* got others, up to \d.*NumPy"
    with pytest.raises(ValueError, match=message):
        measures.snapshots(given, trainer.splits)


@pytest.mark.parametrize("reverse", [False, True])
def test_paths_are_in_the_order_in_which_a_question_is_written(reverse, monkeypatch):
    given, splits = checkpoint(reverse=reverse)
    record = measures.paths(given, splits)
    layout = given.recipe.layout
    short = [f"{a}+{b}" for a in range(10, 100) for b in range(10) if a + b < 100]
    sums = [str(sum(map(int, question.split("+")))) for question in short]
    rows = layout.encode_questions(short), layout.encode_answers(sums)
    read = gradient_paths(given.model, *rows)
    written = read[::-1] if reverse else read
    np.testing.assert_allclose(record["short"], written, rtol=1e-3)
    assert np.shape(record["full"]) == (7, 4)
    farthest = np.array(record["full"])[:, 0].argmin()
    assert farthest == (6 if reverse else 0)  # an untrained gradient falls with distance


def test_fed_with_the_right_characters_whole_answers_stay_and_later_places_change():
    given = load_checkpoint(SHIPPED / "baseline.npz")
    record = measures.mistakes(given, given.recipe.splits())
    free, forced = record["free"], record["forced"]
    assert free["exact"] == forced["exact"]  # greedy: what is right stays right
    assert free["by_position"][0] == forced["by_position"][0]  # nothing was fed before
    assert forced["by_position"][2] > free["by_position"][2] + 0.01


def test_longer_numbers_are_asked_in_both_orders_and_counted():
    recipe = small_recipe()
    asked = []

    def rule(a, b):
        asked.append((a, b))
        return a + b if a > b else a

    oracle = Oracle(recipe, rule)
    oracle.encode = lambda xs: (None, None)
    oracle.decoder = Forced()
    record = measures.mistakes(Checkpoint(oracle, recipe), recipe.splits())
    assert record["longer"] == {
        "4+1": [500, 500],
        "4+2": [500, 500],
        "1+4": [0, 500],
        "2+4": [0, 500],
    }
    long = asked[recipe.test_size :]
    assert {(len(str(a)), len(str(b))) for a, b in long} == {(4, 1), (4, 2), (1, 4), (2, 4)}
    assert all(a + b < 10_000 for a, b in long)


class Forced:
    def forward(self, fed, h, c=None):
        return np.zeros((*fed.shape, 13))


def test_every_sum_is_counted_by_how_wrong_it_is(careless):
    record, _ = careless
    a, b = np.indices((1000, 1000))
    forgot = (a % 100 + b % 100 >= 100) & (a + b != 1000)
    assert record["wrong"] == forgot.sum() + 999 + 1
    assert record["error_sizes"] == {
        "right": 1_000_000 - record["wrong"],
        "1 to 9": 999,
        "10 to 99": 0,
        "100 or more": int(forgot.sum()),
        "no number": 1,
    }
    assert record["frequent_errors"] == [(-100, int(forgot.sum())), (-1, 999)]
    assert "wrong_sums" not in record


def test_the_map_has_the_first_number_down_and_the_second_across(careless):
    sizes = careless[0]["map"]
    assert sizes.shape == (1000, 1000) and sizes.dtype == np.uint8
    assert sizes[7, 8] == ERROR_SIZES.index("no number") and sizes[8, 7] == 0
    assert sizes[1, 999] == ERROR_SIZES.index("1 to 9")
    assert sizes[50, 57] == ERROR_SIZES.index("100 or more")


def test_trained_questions_their_mirror_images_and_new_ones_are_told_apart():
    splits = small_recipe().splits()
    trained = {tuple(map(int, question.split("+"))) for question in splits.train.questions}
    record, _ = every_sum(lambda a, b: a + b if (a, b) in trained else a + b + 1)
    twins = sum(a == b for a, b in trained)
    assert record["known"] == {
        "trained": [len(trained), len(trained)],
        "mirrored": [0, len(trained) - twins],
        "new": [0, 1_000_000 - 2 * len(trained) + twins],
    }


def test_new_sums_are_counted_by_digits_and_carries(careless):
    record, splits = careless
    rows = {(*kind,): (right, n) for *kind, right, n in record["new_by_kind"]}
    assert sum(n for _, n in rows.values()) == record["known"]["new"][1]
    assert sum(right for right, _ in rows.values()) == record["known"]["new"][0]
    known = {tuple(map(int, question.split("+"))) for question in splits.train.questions}
    known |= {(b, a) for a, b in known}
    some = [(a, b) for a in range(10, 100) for b in range(10) if (a, b) not in known]
    carrying = [(a, b) for a, b in some if number_of_carries(a, b) == 2]
    right = [a + b < 100 for a, b in carrying]
    assert rows[2, 1, 2] == (sum(right), len(carrying))


def test_few_wrong_sums_are_listed():
    record, _ = every_sum(lambda a, b: 1 if (a, b) in {(0, 5), (999, 999)} else a + b)
    assert record["wrong"] == 2
    assert record["wrong_sums"] == [[0, 5, 1], [999, 999, 1]]


def test_a_split_without_training_questions_has_only_new_sums(monkeypatch):
    monkeypatch.setattr(measures.evaluation, "every_sum", lambda *_: np.zeros((1000, 1000), int))
    given, _ = checkpoint()
    empty = Examples([], [])
    record = measures.every_sum(given, Splits(empty, empty, empty))
    assert record["known"] == {"trained": [0, 0], "mirrored": [0, 0], "new": [1, 1_000_000]}
