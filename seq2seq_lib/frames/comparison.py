"""Several models answer the same question: their steps side by side, one frame for each."""

from seq2seq_lib.frames.answer import Answer, quoted
from seq2seq_lib.frames.frame import Frame, head
from seq2seq_lib.frames.parts import bold, named, share
from seq2seq_lib.frames.steps import steps

# Every text of this module that a reader sees or hears.
WORDS = {
    "title": "side by side",
    "reads": "{name} reads {character}.",
    "hands over h": "All that {name} hands over is h: {size} numbers.",
    "hands over h and c": "{name} hands over h and c: {size} numbers each.",
    "written": "{name} writes {character} ({share}\u00a0%).",
    "is right": "{name} writes {character} ({share}\u00a0%), which is right.",
    "is wrong": "{name} writes {character} ({share}\u00a0%), but {right} would be right.",
    "answer": "{name}'s answer is {answer}.",
}


def comparison(traces, recipes, names, right=None):
    """The frames of one question's answers by several models, side by side, step by step.

    traces, recipes, names : one a model, in the same order, of questions of one width
    """
    answers = [
        Answer(trace, recipe, right)
        for trace, recipe, _ in zip(traces, recipes, names, strict=True)
    ]
    names = [bold(name) for name in names]
    drawn = [steps(answer) for answer in answers]
    if len({len(each) for each in drawn}) != 1:
        raise ValueError("traces: expected equally many steps of each model")
    frames = []
    for k, side_by_side in enumerate(zip(*drawn, strict=True)):
        halves = "".join(
            f'<div class="half"><p class="name">{name} {step.title}</p>{step.picture}</div>'
            for name, step in zip(names, side_by_side, strict=True)
        )
        told = (_sentence(*each, k) for each in zip(names, answers, strict=True))
        frames.append(
            Frame(
                head(side_by_side[0].part, WORDS["title"], k + 1, len(drawn[0])),
                " ".join(dict.fromkeys(told)),
                f'<div class="halves">{halves}</div>',
            )
        )
    return frames


def _sentence(name, answer, step):
    """What is said of one model's step, where there is room for little"""
    if step < len(answer.read):
        return WORDS["reads"].format(name=name, character=named(answer.read[step]))
    if step == len(answer.read):
        words = "hands over h and c" if answer.recipe.pass_cell else "hands over h"
        return WORDS[words].format(name=name, size=len(answer.trace.bridge_h))
    k = step - len(answer.read) - 1
    verdict, right = answer.verdict(k)
    p = answer.trace.probabilities[k].max()
    values = {**right, "character": named(answer.written[k]), "share": share(p)}
    words = {"is wrong first": "is wrong"}.get(verdict, verdict)
    sentence = WORDS[words].format(name=name, **values)
    if k + 1 < len(answer.written):
        return sentence
    return f"{sentence} {WORDS['answer'].format(name=name, answer=quoted(answer.text()))}"
