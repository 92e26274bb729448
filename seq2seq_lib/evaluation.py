"""How good a model is: whole answers, characters, kinds of sums, and every sum there is."""

import numpy as np

from seq2seq_lib.encoding import Layout

BATCH = 250  # rows at a time: more would not fit the cache of one core


def write_answers(model, layout, questions):
    """Rows of ``encode_questions`` (N, T) -> the ids that the model writes (N, sample_size)"""
    batches = [
        model.generate(questions[start : start + BATCH], layout.start_id, layout.sample_size)
        for start in range(0, len(questions), BATCH)
    ]
    return np.concatenate([np.empty((0, layout.sample_size), int), *batches])


def right_characters(written, answers, layout: Layout):
    """Which characters agree, and which count, two (N, sample_size) arrays of booleans.

    written (N, sample_size) comes from ``write_answers``, answers (N, 1 + sample_size) from
    ``encode_answers``. With an end mark, what stands behind it does not count.
    """
    wanted = answers[:, 1:]
    written = np.asarray(written)
    if written.shape != wanted.shape:
        raise ValueError(f"written: expected shape {wanted.shape}, got {written.shape}")
    counted = np.ones(wanted.shape, bool)
    if layout.end_mark:
        ends = wanted == layout.start_id
        counted = np.cumsum(ends, axis=1) - ends == 0  # up to the end mark, and the mark itself
    return written == wanted, counted


def right_answers(written, answers, layout):
    """Which answers are right in every character that counts: (N,) booleans"""
    right, counted = right_characters(written, answers, layout)
    return (right | ~counted).all(axis=1)


def exact_match(written, answers, layout):
    """The share of answers that are right in every character that counts, 0 to 1; NaN of none"""
    return _mean(right_answers(written, answers, layout))


def per_character_accuracy(written, answers, layout):
    """The share of right characters among those that count, 0 to 1: flatters, see the book"""
    right, counted = right_characters(written, answers, layout)
    return _mean(right[counted])


def accuracy_by_position(written, answers, layout):
    """The same for each place in the answer: (sample_size,), NaN where none counts"""
    right, counted = right_characters(written, answers, layout)
    places = zip(right.T, counted.T, strict=True)
    return np.array([_mean(place[count]) for place, count in places])


def accuracy_by_group(right, groups):
    """right (N,) booleans, groups (N,) -> {group: (share right, how many)}, sorted by group"""
    right, groups = np.asarray(right), np.asarray(groups)
    if right.shape != groups.shape:
        raise ValueError(f"groups: expected shape {right.shape}, got {groups.shape}")
    return {
        group.item(): (_mean(right[groups == group]), int((groups == group).sum()))
        for group in np.unique(groups)
    }


def evaluate(model, layout, examples):
    """``Examples`` -> (exact match, per-character accuracy), each 0 to 1"""
    written = write_answers(model, layout, layout.encode_questions(examples.questions))
    answers = layout.encode_answers(examples.answers)
    return exact_match(written, answers, layout), per_character_accuracy(written, answers, layout)


def every_sum(model, layout, largest=999, on_row=lambda a: None):
    """What the model answers to every a+b from 0 to ``largest``: (largest + 1, largest + 1) int.

    Row a, column b; -1 where the answer is no number. ``on_row(a)`` is called after each row.
    """
    numbers = range(largest + 1)
    answers = np.empty((largest + 1, largest + 1), int)
    for a in numbers:
        questions = layout.encode_questions([f"{a}+{b}" for b in numbers])
        texts = layout.decode_answers(write_answers(model, layout, questions))
        answers[a] = [int(text) if _is_number(text) else -1 for text in texts]
        on_row(a)
    return answers


def _is_number(text):
    return text.isdecimal() and str(int(text)) == text


def _mean(booleans):
    return float(np.mean(booleans)) if np.size(booleans) else float("nan")
