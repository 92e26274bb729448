"""The schematic figures of the chapters: each is one call, and says in words what it shows."""

from seq2seq_lib.captions import Drawing
from seq2seq_lib.drawings.arrays import layers_over_time, shift_by_one
from seq2seq_lib.drawings.backwards import bridge, gradient_check, zero_dhs
from seq2seq_lib.drawings.cells import lstm_backward, lstm_cell
from seq2seq_lib.drawings.peeks import (
    attention,
    concatenation,
    gradients_into_h,
    who_sees_h_peeky,
    who_sees_h_plain,
)
from seq2seq_lib.drawings.sentences import (
    decoder_unrolled,
    encoder_unrolled,
    translation,
    two_parts,
    whole_model,
)
from seq2seq_lib.drawings.sequences import loss_mask, pass_through, reading_orders
from seq2seq_lib.drawings.sums import (
    decoder_generating,
    decoder_in_training,
    decoder_layers,
    encoder_layers,
)

__all__ = [
    "Drawing",
    "attention",
    "bridge",
    "concatenation",
    "decoder_generating",
    "decoder_in_training",
    "decoder_layers",
    "decoder_unrolled",
    "encoder_layers",
    "encoder_unrolled",
    "gradient_check",
    "gradients_into_h",
    "layers_over_time",
    "loss_mask",
    "lstm_backward",
    "lstm_cell",
    "pass_through",
    "reading_orders",
    "shift_by_one",
    "translation",
    "two_parts",
    "who_sees_h_peeky",
    "who_sees_h_plain",
    "whole_model",
    "zero_dhs",
]
