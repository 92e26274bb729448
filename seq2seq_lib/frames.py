"""A trace as a list of drawn steps: text that a notebook and a page show alike.

No widget toolkit and no script is needed to look at a frame, and no other frame: each is HTML that
stands alone, given the styles of ``stepper.css``.
"""

from dataclasses import dataclass

import numpy as np

from seq2seq_lib.encoding import PAD
from seq2seq_lib.evaluation import right_characters
from seq2seq_lib.parts import (
    MOVED,
    SEEN,
    bare,
    bars,
    bold,
    gate,
    grid,
    named,
    plain,
    share,
    tile,
)

C_SCALE, X_SCALE = 2.0, 1.5  # what the largest mark stands for; h and the gates end at 1

# Every text of this module that a reader sees or hears.
WORDS = {
    "step": "Step {step} of {steps}",
    "encoder": "encoder",
    "bridge": "hand-over",
    "decoder": "decoder",
    "reads": "reads {character}",
    "hands over": "passes h on",
    "writes": "writes {character}",
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
    "nothing": "empty",
    "question tape": "question",
    "answer tape": "answer",
    "read backwards": "← read backwards",
    "should be": "↑ should be",
    "first wrong": "↑ first wrong",
    "units first": "↑ units first",
    "in": "reads",
    "fed in": "fed in",
    "h": "<b>h</b> after this step",
    "h over": "<b>h</b> goes to the decoder",
    "c over": "<b>c</b> goes to the decoder",
    "c stays": "<b>c</b> stays behind",
    "change": "change in this step",
    "back": "{character} goes back in at step {step}",
    "inside": "Inside the LSTM: gates and cell",
    "x": "<b>x</b> the character as {size} numbers",
    "scales": "c is drawn to ±{c:g}, x to ±{x:g}, everything else to ±1.",
    "probability": "probability in %",
    "probability and h": "probability in %, seeing <b>h</b> of the question too",
    "peek": "<b>h</b> of the question, the same at every step",
    "c before": "<b>c</b> before",
    "c now": "<b>c</b> now",
    "f": "<b>f</b> forget",
    "i": "<b>i</b> input",
    "g": "<b>g</b> candidate",
    "o": "<b>o</b> output",
    "h is": "h = tanh(c) ×",
    "scores": "scores",
    "both read": "{name} reads {character}.",
    "both hand over": "All that {name} hands over is h: {size} numbers.",
    "both hand over h and c": "{name} hands over h and c: {size} numbers each.",
    "both write": "{name} writes {character} ({share}\u00a0%).",
    "both right": "{name} writes {character} ({share}\u00a0%), which is right.",
    "both wrong": "{name} writes {character} ({share}\u00a0%), but {right} would be right.",
    "both answer": "{name}'s answer is {answer}.",
    "side by side": "side by side",
}


@dataclass(frozen=True)
class Frame:
    """One drawn step, as HTML.

    head     : where we are, on one line
    sentence : what the picture shows, in words
    picture  : the drawing, with what is for experts folded away in a ``<details>``
    """

    head: str
    sentence: str
    picture: str

    @property
    def label(self):
        """The head as text, for a menu"""
        return plain(self.head)

    def html(self, *, unfolded=False):
        """The whole frame"""
        picture = self.picture.replace("<details", "<details open") if unfolded else self.picture
        return f'<p class="head">{self.head}</p><p class="says">{self.sentence}</p>{picture}'


@dataclass(frozen=True)
class _Step:
    """One step of one model, before it is put into a frame alone or beside another's"""

    part: str
    title: str
    sentence: str
    short: str  # the sentence where there is no room for it
    drawing: str
    inside: str


def generation(trace, recipe, right=None):
    """The frames of one answer: T characters read, h handed over, S characters written.

    trace  : of a question that was encoded with ``recipe.layout``
    right  : the right answer, as text; None if nobody knows it
    """
    steps = _Story(trace, recipe, right).steps("")
    return [
        Frame(head(step.part, step.title, k, len(steps)), step.sentence, step.drawing + step.inside)
        for k, step in enumerate(steps, 1)
    ]


