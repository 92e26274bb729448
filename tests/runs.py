"""Small runs that many tests share, and the command line in a process of its own."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from seq2seq_lib import Recipe, Trainer

ROOT = Path(__file__).parents[1]
SMALL = {
    "wordvec_size": 4,
    "hidden_size": 16,
    "batch_size": 32,
    "epochs": 2,
    "train_size": 200,
    "validation_size": 50,
    "test_size": 50,
}
OPTIONS = [part for k, v in SMALL.items() for part in (f"--{k.replace('_', '-')}", str(v))]


def small_recipe(variant="baseline", **changes):
    return Recipe.of(variant, **(SMALL | changes))


def finished(recipe, **options):
    """A ``Trainer`` that has trained the recipe to its end."""
    trainer = Trainer(recipe, **options)
    for _ in trainer.run():
        pass
    return trainer


@cache
def small_checkpoint(variant="baseline"):
    """A resumable checkpoint of two epochs. Not to be changed: it is shared."""
    return finished(small_recipe(variant)).checkpoint()


def bits(checkpoint):
    """All that decides how a checkpoint goes on, to be compared for equality."""
    arrays = checkpoint.model.params, *(checkpoint.moments or ())
    measured = [(epoch["loss"], epoch["accuracy"]) for epoch in checkpoint.history]
    return (
        [{name: array.tobytes() for name, array in group.items()} for group in arrays],
        measured,
        checkpoint.steps,
    )


def command(*arguments, **options):
    """``python -m seq2seq_lib`` with arguments -> the finished process, its output as text"""
    options = {"capture_output": True, "text": True, "encoding": "utf-8"} | options
    return subprocess.run(command_line(*arguments), env=environment(), check=False, **options)


def command_line(*arguments):
    return [sys.executable, "-W", "error", "-m", "seq2seq_lib", *map(str, arguments)]


def environment(**changes):
    """This process's environment, with the package on the path, one thread, and changes"""
    paths = [str(ROOT), *filter(None, [changes.pop("PYTHONPATH", None)])]
    settings = {"PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
    merged = os.environ | settings | changes
    return {name: value for name, value in merged.items() if value is not None}


def error_line(finished_process, code):
    """The one line on standard error of a process that ended with this exit code"""
    found = finished_process.returncode, finished_process.stderr
    assert found[0] == code and found[1].count("\n") == 1, found
    assert found[1].startswith("error: ") and "Traceback" not in found[1], found
    return found[1].removeprefix("error: ").rstrip("\n")
