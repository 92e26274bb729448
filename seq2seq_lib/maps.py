"""The figures that show a whole table of numbers as shades. The rules are those of ``plots``."""

import numpy as np

from seq2seq_lib.analysis import ERROR_SIZES
from seq2seq_lib.measures import PATH_QUESTIONS
from seq2seq_lib.palette import colour
from seq2seq_lib.pictures import SETTINGS, WIDTH, Path, PathPatch, Picture, matplotlib
from seq2seq_lib.reports import (
    check_choice,
    check_group,
    counted,
    percent,
    recipe_sentence,
    runs_of,
)
from seq2seq_lib.results import recipe_of, select

# Every text of this module that a reader sees or hears.
WORDS = {
    "stage": {0: "untrained", 1: "1 epoch"},
    "later": "{epochs} epochs",
    "rows": {
        "full": ("hundreds", "tens", "units", "+", "hundreds", "tens", "units"),
        "short": ("5", "7", "+", "5", "blank", "blank", "blank"),
    },
    "columns": {"full": ("th", "h", "t", "u"), "short": ("6", "2", "blanks", "")},
    "spoken": {
        "full": (
            *("the first hundreds", "the first tens", "the first units", "the plus sign"),
            *("the second hundreds", "the second tens", "the second units"),
        ),
        "short": (
            *("the first tens", "the first units", "the plus sign", "the second units"),
            *("the first blank", "the second blank", "the last blank"),
        ),
    },
    "size": "sum: 10ⁿ",
    "down": "{variant}, reads from the top down",
    "up": "{variant}, reads from the bottom up",
    "paths": (
        "Maps of where gradients arrive, in % of all that an output sends back, averaged over the "
        "outputs. {maps}."
    ),
    "map": (
        "{variant}, {stage}: {first} at the character read first, {last} at the one read last, "
        "most ({most}) at {place}"
    ),
    "paths caption": (
        "Where the gradient of each output arrives. A column is a character of the answer"
        "{columns}, a row one of the question. A number is the place's share, in %, of all that "
        "its column sends back: columns add up to 100, the largest number is bold, and an even "
        "spread would be {even:.0f}. Below is n: the column's sum is about 10ⁿ. It depends "
        "on how sure the model is of its answers, so it does not tell how far gradients reach. "
        "Means over {questions}{range}. {runs} at each stage. {recipe}."
    ),
    "range": ", and over seeds, between which a share differs by up to {points:.0f} points",
    "questions": {
        "full": "{n:,} sums like 628+521",
        "short": "all sums like 57+5, two digits and one, below 100",
    },
    "thousands": " (thousands to units)",
    "panel": "{label}: {wrong} wrong",
    "sums": "Maps of all million sums, one for each model. {panels}.",
    "sums panel": "{label}: {wrong} are wrong, and of these {share} are {size}",
    "sums perfect": "{label}: none is wrong",
    "off": ("off by 1 to 9", "off by 10 to 99", "off by 100 or more", "no number"),
    "scale": ("off by 1–9", "10–99", "100 or more", "no number"),
    "sums caption": (
        "Every sum a+b from 0+0, in the lower left corner, to 999+999: a to the right, b upwards. "
        "Empty: right. The stronger the colour, the further off the answer; a point is the mean "
        "of 2 times 2 sums. {few}One run for each map{recipe}."
    ),
    "few": "In a map with at most {n} wrong sums each of them is a dot. ",
    "runs recipe": ", seeds {seeds}: {recipe}",
}
DARKEST = 0.43  # with more, numbers could not be read on it
NO_NUMBER = ERROR_SIZES.index("no number")
STRENGTHS = np.array([0, 0.38, 0.7, 1, 0])  # of the colour, for each of ERROR_SIZES
FEW = 200  # wrong sums that are drawn one by one, as they would be lost among a million


