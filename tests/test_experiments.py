"""Experiments run what is missing, on every core, and their figures can be found again."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from runs import ROOT, environment, finished, small_recipe

from seq2seq_lib import VARIANTS, Recipe, load_checkpoint, measures, save_checkpoint
from seq2seq_lib.evaluation import evaluate, write_answers
from seq2seq_lib.experiments import (
    EXPERIMENTS,
    MIDDLE,
    SHIPPED,
    Experiment,
    chosen_recipes,
    forget_weights,
    run_experiment,
    run_recipes,
    ship_weights,
    weights_path,
)
from seq2seq_lib.results import (
    load_array,
    load_results,
    median_run,
    recipe_of,
    save_results,
    select,
)
from seq2seq_lib.solver import PRETRAINED, load_pretrained
from seq2seq_lib.training import DivergedError

COMMITTED = ROOT / "book" / "results"
RECIPES = [small_recipe(variant, seed=seed) for variant in VARIANTS for seed in range(2)]


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """An experiment of eight small runs, in a folder of its own -> what runs it"""
    monkeypatch.setitem(EXPERIMENTS, "variants", Experiment("?", RECIPES))
    folders = {"results": tmp_path / "results", "weights": tmp_path / "weights"}

    def run(**options):
        return list(run_experiment("variants", **{"jobs": 2, **folders, **options}))

    run.path, run.folders = tmp_path / "results" / "variants.json", folders
    return run


def kinds(events):
    found = {}
    for kind, recipe, _ in events:
        found.setdefault(kind, []).append(recipe)
    return found


def without_seconds(runs):
    return [{k: v for k, v in run.items() if k != "seconds"} for run in runs]


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """The file and the weights of the small experiment, run once. Not to be changed."""
    folder = tmp_path_factory.mktemp("complete")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(EXPERIMENTS, "variants", Experiment("?", RECIPES))
        events = list(run_experiment("variants", jobs=2, results=folder, weights=folder))
    return folder, events


def copied(complete, tiny, keep=slice(None)):
    """Put some of the complete experiment's runs where the tiny one looks for them."""
    folder, _ = complete
    text = json.loads((folder / "variants.json").read_text())
    tiny.path.parent.mkdir()
    tiny.path.write_text(json.dumps(text | {"runs": text["runs"][keep]}))
    tiny.folders["weights"].mkdir()
    for file in folder.glob("*.npz"):
        (tiny.folders["weights"] / file.name).write_bytes(file.read_bytes())


def test_every_run_is_done_and_told_epoch_by_epoch(complete):
    _, events = complete
    found = kinds(events)
    assert found.keys() <= {"told", "done"}
    assert set(found["done"]) == set(RECIPES) and len(found["done"]) == len(RECIPES)
    assert set(found["told"]) <= set(RECIPES)


def test_the_file_has_all_that_a_figure_needs_in_the_order_of_the_recipes(complete):
    folder, _ = complete
    content = json.loads((folder / "variants.json").read_text())
    assert content["command"] == "python -m seq2seq_lib results variants"
    runs = load_results(folder / "variants.json")
    assert [recipe_of(run) for run in runs] == RECIPES
    for run, recipe in zip(runs, RECIPES, strict=True):
        assert len(run["loss"]) == len(run["validation_accuracy"]) == recipe.epochs
        assert 0 <= run["test_accuracy"] <= run["test_character_accuracy"] <= 1
        assert run["versions"].keys() == {"python", "numpy", "machine"} and run["threads"] == 1


def test_a_run_in_another_process_has_the_numbers_of_one_in_this(complete):
    folder, _ = complete
    for run in load_results(folder / "variants.json")[::3]:
        history = finished(recipe_of(run)).history
        assert run["loss"] == [epoch["loss"] for epoch in history]
        assert run["validation_accuracy"] == [epoch["accuracy"] for epoch in history]


def test_the_weights_of_every_run_are_kept(complete):
    folder, _ = complete
    for recipe in RECIPES:
        assert load_checkpoint(weights_path(folder, recipe)).recipe == recipe
    assert len(list(folder.iterdir())) == len(RECIPES) + 1


def test_asked_again_every_run_is_done_again(complete, tiny):
    copied(complete, tiny)
    found = kinds(tiny(again=True))
    assert set(found["done"]) == set(RECIPES) and "skipped" not in found


