"""Encoder, decoder, and the two joined: the sequence-to-sequence model and its peeky variant."""

import numpy as np

from seq2seq_lib.functions import checked_array, checked_ids, checked_whole_number
from seq2seq_lib.layers import TimeAffine, TimeEmbedding, TimeSoftmaxWithLoss
from seq2seq_lib.lstm import TimeLSTM


class Model:
    """Parts with names, and one dict of all their parameters: ``params["lstm.Wx"]``.

    ``params`` and ``grads`` hold the very arrays of the parts, so an optimizer that updates them
    in place updates the model, and ``params`` is all that a checkpoint has to keep.
    """

    def __init__(self, **parts):
        for name, part in parts.items():
            setattr(self, name, part)
        self.parts = tuple(parts.values())
        self.params = _joined(parts, "params")
        self.grads = _joined(parts, "grads")

    def forget(self):
        """Drop what ``forward`` left for ``backward``, as other questions came in between."""
        for part in self.parts:
            part.forget()


def _joined(parts, attribute):
    return {
        f"{name}.{key}": array
        for name, part in parts.items()
        for key, array in getattr(part, attribute).items()
    }


def _normal(rng, fan_in, fan_out, dtype):
    """Weights (fan_in, fan_out) ~ N(0, 1) / sqrt(fan_in)."""
    return (rng.standard_normal((fan_in, fan_out)) / np.sqrt(fan_in)).astype(dtype)


def _embedding(rng, vocab_size, wordvec_size, dtype):
    """Character vectors ~ N(0, 1) / 100."""
    checked_whole_number("vocab_size", vocab_size, least=1)
    checked_whole_number("wordvec_size", wordvec_size, least=1)
    return TimeEmbedding((rng.standard_normal((vocab_size, wordvec_size)) / 100).astype(dtype))


def _lstm(rng, input_size, hidden_size, dtype, *, stateful):
    checked_whole_number("hidden_size", hidden_size, least=1)
    return TimeLSTM(
        _normal(rng, input_size, 4 * hidden_size, dtype),
        _normal(rng, hidden_size, 4 * hidden_size, dtype),
        np.zeros(4 * hidden_size, dtype),
        stateful=stateful,
    )


class Encoder(Model):
    """Reads a question and keeps the LSTM's last hidden state, h (N, H): nothing else crosses over.

    With ``pad_id`` the LSTM hands its state on, unchanged, at every padded position; the state
    after a padded question is then that of the question alone.
    """

    def __init__(
        self, vocab_size, wordvec_size, hidden_size, *, pad_id=None, rng=None, dtype=np.float32
    ):
        rng = _generator(rng)
        self.pad_id = pad_id
        super().__init__(
            embed=_embedding(rng, vocab_size, wordvec_size, dtype),
            lstm=_lstm(rng, wordvec_size, hidden_size, dtype, stateful=False),
        )

    def forward(self, xs):
        """xs (N, T) int -> h (N, H); the last memory cell stays readable as ``lstm.c`` (N, H)"""
        embedded = self.embed.forward(xs)
        keep = None if self.pad_id is None else np.asarray(xs) != self.pad_id
        self.lstm.forward(embedded, keep=keep)
        return self.lstm.h.copy()

    def backward(self, dh, dc=None):
        """dh (N, H) -> the gradient of every character's vector, (N, T, D).

        Only the last step's hidden state was used: in ``dhs`` the other steps' rows are 0.

        dc : (N, H)  the gradient of the last memory cell, if it was handed over too
        """
        Wh, (N, T) = self.lstm.params["Wh"], self.embed.cache.shape
        dh = checked_array("dh", dh, (N, len(Wh)), Wh.dtype)
        dhs = np.zeros((N, T, len(Wh)), Wh.dtype)
        dhs[:, -1:] = dh[:, None]
        dxs = self.lstm.backward(dhs, dc)
        self.embed.backward(dxs)
        return dxs


