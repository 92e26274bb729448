"""A model in a file: arrays and one line of JSON in an .npz, never a pickle, never code.

The file is read with suspicion. Its parts must be stored uncompressed, so nothing can unfold to
more than the file's own size; names, shapes and dtypes must be those that its recipe implies,
and they are compared before a model is built.
"""

import io
import json
import re
import zipfile
from dataclasses import dataclass, field

import numpy as np

from seq2seq_lib.encoding import shown
from seq2seq_lib.files import read_ordinary_file, replace_file
from seq2seq_lib.models import Model
from seq2seq_lib.recipe import Recipe

VERSION = 1
MOST_BYTES = 64_000_000
MOST_JSON = 2_000_000
MOST_PARTS = 100
HEADER, MOMENTS = "header", ("adam.m.", "adam.v.")
RECORD = {"loss", "accuracy", "seconds"}
NPY = re.compile(  # version 1.0; np.load would parse this as Python
    rb"\x93NUMPY\x01\x00(?P<size>..)\{'descr': '(?P<dtype>[^']*)', 'fortran_order': "
    rb"(?P<columns_first>True|False), 'shape': \((?P<shape>[0-9, ]*)\), \} *\n",
    re.DOTALL,
)


class CheckpointError(ValueError):
    """The file is no checkpoint of ours, or is damaged."""


@dataclass
class Checkpoint:
    """What a file holds: a model, the recipe of its run, and how the run went.

    history : one dict an epoch, with "loss", "accuracy" and "seconds"
    moments : Adam's m and v by name, to resume with; None in a file that is only to be used
    steps   : how many updates were made
    """

    model: Model
    recipe: Recipe
    history: list = field(default_factory=list)
    moments: tuple | None = None
    steps: int = 0


def save_checkpoint(path, checkpoint):
    """Write a ``Checkpoint``, whole or not at all. Raises ``WriteError``, and as ``to_bytes``."""
    replace_file(path, to_bytes(checkpoint))


def to_bytes(checkpoint):
    """What is in the file of a ``Checkpoint``. Raises CheckpointError if it could not be loaded."""
    header = {
        "version": VERSION,
        "recipe": checkpoint.recipe.to_dict(),
        "history": checkpoint.history,
        "steps": checkpoint.steps,
    }
    arrays = {HEADER: np.array(json.dumps(header)), **checkpoint.model.params}
    for prefix, moment in zip(MOMENTS, checkpoint.moments or (), strict=False):
        arrays.update({prefix + name: array for name, array in moment.items()})
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    from_bytes(content.getvalue())
    return content.getvalue()


def load_checkpoint(path):
    """Read a ``Checkpoint``. Raises CheckpointError, in one sentence, whatever the file holds."""
    try:
        content = read_ordinary_file(path, MOST_BYTES)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    try:
        return from_bytes(content)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def from_bytes(content):
    """The inverse of ``to_bytes``. Raises CheckpointError, in one sentence, for anything else."""
    try:
        return _parse(content)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged zip can raise nearly anything: it all means this
        kind = type(error).__name__
        raise CheckpointError(f"expected a checkpoint, got a damaged file ({kind})") from error


def _parse(content):
    if len(content) > MOST_BYTES:
        raise CheckpointError(f"expected at most {MOST_BYTES:,} bytes, got {len(content):,}")
    if not content.startswith(b"PK"):
        raise CheckpointError("expected a checkpoint, an .npz file, got another kind of file")
    if content.count(zipfile.stringCentralDir) > MOST_PARTS:
        raise CheckpointError(f"expected at most {MOST_PARTS} parts")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if any(m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1 for m in members):
            raise CheckpointError("expected parts stored as they are, got a compressed one")
        if sum(m.file_size for m in members) > len(content):
            raise CheckpointError("expected parts no larger than the file")
        parts = {m.filename.removesuffix(".npy"): archive.read(m) for m in members}
    if HEADER not in parts or len(parts) != len(members):
        raise CheckpointError(f"expected a part named {HEADER!r} and different names")
    header = _parse_header(parts.pop(HEADER))
    recipe = _parse_recipe(header["recipe"])
    arrays = {name: _parse_array(name, part) for name, part in parts.items()}
    _compare_sizes(recipe, arrays)
    model = recipe.build_model()
    resumable = any(name.startswith(MOMENTS) for name in arrays)
    prefixes = ("", *MOMENTS) if resumable else ("",)
    _compare_names(arrays, [prefix + name for prefix in prefixes for name in model.params])
    moments = tuple({} for _ in MOMENTS)
    for name, parameter in model.params.items():
        for prefix in prefixes:
            array = arrays[prefix + name]
            if array.shape != parameter.shape:
                raise CheckpointError(
                    f"{prefix + name}: expected shape {parameter.shape}, got {array.shape}"
                )
            if not prefix:
                parameter[...] = array
            elif prefix == MOMENTS[1] and array.min() < 0:
                raise CheckpointError(f"{prefix + name}: expected squares, got a negative number")
            else:
                moments[MOMENTS.index(prefix)][name] = array
    return Checkpoint(
        model, recipe, header["history"], moments if resumable else None, header["steps"]
    )


