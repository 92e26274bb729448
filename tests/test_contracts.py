"""One contract for every layer and model, with every switch, in both dtypes."""

import numpy as np
import pytest
from subjects import SUBJECTS, build

from seq2seq_lib.layers import Layer
from seq2seq_lib.models import Model
from seq2seq_lib.optimizers import Adam

every_subject = pytest.mark.parametrize("name", SUBJECTS)


def without(*kinds):
    names = [name for name in SUBJECTS if not any(kind in name for kind in kinds)]
    return pytest.mark.parametrize("name", names)


both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])
batches = pytest.mark.parametrize(
    "sizes", [{"N": 3, "T": 4}, {"N": 1, "T": 4}, {"N": 3, "T": 1}, {"N": 1, "T": 1}], ids=str
)


def run(subject, probes):
    """Outputs and gradients of one call there and back"""
    outputs = subject.outputs()
    return list(outputs), subject.gradients(probes)


def copied(arrays):
    return {name: array.copy() for name, array in arrays.items()}


def assert_same(results, expected, **tolerance):
    assert results.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(
            results[name], expected[name], **({"rtol": 0} | tolerance), err_msg=name
        )


def assert_same_run(results, expected, **tolerance):
    for result, wanted in zip(results, expected, strict=True):
        as_dicts = (dict(enumerate(r)) if isinstance(r, list) else r for r in (result, wanted))
        assert_same(*as_dicts, **tolerance)


# Arrays


@every_subject
@both_dtypes
def test_params_and_grads_have_the_same_keys_shapes_and_dtype(name, dtype, rng):
    part = build(name, rng, dtype=dtype).part
    assert list(part.params) == list(part.grads)
    for key, p in part.params.items():
        assert p.shape == part.grads[key].shape
        assert p.dtype == part.grads[key].dtype == dtype


@every_subject
@both_dtypes
def test_outputs_and_gradients_have_the_part_s_dtype(name, dtype, rng):
    subject = build(name, rng, dtype=dtype)
    outputs, gradients = run(subject, subject.probes(rng))
    assert all(y.dtype == dtype for y in outputs if y.ndim)  # a loss is a float
    assert all(gradient.dtype == dtype for gradient in gradients.values())
    assert gradients.keys() == subject.arrays().keys()
    for key, array in subject.arrays().items():
        assert gradients[key].shape == array.shape, key


@every_subject
def test_forward_backward_and_adam_never_rebind_an_array(name, rng):
    subject = build(name, rng)
    part = subject.part
    before = dict(part.params), dict(part.grads)
    adam = Adam(part.params)
    for _ in range(2):
        run(subject, subject.probes(rng))
        adam.update(part.grads)
    assert all(part.params[key] is p for key, p in before[0].items())
    assert all(part.grads[key] is g for key, g in before[1].items())


def layers_of(part, prefix=""):
    for key, value in vars(part).items():
        if isinstance(value, (Layer, Model)):
            yield from layers_of(value, f"{prefix}{key}.")
    if isinstance(part, Layer):
        yield prefix, part


@without("embedding", "affine", "loss", "lstm")
def test_a_model_holds_the_very_arrays_of_its_layers_and_no_others(name, rng):
    model = build(name, rng).part
    for attribute in ("params", "grads"):
        joined = getattr(model, attribute)
        parts = {
            prefix + key: array
            for prefix, layer in layers_of(model)
            for key, array in getattr(layer, attribute).items()
        }
        assert joined.keys() == parts.keys()
        assert all(joined[key] is parts[key] for key in joined)


# Calls


@every_subject
@batches
def test_inputs_and_parameters_are_not_written_to(name, sizes, rng):
    subject = build(name, rng, **sizes)
    probes = subject.probes(rng)
    given = subject.inputs | subject.part.params | dict(zip("pq", probes, strict=False))
    before = copied(given)
    run(subject, probes)
    assert_same(given, before)


@every_subject
@batches
def test_results_of_a_call_are_its_own(name, sizes, rng):
    """No later call changes them, and writing to them changes no later call."""
    subject = build(name, rng, **sizes)
    first = subject.outputs()
    probes = [np.ones_like(y) for y in first]
    before = [y.copy() for y in first]
    of_inputs = subject.backward(subject.part, *probes)
    gradients = subject.gradients(probes)
    before_of_inputs = copied(of_inputs)

    floats = {key: x + 1 for key, x in subject.inputs.items() if x.dtype.kind == "f"}
    other = subject.outputs(**floats)
    subject.backward(subject.part, *(3 * p for p in probes))
    for y, was, later in zip(first, before, other, strict=True):
        np.testing.assert_array_equal(y, was)
        assert not np.shares_memory(y, later)
        assert not any(np.shares_memory(y, x) for x in subject.inputs.values())
    assert_same(of_inputs, before_of_inputs)

    for y in subject.outputs():
        y[...] = 7
    assert_same(subject.gradients(probes), gradients)


