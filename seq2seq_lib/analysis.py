"""What goes on in a model, measured: how far gradients reach, what kinds of mistakes it makes."""

import numpy as np

from seq2seq_lib.functions import one_hot, softmax

ERROR_SIZES = "right", "1 to 9", "10 to 99", "100 or more", "no number"


def gradient_paths(model, questions, answers):
    """How strongly each output's loss pulls at each input character: (T, S), means over N.

    questions (N, T) and answers (N, 1 + S) are encoded rows. Entry [i, j] is the length of the
    gradient of output j's loss with respect to the vector of the i-th character *read*, with the
    right answer fed (teacher forcing), averaged over the questions.
    """
    fed, targets = answers[:, :-1], answers[:, 1:]
    scores = model.decoder.forward(fed, *model.encode(questions))
    lengths = np.empty((questions.shape[1], targets.shape[1]))
    for j in range(targets.shape[1]):
        dscores = np.zeros_like(scores)
        dscores[:, j] = softmax(scores[:, j]) - one_hot(targets[:, j], scores.shape[-1])
        dh = model.decoder.backward(dscores)
        dxs = model.encoder.backward(dh, model.decoder.lstm.dc if model.pass_cell else None)
        lengths[:, j] = np.linalg.norm(dxs, axis=-1).mean(axis=0)
    return lengths


def teacher_forced(model, questions, answers):
    """What the model writes if the right character is fed at every step: (N, S) ids"""
    return model.decoder.forward(answers[:, :-1], *model.encode(questions)).argmax(axis=-1)


def error_sizes(answers, sums):
    """How wrong each answer is: an array of places in ``ERROR_SIZES``.

    answers, sums : whole numbers of one shape; a negative answer was no number
    """
    distance = np.abs(answers - sums)
    sizes = np.digitize(distance, [1, 10, 100]).astype(np.uint8)
    return np.where(np.asarray(answers) < 0, ERROR_SIZES.index("no number"), sizes).astype(np.uint8)


def most_frequent(values, most=20):
    """Whole numbers -> [(value, how often), ...], the most frequent first, then the smaller ones"""
    found, times = np.unique(values, return_counts=True)
    order = np.lexsort((np.abs(found), -times))[:most]
    return [(int(found[k]), int(times[k])) for k in order]
