"""The tables of the chapters: each is one call, and says in words what it shows.

The rules are those of ``plots``.
"""

import math

import numpy as np

from seq2seq_lib.pictures import Table
from seq2seq_lib.reports import by_variant, counted, percent, recipe_sentence, validation_curves

# Every text of this module that a reader sees or hears.
WORDS = {
    "question": "question",
    "table caption": (
        "Mean over seeds, and in brackets the range. Accuracy is exact match; best and last are "
        "on the validation questions, test is on questions that no choice was made with. Epochs to "
        "50 % or 90 %: the first epoch with at least that accuracy. Runs that never reach it are "
        "left out of this mean, so a variant with only some of its runs counted looks faster than "
        "it is. "
        "{runs}. {recipe}."
    ),
    "table head": (
        "variant",
        "best, %",
        "last, %",
        "test, %",
        "epochs to\n50 %",
        "epochs to\n90 %",
    ),
    "never": "never",
    "some": "{span}\n{some} of {all} runs",
    "answers caption": "What the models write. A tick or a cross says whether it is right.",
    "answers": "{name}: {right} of {all} answers are right",
    "right": "right answer",
}


def summary(results):
    """For each variant: its number of runs, and an array over them for each thing measured"""
    rows = {}
    for name, runs in by_variant(results).items():
        curves = validation_curves(runs)
        rows[name] = {
            "runs": len(runs),
            "best": curves.max(axis=1),
            "last": curves[:, -1],
            "test": np.array([100 * run["test_accuracy"] for run in runs]),
            "epochs to 50 %": np.array([_epochs_to(curve, 50) for curve in curves]),
            "epochs to 90 %": np.array([_epochs_to(curve, 90) for curve in curves]),
            "parameters": runs[0]["parameters"],
        }
    return rows


def table(results):
    """Mean and range over seeds of what ``summary`` measures, a row for each variant."""
    measured = summary(results)
    rows = [
        [
            name,
            *(_span(row[key], 1) for key in ("best", "last", "test")),
            *(_epoch_span(row[key]) for key in ("epochs to 50 %", "epochs to 90 %")),
        ]
        for name, row in measured.items()
    ]
    groups = by_variant(results)
    recipe = recipe_sentence(next(iter(groups.values())))
    caption = WORDS["table caption"].format(runs=counted(groups), recipe=recipe)
    tested = "; ".join(
        f"{name} {percent(row['test'].mean() / 100)}" for name, row in measured.items()
    )
    return Table(WORDS["table head"], rows, f"{WORDS['table head'][3]}: {tested}", caption)


def answers(questions, wanted, written):
    """What models wrote, ``{name: answers}``, beside the question and the right answer."""
    rows = [
        [question, right, *((given[place], given[place] == right) for given in written.values())]
        for place, (question, right) in enumerate(zip(questions, wanted, strict=True))
    ]
    sentence = "; ".join(
        WORDS["answers"].format(
            name=name,
            right=sum(map(str.__eq__, given, wanted)),
            all=len(wanted),
        )
        for name, given in written.items()
    )
    head = [WORDS["question"], WORDS["right"], *written]
    return Table(head, rows, sentence, WORDS["answers caption"])


def _epochs_to(curve, least):
    reached = np.flatnonzero(curve >= least)
    return float(reached[0] + 1) if len(reached) else math.nan


def _span(values, digits):
    """Mean and range, on two lines: 48.9 (41.8–51.7); one value stands alone"""
    mean, least, most = (f"{f(values):.{digits}f}" for f in (np.mean, np.min, np.max))
    return mean if least == most else f"{mean}\n({least}–{most})"


def _epoch_span(values):
    reached = values[~np.isnan(values)]
    if not len(reached):
        return WORDS["never"]
    mean, least, most = reached.mean(), int(reached.min()), int(reached.max())
    span = f"{mean:.1f}\n({least}–{most})" if least != most else f"{least}"
    if len(reached) == len(values):
        return span
    return WORDS["some"].format(span=span, some=len(reached), all=len(values))
