"""Between text and rows of character ids: the vocabulary, padding, reversing, the delimiter."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seq2seq_lib.functions import checked_ids

PAD = " "
DELIMITER = "_"
ADDITION_CHARACTERS = "0123456789+" + PAD + DELIMITER
SIDES = ("end", "front")


class Vocabulary:
    """The characters a model knows; a character's id is its place among them."""

    def __init__(self, characters=ADDITION_CHARACTERS):
        if not isinstance(characters, str) or len(set(characters)) != len(characters):
            raise ValueError(f"characters: expected different characters, got {characters!r}")
        self.characters = characters
        codes = np.frombuffer(characters.encode("utf-32-le", "surrogatepass"), np.uint32)
        self._id_of_code = np.full(codes.max(initial=0) + 2, -1)  # the last stands for "unknown"
        self._id_of_code[codes] = np.arange(len(codes))

    def __len__(self):
        return len(self.characters)

    def id(self, character):
        """One character -> its id. Raises ValueError if it is unknown."""
        if not isinstance(character, str) or len(character) != 1:
            raise ValueError(f"expected one character, got {shown(character)}")
        return int(self.encode([character], 1)[0, 0])

    def encode(self, texts, width, side="end"):
        """Texts, padded with blanks to ``width`` at their end or front -> ids (N, width).

        Raises ValueError naming the text that is too long, or its unknown character.
        """
        _expect_texts(texts)
        if side not in SIDES:
            raise ValueError(f"side: expected one of {', '.join(SIDES)}, got {shown(side)}")
        for text in texts:
            if len(text) > width:
                raise ValueError(
                    f"expected at most {width} characters, got {len(text)}: {shown(text)}"
                )
        pad = str.rjust if side == "front" else str.ljust
        joined = "".join([pad(text, width, PAD) for text in texts])
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        ids = self._id_of_code[np.minimum(codes, len(self._id_of_code) - 1)]
        if ids.size and ids.min() < 0:
            place = int(np.argmin(ids))
            raise ValueError(
                f"expected characters among {self.characters!r}, "
                f"got {joined[place]!r} in {shown(texts[place // width])}"
            )
        return ids.reshape(len(texts), width)

    def decode(self, ids):
        """ids (N, T) -> N texts of T characters. Raises ValueError for an id that is none."""
        ids = checked_ids("ids", ids, len(self))
        return ["".join([self.characters[k] for k in row]) for row in ids.tolist()]


@dataclass(frozen=True)
class Layout:
    """How a question and its answer are laid out as rows of ids.

    Padding is added to the question as it is written, at its ``padding`` side; ``reverse`` then
    turns the whole row round, blanks included. An answer starts with the delimiter and is padded
    at its end; with ``end_mark`` a second delimiter closes it, with ``units_first`` its digits are
    written from the last to the first::

        reverse  padding  "57+5" is read as         end_mark  "62" is
        no       end      5 7 + 5 . . .             no        _ 6 2 . .
        yes      end      . . . 5 + 7 5             yes       _ 6 2 _ . .
        yes      front    5 + 7 5 . . .
    """

    characters: str = ADDITION_CHARACTERS
    question_width: int = 7
    answer_width: int = 4
    reverse: bool = False
    padding: str = "end"
    end_mark: bool = False
    units_first: bool = False

    @cached_property
    def vocabulary(self):
        """The ``Vocabulary`` of ``characters``"""
        return Vocabulary(self.characters)

    @property
    def pad_id(self):
        """The id of the blank"""
        return self.vocabulary.id(PAD)

    @property
    def start_id(self):
        """The id of the delimiter, which starts an answer and may end it"""
        return self.vocabulary.id(DELIMITER)

    @property
    def sample_size(self):
        """How many characters a model writes: everything after the first delimiter"""
        return self.answer_width + self.end_mark

    def encode_questions(self, questions):
        """N questions -> (N, question_width) ids, in the order in which the encoder reads them"""
        _refuse_delimiter(questions)
        ids = self.vocabulary.encode(questions, self.question_width, self.padding)
        return np.ascontiguousarray(ids[:, ::-1]) if self.reverse else ids

    def encode_answers(self, answers):
        """N answers -> (N, 1 + sample_size) ids, the delimiter first"""
        _refuse_delimiter(answers)
        for answer in answers:
            if len(answer) > self.answer_width:
                raise ValueError(
                    f"expected at most {self.answer_width} characters, got {shown(answer)}"
                )
        end = DELIMITER if self.end_mark else ""
        order = -1 if self.units_first else 1
        marked = [DELIMITER + answer[::order] + end for answer in answers]
        return self.vocabulary.encode(marked, 1 + self.sample_size)

    def decode_answers(self, ids):
        """Written ids (N, sample_size) -> N texts, without the blanks behind them.

        With an end mark the text ends there, and without its mark it never ended: it is then kept
        whole, blanks and all, so that it cannot be mistaken for an answer that did end.
        """
        texts = self.vocabulary.decode(ids)
        if not self.end_mark:
            texts = [text.rstrip(PAD) for text in texts]
        else:
            texts = [text.split(DELIMITER)[0] if DELIMITER in text else text for text in texts]
        return [text[::-1] for text in texts] if self.units_first else texts


def shown(text, most=40):
    """A text as it may stand in an error message: quoted, escaped, and not too long"""
    try:
        quoted = ascii(text)
    except (ValueError, RecursionError):  # a huge number, a very deep list
        quoted = f"a {type(text).__name__}"
    return quoted if len(quoted) <= most else quoted[:most] + "..."


def _expect_texts(texts):
    if not isinstance(texts, (list, tuple)):
        raise ValueError(f"expected a list of texts, got {type(texts).__name__} {shown(texts)}")
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f"expected a text, got {type(text).__name__} {shown(text)}")


def _refuse_delimiter(texts):
    _expect_texts(texts)
    for text in texts:
        if DELIMITER in text:
            raise ValueError(
                f"expected a text without the delimiter {DELIMITER}, got {shown(text)}"
            )
