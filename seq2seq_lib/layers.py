"""The layers that treat every time step alike: embedding, affine map, softmax with loss."""

import numpy as np

from seq2seq_lib.functions import checked_array, checked_ids, log_softmax, one_hot, rows


class Layer:
    """Parameters, their gradients, and what ``forward`` left for ``backward``.

    ``params`` and ``grads`` are dicts with the same keys; ``grads[name]`` has the shape and dtype
    of ``params[name]``. Two rules, kept by every layer and tested:

    1. *Never rebind an array.* A model, an optimizer and a checkpoint all hold the very same one.
    2. *``backward`` writes gradients, it does not add to old ones.* One call, one gradient.
    """

    def __init__(self, **params):
        self.params = {name: _parameter(name, array) for name, array in params.items()}
        self.grads = {name: np.zeros_like(array) for name, array in params.items()}
        if len({array.dtype for array in params.values()}) > 1:
            dtypes = ", ".join(f"{name} {array.dtype}" for name, array in params.items())
            raise ValueError(f"{type(self).__name__}: expected one dtype, got {dtypes}")
        self._cache = None

    @property
    def cache(self):
        """What the last ``forward`` left for ``backward``; RuntimeError before any ``forward``."""
        if self._cache is None:
            raise RuntimeError(f"{type(self).__name__}: call forward before backward")
        return self._cache

    @cache.setter
    def cache(self, value):
        self._cache = value

    def forget(self):
        """Drop what ``forward`` left, so that ``backward`` cannot take it for something newer."""
        self._cache = None


def _parameter(name, array):
    if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
        got = getattr(array, "dtype", type(array).__name__)
        raise ValueError(f"{name}: expected an array of float32 or float64, got {got}")
    return array


def context_size(context, W):
    """C, the length of the context's vectors; 0 without one. ValueError if W has no room for it"""
    if context is None:
        return 0
    shape = np.shape(context)
    if len(shape) != 2 or shape[1] > len(W):
        raise ValueError(f"context: expected shape (N, C), C at most {len(W)}, got {shape}")
    return shape[1]


class TimeEmbedding(Layer):
    """Each character id becomes a row of W: ``y[n, t] = W[ids[n, t]]``.

    W : (V, D)  one vector a character
    """

    def __init__(self, W):
        super().__init__(W=W)
        checked_array("W", W, ("V", "D"), W.dtype)

    def forward(self, ids):
        """ids (N, T) int -> vectors (N, T, D)"""
        W = self.params["W"]
        self.cache = ids = checked_ids("ids", ids, len(W)).copy()
        return W[ids]

    def backward(self, dys):
        """dys (N, T, D) -> None: ids have no gradient. A row's gradient is the sum of its uses."""
        W, ids = self.params["W"], self.cache
        dys = checked_array("dys", dys, (*ids.shape, W.shape[1]), W.dtype)
        uses = one_hot(ids.ravel(), len(W)).astype(W.dtype)  # (N*T, V)
        np.matmul(uses.T, rows(dys), out=self.grads["W"])


class TimeAffine(Layer):
    """The same affine map at every time step: ``y[n, t] = [context[n]; x[n, t]] W + b``.

    W : (C + D, K)  weights; the first C rows meet the context, C = 0 without one
    b : (K,)        biases

    A *context* is a vector of the whole sequence, joined in front of every step's input. It is the
    same at every step, so its share of the product is computed once, not T times; ``dcontext``
    holds its gradient after ``backward``.
    """

    def __init__(self, W, b):
        super().__init__(W=W, b=b)
        checked_array("W", W, ("C + D", "K"), W.dtype)
        checked_array("b", b, (W.shape[1],), b.dtype)
        self.dcontext = None

    def forward(self, xs, context=None):
        """xs (N, T, D), context (N, C) or None -> ys (N, T, K)"""
        W, b = self.params["W"], self.params["b"]
        C = context_size(context, W)
        xs = checked_array("xs", xs, ("N", "T", len(W) - C), W.dtype)
        N, T, _ = xs.shape
        ys = (rows(xs) @ W[C:]).reshape(N, T, W.shape[1])
        if context is None:
            ys += b
        else:
            context = checked_array("context", context, (N, C), W.dtype)
            ys += (context @ W[:C] + b)[:, None, :]  # (N, 1, K): every step sees the same
        self.cache = xs, context
        return ys

    def backward(self, dys):
        """dys (N, T, K) -> dxs (N, T, D)"""
        W, dW = self.params["W"], self.grads["W"]
        xs, context = self.cache
        N, T, D = xs.shape
        dys = checked_array("dys", dys, (N, T, W.shape[1]), W.dtype)
        C = len(W) - D
        np.matmul(rows(xs).T, rows(dys), out=dW[C:])
        np.sum(rows(dys), axis=0, out=self.grads["b"])
        if context is not None:
            over_time = dys.sum(axis=1)  # (N, K)
            np.matmul(context.T, over_time, out=dW[:C])
            self.dcontext = over_time @ W[:C].T
        return (rows(dys) @ W[C:].T).reshape(N, T, D)


class TimeSoftmaxWithLoss(Layer):
    """Mean cross entropy, in nats, over the counted targets: ``-mean log softmax(scores)[target]``.

    A target equal to ``ignore_id`` is not counted: it adds nothing to the loss, gets no gradient,
    and the mean is over the others. With no counted target at all the loss is 0.
    """

    def __init__(self, ignore_id=None):
        super().__init__()
        self.ignore_id = ignore_id

    def forward(self, scores, ts):
        """scores (N, T, V), targets ts (N, T) int -> float"""
        scores = np.asarray(scores)
        if scores.dtype not in (np.float32, np.float64) or scores.ndim != 3:
            raise ValueError(
                "scores: expected float32 or float64 of shape (N, T, V), "
                f"got {scores.dtype} of shape {scores.shape}"
            )
        ts = checked_ids("ts", ts, scores.shape[-1])
        if ts.shape != scores.shape[:2]:
            raise ValueError(f"ts: expected shape {scores.shape[:2]}, got {ts.shape}")
        log_p = rows(log_softmax(scores))  # (N*T, V)
        ts = ts.ravel()
        counted = np.ones(len(ts), bool) if self.ignore_id is None else ts != self.ignore_id
        picked = log_p[np.arange(len(ts)), ts]
        self.cache = log_p, ts, counted, scores.shape
        return float((-picked[counted]).sum() / max(1, counted.sum()))

    def backward(self, dout=1):
        """dout, the gradient of whatever the loss flows into -> dscores (N, T, V)"""
        log_p, ts, counted, shape = self.cache
        dscores = np.exp(log_p)
        dscores[np.arange(len(ts)), ts] -= 1
        dscores *= (counted * (dout / max(1, counted.sum()))).astype(log_p.dtype)[:, None]
        return dscores.reshape(shape)
