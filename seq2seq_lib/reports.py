"""What figures and tables of results have in common: runs by variant, and how they are named."""

import numpy as np

from seq2seq_lib.recipe import VARIANTS
from seq2seq_lib.results import recipe_of, select

# Every text of this module that a reader sees or hears.
WORDS = {
    "recipe": {
        "train_size": "{:,} training questions",
        "epochs": "{} epochs",
        "wordvec_size": "character vectors of {} numbers",
        "hidden_size": "hidden states of {}",
        "batch_size": "batches of {}",
        "max_norm": "gradients clipped to {:g}",
        "learning_rate": "Adam with rate {:g}",
    },
    "switches": {  # named where they are not as in the source
        "schedule": {"cosine": "a rate that falls along a cosine"},
        "padding": {"front": "blanks in front"},
        "pass_cell": {True: "h and c handed over"},
        "units_first": {True: "answers units first"},
        "end_mark": {True: "an end mark"},
        "mask_loss": {True: "a loss mask"},
        "pass_through": {True: "pass-through at blanks"},
    },
    "runs": "{runs} runs of {name}",
    "runs each": "{runs} runs of each",
    "run each": "One run of each",
    "no results": "results: expected at least one run of {name}, got none",
    "no choice": "expected one of {known}, got {given!r}",
    "two recipes": "results: expected runs that differ in their seed alone, for {name}",
}


def check_choice(given, known):
    """Raise ValueError if what is given is none of the known."""
    if given not in known:
        raise ValueError(WORDS["no choice"].format(known=", ".join(known), given=given))


def check_group(runs, name):
    """Raise ValueError if there is no run, or if the recipes differ in more than their seed."""
    if not runs:
        raise ValueError(WORDS["no results"].format(name=name))
    if len({recipe_of(run).replace(seed=0) for run in runs}) > 1:
        raise ValueError(WORDS["two recipes"].format(name=name))


def runs_of(results, name):
    """The runs of one variant. Raises ValueError if there is none, or if the recipes differ."""
    runs = select(results, variant=name)
    check_group(runs, name)
    return runs


def by_variant(results):
    """{variant: its runs}, of the variants that have some. Raises ValueError if none has."""
    groups = {name: runs_of(results, name) for name in VARIANTS if select(results, variant=name)}
    if not groups:
        raise ValueError(WORDS["no results"].format(name=", ".join(VARIANTS)))
    return groups


def validation_curves(runs):
    """Runs -> (runs, epochs): exact match on the validation questions, in %"""
    return 100 * np.array([run["validation_accuracy"] for run in runs])


def recipe_sentence(runs):
    """The recipe in words: whatever in it is the same for all these runs"""
    recipes = [recipe_of(run) for run in runs]

    def shared(name):
        values = {getattr(recipe, name) for recipe in recipes}
        return values.pop() if len(values) == 1 else None

    parts = [
        words.format(shared(name))
        for name, words in WORDS["recipe"].items()
        if shared(name) is not None
    ]
    switches = (words.get(shared(name)) for name, words in WORDS["switches"].items())
    return ", ".join([*parts, *filter(None, switches)])


def counted(groups):
    """How many runs each group has, in words"""
    counts = {name: len(runs) for name, runs in groups.items()}
    if len(set(counts.values())) == 1:
        runs = next(iter(counts.values()))
        return WORDS["runs each" if runs > 1 else "run each"].format(runs=runs)
    return ", ".join(WORDS["runs"].format(runs=n, name=name) for name, n in counts.items())


def percent(share):
    """0.6254 -> 62.5%"""
    return f"{100 * share:.1f}%"
