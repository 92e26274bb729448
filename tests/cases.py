"""Models to draw, shipped or made up, questions for them, and every frame of their answers."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from reading import parsed

from seq2seq_lib import Recipe, Solver, frames, load_pretrained
from seq2seq_lib.encoding import PAD
from seq2seq_lib.functions import softmax
from seq2seq_lib.solver import PRETRAINED
from seq2seq_lib.trace import Trace

SUM = {"hidden_size": 20, "wordvec_size": 5}  # a grid's last row is not full
TEXT = {**SUM, "data": "other questions", "question_width": 5, "answer_width": 3}
RECIPES = {
    "small": Recipe(hidden_size=5, wordvec_size=3),
    "one row": Recipe(hidden_size=16, wordvec_size=16),
    "peeking": Recipe(peeky=True, **SUM),
    "reversed": Recipe(reverse=True, **SUM),
    "cell": Recipe(pass_cell=True, **SUM),
    "front": Recipe(padding="front", **SUM),
    "end mark": Recipe(end_mark=True, **SUM),
    "units first": Recipe(units_first=True, **SUM),
    "pass through": Recipe(pass_through=True, **SUM),
    "pass through at once": Recipe(pass_through=True, reverse=True, **SUM),
    "all": Recipe(
        reverse=True,
        peeky=True,
        pass_cell=True,
        padding="front",
        end_mark=True,
        units_first=True,
        pass_through=True,
        **SUM,
    ),
    "hostile": Recipe(characters="<>&\"'/-=ab _", peeky=True, **TEXT),
    "hostile end mark": Recipe(characters="<>&\"'/-=ab _", end_mark=True, reverse=True, **TEXT),
}
NAMES = *RECIPES, *PRETRAINED
every_case = pytest.mark.parametrize("name", NAMES)
every_recipe = pytest.mark.parametrize("name", RECIPES)


@dataclass(frozen=True)
class Case:
    """A question, answered by a model that is shipped or made up"""

    solver: Solver
    question: str
    right: str | None
    trace: Trace

    @property
    def recipe(self):
        return self.solver.recipe

    @property
    def characters(self):
        return self.recipe.characters

    @property
    def read(self):
        """What the encoder reads, in order"""
        return "".join(self.characters[k] for k in self.trace.encoder.ids)

    @property
    def wanted(self):
        """What would be right to write, end mark and blanks and all"""
        (row,) = self.recipe.layout.encode_answers([self.right])
        return "".join(self.characters[k] for k in row[1:])

    @property
    def counted(self):
        """How many characters of it count: with an end mark, those up to it"""
        layout = self.recipe.layout
        return len(self.right) + 1 if layout.end_mark else layout.sample_size

    def mistaken(self, wrong):
        """What is right to write but for one place; all of it with None"""
        row = list(self.wanted)
        if wrong is not None:
            row[wrong] = next(c for c in self.characters if c not in (row[wrong], "_", " "))
        return "".join(row)

    def writing(self, text):
        """The same, but with a trace whose decoder chooses these characters"""
        ids = np.array([self.characters.index(c) for c in text])
        scores = np.linspace(0, 1, len(self.characters)) + 4 * np.eye(len(self.characters))[ids]
        fed = np.array([self.recipe.layout.start_id, *ids[:-1]])
        trace = replace(
            self.trace,
            decoder=replace(self.trace.decoder, ids=fed),
            scores=scores,
            probabilities=softmax(scores),
            choices=ids,
        )
        return replace(self, trace=trace)


@cache
def solver(name):
    """A shipped model, or an untrained one whose numbers are large enough to be seen"""
    if name in PRETRAINED:
        return load_pretrained(name)
    recipe = RECIPES[name]
    model = recipe.build_model()
    for name, array in model.params.items():
        array *= 80 if "embed" in name else 4
    return Solver(model, recipe)


@cache
def case(name, question="57+5"):
    if name.startswith("hostile"):
        question, right = '<b&"', "a>&"
    else:
        right = str(sum(map(int, question.split("+"))))
    return Case(solver(name), question, right, solver(name).trace(question))


def forced(case):
    """The trace of a case when it is fed the right answer"""
    return case.solver.trace(case.question, answer=case.right)


def places(case):
    """Where the encoder reads, and does not pass over a blank"""
    blanks = case.recipe.pass_through
    return [k for k, character in enumerate(case.read) if not (blanks and character == PAD)]


KINDS = {
    "generation": lambda it: frames.generation(it.trace, it.recipe, it.right),
    "unjudged": lambda it: frames.generation(it.trace, it.recipe),
    "comparison": lambda it: frames.comparison(
        [it.trace] * 2, [it.recipe] * 2, ["<one>", "two"], it.right
    ),
    "forcing": lambda it: frames.forcing(it.trace, forced(it), it.recipe, it.right),
    "cell": lambda it: [
        frame for place in places(it) for frame in frames.cell(it.trace, it.recipe, place)
    ],
}


@cache
def drawn(kind, name):
    """Every frame of a kind of a case, as HTML"""
    return [frame.html() for frame in KINDS[kind](case(name))]


@cache
def elements(kind, name):
    """The same, read"""
    return [parsed(markup) for markup in drawn(kind, name)]


def parts_of(name, kind="generation"):
    """A case, and its frames: those of the encoder, the bridge, those of the decoder"""
    it, found = case(name), elements(kind, name)
    T = len(it.read)
    assert len(found) == T + 1 + len(it.wanted)
    return it, found[:T], found[T], found[T + 1 :]
