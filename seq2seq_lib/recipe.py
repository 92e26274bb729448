"""Everything that decides a run, in one frozen record, and the model and data that follow."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np

from seq2seq_lib.data import split_additions, split_examples
from seq2seq_lib.encoding import ADDITION_CHARACTERS, DELIMITER, PAD, SIDES, Layout, shown
from seq2seq_lib.models import PeekySeq2seq, Seq2seq

ADDITIONS = "additions"
CHOICES = {"padding": SIDES, "schedule": ("constant", "cosine")}
WARM_UP = 0.05  # of all updates, with the cosine schedule
VARIANTS = {
    "baseline": {},
    "reverse": {"reverse": True},
    "peeky": {"peeky": True},
    "reverse+peeky": {"reverse": True, "peeky": True},
}
SMALLEST_AND_LARGEST = {
    "wordvec_size": (1, 1024),
    "hidden_size": (1, 1024),
    "batch_size": (1, 1_000_000),
    "epochs": (0, 10_000),
    "learning_rate": (0, 1e6),
    "max_norm": (0, 1e9),
    "seed": (0, 2**63 - 1),
    "data_seed": (0, 2**63 - 1),
    "train_size": (1, 500_500),
    "validation_size": (1, 500_500),
    "test_size": (1, 500_500),
    "question_width": (1, 200),
    "answer_width": (1, 200),
}


def about(default, text):
    """A field with a default and a sentence on what it decides, for ``--help`` and readers alike"""
    return field(default=default, metadata={"about": text})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A run: what is trained, on what, how. The defaults are the source's baseline.

    Two equal recipes give the same numbers, bit for bit, on the same machine with the same number
    of threads. Raises ValueError naming the field, what it may be and what it got.
    """

    reverse: bool = about(False, "the encoder reads the row from its end")
    peeky: bool = about(False, "every step of the decoder sees h")
    pass_cell: bool = about(False, "the decoder gets the encoder's memory cell as well as h")
    padding: str = about("end", "the side of the written question at which the blanks are")
    end_mark: bool = about(False, "the answer is closed by a second delimiter")
    units_first: bool = about(False, "the answer is written from its last digit to its first")
    mask_loss: bool = about(False, "the loss does not count blanks")
    pass_through: bool = about(False, "the encoder hands its state on, unchanged, at blanks")
    wordvec_size: int = about(16, "D, numbers in a character's vector")
    hidden_size: int = about(128, "H, numbers in the hidden state")
    batch_size: int = about(128, "N, questions an update")
    epochs: int = about(25, "times that every question is seen")
    learning_rate: float = about(0.001, "how far Adam moves at a step")
    max_norm: float = about(5.0, "of all gradients together; longer ones are clipped to it")
    schedule: str = about("constant", "how the learning rate changes from update to update")
    seed: int = about(0, "decides the initial values and the order of the questions")
    data: str = about(ADDITIONS, "or the checksum of other examples")
    data_seed: int = about(0, "decides the questions, and what is held out")
    train_size: int = about(45_000, "questions to learn from")
    validation_size: int = about(5_000, "questions to look at after each epoch")
    test_size: int = about(5_000, "questions to look at once, at the end")
    characters: str = about(ADDITION_CHARACTERS, "the vocabulary, in the order of ids")
    question_width: int = about(7, "characters in a padded question")
    answer_width: int = about(4, "characters in a padded answer")

    def __post_init__(self):
        for known in fields(self):
            _check(known.name, getattr(self, known.name), known.type)
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                wanted = ", ".join(allowed)
                raise ValueError(f"{name}: expected one of {wanted}, got {shown(value)}")
        characters = self.characters
        if not 3 <= len(set(characters)) == len(characters) <= 10_000 or not (
            {PAD, DELIMITER} <= set(characters)
        ):
            raise ValueError(
                f"characters: expected 3 to 10,000 different ones, with blank and {DELIMITER}, "
                f"got {shown(characters)}"
            )

    @classmethod
    def of(cls, variant, **changes):
        """The source's recipe for one of ``VARIANTS``, with ``changes``."""
        if not isinstance(variant, str) or variant not in VARIANTS:
            raise ValueError(
                f"variant: expected one of {', '.join(VARIANTS)}, got {shown(variant)}"
            )
        return cls(**VARIANTS[variant], **changes)

    @classmethod
    def from_dict(cls, values):
        """The inverse of ``to_dict``. A missing field has its default; an unknown one is refused"""
        if not isinstance(values, dict):
            raise ValueError(f"recipe: expected a JSON object, got {type(values).__name__}")
        unknown = sorted(values.keys() - {known.name for known in fields(cls)})
        if unknown:
            raise ValueError(f"recipe: expected known fields, got {ascii(', '.join(unknown))[:80]}")
        return cls(**values)

    def to_dict(self):
        """All fields by name, as JSON can keep them"""
        return asdict(self)

    def to_json(self):
        """All fields as one line of JSON"""
        return json.dumps(self.to_dict())

    def replace(self, **changes):
        """The same recipe with some fields changed"""
        return replace(self, **changes)

    @property
    def variant(self):
        """The name of the two switches that the source varies, a key of ``VARIANTS``"""
        switches = {"reverse": self.reverse, "peeky": self.peeky}
        on = {name: True for name, value in switches.items() if value}
        return next(name for name, wanted in VARIANTS.items() if wanted == on)

    @property
    def layout(self):
        """How questions and answers become rows of ids: a ``Layout``"""
        return Layout(
            characters=self.characters,
            question_width=self.question_width,
            answer_width=self.answer_width,
            reverse=self.reverse,
            padding=self.padding,
            end_mark=self.end_mark,
            units_first=self.units_first,
        )

    def rng(self, stage):
        """The Generator of one stage: 0 draws initial values, e orders the questions of epoch e.

        A stage's draws depend on no other stage, so a run that is resumed goes on as if it had
        never stopped.
        """
        return np.random.default_rng([self.seed, stage])

    def rate(self, update, updates):
        """The learning rate of one of all ``updates``, counted from 0.

        "cosine" rises in a line for the first twentieth, then falls along half a cosine to zero.
        """
        if self.schedule == "constant":
            return self.learning_rate
        warm_up = WARM_UP * updates
        if update < warm_up:
            return self.learning_rate * (update + 1) / (warm_up + 1)
        done = (update - warm_up) / (updates - warm_up)
        return self.learning_rate * (1 + math.cos(math.pi * done)) / 2

    def build_model(self):
        """A fresh model with this recipe's initial values"""
        layout = self.layout
        return (PeekySeq2seq if self.peeky else Seq2seq)(
            len(layout.vocabulary),
            self.wordvec_size,
            self.hidden_size,
            pad_id=layout.pad_id if self.pass_through else None,
            ignore_id=layout.pad_id if self.mask_loss else None,
            pass_cell=self.pass_cell,
            rng=self.rng(0),
        )

    def for_examples(self, examples):
        """The same recipe for other questions: their checksum, sizes, widths and characters."""
        if self.mask_loss or self.pass_through:
            for text in examples.questions + examples.answers:
                if PAD in text:
                    raise ValueError(
                        "mask_loss and pass_through take every blank for padding: expected "
                        f"questions and answers without blanks, got {shown(text)}"
                    )
        used = set("".join(examples.questions + examples.answers)) | {PAD, DELIMITER}
        standard = used <= set(ADDITION_CHARACTERS)
        train, validation, test = self._split(examples)
        if not (train.questions and validation.questions and test.questions):
            raise ValueError(
                "data: expected enough questions to train, validate and test on, "
                f"got {len(examples.questions)}"
            )
        return self.replace(
            data=_checksum(examples),
            train_size=len(train.questions),
            validation_size=len(validation.questions),
            test_size=len(test.questions),
            characters=ADDITION_CHARACTERS if standard else "".join(sorted(used)),
            question_width=max(map(len, examples.questions)),
            answer_width=max(map(len, examples.answers)),
        )

    def splits(self, examples=None):
        """What to train, validate and test on: ``Splits`` of additions, or of these examples"""
        if self.data == ADDITIONS and examples is None:
            return split_additions(
                np.random.default_rng(self.data_seed),
                train=self.train_size,
                validation=self.validation_size,
                test=self.test_size,
            )
        if examples is None:
            raise ValueError("data: expected the file of questions that this recipe is for")
        if not self.is_for(examples):
            raise ValueError("data: expected the questions that this recipe is for, got others")
        return self._split(examples)

    def is_for(self, examples):
        """Whether these are the very examples that the recipe was made for"""
        return self.data == _checksum(examples)

    def _split(self, examples):
        return split_examples(examples, np.random.default_rng(self.data_seed))


def _checksum(examples):
    lines = map(DELIMITER.join, zip(*examples, strict=True))
    return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check(name, value, kind):
    number = (int, float) if kind is float else kind
    if not isinstance(value, number) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name}: expected {kind.__name__}, got {shown(value)}")
    if name in SMALLEST_AND_LARGEST:
        least, most = SMALLEST_AND_LARGEST[name]
        above = value > least if kind is float else value >= least
        if not (above and value <= most):
            span = f"more than {least}" if kind is float else f"{least:,} or more"
            raise ValueError(f"{name}: expected {span} and at most {most:,}, got {shown(value)}")