@matplotlib.rc_context(SETTINGS)
def gradient_map(results, question="full", variants=("baseline", "reverse")):
    """How far gradients reach, from runs of "gradient-paths": a map for each variant and stage.

    ``question`` is "full", 628+521 and the like, or "short", 57+5 and the like.
    """
    check_choice(question, WORDS["rows"])
    stages = sorted({recipe_of(run).epochs for run in results})
    if not stages:
        check_group([], ", ".join(variants))
    groups = {
        (name, stage): runs_of(select(results, epochs=stage), name)
        for name in variants
        for stage in stages
    }
    shares = {key: _shares(runs, question) for key, runs in groups.items()}
    everything = [run for runs in groups.values() for run in runs]
    apart = max(np.ptp(own, axis=0).max() for own in shares.values())
    left, gap, cell, tall = 84, 14, 20, 246
    width = (WIDTH - left - gap * (len(stages) - 1) - 2) / len(stages)
    picture = Picture(
        tall * len(variants),
        WORDS["paths"].format(maps="; ".join(_spoken(shares, groups, question))),
        WORDS["paths caption"].format(
            columns=WORDS["thousands"] if question == "full" else "",
            questions=WORDS["questions"][question].format(n=PATH_QUESTIONS),
            even=100 / len(WORDS["rows"][question]),
            range=WORDS["range"].format(points=100 * apart) if apart else "",
            runs=counted({name: groups[name, stages[0]] for name in variants}),
            recipe=recipe_sentence(everything),
        ),
    )
    for row, name in enumerate(variants):
        up = recipe_of(groups[name, stages[0]][0]).reverse
        bottom = picture.height - tall * (row + 1) + 26
        for place, stage in enumerate(stages):
            own = shares[name, stage].mean(axis=0)
            x = left + place * (width + gap)
            axes = picture.panel(x, bottom, width, cell * len(own))
            _draw_map(axes, own)
            sizes = [run[question] for run in groups[name, stage]]
            _label_map(axes, question, _stage(stage), _powers(sizes), first=place == 0)
        heading = WORDS["up" if up else "down"].format(variant=name)
        y = 1 - (tall * row + 12) / picture.height
        picture.text(2 / WIDTH, y, heading, color=colour(name), weight="bold", va="center")
        arrow = picture.panel(2, bottom, 12, cell * len(own))
        arrow.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        arrow.annotate(
            "",
            *((0.5, up), (0.5, 1 - up)),
            arrowprops={"arrowstyle": "->", "color": colour(name), "linewidth": 1.5},
        )
    return picture


