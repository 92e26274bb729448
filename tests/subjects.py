"""Every layer and model with every switch, and one way to run any of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from seq2seq_lib.layers import TimeAffine, TimeEmbedding, TimeSoftmaxWithLoss
from seq2seq_lib.lstm import TimeLSTM
from seq2seq_lib.models import Decoder, Encoder, PeekyDecoder, PeekySeq2seq, Seq2seq

PAD = 1


@dataclass(frozen=True)
class Sizes:
    N: int = 2
    T: int = 3
    V: int = 5
    D: int = 2
    H: int = 3
    dtype: type = np.float64


@dataclass
class Subject:
    """A part, its inputs by name, and how to run it.

    forward  : (part, **inputs) -> tuple of outputs
    backward : (part, *gradients of the outputs) -> {name of an input: its gradient}
    """

    part: object
    inputs: dict
    forward: Callable
    backward: Callable

    def outputs(self, **changed):
        return tuple(map(np.asarray, self.forward(self.part, **(self.inputs | changed))))

    def probes(self, rng):
        return [np.asarray(rng.standard_normal(y.shape), y.dtype) for y in self.outputs()]

    def gradients(self, probes):
        """Gradients of sum(output * probe) with respect to inputs and parameters, copied"""
        gradients = self.backward(self.part, *probes) | self.part.grads
        return {name: np.array(gradient) for name, gradient in gradients.items()}

    def arrays(self):
        """What has a gradient: inputs that are not ids or masks, and parameters"""
        floats = {name: x for name, x in self.inputs.items() if x.dtype.kind == "f"}
        return floats | self.part.params

    def weighted_sum(self, probes):
        return sum(np.vdot(y, p) for y, p in zip(self.outputs(), probes, strict=True))


def _ids(rng, s, T, V=None):
    return rng.integers(0, V or s.V, (s.N, T))


def _floats(rng, s, *shape):
    return rng.standard_normal(shape).astype(s.dtype)


def _keep(rng, s):
    """Some steps kept, some not; the first and the last differ between the questions"""
    return (np.arange(s.N)[:, None] + np.arange(s.T)) % 3 != 1


def _weights(rng, s, *shape):
    """Large enough that every path carries a visible gradient, small enough not to saturate"""
    return _floats(rng, s, *shape) * s.dtype(2 / np.sqrt(shape[0]) if len(shape) == 2 else 0.5)


def _lively(rng, s, part):
    for array in part.params.values():
        array[...] = _weights(rng, s, *array.shape)
    return part


def embedding(rng, s):
    return Subject(
        TimeEmbedding(_floats(rng, s, s.V, s.D)),
        {"ids": _ids(rng, s, s.T)},
        lambda part, ids: (part.forward(ids),),
        lambda part, dys: part.backward(dys) or {},
    )


def affine(rng, s, *, context=False):
    C = s.H if context else 0
    inputs = {"xs": _floats(rng, s, s.N, s.T, s.D)}
    if context:
        inputs["context"] = _floats(rng, s, s.N, C)

    def backward(part, dys):
        dxs = part.backward(dys)
        return {"xs": dxs, "context": part.dcontext} if context else {"xs": dxs}

    return Subject(
        TimeAffine(_weights(rng, s, C + s.D, s.V), _weights(rng, s, s.V)),
        inputs,
        lambda part, **inputs: (part.forward(**inputs),),
        backward,
    )


def loss(rng, s, *, ignore=False):
    ts = _ids(rng, s, s.T)
    if ignore:
        ts[~_keep(rng, s)] = PAD
    return Subject(
        TimeSoftmaxWithLoss(PAD if ignore else None),
        {"scores": _floats(rng, s, s.N, s.T, s.V), "ts": ts},
        lambda part, scores, ts: (part.forward(scores, ts),),
        lambda part, dout: {"scores": part.backward(float(dout))},
    )


def lstm(rng, s, *, context=False, keep=False, stateful=False):
    """Outputs are all hidden states and, if stateful, the last memory cell"""
    C = s.V if context else 0
    inputs = {"xs": _floats(rng, s, s.N, s.T, s.D)}
    if context:
        inputs["context"] = _floats(rng, s, s.N, C)
    if keep:
        inputs["keep"] = _keep(rng, s)
    if stateful:
        inputs |= {"h": _floats(rng, s, s.N, s.H), "c": _floats(rng, s, s.N, s.H)}

    def forward(part, xs, context=None, keep=None, h=None, c=None):
        if stateful:
            part.set_state(h, c)
        hs = part.forward(xs, context, keep)
        return (hs, part.c) if stateful else (hs,)

    def backward(part, dhs, dc=None):
        gradients = {"xs": part.backward(dhs, dc)}
        if context:
            gradients["context"] = part.dcontext
        return gradients | ({"h": part.dh, "c": part.dc} if stateful else {})

    shapes = (C + s.D, 4 * s.H), (s.H, 4 * s.H), (4 * s.H,)
    weights = [_weights(rng, s, *shape) for shape in shapes]
    return Subject(TimeLSTM(*weights, stateful=stateful), inputs, forward, backward)


def encoder(rng, s, *, pad=False, cell=False):
    xs = _ids(rng, s, s.T)
    if pad:
        xs[~_keep(rng, s)] = PAD
    part = Encoder(s.V, s.D, s.H, pad_id=PAD if pad else None, rng=rng, dtype=s.dtype)

    def backward(part, dh, dc=None):
        part.backward(dh, dc)  # what it returns is the vectors' gradient: ids have none
        return {}

    return Subject(
        _lively(rng, s, part),
        {"xs": xs},
        lambda part, xs: (part.forward(xs), part.lstm.c)[: 1 + cell],
        backward,
    )


def decoder(rng, s, *, decoder_class=Decoder, cell=False):
    inputs = {"xs": _ids(rng, s, s.T), "h": _floats(rng, s, s.N, s.H)}
    if cell:
        inputs["c"] = _floats(rng, s, s.N, s.H)

    def backward(part, dscores):
        dh = part.backward(dscores)
        return {"h": dh, "c": part.lstm.dc} if cell else {"h": dh}

    return Subject(
        _lively(rng, s, decoder_class(s.V, s.D, s.H, rng=rng, dtype=s.dtype)),
        inputs,
        lambda part, **inputs: (part.forward(**inputs),),
        backward,
    )


def seq2seq(rng, s, *, model_class=Seq2seq, pad=False, ignore=False, cell=False):
    xs, ts = _ids(rng, s, s.T), _ids(rng, s, s.T + 1)
    if pad:
        xs[~_keep(rng, s)] = PAD
    if ignore:
        ts[:, 1:][~_keep(rng, s)] = PAD
    switches = {"pad_id": PAD if pad else None, "ignore_id": PAD if ignore else None}
    model = model_class(s.V, s.D, s.H, **switches, pass_cell=cell, rng=rng, dtype=s.dtype)
    return Subject(
        _lively(rng, s, model),
        {"xs": xs, "ts": ts},
        lambda part, xs, ts: (part.forward(xs, ts),),
        lambda part, dout: part.backward(float(dout)) or {},
    )


peeky = partial(decoder, decoder_class=PeekyDecoder)
peeky_seq2seq = partial(seq2seq, model_class=PeekySeq2seq)

SUBJECTS = {
    "embedding": embedding,
    "affine": affine,
    "affine-context": partial(affine, context=True),
    "loss": loss,
    "loss-ignore": partial(loss, ignore=True),
    "lstm": lstm,
    "lstm-context": partial(lstm, context=True),
    "lstm-keep": partial(lstm, keep=True),
    "lstm-stateful": partial(lstm, stateful=True),
    "lstm-context-keep-stateful": partial(lstm, context=True, keep=True, stateful=True),
    "encoder": encoder,
    "encoder-pad": partial(encoder, pad=True),
    "encoder-pad-cell": partial(encoder, pad=True, cell=True),
    "decoder": decoder,
    "decoder-cell": partial(decoder, cell=True),
    "peeky": peeky,
    "peeky-cell": partial(peeky, cell=True),
    "seq2seq": seq2seq,
    "seq2seq-pad": partial(seq2seq, pad=True),
    "seq2seq-ignore": partial(seq2seq, ignore=True),
    "seq2seq-cell": partial(seq2seq, cell=True),
    "seq2seq-pad-ignore-cell": partial(seq2seq, pad=True, ignore=True, cell=True),
    "peeky_seq2seq": peeky_seq2seq,
    "peeky_seq2seq-pad-ignore-cell": partial(peeky_seq2seq, pad=True, ignore=True, cell=True),
}


def build(name, rng, **sizes):
    return SUBJECTS[name](rng, Sizes(**sizes))
