"""The long short-term memory (LSTM) over a whole sequence, forwards and backwards in time.

Fast where it counts: the inputs of all steps are projected in one product, the four gates of a
step are activated in one ``tanh``, and each weight's gradient is one product after the loop.
"""

from typing import NamedTuple

import numpy as np

from seq2seq_lib.functions import batch_first, checked_array, rows, time_first
from seq2seq_lib.layers import Layer, context_size


class Kept(NamedTuple):
    """What ``forward`` keeps: for ``backward``, and for ``trace`` to show. Time first."""

    xs: np.ndarray  # (T*N, D)
    context: np.ndarray | None  # (N, C)
    keep: np.ndarray | None  # (T, N, 1)
    from_zeros: bool  # whether the first state was zeros
    h: np.ndarray  # (T + 1, N, H), the first state in front
    c: np.ndarray  # (T + 1, N, H)
    tanh_c: np.ndarray  # (T, N, H)
    gates: np.ndarray  # (4, T, N, H)


class TimeLSTM(Layer):
    """An LSTM layer (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000).

    One step, with ``x`` the input and ``h``, ``c`` the state that the step before handed on::

        z = [context; x] Wx + h Wh + b          four blocks of H columns, in the order of ``gates``
        f, i, o = sigmoid(z_f), sigmoid(z_i), sigmoid(z_o)
        g = tanh(z_g)
        c = f * c + i * g
        h = o * tanh(c)

    Wx : (C + D, 4H)  input weights; the first C rows meet the context, C = 0 without one
    Wh : (H, 4H)      recurrent weights
    b  : (4H,)        biases

    A *stateful* layer starts from the state it was given or ended with; any other starts from
    zeros at every call. After ``forward``, ``h`` and ``c`` (N, H) are the last state; after
    ``backward``, ``dh`` and ``dc`` (N, H) are the gradients of the first one, ``dcontext`` (N, C)
    that of the context.
    """

    gates = ("f", "i", "o", "g")

    def __init__(self, Wx, Wh, b, stateful=False):
        super().__init__(Wx=Wx, Wh=Wh, b=b)
        if Wh.ndim != 2 or Wh.shape[1] != 4 * len(Wh):
            raise ValueError(f"Wh: expected shape (H, 4H), got {Wh.shape}")
        for name, array, shape in (("Wx", Wx, ("D", 4 * len(Wh))), ("b", b, (4 * len(Wh),))):
            checked_array(name, array, shape, Wh.dtype)
        self.stateful = stateful
        self.h = self.c = self.dh = self.dc = self.dcontext = None
        self._buffers = {}

    def set_state(self, h, c=None):
        """Start the next ``forward`` from h (N, H) and c (N, H), zeros if None."""
        if not self.stateful:
            raise RuntimeError("set_state: this TimeLSTM is not stateful, it starts from zeros")
        Wh = self.params["Wh"]
        self.h = checked_array("h", h, ("N", len(Wh)), Wh.dtype).copy()
        self.c = np.zeros_like(self.h)
        if c is not None:
            self.c[:] = checked_array("c", c, self.h.shape, Wh.dtype)

    def reset_state(self):
        """Start the next ``forward`` from zeros. What was learned is not touched."""
        self.h = self.c = None

    def forward(self, xs, context=None, keep=None):
        """xs (N, T, D) -> hs (N, T, H), the hidden state after every step.

        context : (N, C)       a vector that every step sees, joined in front of its input
        keep    : (N, T) bool  where False, the step hands the state before it on, unchanged
        """
        Wx, Wh, b = (self.params[name] for name in ("Wx", "Wh", "b"))
        H, C = len(Wh), context_size(context, Wx)
        xs = checked_array("xs", xs, ("N", "T", len(Wx) - C), Wx.dtype)
        N, T, D = xs.shape
        if context is not None:
            context = checked_array("context", context, (N, C), Wx.dtype)
        if keep is not None:
            keep = np.asarray(keep)
            if keep.dtype == bool:
                keep = keep.astype(int)
            keep = checked_array("keep", keep, (N, T), bool).T[:, :, None]  # (T, N, 1)
        from_zeros = not self.stateful or self.h is None
        first_h, first_c = self._first_state(N, H)

        xs = rows(time_first(xs))  # (T*N, D)
        h, c = self._buffer("h", T + 1, N, H), self._buffer("c", T + 1, N, H)
        tanh_c, gates = self._buffer("tanh_c", T, N, H), self._buffer("gates", 4, T, N, H)
        h[0], c[0] = first_h, first_c
        # project: the inputs of all steps at once, here; each step's state, in the loop
        same_every_step = self._by_gate(b[None])  # (4, 1, H)
        if context is not None:
            same_every_step = context @ self._by_gate(Wx[:C]) + same_every_step  # (4, N, H)
        np.matmul(xs, self._by_gate(Wx[C:]), out=gates.reshape(4, T * N, H))
        recurrent, from_h = self._by_gate(Wh), self._buffer("from_h", 4, N, H)
        for t in range(T):
            z = gates[:, t]  # (4, N, H): from here on in place, z becomes f, i, o, g
            z += same_every_step
            if t or not from_zeros:
                z += np.matmul(h[t], recurrent, out=from_h)
            # gate
            z[:3] *= 0.5  # sigmoid(z) = tanh(z / 2) / 2 + 1 / 2
            np.tanh(z, out=z)
            z[:3] *= 0.5
            z[:3] += 0.5
            f, i, o, g = z
            # update
            np.multiply(f, c[t], out=c[t + 1])
            c[t + 1] += i * g
            # emit
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t + 1])
            if keep is not None:
                np.copyto(c[t + 1], c[t], where=~keep[t])
                np.copyto(h[t + 1], h[t], where=~keep[t])

        self.h, self.c = h[T].copy(), c[T].copy()
        self.cache = Kept(xs, context, keep, from_zeros, h, c, tanh_c, gates)
        return batch_first(h[1:])

    def backward(self, dhs, dc=None):
        """dhs (N, T, H), the gradient of every hidden state -> dxs (N, T, D)

        dc : (N, H)  the gradient of the last memory cell, if something used it
        """
        Wh = self.params["Wh"]
        _, _, keep, _, _, c, tanh_c, gates = self.cache
        _, T, N, H = gates.shape
        dhs = checked_array("dhs", dhs, (N, T, H), Wh.dtype)
        dc = np.zeros((N, H), Wh.dtype) if dc is None else checked_array("dc", dc, (N, H), Wh.dtype)
        dh = np.zeros((N, H), Wh.dtype)
        dz = self._buffer("dz", 4, T, N, H)
        recurrent, from_z = self._by_gate(Wh).swapaxes(1, 2), self._buffer("from_z", 4, N, H)
        for t in reversed(range(T)):
            # walk back
            f, i, o, g = gates[:, t]
            df, di, do, dg = dz[:, t]
            dh = dh + dhs[:, t]  # from the step after, and from above
            if keep is not None:
                handed_on = np.where(keep[t], 0, dh), np.where(keep[t], 0, dc)
                dh, dc = np.where(keep[t], dh, 0), np.where(keep[t], dc, 0)
            dc = dc + dh * o * (1 - tanh_c[t] ** 2)
            # split
            np.multiply(dc * c[t], f * (1 - f), out=df)
            np.multiply(dc * g, i * (1 - i), out=di)
            np.multiply(dh * tanh_c[t], o * (1 - o), out=do)
            np.multiply(dc * i, 1 - g**2, out=dg)
            # accumulate: dz keeps each step's share, `_weight_gradients` sums them up
            # hand on
            dc = dc * f
            dh = np.matmul(dz[:, t], recurrent, out=from_z).sum(axis=0)
            if keep is not None:
                dh, dc = dh + handed_on[0], dc + handed_on[1]

        self.dh, self.dc = dh, dc
        return self._weight_gradients(dz)

    def _weight_gradients(self, dz):
        """Sum every step's share into the gradients, one product each; return dxs (N, T, D)."""
        Wx, (_, T, N, H) = self.params["Wx"], dz.shape
        xs, context, _, from_zeros, h, *_ = self.cache
        C = len(Wx) - xs.shape[1]
        dz_rows = dz.reshape(4, T * N, H)
        dWx, dWh, db = (self._by_gate(self.grads[name]) for name in ("Wx", "Wh", "b"))
        start = int(from_zeros)  # a state of zeros adds nothing to dWh
        np.matmul(rows(h[start:T]).T, dz[:, start:].reshape(4, -1, H), out=dWh)
        np.matmul(xs.T, dz_rows, out=dWx[:, C:])
        np.sum(dz_rows, axis=1, keepdims=True, out=db)
        if context is not None:
            over_time = dz.sum(axis=1)  # (4, N, H)
            np.matmul(context.T, over_time, out=dWx[:, :C])
            self.dcontext = (over_time @ self._by_gate(Wx[:C]).swapaxes(1, 2)).sum(axis=0)
        dxs = (dz_rows @ self._by_gate(Wx[C:]).swapaxes(1, 2)).sum(axis=0)
        return batch_first(dxs.reshape(T, N, xs.shape[1]))

    def _by_gate(self, W):
        """(M, 4H) or (4H,) -> a view of it, (4, M, H) or (4, 1, H): one matrix a gate."""
        return W.reshape(-1, 4, W.shape[-1] // 4).swapaxes(0, 1)

    def _first_state(self, N, H):
        if not self.stateful or self.h is None:
            return 0, 0
        if self.h.shape != (N, H):
            raise ValueError(f"xs: expected N = {len(self.h)}, as in the state, got N = {N}")
        return self.h, self.c

    def _buffer(self, name, *shape):
        """An uninitialised array kept from call to call: new memory each time costs a tenth."""
        dtype = self.params["Wh"].dtype
        if name not in self._buffers or self._buffers[name].shape != shape:
            self._buffers[name] = np.empty(shape, dtype)
        return self._buffers[name]
