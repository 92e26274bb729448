"""Runs of several recipes side by side. The rules are those of ``plots``."""

import math
import textwrap

import numpy as np

from seq2seq_lib.palette import LINES, colour
from seq2seq_lib.pictures import SETTINGS, WIDTH, Picture, grid, matplotlib
from seq2seq_lib.reports import check_choice, check_group, counted, recipe_sentence
from seq2seq_lib.results import recipe_of

# Every text of this module that a reader sees or hears.
WORDS = {
    "test_accuracy": "exact match on the test questions, %",
    "wrong": "wrong sums of a million",
    "mean": "mean",
    "few": "{label} (n\u00a0=\u00a0{n})",
    "counts shown": "How many runs it has, n, stands beside each name",
    "headed": "{heading}, {label}",
    "group": "{label}: mean {mean}, runs from {least} to {most}",
    "once": "once",
    "group of one": "{label}: tried once, {value}",
    "tried once": "What was tried once has no mean. ",
    "compare": "Strips of dots, {measure}. {groups}.",
    "compare caption": (
        "Each dot is one run, the tick and the number their mean, the line their range. {runs}. "
        "{once}{scale}In all runs: {recipe}."
    ),
    "log": "Each step of the scale is ten times the one before; below 1 it is even. ",
}
MEASURES = {"test_accuracy": 100, "wrong": 1}  # and how much of its unit on the axis it is
LOGARITHMIC = ("wrong",)
NEAR = 6.5  # units between dots that would hide each other


@matplotlib.rc_context(SETTINGS)
def compare(groups, measure="test_accuracy"):
    """Runs side by side, a strip of dots for each group: ``{label: runs}``, from the top.

    ``{heading: {label: runs}}`` puts headings between them. ``measure`` is "test_accuracy" or
    "wrong", how many of the million sums are wrong. A group of one run is a recipe tried once:
    it has a dot, and no mean. Raises ValueError for a group without runs,
    and for one whose runs differ in more than their seed.
    """
    check_choice(measure, MEASURES)
    if not all(isinstance(group, dict) for group in groups.values()):
        groups = {"": groups}
    flat = {
        WORDS["headed"].format(heading=heading, label=label) if heading else label: runs
        for heading, labelled in groups.items()
        for label, runs in labelled.items()
    }
    for label, runs in flat.items():
        check_group(runs, label)
    values = {label: _measured(runs, measure) for label, runs in flat.items()}
    spoken = [_spoken(label, own, measure) for label, own in values.items()]
    log = measure in LOGARITHMIC
    many = len({len(runs) for runs in flat.values()}) > 1
    caption = WORDS["compare caption"].format(
        runs=WORDS["counts shown"] if many else counted(flat),
        once=WORDS["tried once"] if any(len(runs) == 1 for runs in flat.values()) else "",
        scale=WORDS["log"] if log else "",
        recipe=recipe_sentence([run for runs in flat.values() for run in runs]),
    )
    rows, height = _strips(groups, many)
    left = 14 + 7.4 * max(len(line) for text, runs, _ in rows if runs for line in text.split("\n"))
    across = WIDTH - 64 - left
    picture = Picture(
        height + 62,
        WORDS["compare"].format(measure=WORDS[measure], groups="; ".join(spoken)),
        caption,
    )
    axes = picture.panel(left, 30, across, height)
    axes.set(ylim=(height, 0), yticks=[])
    _scale(axes, np.concatenate(list(values.values())), log)
    grid(axes, "x")

    def write(x, y, text, **style):
        place = {"transform": axes.get_yaxis_transform(), "va": "center"}
        axes.text((x - left) / across, y, text, **place | style)

    write(2, -18, WORDS[measure], color=colour("ink"))
    write(WIDTH - 2, -18, WORDS["mean"], color=colour("ink"), ha="right")
    for text, runs, y in rows:
        if runs is None:
            write(2, y, text, color=colour("ink"), weight="bold")
            continue
        own = _measured(runs, measure)
        write(2, y, text, color=colour("ink"), linespacing=1.15)
        mean = _number(own.mean(), measure) if len(own) > 1 else WORDS["once"]
        write(WIDTH - 2, y, mean, color=colour("ink" if len(own) > 1 else "muted"), ha="right")
        _draw_strip(axes, runs, own, y)
    return picture


def _strips(groups, many):
    """Where the strips go: [(text, runs or None for a heading, units from the top)], and height"""
    rows, y = [], 0
    for heading, labelled in groups.items():
        if heading:
            rows.append((heading, None, y + 14))
            y += 26
        for label, runs in labelled.items():
            text = WORDS["few"].format(label=label, n=len(runs)) if many else label
            lines = textwrap.wrap(text, 17)
            height = max(32, 15 * len(lines) + 12)
            rows.append(("\n".join(lines), runs, y + height / 2))
            y += height
    return rows, y


def _scale(axes, values, log):
    """The x axis: all of 0 to 100 %, or whole powers of ten, with room for 0 where it occurs"""
    if not log:
        axes.set(xlim=(0, 100), xticks=range(0, 101, 25))
        return
    least, most = (max(values.min(), 0), max(values.max(), 10))
    powers = range(math.floor(math.log10(max(least, 1))), math.ceil(math.log10(most)) + 1)
    ticks = [10**power for power in powers]
    shown = {0, *ticks[:: -(len(ticks) // 5 + 1)]}  # the largest, and not all others
    if least < 1:
        axes.set_xscale("symlog", linthresh=1, linscale=0.7)
        ticks.insert(0, 0)
    else:
        axes.set_xscale("log")
    axes.set_xlim(ticks[0], ticks[-1])
    axes.set_xticks(ticks, [f"{tick:,}" if tick in shown else "" for tick in ticks])
    axes.set_xticks([], minor=True)


def _measured(runs, measure):
    return MEASURES[measure] * np.array([run[measure] for run in runs], float)


def _number(value, measure):
    if measure in LOGARITHMIC:
        return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
    return f"{value:.1f}"


def _spoken(label, values, measure):
    if len(values) == 1:
        return WORDS["group of one"].format(label=label, value=_number(values[0], measure))
    mean, least, most = (_number(f(values), measure) for f in (np.mean, np.min, np.max))
    return WORDS["group"].format(label=label, mean=mean, least=least, most=most)


def _draw_strip(axes, runs, values, y):
    """One group: its range, its mean, and its runs, none hidden by another; of one run, its dot"""
    names = {recipe_of(run).variant for run in runs}
    name = names.pop() if len(names) == 1 else None
    role, mark = (name, LINES[name][1]) if name else ("question", "o")
    values = np.sort(values)
    if len(values) > 1:
        mean = [values.mean()] * 2
        axes.plot(values[[0, -1]], [y, y], color=colour("edge"), linewidth=1.2, clip_on=False)
        axes.plot(mean, [y - 12, y + 12], color=colour("ink"), linewidth=2.2, clip_on=False)
    units = axes.transData.transform([(value, y) for value in values])[:, 0]
    axes.plot(
        values,
        y + _offsets(units * 72 / axes.figure.dpi),
        color=colour(role),
        marker=mark,
        markersize=6,
        linestyle="none",
        markeredgewidth=0,
        alpha=0.85,
        clip_on=False,
    )


def _offsets(places):
    """How far above or below their line sorted dots go, so that none hides another, in units"""
    last, offsets = {}, []
    for place in places:
        steps = (0, -NEAR, NEAR, -2 * NEAR, 2 * NEAR)
        step = next((s for s in steps if place - last.get(s, -math.inf) >= NEAR), 0)
        last[step] = place
        offsets.append(step)
    return np.array(offsets)
