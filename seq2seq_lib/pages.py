"""A stepper as plain HTML: the frames of some questions, ready to be read in order.

With ``book/assets/stepper.js`` they are stepped through; without it, or on paper, they are a list.
All but the first frame stand in a ``<noscript>``: a browser with scripts takes it for a text, which
costs a slow phone next to nothing, and the script makes frames of it when they are asked for.
"""

import html
from importlib import resources

from seq2seq_lib.palette import style_sheet

# Every text of this module that a reader sees or hears; the script has none of its own.
WORDS = {
    "question": "Sum",
    "steps": "Steps",
    "step": "Step",
    "first": "First",
    "back": "Back",
    "play": "Play",
    "pause": "Pause",
    "next": "Next",
    "last": "Last",
    "square": "above zero",
    "dot": "below zero",
    "size": "bigger: farther from zero; nothing: near zero",
    "moved": "framed: moved most",
    "unit": "framed: the unit that is followed",
    "no script": "Scripts are off, so all steps stand one below the other.",
    "more": "Any other sum: open this page as a notebook, with the rocket at the top.",
}
SITE = "SEQ2SEQ_SITE"  # set in the environment while a site is built, without Python behind it
BUTTONS = "first", "back", "play", "next", "last"


def style():
    """The CSS that frames and steppers need, wherever they are shown"""
    sheet = resources.files("seq2seq_lib") / "stepper.css"
    return style_sheet(".s2s") + sheet.read_text(encoding="utf-8")


def page(stepper):
    """A ``Stepper`` with its prepared questions as HTML, without its styles."""
    name, title = html.escape(stepper.name), html.escape(stepper.title)
    questions = dict.fromkeys(question for question, _ in stepper.prepared)
    choices = dict.fromkeys(choice for _, choice in stepper.prepared)
    picks = _pick("question", WORDS["question"], questions)
    picks += _pick("choice", stepper.choice, choices)
    runs = "".join(_run(stepper, *which, first=k == 0) for k, which in enumerate(stepper.prepared))
    buttons = "".join(
        f'<button type="button" data-go="{each}">{WORDS[each]}</button>' for each in BUTTONS
    )
    more = f'<p class="more">{WORDS["more"]}</p>' if any(questions) else ""
    return (
        f'<section class="s2s stepper" id="{name}" aria-labelledby="{name}-title" '
        f'data-play="{WORDS["play"]}" data-pause="{WORDS["pause"]}">'
        f'<p class="title" id="{name}-title">{title}</p>'
        f'<noscript><p class="more">{WORDS["no script"]}</p></noscript>'
        f'<div class="controls picks" hidden>{picks}</div>'
        f'<div class="controls go" role="group" aria-label="{WORDS["steps"]}" hidden>'
        f"{buttons}</div>"
        f'<div class="controls slide" hidden><input type="range" min="1" value="1" '
        f'aria-label="{WORDS["step"]}"></div>{runs}{key(runs)}{more}'
        f'<p class="sr" role="status"></p></section>'
    )


def key(drawn):
    """How to read the marks, if there are any in what is drawn"""
    if 'class="grid' not in drawn:
        return ""
    items = ""
    for kind, word in ("p", "square"), ("n", "dot"):
        paths = "".join(f'<path class="{kind}{k}" d="M{k - 1} 0h1"/>' for k in (1, 2, 3))
        marks = f'<svg viewBox="0 -.5 3 1" aria-hidden="true">{paths}</svg>'
        items += f"<span>{marks} {WORDS[word]}</span>"
    meant = ["size", *(kind for kind in ("moved", "unit") if f'class="{kind}"' in drawn)]
    items += "".join(f"<span>{WORDS[each]}</span>" for each in meant)
    return f'<p class="key">{items}</p>'


def link(stepper, question, choice, step):
    """The name of one step, which is the end of its address"""
    return f"{_run_link(stepper, question, choice)}-{step}"


def _run_link(stepper, question, choice):
    return "-".join(part.replace(" ", "-") for part in (stepper.name, question, choice) if part)


def _run(stepper, question, choice, first):
    frames = []
    for k, frame in enumerate(stepper.frames(question, choice), 1):
        name = html.escape(link(stepper, question, choice, k))
        frames.append(f'<div class="frame" id="{name}">{frame.html()}</div>')
    seen = frames.pop(0) if first else ""
    values = {
        "data-link": _run_link(stepper, question, choice),
        "data-steps": str(len(frames) + bool(seen)),
        "data-question": question,
        "data-choice": choice,
    }
    data = " ".join(f'{name}="{html.escape(value)}"' for name, value in values.items())
    drawn = f"{seen}<noscript>{''.join(frames)}</noscript>"
    summary = html.escape(", ".join(filter(None, (question, choice))))
    if not summary:
        return f'<div class="run" {data}>{drawn}</div>'
    state = " open" if first else ""
    return f'<details class="run" {data}{state}><summary>{summary}</summary>{drawn}</details>'


def _pick(which, label, options):
    """A menu; the only option as text; nothing if that is empty"""
    label, options = html.escape(label), [html.escape(option) for option in options]
    if len(options) == 1:
        return f"<span>{label} <b>{options[0]}</b></span>" if options[0] else ""
    options = "".join(f'<option value="{option}">{option}</option>' for option in options)
    return f'<label>{label} <select data-pick="{which}">{options}</select></label>'
