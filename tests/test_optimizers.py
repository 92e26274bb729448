"""Adam and clipping, against the paper's formulas written out on numbers."""

import numpy as np
import pytest

from seq2seq_lib.optimizers import Adam, clip_gradients, gradient_norm


def quadratic(rng):
    return {"W": rng.standard_normal((2, 3)), "b": rng.standard_normal(3)}


def test_adam_follows_algorithm_1_of_the_paper(rng):
    params, steps = quadratic(rng), [quadratic(rng) for _ in range(5)]
    adam = Adam(params, rate=0.01, beta1=0.8, beta2=0.95, eps=1e-3)
    expected, m, v = {name: p.copy() for name, p in params.items()}, {}, {}
    for t, grads in enumerate(steps, start=1):
        adam.update(grads)
        for name, g in grads.items():
            m[name] = 0.8 * m.get(name, 0) + 0.2 * g
            v[name] = 0.95 * v.get(name, 0) + 0.05 * g**2
            m_hat, v_hat = m[name] / (1 - 0.8**t), v[name] / (1 - 0.95**t)
            expected[name] -= 0.01 * m_hat / (np.sqrt(v_hat) + 1e-3)
    for name, p in params.items():
        np.testing.assert_allclose(p, expected[name], rtol=1e-12)


def test_adam_s_first_step_is_the_rate_whatever_the_gradient_s_size():
    params = {"W": np.zeros(3)}
    Adam(params, rate=0.001).update({"W": np.array([1e-3, -1.0, 1e6])})
    np.testing.assert_allclose(params["W"], [-0.001, 0.001, -0.001], rtol=1e-4)


def test_adam_leaves_a_parameter_without_gradient_where_it_is(rng):
    params = {"W": rng.standard_normal(3)}
    before = params["W"].copy()
    Adam(params).update({"W": np.zeros(3)})
    np.testing.assert_array_equal(params["W"], before)


def test_adam_finds_the_bottom_of_a_bowl():
    params = {"W": np.array([3.0, -2.0])}
    adam = Adam(params, rate=0.05)
    for _ in range(500):
        adam.update({"W": 2 * (params["W"] - [1, 5])})
    np.testing.assert_allclose(params["W"], [1, 5], atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adam_updates_in_place_and_keeps_dtypes_and_gradients(rng, dtype):
    params = {name: p.astype(dtype) for name, p in quadratic(rng).items()}
    grads = {name: p.astype(dtype) for name, p in quadratic(rng).items()}
    arrays = dict(params), {name: g.copy() for name, g in grads.items()}
    adam = Adam(params)
    moments = dict(adam.m), dict(adam.v)
    adam.update(grads)
    for name in params:
        assert params[name] is arrays[0][name]
        assert adam.m[name] is moments[0][name]
        assert adam.v[name] is moments[1][name]
        assert params[name].dtype == adam.m[name].dtype == adam.v[name].dtype == dtype
        np.testing.assert_array_equal(grads[name], arrays[1][name])


def test_adam_refuses_gradients_of_other_parameters(rng):
    adam = Adam(quadratic(rng))
    with pytest.raises(ValueError, match="keys of params, differing in V, b"):
        adam.update({"W": np.zeros((2, 3)), "V": np.zeros(3)})
    assert adam.t == 0


def test_gradient_norm_is_that_of_one_long_vector():
    assert gradient_norm({"W": np.array([[2.0, 3.0]]), "b": np.array([6.0])}) == 7


def test_clipping_shortens_all_gradients_by_one_factor(rng):
    grads = {"W": 10 * rng.standard_normal((2, 3)), "b": 0.1 * rng.standard_normal(3)}
    before = {name: g.copy() for name, g in grads.items()}
    norm = clip_gradients(grads, 5.0)
    assert norm == pytest.approx(gradient_norm(before), rel=1e-14)
    assert gradient_norm(grads) == pytest.approx(5.0, rel=1e-14)
    for name, g in grads.items():
        np.testing.assert_allclose(g, before[name] * 5 / norm, rtol=1e-14)


def test_clipping_leaves_gradients_within_the_norm_alone():
    grads = {"W": np.array([3.0]), "b": np.array([4.0])}
    arrays = list(grads.values())
    assert clip_gradients(grads, 5.0) == 5.0
    assert [g[0] for g in arrays] == [3, 4]


def test_clipping_works_in_place():
    W = np.array([30.0, 40.0])
    clip_gradients({"W": W}, 5.0)
    np.testing.assert_allclose(W, [3, 4], rtol=1e-14)


def test_clipping_a_gradient_of_zeros_gives_zeros():
    grads = {"W": np.zeros(3)}
    assert clip_gradients(grads, 5.0) == 0
    assert not grads["W"].any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_norm_of_a_gradient_that_is_not_finite_is_not_finite(bad):
    assert not np.isfinite(gradient_norm({"W": np.array([1.0, bad])}))