def _parse_header(part):
    """The bytes of the .npy that holds the JSON -> a dict whose fields have the right types"""
    dtype, shape, data = _parse_npy(HEADER, part)
    if shape != () or not dtype.startswith("<U") or len(data) > 4 * MOST_JSON:
        raise CheckpointError(f"{HEADER}: expected one text of at most {MOST_JSON:,} characters")
    try:
        header = json.loads(str(data, "utf-32-le"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{HEADER}: expected JSON: {error}") from error
    types = {"version": int, "recipe": dict, "history": list, "steps": int}
    if not isinstance(header, dict) or header.get("version") != VERSION:
        got = header.get("version") if isinstance(header, dict) else header
        raise CheckpointError(f"version: expected {VERSION}, got {ascii(got)[:40]}")
    for name, kind in types.items():
        if type(header.get(name)) is not kind:
            raise CheckpointError(f"{name}: expected {kind.__name__} in the header")
    if not 0 <= header["steps"] < 2**53:
        raise CheckpointError(f"steps: expected 0 or more, got {shown(header['steps'])}")
    for epoch in header["history"]:
        named = isinstance(epoch, dict) and epoch.keys() == RECORD
        if not named or any(type(value) is not float for value in epoch.values()):
            expected = ", ".join(sorted(RECORD))
            raise CheckpointError(f"history: expected {expected} of each epoch, got {shown(epoch)}")
    return header


def _parse_recipe(values):
    try:
        return Recipe.from_dict(values)
    except ValueError as error:
        raise CheckpointError(f"recipe: {error}") from error


def _parse_array(name, part):
    """The bytes of one .npy -> a finite array of float32 that fills them exactly"""
    dtype, shape, data = _parse_npy(name, part)
    if dtype != "<f4":
        raise CheckpointError(f"{shown(name)}: expected float32, '<f4', got {shown(dtype)}")
    count = 1
    for size in shape:  # Python's integers: a lying shape cannot overflow
        count *= size
    if count * 4 != len(data):
        raise CheckpointError(f"{shown(name)}: expected as many numbers as its shape {shape} says")
    array = np.frombuffer(data, "<f4").reshape(shape)
    if not np.isfinite(array).all():
        raise CheckpointError(f"{shown(name)}: expected finite numbers, got NaN or infinity")
    return array.copy()


def _parse_npy(name, part):
    """The bytes of one .npy -> its dtype as text, its shape, and the bytes of its numbers"""
    found = NPY.match(part)
    if not found or int.from_bytes(found["size"], "little") != found.end() - 10:
        raise CheckpointError(f"{shown(name)}: expected an array in .npy version 1.0")
    if found["columns_first"] == b"True":
        raise CheckpointError(f"{shown(name)}: expected an array stored row by row, got columns")
    shape = tuple(map(int, found["shape"].replace(b",", b" ").split()))
    return found["dtype"].decode("ascii", "replace"), shape, memoryview(part)[found.end() :]


def _compare_sizes(recipe, arrays):
    """Refuse sizes that the file does not bear out, before a model of such sizes is built."""
    V, D, H = len(recipe.characters), recipe.wordvec_size, recipe.hidden_size
    for name, shape in (("encoder.embed.W", (V, D)), ("encoder.lstm.Wh", (H, 4 * H))):
        got = arrays[name].shape if name in arrays else "no such array"
        if got != shape:
            raise CheckpointError(f"{name}: expected shape {shape}, as in the recipe, got {got}")


def _compare_names(arrays, expected):
    odd = sorted(arrays.keys() ^ set(expected))
    if odd:
        what = "without" if odd[0] in expected else "with the unknown"
        raise CheckpointError(f"expected {len(expected)} arrays, got a file {what} {shown(odd[0])}")