@every_subject
@both_dtypes
def test_backward_twice_gives_the_same_twice(name, dtype, rng):
    subject = build(name, rng, dtype=dtype)
    probes = subject.probes(rng)
    subject.outputs()
    assert_same(subject.gradients(probes), subject.gradients(probes))


@every_subject
def test_forward_twice_and_then_backward_equals_once(name, rng):
    subject = build(name, rng)
    probes = subject.probes(rng)
    once = run(subject, probes)
    subject.outputs()
    assert_same_run(run(subject, probes), once)


@every_subject
def test_gradients_are_written_not_added(name, rng):
    subject = build(name, rng)
    probes = subject.probes(rng)
    _, gradients = run(subject, probes)
    for gradient in subject.part.grads.values():
        gradient[...] = np.nan
    assert_same(subject.gradients(probes), gradients)


@every_subject
def test_a_smaller_last_batch_is_computed_as_by_a_fresh_part(name, rng):
    subject, fresh = (build(name, np.random.default_rng(1), N=4, T=3) for _ in range(2))
    run(subject, subject.probes(rng))
    fewer = {key: x[:3] for key, x in subject.inputs.items()}
    subject.inputs = fresh.inputs = fewer
    probes = [np.ones_like(y) for y in subject.outputs()]
    assert_same_run(run(subject, probes), run(fresh, probes))


@every_subject
def test_two_of_a_kind_used_in_turn_do_not_disturb_each_other(name, rng):
    first, second = (build(name, np.random.default_rng(seed)) for seed in (1, 2))
    probes = first.probes(rng)
    alone = run(first, probes), run(second, probes)
    outputs = list(first.outputs()), list(second.outputs())
    gradients = first.gradients(probes), second.gradients(probes)
    assert_same_run((outputs[0], gradients[0]), alone[0])
    assert_same_run((outputs[1], gradients[1]), alone[1])


# Inputs of every kind


def strided(x):
    return np.repeat(x, 2, axis=-1)[..., ::2]


def backwards(x):
    return x[::-1].copy()[::-1]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {"strided": strided, "backwards": backwards, "read-only": read_only}
LAYOUTS |= {"Fortran": np.asfortranarray, "list": np.ndarray.tolist}


@every_subject
@pytest.mark.parametrize("layout", LAYOUTS)
def test_inputs_and_gradients_may_lie_in_memory_as_they_like(name, layout, rng):
    subject, change = build(name, rng), LAYOUTS[layout]
    probes = subject.probes(rng)
    expected = run(subject, probes)
    changed = {key: change(x) for key, x in subject.inputs.items()}
    outputs = list(subject.outputs(**changed))
    gradients = subject.gradients([change(p) if np.ndim(p) else p for p in probes])
    assert_same_run((outputs, gradients), expected, rtol=1e-12)


@without("loss")  # its dtype is that of the scores
@both_dtypes
def test_inputs_of_the_other_dtype_are_taken_at_their_value(name, dtype, rng):
    subject = build(name, rng, dtype=dtype)
    other = np.float64 if dtype == np.float32 else np.float32
    for x in subject.inputs.values():
        x[...] = x.astype(np.float32)
    probes = [np.asarray(p, np.float32).astype(p.dtype) for p in subject.probes(rng)]
    expected = run(subject, probes)
    changed = {
        key: x.astype({"f": other, "i": np.int8, "b": int}[x.dtype.kind])
        for key, x in subject.inputs.items()
    }
    outputs = list(subject.outputs(**changed))
    assert_same_run((outputs, subject.gradients([p.astype(other) for p in probes])), expected)


@without("loss", "coder", "peeky", "seq2seq")  # a model allocates its own
@pytest.mark.parametrize("order", ["C", "F"])
def test_parameters_may_lie_in_memory_in_either_order(name, order, rng):
    subject = build(name, rng)
    probes = subject.probes(rng)
    expected = run(subject, probes)
    params = {key: np.array(p, order=order) for key, p in subject.part.params.items()}
    switches = {"stateful": True} if getattr(subject.part, "stateful", False) else {}
    subject.part = type(subject.part)(**params, **switches)
    assert_same_run(run(subject, probes), expected, rtol=1e-12)


@every_subject
@both_dtypes
@pytest.mark.parametrize(
    "sizes", [{"H": 1}, {"D": 1}, {"N": 1}, {"T": 1}, {"N": 1, "T": 1, "D": 1, "H": 1}], ids=str
)
def test_every_size_may_be_one(name, dtype, sizes, rng):
    subject = build(name, rng, dtype=dtype, **sizes)
    outputs, gradients = run(subject, subject.probes(rng))
    assert all(np.isfinite(y).all() for y in outputs)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())


@every_subject
@both_dtypes
def test_a_batch_of_no_sequences_gives_empty_outputs_and_gradients_of_zero(name, dtype, rng):
    full, subject = build(name, rng, N=2, dtype=dtype), build(name, rng, N=0, dtype=dtype)
    outputs, gradients = run(subject, subject.probes(rng))
    for y, usual in zip(outputs, full.outputs(), strict=True):
        assert y.shape == (0, *usual.shape[1:]) if y.ndim else y == 0
    for key, array in subject.arrays().items():
        assert gradients[key].shape == array.shape
        assert not gradients[key].any()