def test_only_missing_runs_are_done_again_and_nothing_is_doubled(complete, tiny):
    copied(complete, tiny, slice(0, None, 2))
    found = kinds(tiny())
    assert found["skipped"] == RECIPES[::2] and set(found["done"]) == set(RECIPES[1::2])
    folder, _ = complete
    redone, before = load_results(tiny.path), load_results(folder / "variants.json")
    assert without_seconds(redone) == without_seconds(before)
    assert list(kinds(tiny())) == ["skipped"]


def test_a_run_that_raises_is_told_and_the_others_finish(tiny, monkeypatch):
    hopeless = small_recipe(learning_rate=1000.0)
    three = Experiment("?", [RECIPES[0], hopeless, RECIPES[1]])
    monkeypatch.setitem(EXPERIMENTS, "variants", three)
    events = tiny()
    failed = [(recipe, error) for kind, recipe, error in events if kind == "failed"]
    assert [recipe for recipe, _ in failed] == [hopeless]
    assert isinstance(failed[0][1], DivergedError) and "at step 2" in str(failed[0][1])
    assert [recipe_of(r) for r in load_results(tiny.path)] == RECIPES[:2]


def test_results_deleted_during_a_sweep_are_written_again(complete, tiny):
    copied(complete, tiny, slice(0, 6))
    for kind, _, _ in run_experiment("variants", jobs=1, **tiny.folders):
        if kind == "done":
            tiny.path.unlink()
    tiny()
    assert len(load_results(tiny.path)) == len(RECIPES)


def test_a_damaged_result_file_is_refused_before_any_run_and_kept(tiny):
    tiny.path.parent.mkdir()
    tiny.path.write_bytes(b'{"runs": [3]}')
    with pytest.raises(ValueError, match=r"variants.json: expected a result file: "):
        tiny()
    assert tiny.path.read_bytes() == b'{"runs": [3]}'


def test_a_result_file_that_cannot_be_written_is_refused_before_any_run(tiny):
    tiny.path.mkdir(parents=True)
    with pytest.raises(OSError, match=r"variants.json: cannot be written: expected"):
        tiny()


def test_a_worker_that_is_killed_costs_no_run(complete, tiny):
    copied(complete, tiny, slice(0, 4))
    for file in tiny.folders["weights"].iterdir():
        file.unlink()
    killed = []

    def kill(events):
        for event in events:
            if event[0] == "told" and not killed:
                worker = multiprocessing.active_children()[0]
                killed.append(worker.pid)
                worker.kill()
            yield event

    found = kinds(kill(run_experiment("variants", jobs=2, **tiny.folders)))
    assert killed and "failed" not in found
    assert sorted(found["done"], key=RECIPES.index) == RECIPES[4:]
    folder, _ = complete
    again, before = load_results(tiny.path), load_results(folder / "variants.json")
    assert without_seconds(again) == without_seconds(before)


def test_weights_that_are_there_are_measured_and_not_trained_again(complete, tiny, monkeypatch):
    copied(complete, tiny)
    monkeypatch.setitem(EXPERIMENTS, "mistakes", Experiment("?", RECIPES[:2], measures.mistakes))
    found = kinds(run_experiment("mistakes", jobs=1, **tiny.folders))
    assert found == {"done": RECIPES[:2]}  # no epoch was told of
    again = load_results(tiny.path.with_name("mistakes.json"))
    for run, before in zip(again, load_results(tiny.path), strict=False):
        assert run["test_accuracy"] == before["test_accuracy"] == run["free"]["exact"]


def test_weights_of_another_recipe_or_unfinished_under_the_right_name_are_not_used(complete, tiny):
    copied(complete, tiny)
    folder = tiny.folders["weights"]
    other, unfinished, damaged = RECIPES[:3]
    weights_path(folder, other).write_bytes(weights_path(folder, RECIPES[3]).read_bytes())
    trainer = finished(unfinished.replace(epochs=1))
    trainer.recipe = unfinished
    save_checkpoint(weights_path(folder, unfinished), trainer.checkpoint())
    weights_path(folder, damaged).write_bytes(b"PK")
    tiny.path.unlink()
    assert set(kinds(tiny())["told"]) == {other, unfinished, damaged}
    before = load_results(complete[0] / "variants.json")
    assert without_seconds(load_results(tiny.path)) == without_seconds(before)


def test_weights_can_be_forgotten(complete, tiny):
    copied(complete, tiny)
    forget_weights(["variants"], weights=tiny.folders["weights"])
    assert not list(tiny.folders["weights"].iterdir())


