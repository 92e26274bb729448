"""The arrows of a drawing go where states and gradients go."""

import re

import numpy as np
import pytest
from sketches import elements, heads, tiles, words

from seq2seq_lib import drawings
from seq2seq_lib.drawings import peeks
from seq2seq_lib.lstm import TimeLSTM

STEPS = 4  # of the decoder, for the answer 62


def test_peeking_adds_an_arrow_of_h_to_every_lstm_and_every_affine_layer():
    plain, peeky = (
        heads(each(), "h") for each in (drawings.who_sees_h_plain, drawings.who_sees_h_peeky)
    )
    assert len(plain) == STEPS
    assert len(peeky) - len(plain) == 2 * STEPS


def test_gradient_comes_to_h_in_three_ways():
    drawing = drawings.gradients_into_h()
    assert len(set(heads(drawing, "h"))) == 3
    assert {"1", "2", "3"} <= set(words(drawing))


def test_only_the_last_row_of_dhs_is_not_zero():
    drawing = drawings.zero_dhs()
    (question,) = tiles(drawing, "question")
    assert words(drawing).count("0") == len(question) - 1 and words(drawing).count("dh") == 1


def test_one_step_has_the_gates_and_the_equations_of_the_layer():
    shown, said = words(drawings.lstm_cell()), TimeLSTM.__doc__
    assert set(TimeLSTM.gates) <= set(shown)
    for equation in (word for word in shown if "=" in word):
        assert equation.replace(" before", "").replace("×", "*") in said


@pytest.mark.parametrize("role", ["h", "c"])
def test_two_gradients_meet_at_h_and_two_at_c(role):
    drawing = drawings.lstm_backward()
    ((x, y),) = (
        (float(circle.get("cx")), float(circle.get("cy")))
        for circle in elements(drawing, "circle")
        if circle.get("r") == "9" and f"--s2s-{role}," in circle.get("style")
    )
    near = [1 for a, b in heads(drawing, role) if max(abs(a - x), abs(b - y)) <= 11]
    assert len(near) == 2


def test_state_and_gradient_cross_the_bridge_in_opposite_directions():
    drawing = drawings.bridge()
    ends = heads(drawing, "h")
    assert len(ends) == 8
    assert len({y for _, y in ends}) == 2


def test_the_weights_of_attention_add_up_to_one():
    assert sum(peeks.WEIGHTS) == pytest.approx(1)
    shown = [float(word) for word in words(drawings.attention()) if "." in word]
    assert shown == list(peeks.WEIGHTS)


def test_the_line_of_a_gradient_check_is_almost_parallel_to_the_tangent():
    slopes = []
    for role in ("positive", "negative"):
        line = next(
            path.get("d")
            for path in elements(drawings.gradient_check(), "path")
            if f"stroke:var(--s2s-{role}," in path.get("style")
        )
        (x0, y0), (x1, y1) = np.array(re.findall(r"[\d.]+", line), float).reshape(2, 2)
        slopes.append((y1 - y0) / (x1 - x0))
    assert slopes[0] == pytest.approx(slopes[1], rel=0.1)
