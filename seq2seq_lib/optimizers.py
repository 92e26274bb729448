"""How gradients change parameters: the Adam optimizer, and clipping by the global norm."""

import numpy as np


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), in place on a dict of arrays.

    m and v are running means of the gradient and of its square; dividing by ``1 - beta**t`` takes
    out their start at zero::

        m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g**2
        p = p - rate * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    """

    def __init__(self, params, rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.params = params
        self.rate, self.beta1, self.beta2, self.eps = rate, beta1, beta2, eps
        self.t = 0
        self.m = {name: np.zeros_like(p) for name, p in params.items()}
        self.v = {name: np.zeros_like(p) for name, p in params.items()}

    def update(self, grads):
        """One step against ``grads``, a dict with the keys and shapes of ``params``."""
        if grads.keys() != self.params.keys():
            odd = sorted(grads.keys() ^ self.params.keys())
            raise ValueError(f"grads: expected the keys of params, differing in {', '.join(odd)}")
        self.t += 1
        step = self.rate / (1 - self.beta1**self.t)
        unbias = 1 / np.sqrt(1 - self.beta2**self.t)
        for name, p in self.params.items():
            g, m, v = grads[name], self.m[name], self.v[name]
            m *= self.beta1
            m += (1 - self.beta1) * g
            v *= self.beta2
            v += (1 - self.beta2) * g * g
            root = np.sqrt(v)
            root *= unbias
            root += self.eps
            np.divide(m, root, out=root)
            root *= step
            p -= root


def gradient_norm(grads):
    """The Euclidean length of all gradients together, as if they were one long vector: float"""
    return float(np.sqrt(sum(np.vdot(g, g) for g in grads.values())))


def clip_gradients(grads, max_norm):
    """Shorten all gradients by one factor so that their joint norm is at most ``max_norm``.

    One factor for all keeps the direction (Pascanu et al. 2013). Works in place and returns the
    norm before clipping. Raises ValueError unless ``max_norm`` is more than 0.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm: expected more than 0, got {max_norm!r}")
    norm = gradient_norm(grads)
    if norm > max_norm:
        for g in grads.values():
            g *= max_norm / norm
    return norm
