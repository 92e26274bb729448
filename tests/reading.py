"""Frames read back as a reader has them: words, characters, marks, bars."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from seq2seq_lib.frames.cell import C_SCALE, X_SCALE
from seq2seq_lib.frames.parts import COLUMNS, MOST_MOVED, MOVED, SIZES


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


def sentence(element):
    """What a frame says above its picture"""
    (says,) = having(element, "says")
    return text(says)


def named(sign):
    """How a sentence names a character"""
    return {" ": "a blank", "_": "the start mark _"}.get(sign, sign)


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
    assert_shows(x, steps.x[k], "x", X_SCALE)
    assert_shows(c, c_before, "c", C_SCALE)
    assert_shows(new_c, steps.c[k], "c", C_SCALE)
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
