"""A trained model as a person uses it: ``solver("57+5") == "62"``."""

import re
import threading
from importlib import resources

from seq2seq_lib.checkpoint import load_checkpoint
from seq2seq_lib.encoding import shown
from seq2seq_lib.evaluation import write_answers
from seq2seq_lib.recipe import ADDITIONS, VARIANTS
from seq2seq_lib.trace import trace

BEST = "best"
PRETRAINED = *VARIANTS, BEST  # the trained models that come with the library
SUM = re.compile(r"\s*(0|[1-9][0-9]{0,2})\s*\+\s*(0|[1-9][0-9]{0,2})\s*", re.ASCII)


class Solver:
    """Text in, text out, with a model and the recipe that says how text becomes ids."""

    def __init__(self, model, recipe):
        self.model, self.recipe, self.layout = model, recipe, recipe.layout
        self._one_at_a_time = threading.Lock()  # layers keep their last call; threads may share us

    def __call__(self, question):
        """A question -> its answer; a list of questions -> a list of answers.

        Raises ValueError for what is no question, saying what is expected and what came.
        """
        if isinstance(question, str):
            return self([question])[0]
        rows = self._encoded(question)
        with self._one_at_a_time:
            return self.layout.decode_answers(write_answers(self.model, self.layout, rows))

    def encode(self, question):
        """A question -> h (H,), all that the decoder will know of it"""
        return self.trace(question).bridge_h

    def trace(self, question, *, answer=None):
        """A question -> the ``Trace`` of every step of its answer.

        With ``answer``, a text, its characters are fed, whatever the model chooses.
        """
        row = self._encoded([question])[0]
        start_id, sample_size = self.layout.start_id, self.layout.sample_size
        if answer is not None:
            answer = self.layout.encode_answers([answer])[0, 1:]
        with self._one_at_a_time:
            return trace(self.model, row, start_id, sample_size, answer=answer)

    def _encoded(self, questions):
        if not isinstance(questions, (list, tuple)):
            raise ValueError(f"expected a question or a list of them, got {shown(questions)}")
        return self.layout.encode_questions([self.normalised(q) for q in questions])

    def normalised(self, question):
        """The question as the model was trained to read it: "  57 + 5 " -> "57+5"."""
        if not isinstance(question, str):
            raise ValueError(f"expected a question as text, like '57+5', got {shown(question)}")
        if self.recipe.data != ADDITIONS:
            if not question.strip():
                raise ValueError(f"expected a question, got {shown(question)}")
            return question.strip()
        return "+".join(_numbers(question))


def right_answer(question):
    """The answer to an addition: "57+5" -> "62". Raises ValueError as a ``Solver`` does."""
    return str(sum(map(int, _numbers(question))))


def _numbers(question):
    found = SUM.fullmatch(question)
    if not found:
        raise ValueError(
            "expected two numbers from 0 to 999 joined by a plus, like '57+5', "
            f"got {shown(question)}"
        )
    return found.groups()


def load_pretrained(name="reverse+peeky"):
    """The ``Solver`` of one of the trained models that come with the library: ``PRETRAINED``.

    A variant's is the middle one of five runs under the source's recipe. "best" had the same data,
    hidden size and number of epochs; of the runs along the road to it, it has the fewest wrong
    sums of a million, so that number flatters it. Raises ValueError for another name.
    """
    with pretrained_file(name) as path:
        return load_solver(path)


def pretrained_file(name):
    """A context manager with the path of a shipped model. Raises ValueError as above."""
    if not isinstance(name, str) or name not in PRETRAINED:
        raise ValueError(f"model: expected one of {', '.join(PRETRAINED)}, got {shown(name)}")
    return resources.as_file(resources.files("seq2seq_lib") / "pretrained" / f"{name}.npz")


def load_solver(path):
    """The ``Solver`` of a checkpoint file. Raises CheckpointError."""
    checkpoint = load_checkpoint(path)
    return Solver(checkpoint.model, checkpoint.recipe)
