"""Text becomes rows of ids and comes back, whatever the switches; what cannot is named."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib.encoding import ADDITION_CHARACTERS, DELIMITER, PAD, Layout, Vocabulary, shown

SWITCHES = st.fixed_dictionaries(
    {
        "reverse": st.booleans(),
        "padding": st.sampled_from(["end", "front"]),
        "end_mark": st.booleans(),
        "units_first": st.booleans(),
    }
)
LAYOUTS = st.builds(lambda switches: Layout(**switches), SWITCHES)
QUESTIONS = st.lists(st.text("0123456789+", max_size=7))
ANSWERS = st.lists(st.text("0123456789", max_size=4))
ALPHABETS = st.text(st.characters(), min_size=1, max_size=40).map(
    lambda text: PAD + "".join(dict.fromkeys(text.replace(PAD, "")))
)


@given(ALPHABETS, st.data())
def test_any_text_comes_back_from_its_ids(characters, data):
    vocabulary = Vocabulary(characters)
    texts = data.draw(st.lists(st.text(characters, min_size=3, max_size=3)))
    ids = vocabulary.encode(texts, 3)
    assert ids.shape == (len(texts), 3)
    assert vocabulary.decode(ids) == texts


@given(ALPHABETS)
def test_an_id_is_the_place_in_the_vocabulary(characters):
    vocabulary = Vocabulary(characters)
    assert len(vocabulary) == len(characters)
    assert [vocabulary.id(character) for character in characters] == list(range(len(characters)))


@given(LAYOUTS, QUESTIONS)
def test_a_question_is_padded_as_written_and_then_reversed(layout, questions):
    ids = layout.encode_questions(questions)
    written = [row[::-1] if layout.reverse else row for row in layout.vocabulary.decode(ids)]
    pad = str.rjust if layout.padding == "front" else str.ljust
    assert written == [pad(question, 7) for question in questions]
    assert ids.flags.c_contiguous


@given(LAYOUTS, ANSWERS)
def test_an_answer_comes_back_from_what_follows_its_delimiter(layout, answers):
    ids = layout.encode_answers(answers)
    assert ids.shape == (len(answers), 1 + layout.sample_size)
    assert np.all(ids[:, 0] == layout.start_id)
    assert layout.decode_answers(ids[:, 1:]) == answers


@given(ANSWERS)
def test_units_first_writes_digits_from_the_last_to_the_first(answers):
    backwards = Layout(units_first=True).encode_answers(answers)
    assert np.array_equal(backwards, Layout().encode_answers([text[::-1] for text in answers]))


def test_an_answer_that_never_ended_is_kept_whole():
    layout = Layout(end_mark=True)
    ids = layout.vocabulary.encode(["62 ", "6_2", "62_"], 5)
    assert layout.decode_answers(ids) == ["62   ", "6", "62"]


def rows_of_the_table(pattern):
    for *switches, row in re.findall(pattern, Layout.__doc__, re.MULTILINE):
        yield switches, row.replace(" ", "").replace(".", PAD)


def test_the_table_in_the_docstring_shows_how_questions_are_read():
    rows = list(rows_of_the_table(r"^ +(no|yes) +(end|front) +((?:[57+.] ){6}[57+.])"))
    assert len(rows) == 3
    for (reverse, padding), row in rows:
        layout = Layout(reverse=reverse == "yes", padding=padding)
        assert layout.vocabulary.decode(layout.encode_questions(["57+5"])) == [row]


def test_the_table_in_the_docstring_shows_how_answers_are_written():
    rows = list(rows_of_the_table(r"(no|yes) +(_ 6 2 [_. ]+)$"))
    assert len(rows) == 2
    for (end_mark,), row in rows:
        layout = Layout(end_mark=end_mark == "yes")
        assert layout.vocabulary.decode(layout.encode_answers(["62"])) == [row]


def test_the_usual_vocabulary_has_the_thirteen_characters_of_additions():
    assert sorted(ADDITION_CHARACTERS) == sorted("0123456789+" + PAD + DELIMITER)
    layout = Layout()
    assert (layout.vocabulary.decode([[layout.pad_id, layout.start_id]])) == [PAD + DELIMITER]


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["57+5", "5x7"], r"'x' in '5x7'"),
        (["57+5", "5\u00e97"], r"'\\xe9' in '5\\xe97'|'é' in '5\\xe97'"),
        (["12345678"], r"at most 7 characters, got 8: '12345678'"),
        (["57_5"], r"without the delimiter _, got '57_5'"),
        (["57+5", None], r"a text, got NoneType None"),
        (["57+5", b"1+1"], r"a text, got bytes b'1\+1'"),
        ("57+5", r"a list of texts, got str '57\+5'"),
        (None, r"a list of texts, got NoneType None"),
        (np.array(["57+5"]), r"a list of texts, got ndarray"),
    ],
)
def test_a_question_that_cannot_be_encoded_is_named(texts, named):
    with pytest.raises(ValueError, match=named):
        Layout().encode_questions(texts)


@pytest.mark.parametrize("answers", [["12345"], ["6_2"], "62", [62], None])
def test_an_answer_that_cannot_be_encoded_is_refused(answers):
    with pytest.raises(ValueError, match="expected"):
        Layout().encode_answers(answers)


@pytest.mark.parametrize("ids", [[[-1]], [[13]], [[0.0]], [[True]], [0], 0, [["0"]]])
def test_ids_that_are_none_are_refused(ids):
    with pytest.raises(ValueError, match="ids: expected"):
        Vocabulary().decode(ids)


@given(st.one_of(st.text(), st.lists(st.text()), st.binary(), st.floats()), st.integers(5, 60))
def test_what_an_error_shows_is_one_short_printable_line(anything, most):
    text = shown(anything, most)
    assert text.isascii() and text.isprintable() and len(text) <= most + 3
