"""The few mathematical functions and array views that every layer shares: pure NumPy."""

import numpy as np


def sigmoid(x):
    """1 / (1 + exp(-x)), any shape, without overflow: a shifted, scaled tanh."""
    return np.tanh(np.asarray(x) * 0.5) * 0.5 + 0.5


def softmax(x):
    """Scores -> probabilities over the last axis, any shape (..., V).

    The largest score is subtracted first: that changes nothing in exact arithmetic, and ``exp``
    cannot overflow.
    """
    exp = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def log_softmax(x):
    """Scores -> natural logarithms of the probabilities, any shape (..., V)."""
    shifted = x - np.max(x, axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def rows(x):
    """(N, T, D) -> (N*T, D): all time steps of all sequences as the rows of one matrix."""
    return x.reshape(-1, x.shape[-1])


def time_first(x):
    """(N, T, D) -> (T, N, D), a contiguous copy: a loop over time reads whole blocks of memory."""
    return x.swapaxes(0, 1).copy()


batch_first = time_first  # the same exchange of two axes takes (T, N, D) back to (N, T, D)


def one_hot(ids, size):
    """(M,) ids -> (M, size) booleans, one True a row."""
    return ids[:, None] == np.arange(size)


def checked_array(name, x, shape, dtype):
    """``x`` as an array of ``dtype`` after its shape was compared with ``shape``.

    In ``shape`` a number must agree; a letter ("N", "T", ...) stands for any size, and the same
    letter twice for the same size. Raises ValueError naming the array, what was expected and
    what came.
    """
    x = np.asarray(x)
    if x.dtype.kind not in "fiu":
        raise ValueError(f"{name}: expected real numbers, got an array of {x.dtype}")
    sizes = {}
    fits = x.ndim == len(shape) and all(
        size == (want if isinstance(want, int) else sizes.setdefault(want, size))
        for want, size in zip(shape, x.shape, strict=True)
    )
    if not fits:
        want = ", ".join(map(str, shape))
        raise ValueError(f"{name}: expected shape ({want}), got {x.shape}")
    return x.astype(dtype, copy=False)


def checked_whole_number(name, value, *, least):
    """``value`` after it was found to be a whole number, ``least`` or more. Raises ValueError."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name}: expected a whole number, {least} or more, got {value!r}")
    return int(value)


def checked_ids(name, ids, vocab_size):
    """``ids`` as an (N, T) integer array after every id was found to lie in [0, vocab_size).

    NumPy would read -1 as "the last row" without a word. Raises ValueError.
    """
    ids = np.asarray(ids)
    if ids.ndim != 2 or ids.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: expected character ids, integers of shape (N, T), "
            f"got {ids.dtype} of shape {ids.shape}"
        )
    if ids.size and not (0 <= ids.min() and ids.max() < vocab_size):
        wrong = ids[(ids < 0) | (ids >= vocab_size)][0]
        raise ValueError(f"{name}: expected ids from 0 to {vocab_size - 1}, got {wrong}")
    return ids
