"""Frames read back as a reader has them: words, characters, marks, bars. And models to draw."""

import re
from dataclasses import dataclass, replace
from functools import cache
from xml.etree import ElementTree

import numpy as np

from seq2seq_lib import Recipe, Solver, closeups, frames, load_pretrained
from seq2seq_lib.encoding import PAD
from seq2seq_lib.functions import softmax
from seq2seq_lib.parts import COLUMNS, MOST_MOVED, MOVED, SIZES
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
    "forcing": lambda it: closeups.forcing(it.trace, forced(it), it.recipe, it.right),
    "cell": lambda it: [
        frame for place in places(it) for frame in closeups.cell(it.trace, it.recipe, place)
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


# What is read


def parsed(markup):
    """HTML that is XML as well, as it must be here -> its element"""
    return ElementTree.fromstring(f"<div>{markup}</div>")


def said(markup):
    """What HTML says, without its tags"""
    return text(parsed(markup))


def text(element):
    return "".join(element.itertext())


def having(element, kind):
    """The elements within one that have a class, in order"""
    return [each for each in element.iter() if kind in each.get("class", "").split()]


def character(element):
    """The character of a tile, which for a blank is drawn by its class"""
    return " " if "sp" in element.get("class", "").split() else (element.text or "")


@dataclass(frozen=True)
class Grid:
    """A grid of marks: their sizes, 0 to 3 by place, negative for dots; what is framed"""

    kind: str
    caption: str
    label: str
    note: str
    sizes: list
    moved: list
    unit: list


def grids(element):
    return [_grid(figure) for figure in having(element, "grid")]


def _grid(figure):
    svg = figure.find("svg")
    left, top, columns, rows = map(float, svg.get("viewBox").split())
    assert (left, top) == (0, -0.5) and columns <= COLUMNS
    sizes, framed = np.zeros(COLUMNS * int(rows), int), {"moved": [], "unit": []}
    for path in svg:
        kind, d = path.get("class"), path.get("d")
        if kind in framed:
            assert re.fullmatch(r"(M\d+ -?\d*\.5h1v1h-1z)+", d), d
            places = [map(float, place) for place in re.findall(r"M(\S+) (\S+?)h", d)]
            framed[kind] = [int(COLUMNS * (y + 0.5) + x) for x, y in places]
            continue
        assert kind[0] in "pno" and re.fullmatch(r"(M\d+ \d+h\d+)+", d), (kind, d)
        for x, row, count in (map(int, line) for line in re.findall(r"M(\d+) (\d+)h(\d+)", d)):
            assert count > 0 and x + count <= columns
            run = slice(COLUMNS * row + x, COLUMNS * row + x + count)
            assert not sizes[run].any(), "two marks at one place"
            sizes[run] = int(kind[1:]) * (-1 if kind[0] == "n" else 1)
    _, *kinds = figure.get("class").split()
    note = figure.find("small")
    return Grid(
        " ".join(kinds),
        text(figure.find("figcaption")),
        svg.get("aria-label"),
        "" if note is None else text(note),
        sizes.tolist(),
        **framed,
    )


def assert_shows(grid, values, kind, scale=1.0):
    """The marks are the numbers, up to what another machine's rounding may change"""
    values = np.asarray(values, float)
    assert grid.kind == kind
    gate = kind in ("f", "i", "o")
    steps = SIZES if gate else SIZES + 0.5
    limits = (np.arange(1, SIZES + 1) - 0.5) / steps
    least, most = (
        (np.abs(values)[:, None] / scale + rounding >= limits).sum(axis=1)
        for rounding in (-1e-6, 1e-6)
    )
    marks = np.array(grid.sizes[: len(values)])
    assert len(marks) == len(values) and not any(grid.sizes[len(values) :])
    assert ((least <= abs(marks)) & (abs(marks) <= most) & (marks * values >= 0)).all()
    if gate:
        for pattern, beyond in (r"(\d+) open", values - 0.9), (r"(\d+) shut", 0.1 - values):
            told = int(re.search(pattern, grid.label)[1])
            assert (beyond > 1e-6).sum() <= told <= (beyond > -1e-6).sum()
        assert grid.note == grid.label
        return
    above, below = (marks > 0).sum(), (marks < 0).sum()
    counts = [above, below, len(values) - above - below]
    assert [int(number) for number in re.findall(r"\d+", grid.label)] == counts


def assert_framed(grid, values, before):
    """Those numbers are framed that moved most, and enough"""
    change = np.abs(np.subtract(values, before))
    moved = sorted(change[change > MOVED], reverse=True)[:MOST_MOVED]
    framed = sorted(change[grid.moved], reverse=True)
    np.testing.assert_allclose(framed, moved, atol=1e-6)


def assert_inside(grids, steps, k, c_before):
    """x and the terms of the equations are the arrays of one step"""
    x, c, f, i, g, new_c, o = grids
    assert_shows(x, steps.x[k], "x", frames.X_SCALE)
    assert_shows(c, c_before, "c", frames.C_SCALE)
    assert_shows(new_c, steps.c[k], "c", frames.C_SCALE)
    assert_framed(new_c, steps.c[k], c_before)
    for grid, name in zip((f, i, g, o), "figo", strict=True):
        assert_shows(grid, steps.gates[name][k], name)


def percent(p):
    """A probability in words, and another that rounding on another machine might give"""
    return {
        "<1" if 0 < q <= 0.005 else ">99" if 0.995 <= q < 1 else f"{100 * q:.0f}"
        for q in (p, p - 1e-6, p + 1e-6)
    }


@dataclass(frozen=True)
class Bar:
    """One character's bar: its height in %, the number above it, and what it is marked as"""

    character: str
    height: float
    number: str
    marks: tuple


def bars(element):
    """The bars of each chart"""
    return [
        [
            Bar(
                character(item.find("b")),
                float(item.get("style", "--p:0").removeprefix("--p:")),
                "" if item.find("i") is None else item.find("i").text,
                tuple(item.get("class", "").split()),
            )
            for item in figure.find("div")
        ]
        for figure in having(element, "bars")
    ]
