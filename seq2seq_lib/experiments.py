"""Questions about the models, the recipes that answer them, and the runs of those recipes."""

import hashlib
import itertools
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seq2seq_lib import measures
from seq2seq_lib.checkpoint import CheckpointError, from_bytes, load_checkpoint, to_bytes
from seq2seq_lib.evaluation import evaluate
from seq2seq_lib.files import check_writable, replace_file
from seq2seq_lib.recipe import VARIANTS, Recipe
from seq2seq_lib.results import (
    load_results,
    median_run,
    recipe_of,
    save_array,
    save_results,
    select,
)
from seq2seq_lib.solver import BEST
from seq2seq_lib.training import Trainer
from seq2seq_lib.workers import run_all

SEEDS = range(5)
RESULTS = Path("book/results")
WEIGHTS = Path("build/weights")  # of every run; those that the library ships are copied from here
SHIPPED = Path(__file__).parent / "pretrained"


@dataclass(frozen=True)
class Experiment:
    """A question, the recipes whose runs answer it, and what is measured of each run."""

    question: str
    recipes: list
    measure: Callable = measures.accuracy


def _seeds(variants, **changes):
    return [Recipe.of(variant, seed=seed, **changes) for variant in variants for seed in SEEDS]


FOUR = _seeds(VARIANTS)
MIDDLE = {"baseline": 1, "reverse": 0, "peeky": 3, "reverse+peeky": 4}  # seeds of shipped weights
STUDY = {"learning_rate": 0.002, "batch_size": 256}  # of a study that found another order
STRICT = {"mask_loss": True, "end_mark": True, "pass_through": True}
FAST = {"schedule": "cosine", "learning_rate": 0.005}
NEAR = FAST | {"padding": "front", "batch_size": 32}  # the best in either order of writing
UNITS = NEAR | {"units_first": True}
ROAD = [  # one run of each step and each dead end; five of the two ends
    *(Recipe.of(variant, **FAST) for variant in VARIANTS),
    Recipe.of("reverse+peeky", **NEAR | {"batch_size": 64}),
    Recipe.of("reverse+peeky", **NEAR | {"batch_size": 64, "learning_rate": 0.008}),
    Recipe.of("peeky", **NEAR | {"batch_size": 64}),
    Recipe.of("reverse+peeky", **NEAR),
    Recipe.of("reverse+peeky", **NEAR | {"learning_rate": 0.003}),
    *_seeds(["reverse+peeky"], **NEAR, pass_cell=True),
    Recipe.of("reverse+peeky", **UNITS | {"batch_size": 64}),
    *_seeds(["reverse+peeky"], **UNITS),
    Recipe.of("peeky", **UNITS),
    *(
        Recipe.of("reverse+peeky", **UNITS | change)
        for change in (
            {"padding": "end"},
            {"learning_rate": 0.01},
            {"max_norm": 0.5},
            {"wordvec_size": 64},
            {"pass_cell": True},
            {"pass_cell": True, "batch_size": 16, "learning_rate": 0.003},
            {"pass_through": True},
            {"mask_loss": True, "end_mark": True},
        )
    ),
]
EXERCISES = [  # one run of each that an exercise's solution speaks of
    *(
        Recipe.of("baseline", learning_rate=rate, seed=seed, epochs=5)
        for rate in (0.0001, 0.001, 0.01)
        for seed in range(3)
    ),
    *(  # as many updates in two epochs as in eight
        Recipe.of("baseline", batch_size=size, seed=seed, epochs=epochs)
        for size, epochs in ((32, 2), (128, 8))
        for seed in range(3)
    ),
    *(  # without any switch, the run is one of those above
        Recipe.of("baseline", **dict(zip(STRICT, on, strict=True)), epochs=8)
        for on in itertools.product((False, True), repeat=3)
        if any(on)
    ),
]
EXPERIMENTS = {
    "variants": Experiment("What do reversing and peeking change?", FOUR),
    "order-or-padding": Experiment(
        "Does reversing help by the order, or by where the blanks are read?",
        _seeds(["baseline", "reverse"], padding="front"),
    ),
    "peeking-or-size": Experiment(
        "Does peeking help, or do the parameters that it adds?",
        _seeds(["baseline", "reverse"], hidden_size=156),  # as many as peeky has with 128
    ),
    "memory-cell": Experiment(
        "What if the decoder gets the memory cell as well, and under another recipe?",
        _seeds(VARIANTS, pass_cell=True) + _seeds(VARIANTS, pass_cell=True, **STUDY),
    ),
    "strict-padding": Experiment(
        "Does it help to keep blanks out of the loss and out of the state?",
        [
            *(recipe for name in STRICT for recipe in _seeds(["baseline"], **{name: True})),
            *_seeds(["baseline"], **STRICT),
        ],
    ),
    "gradient-paths": Experiment(
        "How far do gradients reach, before training and after?",
        [recipe.replace(epochs=epochs) for epochs in (0, 1, 25) for recipe in FOUR],
        measures.paths,
    ),
    "mistakes": Experiment("How do the models go wrong?", FOUR, measures.mistakes),
    "every-sum": Experiment("Which of all million sums are right?", FOUR, measures.every_sum),
    "snapshots": Experiment(
        "What did the models answer after each epoch?",
        [Recipe.of(variant, seed=seed) for variant, seed in MIDDLE.items()],
        measures.snapshots,
    ),
    "road": Experiment(
        "How few of the million sums can be wrong, if only the recipe changes?",
        ROAD,
        measures.every_sum,
    ),
    "exercises": Experiment(
        "What comes out of the runs that the exercises on training and on padding ask for?",
        EXERCISES,
    ),
}


