"""Named lists of recipes, run on every core, and the result files that all figures come from."""

import hashlib
import json
import multiprocessing
import os
import platform
import queue
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from seq2seq_lib.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from seq2seq_lib.evaluation import evaluate
from seq2seq_lib.files import check_writable, read_ordinary_file, replace_file
from seq2seq_lib.recipe import VARIANTS, Recipe
from seq2seq_lib.training import Trainer

SEEDS = range(5)


def _seeds(variants, **changes):
    return [Recipe.of(variant, seed=seed, **changes) for variant in variants for seed in SEEDS]


EXPERIMENTS = {
    "variants": _seeds(VARIANTS),
    "order-or-padding": _seeds(["baseline", "reverse"], padding="front"),
    "peeking-or-size": _seeds(["baseline", "reverse"], hidden_size=156),  # as large as peeky's 128
}
RESULTS = Path("book/results")
WEIGHTS = Path("build/weights")  # of every run; the median ones are copied from here
PRETRAINED = Path(__file__).parent / "pretrained"
INTERRUPTS = signal.SIGINT, signal.SIGTERM
THREADS = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"


def run_experiment(name, *, jobs=None, again=False, results=RESULTS, weights=WEIGHTS):
    """Run what is missing of one experiment; yield (kind, recipe, payload) of all that happens.

    A kind is "skipped" (None), "epoch" (its record), "done" (the result) or "failed" (the
    exception). The experiment's file is written anew after every run, so a sweep that was
    interrupted goes on where it stopped; with ``again`` nothing counts as done. Raises ValueError
    for a result file that is not one.
    """
    recipes = EXPERIMENTS[name]
    path = Path(results) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    Path(weights).mkdir(parents=True, exist_ok=True)
    check_writable(path)
    before = load_results(path, missing_ok=True)
    done = {} if again else {Recipe.from_dict(run["recipe"]): run for run in before}
    for recipe in recipes:
        if recipe in done:
            yield "skipped", recipe, None
    missing = [recipe for recipe in recipes if recipe not in done]
    for kind, recipe, payload in run_recipes(missing, weights=weights, jobs=jobs):
        if kind == "done":
            done[recipe] = payload
            save_results(path, name, [done[recipe] for recipe in recipes if recipe in done])
        yield kind, recipe, payload


def run_recipes(recipes, *, weights, jobs=None):
    """Run recipes, ``jobs`` at a time and one thread each; yield as ``run_experiment`` does."""
    context = multiprocessing.get_context("spawn")
    most = min(os.cpu_count() or 1, 61)  # Windows cannot wait for more
    epochs = context.Queue()
    with (
        _one_thread_each(),
        ProcessPoolExecutor(jobs or most, context, _start_worker, (epochs,)) as pool,
    ):
        try:
            with _interrupts_held():
                running = {pool.submit(run, recipe, weights): recipe for recipe in recipes}
            finished = queue.SimpleQueue()  # futures.wait, interrupted, can keep locks for ever
            for future in running:
                future.add_done_callback(finished.put)
            while running:
                future = None
                with suppress(queue.Empty):
                    future = finished.get(timeout=0.2)
                while not epochs.empty():
                    yield "epoch", *epochs.get()
                if future:
                    error = future.exception()
                    kind, payload = ("failed", error) if error else ("done", future.result())
                    yield kind, running.pop(future), payload
        except BaseException:  # interrupted: nobody waits for the runs under way
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


# In a worker process: the queue to its parent, whether it writes a file, whether it is to stop.
_epochs, _saving, _stopped = None, False, False


def _start_worker(epochs):
    global _epochs
    _epochs = epochs
    for number in INTERRUPTS:
        signal.signal(number, _stop)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)


def _stop(number, frame):
    """End a worker in silence, after the file it may be writing: the parent says what happened."""
    global _stopped
    _stopped = True
    if not _saving:
        os._exit(128 + number)