def comparison(traces, recipes, names, right=None):
    """The frames of one question's answers by several models, side by side, step by step.

    traces, recipes, names : one a model, in the same order, of questions of one width
    """
    stories = [
        _Story(*each, right).steps(name) for *each, name in zip(traces, recipes, names, strict=True)
    ]
    if len({len(steps) for steps in stories}) != 1:
        raise ValueError("traces: expected equally many steps of each model")
    frames = []
    for k, steps in enumerate(zip(*stories, strict=True), 1):
        halves = "".join(
            f'<div class="half"><p class="name">{bold(name)} {step.title}</p>'
            f"{step.drawing}{step.inside}</div>"
            for name, step in zip(names, steps, strict=True)
        )
        sentence = " ".join(dict.fromkeys(step.short for step in steps))
        title = WORDS["side by side"]
        frames.append(
            Frame(
                head(steps[0].part, title, k, len(stories[0])),
                sentence,
                f'<div class="halves">{halves}</div>',
            )
        )
    return frames


def head(part, title, step, steps):
    """The first line of a frame"""
    place = WORDS["step"].format(step=step, steps=steps)
    return f'<span>{place}</span> <b class="part {part}">{WORDS[part]}</b> <b>{title}</b>'


class _Story:
    """What all steps of one answer share"""

    def __init__(self, trace, recipe, right):
        self.trace, self.recipe, self.layout = trace, recipe, recipe.layout
        self.characters = self.layout.characters
        self.read = [self.characters[k] for k in trace.encoder.ids]
        self.chosen = [self.characters[k] for k in trace.choices]
        self.answer = right
        self.right = [None] * len(self.chosen)  # None: nobody knows, or it does not count
        if right is not None:
            answers = self.layout.encode_answers([right])
            _, counted = right_characters(trace.choices[None], answers, self.layout)
            for k in np.flatnonzero(counted):
                self.right[k] = self.characters[answers[0, 1 + k]]
        both = enumerate(zip(self.chosen, self.right, strict=True))
        self.first_wrong = next((k for k, (was, right) in both if right not in (was, None)), None)

    def steps(self, name):
        """Every step; ``name`` is the model's, where several are told of at once"""
        name = bold(name)
        return [
            *(self.encoder_step(k, name) for k in range(len(self.read))),
            self.hand_over(name),
            *(self.decoder_step(k, name) for k in range(len(self.chosen))),
        ]

    def encoder_step(self, k, name):
        steps, character = self.trace.encoder, named(self.read[k])
        before = {s: getattr(steps, s)[k - 1] if k else np.zeros_like(steps.h[0]) for s in "hc"}
        h, size = steps.h[k], len(steps.h[k])
        passed = self.recipe.pass_through and self.read[k] == PAD
        sentences = [
            WORDS["reading"].format(character=character, place=k + 1, count=len(self.read))
        ]
        if k == 0:
            sentences += [WORDS["backwards"]] * self.recipe.reverse
            sentences.append(WORDS["first h"].format(size=size))
        if passed:
            sentences.append(WORDS["passed"])
        elif k > 0:
            moved = int((np.abs(h - before["h"]) > MOVED).sum())
            turned = int((np.sign(h) * np.sign(before["h"]) < 0).sum())
            sentences.append(
                WORDS["moved"].format(moved=moved, size=size, least=MOVED, turned=turned)
            )
        change = grid(h - before["h"], "change", WORDS["change"])
        return _Step(
            "encoder",
            WORDS["reads"].format(character=bare(character)),
            " ".join(sentences),
            WORDS["both read"].format(name=name, character=character),
            self.tape(k)
            + self.machine(
                "encoder", self.read[k], grid(h, "h", WORDS["h"], before=before["h"]), change
            ),
            "" if passed else inside(steps, k, before["c"]),
        )

    def hand_over(self, name):
        size, both = len(self.trace.bridge_h), self.recipe.pass_cell
        sentences = [WORDS["bridge h and c" if both else "bridge h"].format(size=size)]
        sentences += [WORDS["peeking"]] * self.recipe.peeky
        c = grid(
            self.trace.encoder.c[-1],
            "c" if both else "c left",
            WORDS["c over" if both else "c stays"],
            scale=C_SCALE,
        )
        h = grid(self.trace.bridge_h, "h", WORDS["h over"])
        return _Step(
            "bridge",
            WORDS["hands over"],
            " ".join(sentences),
            WORDS["both hand over h and c" if both else "both hand over"].format(
                name=name, size=size
            ),
            f'{self.tape(len(self.read))}<div class="machine bridge">{h}{c}</div>',
            "",
        )

    def decoder_step(self, k, name):
        t, steps, peeky = self.trace, self.trace.decoder, self.recipe.peeky
        right = None if self.right[k] is None else self.characters.index(self.right[k])
        before_h, before_c = (steps.h[k - 1], steps.c[k - 1]) if k else (t.bridge_h, t.bridge_c)
        h = grid(steps.h[k], "h", WORDS["h"], before=before_h)
        chart = bars(
            t.probabilities[k],
            self.characters,
            t.choices[k],
            right,
            caption=WORDS["probability and h" if peeky else "probability"],
        )
        fed = self.characters[steps.ids[k]]
        return _Step(
            "decoder",
            WORDS["writes"].format(character=bare(named(self.chosen[k]))),
            " ".join(self.telling(k)),
            self.short(k, name),
            self.tape(len(self.read) + 1 + k)
            + self.machine("decoder", fed, h, chart + self.way_back(k)),
            inside(
                steps,
                k,
                before_c,
                characters=self.characters,
                scores=t.scores[k],
                peek=t.bridge_h if peeky else None,
            ),
        )

    def way_back(self, k):
        """The line from the chosen character to the next input, if there is a next step"""
        if k + 1 == len(self.chosen):
            return ""
        character, step = bare(named(self.chosen[k])), len(self.read) + k + 3
        place = f"--k:{self.trace.choices[k]};--n:{len(self.characters)}"
        words = WORDS["back"].format(character=character, step=step)
        return f'<p class="loop" style="{place}"><span>{words}</span></p>'

    def telling(self, k):
        """The sentences of a decoder's step"""
        probabilities = self.trace.probabilities[k]
        second = int(np.argsort(-probabilities, kind="stable")[1])
        chosen = named(self.chosen[k])
        yield WORDS["fed its own" if k else "fed"].format(
            character=named(self.characters[self.trace.decoder.ids[k]]),
            chosen=chosen,
            share=share(probabilities.max()),
        )
        if probabilities[second] >= SEEN:
            yield WORDS["second"].format(
                character=named(self.characters[second]), share=share(probabilities[second])
            )
        verdict, right = self.verdict(k)
        yield WORDS[verdict].format(character=chosen, first=bold(WORDS["first mistake"]), **right)
        if k + 1 == len(self.chosen):
            answer = self.text(self.chosen)
            if self.answer is None:
                yield WORDS["answer"].format(answer=answer)
            elif self.first_wrong is None:
                yield WORDS["answer right"].format(answer=answer)
            else:
                yield WORDS["answer wrong"].format(answer=answer, right=_answer(self.answer))

    def verdict(self, k):
        """What is to be said of the k-th character written, and what the right one is"""
        if self.right[k] is None:
            return "written", {}
        if self.chosen[k] == self.right[k]:
            return "is right", {}
        p = self.trace.probabilities[k][self.characters.index(self.right[k])]
        right = {"right": named(self.right[k]), "share": share(p)}
        return ("is wrong first" if k == self.first_wrong else "is wrong"), right

    def short(self, k, name):
        verdict, right = self.verdict(k)
        words = {"written": "both write", "is right": "both right"}.get(verdict, "both wrong")
        p = self.trace.probabilities[k].max()
        values = {**right, "character": named(self.chosen[k]), "share": share(p)}
        sentence = WORDS[words].format(name=name, **values)
        if k + 1 < len(self.chosen):
            return sentence
        answer = WORDS["both answer"].format(name=name, answer=self.text(self.chosen))
        return f"{sentence} {answer}"

    def text(self, characters):
        """Written characters as the answer that they are"""
        (answer,) = self.layout.decode_answers([[self.characters.index(c) for c in characters]])
        return _answer(answer)

    def tape(self, now):
        """The question and the answer, with the step's place in them marked"""
        order = range(len(self.read))
        question = "".join(
            tile(
                self.read[k],
                "now" if k == now else "read" if k < now else "",
                under=f"<i>{k + 1}</i>",
            )
            for k in (reversed(order) if self.recipe.reverse else order)
        )
        note = f"<em>{WORDS['read backwards']}</em>" if self.recipe.reverse else ""
        done = now - len(self.read)  # how many characters are written
        crossed = "bridge crossed" if done >= 0 else "bridge"
        return (
            f'<div class="tape" aria-hidden="true">'
            f'<div class="asked"><b>{WORDS["question tape"]}</b><ol>{question}</ol>{note}</div>'
            f'<div class="{crossed}"><span>h</span></div>'
            f'<div class="written"><b>{WORDS["answer tape"]}</b><ol>{self.answer_tiles(done)}</ol>'
            f"{self.answer_note(done)}</div></div>"
        )

    def answer_tiles(self, done):
        tiles = []
        for k, character in enumerate(self.chosen):
            known = self.right[k] is not None
            under = tile(self.right[k], tag="i") if known else ""
            if k >= done:
                tiles.append(f"<li>·{under}</li>")
                continue
            kind = ("ok" if character == self.right[k] else "bad") if known else "done"
            tiles.append(tile(character, f"{kind} now" if k + 1 == done else kind, under=under))
        return "".join(tiles)

    def answer_note(self, done):
        first = self.first_wrong
        if first is not None and first < done:
            place = 100 * first / len(self.chosen)
            return f'<em class="bad" style="margin-left:{place:.4g}%">{WORDS["first wrong"]}</em>'
        if self.recipe.units_first:
            return f"<em>{WORDS['units first']}</em>"
        return f"<em>{WORDS['should be']}</em>" if self.answer is not None else ""

    def machine(self, part, character, h, result):
        """What goes in, the hidden state, and what comes out of it"""
        peek = '<span class="peek">+ h</span>' if part == "decoder" and self.recipe.peeky else ""
        label = WORDS["in" if part == "encoder" else "fed in"]
        peeky = " peeky" if peek else ""
        return (
            f'<div class="machine {part}{peeky}"><div class="fed"><b>{label}</b>'
            f"{tile(character, 'character', tag='span')}{peek}</div>{h}{result}</div>"
        )