def run_experiment(
    name, *, jobs=None, scheduler=None, again=False, results=RESULTS, weights=WEIGHTS
):
    """Run what is missing of one experiment; yield (kind, recipe, payload) of all that happens.

    A kind is "skipped" (None), "told" (how many epochs are done), "done" (the result) or "failed"
    (the exception). The experiment's file is written anew after every run, so a sweep that was
    interrupted goes on where it stopped; with ``again`` nothing counts as done. Weights that are
    there already are measured, not trained again (``forget_weights``). Raises ValueError for a
    result file that is none.
    """
    experiment, path = EXPERIMENTS[name], Path(results) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    check_writable(path)
    before = load_results(path, missing_ok=True)
    done = {} if again else {recipe_of(run): run for run in before}
    for recipe in experiment.recipes:
        if recipe in done:
            yield "skipped", recipe, None
    missing = [recipe for recipe in experiment.recipes if recipe not in done]
    about = {
        "experiment": name,
        "question": experiment.question,
        "command": f"python -m seq2seq_lib results {name}",
    }
    options = {"weights": weights, "jobs": jobs, "scheduler": scheduler}
    for kind, recipe, payload in run_recipes(missing, experiment.measure, **options):
        if kind == "done":
            done[recipe] = payload = _arrays_in_files(payload, path.with_suffix(""))
            runs = [done[recipe] for recipe in experiment.recipes if recipe in done]
            save_results(path, about, runs)
        yield kind, recipe, payload


def run_recipes(recipes, measure=measures.accuracy, *, weights, jobs=None, scheduler=None):
    """Train and measure recipes; yield as ``run_experiment`` does. Options as in ``run_all``."""
    Path(weights).mkdir(parents=True, exist_ok=True)
    tasks = {
        recipe: (recipe, measure, _trained(weights_path(weights, recipe), recipe))
        for recipe in recipes
    }
    for kind, recipe, payload in run_all(_run, tasks, jobs=jobs, scheduler=scheduler):
        if kind == "done":
            payload, trained = payload
            replace_file(weights_path(weights, recipe), trained)
        yield kind, recipe, payload


def _run(tell, recipe, measure, trained):
    """In a worker: train, unless the bytes of a checkpoint are given, and measure -> both"""
    splits = recipe.splits()
    if trained is None:
        trainer = Trainer(recipe, splits)
        for _ in trainer.run():
            tell(len(trainer.history))
        trained = to_bytes(trainer.checkpoint(resumable=False))
    checkpoint = from_bytes(trained)
    exact, _ = evaluate(checkpoint.model, recipe.layout, splits.test)
    result = {
        "recipe": recipe.to_dict(),
        "test_accuracy": exact,
        **measure(checkpoint, splits),
        "parameters": sum(array.size for array in checkpoint.model.params.values()),
        "threads": int(os.environ.get("OPENBLAS_NUM_THREADS", 0)) or os.cpu_count(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.machine(),
        },
    }
    return result, trained


def _trained(path, recipe):
    """The bytes of this recipe's finished checkpoint, or None if the file is none"""
    try:
        checkpoint = load_checkpoint(path)
    except CheckpointError:
        return None
    finished = checkpoint.recipe == recipe and len(checkpoint.history) == recipe.epochs
    return Path(path).read_bytes() if finished else None


def _arrays_in_files(result, folder):
    """The same result with every array in a file of its own, and that file's name in its place"""
    name = weights_path("", recipe_of(result)).name
    for key, value in result.items():
        if isinstance(value, np.ndarray):
            folder.mkdir(exist_ok=True)
            save_array(folder / name, value)
            result = result | {key: f"{folder.name}/{name}"}
    return result


def forget_weights(names, *, weights=WEIGHTS):
    """Delete the weights of these experiments' runs, so that they are trained again."""
    for name in names:
        for recipe in EXPERIMENTS[name].recipes:
            weights_path(weights, recipe).unlink(missing_ok=True)


def weights_path(weights, recipe):
    """Where a run's weights are kept: the name says the variant, and a checksum all the rest."""
    digest = hashlib.sha256(recipe.to_json().encode()).hexdigest()[:12]
    return Path(weights) / f"{recipe.variant}-seed{recipe.seed}-{digest}.npz"


def ship_weights(*, results=RESULTS, weights=WEIGHTS, shipped=SHIPPED):
    """Copy the weights of ``chosen_recipes`` to where ``load_pretrained`` finds them.

    Weights that are not there any more are trained again. Returns the recipes by name.
    """
    chosen = chosen_recipes(results)
    Path(shipped).mkdir(exist_ok=True)
    for name, recipe in chosen.items():
        target, source = Path(shipped) / f"{name}.npz", weights_path(weights, recipe)
        trained = _trained(source, recipe) or _trained(target, recipe)
        if trained is None:
            for kind, _, payload in run_recipes([recipe], weights=weights):
                if kind == "failed":
                    raise payload
            trained = source.read_bytes()
        if not target.exists() or target.read_bytes() != trained:
            replace_file(target, trained)
    return chosen


def chosen_recipes(results=RESULTS):
    """{name: recipe} of the models that are shipped: each variant's middle run, and the best.

    An experiment with missing runs chooses nothing.
    """
    chosen = {}
    if variants := _complete("variants", results):
        for name in VARIANTS:
            chosen[name] = recipe_of(median_run(select(variants, variant=name)))
    if road := _complete("road", results):
        chosen[BEST] = recipe_of(min(road, key=lambda run: run["wrong"]))
    return chosen


def _complete(name, results):
    runs = load_results(Path(results) / f"{name}.json", missing_ok=True)
    return runs if [recipe_of(run) for run in runs] == EXPERIMENTS[name].recipes else []