@contextmanager
def _interrupts_held():
    """Hold interrupts back from here, and from workers that start now: they end it themselves"""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(recipe, weights):
    """Train one recipe to its end and look at the test questions, once -> its result, a dict."""
    start = time.perf_counter()
    trainer = Trainer(recipe)
    for epoch in trainer.run():
        if _epochs is not None:
            _epochs.put((recipe, epoch))
    exact, characters = evaluate(trainer.model, trainer.layout, trainer.splits.test)
    _save_whole(weights_path(weights, recipe), trainer.checkpoint(resumable=False))
    return {
        "recipe": recipe.to_dict(),
        "loss": [epoch["loss"] for epoch in trainer.history],
        "validation_accuracy": [epoch["accuracy"] for epoch in trainer.history],
        "test_accuracy": exact,
        "test_character_accuracy": characters,
        "parameters": sum(array.size for array in trainer.model.params.values()),
        "seconds": round(time.perf_counter() - start, 1),
        "threads": 1,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.machine(),
        },
    }


def _save_whole(path, checkpoint):
    global _saving
    _saving = True
    try:
        save_checkpoint(path, checkpoint)
    finally:
        _saving = False
        if _stopped:
            os._exit(1)


def weights_path(weights, recipe):
    """Where a run's weights are kept: the name says the variant, and a checksum all the rest."""
    digest = hashlib.sha256(recipe.to_json().encode()).hexdigest()[:12]
    return Path(weights) / f"{recipe.variant}-seed{recipe.seed}-{digest}.npz"


def load_results(path, *, missing_ok=False):
    """The runs in a result file, a list of dicts. Raises ValueError if it is none."""
    if missing_ok and not Path(path).exists():
        return []
    try:
        runs = json.loads(read_ordinary_file(path, 50_000_000))["runs"]
        for run in runs:
            Recipe.from_dict(run["recipe"])
            if not isinstance(run["test_accuracy"], float):
                raise TypeError(f"test_accuracy: expected a number, got {run['test_accuracy']!r}")
    except (KeyError, TypeError, RecursionError, ValueError) as error:
        raise ValueError(f"{path}: expected a result file: {error}") from error
    return runs


def save_results(path, name, runs):
    """Write a result file, whole or not at all: one line a field, so that changes can be read."""
    about = {
        "experiment": name,
        "command": f"python -m seq2seq_lib results {name}",
    }
    text = "{\n" + "".join(f" {json.dumps(key)}: {json.dumps(about[key])},\n" for key in about)
    lines = (
        "  {\n"
        + ",\n".join(f"   {json.dumps(k)}: {json.dumps(v)}" for k, v in run.items())
        + "\n  }"
        for run in runs
    )
    replace_file(path, (text + ' "runs": [\n' + ",\n".join(lines) + "\n ]\n}\n").encode())


def median_run(runs):
    """Of an odd number of runs, the one with the middle test accuracy. ValueError for none"""
    if not runs:
        raise ValueError("runs: expected at least one, got none")
    return sorted(runs, key=lambda run: run["test_accuracy"])[len(runs) // 2]


def ship_weights(*, results=RESULTS, weights=WEIGHTS, pretrained=PRETRAINED):
    """Copy each variant's median weights to where ``load_pretrained`` finds them.

    Weights that are not there any more are trained again. Returns the recipes shipped.
    """
    runs, shipped = load_results(Path(results) / "variants.json"), []
    Path(pretrained).mkdir(exist_ok=True)
    for variant in VARIANTS:
        mine = [run for run in runs if Recipe.from_dict(run["recipe"]).variant == variant]
        recipe = Recipe.from_dict(median_run(mine)["recipe"])
        shipped.append(recipe)
        target, source = Path(pretrained) / f"{variant}.npz", weights_path(weights, recipe)
        if _recipe_in(target) == recipe:
            continue
        if _recipe_in(source) != recipe:
            for kind, _, payload in run_recipes([recipe], weights=weights):
                if kind == "failed":
                    raise payload
        replace_file(target, source.read_bytes())
    return shipped


def _recipe_in(path):
    try:
        return load_checkpoint(path).recipe
    except CheckpointError:
        return None


@contextmanager
def _one_thread_each():
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
