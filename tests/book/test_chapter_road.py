"""The road to the best model: what the chapter says holds in the results."""

import re

import numpy as np
import pytest
from chapters import defined, prose, results

from seq2seq_lib import VARIANTS, Recipe, load_pretrained
from seq2seq_lib.__main__ import _parser
from seq2seq_lib.checkpoint import load_checkpoint
from seq2seq_lib.data import Examples, Splits
from seq2seq_lib.evaluation import write_answers
from seq2seq_lib.experiments import NEAR, UNITS
from seq2seq_lib.results import recipe_of, select
from seq2seq_lib.solver import pretrained_file
from seq2seq_lib.training import Trainer


def test_the_road_is_as_the_chapter_says():
    constant, road = results("every-sum"), results("road")
    falling = {"schedule": "cosine", "learning_rate": 0.005, "batch_size": 128}
    wrong = {name: select(road, variant=name, **falling)[0]["wrong"] for name in VARIANTS}
    before = {name: [r["wrong"] for r in select(constant, variant=name)] for name in VARIANTS}
    for name in "baseline", "reverse", "reverse+peeky":
        assert wrong[name] < min(before[name])
    assert min(before["peeky"]) < wrong["peeky"] < max(before["peeky"])
    best = min(road, key=lambda run: run["wrong"])
    assert best["recipe"] == load_pretrained("best").recipe.to_dict()
    near = [min(min(n % 100, -n % 100) for n in pair) <= 10 for *pair, _ in best["wrong_sums"]]
    assert np.mean(near) > 0.9
    assert [2, 2, 3] in best["wrong_sums"]
    assert "4" not in Recipe().splits().train.answers
    five = [
        [run["wrong"] for run in road if recipe_of(run).replace(seed=0) == recipe]
        for recipe in (
            Recipe.of("reverse+peeky", **NEAR, pass_cell=True),
            Recipe.of("reverse+peeky", **UNITS),
        )
    ]
    assert [len(runs) for runs in five] == [5, 5]
    assert max(five[0]) < 300 and min(five[0]) == best["wrong"] < max(five[0]) / 3.5
    assert max(map(max, five)) > 200 and min(map(min, five)) < 50


