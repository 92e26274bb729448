"""One step of an LSTM, taken apart, is put together from the arrays of its trace."""

import re

import numpy as np
import pytest
from cases import case, elements, every_recipe, places
from reading import assert_shows, grids, having, text

from seq2seq_lib import frames
from seq2seq_lib.frames.cell import C_SCALE, X_SCALE


@every_recipe
def test_a_step_taken_apart_is_put_together_from_the_trace_s_arrays(name):
    it, steps = case(name), case(name).trace.encoder
    drawn = iter(elements("cell", name))
    for place in places(it):
        zeros = np.zeros_like(steps.h[0])
        h_before, c_before = (steps.h[place - 1], steps.c[place - 1]) if place else (zeros, zeros)
        f, i, o, g = (steps.gates[gate][place] for gate in "fiog")
        h, c = steps.h[place], steps.c[place]
        np.testing.assert_allclose(f * c_before + i * g, c, atol=1e-5)
        np.testing.assert_allclose(o * np.tanh(c), h, atol=1e-5)
        terms = [
            [(steps.x[place], "x", X_SCALE), (h_before, "h", 1), (c_before, "c", C_SCALE)],
            [(f, "f", 1), (c_before, "c", C_SCALE), (f * c_before, "c", C_SCALE)],
            [(i, "i", 1), (g, "g", 1), (i * g, "c", C_SCALE)],
            [(f * c_before, "c", C_SCALE), (i * g, "c", C_SCALE), (c, "c", C_SCALE)],
            [(o, "o", 1), (np.tanh(c), "c", 1), (h, "h", 1)],
        ]
        for wanted in terms:
            for grid, (values, kind, scale) in zip(grids(next(drawn)), wanted, strict=True):
                assert_shows(grid, values, kind, scale)
    assert next(drawn, None) is None


@every_recipe
def test_one_unit_is_followed_through_all_grids_and_its_numbers_are_told(name):
    it, steps = case(name), case(name).trace.encoder
    H, drawn = it.recipe.hidden_size, elements("cell", name)
    for k, place in enumerate(places(it)):
        c_before = steps.c[place - 1] if place else np.zeros(H)
        h_before = steps.h[place - 1] if place else np.zeros(H)
        u = int(np.abs(steps.c[place] - c_before).argmax())
        f, i, o, g = (steps.gates[gate][place][u] for gate in "fiog")
        h, c, c_was = steps.h[place][u], steps.c[place][u], c_before[u]
        numbers = [
            [h_before[u], c_was],
            [f, c_was, f * c_was],
            [i, g, i * g],
            [f * c_was, i * g, c],
            [o, c, h],
        ]
        for element, wanted in zip(drawn[5 * k : 5 * k + 5], numbers, strict=True):
            assert all(grid.unit == [u] for grid in grids(element) if grid.kind != "x")
            worked = text(having(element, "worked")[0])
            follow, told = worked.split(":")
            assert follow == f"Follow one unit, number {u + 1} of {H}, framed in every grid"
            told = [float(n) for n in re.findall(r"-?\d+\.\d\d", told.replace("−", "-"))]
            np.testing.assert_allclose(told, wanted, atol=0.00501)
            assert "−0.00" not in worked


@pytest.mark.parametrize("place", [-1, 7, 100])
def test_a_place_where_nothing_is_read_is_refused(place):
    it = case("small")
    with pytest.raises(ValueError, match=f"place: expected 0 to 6, got {place}"):
        frames.cell(it.trace, it.recipe, place)


@pytest.mark.parametrize("name", ["pass through", "pass through at once"])
def test_a_blank_that_is_passed_over_cannot_be_taken_apart(name):
    it = case(name)
    blanks = set(range(len(it.read))) - set(places(it))
    assert len(blanks) == 3
    for place in blanks:
        with pytest.raises(ValueError, match=f"got the blank at {place}"):
            frames.cell(it.trace, it.recipe, place)
