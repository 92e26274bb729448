"""How models go wrong, one function a figure. The rules are those of ``plots``."""

import math

import numpy as np

from seq2seq_lib.palette import LINES, colour
from seq2seq_lib.pictures import SETTINGS, WIDTH, Picture, grid, matplotlib
from seq2seq_lib.plots import name_ends
from seq2seq_lib.reports import by_variant, check_choice, counted, percent, recipe_sentence
from seq2seq_lib.results import recipe_of

# Every text of this module that a reader sees or hears.
WORDS = {
    "accuracy": "right, %",
    "carries": "carries in a sum of two numbers of three digits",
    "digits": "digits of the two numbers, the shorter one first",
    "point": "{value} for {key}",
    "line": "{name}: {points}",
    "accuracy by": "Share of new sums that are right, by {kind}. {lines}.",
    "accuracy by caption": (
        "Exact match by {kind}, of sums that are new: neither they nor their mirror images were "
        "trained. Mark: mean over seeds; upright line: range. {runs}. Sums: {sums}. {recipe}."
    ),
    "sums": "{n:,} for {key}",
    "characters": "characters that are right, %, by place in the answer",
    "fed": "full: fed what it wrote; hollow: fed the right one",
    "position": (
        "Share of characters that are right, by their place in the answer; first with the model's "
        "own characters fed, then with the right ones. {lines}."
    ),
    "position caption": (
        "Characters of {test:,} test answers, by place. Full mark: the model is fed what it wrote "
        "itself; hollow mark: it is fed the right character. Mean over seeds; upright line: range. "
        "A blank that ends a short answer counts. Whole answers are right equally often both "
        "ways: until its first mistake a model is fed the same. {runs}. {recipe}."
    ),
    "both": "{free} and {forced} at {key}",
    "errors": "Most frequent differences between what is written and the sum. {lines}.",
    "share": "{key}: {value}",
    "errors caption": (
        "What is written minus the sum, as a share of all wrong sums of the million: the most "
        "frequent ones. Bar: mean over seeds; thin line: range. A difference that is not among "
        "the twenty most frequent of a run counts as none there. {runs}. {recipe}."
    ),
}
SHOWN_ERRORS = 5


@matplotlib.rc_context(SETTINGS)
def accuracy_by(results, kind):
    """What share is right, by "carries", "digits" or "position", a line for each variant.

    The first two need runs of "every-sum" and look at new sums; the last needs runs of "mistakes"
    and looks at the characters of the test's answers.
    """
    check_choice(kind, (*KINDS, "position"))
    groups = by_variant(results)
    if kind == "position":
        return _by_position(groups)
    tallies = {name: [_tally(run, KINDS[kind]) for run in runs] for name, runs in groups.items()}
    sums = next(iter(tallies.values()))[0]
    keys = sorted(sums)
    shares = {
        name: 100 * np.array([[own[key][0] / own[key][1] for key in keys] for own in of_runs])
        for name, of_runs in tallies.items()
    }
    picture = Picture(
        296,
        WORDS["accuracy by"].format(kind=WORDS[kind], lines=_lines(shares, keys)),
        WORDS["accuracy by caption"].format(
            kind=WORDS[kind],
            runs=counted(groups),
            sums="; ".join(WORDS["sums"].format(n=sums[key][1], key=key) for key in keys),
            recipe=recipe_sentence(next(iter(groups.values()))),
        ),
    )
    across = 250
    axes = picture.panel(30, 50, across, 216)
    ends = {}
    for place, (name, own) in enumerate(shares.items()):
        x = np.arange(len(keys)) + 0.08 * (place - (len(shares) - 1) / 2)
        _draw_means(axes, x, own, name)
        ends[name] = x[-1], own[:, -1].mean()
    axes.set(xlim=(-0.25, len(keys) - 0.75))
    name_ends(axes, ends, unit=(len(keys) - 0.5) / across, gap=8)
    _finish_shares(axes, keys, WORDS["accuracy"])
    axes.set_xlabel(WORDS[kind], color=colour("muted"))
    return picture


