"""The tape of every frame has the question and the answer, and marks what is right and wrong."""

import pytest
from cases import KINDS, case, elements, every_case, every_recipe, parts_of
from reading import character, having, parsed, sentence, text


def tape(element, side):
    """The tiles of the question or the answer: character, marks, what stands under it"""
    (part,) = having(element, side)
    return [
        (character(tile), set(tile.get("class", "").split()) - {"sp"}, [*map(character, tile)])
        for tile in part.find("ol")
    ]


@every_case
def test_the_tape_has_the_question_as_written_and_marks_how_far_it_is_read(name):
    it, encoder, bridge, decoder = parts_of(name)
    order = -1 if it.recipe.reverse else 1
    side = it.recipe.layout.vocabulary.encode([it.question], len(it.read), it.recipe.padding)
    (written,) = it.recipe.layout.vocabulary.decode(side)
    for k, element in enumerate([*encoder, bridge, *decoder]):
        tiles = tape(element, "asked")
        assert "".join(character for character, *_ in tiles) == written
        marks = [
            ({"read"} if place < k else {"now"} if place == k else set(), [str(place + 1)])
            for place in range(len(it.read))
        ]
        assert [tuple(rest) for _, *rest in tiles] == marks[::order]
        (asked,) = having(element, "asked")
        assert ("read backwards" in text(asked)) == it.recipe.reverse
        assert bool(having(element, "crossed")) == (k >= len(it.read))


@every_recipe
@pytest.mark.parametrize("wrong", [None, 0, 1, 2])
def test_what_is_written_stands_over_what_is_right_and_is_judged(name, wrong):
    it = case(name)
    it = it.writing(it.mistaken(wrong))
    found = [parsed(frame.html()) for frame in KINDS["generation"](it)]
    goal = [[c] * (k < it.counted) for k, c in enumerate(it.wanted)]
    for k, element in enumerate(found):
        done = max(0, k - len(it.read))
        for place, (sign, marks, under) in enumerate(tape(element, "written")):
            assert under == goal[place]
            if place >= done:
                assert (sign, marks) == ("·", set())
                continue
            verdict = ["bad"] if place == wrong else ["ok"]
            verdict = verdict if place < it.counted else ["done"]
            assert sign == it.characters[it.trace.choices[place]]
            assert marks == {*verdict, *["now"] * (place + 1 == done)}


@every_recipe
@pytest.mark.parametrize("wrong", [[], [0], [1], [1, 2], [0, 1, 2], [-1]])
def test_the_first_mistake_is_marked_where_it_is_and_nowhere_else(name, wrong):
    it, row = case(name), list(case(name).wanted)
    for place in wrong:
        row[place] = it.mistaken(place)[place]
    it = it.writing("".join(row))
    places = [place % len(row) for place in wrong if place % len(row) < it.counted]
    S = len(row)
    found = [parsed(frame.html()) for frame in KINDS["generation"](it)]
    told = [k for k, each in enumerate(found) if "This is the first mistake." in sentence(each)]
    assert told == [len(it.read) + 1 + place for place in places[:1]]
    for k, element in enumerate(found):
        marks = [(text(em), em.get("style")) for em in having(element, "bad") if em.tag == "em"]
        seen = [place for place in places[:1] if len(it.read) + 1 + place <= k]
        assert marks == [("↑ first wrong", f"margin-left:{100 * p / S:.4g}%") for p in seen]
    (answer,) = it.recipe.layout.decode_answers([it.trace.choices])
    end = f"The answer is {answer or 'empty'}"
    whole = f"; it should be {it.right}." if places else ", as it should be."
    assert sentence(found[-1]).endswith(end + whole)


@every_recipe
def test_a_note_says_so_where_the_units_come_first(name):
    it, *_ = parts_of(name)
    right = it.writing(it.wanted)
    for frame in KINDS["generation"](right):
        assert ("↑ units first" in frame.html()) == it.recipe.units_first
        assert ("↑ should be" in frame.html()) == (not it.recipe.units_first)


@every_case
def test_where_nobody_knows_the_right_answer_nothing_is_judged(name):
    for element in elements("unjudged", name):
        assert not any(having(element, kind) for kind in ("right", "ok", "bad"))
        assert "right" not in sentence(element).lower()
