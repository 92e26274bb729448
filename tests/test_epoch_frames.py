"""The epochs of training: curves and answers are those of the runs."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from reading import having, parsed, sentence, text

from seq2seq_lib import frames, load_pretrained
from seq2seq_lib.results import recipe_of


def made_up(epochs=3, **changes):
    return {
        "untrained_accuracy": 0.0,
        "validation_accuracy": [0.25, 0.5, 1.0][:epochs],
        "answers": {"2+5": ["", "7", "<b>", "7"][: epochs + 1], "57+5": ["62", "6", "62", "7"]},
        "known": {"2+5": "trained", "57+5": "new"},
        **changes,
    }


def two_made_up():
    other = {"2+5": ["8", "9", "7", "7"], "57+5": ["62", "62", "6", "62"]}
    return {"baseline": made_up(), "reverse+peeky": made_up(answers=other)}


def of_the_book():
    path = Path(__file__).parents[1] / "book" / "results" / "snapshots.json"
    return {recipe_of(run).variant: run for run in json.loads(path.read_text("utf-8"))["runs"]}


every_run = pytest.mark.parametrize("runs", [two_made_up, of_the_book], ids=["made up", "book"])


@every_run
def test_answers_after_each_epoch_are_those_of_the_runs_and_are_judged(runs):
    runs = runs()
    for epoch, frame in enumerate(frames.epochs(runs)):
        element = parsed(frame.html())
        head, *rows = having(element, "answers")[0].iter("tr")
        assert [text(th) for th in head] == ["question", *runs]
        told = {text(row[0]).split(" ")[0]: row for row in rows}
        assert list(told) == list(next(iter(runs.values()))["answers"])
        right = dict.fromkeys(runs, 0)
        for question, (th, *cells) in told.items():
            total = str(sum(map(int, question.split("+"))))
            for (name, run), cell in zip(runs.items(), cells, strict=True):
                answer = run["answers"][question][epoch]
                right[name] += answer == total
                judged = ("ok", "right") if answer == total else ("bad", "wrong")
                assert (cell.get("class"), text(cell[0]).strip()) == judged
                assert cell.text == (answer or "(empty)")
                assert text(th[0]) == run["known"][question]
        counts = ", ".join(f"{name} {number}" for name, number in right.items())
        assert sentence(element).endswith(f"{len(told)} questions below: {counts}.")


@every_run
def test_accuracies_after_each_epoch_are_those_of_the_runs_in_words_and_curves(runs):
    runs = runs()
    drawn = frames.epochs(runs)
    accuracies = [[run["untrained_accuracy"], *run["validation_accuracy"]] for run in runs.values()]
    assert len(drawn) == len(accuracies[0])
    for epoch, frame in enumerate(drawn):
        element = parsed(frame.html())
        told = [float(n) for n in re.findall(r"([\d.]+)\u00a0%", sentence(element))]
        np.testing.assert_allclose(told, [100 * each[epoch] for each in accuracies], atol=0.0501)
        past = [path.get("d")[1:].split("L") for path in having(element, "past")]
        assert len(past) == (len(runs) if epoch else 0)
        for points, each in zip(past, accuracies, strict=False):
            heights = [1 - (float(point.split()[1]) - 12) / 130 for point in points]
            np.testing.assert_allclose(heights, each[: epoch + 1], atol=0.001)
        last = len(drawn) - 1
        at = f"After epoch {epoch} of {last}" if epoch else "Before training"
        assert frame.label == at
        assert element.find(".//svg[@role='img']").get("aria-label").endswith(f"at epoch {epoch}.")


def test_the_last_answers_are_those_of_the_models_that_are_shipped():
    last = parsed(frames.epochs(of_the_book())[-1].html())
    _, *rows = having(last, "answers")[0].iter("tr")
    for th, *cells in rows:
        question = text(th).split(" ")[0]
        for name, cell in zip(of_the_book(), cells, strict=True):
            assert (cell.text or "") == (load_pretrained(name)(question) or "(empty)")


@pytest.mark.parametrize(
    "runs",
    [
        {},
        {"baseline": made_up(), "reverse": made_up(epochs=2)},
        {"baseline": made_up(epochs=0)},
    ],
    ids=["none", "of other lengths", "untrained"],
)
def test_runs_that_cannot_be_drawn_side_by_side_are_refused(runs):
    with pytest.raises(ValueError, match="runs: expected one or more, of equally many epochs"):
        frames.epochs(runs)
