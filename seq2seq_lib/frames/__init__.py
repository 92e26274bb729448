"""A trace as a list of drawn steps: text that a notebook and a page show alike."""

from seq2seq_lib.frames.cell import cell
from seq2seq_lib.frames.comparison import comparison
from seq2seq_lib.frames.epochs import epochs
from seq2seq_lib.frames.forcing import forcing
from seq2seq_lib.frames.frame import Frame
from seq2seq_lib.frames.generation import generation

__all__ = ["Frame", "cell", "comparison", "epochs", "forcing", "generation"]