@matplotlib.rc_context(SETTINGS)
def sums(maps, results=()):
    """Which of the million sums a model gets wrong, and how wrong: ``{label: map}``.

    A map (1000, 1000) has for a+b, in row a and column b, a place in ``ERROR_SIZES``, as runs of
    "every-sum" have it. With the runs, the caption states their recipe.
    """
    rows, side, tall = -(-len(maps) // 2), 178, 218
    recipe = ""
    if results:
        seeds = ", ".join(str(recipe_of(run).seed) for run in results)
        recipe = WORDS["runs recipe"].format(seeds=seeds, recipe=recipe_sentence(results))
    few = any(np.count_nonzero(sizes) <= FEW for sizes in maps.values())
    picture = Picture(
        tall * rows + 34,
        WORDS["sums"].format(panels="; ".join(map(_spoken_sums, maps, maps.values()))),
        WORDS["sums caption"].format(few=WORDS["few"].format(n=FEW) if few else "", recipe=recipe),
    )
    for place, (label, sizes) in enumerate(maps.items()):
        bottom = picture.height - tall * (place // 2 + 1) + 18
        axes = picture.panel(30 + 190 * (place % 2), bottom, side, side)
        _finish_sums(axes, WORDS["panel"].format(label=label, wrong=_wrong(sizes)), place % 2 == 0)
        if np.count_nonzero(sizes) <= FEW:
            a, b = np.nonzero(sizes)
            dots = {
                "color": colour("wrong"),
                "marker": "o",
                "markersize": 4,
                "linestyle": "none",
                "clip_on": False,
            }
            axes.plot(a, b, **dots)
            continue
        upright = sizes.T[::-1]  # b upwards, a to the right
        picture.stencil(axes, _pooled(STRENGTHS[upright]), "wrong")
        if (sizes == NO_NUMBER).any():
            picture.stencil(axes, _pooled(upright == NO_NUMBER), "positive")
    _draw_scale(picture, any((sizes == NO_NUMBER).any() for sizes in maps.values()))
    return picture


def _shares(runs, question):
    """(runs, T, S): of all that an output sends back, the share that arrives at each place"""
    lengths = np.array([run[question] for run in runs])
    totals = lengths.sum(axis=1, keepdims=True)
    return np.divide(lengths, totals, out=np.zeros_like(lengths), where=totals > 0)


def _powers(lengths):
    """What arrives of each output, over all places: the nearest power of ten, as text"""
    totals = np.sum(lengths, axis=1)  # (runs, S)
    if not totals.all():
        return ["−∞"] * totals.shape[1]
    powers = np.log10(totals).mean(axis=0).round().astype(int)
    return [str(power).replace("-", "−") for power in powers.tolist()]


def _draw_map(axes, shares):
    """A cell for each share, as dark as it is large, with its number; a column's largest is bold"""
    places, columns = shares.shape
    axes.set(xlim=(0, columns), ylim=(places, 0), xticks=[], yticks=[])
    largest, shades = shares.argmax(axis=0), {}
    for (row, column), share in np.ndenumerate(shares):
        x, y = column + 0.02, row + 0.03
        box = Path([(x, y), (x + 0.96, y), (x + 0.96, y + 0.94), (x, y + 0.94), (x, y)])
        shades.setdefault(round(min(share, DARKEST), 2), []).append(box)
        axes.text(
            *(column + 0.5, row + 0.52, f"{100 * share:.0f}"),
            ha="center",
            va="center",
            color=colour("ink"),
            weight="bold" if row == largest[column] else "normal",
        )
    for alpha, boxes in shades.items():  # a path for each shade: a hundred would be a large page
        shape = Path.make_compound_path(*boxes)
        axes.add_patch(PathPatch(shape, facecolor=colour("question"), alpha=alpha, linewidth=0))


def _label_map(axes, question, stage, sizes, first):
    """What stands around a map: its stage, its columns, the sums of these, at the left its rows"""
    places = len(WORDS["rows"][question])
    quiet = {"va": "center", "color": colour("muted")}
    axes.text(0, -1.8, stage, va="center", color=colour("ink"))
    for column, label in enumerate(WORDS["columns"][question]):
        wide = label == WORDS["columns"]["short"][2]  # one word over two columns
        axes.text(column + 0.5 + 0.5 * wide, -0.65, label, ha="center", **quiet)
        axes.text(*(column + 0.5, places + 0.7, sizes[column]), ha="center", **quiet)
    if first:
        for row, label in enumerate((*WORDS["rows"][question], "", WORDS["size"])):
            axes.text(
                -0.35, row + 0.52 if row < places else places + 0.7, label, ha="right", **quiet
            )


def _stage(epochs):
    return WORDS["stage"].get(epochs, WORDS["later"].format(epochs=epochs))


def _spoken(shares, groups, question):
    """What one sees in each map, in words"""
    for (name, stage), own in shares.items():
        mean = own.mean(axis=(0, 2))
        ends = mean[[0, -1]][:: -1 if recipe_of(groups[name, stage][0]).reverse else 1]
        yield WORDS["map"].format(
            variant=name,
            stage=_stage(stage),
            first=percent(ends[0]),
            last=percent(ends[1]),
            most=percent(mean.max()),
            place=WORDS["spoken"][question][mean.argmax()],
        )


def _spoken_sums(label, sizes):
    counts = np.bincount(sizes.ravel(), minlength=len(ERROR_SIZES))
    wrong = counts[1:].sum()
    if not wrong:
        return WORDS["sums perfect"].format(label=label)
    worst = 1 + int(counts[1:].argmax())
    return WORDS["sums panel"].format(
        label=label,
        wrong=_wrong(sizes),
        share=percent(counts[worst] / wrong),
        size=WORDS["off"][worst - 1],
    )


def _pooled(strengths):
    """Strengths from 0 to 1 -> levels from 0 to 15, means of 2 times 2"""
    height, width = strengths.shape
    means = strengths.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return np.round(15 * means).astype(np.uint8)


def _wrong(sizes):
    """How many are wrong: a share, or a number where the share would say too little"""
    wrong = np.count_nonzero(sizes)
    return percent(wrong / sizes.size) if 1000 * wrong >= sizes.size else f"{wrong:,}"


def _finish_sums(axes, title, left):
    """The frame of one map; its edges are named in its corners, that of b at the left map alone"""
    axes.set(xlim=(-0.5, 999.5), ylim=(-0.5, 999.5), xticks=[0, 500, 999], yticks=[0, 500, 999])
    axes.set_xticklabels(["0", "a", "999"])
    axes.set_yticklabels(["0", "b", "999"] if left else ["", "", ""])
    for label, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_ha(side)
    for label, side in zip(axes.get_yticklabels(), ("bottom", "center", "top"), strict=True):
        label.set_va(side)
    axes.tick_params(pad=4)
    axes.spines[:].set(visible=True, color=colour("edge"), linewidth=0.8)
    axes.set_title(title, loc="left", fontsize=12, color=colour("ink"))


def _draw_scale(picture, no_number):
    """What the colours mean, in one line at the bottom"""
    axes = picture.panel(0, 0, WIDTH, 24)
    axes.set(xlim=(0, WIDTH), ylim=(0, 24), xticks=[], yticks=[])
    strong = {size: ("wrong", STRENGTHS[size]) for size in range(1, NO_NUMBER)}
    swatches = strong | ({NO_NUMBER: ("positive", 1)} if no_number else {})
    x = 2
    for size, (role, alpha) in swatches.items():
        words = WORDS["scale"][size - 1]
        axes.fill_between([x, x + 14], 5, 19, color=colour(role), alpha=alpha, linewidth=0)
        axes.text(x + 19, 12, words, va="center", color=colour("ink"))
        x += 34 + 7 * len(words)
