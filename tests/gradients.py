"""Central differences against ``backward``: in float64, element by element or in one direction."""

import numpy as np

EPS, ATOL, RTOL = 1e-5, 1e-7, 1e-6


def assert_gradients_match(loss, arrays, gradients):
    """Compare ``gradients`` with how ``loss()`` moves when one number of ``arrays`` does.

    loss      : () -> float, of the arrays as they are at the time
    arrays    : {name: float64 array}, written to and restored
    gradients : {name: array}, what ``backward`` says

    AssertionError names the array, the index, and both values.
    """
    assert arrays.keys() == gradients.keys()
    for name, array in arrays.items():
        assert array.dtype == np.float64, f"{name}: expected float64, got {array.dtype}"
        assert gradients[name].shape == array.shape, f"{name}: {gradients[name].shape}"
        for index in np.ndindex(array.shape):
            numeric = _slope(loss, {name: _unit(array, index)}, arrays)
            _assert_close(f"{name}{list(index)}", gradients[name][index], numeric)


def assert_gradients_match_along_a_direction(loss, arrays, gradients, rng):
    """The same for one random direction of unit length in all arrays together."""
    assert arrays.keys() == gradients.keys()
    direction = {name: rng.standard_normal(array.shape) for name, array in arrays.items()}
    length = np.sqrt(sum(np.vdot(d, d) for d in direction.values()))
    direction = {name: d / length for name, d in direction.items()}
    analytic = sum(np.vdot(gradients[name], d) for name, d in direction.items())
    _assert_close("random direction", analytic, _slope(loss, direction, arrays))


def _unit(array, index):
    unit = np.zeros_like(array)
    unit[index] = 1
    return unit


def _slope(loss, direction, arrays):
    saved = {name: arrays[name].copy() for name in direction}
    values = []
    for sign in (1, -1):
        for name, d in direction.items():
            arrays[name][...] = saved[name] + sign * EPS * d
        values.append(loss())
    for name, array in saved.items():
        arrays[name][...] = array
    return (values[0] - values[1]) / (2 * EPS)


def _assert_close(name, analytic, numeric):
    assert abs(analytic - numeric) <= ATOL + RTOL * abs(numeric), (
        f"{name}: backward gives {analytic:.9g}, central differences {numeric:.9g}"
    )
