"""Result files are read with suspicion, written whole, and summed up."""

import numpy as np
import pytest

from seq2seq_lib.recipe import Recipe
from seq2seq_lib.results import (
    load_array,
    load_results,
    median_run,
    recipe_of,
    save_array,
    save_results,
    select,
)


@pytest.fixture
def runs():
    recipes = [Recipe.of(name, seed=seed) for name in ("reverse", "peeky") for seed in range(2)]
    return [{"recipe": recipe.to_dict(), "test_accuracy": 0.25} for recipe in recipes]


def test_what_was_saved_is_loaded_again(tmp_path, runs):
    path = tmp_path / "some.json"
    save_results(path, {"experiment": "some"}, runs)
    assert load_results(path) == runs


def test_a_file_has_one_line_a_field_so_that_a_change_of_one_is_one_line(tmp_path, runs):
    texts = []
    for share in (0.25, 0.5):
        runs[1]["test_accuracy"] = share
        save_results(tmp_path / "some.json", {"experiment": "some"}, runs)
        texts.append((tmp_path / "some.json").read_text().splitlines())
    changed = [pair for pair in zip(*texts, strict=True) if pair[0] != pair[1]]
    assert changed == [('   "test_accuracy": 0.25', '   "test_accuracy": 0.5')]


def test_a_missing_file_has_no_runs_if_it_may_be_missing(tmp_path):
    assert load_results(tmp_path / "none.json", missing_ok=True) == []
    with pytest.raises(ValueError, match=r"none\.json: expected a readable file"):
        load_results(tmp_path / "none.json")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"runs": 3}',
        b'{"runs": {"a": 1}}',
        b'{"runs": [3]}',
        b'{"runs": [{}]}',
        b'{"runs": [{"recipe": {}}]}',
        b'{"runs": [{"recipe": {}, "test_accuracy": "high"}]}',
        b'{"runs": [{"recipe": {"colour": 1}, "test_accuracy": 0.5}]}',
        b'{"runs": [{"recipe": {"seed": "0"}, "test_accuracy": 0.5}]}',
        b'{"runs": ' + b"[" * 100_000,
        b"\xff\xfe",
        b'{"runs": [{"recipe": {}, "loss": [',
    ],
)
def test_a_damaged_result_file_is_refused(tmp_path, content):
    path = tmp_path / "variants.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"variants.json: expected a result file: ") as refused:
        load_results(path)
    assert len(str(refused.value)) < len(str(path)) + 200


def test_an_array_that_was_saved_is_loaded_again_and_has_the_same_bytes_each_time(tmp_path):
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    files = [tmp_path / "new folder" / name for name in ("one.npz", "two.npz")]
    for file in files:
        save_array(file, array)
    assert files[0].read_bytes() == files[1].read_bytes()
    np.testing.assert_array_equal(load_array(files[0]), array, strict=True)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"not an array"])
def test_a_damaged_array_is_refused(tmp_path, content):
    path = tmp_path / "map.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"map\.npz: expected an array in a file"):
        load_array(path)


def test_runs_are_selected_by_what_their_recipes_say(runs):
    assert select(runs, variant="reverse") == runs[:2]
    assert select(runs, peeky=True, seed=1) == runs[3:]
    assert select(runs, seed=7) == []
    assert recipe_of(runs[2]) == Recipe.of("peeky", seed=0)


def test_the_median_run_has_as_many_above_as_below(rng):
    runs = [{"test_accuracy": share} for share in (0.2, 0.9, 0.1, 0.5, 0.7)]
    for _ in range(10):
        assert median_run([runs[k] for k in rng.permutation(5)])["test_accuracy"] == 0.5
    assert median_run(runs[:1]) is runs[0]
    with pytest.raises(ValueError, match="runs: expected at least one, got none"):
        median_run([])
