"""One answer as characters: read, written, right or wrong; and the tape that shows them."""

import numpy as np

from seq2seq_lib.encoding import PAD
from seq2seq_lib.evaluation import right_characters
from seq2seq_lib.frames.parts import bold, named, share, tile

# Every text of this module that a reader sees or hears.
WORDS = {
    "nothing": "empty",
    "question": "question",
    "answer": "answer",
    "read backwards": "← read backwards",
    "should be": "↑ should be",
    "first wrong": "↑ first wrong",
    "units first": "↑ units first",
}


class Answer:
    """What is known of one answer, whichever of its steps is looked at.

    right       : the right answer, as text; None if nobody knows it
    read        : the characters that the encoder reads, in order
    written     : those that the decoder chooses
    wanted      : what is right in their places; None where nobody knows, or where it does not count
    first_wrong : the place of the first mistake; None if there is none
    """

    def __init__(self, trace, recipe, right=None):
        self.trace, self.recipe, self.right = trace, recipe, right
        self.characters = recipe.layout.characters
        self.read = [self.characters[k] for k in trace.encoder.ids]
        self.written = [self.characters[k] for k in trace.choices]
        self.wanted = [None] * len(self.written)
        if right is not None:
            answers = recipe.layout.encode_answers([right])
            _, counted = right_characters(trace.choices[None], answers, recipe.layout)
            for k in np.flatnonzero(counted):
                self.wanted[k] = self.characters[answers[0, 1 + k]]
        both = enumerate(zip(self.written, self.wanted, strict=True))
        self.first_wrong = next((k for k, (was, right) in both if right not in (was, None)), None)

    def passes_over(self, k):
        """Whether the k-th character read is a blank that changes nothing"""
        return self.recipe.pass_through and self.read[k] == PAD

    def verdict(self, k):
        """What is to be said of the k-th character written, and what the right one is"""
        if self.wanted[k] is None:
            return "written", {}
        if self.written[k] == self.wanted[k]:
            return "is right", {}
        p = self.trace.probabilities[k][self.characters.index(self.wanted[k])]
        right = {"right": named(self.wanted[k]), "share": share(p)}
        return ("is wrong first" if k == self.first_wrong else "is wrong"), right

    def text(self):
        """What was written, as the answer that it is"""
        (answer,) = self.recipe.layout.decode_answers([self.trace.choices])
        return answer


def quoted(answer):
    """An answer within a sentence"""
    return bold(answer) if answer else WORDS["nothing"]


def tape(answer, now):
    """The question and the answer, with the step's place in them marked"""
    order = range(len(answer.read))
    question = "".join(
        tile(
            answer.read[k],
            "now" if k == now else "read" if k < now else "",
            under=f"<i>{k + 1}</i>",
        )
        for k in (reversed(order) if answer.recipe.reverse else order)
    )
    note = f"<em>{WORDS['read backwards']}</em>" if answer.recipe.reverse else ""
    done = now - len(answer.read)  # how many characters are written
    crossed = "bridge crossed" if done >= 0 else "bridge"
    return (
        f'<div class="tape" aria-hidden="true">'
        f'<div class="asked"><b>{WORDS["question"]}</b><ol>{question}</ol>{note}</div>'
        f'<div class="{crossed}"><span>h</span></div>'
        f'<div class="written"><b>{WORDS["answer"]}</b><ol>{_tiles(answer, done)}</ol>'
        f"{_note(answer, done)}</div></div>"
    )


def _tiles(answer, done):
    """What is written so far, over what is right"""
    tiles = []
    for k, (character, right) in enumerate(zip(answer.written, answer.wanted, strict=True)):
        under = "" if right is None else tile(right, tag="i")
        if k >= done:
            tiles.append(f"<li>·{under}</li>")
            continue
        kind = "done" if right is None else "ok" if character == right else "bad"
        tiles.append(tile(character, f"{kind} now" if k + 1 == done else kind, under=under))
    return "".join(tiles)


def _note(answer, done):
    """What stands under the answer: where its first mistake is, or how to read it"""
    first = answer.first_wrong
    if first is not None and first < done:
        place = 100 * first / len(answer.written)
        return f'<em class="bad" style="margin-left:{place:.4g}%">{WORDS["first wrong"]}</em>'
    if answer.recipe.units_first:
        return f"<em>{WORDS['units first']}</em>"
    return f"<em>{WORDS['should be']}</em>" if answer.right is not None else ""