def test_an_array_in_a_result_gets_a_file_of_its_own(complete, tiny, monkeypatch):
    copied(complete, tiny)
    one = Experiment("?", RECIPES[:1], numbered)
    monkeypatch.setitem(EXPERIMENTS, "arrays", one)
    (done,) = run_experiment("arrays", jobs=1, **tiny.folders)
    (run,) = load_results(tiny.path.with_name("arrays.json"))
    assert run == done[2]
    assert load_array(tiny.path.parent / run["map"]).tolist() == [[0, 1, 2], [3, 4, 5]]


def numbered(checkpoint, splits):
    return {"map": np.arange(6, dtype=np.uint8).reshape(2, 3)}


SWEEP = """
import sys
from runs import small_recipe
from seq2seq_lib import commands
from seq2seq_lib.__main__ import _interrupt, main
from seq2seq_lib.experiments import EXPERIMENTS, Experiment
if __name__ == "__main__":
    import signal
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _interrupt)
    recipes = [small_recipe(seed=seed) for seed in range(5000)]
    EXPERIMENTS["variants"] = Experiment("?", recipes)
    commands.ship_weights = dict  # should it ever get to the end
    sys.exit(main(["results", "variants", "--jobs", "2"]))
"""


def workers_of(child):
    """Whether any process of this one's group is left."""
    try:
        os.killpg(child.pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_says_so_stops_its_workers_and_leaves_a_file_to_go_on_from(
    tmp_path, number
):
    (tmp_path / "book" / "results").mkdir(parents=True)
    (tmp_path / "sweep.py").write_text(SWEEP)
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "sweep.py"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT / "tests")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert child.stdout.readline().startswith("variants: baseline seed ")
        os.killpg(child.pid, number)  # as a terminal does: to all of its processes
        _, errors = child.communicate(timeout=60)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
    assert (child.returncode, errors) == (130, "error: interrupted\n")
    while workers_of(child):
        time.sleep(0.05)
    assert 1 <= len(load_results(tmp_path / "book" / "results" / "variants.json")) < 5000
    assert not list(tmp_path.rglob(".unfinished*"))


def test_the_chosen_weights_are_shipped_and_those_that_are_gone_trained_again(complete, tiny):
    copied(complete, tiny)
    for file in tiny.folders["weights"].glob("peeky-seed*.npz"):
        file.unlink()
    shipped = tiny.path.parent / "shipped"
    chosen = ship_weights(shipped=shipped, **tiny.folders)
    assert chosen == chosen_recipes(tiny.path.parent)
    assert sorted(file.stem for file in shipped.iterdir()) == sorted(VARIANTS)
    for name, recipe in chosen.items():
        original = load_checkpoint(weights_path(complete[0], recipe))
        copy = load_checkpoint(shipped / f"{name}.npz")
        assert copy.recipe == recipe
        assert all((copy.model.params[k] == p).all() for k, p in original.model.params.items())
    before = {file: file.stat().st_mtime_ns for file in shipped.iterdir()}
    assert ship_weights(shipped=shipped, **tiny.folders) == chosen
    assert {file: file.stat().st_mtime_ns for file in shipped.iterdir()} == before
    newer = load_checkpoint(weights_path(tiny.folders["weights"], chosen["baseline"]))
    newer.model.params["decoder.affine.b"] += 1
    save_checkpoint(weights_path(tiny.folders["weights"], chosen["baseline"]), newer)
    ship_weights(shipped=shipped, **tiny.folders)
    bias = load_checkpoint(shipped / "baseline.npz").model.params["decoder.affine.b"]
    assert (bias == newer.model.params["decoder.affine.b"]).all()


def test_of_complete_experiments_the_middle_runs_and_the_one_with_the_fewest_wrong_are_chosen(
    complete, tiny, monkeypatch
):
    copied(complete, tiny)
    runs = load_results(tiny.path)
    chosen = chosen_recipes(tiny.path.parent)
    for variant in VARIANTS:
        assert chosen[variant] == recipe_of(median_run(select(runs, variant=variant)))
    monkeypatch.setitem(EXPERIMENTS, "road", Experiment("?", RECIPES[:4]))
    road = [run | {"wrong": wrong} for run, wrong in zip(runs, (7, 300, 0, 5), strict=False)]
    for some in road[:3], road:
        save_results(tiny.path.with_name("road.json"), {}, some)
        best = {"best": RECIPES[2]} if len(some) == 4 else {}
        assert chosen_recipes(tiny.path.parent) == chosen | best
    save_results(tiny.path, {}, runs[:-1])
    assert chosen_recipes(tiny.path.parent) == best


