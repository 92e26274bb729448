"""The library against PyTorch: through arrays that ``make_golden`` wrote, and directly."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from seq2seq_lib.layers import TimeAffine, TimeEmbedding, TimeSoftmaxWithLoss
from seq2seq_lib.lstm import TimeLSTM
from seq2seq_lib.models import PeekySeq2seq, Seq2seq
from seq2seq_lib.optimizers import Adam, clip_gradients

GOLDEN = Path(__file__).parent / "golden"
PAD = 1


def lstm(given):
    layer = TimeLSTM(given["Wx"], given["Wh"], given["b"], stateful=True)
    layer.set_state(given["h"], given["c"])
    hs = layer.forward(given["xs"])
    results = {"hs": hs, "c_last": layer.c, "dxs": layer.backward(given["dhs"], given["dc"])}
    return results | {"dh": layer.dh, "dc": layer.dc} | layer.grads


def embedding(given):
    layer = TimeEmbedding(given["W"])
    ys = layer.forward(given["ids"])
    layer.backward(given["dys"])
    return {"ys": ys} | layer.grads


def affine(given):
    layer = TimeAffine(given["W"], given["b"])
    ys = layer.forward(given["xs"])
    return {"ys": ys, "dxs": layer.backward(given["dys"])} | layer.grads


def cross_entropy(given, *, ignore_id):
    layer = TimeSoftmaxWithLoss(ignore_id)
    loss = layer.forward(given["scores"], given["ts"])
    return {"loss": loss, "dscores": layer.backward()}


def seq2seq(given, *, model_class, **switches):
    (V, D), (H, _) = given["encoder.embed.W"].shape, given["encoder.lstm.Wh"].shape
    model = model_class(V, D, H, dtype=given["encoder.embed.W"].dtype, **switches)
    for name, p in model.params.items():
        p[...] = given[name]
    loss = model.forward(given["xs"], given["ts"])
    model.backward()
    return {"loss": loss} | model.grads


def adam(given):
    params, results = {"p": given["p"].copy()}, {}
    optimizer = Adam(params, rate=0.01)
    for step in (1, 2, 3):
        optimizer.update({"p": given[f"g{step}"]})
        results[f"p{step}"] = params["p"].copy()
    return results


def clip(given):
    grads = {name: g.copy() for name, g in given.items()}
    return {"norm": clip_gradients(grads, 5.0)} | grads


ALL = {"pad_id": PAD, "ignore_id": PAD, "pass_cell": True}
CASES = {
    "lstm": lstm,
    "embedding": embedding,
    "affine": affine,
    "cross_entropy": partial(cross_entropy, ignore_id=None),
    "cross_entropy-ignore": partial(cross_entropy, ignore_id=PAD),
    "seq2seq": partial(seq2seq, model_class=Seq2seq),
    "seq2seq-pad-ignore-cell": partial(seq2seq, model_class=Seq2seq, **ALL),
    "peeky_seq2seq": partial(seq2seq, model_class=PeekySeq2seq),
    "peeky_seq2seq-pad-ignore-cell": partial(seq2seq, model_class=PeekySeq2seq, **ALL),
    "adam": adam,
    "clip-long": clip,
    "clip-short": clip,
}
every_case = pytest.mark.parametrize("name", CASES)
both_dtypes = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-5)], ids=["f64", "f32"]
)


def assert_parity(name, arrays, dtype, tolerance):
    given = {
        key.removeprefix("in."): x.astype(dtype) if x.dtype.kind == "f" else x
        for key, x in arrays.items()
        if key.startswith("in.")
    }
    results = {f"out.{key}": y for key, y in CASES[name](given).items()}
    assert results.keys() == {key for key in arrays if key.startswith("out.")}
    for key, y in results.items():
        scale = np.abs(arrays[key]).max()
        np.testing.assert_allclose(y, arrays[key], rtol=0, atol=tolerance * scale, err_msg=key)


@every_case
@both_dtypes
def test_results_equal_those_that_pytorch_once_gave(name, dtype, tolerance):
    with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as arrays:
        assert_parity(name, dict(arrays), dtype, tolerance)


def test_every_golden_file_is_compared():
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


@every_case
@both_dtypes
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_results_equal_pytorch_s(name, dtype, tolerance, seed):
    pytest.importorskip("torch")
    import make_golden

    arrays = make_golden.CASES[name](np.random.default_rng(seed))
    assert_parity(name, arrays, dtype, tolerance)
