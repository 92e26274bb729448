"""Frames that look at one thing closely: feeding, one LSTM step, the epochs of training."""

import html

import numpy as np

from seq2seq_lib.frames import C_SCALE, X_SCALE, Frame, head, inside
from seq2seq_lib.functions import log_softmax
from seq2seq_lib.palette import LINES, variable
from seq2seq_lib.parts import bars, bold, gate, grid, named, tile

DASHES = {":": "1.5 3.5", "--": "7 4", "-.": "8 3 1.5 3", "-": "none"}

# Every text of this module that a reader sees or hears.
WORDS = {
    "character": "character {place}",
    "forced": "training",
    "free": "generating",
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
    "forced bars": "training: probability in %",
    "free bars": "generating: probability in %",
    "forced inside": "Inside the LSTM in training",
    "free inside": "Inside the LSTM while generating",
    "costs": "The loss in training is −ln {p:.3f} = {loss:.2f}, from the probability of the right "
    "character.",
    "inputs": "what comes in",
    "forgetting": "what is kept",
    "adding": "what is added",
    "cell": "the new memory cell",
    "output": "the new hidden state",
    "inputs say": "Three vectors come in: x, the {D} numbers of {character}; h, the {H} numbers "
    "of the step before; and c, the memory cell of the step before.",
    "forgetting say": "The forget gate f looks at x and h. Each of its {H} numbers lies between "
    "0, forget, and 1, keep. It is multiplied with c.",
    "adding say": "The candidate g is what could be written into the cell, between −1 and 1. The "
    "input gate i says how much of it is.",
    "cell say": "What is kept plus what is added is the new memory cell c.",
    "output say": "tanh brings c between −1 and 1. The output gate o says how much of it is shown "
    "as h.",
    "follow": "Follow one unit, number {unit} of {H}, framed in every grid:",
    "unit": "unit {unit}",
    "x": "<b>x</b> of {character}",
    "h before": "<b>h</b> before",
    "c before": "<b>c</b> before",
    "f": "<b>f</b> forget gate",
    "i": "<b>i</b> input gate",
    "g": "<b>g</b> candidate",
    "o": "<b>o</b> output gate",
    "kept": "<b>f × c</b>",
    "added": "<b>i × g</b>",
    "c now": "<b>c</b> now",
    "squashed": "<b>tanh(c)</b>",
    "h now": "<b>h</b> now",
    "epoch": "After epoch {epoch} of {epochs}",
    "before": "Before training",
    "exact": "{name} {share:.1f}\u00a0%",
    "epoch say": "Exact match on validation questions: {shares}. Right of the {count} questions "
    "below: {right}.",
    "right of": "{name} {right}",
    "curves": "exact match on validation questions, %",
    "curves label": "Curves of {names} over {epochs} epochs, marked at epoch {epoch}.",
    "question": "question",
    "trained": "trained",
    "mirrored": "mirrored",
    "new": "new",
    "feeding": "What the decoder is fed and what it prefers",
    "answers": "Answers after this epoch",
    "known": "Trained: the question was learnt from. Mirrored: its mirror image was.",
    "ok": "right",
    "bad": "wrong",
    "empty": "(empty)",
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
    return _scrolling("feeding", f"<table><tbody>{''.join(rows)}</tbody></table>")


def cell(trace, recipe, place):
    """Frames of one step of the encoder's LSTM, taken apart: the ``place``-th character, from 0.

    Raises ValueError if the encoder read no such character, or passed over it.
    """
    steps, H = trace.encoder, trace.encoder.h.shape[1]
    if not 0 <= place < len(steps.ids):
        raise ValueError(f"place: expected 0 to {len(steps.ids) - 1}, got {place}")
    if recipe.pass_through and steps.ids[place] == recipe.layout.pad_id:
        raise ValueError(f"place: expected a character that is read, got the blank at {place}")
    character = named(recipe.layout.characters[steps.ids[place]])
    f, i, o, g = (steps.gates[name][place] for name in "fiog")
    zeros = np.zeros_like(steps.h[0])
    h_before, c_before = (steps.h[place - 1], steps.c[place - 1]) if place else (zeros, zeros)
    x, h, c = steps.x[place], steps.h[place], steps.c[place]
    u = int(np.abs(c - c_before).argmax())

    def shown(values, kind, caption, scale=1.0):
        draw = gate if kind in "fio" else lambda *a, **k: grid(*a, scale=scale, **k)
        return draw(values, kind, WORDS[caption].format(character=character), unit=u)

    kept = shown(f * c_before, "c", "kept", C_SCALE)
    added = shown(i * g, "c", "added", C_SCALE)
    new_c = shown(c, "c", "c now", C_SCALE)
    taken_apart = {
        "inputs": (
            [
                grid(x, "x", WORDS["x"].format(character=character), scale=X_SCALE),
                shown(h_before, "h", "h before"),
                shown(c_before, "c", "c before", C_SCALE),
            ],
            f"h = {_number(h_before[u])}, c = {_number(c_before[u])}",
        ),
        "forgetting": (
            [
                shown(f, "f", "f"),
                "×",
                shown(c_before, "c", "c before", C_SCALE),
                "=",
                kept,
            ],
            f"{_number(f[u])} × {_number(c_before[u])} ≈ {_number(f[u] * c_before[u])}",
        ),
        "adding": (
            [shown(i, "i", "i"), "×", shown(g, "g", "g"), "=", added],
            f"{_number(i[u])} × {_number(g[u])} ≈ {_number(i[u] * g[u])}",
        ),
        "cell": (
            [kept, "+", added, "=", new_c],
            f"{_number(f[u] * c_before[u])} + {_number(i[u] * g[u])} ≈ {_number(c[u])}",
        ),
        "output": (
            [
                shown(o, "o", "o"),
                "×",
                shown(np.tanh(c), "c", "squashed"),
                "=",
                shown(h, "h", "h now"),
            ],
            f"{_number(o[u])} × tanh({_number(c[u])}) ≈ {_number(h[u])}",
        ),
    }
    frames = []
    for k, (title, (terms, worked)) in enumerate(taken_apart.items(), 1):
        sentence = WORDS[f"{title} say"].format(character=character, D=len(x), H=H)
        drawn = "".join(f"<s>{term}</s>" if len(term) == 1 else term for term in terms)
        follow = WORDS["follow"].format(unit=u + 1, H=H)
        picture = (
            f'{_formula(title)}<div class="taken">{drawn}</div>'
            f'<p class="worked">{follow} <b>{worked}</b></p>'
        )
        frames.append(Frame(head("encoder", WORDS[title], k, len(taken_apart)), sentence, picture))
    return frames


def _formula(now):
    """The LSTM's two equations, with what the frame is about set off"""

    def part(name, text):
        return f'<b class="now">{text}</b>' if name == now else text

    return (
        f'<p class="formula" aria-hidden="true"><span>{part("cell", "c")} = '
        f"{part('forgetting', 'f × c<sub>before</sub>')} + {part('adding', 'i × g')}</span> "
        f"<span>{part('output', 'h = o × tanh(c)')}</span></p>"
    )


def _number(value):
    return f"{float(value):z.2f}".replace("-", "−")  # never "−0.00"


def epochs(runs):
    """Frames of training, an epoch each: the curves up to there, and answers to fixed questions.

    runs : {variant: run}, records of the measure ``snapshots``, of equally many epochs

    Raises ValueError if there are none, or if they are not of equally many epochs, one or more.
    """
    lengths = {len(run["validation_accuracy"]) for run in runs.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            "runs: expected one or more, of equally many epochs, one or more, "
            f"got {len(runs)} with {', '.join(map(str, sorted(lengths))) or 'no'} epochs"
        )
    one = next(iter(runs.values()))
    last, questions = len(one["validation_accuracy"]), list(one["answers"])
    accuracies = {
        name: [run["untrained_accuracy"], *run["validation_accuracy"]] for name, run in runs.items()
    }
    frames = []
    for epoch in range(last + 1):
        right = {
            name: sum(_is_right(q, run["answers"][q][epoch]) for q in questions)
            for name, run in runs.items()
        }
        sentence = WORDS["epoch say"].format(
            shares=", ".join(
                WORDS["exact"].format(name=bold(name), share=100 * accuracies[name][epoch])
                for name in runs
            ),
            count=len(questions),
            right=", ".join(
                WORDS["right of"].format(name=name, right=bold(right[name])) for name in runs
            ),
        )
        at = WORDS["epoch"].format(epoch=epoch, epochs=last) if epoch else WORDS["before"]
        picture = _curves(accuracies, epoch) + _answers(runs, questions, epoch)
        frames.append(Frame(f"<span>{at}</span>", sentence, picture))
    return frames


def _is_right(question, answer):
    return answer == str(sum(map(int, question.split("+"))))


def _curves(accuracies, epoch):
    """The curves of all runs; what lies ahead of the epoch is faint"""
    left, top, width, height = 30, 12, 352, 130
    last = len(next(iter(accuracies.values()))) - 1

    def point(e, accuracy):
        return f"{left + width * e / last:.4g} {top + height * (1 - accuracy):.4g}"

    lines = []
    for level in (0, 25, 50, 75, 100):
        y = top + height * (1 - level / 100)
        lines.append(f'<path class="rule" d="M{left} {y:g}h{width}"/>')
        lines.append(f'<text x="{left - 5}" y="{y + 4:g}" text-anchor="end">{level}</text>')
    for e in range(0, last + 1, 5):
        x = left + width * e / last
        lines.append(f'<text x="{x:g}" y="{top + height + 16}" text-anchor="middle">{e}</text>')
    for name, values in accuracies.items():
        points = [point(e, accuracy) for e, accuracy in enumerate(values)]
        style = f'style="stroke:{variable(name)}"'
        dashes = DASHES[LINES[name][0]]
        lines.append(f'<path class="ahead" {style} d="M{"L".join(points)}"/>')
        if epoch:
            lines.append(
                f'<path class="past" {style} stroke-dasharray="{dashes}" '
                f'd="M{"L".join(points[: epoch + 1])}"/>'
            )
    x = left + width * epoch / last
    lines.append(f'<path class="at" d="M{x:.4g} {top}v{height}"/>')
    for name, values in accuracies.items():
        lines.append(_mark(name, *map(float, point(epoch, values[epoch]).split())))
    label = WORDS["curves label"].format(names=", ".join(accuracies), epochs=last, epoch=epoch)
    return (
        f'<figure class="curves"><figcaption>{WORDS["curves"]}</figcaption>'
        f'<svg role="img" aria-label="{html.escape(label)}" '
        f'viewBox="0 0 {left + width + 14} {top + height + 22}">{"".join(lines)}</svg></figure>'
    )


def _mark(name, x=7.0, y=7.0):
    """The mark of a variant, as in the book's figures"""
    s = 4.5
    shapes = {
        "o": f"M{x - s:.4g} {y:.4g}a{s} {s} 0 1 0 {2 * s} 0a{s} {s} 0 1 0 {-2 * s} 0z",
        "s": f"M{x - s:.4g} {y - s:.4g}h{2 * s}v{2 * s}h{-2 * s}z",
        "^": f"M{x:.4g} {y - s - 1:.4g}l{s + 1} {2 * s}h{-2 * s - 2}z",
        "D": f"M{x:.4g} {y - s - 1:.4g}l{s + 1} {s + 1}l{-s - 1} {s + 1}l{-s - 1} {-s - 1}z",
    }
    return f'<path class="mark" style="fill:{variable(name)}" d="{shapes[LINES[name][1]]}"/>'


def _answers(runs, questions, epoch):
    """What each run answered after this epoch, and whether the question was trained on"""
    names = "".join(
        f'<th scope="col"><svg aria-hidden="true" viewBox="0 0 14 14">{_mark(name)}</svg>'
        f"{html.escape(name).replace('+', '+<wbr/>')}</th>"
        for name in runs
    )
    known = next(iter(runs.values()))["known"]
    rows = []
    for question in questions:
        cells = []
        for run in runs.values():
            answer = run["answers"][question][epoch]
            kind = "ok" if _is_right(question, answer) else "bad"
            text = html.escape(answer) or WORDS["empty"]
            cells.append(f'<td class="{kind}">{text}<i class="sr"> {WORDS[kind]}</i></td>')
        note = f"<small>{WORDS[known[question]]}</small>"
        rows.append(f'<tr><th scope="row">{html.escape(question)} {note}</th>{"".join(cells)}</tr>')
    return _scrolling(
        "answers",
        f'<table><thead><tr><th scope="col">{WORDS["question"]}</th>{names}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table><p>{WORDS['known']}</p>",
    )


def _scrolling(kind, content):
    """A box that scrolls where it is too narrow, by the keyboard too"""
    label = WORDS[kind]
    return f'<div class="{kind}" role="region" tabindex="0" aria-label="{label}">{content}</div>'