def test_the_weights_of_different_recipes_have_different_names():
    recipes = {recipe for one in EXPERIMENTS.values() for recipe in one.recipes}
    assert len({weights_path(Path(), recipe) for recipe in recipes}) == len(recipes)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_recipes_of_an_experiment_differ_and_all_have_results(name):
    recipes = EXPERIMENTS[name].recipes
    assert len(set(recipes)) == len(recipes)
    runs = load_results(COMMITTED / f"{name}.json")
    assert [recipe_of(run) for run in runs] == recipes
    about = json.loads((COMMITTED / f"{name}.json").read_text())
    assert about["question"] == EXPERIMENTS[name].question
    for run in runs:
        for value in run.values():
            if isinstance(value, str):
                assert load_array(COMMITTED / value).shape == (1000, 1000)


def test_the_results_have_no_other_files_and_are_small():
    files = [file for file in COMMITTED.rglob("*") if file.is_file()]
    named = {
        COMMITTED / value
        for name in EXPERIMENTS
        for run in load_results(COMMITTED / f"{name}.json")
        for value in run.values()
        if isinstance(value, str)
    }
    assert set(files) == {COMMITTED / f"{name}.json" for name in EXPERIMENTS} | named
    assert sum(file.stat().st_size for file in files) < 10_000_000


def test_the_same_run_has_the_same_test_accuracy_in_every_file():
    found = {}
    for name in EXPERIMENTS:
        for run in load_results(COMMITTED / f"{name}.json"):
            assert found.setdefault(recipe_of(run), run["test_accuracy"]) == run["test_accuracy"]


def test_the_shipped_weights_are_the_chosen_ones_and_small():
    chosen = chosen_recipes(COMMITTED)
    files = {file.stem: file for file in SHIPPED.glob("*.npz")}
    assert {name: load_checkpoint(file).recipe for name, file in files.items()} == chosen
    assert set(files) == set(PRETRAINED)
    assert sum(file.stat().st_size for file in files.values()) < 5_000_000


@pytest.fixture(scope="module", params=PRETRAINED)
def shipped(request):
    """A shipped checkpoint, and its run in each result file that has one: {experiment: run}."""
    checkpoint = load_checkpoint(SHIPPED / f"{request.param}.npz")
    runs = {name: load_results(COMMITTED / f"{name}.json") for name in EXPERIMENTS}
    same = {
        name: run
        for name, found in runs.items()
        for run in found
        if recipe_of(run) == checkpoint.recipe
    }
    return checkpoint, checkpoint.recipe.splits(), same


def test_the_committed_figures_are_those_of_the_shipped_weights(shipped):
    checkpoint, splits, runs = shipped
    assert runs
    layout = checkpoint.recipe.layout
    exact, characters = evaluate(checkpoint.model, layout, splits.test)
    for name, run in runs.items():
        assert run["test_accuracy"] == exact
        measure = EXPERIMENTS[name].measure
        if measure is measures.accuracy:
            assert run["test_character_accuracy"] == characters
        if measure is measures.mistakes:
            assert run.items() >= measures.mistakes(checkpoint, splits).items()
        if measure is measures.paths:
            again = measures.paths(checkpoint, splits)
            for question in ("full", "short"):
                np.testing.assert_allclose(run[question], again[question], rtol=0.01)


def test_the_committed_maps_are_those_of_the_shipped_weights(shipped):
    checkpoint, _, runs = shipped
    (run,) = (run for run in runs.values() if "map" in run)
    sizes = load_array(COMMITTED / run["map"])
    assert int((sizes > 0).sum()) == run["wrong"] == sum([*run["error_sizes"].values()][1:])
    for a in 0, 7, 58, 512, 999:
        layout = checkpoint.recipe.layout
        xs = layout.encode_questions([f"{a}+{b}" for b in range(1000)])
        texts = layout.decode_answers(write_answers(checkpoint.model, layout, xs))
        right = [text == str(a + b) for b, text in enumerate(texts)]
        np.testing.assert_array_equal(sizes[a] == 0, right)


def test_the_middle_seeds_are_those_of_the_chosen_runs():
    chosen = chosen_recipes(COMMITTED)
    assert {name: chosen[name].seed for name in VARIANTS} == MIDDLE
    assert EXPERIMENTS["snapshots"].recipes == [chosen[name] for name in VARIANTS]