@matplotlib.rc_context(SETTINGS)
def errors(results):
    """How far off wrong answers are most often: written minus sum, of runs of "every-sum"."""
    groups = by_variant(results)
    shares = {name: _frequent(runs) for name, runs in groups.items()}
    lines = "; ".join(
        WORDS["line"].format(
            name=name,
            points=", ".join(
                WORDS["share"].format(key=key, value=percent(own.mean())) for key, own in of.items()
            ),
        )
        for name, of in shares.items()
    )
    recipe = recipe_sentence(next(iter(groups.values())))
    step, below = 22, 26
    tall = step * SHOWN_ERRORS
    rows = math.ceil(len(groups) / 2)
    picture = Picture(
        rows * (tall + below) + 4,
        WORDS["errors"].format(lines=lines),
        WORDS["errors caption"].format(runs=counted(groups), recipe=recipe),
    )
    most = max((own.max() for of in shares.values() for own in of.values()), default=0) or 1
    for place, (name, of) in enumerate(shares.items()):
        top = picture.height - (place // 2) * (tall + below) - below
        axes = picture.panel(44 + 202 * (place % 2), top - tall, 100, tall)
        axes.set(xlim=(0, most), ylim=(SHOWN_ERRORS - 0.5, -0.5), xticks=[])
        axes.set_yticks(range(len(of)), list(of))
        axes.tick_params(labelcolor=colour("ink"))
        axes.annotate(
            *(name, (0, 1), (-40, 4)),
            xycoords="axes fraction",
            textcoords="offset points",
            color=colour(name),
            weight="bold",
        )
        for row, own in enumerate(of.values()):
            axes.barh(row, own.mean(), height=0.6, color=colour(name), alpha=0.6)
            if own.min() < own.max():
                axes.hlines(row, own.min(), own.max(), color=colour("ink"), linewidth=1.2)
            axes.annotate(
                percent(own.mean()),
                (own.max(), row),
                (5, 0),
                textcoords="offset points",
                va="center",
                color=colour("ink"),
            )
    return picture


def _three_digits(a, b, carries):
    return carries if a == b == 3 else None


def _two_lengths(a, b, carries):
    return f"{min(a, b)}+{max(a, b)}"


KINDS = {"carries": _three_digits, "digits": _two_lengths}


def _tally(run, kind):
    """{kind: [how many are right, how many there are]} of a run's new sums"""
    tally = {}
    for a, b, carries, right, sums in run["new_by_kind"]:
        key = kind(a, b, carries)
        if key is not None:
            before = tally.get(key, (0, 0))
            tally[key] = before[0] + right, before[1] + sums
    return tally


def _lines(shares, keys):
    return "; ".join(
        WORDS["line"].format(
            name=name,
            points=", ".join(
                WORDS["point"].format(value=percent(mean / 100), key=key)
                for key, mean in zip(keys, own.mean(axis=0), strict=True)
            ),
        )
        for name, own in shares.items()
    )


def _draw_means(axes, x, shares, name, hollow=False):
    """Means of shares (runs, places) with their ranges, in a variant's dashes and marks"""
    dashes, mark = LINES[name]
    low, mean, high = shares.min(axis=0), shares.mean(axis=0), shares.max(axis=0)
    axes.vlines(x, low, high, color=colour(name), linewidth=1.6, clip_on=False)
    axes.plot(
        x,
        mean,
        color=colour(name),
        linewidth=1,
        linestyle="none" if hollow else dashes,
        marker=mark,
        markersize=6,
        markerfacecolor=colour("paper") if hollow else colour(name),
        label=name,
        clip_on=False,
    )


def _finish_shares(axes, keys, label, **style):
    axes.set(ylim=(0, 100), yticks=range(0, 101, 25))
    axes.set_xticks(range(len(keys)), [str(key) for key in keys])
    axes.set_title(label, **{"loc": "left", "fontsize": "medium", "color": colour("ink")} | style)
    grid(axes)


def _by_position(groups):
    places = range(len(next(iter(groups.values()))[0]["free"]["by_position"]))
    shares = {
        name: {
            fed: 100 * np.array([run[fed]["by_position"] for run in runs])
            for fed in ("free", "forced")
        }
        for name, runs in groups.items()
    }
    lines = "; ".join(
        WORDS["line"].format(
            name=name,
            points=", ".join(
                WORDS["both"].format(
                    free=percent(own["free"][:, k].mean() / 100),
                    forced=percent(own["forced"][:, k].mean() / 100),
                    key=k + 1,
                )
                for k in places
            ),
        )
        for name, own in shares.items()
    )
    runs = next(iter(groups.values()))
    caption = WORDS["position caption"].format(
        test=recipe_of(runs[0]).test_size, runs=counted(groups), recipe=recipe_sentence(runs)
    )
    rows = math.ceil(len(groups) / 2)
    tall = 158
    picture = Picture(tall * rows + 44, WORDS["position"].format(lines=lines), caption)
    for place, (name, own) in enumerate(shares.items()):
        bottom = picture.height - 40 - tall * (place // 2 + 1) + 24
        axes = picture.panel(34 + 200 * (place % 2), bottom, 162, tall - 56)
        _draw_means(axes, np.array(places) - 0.12, own["free"], name)
        _draw_means(axes, np.array(places) + 0.12, own["forced"], name, hollow=True)
        axes.set(xlim=(-0.4, len(places) - 0.6))
        style = {"color": colour(name), "weight": "bold", "pad": 9}
        _finish_shares(axes, [k + 1 for k in places], name, **style)
    for y, words, role in (4, "characters", "ink"), (21, "fed", "muted"):
        at = 2 / WIDTH, 1 - y / picture.height
        picture.text(*at, WORDS[words], va="top", color=colour(role))
    return picture


def _frequent(runs):
    """{difference as text: its share of each run's wrong sums}, the most frequent on average"""
    own = [{key: n / run["wrong"] for key, n in run["frequent_errors"]} for run in runs]
    found = {key for of_run in own for key in of_run}
    shares = {key: np.array([of_run.get(key, 0) for of_run in own]) for key in found}
    order = sorted(shares, key=lambda key: (-shares[key].mean(), abs(key), key))
    return {f"{key:+}".replace("-", "−"): shares[key] for key in order[:SHOWN_ERRORS]}
