"""A checkpoint comes back bit for bit; whatever else a file holds gives one sentence, no more."""

import io
import json
import os
import pickle
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import bits, finished, small_checkpoint, small_recipe

from seq2seq_lib import load_checkpoint, save_checkpoint
from seq2seq_lib.checkpoint import MOST_BYTES, CheckpointError, to_bytes
from seq2seq_lib.recipe import SMALLEST_AND_LARGEST

VARIANTS = ["baseline", "reverse", "peeky", "reverse+peeky"]
NAME = "encoder.lstm.Wh"
RECORD = "loss", "accuracy", "seconds"


@pytest.fixture(scope="module")
def content():
    return to_bytes(small_checkpoint())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def parts_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def zipped(parts, compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return stream.getvalue()


def npy(array, allow_pickle=True):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


def with_array(content, array, name=NAME):
    return zipped(parts_of(content) | {f"{name}.npy": npy(array)})


def with_header(content, **changes):
    header = json.loads(str(np.load(io.BytesIO(content))["header"]))
    return with_header_text(content, json.dumps(header | changes))


def with_header_text(content, text):
    return with_array(content, np.array(text), "header")


def with_recipe(content, **changes):
    recipe = json.loads(str(np.load(io.BytesIO(content))["header"]))["recipe"]
    return with_header(content, recipe=recipe | changes)


def refusal(path, content):
    """The one sentence with which a file of this content is refused, in little memory."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as refused:
            load_checkpoint(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    message = str(refused.value)
    assert message.startswith(f"{path}: ") and len(message) < len(str(path)) + 250, message
    assert message.isprintable() and "expected" in message, message
    assert peak < 50_000_000
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_checkpoint_comes_back_bit_for_bit(path, variant):
    checkpoint = small_checkpoint(variant)
    save_checkpoint(path, checkpoint)
    again = load_checkpoint(path)
    assert bits(again) == bits(checkpoint)
    assert (again.recipe, again.history) == (checkpoint.recipe, checkpoint.history)


@given(
    st.dictionaries(
        st.sampled_from(["reverse", "peeky", "pass_cell", "end_mark", "mask_loss", "pass_through"]),
        st.booleans(),
    ),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 2**53 - 1),
    st.lists(st.tuples(st.floats(), st.floats(), st.floats()), max_size=2),
)
@settings(max_examples=100)
def test_any_checkpoint_that_is_written_can_be_loaded(tmp_path_factory, switches, D, H, t, history):
    recipe = small_recipe(wordvec_size=D, hidden_size=H, **switches)
    records = [dict(zip(RECORD, numbers, strict=True)) for numbers in history]
    checkpoint = replace(small_checkpoint(), model=recipe.build_model(), recipe=recipe)
    checkpoint = replace(checkpoint, history=records, moments=None, steps=t)
    path = tmp_path_factory.mktemp("checkpoints") / "model.npz"
    save_checkpoint(path, checkpoint)
    again = load_checkpoint(path)
    assert bits(replace(again, history=[])) == bits(replace(checkpoint, history=[]))
    assert (repr(again.history), again.recipe) == (repr(records), recipe)


def test_a_checkpoint_without_the_optimizer_is_smaller_and_says_so(path):
    trainer = finished(small_recipe(epochs=1))
    save_checkpoint(path, trainer.checkpoint(resumable=False))
    assert load_checkpoint(path).moments is None
    assert path.stat().st_size < len(to_bytes(trainer.checkpoint())) / 2


def test_numpy_reads_our_files_without_pickle(path):
    checkpoint = small_checkpoint("peeky")
    save_checkpoint(path, checkpoint)
    with np.load(path, allow_pickle=False) as arrays:
        assert json.loads(str(arrays["header"]))["recipe"] == checkpoint.recipe.to_dict()
        for name, parameter in checkpoint.model.params.items():
            assert arrays[name].dtype == np.float32 and np.array_equal(arrays[name], parameter)
            assert np.array_equal(arrays[f"adam.m.{name}"], checkpoint.moments[0][name])
        assert len(arrays.files) == 1 + 3 * len(checkpoint.model.params)


def test_the_same_checkpoint_is_written_with_the_same_bytes():
    assert to_bytes(small_checkpoint()) == to_bytes(small_checkpoint())


def test_older_files_without_newer_fields_of_the_recipe_have_the_defaults(path, content):
    recipe = small_recipe().to_dict()
    del recipe["schedule"], recipe["units_first"]
    path.write_bytes(with_header(content, recipe=recipe))
    assert load_checkpoint(path).recipe == small_recipe()


@pytest.mark.parametrize("changes", [{"hidden_size": 8}, {"peeky": True}, {"wordvec_size": 3}])
def test_what_could_not_be_loaded_again_is_not_written(path, changes):
    checkpoint = replace(small_checkpoint(), recipe=small_recipe(**changes))
    with pytest.raises(CheckpointError, match="expected shape"):
        save_checkpoint(path, checkpoint)
    assert not path.exists()


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_not_written(path, number):
    recipe = small_recipe()
    model = recipe.build_model()
    model.params[NAME][3, 5] = number
    with pytest.raises(CheckpointError, match=rf"'{NAME}': expected finite numbers"):
        save_checkpoint(path, replace(small_checkpoint(), model=model, moments=None))
    assert not path.exists()


def test_a_model_too_large_to_be_loaded_again_is_not_written(path):
    recipe = small_recipe(hidden_size=1024)
    trainer = finished(recipe.replace(epochs=0))
    with pytest.raises(CheckpointError, match=f"at most {MOST_BYTES:,} bytes, got "):
        save_checkpoint(path, trainer.checkpoint())
    assert not path.exists()


def test_the_header_of_the_longest_run_can_be_loaded_again(path):
    epochs = SMALLEST_AND_LARGEST["epochs"][1]
    record = dict.fromkeys(RECORD, 1.2345678901234567e-05)
    checkpoint = replace(small_checkpoint(), history=[record] * epochs)
    save_checkpoint(path, checkpoint)
    assert len(load_checkpoint(path).history) == epochs


def test_a_file_cut_off_anywhere_is_refused(path, content):
    lengths = np.linspace(0, len(content) - 1, 170).astype(int).tolist()
    for length in sorted({*range(16), *lengths, *range(len(content) - 30, len(content))}):
        refusal(path, content[:length])


def flipped_bytes(content):
    nightly = settings().max_examples >= 5000
    rng = np.random.default_rng(0)
    names = content.index(b"PK\x01\x02")  # from here on the list of parts, where more can go wrong
    anywhere = rng.integers(0, len(content), 5000 if nightly else 500)
    behind = rng.integers(names, len(content), 5000 if nightly else 1000)
    for place in [*anywhere.tolist(), *behind.tolist()]:
        yield place, int(rng.integers(1, 256))


def test_a_flipped_byte_is_refused_or_changes_nothing_that_counts(path, content):
    whole, loaded = bits(small_checkpoint()), 0
    for place, change in flipped_bytes(content):
        damaged = bytearray(content)
        damaged[place] ^= change
        path.write_bytes(damaged)
        try:
            checkpoint = load_checkpoint(path)
        except CheckpointError as error:
            message = str(error)
            assert message.startswith(f"{path}: ") and message.isprintable()
            continue
        assert bits(checkpoint) == whole and checkpoint.recipe == small_recipe()
        loaded += 1
    assert 0 < loaded < 1000


class Payload:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("where", ["bare", "as an array", "as the header", "as an odd part"])
def test_no_file_makes_us_run_its_code(tmp_path, path, content, where):
    trace = tmp_path / "executed"
    attack = Payload(trace)
    objects = np.empty((16, 64), object)
    objects[0, 0] = attack
    hostile = {
        "bare": pickle.dumps(attack),
        "as an array": with_array(content, objects),
        "as the header": with_array(content, np.array(attack, object), "header"),
        "as an odd part": zipped(parts_of(content) | {"data.pkl": pickle.dumps(attack)}),
    }[where]
    refusal(path, hostile)
    assert not trace.exists()
    if where == "bare":
        pickle.loads(hostile)  # the attack is one
        assert trace.exists()


def lying_npy(descr="'<f4'", shape="(16, 64)", order="False", data=b"", version=b"\x01\x00"):
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header + data


def overlapping(content, times):
    """A list of parts that names the same part many times over."""
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[start : content.index(b"PK\x01\x02", start + 4)]
    tail = bytearray(content[end:])
    tail[8:12] = (times % 2**16).to_bytes(2, "little") * 2
    tail[12:16] = (len(entry) * times).to_bytes(4, "little")
    return content[:start] + entry * times + bytes(tail)


def array(shape=(16, 64), dtype=np.float32, **options):
    return np.ones(shape, dtype, **options)


FILES = {
    "empty": lambda content: b"",
    "text": lambda content: b"57+5_62\n" * 100,
    "JSON": lambda content: b'{"version": 1}',
    "a bare .npy": lambda content: npy(array()),
    "a bare .npy of objects": lambda content: npy(np.array([None])),
    "an empty zip": lambda content: zipped({}),
    "a zip of text": lambda content: zipped({"readme.txt": "hello"}),
    "only the magic": lambda content: b"PK\x03\x04",
    "gzip": lambda content: b"\x1f\x8b" + content,
    "something in front": lambda content: b"x" + content,
    "compressed": lambda content: zipped(parts_of(content), zipfile.ZIP_DEFLATED),
    "one part compressed": lambda content: zipped(parts_of(content), zipfile.ZIP_BZIP2),
    "a bomb": lambda content: zipped(
        parts_of(content) | {"bomb.npy": bytes(200_000_000)}, zipfile.ZIP_DEFLATED
    ),
    "the same part often": lambda content: overlapping(content, 60),
    "very many parts": lambda content: overlapping(content, 300_000),
    "two parts of one name": lambda content: zipped(
        parts_of(content) | {NAME: parts_of(content)[f"{NAME}.npy"]}
    ),
    "no header": lambda content: zipped(
        {name: part for name, part in parts_of(content).items() if name != "header.npy"}
    ),
    "only a header": lambda content: zipped({"header.npy": parts_of(content)["header.npy"]}),
    "a missing array": lambda content: zipped(
        {name: part for name, part in parts_of(content).items() if name != "decoder.affine.b.npy"}
    ),
    "a missing moment": lambda content: zipped(
        {name: part for name, part in parts_of(content).items() if name != f"adam.v.{NAME}.npy"}
    ),
    "an extra array": lambda content: with_array(content, array(), "encoder.lstm.Wy"),
    "an extra array with an odd name": lambda content: with_array(content, array(), "\x1b[31m\n"),
    "a path as a name": lambda content: with_array(content, array(), "../../etc/passwd"),
    "a wrong shape": lambda content: with_array(content, array((64, 16))),
    "a wrong shape elsewhere": lambda content: with_array(content, array(3), "decoder.affine.b"),
    "a moment of wrong shape": lambda content: with_array(content, array(3), f"adam.m.{NAME}"),
    "too many axes": lambda content: with_array(content, array((1, 16, 64))),
    "no axes": lambda content: with_array(content, array(())),
    "nothing in it": lambda content: with_array(content, array((16, 0))),
    "integers": lambda content: with_array(content, array(dtype=np.int32)),
    "booleans": lambda content: with_array(content, array(dtype=bool)),
    "complex": lambda content: with_array(content, array(dtype=np.complex64)),
    "float16": lambda content: with_array(content, array(dtype=np.float16)),
    "float64": lambda content: with_array(content, array(dtype=np.float64)),
    "big-endian": lambda content: with_array(content, array(dtype=">f4")),
    "texts": lambda content: with_array(content, array(dtype="U1")),
    "records": lambda content: with_array(content, array(dtype=[("a", "f4")])),
    "dates": lambda content: with_array(content, array(dtype="M8[s]")),
    "objects": lambda content: with_array(content, array(dtype=object)),
    "columns first": lambda content: with_array(content, array(order="F")),
    "NaN": lambda content: with_array(content, array() * np.nan),
    "infinity": lambda content: with_array(content, array() * np.inf),
    "NaN in a moment": lambda content: with_array(content, array() * np.nan, f"adam.v.{NAME}"),
    "a negative second moment": lambda content: with_array(content, -array(), f"adam.v.{NAME}"),
    "a part that is no array": lambda content: zipped(parts_of(content) | {f"{NAME}.npy": b"x"}),
    "an empty part": lambda content: zipped(parts_of(content) | {f"{NAME}.npy": b""}),
}
LIES = {
    "373 GiB": {"shape": "(100000000000,)"},
    "373 GiB in two axes": {"shape": "(1000000, 100000)"},
    "a size beyond all integers": {"shape": f"({10**30},)"},
    "sizes that overflow to the right one": {"shape": f"({2**62}, 4, 16, 64)"},
    "nothing times everything": {"shape": f"(0, {10**30})"},
    "a negative size": {"shape": "(-16, -64)"},
    "a size of 5,000 digits": {"shape": f"({'9' * 5000},)"},
    "an old integer": {"shape": "(16L, 64L)"},
    "code as shape": {"shape": "(__import__('os').getpid(), 64)"},
    "code as dtype": {"descr": "__import__('os').getpid()"},
    "an odd escape": {"descr": r"'\d'"},
    "an unknown dtype": {"descr": "'nonsense'"},
    "a very deep header": {"shape": "(" * 5000},
    "another version": {"version": b"\x02\x00"},
    "too few numbers": {"data": bytes(16 * 64 * 4 - 1)},
    "too many numbers": {"data": bytes(16 * 64 * 4 + 4)},
}
FILES |= {
    f"an array that claims {lie}": lambda content, lie=lie: zipped(
        parts_of(content) | {f"{NAME}.npy": lying_npy(**LIES[lie])}
    )
    for lie in LIES
}
HEADERS = {
    "empty": "",
    "not JSON": "{'version': 1}",
    "cut off": '{"version": 1, "recipe": {',
    "a list": "[1]",
    "a number of 5,000 digits": '{"version": 1' + "0" * 5000 + "}",
    "nested 100,000 deep": "[" * 100_000,
    "nested 100,000 deep in the recipe": '{"version": 1, "recipe": ' + '{"a":' * 100_000,
    "10 MB": '"' + "x" * 2_500_000 + '"',
}
FILES |= {
    f"a header that is {kind}": lambda content, text=text: with_header_text(content, text)
    for kind, text in HEADERS.items()
}
FILES |= {
    f"a header with {changes}"[:60]: lambda content, changes=changes: with_header(
        content, **changes
    )
    for changes in (
        {"version": 2},
        {"version": "1"},
        {"version": True, "recipe": []},
        {"version": None},
        {"recipe": None},
        {"recipe": ["seed"]},
        {"history": {}},
        {"history": [3]},
        {"history": [{}]},
        {"history": [{"loss": 1.0, "accuracy": "high", "seconds": 1.0}]},
        {"history": [{"loss": 10**400, "accuracy": 0.5, "seconds": 1.0}]},
        {"history": [{"loss": 1.0, "accuracy": 0.5, "seconds": 1.0, "\x1b[2J": 1.0}]},
        {"steps": -1},
        {"steps": 1.5},
        {"steps": True},
        {"steps": 10**400},
        {"steps": None},
    )
}
FILES |= {
    f"a recipe with {changes}"[:60]: lambda content, changes=changes: with_recipe(
        content, **changes
    )
    for changes in (
        {"peeky": True},
        {"hidden_size": 1024},
        {"hidden_size": 17},
        {"hidden_size": -16},
        {"hidden_size": 0},
        {"hidden_size": 10**400},
        {"wordvec_size": 1024},
        {"characters": " _0123456789"},
        {"characters": ""},
        {"seed": "0"},
        {"seed": -1},
        {"seed": None},
        {"epochs": 1.5},
        {"reverse": 1},
        {"learning_rate": float("nan")},
        {"padding": "left"},
        {"colour": "blue"},
        {"\x1b[2J\n": 1},
    )
}


@pytest.mark.parametrize("kind", FILES, ids=lambda kind: ascii(kind).replace("\\", ""))
def test_a_file_that_is_no_checkpoint_is_refused_in_one_sentence_and_little_memory(
    path, content, kind
):
    refusal(path, FILES[kind](content))


@pytest.mark.parametrize(
    ("times", "named"), [(60, "parts no larger than the file"), (300_000, "at most 100 parts")]
)
def test_a_part_that_is_listed_very_often_is_refused_before_it_is_read(path, content, times, named):
    assert f"expected {named}" in refusal(path, overlapping(content, times))


def test_a_header_that_lies_about_its_numbers_is_refused_before_a_model_is_built(
    path, content, monkeypatch
):
    def build(recipe):
        raise AssertionError(f"built {recipe.hidden_size}")

    monkeypatch.setattr("seq2seq_lib.recipe.Recipe.build_model", build)
    empty = with_array(with_recipe(content, hidden_size=1024), array((1024, 0)))
    assert "expected shape (1024, 4096)" in refusal(path, empty)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other special files")
def test_what_is_no_ordinary_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "pipe", "/dev/zero", "", None, b"\0"):
        with pytest.raises(CheckpointError, match=r"expected (an ordinary|a readable|the path)"):
            load_checkpoint(path)


def test_a_huge_file_is_refused_before_it_is_read(path):
    with open(path, "wb") as file:
        file.truncate(10**12)
    with pytest.raises(CheckpointError, match=r"at most 64,000,000 bytes, got 1,000,000,000,000"):
        load_checkpoint(path)


@pytest.mark.parametrize("variant", ["baseline", "reverse+peeky"])
def test_a_resumed_run_ends_bit_identical_to_an_uninterrupted_one(path, variant):
    recipe = small_recipe(variant, epochs=4)
    interrupted = finished(recipe.replace(epochs=2))
    save_checkpoint(path, interrupted.checkpoint())
    resumed = finished(recipe, resume=load_checkpoint(path))
    assert bits(resumed.checkpoint()) == bits(finished(recipe).checkpoint())
