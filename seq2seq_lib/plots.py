"""The figures of the chapters: each is one call, and says in words what it shows.

A function takes results (``load_results``) or other plain data, never models, and returns a
``Picture``. It shows itself in a notebook and on a page, in the page's light or dark colours;
``.sentence`` says what a reader sees in it.
"""

import math

import numpy as np

from seq2seq_lib.encoding import ADDITION_CHARACTERS
from seq2seq_lib.palette import LINES, colour
from seq2seq_lib.pictures import SETTINGS, WIDTH, Path, PathPatch, Picture, grid, matplotlib
from seq2seq_lib.recipe import VARIANTS
from seq2seq_lib.reports import (
    by_variant,
    counted,
    percent,
    recipe_sentence,
    runs_of,
    validation_curves,
)

# Every text of this module that a reader sees or hears.
WORDS = {
    "epoch": "epoch",
    "exact": "exact match, %",
    "loss": "loss for each character",
    "validation": "exact match on validation, %",
    "guessing": "guessing: {loss:.2f}",
    "no epoch": "no epoch is finished yet.",
    "batch caption": (
        "{count} questions and their answers as the model reads them, one row each. A low "
        "bracket is a blank that pads the row; the underscore is the delimiter."
    ),
    "batch": "A grid of characters with {count} rows. {rows}",
    "row": "Row {row}: question {question}; answer {answer}.",
    "blank": "blank",
    "question": "question",
    "answer": "answer",
    "curve caption": (
        "One run, after {done} of {epochs} epochs: the loss on the training questions above, the "
        "exact match on the validation questions below."
    ),
    "curve": (
        "Two curves over {done} epochs: the loss goes from {loss_first:.2f} to {loss_last:.2f}, "
        "the exact match from {first} to {last}."
    ),
    "variant caption": (
        "{variant}: exact match on {questions:,} validation questions after each epoch. Thick "
        "line: mean of {runs} runs with different seeds; band: their range; thin lines: the runs. "
        "{recipe}."
    ),
    "variant": (
        "{variant}, mean of {runs} runs: {points}. After the last epoch the runs lie between "
        "{least} and {most}."
    ),
    "point": "{value} after epoch {epoch}",
    "variants caption": (
        "Mean (line) and range (band) of the exact match on {questions:,} "
        "validation questions; {runs}. {recipe}."
    ),
    "variants": "Curves over {epochs} epochs, best last: {ends}.",
    "end": "{variant} ends at {mean} on average, its runs between {least} and {most}",
    "bars": "{label}: {parts}.",
    "sureness": "probability given to the answer, %",
    "right": "answers that are right, %",
    "equal": "as many right as it says",
    "reliability caption": (
        "Answers to {count:,} questions, in {groups} groups by the probability that the model "
        "gives to its whole answer. Across: the mean probability of a group; upwards: how many of "
        "its answers are right. Groups of fewer than {least} answers are left out. On the dashed "
        "line the two are equal."
    ),
    "reliability": "Right answers by the probability given to them. {lines}.",
    "reliable": "{variant}: {points}",
    "reliable point": "{right} where it gives {sure}",
}


@matplotlib.rc_context(SETTINGS)
def batch(questions, answers):
    """Rows of padded characters: questions and answers, two lists of texts of one width each."""
    sides = (questions, "question", 0), (answers, "answer", len(questions[0]) + 1)
    columns, cell = len(questions[0]) + 1 + len(answers[0]), 29
    rows = " ".join(
        WORDS["row"].format(row=row, question=_spelt(question), answer=_spelt(answer))
        for row, (question, answer) in enumerate(zip(questions, answers, strict=True), start=1)
    )
    picture = Picture(
        cell * len(questions) + 30,
        WORDS["batch"].format(count=len(questions), rows=rows),
        WORDS["batch caption"].format(count=len(questions)),
    )
    axes = picture.panel(2, 2, cell * columns, picture.height - 4)
    axes.set(xlim=(0, columns), ylim=(len(questions), -26 / cell), xticks=[], yticks=[])
    for texts, role, left in sides:
        axes.text(left + 0.1, -0.35, WORDS[role], color=colour(role), weight="bold")
        _draw_cells(axes, texts, left, role)
    return picture


