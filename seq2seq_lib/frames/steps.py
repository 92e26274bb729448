"""The steps of one answer, drawn: each for a frame of its own or for one beside another's."""

from dataclasses import dataclass

import numpy as np

from seq2seq_lib.frames.answer import tape
from seq2seq_lib.frames.cell import C_SCALE, inside
from seq2seq_lib.frames.parts import bare, bars, grid, named, tile

# Every text of this module that a reader sees or hears.
WORDS = {
    "reads": "reads {character}",
    "hands over": "passes h on",
    "writes": "writes {character}",
    "in": "reads",
    "fed in": "fed in",
    "h": "<b>h</b> after this step",
    "h over": "<b>h</b> goes to the decoder",
    "c over": "<b>c</b> goes to the decoder",
    "c stays": "<b>c</b> stays behind",
    "change": "change in this step",
    "probability": "probability in %",
    "probability and h": "probability in %, seeing <b>h</b> of the question too",
    "back": "{character} goes back in at step {step}",
}


@dataclass(frozen=True)
class Step:
    """One step of one model, drawn and not yet told of.

    part    : "encoder", "bridge" or "decoder"
    title   : what happens in it
    picture : the drawing, with what is inside the LSTM folded away
    """

    part: str
    title: str
    picture: str


def steps(answer):
    """Every step of an ``Answer``: T characters read, h handed over, S characters written"""
    return [
        *(_reads(answer, k) for k in range(len(answer.read))),
        _hands_over(answer),
        *(_writes(answer, k) for k in range(len(answer.written))),
    ]


def _reads(answer, k):
    encoder, zeros = answer.trace.encoder, np.zeros_like(answer.trace.encoder.h[0])
    h_before, c_before = (encoder.h[k - 1], encoder.c[k - 1]) if k else (zeros, zeros)
    h = grid(encoder.h[k], "h", WORDS["h"], before=h_before)
    change = grid(encoder.h[k] - h_before, "change", WORDS["change"])
    character = tile(answer.read[k], "character", tag="span")
    folded = "" if answer.passes_over(k) else inside(encoder, k, c_before)
    return Step(
        "encoder",
        WORDS["reads"].format(character=bare(named(answer.read[k]))),
        f'{tape(answer, k)}<div class="machine encoder">'
        f'<div class="fed"><b>{WORDS["in"]}</b>{character}</div>{h}{change}</div>{folded}',
    )


def _hands_over(answer):
    both = answer.recipe.pass_cell
    h = grid(answer.trace.bridge_h, "h", WORDS["h over"])
    c = grid(
        answer.trace.encoder.c[-1],
        "c" if both else "c left",
        WORDS["c over" if both else "c stays"],
        scale=C_SCALE,
    )
    return Step(
        "bridge",
        WORDS["hands over"],
        f'{tape(answer, len(answer.read))}<div class="machine bridge">{h}{c}</div>',
    )


def _writes(answer, k):
    t, decoder, peeky = answer.trace, answer.trace.decoder, answer.recipe.peeky
    h_before, c_before = (decoder.h[k - 1], decoder.c[k - 1]) if k else (t.bridge_h, t.bridge_c)
    h = grid(decoder.h[k], "h", WORDS["h"], before=h_before)
    wanted = answer.wanted[k]
    chart = bars(
        t.probabilities[k],
        answer.characters,
        t.choices[k],
        None if wanted is None else answer.characters.index(wanted),
        caption=WORDS["probability and h" if peeky else "probability"],
    )
    fed = tile(answer.characters[decoder.ids[k]], "character", tag="span")
    peek = '<span class="peek">+ h</span>' if peeky else ""
    kind = "decoder peeky" if peeky else "decoder"
    folded = inside(
        decoder,
        k,
        c_before,
        characters=answer.characters,
        scores=t.scores[k],
        peek=t.bridge_h if peeky else None,
    )
    return Step(
        "decoder",
        WORDS["writes"].format(character=bare(named(answer.written[k]))),
        f'{tape(answer, len(answer.read) + 1 + k)}<div class="machine {kind}">'
        f'<div class="fed"><b>{WORDS["fed in"]}</b>{fed}{peek}</div>'
        f"{h}{chart}{_way_back(answer, k)}</div>{folded}",
    )


def _way_back(answer, k):
    """The line from the chosen character to the next input, if there is a next step"""
    if k + 1 == len(answer.written):
        return ""
    character, step = bare(named(answer.written[k])), len(answer.read) + k + 3
    place = f"--k:{answer.trace.choices[k]};--n:{len(answer.characters)}"
    words = WORDS["back"].format(character=character, step=step)
    return f'<p class="loop" style="{place}"><span>{words}</span></p>'
