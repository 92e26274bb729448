"""What can be stepped through: each function describes one stepper, for a notebook or a page.

A ``Stepper`` knows how to make the frames of any question; ``pages`` and ``widgets`` show them.
"""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from seq2seq_lib import frames
from seq2seq_lib.encoding import shown
from seq2seq_lib.recipe import ADDITIONS
from seq2seq_lib.results import recipe_of
from seq2seq_lib.solver import PRETRAINED, load_pretrained, right_answer

SUMS = "57+5", "999+1", "77+85", "628+521"

# Every text of this module that a reader sees or hears.
WORDS = {
    "generation": "Watch a model add",
    "comparison": "Two models, one sum",
    "forcing": "Training and generating",
    "cell": "One step of an LSTM: the encoder of {model}",
    "training": "What the models answer, epoch by epoch",
    "model": "Model",
    "models": "Models",
    "pair": "{one} and {other}",
    "character": "Character",
}


@dataclass(frozen=True)
class Stepper:
    """Frames by question and choice, and which of them a page has ready.

    name     : in links to its steps; no two on a page have the same
    title    : what stands above it
    frames   : (question, choice) -> [Frame]; ValueError for what is no question or no choice
    choices  : what is chosen besides the question; empty if there is nothing to choose
    choice   : what that is called
    prepared : ((question, choice), ...), the first one is shown first; a question may be empty
    """

    name: str
    title: str
    frames: Callable
    prepared: tuple
    choices: tuple = ()
    choice: str = ""

    def __post_init__(self):
        if not 0 < len(self.prepared) == len(set(self.prepared)):
            raise ValueError(
                "prepared: expected at least one question and choice, and each of them once, "
                f"got {shown(list(self.prepared))}"
            )


def generation(questions=SUMS, models=("baseline", "reverse+peeky"), *, name="generation"):
    """Every step of an answer, encoder and decoder.

    questions : those that a page has ready; in a notebook any sum can be asked
    models    : names among ``PRETRAINED``; or a dict {name: Solver} of one's own
    """
    solvers = _Solvers(models)

    def draw(question, model):
        solver = solvers[model]
        return frames.generation(solver.trace(question), solver.recipe, _right(solver, question))

    prepared = tuple(itertools.product(questions, models))
    return Stepper(name, WORDS["generation"], draw, prepared, solvers.names, WORDS["model"])


def comparison(questions=SUMS[:2], models=("baseline", "reverse"), *, name="comparison"):
    """Two models side by side on the same question, in lockstep."""
    solvers = _Solvers(models)
    if len(set(models)) < 2:
        raise ValueError(f"models: expected at least two, got {shown(list(models))}")
    pairs = {
        WORDS["pair"].format(one=one, other=other): (one, other)
        for one, other in itertools.combinations(solvers.names, 2)
    }

    def draw(question, pair):
        chosen = [solvers[name] for name in _chosen(pairs, pair)]
        return frames.comparison(
            [solver.trace(question) for solver in chosen],
            [solver.recipe for solver in chosen],
            pairs[pair],
            _right(chosen[0], question),
        )

    first = next(pair for pair, names in pairs.items() if set(names) == set(list(models)[:2]))
    prepared = tuple((question, first) for question in questions)
    return Stepper(name, WORDS["comparison"], draw, prepared, tuple(pairs), WORDS["models"])


def forcing(questions=SUMS, models=("baseline",), *, name="forcing"):
    """The same decoder fed the right answer, as in training, and fed its own choices."""
    solvers = _Solvers(models)

    def draw(question, model):
        solver = solvers[model]
        free, right = solver.trace(question), right_answer(question)
        forced = solver.trace(question, answer=right)
        return frames.forcing(free, forced, solver.recipe, right)

    prepared = tuple(itertools.product(questions, models))
    return Stepper(name, WORDS["forcing"], draw, prepared, solvers.names, WORDS["model"])


def cell(questions=SUMS[:1], model="baseline", places=(4, 2, 7), *, name="cell"):
    """One step of an encoder's LSTM, gate by gate; a place is 1 for the first character read."""
    solver = load_pretrained(model)
    choices = {str(place): place for place in range(1, solver.layout.question_width + 1)}

    def draw(question, place):
        place = _chosen(choices, place)
        return frames.cell(solver.trace(question), solver.recipe, place - 1)

    prepared = tuple(itertools.product(questions, map(str, places)))
    return Stepper(
        name, WORDS["cell"].format(model=model), draw, prepared, tuple(choices), WORDS["character"]
    )


def training(snapshots, *, name="training"):
    """The curves of training, an epoch a step, and what was answered to fixed questions.

    snapshots : the runs of the experiment of that name, one a variant
    """
    runs = {recipe_of(run).variant: run for run in snapshots}
    drawn = functools.cache(lambda: frames.epochs(runs))
    return Stepper(name, WORDS["training"], lambda question, choice: drawn(), (("", ""),))


class _Solvers:
    """Solvers by name: one's own, or those that come with the library, loaded when needed"""

    def __init__(self, models):
        own = dict(models) if isinstance(models, dict) else {}
        self.names = tuple(own) if own else PRETRAINED
        self._load = functools.cache(own.__getitem__ if own else load_pretrained)
        for name in models:
            _chosen(self.names, name)

    def __getitem__(self, name):
        _chosen(self.names, name)
        return self._load(name)


def _chosen(choices, choice):
    """The choice, or what it stands for. Raises ValueError if it is none of them."""
    if not isinstance(choice, str) or choice not in choices:
        raise ValueError(f"choice: expected one of {', '.join(choices)}, got {shown(choice)}")
    return choices[choice] if isinstance(choices, dict) else choice


def _right(solver, question):
    return right_answer(question) if solver.recipe.data == ADDITIONS else None
