"""What frames are put together from: characters, tiles, grids of marks, bars. All of it HTML text.

A number is drawn as a mark: a square above zero, a dot below, the bigger the farther from zero, so
that it can be read without colour. Colours and sizes are left to ``stepper.css``.
"""

import html
import re

import numpy as np

from seq2seq_lib.encoding import DELIMITER, PAD

COLUMNS = 16  # marks in a row of a grid
SIZES = 3  # of marks; what is smaller than half the smallest is not drawn
WIDE_OPEN, SHUT = 0.9, 0.1  # gates beyond these are counted as open and as shut
SEEN = 0.005  # the smallest probability that is told in numbers
MOVED = 0.25  # a number that changes by more has moved
MOST_MOVED = 6  # how many of those are framed

# Every text of this module that a reader sees or hears.
WORDS = {
    "blank": "a blank",
    "blanks": "blank",
    "start": "the start mark {mark}",
    "signs": "{above} above zero, {below} below, {near} near zero",
    "open": "{open} open, {shut} shut",
    "share": "{character} {share}\u00a0%",
    "chosen": "{share} (chosen)",
    "right": "{share} (right)",
    "chosen right": "{share} (chosen, right)",
}


def bold(text):
    return f"<b>{html.escape(str(text))}</b>"


def plain(markup):
    """HTML as the text that a reader hears"""
    return html.unescape(bare(markup))


def bare(markup):
    """HTML without its tags, still escaped"""
    return re.sub(r"<[^>]*>", "", markup)


def named(character):
    """A character within a sentence"""
    if character == PAD:
        return WORDS["blank"]
    if character == DELIMITER:
        return WORDS["start"].format(mark=bold(character))
    return bold(character)


def tile(character, classes="", tag="li", under=""):
    """A character in a frame of its own; a blank is a bracket that ``stepper.css`` draws"""
    classes = f"{classes} sp".strip() if character == PAD else classes
    kind = f' class="{classes}"' if classes else ""
    text = "" if character == PAD else html.escape(character)
    return f"<{tag}{kind}>{text}{under}</{tag}>"


def grid(values, kind, caption, *, scale=1.0, before=None, unit=None, note=""):
    """Numbers (n,) as a grid of marks under a caption.

    kind   : "h", "c", "x", "g", ...: whose colour the frame has
    scale  : the size of the numbers, from zero, that the largest mark stands for
    before : (n,) what the numbers were; those that moved most are framed
    unit   : the one number that is pointed at
    """
    framed = [] if before is None else most_moved(before, values)
    sizes = np.minimum((np.abs(values) / scale * (SIZES + 0.5) + 0.5).astype(int), SIZES)
    above, below = (np.asarray(values) > 0) & (sizes > 0), (np.asarray(values) < 0) & (sizes > 0)
    label = WORDS["signs"].format(
        above=above.sum(), below=below.sum(), near=len(values) - above.sum() - below.sum()
    )
    paths = _marks(np.where(above, sizes, 0), "p") + _marks(np.where(below, sizes, 0), "n")
    paths += _frames(framed, "moved") + _frames([] if unit is None else [unit], "unit")
    return _figure(kind, caption, label, paths, len(values), note)


def gate(values, kind, caption, *, unit=None):
    """How far each gate is open (n,), 0 to 1: the squares of a grid, counted beneath"""
    sizes = (np.asarray(values) * SIZES + 0.5).astype(int)
    label = WORDS["open"].format(
        open=int((values > WIDE_OPEN).sum()), shut=int((values < SHUT).sum())
    )
    paths = _marks(sizes, "o") + _frames([] if unit is None else [unit], "unit")
    return _figure(kind, caption, label, paths, len(values), label)


def most_moved(before, values):
    """The places of the numbers that changed most, and by more than ``MOVED``"""
    change = np.abs(np.subtract(values, before))
    largest = np.argsort(-change, kind="stable")[:MOST_MOVED]
    return sorted(largest[change[largest] > MOVED].tolist())


def bars(probabilities, characters, chosen, right=None, *, caption):
    """The probability of each character as a bar; chosen and right are places among them"""
    items, label = [], []
    for place, (character, p) in enumerate(zip(characters, probabilities, strict=True)):
        number, seen = share(p), p >= SEEN
        kind = " ".join(
            name for name, one in (("chosen", chosen), ("right", right)) if place == one
        )
        height = f' style="--p:{100 * p:.1f}"' if p >= 0.0005 else ""
        above = f"<i>{number}</i>" if seen else ""
        name = f"bar {kind}".strip()
        items.append(f'<span class="{name}"{height}>{above}{tile(character, tag="b")}</span>')
        if seen or kind:
            said = WORDS["blanks"] if character == PAD else html.escape(character)
            said = WORDS["share"].format(character=said, share=number)
            label.append(WORDS[kind].format(share=said) if kind else said)
    return (
        f'<figure class="bars"><figcaption>{caption}</figcaption>'
        f'<div role="img" aria-label="{", ".join(label)}">{"".join(items)}</div></figure>'
    )


def share(p):
    """A probability in %, as HTML: whole, but 0 and 100 only for what is exactly that"""
    if 0 < p <= SEEN:
        return "&lt;1"
    return "&gt;99" if 1 - SEEN <= p < 1 else f"{100 * p:.0f}"


def scrolling(kind, label, content):
    """A box that scrolls where it is too narrow, by the keyboard too"""
    return f'<div class="{kind}" role="region" tabindex="0" aria-label="{label}">{content}</div>'


def _figure(kind, caption, label, paths, count, note=""):
    rows = -(-count // COLUMNS)
    columns = min(count, COLUMNS)
    note = f"<small>{note}</small>" if note else ""
    return (
        f'<figure class="grid {kind}"><figcaption>{caption}</figcaption>'
        f'<svg role="img" aria-label="{label}" viewBox="0 -.5 {columns} {rows}">{paths}</svg>'
        f"{note}</figure>"
    )


def _marks(sizes, sign):
    """One path for each size: a line through equal neighbours, which CSS shows as marks"""
    rows = np.pad(sizes, (0, -len(sizes) % COLUMNS)).reshape(-1, COLUMNS)
    paths = []
    for size in range(1, SIZES + 1):
        changes = np.diff(rows == size, prepend=False, append=False)
        row, column = (each.tolist() for each in np.nonzero(changes))
        ends = zip(row[::2], column[::2], column[1::2], strict=True)
        lines = [f"M{a} {r}h{b - a}" for r, a, b in ends]
        if lines:
            paths.append(f'<path class="{sign}{size}" d="{"".join(lines)}"/>')
    return "".join(paths)


def _frames(places, kind):
    """A square around each place"""
    squares = "".join(f"M{k % COLUMNS} {k // COLUMNS - 0.5:g}h1v1h-1z" for k in places)
    return f'<path class="{kind}" d="{squares}"/>' if squares else ""