@every_subject
def test_sequences_of_no_steps_hand_the_first_state_through(name, rng):
    subject = build(name, rng, T=0)
    if "seq2seq" in name:
        with pytest.raises(ValueError, match="S of at least 2"):
            subject.outputs()
        return
    outputs, gradients = run(subject, subject.probes(rng))
    if "stateful" in name:
        np.testing.assert_array_equal(outputs[1], subject.inputs["c"])
    else:
        assert not any(y.any() for y in outputs)
    assert not any(gradients[key].any() for key in subject.part.params)


@pytest.mark.parametrize("name", [name for name in SUBJECTS if "seq2seq" in name])
def test_a_question_of_no_characters_is_answered_from_a_state_of_zeros(name, rng):
    model = build(name, rng).part
    xs = np.empty((2, 0), int)
    assert np.isfinite(model.forward(xs, [[4, 0], [4, 2]]))
    model.backward()
    assert not any(g.any() for key, g in model.grads.items() if key.startswith("encoder"))
    assert model.generate(xs, 4, 3).shape == (2, 3)
    assert model.generate(np.empty((0, 3), int), 4, 3).shape == (0, 3)


# What is refused


@every_subject
def test_backward_before_forward_is_refused_by_name(name, rng):
    subject = build(name, rng)
    probes = subject.probes(rng)
    subject = build(name, rng)
    with pytest.raises(RuntimeError, match=r"^Time\w+: call forward before backward$"):
        subject.backward(subject.part, *probes)
    if isinstance(subject.part, Layer):
        with pytest.raises(RuntimeError, match=f"^{type(subject.part).__name__}:"):
            subject.backward(subject.part, *probes)


def with_id(place, value):
    def change(ids):
        ids = ids.copy()
        ids[place] = value
        return ids

    return change


WRONG_IDS = {
    "too large at the front": (with_id((0, 0), 5), "expected ids from 0 to 4, got 5"),
    "too large at the end": (with_id((-1, -1), 5), "expected ids from 0 to 4, got 5"),
    "negative at the front": (with_id((0, 0), -1), "expected ids from 0 to 4, got -1"),
    "negative at the end": (with_id((-1, -1), -1), "expected ids from 0 to 4, got -1"),
    "float": (lambda ids: ids.astype(float), "expected character ids, integers .*got float64"),
    "bool": (lambda ids: ids > 0, "expected character ids, integers .*got bool"),
    "text": (lambda ids: ids.astype(str), "expected character ids, integers .*got <U"),
    "one row": (lambda ids: ids[0], r"\(N, [ST]\).* got .*\([34],\)"),
    "three axes": (lambda ids: ids[None], r"\(N, [ST]\).* got .*\(1, 2, [34]\)"),
}
HAVE_IDS = [
    (name, key)
    for name in SUBJECTS
    for key, x in build(name, np.random.default_rng(0)).inputs.items()
    if x.dtype.kind == "i"
]


@pytest.mark.parametrize(("name", "key"), HAVE_IDS)
@pytest.mark.parametrize("wrong", WRONG_IDS)
def test_what_are_no_ids_is_refused_naming_expectation_and_value(name, key, wrong, rng):
    subject, (change, message) = build(name, rng), WRONG_IDS[wrong]
    with pytest.raises(ValueError, match=message):
        subject.outputs(**{key: change(subject.inputs[key])})


HAVE_FLOATS = [
    (name, key)
    for name in SUBJECTS
    for key, x in build(name, np.random.default_rng(0)).inputs.items()
    if x.dtype.kind == "f" and key != "scores"  # any number of characters has scores
]
WRONG_FLOATS = {
    "one axis less": lambda x: x[0],
    "one axis more": lambda x: x[None],
    "wider": lambda x: np.repeat(x, 2, axis=-1),
    "complex": lambda x: x + 0j,
    "text": lambda x: x.astype(str),
}


@pytest.mark.parametrize(("name", "key"), HAVE_FLOATS)
@pytest.mark.parametrize("wrong", WRONG_FLOATS)
def test_what_does_not_fit_is_refused_naming_expectation_and_shape(name, key, wrong, rng):
    subject = build(name, rng)
    with pytest.raises(ValueError, match=r"\w+: expected .*, got "):
        subject.outputs(**{key: WRONG_FLOATS[wrong](subject.inputs[key])})


@without("loss", "seq2seq")  # theirs is a number
def test_a_gradient_of_another_shape_is_refused(name, rng):
    subject = build(name, rng)
    probes = subject.probes(rng)
    subject.outputs()
    for wrong in (probes[0][:, :-1], probes[0][:1], probes[0][0], probes[0][None]):
        with pytest.raises(ValueError, match=r"\w+: expected shape .*, got "):
            subject.backward(subject.part, wrong, *probes[1:])
