"""One model answers a question: a frame for each step, and what is said of it."""

import numpy as np

from seq2seq_lib.frames.answer import Answer, quoted
from seq2seq_lib.frames.frame import Frame, head
from seq2seq_lib.frames.parts import MOVED, SEEN, bold, named, share
from seq2seq_lib.frames.steps import steps

# Every text of this module that a reader sees or hears.
WORDS = {
    "reading": "The encoder reads {character}, character {place} of {count}.",
    "backwards": "The question is read from its last character to its first.",
    "first h": "Before, all {size} numbers of h were zero.",
    "moved": "{moved} of the {size} numbers of h move by more than {least}; {turned} change sign.",
    "passed": "This model passes over blanks: h and c stay as they were.",
    "bridge h": "The decoder never sees the question. All that it gets of it are the {size} "
    "numbers of h. The memory cell c stays behind, and the decoder's starts at zero.",
    "bridge h and c": "The decoder never sees the question. All that it gets of it are the {size} "
    "numbers of h, and as many of the memory cell c.",
    "peeking": "This decoder looks at the encoder's h again at every step.",
    "fed": "Fed {character}, the decoder finds {chosen} most likely: {share}\u00a0%.",
    "fed its own": "Fed its last choice, {character}, the decoder finds {chosen} most likely: "
    "{share}\u00a0%.",
    "second": "Next comes {character}: {share}\u00a0%.",
    "written": "It writes {character}.",
    "is right": "It writes {character}, which is right.",
    "is wrong": "It writes {character}. Right would be {right}: {share}\u00a0%.",
    "is wrong first": "It writes {character}. Right would be {right}: {share}\u00a0%. "
    "This is {first}.",
    "first mistake": "the first mistake",
    "answer": "The answer is {answer}.",
    "answer right": "The answer is {answer}, as it should be.",
    "answer wrong": "The answer is {answer}; it should be {right}.",
}


def generation(trace, recipe, right=None):
    """The frames of one answer: T characters read, h handed over, S characters written.

    trace  : of a question that was encoded with ``recipe.layout``
    right  : the right answer, as text; None if nobody knows it
    """
    answer = Answer(trace, recipe, right)
    drawn = steps(answer)
    told = [
        *(_reading(answer, k) for k in range(len(answer.read))),
        _handing_over(answer),
        *(_writing(answer, k) for k in range(len(answer.written))),
    ]
    return [
        Frame(head(step.part, step.title, k, len(drawn)), " ".join(sentences), step.picture)
        for k, (step, sentences) in enumerate(zip(drawn, told, strict=True), 1)
    ]


def _reading(answer, k):
    """The sentences of an encoder's step"""
    h, size = answer.trace.encoder.h, answer.trace.encoder.h.shape[1]
    yield WORDS["reading"].format(
        character=named(answer.read[k]), place=k + 1, count=len(answer.read)
    )
    if k == 0:
        if answer.recipe.reverse:
            yield WORDS["backwards"]
        yield WORDS["first h"].format(size=size)
    if answer.passes_over(k):
        yield WORDS["passed"]
    elif k > 0:
        moved = int((np.abs(h[k] - h[k - 1]) > MOVED).sum())
        turned = int((np.sign(h[k]) * np.sign(h[k - 1]) < 0).sum())
        yield WORDS["moved"].format(moved=moved, size=size, least=MOVED, turned=turned)


def _handing_over(answer):
    """The sentences of the bridge"""
    words = "bridge h and c" if answer.recipe.pass_cell else "bridge h"
    yield WORDS[words].format(size=len(answer.trace.bridge_h))
    if answer.recipe.peeky:
        yield WORDS["peeking"]


def _writing(answer, k):
    """The sentences of a decoder's step"""
    probabilities = answer.trace.probabilities[k]
    second = int(np.argsort(-probabilities, kind="stable")[1])
    chosen = named(answer.written[k])
    yield WORDS["fed its own" if k else "fed"].format(
        character=named(answer.characters[answer.trace.decoder.ids[k]]),
        chosen=chosen,
        share=share(probabilities.max()),
    )
    if probabilities[second] >= SEEN:
        yield WORDS["second"].format(
            character=named(answer.characters[second]), share=share(probabilities[second])
        )
    verdict, right = answer.verdict(k)
    yield WORDS[verdict].format(character=chosen, first=bold(WORDS["first mistake"]), **right)
    if k + 1 == len(answer.written):
        whole = quoted(answer.text())
        if answer.right is None:
            yield WORDS["answer"].format(answer=whole)
        elif answer.first_wrong is None:
            yield WORDS["answer right"].format(answer=whole)
        else:
            yield WORDS["answer wrong"].format(answer=whole, right=quoted(answer.right))
