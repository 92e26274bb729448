"""What PyTorch computes, on small random arrays, written to ``tests/golden`` for comparison.

    python -m tests.make_golden

Each case is a function of a Generator that returns its inputs, ``"in.<name>"``, and PyTorch's
results, ``"out.<name>"``. PyTorch orders an LSTM's gates i, f, g, o, transposes weights, and adds
two biases; everything here is in this library's order, f, i, o, g.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

FOLDER = Path(__file__).parent / "golden"
N, T, V, D, H = 3, 4, 5, 2, 3
PAD = 1


def swap_gates(W):
    """f, i, o, g -> i, f, g, o along the last axis, and back: it is its own inverse"""
    first, second, third, fourth = np.split(W, 4, axis=-1)
    return np.concatenate([second, first, fourth, third], axis=-1)


def tensor(x):
    return torch.tensor(x, requires_grad=x.dtype.kind == "f")


def fill(parameter, values):
    parameter.data = torch.tensor(values)
    return parameter


def lstm_layer(Wx, Wh, b):
    lstm = nn.LSTM(len(Wx), len(Wh), batch_first=True, dtype=torch.float64)
    fill(lstm.weight_ih_l0, swap_gates(Wx).T.copy())
    fill(lstm.weight_hh_l0, swap_gates(Wh).T.copy())
    fill(lstm.bias_ih_l0, swap_gates(b) * 0.25)
    fill(lstm.bias_hh_l0, swap_gates(b) * 0.75)
    return lstm


def lstm_gradients(lstm):
    return {
        "Wx": swap_gates(lstm.weight_ih_l0.grad.numpy().T),
        "Wh": swap_gates(lstm.weight_hh_l0.grad.numpy().T),
        "b": swap_gates(lstm.bias_ih_l0.grad.numpy()),
    }


def case(inputs, outputs):
    arrays = {f"in.{name}": x for name, x in inputs.items()}
    for name, y in outputs.items():
        arrays[f"out.{name}"] = y.detach().numpy() if isinstance(y, torch.Tensor) else y
    return {name: np.array(x) for name, x in arrays.items()}


def normals(rng, **shapes):
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def lstm(rng):
    given = normals(rng, Wx=(D, 4 * H), Wh=(H, 4 * H), b=4 * H)
    given |= normals(rng, xs=(N, T, D), h=(N, H), c=(N, H), dhs=(N, T, H), dc=(N, H))
    layer = lstm_layer(given["Wx"], given["Wh"], given["b"])
    xs, h, c = (tensor(given[name]) for name in ("xs", "h", "c"))
    hs, (_, c_last) = layer(xs, (h[None], c[None]))
    ((hs * tensor(given["dhs"])).sum() + (c_last[0] * tensor(given["dc"])).sum()).backward()
    gradients = {"dxs": xs.grad, "dh": h.grad, "dc": c.grad} | lstm_gradients(layer)
    return case(given, {"hs": hs, "c_last": c_last[0]} | gradients)


def embedding(rng):
    given = normals(rng, W=(V, D), dys=(N, T, D)) | {"ids": rng.integers(0, V, (N, T))}
    W = tensor(given["W"])
    ys = nn.functional.embedding(tensor(given["ids"]), W)
    (ys * tensor(given["dys"])).sum().backward()
    return case(given, {"ys": ys, "W": W.grad})


def affine(rng):
    given = normals(rng, W=(D, V), b=V, xs=(N, T, D), dys=(N, T, V))
    W, b, xs = (tensor(given[name]) for name in ("W", "b", "xs"))
    ys = nn.functional.linear(xs, W.T, b)
    (ys * tensor(given["dys"])).sum().backward()
    return case(given, {"ys": ys, "dxs": xs.grad, "W": W.grad, "b": b.grad})


def cross_entropy(rng, *, ignore):
    given = normals(rng, scores=(N, T, V)) | {"ts": rng.integers(0, V, (N, T))}
    given["ts"][0, 1:] = PAD
    scores, ignored = tensor(given["scores"]), {"ignore_index": PAD} if ignore else {}
    ts = tensor(given["ts"]).flatten()
    loss = nn.functional.cross_entropy(scores.flatten(0, 1), ts, **ignored)
    loss.backward()
    return case(given, {"loss": loss, "dscores": scores.grad})


def seq2seq(rng, *, peeky, switches):
    """With the switches: cell passed, blank targets ignored, blanks behind a question skipped"""
    seen = H if peeky else 0
    params = normals(
        rng,
        **{
            "encoder.embed.W": (V, D),
            "encoder.lstm.Wx": (D, 4 * H),
            "encoder.lstm.Wh": (H, 4 * H),
            "encoder.lstm.b": 4 * H,
            "decoder.embed.W": (V, D),
            "decoder.lstm.Wx": (seen + D, 4 * H),
            "decoder.lstm.Wh": (H, 4 * H),
            "decoder.lstm.b": 4 * H,
            "decoder.affine.W": (seen + H, V),
            "decoder.affine.b": V,
        },
    )
    xs, ts = rng.integers(2, V, (N, T)), rng.integers(2, V, (N, T))
    xs[0, 2:] = xs[1, 3:] = ts[1, 2:] = PAD

    leaves = {name: tensor(p) for name, p in params.items() if "lstm" not in name}
    encoder, decoder = (
        lstm_layer(*(params[f"{part}.lstm.{name}"] for name in ("Wx", "Wh", "b")))
        for part in ("encoder", "decoder")
    )
    questions = nn.functional.embedding(tensor(xs), leaves["encoder.embed.W"])
    if switches:
        lengths = torch.tensor((xs != PAD).sum(axis=1))
        questions = pack_padded_sequence(questions, lengths, batch_first=True, enforce_sorted=False)
    _, (h, c) = encoder(questions)
    repeated = h[0][:, None].expand(N, T - 1, H)
    inputs = nn.functional.embedding(tensor(ts[:, :-1]), leaves["decoder.embed.W"])
    inputs = torch.cat([repeated, inputs], dim=2) if peeky else inputs
    hs, _ = decoder(inputs, (h, c if switches else torch.zeros_like(c)))
    hs = torch.cat([repeated, hs], dim=2) if peeky else hs
    scores = hs @ leaves["decoder.affine.W"] + leaves["decoder.affine.b"]
    ignored = {"ignore_index": PAD} if switches else {}
    targets = tensor(ts[:, 1:]).flatten()
    loss = nn.functional.cross_entropy(scores.flatten(0, 1), targets, **ignored)
    loss.backward()

    gradients = {name: leaf.grad for name, leaf in leaves.items()}
    for part, layer in (("encoder", encoder), ("decoder", decoder)):
        gradients |= {f"{part}.lstm.{name}": g for name, g in lstm_gradients(layer).items()}
    return case(params | {"xs": xs, "ts": ts}, {"loss": loss} | gradients)


def adam(rng):
    given = normals(rng, p=(2, 3), g1=(2, 3), g2=(2, 3), g3=(2, 3))
    p, outputs = tensor(given["p"]), {}
    optimizer = torch.optim.Adam([p], lr=0.01)
    for step in (1, 2, 3):
        p.grad = torch.tensor(given[f"g{step}"])
        optimizer.step()
        outputs[f"p{step}"] = p.detach().clone()
    return case(given, outputs)


def clip(rng, *, scale):
    given = {name: scale * g for name, g in normals(rng, W=(2, 3), b=3).items()}
    leaves = {name: tensor(g) for name, g in given.items()}
    for name, leaf in leaves.items():
        leaf.grad = torch.tensor(given[name])
    norm = nn.utils.clip_grad_norm_(leaves.values(), 5.0)
    # PyTorch divides by norm + 1e-6, this library by the norm
    undo = (norm + 1e-6) / norm if norm > 5 else 1
    return case(given, {"norm": norm} | {name: leaf.grad * undo for name, leaf in leaves.items()})


CASES = {
    "lstm": lstm,
    "embedding": embedding,
    "affine": affine,
    "cross_entropy": partial(cross_entropy, ignore=False),
    "cross_entropy-ignore": partial(cross_entropy, ignore=True),
    "seq2seq": partial(seq2seq, peeky=False, switches=False),
    "seq2seq-pad-ignore-cell": partial(seq2seq, peeky=False, switches=True),
    "peeky_seq2seq": partial(seq2seq, peeky=True, switches=False),
    "peeky_seq2seq-pad-ignore-cell": partial(seq2seq, peeky=True, switches=True),
    "adam": adam,
    "clip-long": partial(clip, scale=10.0),
    "clip-short": partial(clip, scale=0.1),
}


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, compute in CASES.items():
        np.savez_compressed(FOLDER / f"{name}.npz", **compute(np.random.default_rng(0)))


if __name__ == "__main__":
    main()
