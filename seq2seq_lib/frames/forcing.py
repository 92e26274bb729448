"""A decoder that is fed the right answer, as in training, beside one fed its own choices."""

import numpy as np

from seq2seq_lib.frames.cell import inside
from seq2seq_lib.frames.frame import Frame, head
from seq2seq_lib.frames.parts import bars, named, scrolling, tile
from seq2seq_lib.functions import log_softmax

# Every text of this module that a reader sees or hears.
WORDS = {
    "character": "character {place}",
    "forced row": "training is fed",
    "free row": "generating is fed",
    "writes": "prefers",
    "right row": "right answer",
    "loss": "loss",
    "start alike": "Both decoders start with the h of the question and the start mark.",
    "fed alike": "Both are fed {character} again, so nothing differs yet.",
    "first difference": "Here they part. In training the decoder is fed {right}, which is right. "
    "Generating, it is fed {fed}, its own mistake.",
    "fed apart": "In training the decoder is fed {right}; generating, it is fed {fed}.",
    "fed alike again": "Both are fed {character}, but after different characters.",
    "prefer alike": "Both prefer {chosen}; right is {right}.",
    "prefer alike right": "Both prefer {chosen}, which is right.",
    "prefer apart": "Training prefers {forced}, generating {free}; right is {right}.",
    "costs": "The loss in training is −ln {p:.3f} = {loss:.2f}, from the probability of the right "
    "character.",
    "forced bars": "training: probability in %",
    "free bars": "generating: probability in %",
    "forced inside": "Inside the LSTM in training",
    "free inside": "Inside the LSTM while generating",
    "feeding": "What the decoder is fed and what it prefers",
}


def forcing(free, forced, recipe, right):
    """Frames of a decoder that is fed the right answer beside the same one fed its own choices.

    free, forced : two traces of one question, the second with the right answer fed
    right        : the right answer, as text
    """
    characters = recipe.layout.characters
    answer = recipe.layout.encode_answers([right])[0, 1:]
    traces = {"forced": forced, "free": free}
    steps = len(answer)
    losses = 0.0 - log_softmax(forced.scores)[np.arange(steps), answer]  # never "-0.00"
    apart = free.decoder.ids != forced.decoder.ids
    first = int(apart.argmax()) if apart.any() else None
    frames = []
    for k in range(steps):
        fed = {name: named(characters[t.decoder.ids[k]]) for name, t in traces.items()}
        chosen = {name: named(characters[t.choices[k]]) for name, t in traces.items()}
        wanted, p = named(characters[answer[k]]), forced.probabilities[k, answer[k]]
        if k == 0:
            start = "start alike"
        elif first is None or k < first:
            start = "fed alike"
        elif k == first:
            start = "first difference"
        else:
            start = "fed apart" if apart[k] else "fed alike again"
        end = "prefer alike" if chosen["forced"] == chosen["free"] else "prefer apart"
        if end == "prefer alike" and chosen["free"] == wanted:
            end = "prefer alike right"
        sentences = [
            WORDS[start].format(character=fed["free"], right=fed["forced"], fed=fed["free"]),
            WORDS[end].format(chosen=chosen["free"], right=wanted, **chosen),
            WORDS["costs"].format(p=p, loss=losses[k]),
        ]
        charts = "".join(
            bars(
                t.probabilities[k],
                characters,
                t.choices[k],
                answer[k],
                caption=WORDS[f"{name} bars"],
            )
            for name, t in traces.items()
        )
        folded = "".join(
            inside(
                t.decoder, k, t.decoder.c[k - 1] if k else t.bridge_c, title=WORDS[f"{name} inside"]
            )
            for name, t in traces.items()
        )
        picture = (
            f"{_feeding(traces, answer, losses, characters, k, first)}"
            f'<div class="halves">{charts}</div>{folded}'
        )
        title = WORDS["character"].format(place=k + 1)
        frames.append(Frame(head("decoder", title, k + 1, steps), " ".join(sentences), picture))
    return frames


def _feeding(traces, answer, losses, characters, now, first):
    """What both decoders were fed and preferred so far, and what is right, a column a step"""

    def row(label, cells, kind=""):
        return f'<tr{kind}><th scope="row">{label}</th>{"".join(cells)}</tr>'

    def cell(k, text):
        here = ' aria-current="step" class="now"' if k == now else ""
        return f"<td{here}>{text if k <= now else ''}</td>"

    rows = []
    for name, t in traces.items():
        fed = [
            tile(characters[c], "fed apart" if k == first and name == "free" else "fed", tag="span")
            for k, c in enumerate(t.decoder.ids)
        ]
        written = [
            tile(characters[c], "ok" if c == answer[k] else "bad", tag="span")
            for k, c in enumerate(t.choices)
        ]
        for label, tiles in (f"{name} row", fed), ("writes", written):
            rows.append(row(WORDS[label], (cell(k, each) for k, each in enumerate(tiles))))
        if name == "forced":
            rows.append(
                row(WORDS["loss"], (cell(k, f"{loss:.2f}") for k, loss in enumerate(losses)))
            )
    wanted = (f"<td>{tile(characters[c], 'goal', tag='span')}</td>" for c in answer)
    rows.append(row(WORDS["right row"], wanted))
    return scrolling("feeding", WORDS["feeding"], f"<table><tbody>{''.join(rows)}</tbody></table>")
