"""A model in a file: arrays and one line of JSON in an .npz, never a pickle, never code.

The file is read with suspicion. Its parts must be stored uncompressed, so nothing can unfold to
more than the file's own size; names, shapes and dtypes must be those that its recipe implies,
and they are compared before a model is built.
"""

import io
import json
import zipfile
from dataclasses import dataclass, field

import numpy as np

from seq2seq_lib.files import read_ordinary_file, replace_file
from seq2seq_lib.models import Model
from seq2seq_lib.recipe import Recipe

VERSION = 1
MOST_BYTES = 64_000_000
MOST_JSON = 1_000_000
HEADER, MOMENTS = "header", ("adam.m.", "adam.v.")


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
    """Write a ``Checkpoint``, whole or not at all. Raises ``WriteError``."""
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
    replace_file(path, content.getvalue())


def load_checkpoint(path):
    """Read a ``Checkpoint``. Raises CheckpointError, in one sentence, whatever the file holds."""
    try:
        content = read_ordinary_file(path, MOST_BYTES)
        return _parse(content)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except ValueError as error:  # of the file itself, or of the recipe in it
        text = str(error)
        text = text if text.startswith(f"{path}:") else f"{path}: {text}"
        raise CheckpointError(text) from error
    except Exception as error:  # a damaged zip can raise nearly anything: it all means this
        kind = type(error).__name__
        raise CheckpointError(
            f"{path}: expected a checkpoint, got a damaged file ({kind})"
        ) from error


def _parse(content):
    if not content.startswith(b"PK"):
        raise CheckpointError("expected a checkpoint, an .npz file, got another kind of file")
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
    recipe = Recipe.from_dict(header["recipe"])
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
            else:
                moments[MOMENTS.index(prefix)][name] = array
    return Checkpoint(
        model, recipe, header["history"], moments if resumable else None, header["steps"]
    )


def _parse_header(part):
    """The bytes of the .npy that holds the JSON -> a dict whose fields have the right types"""
    stream = io.BytesIO(part)
    shape, dtype = _parse_npy_header(stream)
    if shape != () or dtype.kind != "U" or dtype.itemsize > 4 * MOST_JSON:
        raise CheckpointError(f"{HEADER}: expected one text of at most {MOST_JSON:,} characters")
    header = json.loads(str(np.frombuffer(stream.read(dtype.itemsize), dtype)[0]))
    types = {"version": int, "recipe": dict, "history": list, "steps": int}
    if not isinstance(header, dict) or header.get("version") != VERSION:
        got = header.get("version") if isinstance(header, dict) else header
        raise CheckpointError(f"version: expected {VERSION}, got {ascii(got)[:40]}")
    for name, kind in types.items():
        if type(header.get(name)) is not kind:
            raise CheckpointError(f"{name}: expected {kind.__name__} in the header")
    for epoch in header["history"]:
        if not isinstance(epoch, dict) or not all(type(v) in (int, float) for v in epoch.values()):
            raise CheckpointError("history: expected numbers by name for each epoch")
    return header


def _parse_array(name, part):
    """The bytes of one .npy -> a finite array of float32 that fills them exactly"""
    stream = io.BytesIO(part)
    shape, dtype = _parse_npy_header(stream)
    if dtype != np.dtype("<f4"):
        raise CheckpointError(f"{ascii(name)[:60]}: expected float32, got {dtype}")
    data = stream.read()
    count = 1
    for size in shape:  # Python's integers: a lying shape cannot overflow
        count *= size
    if count * 4 != len(data):
        raise CheckpointError(f"{ascii(name)[:60]}: expected {len(data)} bytes, got {shape}")
    array = np.frombuffer(data, "<f4").reshape(shape)
    if not np.isfinite(array).all():
        raise CheckpointError(f"{ascii(name)[:60]}: expected finite numbers, got NaN or infinity")
    return array.copy()


def _parse_npy_header(stream):
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else None
    if read is None:
        raise CheckpointError(f"expected arrays in .npy version 1.0, got {version}")
    shape, column_first, dtype = read(stream)
    if column_first:
        raise CheckpointError("expected arrays stored row by row")
    return shape, dtype


def _compare_sizes(recipe, arrays):
    """Refuse sizes that the file does not bear out, before a model of such sizes is built."""
    embed, recurrent = arrays.get("encoder.embed.W"), arrays.get("encoder.lstm.Wh")
    expected = (len(recipe.characters), recipe.wordvec_size), recipe.hidden_size
    if embed is None or recurrent is None:
        raise CheckpointError("expected the arrays encoder.embed.W and encoder.lstm.Wh")
    if (embed.shape, *recurrent.shape[:1]) != expected:
        raise CheckpointError(
            f"expected V, D and H as in the recipe, {expected}, "
            f"got {(embed.shape, *recurrent.shape[:1])}"
        )


def _compare_names(arrays, expected):
    odd = sorted(arrays.keys() ^ set(expected))
    if odd:
        what = "without" if odd[0] in expected else "with the unknown"
        raise CheckpointError(
            f"expected {len(expected)} arrays, got a file {what} {ascii(odd[0])[:60]}"
        )