class Decoder(Model):
    """Writes an answer, one character at a time, starting from the encoder's h.

    Ends at the scores: softmax does not change which score is largest, so generating needs none,
    and training has it in the loss. A subclass that lets every step see h overrides ``peeks``.
    """

    peeks = False

    def __init__(self, vocab_size, wordvec_size, hidden_size, *, rng=None, dtype=np.float32):
        rng = _generator(rng)
        checked_whole_number("hidden_size", hidden_size, least=1)
        seen = hidden_size if self.peeks else 0  # how many more numbers LSTM and affine layer get
        super().__init__(
            embed=_embedding(rng, vocab_size, wordvec_size, dtype),
            lstm=_lstm(rng, seen + wordvec_size, hidden_size, dtype, stateful=True),
            affine=TimeAffine(
                _normal(rng, seen + hidden_size, vocab_size, dtype), np.zeros(vocab_size, dtype)
            ),
        )

    def forward(self, xs, h, c=None):
        """Teacher forcing: xs (N, T) int, the right answer so far; h, c (N, H) -> (N, T, V)"""
        self.lstm.set_state(h, c)
        return self.step(xs, self.lstm.h)

    def step(self, xs, h):
        """Characters xs (N, T), read on from the LSTM's present state -> scores (N, T, V)"""
        context = h if self.peeks else None
        hs = self.lstm.forward(self.embed.forward(xs), context)
        return self.affine.forward(hs, context)

    def backward(self, dscore):
        """dscore (N, T, V) -> dh (N, H), the sum over every way that h came in.

        The gradient of the cell that was handed over stays readable as ``lstm.dc`` (N, H).
        """
        dhs = self.affine.backward(dscore)
        self.embed.backward(self.lstm.backward(dhs))
        if not self.peeks:
            return self.lstm.dh
        return self.lstm.dh + self.lstm.dcontext + self.affine.dcontext

    def generate(self, h, start_id, sample_size, c=None):
        """Greedy decoding: h, c (N, H) -> ids (N, sample_size) int; the start is not among them.

        Feeds back its own choices and never sees an answer. A question gets the same ids alone as
        in a batch: one row alone would take another path through BLAS and round differently, so it
        goes in twice.
        """
        h = np.asarray(h)
        if len(h) == 1:
            h, c = np.repeat(h, 2, axis=0), None if c is None else np.repeat(c, 2, axis=0)
            return self.generate(h, start_id, sample_size, c)[:1]
        checked_whole_number("sample_size", sample_size, least=0)
        checked_ids("start_id", [[start_id]], len(self.embed.params["W"]))
        self.lstm.set_state(h, c)
        h = self.lstm.h
        written = np.empty((len(h), sample_size), int)
        fed = np.full((len(h), 1), start_id)
        for t in range(sample_size):
            written[:, t : t + 1] = fed = self.step(fed, h).argmax(axis=-1)
        self.forget()
        return written


class PeekyDecoder(Decoder):
    """A decoder whose every step sees h, in the LSTM and in the affine layer (Cho et al. 2014).

    h is joined in front of both inputs, (H + D) and (H + H) wide: 1 / sqrt(fan-in) shrinks with it.
    """

    peeks = True


class Seq2seq(Model):
    """Encoder and decoder joined by h (Sutskever et al. 2014), and the loss to train them with.

    pad_id    : the encoder hands its state on at this character (None: reads it like any other)
    ignore_id : the loss does not count this target (None: counts all)
    pass_cell : hand the encoder's memory cell over as well as h
    """

    decoder_class = Decoder

    def __init__(
        self,
        vocab_size,
        wordvec_size,
        hidden_size,
        *,
        pad_id=None,
        ignore_id=None,
        pass_cell=False,
        rng=None,
        dtype=np.float32,
    ):
        rng = _generator(rng)
        sizes = vocab_size, wordvec_size, hidden_size
        self.pass_cell = pass_cell
        super().__init__(
            encoder=Encoder(*sizes, pad_id=pad_id, rng=rng, dtype=dtype),
            decoder=self.decoder_class(*sizes, rng=rng, dtype=dtype),
        )
        self.loss = TimeSoftmaxWithLoss(ignore_id)

    def forward(self, xs, ts):
        """Questions xs (N, T), answers with their delimiter ts (N, S) -> mean loss, float.

        The decoder reads ``ts[:, :-1]`` and is to say ``ts[:, 1:]``: each time the next character.
        """
        ts = np.asarray(ts)
        if ts.ndim != 2 or ts.shape[1] < 2:
            raise ValueError(f"ts: expected shape (N, S) with S of at least 2, got {ts.shape}")
        scores = self.decoder.forward(ts[:, :-1], *self.encode(xs))
        return self.loss.forward(scores, ts[:, 1:])

    def backward(self, dout=1):
        """Write every gradient of ``dout * loss``; return None, as questions have no gradient."""
        dh = self.decoder.backward(self.loss.backward(dout))
        self.encoder.backward(dh, self.decoder.lstm.dc if self.pass_cell else None)

    def encode(self, xs):
        """Questions xs (N, T) -> what crosses the bridge: h (N, H), and c (N, H) or None"""
        h = self.encoder.forward(xs)
        return h, self.encoder.lstm.c if self.pass_cell else None

    def generate(self, xs, start_id, sample_size):
        """Questions xs (N, T) -> ids (N, sample_size) int, as ``Decoder.generate`` says"""
        xs = np.asarray(xs)
        alone = len(xs) == 1  # see Decoder.generate
        h, c = self.encode(np.repeat(xs, 2, axis=0) if alone else xs)
        written = self.decoder.generate(h, start_id, sample_size, c)[: len(xs)]
        self.forget()
        return written

    def forget(self):
        """Drop what ``forward`` left in encoder, decoder and loss."""
        super().forget()
        self.loss.forget()


class PeekySeq2seq(Seq2seq):
    """``Seq2seq`` with the peeky decoder."""

    decoder_class = PeekyDecoder


def _generator(rng):
    """The caller's generator; without one, one seeded with 0, so that numbers never vary by luck"""
    rng = np.random.default_rng(0) if rng is None else rng
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng: expected a numpy.random.Generator, got {type(rng).__name__}")
    return rng