@matplotlib.rc_context(SETTINGS)
def learning_curve(history, epochs=None):
    """One run as ``Trainer.history`` has it: the loss above, the exact match below."""
    losses = [epoch["loss"] for epoch in history]
    shares = [100 * epoch["accuracy"] for epoch in history]
    epochs = epochs or len(history)
    sentence = WORDS["no epoch"]
    if history:
        sentence = WORDS["curve"].format(
            done=len(history),
            loss_first=losses[0],
            loss_last=losses[-1],
            first=percent(history[0]["accuracy"]),
            last=percent(history[-1]["accuracy"]),
        )
    caption = WORDS["curve caption"].format(done=len(history), epochs=epochs)
    picture = Picture(330, sentence, caption)
    above, below = picture.panel(34, 192, 354, 112), picture.panel(34, 42, 354, 112)
    guessing = math.log(len(ADDITION_CHARACTERS))
    above.axhline(guessing, color=colour("muted"), linewidth=1, linestyle=(0, (2, 2)))
    above.annotate(
        WORDS["guessing"].format(loss=guessing),
        (epochs, guessing),
        (0, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        color=colour("muted"),
    )
    _draw_epochs(above, losses, epochs, max([*losses, 2.8]), WORDS["loss"], "ink")
    top = _round_up(max([*shares, 1]))
    _draw_epochs(below, shares, epochs, top, WORDS["validation"], "correct")
    above.tick_params(labelbottom=False)
    above.set_xlabel("")
    return picture


@matplotlib.rc_context(SETTINGS)
def variant(results, name, top=100):
    """One variant over its seeds: every run, their mean and range.

    ``top`` is where the scale ends, in %; None fits it to the runs.
    """
    runs = runs_of(results, name)
    curves = validation_curves(runs)
    mean = curves.mean(axis=0)
    epochs = len(mean)
    shown = sorted({1, (epochs + 1) // 2, epochs})
    points = ", ".join(
        WORDS["point"].format(value=percent(mean[e - 1] / 100), epoch=e) for e in shown
    )
    picture = Picture(
        270,
        WORDS["variant"].format(
            variant=name,
            runs=len(runs),
            points=points,
            least=percent(curves[:, -1].min() / 100),
            most=percent(curves[:, -1].max() / 100),
        ),
        WORDS["variant caption"].format(
            variant=name,
            runs=len(runs),
            recipe=recipe_sentence(runs),
            questions=_validation_size(runs),
        ),
    )
    axes = picture.panel(34, 42, 354, 200)
    for curve in curves:
        axes.plot(_epochs(curve), curve, color=colour(name), linewidth=0.8, alpha=0.7)
    _draw_variant(axes, curves, name)
    _finish_epochs(axes, epochs, top or _round_up(curves.max()), WORDS["exact"])
    return picture


@matplotlib.rc_context(SETTINGS)
def variants(results):
    """All variants in one plot, each named at the end of its line."""
    groups = by_variant(results)
    names = list(groups)
    curves = {name: validation_curves(runs) for name, runs in groups.items()}
    ends = {name: lines[:, -1] for name, lines in curves.items()}
    epochs = max(lines.shape[1] for lines in curves.values())
    spoken = "; ".join(
        WORDS["end"].format(
            variant=name,
            mean=percent(ends[name].mean() / 100),
            least=percent(ends[name].min() / 100),
            most=percent(ends[name].max() / 100),
        )
        for name in sorted(names, key=lambda name: ends[name].mean())
    )
    picture = Picture(
        330,
        WORDS["variants"].format(epochs=epochs, ends=spoken),
        WORDS["variants caption"].format(
            runs=counted(groups),
            recipe=recipe_sentence(groups[names[0]]),
            questions=_validation_size(groups[names[0]]),
        ),
    )
    across = 238
    axes = picture.panel(34, 42, across, 260)
    for name in names:
        _draw_variant(axes, curves[name], name)
    means = {name: (epochs, float(ends[name].mean())) for name in names}
    name_ends(axes, means, unit=(epochs - 1) / across)
    _finish_epochs(axes, epochs, 100, WORDS["exact"])
    return picture


@matplotlib.rc_context(SETTINGS)
def bars(shares, label, role="question"):
    """Shares of a whole, ``{name: share}``, as one bar each, in the order given."""
    parts = ", ".join(f"{name} {percent(share)}" for name, share in shares.items())
    sentence = WORDS["bars"].format(label=label, parts=parts)
    longest, step = max(len(str(name)) for name in shares), 28
    picture = Picture(step * len(shares) + 4, sentence, f"{label}.")
    left = 14 + 7.5 * longest
    axes = picture.panel(left, 2, WIDTH - left - 62, picture.height - 4)
    axes.set(xlim=(0, max(shares.values()) or 1), ylim=(len(shares) - 0.5, -0.5), xticks=[])
    axes.barh(range(len(shares)), list(shares.values()), height=0.62, color=colour(role))
    axes.set_yticks(range(len(shares)), [str(name) for name in shares])
    axes.tick_params(labelcolor=colour("ink"))
    for row, share in enumerate(shares.values()):
        axes.annotate(
            percent(share),
            (share, row),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=colour("ink"),
        )
    return picture


@matplotlib.rc_context(SETTINGS)
def reliability(judged, groups=10, least=50):
    """How often answers are right, by how sure their model was of them: a reliability diagram.

    judged : {variant: (probability of each whole answer, whether it is right)}; (N,), (N,)
    groups : how many equally wide ranges of probability
    least  : groups of fewer answers are left out, for their shares are mostly luck

    Raises ValueError for a variant of which no group is left.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2.
    """
    lines = {}
    for name, (sure, right) in judged.items():
        group = np.minimum((groups * np.asarray(sure)).astype(int), groups - 1)
        kept = [group == k for k in range(groups) if np.sum(group == k) >= least]
        if not kept:
            raise ValueError(f"{name}: expected {least} answers in a group, got {len(sure)} in all")
        lines[name] = np.array([[np.mean(sure[g]), np.mean(right[g])] for g in kept])
    spoken = "; ".join(
        WORDS["reliable"].format(
            variant=name,
            points=", ".join(
                WORDS["reliable point"].format(sure=percent(sure), right=percent(right))
                for sure, right in points
            ),
        )
        for name, points in lines.items()
    )
    count = max(len(right) for _, right in judged.values())
    caption = WORDS["reliability caption"].format(count=count, groups=groups, least=least)
    picture = Picture(330, WORDS["reliability"].format(lines=spoken), caption)
    axes = picture.panel(34, 42, 354, 260)
    equal = {"color": colour("muted"), "linewidth": 1, "linestyle": (0, (2, 2))}
    axes.plot([0, 100], [0, 100], label=WORDS["equal"], **equal)
    for name, points in lines.items():
        dashes, mark = LINES[name]
        line = {"color": colour(name), "linewidth": 2, "linestyle": dashes}
        axes.plot(*(100 * points.T), marker=mark, label=name, clip_on=False, **line)
    axes.legend(loc="upper left", frameon=False, labelcolor="linecolor", handlelength=4)
    axes.set(xlim=(0, 100), ylim=(0, 100))
    axes.set_xlabel(WORDS["sureness"], color=colour("muted"))
    axes.set_title(WORDS["right"], loc="left", fontsize="medium", color=colour("ink"))
    grid(axes)
    return picture


def name_ends(axes, ends, unit, gap=7):
    """Write names beside the ends of their lines, ``{name: (x, y)}``, without overlap.

    unit : how much of the x axis is one unit of the picture
    gap  : how far apart names are, in what the y axis counts; it goes from 0 to 100
    """
    right = max(x for x, _ in ends.values())
    places = spread([y for _, y in ends.values()], gap, 2, 99)
    for (name, (x, y)), place in zip(ends.items(), places, strict=True):
        leader = [x, right + 14 * unit], [y, place]
        axes.plot(*leader, color=colour(name), linewidth=1, clip_on=False)
        axes.text(right + 18 * unit, place, name, color=colour(name), va="center", weight="bold")


def spread(places, gap, least, most):
    """Where labels go: as near to ``places`` as they can be, ``gap`` apart, within the bounds."""
    order = sorted(range(len(places)), key=places.__getitem__)
    blocks = []
    for rank, k in enumerate(order):
        blocks.append([places[k] - rank * gap])
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    most = most - (len(places) - 1) * gap
    near = [min(max(np.mean(block), least), most) for block in blocks for _ in block]
    moved = dict(zip(order, near, strict=True))
    return [float(moved[k] + order.index(k) * gap) for k in range(len(places))]


def _draw_cells(axes, texts, left, role):
    """One path for all frames, one for all blanks: a hundred small ones would be a large page."""
    frames, blanks = [], []
    for row, text in enumerate(texts):
        for column, character in enumerate(text, start=left):
            x, y = column + 0.05, row + 0.05
            frames.append([(x, y), (x + 0.9, y), (x + 0.9, y + 0.9), (x, y + 0.9), (x, y)])
            if character == " ":
                x, y = x + 0.22, y + 0.55
                blanks.append([(x, y), (x, y + 0.13), (x + 0.46, y + 0.13), (x + 0.46, y)])
                continue
            axes.text(
                column + 0.5,
                row + 0.53,
                character,
                ha="center",
                va="center",
                color=colour(role),
                family="DejaVu Sans Mono",
                size=16,
            )
    quiet = {"facecolor": "none", "linewidth": 1.2}
    axes.add_patch(PathPatch(_joined(frames), edgecolor=colour("edge"), **quiet))
    if blanks:
        axes.add_patch(PathPatch(_joined(blanks), edgecolor=colour("muted"), **quiet))


def _joined(lines):
    return Path.make_compound_path(*map(Path, lines))


def _draw_epochs(axes, values, epochs, top, label, role):
    axes.plot(_epochs(values), values, color=colour(role), linewidth=2, marker="o", clip_on=False)
    _finish_epochs(axes, epochs, top, label)


def _draw_variant(axes, curves, name):
    dashes, mark = LINES[name]
    low, mean, high = curves.min(axis=0), curves.mean(axis=0), curves.max(axis=0)
    axes.fill_between(_epochs(mean), low, high, color=colour(name), alpha=0.18, linewidth=0)
    axes.plot(
        _epochs(mean),
        mean,
        color=colour(name),
        linewidth=2,
        linestyle=dashes,
        marker=mark,
        markersize=5,
        markevery=(list(VARIANTS).index(name), 4),
        label=name,
        clip_on=False,
    )


def _finish_epochs(axes, epochs, top, label):
    step = 1 if epochs <= 10 else 5
    axes.set(
        xlim=(1, max(epochs, 2)),
        ylim=(0, top),
        xticks=[1, *range(step if step > 1 else 2, epochs + 1, step)],
    )
    axes.locator_params(axis="y", nbins=5)
    axes.set_xlabel(WORDS["epoch"], color=colour("muted"))
    axes.set_title(label, loc="left", fontsize="medium", color=colour("ink"))
    grid(axes)


def _validation_size(runs):
    return runs[0]["recipe"]["validation_size"]


def _round_up(percent):
    return 10 * math.ceil(percent / 10)


def _epochs(curve):
    return range(1, len(curve) + 1)


def _spelt(row):
    """A padded row in words: its text, and how many blanks stand before and behind it"""
    text = row.strip(" ")
    before, behind = row.index(text), len(row) - row.index(text) - len(text)
    blanks = [
        f"{count} {WORDS['blank']}" + "s" * (count > 1) for count in (before, behind) if count
    ]
    parts = [blanks[0]] if before else []
    parts.append(text)
    return ", ".join([*parts, *blanks[bool(before) :]])
