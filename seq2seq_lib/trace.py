"""Every array of every step of one question, as plain data: what the pictures are drawn from."""

from dataclasses import dataclass

import numpy as np

from seq2seq_lib.functions import softmax


@dataclass(frozen=True)
class Steps:
    """The steps of one LSTM: what it read, and its state and gates after each step.

    ids   : (T,)    the characters read, in order
    x     : (T, D)  their vectors
    h, c  : (T, H)  hidden state and memory cell after the step
    gates : {name: (T, H)}, for each of ``TimeLSTM.gates``
    """

    ids: np.ndarray
    x: np.ndarray
    h: np.ndarray
    c: np.ndarray
    gates: dict


@dataclass(frozen=True)
class Trace:
    """One question, answered step by step.

    encoder, decoder   : ``Steps``
    bridge_h, bridge_c : (H,)    the state with which the decoder starts
    scores             : (S, V)  the affine layer's scores after each decoder step
    probabilities      : (S, V)  their softmax
    choices            : (S,)    the character chosen at each step
    """

    encoder: Steps
    decoder: Steps
    bridge_h: np.ndarray
    bridge_c: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    choices: np.ndarray


def trace(model, question, start_id, sample_size, *, answer=None):
    """A model and one encoded question (T,) -> ``Trace``, with the ids that ``generate`` gives.

    With an encoded ``answer`` (S,) its characters are fed instead of the choices (teacher
    forcing). The arrays are copies of those that the layers keep for ``backward``.
    """
    question = np.asarray(question)
    if question.ndim != 1:
        raise ValueError(f"question: expected shape (T,), got {question.shape}")
    if answer is not None and np.shape(answer) != (sample_size,):
        raise ValueError(f"answer: expected shape ({sample_size},), got {np.shape(answer)}")
    rows = np.stack([question, question])  # twice, as in Decoder.generate: the same rounding
    h, c = model.encode(rows)
    encoder = _steps(model.encoder, question)

    model.decoder.lstm.set_state(h, c)
    bridge_h, bridge_c = model.decoder.lstm.h[0].copy(), model.decoder.lstm.c[0].copy()
    fed, steps, scores = np.full((2, 1), start_id), [], []
    for step in range(sample_size):
        step_scores = model.decoder.step(fed, h)
        steps.append(_steps(model.decoder, fed[0]))
        scores.append(step_scores[0, 0])
        fed = step_scores.argmax(axis=-1) if answer is None else np.full((2, 1), answer[step])
    model.forget()
    scores = np.array(scores)
    return Trace(
        encoder=encoder,
        decoder=_joined(steps),
        bridge_h=bridge_h,
        bridge_c=bridge_c,
        scores=scores,
        probabilities=softmax(scores),
        choices=scores.argmax(axis=-1),
    )


def _steps(part, ids):
    lstm = part.lstm
    kept = lstm.cache
    return Steps(
        ids=np.array(ids),
        x=part.embed.params["W"][ids],
        h=kept.h[1:, 0].copy(),
        c=kept.c[1:, 0].copy(),
        gates={name: gate[:, 0].copy() for name, gate in zip(lstm.gates, kept.gates, strict=True)},
    )


def _joined(steps):
    join = {
        name: np.concatenate([getattr(s, name) for s in steps]) for name in ("ids", "x", "h", "c")
    }
    gates = {name: np.concatenate([s.gates[name] for s in steps]) for name in steps[0].gates}
    return Steps(**join, gates=gates)
