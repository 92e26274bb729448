"""The additions are those of the original, each at most once; files of questions are read whole."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2seq_lib.data import (
    Examples,
    make_additions,
    number_of_carries,
    number_of_digits,
    split_additions,
    split_examples,
)
from seq2seq_lib.question_files import read_examples

SEEDS = st.integers(0, 2**32)


class NoDraws(np.random.Generator):
    """A generator that must not be asked."""

    def __init__(self):
        super().__init__(np.random.PCG64())

    def exponential(self, *args, **kwargs):
        raise AssertionError("drawn")


def pairs(examples):
    return [tuple(map(int, question.split("+"))) for question in examples.questions]


def unordered(examples):
    return {frozenset(pair) for pair in pairs(examples)}


def carries_by_hand(a, b):
    carry = carries = 0
    for x, y in zip(f"{a:020}"[::-1], f"{b:020}"[::-1], strict=True):
        carry = int(x) + int(y) + carry > 9
        carries += carry
    return carries


@given(SEEDS, st.integers(0, 1500))
def test_additions_are_right_all_different_and_as_many_as_asked(seed, count):
    examples = make_additions(count, np.random.default_rng(seed), max_digits=2)
    assert len(examples.questions) == len(examples.answers) == len(unordered(examples)) == count
    assert [str(a + b) for a, b in pairs(examples)] == examples.answers
    assert [f"{a}+{b}" for a, b in pairs(examples)] == examples.questions
    assert all(0 <= a <= 99 and 0 <= b <= 99 for a, b in pairs(examples))


def test_additions_depend_on_the_generator_alone():
    first, same, other = (make_additions(99, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == same != other


@pytest.mark.parametrize(("digits", "most"), [(1, 55), (2, 5_050), (3, 500_500)])
def test_every_addition_can_be_had_and_none_twice(rng, digits, most):
    assert len(unordered(make_additions(most, rng, max_digits=digits))) == most


@pytest.mark.parametrize(
    ("count", "limits"),
    [
        (56, {"max_digits": 1}),
        (5_051, {"max_digits": 2}),
        (500_501, {}),
        (10**9, {}),
        (-1, {}),
        (1, {"carries": 4}),
        (1, {"carries": 3, "digits": (1, 1)}),
        (55, {"max_digits": 1, "exclude": ["3+4"]}),
    ],
)
def test_more_additions_than_there_are_is_refused_before_any_is_drawn(count, limits):
    with pytest.raises(ValueError, match=r"count: expected .*, got -?\d+"):
        make_additions(count, NoDraws(), **limits)


@pytest.mark.parametrize("carries", range(4))
@pytest.mark.parametrize("digits", [(1, 3), (3, 1), [2, 3], (3, 3)])
def test_a_stratum_has_its_carries_and_its_lengths_in_either_order(rng, carries, digits):
    examples = make_additions(40, rng, carries=carries, digits=digits)
    assert {carries_by_hand(a, b) for a, b in pairs(examples)} == {carries}
    assert {tuple(sorted((len(str(a)), len(str(b))))) for a, b in pairs(examples)} == {
        tuple(sorted(digits))
    }


def test_excluded_questions_come_neither_as_they_are_nor_mirrored(rng):
    taken = make_additions(1_000, rng, max_digits=2)
    rest = make_additions(4_050, rng, max_digits=2, exclude=[*taken.questions, "999+1"])
    assert not unordered(taken) & unordered(rest)


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_carries_are_those_of_adding_by_hand(a, b):
    assert number_of_carries(a, b) == number_of_carries([b], [a])[0] == carries_by_hand(a, b)


@given(st.lists(st.integers(0, 10**15), min_size=1))
def test_digits_are_those_written(numbers):
    assert number_of_digits(numbers).tolist() == [len(str(number)) for number in numbers]


@pytest.mark.parametrize("number", [-1, [-1, 5], 0.5, math.nan, "7", None])
def test_what_is_no_number_to_add_by_hand_is_refused(number):
    for count in (lambda: number_of_carries(number, 5), lambda: number_of_digits(number)):
        with pytest.raises(ValueError, match="expected whole numbers, 0 or more, got"):
            count()


def drawn_as_in_the_original(rng, count):
    """Numbers of one to three digits, the length drawn first; known questions drawn again."""
    found = {}
    while len(found) < count:
        a, b = (int("".join(rng.choice(list("0123456789"), rng.integers(1, 4)))) for _ in "ab")
        found.setdefault(frozenset((a, b)), (a, b))
    return list(found.values())


def test_additions_are_distributed_as_in_the_original(rng):
    """The counts of every pair of lengths, and of carries, differ by less than chance allows."""
    count = 4_000
    original = np.array(drawn_as_in_the_original(rng, count))
    ours = np.array(pairs(make_additions(count, rng)))
    for kind in (lambda ab: number_of_digits(ab) @ [4, 1], lambda ab: number_of_carries(*ab.T)):
        groups, of_both = np.unique(kind(np.concatenate([original, ours])), return_counts=True)
        of_ours = np.array([(kind(ours) == group).sum() for group in groups])
        spread = np.sqrt(of_both * (1 - of_both / (2 * count)) / 4)
        assert np.all(np.abs(of_ours - of_both / 2) < 4 * spread)
        uniform = np.array([(kind(rng.integers(0, 1000, (count, 2))) == g).sum() for g in groups])
        assert np.any(np.abs(uniform - of_both / 2) > 8 * spread)


def test_a_number_and_itself_are_drawn_half_as_often_as_two_that_can_be_exchanged(rng):
    drawn = [pairs(make_additions(1, rng, max_digits=1))[0] for _ in range(3_000)]
    doubles = sum(a == b for a, b in drawn)
    assert abs(doubles - 300) < 4 * np.sqrt(3_000 * 0.1 * 0.9)  # with weight 1 for all: 545


def test_splits_have_their_sizes_and_share_no_question_nor_mirror(rng):
    splits = split_additions(rng)
    assert [len(part.questions) for part in splits] == [45_000, 5_000, 5_000]
    assert len(unordered(splits.train) | unordered(splits.validation) | unordered(splits.test)) == (
        55_000
    )


QUESTIONS = st.lists(st.from_regex(r"[0-4]\+[0-4]", fullmatch=True), unique=True, min_size=1)


@given(QUESTIONS, SEEDS, st.floats(0, 0.5))
def test_examples_are_split_whole_with_mirrors_on_one_side(questions, seed, held_out):
    examples = Examples(questions, [f"answer to {question}" for question in questions])
    splits = split_examples(examples, np.random.default_rng(seed), held_out=held_out)
    joined = [pair for part in splits for pair in zip(*part, strict=True)]
    assert sorted(joined) == sorted(zip(*examples, strict=True))
    sides = [unordered(part) for part in splits]
    assert sum(map(len, sides)) == len(set.union(*sides))
    size = min(round(held_out * len(questions)), len(questions) // 2)
    assert all(abs(len(part.questions) - size) <= 1 for part in splits[1:])


@pytest.mark.parametrize("held_out", [-0.1, 0.6, math.nan])
def test_a_share_that_leaves_nothing_to_train_on_is_refused(rng, held_out):
    with pytest.raises(ValueError, match="held_out: expected a share"):
        split_examples(Examples(["1+1"], ["2"]), rng, held_out=held_out)


def written(path, lines, end="\n", encoding="utf-8"):
    path.write_bytes(end.join([*lines, ""]).encode(encoding))
    return path


PRINTABLE = st.characters(exclude_characters=" _", exclude_categories=["C", "Z"])
TEXTS = st.text(PRINTABLE, min_size=1, max_size=12)
FILES = st.dictionaries(TEXTS, TEXTS, min_size=1).map(
    lambda known: Examples(list(known), list(known.values()))
)


@given(FILES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.integers(0, 3))
def test_a_file_is_read_as_it_was_written(tmp_path_factory, examples, end, closed, blank):
    lines = [
        f"{question:<{len(question) + blank}}_{answer}{'_' if closed else ''}{' ' * blank}"
        for question, answer in zip(*examples, strict=True)
    ]
    folder = tmp_path_factory.mktemp("files")
    assert read_examples(written(folder / "a", lines, end)) == examples
    assert read_examples(written(folder / "b", lines, end, "utf-8-sig")) == examples


def test_the_format_of_the_original_is_read(tmp_path):
    path = written(tmp_path / "addition.txt", ["16+75  _91  ", "52+607 _659 ", "75+22  _97  "])
    assert read_examples(path) == Examples(["16+75", "52+607", "75+22"], ["91", "659", "97"])


@pytest.mark.parametrize("end", ["", "\n", "\n\n   \n"])
def test_the_last_line_end_is_optional(tmp_path, end):
    (tmp_path / "a").write_text(f"1+1_2\n2+2_4{end}")
    assert read_examples(tmp_path / "a").questions == ["1+1", "2+2"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "got no line"),
        (b"\xef\xbb\xbf", "got no line"),
        (b"\n \n\n", "got no line"),
        (b"1+1_2\n\n3+3_6\n", "line 2: expected the delimiter _"),
        (b"1+1_2\n1+2 3\n", "line 2: expected the delimiter _ .*: '1\\+2 3'"),
        (b"1+1_2\n_3\n", "line 2: expected a question before the delimiter"),
        (b"1+1_2\n1+2_\n", "line 2: expected a question .* and an answer behind it"),
        (b"1+1_2_3\n", "line 1: expected one answer, got another delimiter"),
        (b"1+1__2\n", "line 1: expected one answer"),
        (b"1+1_2\n2+2_4\n1+1 _2\n", "line 3: expected a new question, got the one of line 1"),
        (b"1+1_2\n1+\xff_2\n", "line 2: expected UTF-8 text"),
        ("1+1_2\n".encode("utf-16"), "line 1: expected UTF-8 text"),
        ("1+1_2\n".encode("utf-16-le"), "line 1: expected"),
        (b"1+1\0_2\n", "line 1: expected characters that can be printed"),
        (b"1+1\t_2\n", "line 1: expected characters that can be printed"),
        (b"1+1_2\x0c\n", "line 1: expected characters that can be printed"),
        (b"1" * 201 + b"_2\n", "line 1: expected at most 200 characters"),
        (b"1+1_" + b"2" * 1_000_000, "line 1: expected at most 200 characters"),
        (b"1" * 1_000_000, "line 1: expected the delimiter"),
        (b"\x1f\x8b\x08\x00rest", "expected plain text, got a gzip archive"),
    ],
)
def test_a_bad_file_is_refused_in_one_short_line_with_its_number(tmp_path, content, named):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=named) as refusal:
        read_examples(path)
    message = str(refusal.value)
    assert message.startswith(f"{path}: ") and message.isprintable() and len(message) < 400


def test_of_many_bad_lines_ten_are_named_and_the_others_counted(tmp_path):
    path = written(tmp_path / "bad.txt", ["1+1_2", *["nonsense"] * 20_000])
    with pytest.raises(ValueError, match=r"; and 19990 more bad lines$") as refusal:
        read_examples(path)
    assert str(refusal.value).count("; line ") == 9


@pytest.mark.parametrize("kind", ["missing", "folder", "too large"])
def test_what_is_no_file_of_questions_is_refused_before_it_is_read(tmp_path, kind):
    path = tmp_path / "questions"
    if kind == "folder":
        path.mkdir()
    if kind == "too large":
        with open(path, "wb") as file:
            file.truncate(10**12)
    with pytest.raises(ValueError, match="questions: expected"):
        read_examples(path)