def _answer(text):
    return bold(text) if text else WORDS["nothing"]


def inside(steps, k, c_before, *, title=None, characters=None, scores=None, peek=None):
    """The LSTM's arrays at step k, folded away: every term of its equations in its place"""
    f, i, o, g = (steps.gates[name][k] for name in "fiog")
    x = grid(steps.x[k], "x", WORDS["x"].format(size=len(steps.x[k])), scale=X_SCALE)
    peeked = "" if peek is None else grid(peek, "h small", WORDS["peek"])
    terms = [
        grid(c_before, "c", WORDS["c before"], scale=C_SCALE),
        ("×", gate(f, "f", WORDS["f"])),
        ("+", gate(i, "i", WORDS["i"])),
        ("×", grid(g, "g", WORDS["g"])),
        ("=", grid(steps.c[k], "c", WORDS["c now"], scale=C_SCALE, before=c_before)),
        (WORDS["h is"], gate(o, "o", WORDS["o"])),
    ]
    equation = "".join(
        f"<div>{term}</div>" if isinstance(term, str) else f"<div><s>{term[0]}</s>{term[1]}</div>"
        for term in terms
    )
    scales = WORDS["scales"].format(c=C_SCALE, x=X_SCALE)
    told = ""
    if scores is not None:
        told = ", ".join(
            f"{bare(named(c))} {'−' if score < 0 else '+'}{abs(score):.1f}"
            for c, score in zip(characters, scores, strict=True)
        )
        told = f'<p class="scores"><b>{WORDS["scores"]}</b> {told}</p>'
    return (
        f'<details class="inside"><summary>{title or WORDS["inside"]}</summary>'
        f'{x}{peeked}<div class="terms">{equation}</div>{told}'
        f'<p class="scores">{scales}</p></details>'
    )