def test_the_last_snapshots_are_what_the_shipped_models_answer():
    for run in load_results(COMMITTED / "snapshots.json"):
        solver = load_pretrained(recipe_of(run).variant)
        assert recipe_of(run) == solver.recipe
        assert list(run["answers"]) == list(measures.SNAPSHOT_QUESTIONS)
        last = [answers[-1] for answers in run["answers"].values()]
        assert last == solver(list(run["answers"]))
        assert {len(answers) for answers in run["answers"].values()} == {solver.recipe.epochs + 1}


def test_the_curves_beside_the_snapshots_are_those_of_the_variants():
    variants = {recipe_of(run): run for run in load_results(COMMITTED / "variants.json")}
    for run in load_results(COMMITTED / "snapshots.json"):
        for name in "loss", "validation_accuracy", "test_accuracy", "test_character_accuracy":
            assert run[name] == variants[recipe_of(run)][name]


def test_the_exercises_at_the_sources_rate_and_size_begin_as_the_variants_do():
    variants = {recipe_of(run): run for run in load_results(COMMITTED / "variants.json")}
    runs = load_results(COMMITTED / "exercises.json")
    same = {recipe_of(run).replace(epochs=25) for run in runs} & variants.keys()
    assert same == {Recipe.of("baseline", seed=seed) for seed in range(3)}
    for run in runs:
        if (recipe := recipe_of(run).replace(epochs=25)) in same:
            for name in "loss", "validation_accuracy":
                assert run[name] == variants[recipe][name][: len(run[name])]


ROUNDING = 2e-5  # of a loss after one or two epochs; the tests below measure what it must cover
WRONG = [{"learning_rate": 0.0011}, {"seed": 1}, {"wordvec_size": 17}, {"batch_size": 127}]


def committed(variant):
    """The recipe of a variant with seed 0 and its run in the committed file."""
    wanted = Recipe.of(variant, seed=0)
    runs = load_results(COMMITTED / "variants.json")
    return wanted, next(run for run in runs if recipe_of(run) == wanted)


@pytest.fixture(scope="module")
def retrained(tmp_path_factory):
    """Two epochs of two committed recipes, one of each wrong recipe -> {recipe: result}"""
    recipes = [Recipe.of(variant, epochs=2) for variant in ("baseline", "reverse+peeky")]
    recipes += [Recipe(epochs=1, **changes) for changes in WRONG]
    events = run_recipes(recipes, weights=tmp_path_factory.mktemp("weights"), jobs=2)
    return {recipe: result for kind, recipe, result in events if kind == "done"}


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["baseline", "reverse+peeky"])
def test_two_epochs_trained_again_have_the_committed_figures(retrained, variant):
    recipe, run = committed(variant)
    again = retrained[recipe.replace(epochs=2)]
    assert again["loss"] == pytest.approx(run["loss"][:2], abs=ROUNDING)
    accuracies = run["validation_accuracy"][:2]
    assert again["validation_accuracy"] == pytest.approx(accuracies, abs=0.001)


@pytest.mark.slow
@pytest.mark.parametrize("changes", WRONG)
def test_a_wrong_recipe_misses_the_committed_figures_in_one_epoch_by_far(retrained, changes):
    recipe, run = committed("baseline")
    wrong = retrained[recipe.replace(epochs=1, **changes)]
    assert abs(wrong["loss"][0] - run["loss"][0]) > 20 * ROUNDING


OTHER_ROUNDING = """
import numpy as np
from seq2seq_lib import Recipe, Trainer
trainer, rng = Trainer(Recipe(epochs=1)), np.random.default_rng(0)
for p in trainer.model.params.values():
    p *= np.float32(1) + rng.choice([-1, 1], p.shape).astype(np.float32) * np.float32(2**-23)
print([epoch["loss"] for epoch in trainer.run()][0])
"""


@pytest.mark.slow
def test_another_rounding_stays_well_within_the_tolerance():
    """Weights off by one in the last of their 24 bits: more than another processor's sums."""
    _, run = committed("baseline")
    line = [sys.executable, "-c", OTHER_ROUNDING]
    done = subprocess.run(line, capture_output=True, text=True, env=environment(), check=True)
    assert 0 < abs(float(done.stdout) - run["loss"][0]) < ROUNDING / 10
