"""What is measured of a trained model: each function takes a checkpoint and makes a record.

A record is a dict of what JSON can keep, and of arrays, which get files of their own. Shares go
from 0 to 1; [3, 4] counts 3 right of 4.
"""

import numpy as np

from seq2seq_lib import evaluation
from seq2seq_lib.analysis import (
    ERROR_SIZES,
    error_sizes,
    gradient_paths,
    most_frequent,
    teacher_forced,
)
from seq2seq_lib.data import Examples, make_additions, number_of_carries, number_of_digits
from seq2seq_lib.training import Trainer

PATH_QUESTIONS = 1000
LONGER = 500  # sums of each kind that is longer than those of training
KNOWN = "trained", "mirrored", "new"
FEW = 500  # wrong sums that are listed one by one
SNAPSHOT_QUESTIONS = "2+5", "5+57", "57+5", "77+85", "123+456", "628+521", "999+1", "999+999"


def accuracy(checkpoint, splits):
    """How training went, and what share of the test's characters is right."""
    history = checkpoint.history
    _, characters = evaluation.evaluate(checkpoint.model, checkpoint.recipe.layout, splits.test)
    return {
        "loss": [epoch["loss"] for epoch in history],
        "validation_accuracy": [epoch["accuracy"] for epoch in history],
        "test_character_accuracy": characters,
        "seconds": round(sum(epoch["seconds"] for epoch in history), 1),
    }


def snapshots(checkpoint, splits):
    """How training went, as ``accuracy`` says, and what was answered after each epoch.

    "answers" has, for each of ``SNAPSHOT_QUESTIONS``, the answers after 0, 1, ... epochs, and
    "known" which of ``KNOWN`` the question is. "untrained_accuracy" is the validation accuracy
    after 0. The run is trained once more. Raises ValueError if it ends with other weights.
    """
    recipe, layout = checkpoint.recipe, checkpoint.recipe.layout
    rows = layout.encode_questions(list(SNAPSHOT_QUESTIONS))
    trainer = Trainer(recipe, splits)

    def answers():
        return layout.decode_answers(evaluation.write_answers(trainer.model, layout, rows))

    untrained = trainer.accuracy()
    written = [answers(), *(answers() for _ in trainer.run())]
    _check_repeated(trainer.model.params, checkpoint.model.params)
    known = _known(splits.train)
    return {
        **accuracy(checkpoint, splits),
        "untrained_accuracy": untrained,
        "known": {q: KNOWN[known[tuple(map(int, q.split("+")))]] for q in SNAPSHOT_QUESTIONS},
        "answers": {q: [row[k] for row in written] for k, q in enumerate(SNAPSHOT_QUESTIONS)},
    }


def _check_repeated(params, expected):
    """Raise ValueError unless a repeated run ended with the expected weights, bit for bit."""
    for name, array in expected.items():
        if not np.array_equal(params[name], array):
            raise ValueError(
                f"{name}: expected the checkpoint's weights from the same recipe trained again, "
                f"got others, up to {np.abs(params[name] - array).max():.2g} away: was it trained "
                "with another NumPy, processor or number of threads?"
            )


def paths(checkpoint, splits):
    """How strongly each output pulls at each input: ``gradient_paths`` (T, S) in writing order.

    "full" is over sums of two numbers of three digits with four digits in the answer, where a
    place always means the same; "short" over all sums like 57+5, two digits and one, which have
    three blanks. Row i is the i-th place of the question as it is *written*.
    """
    layout = checkpoint.recipe.layout
    drawn = make_additions(4 * PATH_QUESTIONS, np.random.default_rng(0), digits=(3, 3))
    long = [place for place, answer in enumerate(drawn.answers) if len(answer) == 4]
    full = drawn.take(long[:PATH_QUESTIONS])
    short = [(f"{a}+{b}", str(a + b)) for a in range(10, 100) for b in range(10) if a + b < 100]
    record = {}
    for name, (questions, answers) in ("full", full), ("short", zip(*short, strict=True)):
        rows = layout.encode_questions(list(questions)), layout.encode_answers(list(answers))
        lengths = gradient_paths(checkpoint.model, *rows)
        written = lengths[::-1] if layout.reverse else lengths
        record[name] = [[float(f"{length:.4g}") for length in row] for row in written.tolist()]
    return record