def test_the_schedule_that_the_chapter_builds_is_the_librarys():
    rate = defined("road")["cosine_rate"]
    for updates, highest in (35_175, 0.005), (200, 0.004), (33, 0.01):
        recipe = Recipe(schedule="cosine", learning_rate=highest)
        for update in range(0, updates, max(1, updates // 500)):
            assert rate(update, updates, highest) == pytest.approx(
                recipe.rate(update, updates), rel=1e-12
            )
    assert rate(0, 200, 1) == 1 / 11 and rate(10, 200, 1) == 1
    assert rate(105, 200, 0.004) == pytest.approx(0.002) and rate(200, 200, 1) < 1e-12
    assert 0.88 < rate(0.25 * 35_175, 35_175, 1) < 0.91


def test_a_run_has_as_many_updates_as_the_chapter_says():
    splits = Splits(*(Examples(["1+1"] * n, ["2"] * n) for n in (45_000, 1, 1)))
    for size, updates in (128, 8_800), (32, 35_175):
        assert Trainer(Recipe(batch_size=size), splits).updates == updates
    assert load_pretrained("best").recipe.batch_size == 32


def test_the_training_of_the_best_model_is_as_the_chapter_says():
    with pretrained_file("best") as path:
        history = [epoch["accuracy"] for epoch in load_checkpoint(path).history]
    assert history[11] - history[12] > 0.03  # epoch 13
    assert {round(5000 * (1 - share)) for share in history[14:]} == {1}
    fall = defined("road")["largest_fall"]
    assert fall([0.5] * 12 + [0.75, 0.5, 1] + [0.9] * 6) == pytest.approx(25)
    assert fall(history) == 0
    constant = select(results("variants"), variant="reverse+peeky")
    assert min(fall(run["validation_accuracy"]) for run in constant) > 1.5


def recipes_of_the_road():
    runs = {}
    for run in results("road"):
        runs.setdefault(recipe_of(run).replace(seed=0), []).append(run["wrong"])
    return runs


def test_the_single_runs_lie_as_the_chapter_says():
    runs, units = recipes_of_the_road(), Recipe.of("reverse+peeky", **UNITS)
    first = runs[units]
    second = runs[units.replace(units_first=False, pass_cell=True)]
    assert (min(first), max(first)) == (44, 243) and (min(second), max(second)) == (37, 142)
    assert np.mean(second).round() == 93
    changes = [
        *({"units_first": False}, {"pass_cell": True}, {"padding": "end"}, {"batch_size": 64}),
        *({"max_norm": 0.5}, {"pass_through": True}, {"mask_loss": True, "end_mark": True}),
    ]
    inside = [runs[units.replace(**change)] for change in changes]
    assert all(len(wrong) == 1 and 44 <= wrong[0] <= 243 for wrong in inside)
    beyond = {"learning_rate": 0.01}, {"wordvec_size": 64}, {"reverse": False}
    outside = [runs[units.replace(**change)] for change in beyond]
    assert all(len(wrong) == 1 and 243 < wrong[0] < 330 for wrong in outside)
    assert runs[units.replace(max_norm=0.5)] == [116]
    assert len(results("road")) == 29


def test_what_the_test_tells_of_the_million_is_as_the_chapter_says():
    test = Recipe().splits().test
    (run,) = [run for run in results("road") if run["test_accuracy"] == 0.999]
    assert run["wrong"] == 409
    missed = {f"{a}+{b}" for a, b, _ in run["wrong_sums"]} & set(test.questions)
    assert len(missed) == 5 and sum(len(question) == 3 for question in missed) == 4
    perfect = [run["wrong"] for run in results("road") if run["test_accuracy"] == 1]
    assert min(perfect) == 44 and max(perfect) == 326
    short = np.mean([len(question) == 3 for question in test.questions])
    assert short > 10 * 100 / 1e6
    constant = select(results("every-sum"), variant="reverse+peeky")
    order = sorted(constant, key=lambda run: run["wrong"])
    kind = [run["wrong"] / 1e6 > 1 - run["test_accuracy"] for run in order]
    assert kind == [False, False, True, True, True]


def test_sums_of_one_digit_are_as_the_exercise_says():
    def wrong(run):
        return sum(all_ - right for a, b, _, right, all_ in run["new_by_kind"] if a == b == 1)

    for changes, expected in ({}, [0] * 5), ({"units_first": False, "pass_cell": True}, [5, 5]):
        recipe = Recipe.of("reverse+peeky", **UNITS | changes)
        runs = [run for run in results("road") if recipe_of(run).replace(seed=0) == recipe]
        assert [wrong(run) for run in runs] == (expected + [0] * 5)[:5]
        fours = [sum(a + b == 4 for a, b, _ in run["wrong_sums"]) for run in runs]
        assert fours == (expected + [0] * 5)[:5]  # all sums that make 4, and two runs miss them
        assert all(
            sum(row[4] for row in run["new_by_kind"] if row[:2] == [1, 1]) == 22 for run in runs
        )


def test_the_best_model_fails_where_the_chapter_says():
    best = load_pretrained("best")
    assert best(["2+2", "57+5", "999+999", "16+75", "75+16"]) == ["3", "62", "1998", "91", "91"]
    with pytest.raises(ValueError, match="two numbers from 0 to 999"):
        best("1000+1")
    rows = best.layout.encode_questions(["1000+1", "1234+5"])
    written = best.layout.decode_answers(write_answers(best.model, best.layout, rows))
    assert written[0] != "1001" and written[1] != "1239"


def test_the_commands_that_the_chapter_names_exist():
    lines = re.findall(r"^python -m seq2seq_lib (.+)$", prose("road"), flags=re.MULTILINE)
    assert len(lines) == 2
    options = [vars(_parser().parse_args(line.split())) for line in lines]
    wanted = {"schedule": "cosine", "learning_rate": 0.005, "variant": "reverse+peeky", "seed": 0}
    assert wanted.items() <= options[0].items()
    assert options[1]["model"] == "reverse+peeky-seed0.npz"  # what the first one writes
