"""Every frame of any kind is HTML that stands alone, the same each time, and open to everyone."""

import copy

import numpy as np
import pytest
from cases import KINDS, case, drawn, elements, every_case, every_recipe

every_kind = pytest.mark.parametrize("kind", KINDS)
TAGS = "div p b i span s em ol li figure figcaption small svg path details summary sub"
TABLE = "table tbody tr th td"


@every_case
@every_kind
def test_every_frame_is_well_formed_and_known_tags_alone_stand_in_it(kind, name):
    for element in elements(kind, name):
        assert {each.tag for each in element.iter()} <= set(f"{TAGS} {TABLE}".split())


@every_case
@every_kind
def test_the_same_trace_gives_the_same_bytes_and_stays_as_it_is(kind, name):
    it = case(name)
    kept = copy.deepcopy(it.trace)
    assert [frame.html() for frame in KINDS[kind](it)] == drawn(kind, name)
    for part in "encoder", "decoder":
        for array in "ids", "x", "h", "c":
            was, now = (getattr(getattr(trace, part), array) for trace in (kept, it.trace))
            np.testing.assert_array_equal(was, now)


@every_case
@every_kind
def test_every_picture_has_a_name_or_is_hidden_from_who_cannot_see_it(kind, name):
    for element in elements(kind, name):
        for each in element.iter():
            assert each.get("aria-label", "a name").strip()
            assert each.get("role") != "img" or each.get("aria-label")
            assert each.tag != "svg" or each.get("role") == "img" or each.get("aria-hidden")


@every_recipe
def test_a_frame_unfolds_as_the_same_frame_with_what_is_inside_open(name):
    for frame in KINDS["generation"](case(name)):
        folded, unfolded = frame.html(), frame.html(unfolded=True)
        assert unfolded.count("<details open ") == folded.count("<details ")
        assert unfolded.replace("<details open ", "<details ") == folded
