"""Named lists of recipes, run on every core, and the result files that all figures come from."""

import hashlib
import json
import multiprocessing
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from seq2seq_lib.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from seq2seq_lib.evaluation import evaluate
from seq2seq_lib.files import read_ordinary_file, replace_file
from seq2seq_lib.recipe import VARIANTS, Recipe
from seq2seq_lib.training import Trainer

SEEDS = range(5)
EXPERIMENTS = {
    "variants": [Recipe.of(variant, seed=seed) for variant in VARIANTS for seed in SEEDS],
}
RESULTS = Path("book/results")
WEIGHTS = Path("build/weights")  # of every run; the median ones are copied from here
PRETRAINED = Path(__file__).parent / "pretrained"
THREADS = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"


def run_experiment(name, *, jobs=None, results=RESULTS, weights=WEIGHTS, on_event=print):
    """Run what is missing of one experiment; return {recipe: exception} of the runs that failed.

    Its file is written anew after every run, so a sweep that was interrupted goes on where it
    stopped. ``on_event(kind, recipe, payload)`` hears of every "skipped", "epoch", "done" and
    "failed". Raises ValueError for a result file that is not one.
    """
    recipes = EXPERIMENTS[name]
    path = Path(results) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    Path(weights).mkdir(parents=True, exist_ok=True)
    done = {Recipe.from_dict(run["recipe"]): run for run in load_results(path, missing_ok=True)}
    missing = [recipe for recipe in recipes if recipe not in done]
    for recipe in recipes:
        if recipe in done:
            on_event("skipped", recipe, None)
    failed = {}
    for recipe, outcome in run_recipes(missing, jobs, weights, on_event):
        if isinstance(outcome, Exception):
            failed[recipe] = outcome
            on_event("failed", recipe, outcome)
            continue
        done[recipe] = outcome
        save_results(path, name, [done[recipe] for recipe in recipes if recipe in done])
        on_event("done", recipe, outcome)
    return failed


def run_recipes(recipes, jobs, weights, on_event):
    """Run recipes, ``jobs`` at a time and one thread each; yield (recipe, result or exception)."""
    context = multiprocessing.get_context("spawn")
    events = context.Queue()
    with (
        _one_thread_each(),
        ProcessPoolExecutor(jobs or os.cpu_count(), context, _start_worker, (events,)) as pool,
    ):
        futures = {pool.submit(run, recipe, weights): recipe for recipe in recipes}
        try:
            waiting = set(futures)
            while waiting:
                while not events.empty():
                    on_event("epoch", *events.get())
                finished = {future for future in waiting if future.done()}
                for future in finished:
                    yield futures[future], future.exception() or future.result()
                waiting -= finished
                time.sleep(0.1)
        finally:
            pool.shutdown(cancel_futures=True)


_events = None  # in a worker process: the queue to its parent


def _start_worker(events):
    global _events
    _events = events


def run(recipe, weights):
    """Train one recipe to its end and look at the test questions, once -> its result, a dict."""
    start = time.perf_counter()
    trainer = Trainer(recipe)
    for epoch in trainer.run():
        if _events is not None:
            _events.put((recipe, epoch))
    exact, characters = evaluate(trainer.model, trainer.layout, trainer.splits.test)
    save_checkpoint(weights_path(weights, recipe), trainer.checkpoint(resumable=False))
    return {
        "recipe": recipe.to_dict(),
        "loss": [epoch["loss"] for epoch in trainer.history],
        "validation_accuracy": [epoch["accuracy"] for epoch in trainer.history],
        "test_accuracy": exact,
        "test_character_accuracy": characters,
        "parameters": sum(array.size for array in trainer.model.params.values()),
        "seconds": round(time.perf_counter() - start, 1),
    }


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
    except (KeyError, TypeError, RecursionError, ValueError) as error:
        raise ValueError(f"{path}: expected a result file: {error}") from error
    return runs


def save_results(path, name, runs):
    """Write a result file, whole or not at all: one line a field, so that changes can be read."""
    about = {
        "experiment": name,
        "command": f"python -m seq2seq_lib results {name}",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.machine(),
        },
        "threads": 1,
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
    """Of an odd number of runs, the one with the middle test accuracy"""
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
            for _ in run_recipes([recipe], 1, weights, lambda *event: None):
                pass
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
