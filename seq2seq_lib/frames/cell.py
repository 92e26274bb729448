"""One step of an LSTM: folded away in a frame, or taken apart in frames of its own."""

import numpy as np

from seq2seq_lib.frames.frame import Frame, head
from seq2seq_lib.frames.parts import bare, gate, grid, named

C_SCALE, X_SCALE = 2.0, 1.5  # what the largest mark stands for; h and the gates end at 1

# Every text of this module that a reader sees or hears.
WORDS = {
    "inside": "Inside the LSTM: gates and cell",
    "x as numbers": "<b>x</b> the character as {size} numbers",
    "peek": "<b>h</b> of the question, the same at every step",
    "f": "<b>f</b> forget",
    "i": "<b>i</b> input",
    "g": "<b>g</b> candidate",
    "o": "<b>o</b> output",
    "h is": "h = tanh(c) ×",
    "scores": "scores",
    "scales": "c is drawn to ±{c:g}, x to ±{x:g}, everything else to ±1.",
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
    "x": "<b>x</b> of {character}",
    "h before": "<b>h</b> before",
    "c before": "<b>c</b> before",
    "f gate": "<b>f</b> forget gate",
    "i gate": "<b>i</b> input gate",
    "o gate": "<b>o</b> output gate",
    "kept": "<b>f × c</b>",
    "added": "<b>i × g</b>",
    "c now": "<b>c</b> now",
    "squashed": "<b>tanh(c)</b>",
    "h now": "<b>h</b> now",
}


def inside(steps, k, c_before, *, title=None, characters=None, scores=None, peek=None):
    """The LSTM's arrays at step k, folded away: every term of its equations in its place"""
    f, i, o, g = (steps.gates[name][k] for name in "fiog")
    x = grid(steps.x[k], "x", WORDS["x as numbers"].format(size=len(steps.x[k])), scale=X_SCALE)
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
                shown(f, "f", "f gate"),
                "×",
                shown(c_before, "c", "c before", C_SCALE),
                "=",
                kept,
            ],
            f"{_number(f[u])} × {_number(c_before[u])} ≈ {_number(f[u] * c_before[u])}",
        ),
        "adding": (
            [shown(i, "i", "i gate"), "×", shown(g, "g", "g"), "=", added],
            f"{_number(i[u])} × {_number(g[u])} ≈ {_number(i[u] * g[u])}",
        ),
        "cell": (
            [kept, "+", added, "=", new_c],
            f"{_number(f[u] * c_before[u])} + {_number(i[u] * g[u])} ≈ {_number(c[u])}",
        ),
        "output": (
            [
                shown(o, "o", "o gate"),
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
