"""Result files: what the experiments measured, one JSON file each, and how runs are summed up."""

import io
import json
from pathlib import Path

import numpy as np

from seq2seq_lib.files import read_ordinary_file, replace_file
from seq2seq_lib.recipe import Recipe

MOST_BYTES = 50_000_000


def load_results(path, *, missing_ok=False):
    """The runs in a result file, a list of dicts. Raises ValueError if it is none.

    Every run has a "recipe" and a "test_accuracy", 0 to 1; what else it has, and in what units,
    says the function in ``measures`` that its experiment names.
    """
    if missing_ok and not Path(path).exists():
        return []
    try:
        runs = json.loads(read_ordinary_file(path, MOST_BYTES))["runs"]
        for run in runs:
            Recipe.from_dict(run["recipe"])
            if not isinstance(run["test_accuracy"], float):
                raise TypeError(f"test_accuracy: expected a number, got {run['test_accuracy']!r}")
    except (KeyError, TypeError, RecursionError, ValueError) as error:
        raise ValueError(f"{path}: expected a result file: {error}") from error
    return runs


def save_results(path, about, runs):
    """Write a result file, whole or not at all: one line a field, so that changes can be read.

    ``about`` is a dict of what stands above the runs.
    """
    head = "".join(f" {json.dumps(key)}: {json.dumps(about[key])},\n" for key in about)
    lines = (
        "  {\n"
        + ",\n".join(f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in run.items())
        + "\n  }"
        for run in runs
    )
    replace_file(path, ("{\n" + head + ' "runs": [\n' + ",\n".join(lines) + "\n ]\n}\n").encode())


def save_array(path, array):
    """Write one array, compressed, whole or not at all."""
    content = io.BytesIO()
    np.savez_compressed(content, array=array)
    Path(path).parent.mkdir(exist_ok=True)
    replace_file(path, content.getvalue())


def load_array(path):
    """The inverse of ``save_array``. Raises ValueError if the file is none of its files."""
    try:
        with np.load(io.BytesIO(read_ordinary_file(path, MOST_BYTES)), allow_pickle=False) as file:
            return file["array"]
    except Exception as error:  # a damaged zip can raise nearly anything: it all means this
        raise ValueError(f"{path}: expected an array in a file: {error}") from error


def recipe_of(run):
    """A run's ``Recipe``"""
    return Recipe.from_dict(run["recipe"])


def select(runs, **wanted):
    """The runs whose recipe has these values: ``select(runs, variant="reverse", epochs=1)``."""
    return [
        run
        for run in runs
        if all(getattr(recipe_of(run), name) == value for name, value in wanted.items())
    ]


def median_run(runs):
    """Of an odd number of runs, the one with the middle test accuracy. ValueError for none"""
    if not runs:
        raise ValueError("runs: expected at least one, got none")
    return sorted(runs, key=lambda run: run["test_accuracy"])[len(runs) // 2]
