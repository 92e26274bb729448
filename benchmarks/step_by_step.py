"""The LSTM as on a blackboard: one step a function, gate by gate, made to be read.

``seq2seq_lib.lstm.TimeLSTM`` computes the same and is fast; a test holds the two together.
"""

import numpy as np

from seq2seq_lib.layers import Layer


def sigmoid(x):
    """1 / (1 + exp(-x)) for any x: tanh does not overflow where exp would"""
    return (1 + np.tanh(x / 2)) / 2


def step_forward(x, h_prev, c_prev, Wx, Wh, b):
    """x (N, D), h_prev, c_prev (N, H) -> h, c (N, H), and what ``step_backward`` needs"""
    z = x @ Wx + h_prev @ Wh + b  # (N, 4H)
    z_f, z_i, z_o, z_g = np.split(z, 4, axis=1)  # (N, H) each
    f = sigmoid(z_f)  # how much of the old memory is kept
    i = sigmoid(z_i)  # how much of the new is written
    o = sigmoid(z_o)  # how much of the memory is shown
    g = np.tanh(z_g)  # what would be written
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c, (x, h_prev, c_prev, f, i, o, g, c)


def step_backward(dh, dc, cache, Wx, Wh):
    """Gradients of h and c after the step -> of x, h_prev, c_prev, Wx, Wh, b"""
    x, h_prev, c_prev, f, i, o, g, c = cache
    do = dh * np.tanh(c)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    df = dc * c_prev
    di = dc * g
    dg = dc * i
    dc_prev = dc * f
    dz_f = df * f * (1 - f)
    dz_i = di * i * (1 - i)
    dz_o = do * o * (1 - o)
    dz_g = dg * (1 - g**2)
    dz = np.hstack([dz_f, dz_i, dz_o, dz_g])  # (N, 4H)
    return dz @ Wx.T, dz @ Wh.T, dc_prev, x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)


class StepByStepLSTM(Layer):
    """An LSTM layer, one call of ``step_forward`` and ``step_backward`` for each character.

    Wx : (D, 4H), Wh : (H, 4H), b : (4H,), their columns in the order of ``gates``. State and
    gradients are read and set as in ``TimeLSTM``.
    """

    gates = ("f", "i", "o", "g")

    def __init__(self, Wx, Wh, b, stateful=False):
        super().__init__(Wx=Wx, Wh=Wh, b=b)
        self.stateful = stateful
        self.h = self.c = self.dh = self.dc = None

    def set_state(self, h, c=None):
        """Start the next ``forward`` from h (N, H) and c (N, H), zeros if None."""
        self.h, self.c = h, np.zeros_like(h) if c is None else c

    def reset_state(self):
        """Start the next ``forward`` from zeros."""
        self.h = self.c = None

    def forward(self, xs):
        """xs (N, T, D) -> hs (N, T, H)"""
        Wx, Wh, b = (self.params[name] for name in ("Wx", "Wh", "b"))
        N, T, _ = xs.shape
        if not self.stateful or self.h is None:
            self.h = self.c = np.zeros((N, len(Wh)), Wh.dtype)
        hs, caches = [], []
        for t in range(T):
            self.h, self.c, cache = step_forward(xs[:, t], self.h, self.c, Wx, Wh, b)
            hs.append(self.h)
            caches.append(cache)
        self.cache = caches
        return np.stack(hs, axis=1)

    def backward(self, dhs, dc=None):
        """dhs (N, T, H), dc (N, H) or None, zeros -> dxs (N, T, D)"""
        Wx, Wh = self.params["Wx"], self.params["Wh"]
        for gradient in self.grads.values():
            gradient[...] = 0
        dh = np.zeros_like(dhs[:, 0])
        dc = np.zeros_like(dh) if dc is None else dc
        dxs = []
        for t in reversed(range(dhs.shape[1])):
            dx, dh, dc, *shares = step_backward(dhs[:, t] + dh, dc, self.cache[t], Wx, Wh)
            dxs.append(dx)
            for name, share in zip(("Wx", "Wh", "b"), shares, strict=True):
                self.grads[name] += share
        self.dh, self.dc = dh, dc
        return np.stack(dxs[::-1], axis=1)
