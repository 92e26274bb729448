"""The tables have the numbers they were given, and say them in words."""

import re

import pytest
from drawings import curves, made_up_results

from seq2seq_lib import VARIANTS, Recipe

pytest.importorskip("matplotlib")

from seq2seq_lib import tables
from seq2seq_lib.pictures import Table


@pytest.fixture
def results(rng):
    return made_up_results(rng)


def test_the_table_has_mean_and_range_of_each_variant(results):
    rows = {row[0]: row[1:] for row in tables.table(results).rows}
    assert list(rows) == list(VARIANTS)
    best = curves(results, "reverse").max(axis=1)
    assert rows["reverse"][0] == f"{best.mean():.1f}\n({best.min():.1f}–{best.max():.1f})"
    assert rows["reverse"][2] == "61.0\n(60.0–62.0)"
    assert rows["baseline"][3:5] == ["never", "never"]
    assert len(rows["peeky"]) + 1 == len(tables.table(results).head)


def test_the_first_epoch_at_half_is_counted_from_one():
    run = {
        "recipe": Recipe(epochs=4).to_dict(),
        "validation_accuracy": [0.1, 0.49, 0.5, 0.95],
        "test_accuracy": 0.9,
        "parameters": 1,
    }
    row = tables.summary([run])["baseline"]
    assert (row["epochs to 50 %"][0], row["epochs to 90 %"][0]) == (3, 4)


def test_a_table_of_answers_marks_right_and_wrong_in_words(results):
    table = tables.answers(["57+5", "1+1"], ["62", "2"], {"baseline": ["62", "3"]})
    page = table._repr_html_()
    assert page.count('aria-label="right"') == page.count('aria-label="wrong"') == 1
    assert table.sentence == "baseline: 1 of 2 answers are right"


def test_the_caption_of_a_table_states_runs_and_recipe(results):
    caption = tables.table(results).caption
    assert "3 runs of each" in caption and "45,000 training questions" in caption


def test_a_table_without_results_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="expected at least one run"):
        tables.table([])


def test_texts_are_escaped():
    table = Table(["<a>"], [["<b>", "<c>"]], 'a "quoted" sentence', "<d>")
    page = table._repr_html_().split("</style>")[1]
    assert not re.search(r"<[abcd]>", page)
    assert "&quot;quoted&quot;" in page