def mistakes(checkpoint, splits):
    """How the test goes with the model's own characters fed, and the right ones; longer numbers.

    "free" and "forced" have the share of whole answers and of each place in them. "longer" counts
    sums of a number of four digits, which no training question has, and one of one or two.
    """
    layout, model = checkpoint.recipe.layout, checkpoint.model

    def encoded(examples):
        return layout.encode_questions(examples.questions), layout.encode_answers(examples.answers)

    xs, ts = encoded(splits.test)
    written = {
        "free": evaluation.write_answers(model, layout, xs),
        "forced": teacher_forced(model, xs, ts),
    }
    record = {
        name: {
            "exact": evaluation.exact_match(ids, ts, layout),
            "by_position": evaluation.accuracy_by_position(ids, ts, layout).tolist(),
        }
        for name, ids in written.items()
    }
    record["longer"] = {}
    for digits in (4, 1), (4, 2), (1, 4), (2, 4):
        xs, ts = encoded(_additions_of(digits, LONGER))
        right = evaluation.right_answers(evaluation.write_answers(model, layout, xs), ts, layout)
        record["longer"]["{}+{}".format(*digits)] = _count(right)
    return record


def _additions_of(digits, count):
    """Sums of numbers of these lengths, below 10,000, always the same ones"""
    rng = np.random.default_rng(0)
    most = {1: 10, 2: 100, 4: 9900}
    a, b = (rng.integers(10 ** (n - 1), most[n], count).tolist() for n in digits)
    pairs = list(zip(a, b, strict=True))
    return Examples([f"{x}+{y}" for x, y in pairs], [str(x + y) for x, y in pairs])


def every_sum(checkpoint, splits):
    """All million sums: which are right, how wrong the others are, and a map of it.

    "known" counts the training questions ("trained"), their mirror images ("mirrored") and all
    others ("new"). "new_by_kind" has rows [digits of a, digits of b, carries, right, sums].
    "frequent_errors" has rows [written minus sum, how often]. "map" (1000, 1000) has for a+b, in
    row a and column b, a place in ``ERROR_SIZES``.
    """
    answers = evaluation.every_sum(checkpoint.model, checkpoint.recipe.layout)
    a, b = np.indices(answers.shape)
    right, sizes = answers == a + b, error_sizes(answers, a + b)
    known = _known(splits.train)
    new = known == KNOWN.index("new")
    record = {
        "wrong": int((~right).sum()),
        "known": {name: _count(right[known == code]) for code, name in enumerate(KNOWN)},
        "error_sizes": {name: int((sizes == size).sum()) for size, name in enumerate(ERROR_SIZES)},
        "frequent_errors": most_frequent((answers - a - b)[~right & (answers >= 0)]),
        "new_by_kind": _by_kind(a[new], b[new], right[new]),
        "map": sizes,
    }
    if record["wrong"] <= FEW:
        places = np.argwhere(~right).tolist()
        record["wrong_sums"] = [[x, y, int(answers[x, y])] for x, y in places]
    return record


def _known(train):
    """For a+b, in row a and column b, its place in ``KNOWN``: (1000, 1000)"""
    pairs = [question.split("+") for question in train.questions]
    trained = np.array(pairs, int).reshape(-1, 2).T
    known = np.full((1000, 1000), KNOWN.index("new"), np.uint8)
    known[tuple(trained[::-1])] = KNOWN.index("mirrored")
    known[tuple(trained)] = KNOWN.index("trained")
    return known


def _by_kind(a, b, right):
    kinds = np.stack([number_of_digits(a), number_of_digits(b), number_of_carries(a, b)], axis=1)
    found, group = np.unique(kinds, axis=0, return_inverse=True)
    return [[*kind, *_count(right[group == k])] for k, kind in enumerate(found.tolist())]


def _count(right):
    """Booleans -> [how many are true, how many there are]"""
    return [int(np.sum(right)), int(np.size(right))]
