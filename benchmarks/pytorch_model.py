"""The same four variants in PyTorch, as its users would write them: what our speed is held to."""

import torch
from torch import nn


class PyTorchSeq2seq(nn.Module):
    """Encoder and decoder of ``nn.LSTM``; with ``peeky``, every decoder step sees h."""

    def __init__(self, vocab_size, wordvec_size, hidden_size, peeky):
        super().__init__()
        seen = hidden_size if peeky else 0
        self.peeky = peeky
        self.encoder_embed = nn.Embedding(vocab_size, wordvec_size)
        self.encoder_lstm = nn.LSTM(wordvec_size, hidden_size, batch_first=True)
        self.decoder_embed = nn.Embedding(vocab_size, wordvec_size)
        self.decoder_lstm = nn.LSTM(seen + wordvec_size, hidden_size, batch_first=True)
        self.affine = nn.Linear(seen + hidden_size, vocab_size)

    def forward(self, xs, ts):
        """Questions xs (N, T), answers ts (N, S), both int64 -> mean loss"""
        _, (h, _) = self.encoder_lstm(self.encoder_embed(xs))  # h: (1, N, H)
        vectors = self.decoder_embed(ts[:, :-1])
        seen = h[0][:, None].expand(-1, vectors.shape[1], -1) if self.peeky else None
        hs, _ = self.decoder_lstm(_joined(seen, vectors), (h, torch.zeros_like(h)))
        scores = self.affine(_joined(seen, hs))
        return nn.functional.cross_entropy(scores.flatten(0, 1), ts[:, 1:].flatten())


def _joined(seen, xs):
    return xs if seen is None else torch.cat([seen, xs], dim=-1)


def pytorch_step(recipe, xs, ts):
    """A function that makes one update on these NumPy arrays of ids, with PyTorch's own Adam."""
    layout = recipe.layout
    model = PyTorchSeq2seq(
        len(layout.vocabulary), recipe.wordvec_size, recipe.hidden_size, recipe.peeky
    )
    optimizer = torch.optim.Adam(model.parameters(), recipe.learning_rate)
    xs, ts = torch.from_numpy(xs), torch.from_numpy(ts)

    def step():
        optimizer.zero_grad()
        model(xs, ts).backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe.max_norm)
        optimizer.step()

    return step
