"""Sequence to sequence from scratch: an encoder-decoder LSTM in NumPy that learns to add.

>>> from seq2seq_lib import load_pretrained
>>> solver = load_pretrained("reverse+peeky")
>>> solver("57+5")
'62'
"""

from seq2seq_lib.checkpoint import load_checkpoint, save_checkpoint
from seq2seq_lib.data import Examples, make_additions, split_additions
from seq2seq_lib.encoding import Layout, Vocabulary
from seq2seq_lib.models import Decoder, Encoder, PeekyDecoder, PeekySeq2seq, Seq2seq
from seq2seq_lib.question_files import read_examples
from seq2seq_lib.recipe import VARIANTS, Recipe
from seq2seq_lib.solver import Solver, load_pretrained, load_solver
from seq2seq_lib.training import Trainer

__all__ = [
    "VARIANTS",
    "Decoder",
    "Encoder",
    "Examples",
    "Layout",
    "PeekyDecoder",
    "PeekySeq2seq",
    "Recipe",
    "Seq2seq",
    "Solver",
    "Trainer",
    "Vocabulary",
    "load_checkpoint",
    "load_pretrained",
    "load_solver",
    "make_additions",
    "read_examples",
    "save_checkpoint",
    "split_additions",
]
