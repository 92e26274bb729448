"""Drawings of the arrays that go through the layers, their shapes and their slices."""

from seq2seq_lib.drawings.columns import answer_row, spelt
from seq2seq_lib.drawings.lines import arrow, brace
from seq2seq_lib.drawings.shapes import (
    TINT,
    draw,
    layer,
    levels,
    n,
    outline,
    steps,
    text,
    tile,
)
from seq2seq_lib.recipe import Recipe

# Every text of this module that a reader sees or hears.
WORDS = {
    "ids": "one id for each character",
    "vectors": "D = {size} numbers for each",
    "states": "H = {size} numbers for each",
    "scores": "V = {size} scores for each",
    "over time": (
        "Four blocks, one above the other, with a layer between each two. All are N rows high and "
        "T columns wide. The lowest is flat, (N, T). An embedding makes it (N, T, D), {D} deep; an "
        "LSTM (N, T, H), {H} deep; an affine layer (N, T, V), {V} deep."
    ),
    "over time caption": (
        "What the layers do to a mini-batch, from bottom to top. A row is one text of the batch, a "
        "column a time step, and the depth is the vector of each character, drawn to scale."
    ),
    "targets": "targets",
    "inputs": "inputs",
    "decoder": "decoder",
    "shift": (
        "A row of five characters, {row}. All but the last are the decoder's inputs, all but the "
        "first its targets. Below, each input stands under its target: {pairs}."
    ),
    "shift caption": (
        "One row of ts, the answer {answer} with its delimiter, is used twice. Without its last "
        "character it is what the decoder reads; without its first it is what the decoder is to "
        "write, one step ahead."
    ),
    "pair": "{target} above {given}",
}


def layers_over_time():
    """(N, T) ids become (N, T, D), (N, T, H) and (N, T, V)"""
    recipe = Recipe()
    D, H, V = recipe.wordvec_size, recipe.hidden_size, len(recipe.characters)
    arrays = (
        ("(N, T)", "ids", 0, "question"),
        ("(N, T, D)", "vectors", D, "embedding"),
        ("(N, T, H)", "states", H, "h"),
        ("(N, T, V)", "scores", V, "affine"),
    )
    bottom = 8 + sum(36 + 0.1 * size for _, _, size, _ in arrays) + 3 * 42 + 2 * 28 + 36
    x, parts, y = 84, [], bottom
    for (shape, words, size, role), kind in zip(
        arrays, (None, "embed", "lstm", "affine"), strict=True
    ):
        if kind:
            height = 36 if kind == "lstm" else 28
            parts += [
                arrow((x, y), (x, y - 18)),
                layer(kind, x, y - 19.5 - height / 2),
                arrow((x, y - 20.5 - height), (x, y - 40 - height)),
            ]
            y -= 42 + height
        rise = 0.1 * size
        parts += [
            _block(x - 34, y - 33, size, role),
            text(200, y - 25, shape, kind="mono", anchor="start"),
            text(200, y - 8, WORDS[words].format(size=size), "muted", anchor="start"),
        ]
        y -= 36 + rise
    return draw(
        bottom + 8, WORDS["over time"].format(D=D, H=H, V=V), WORDS["over time caption"], parts
    )


def shift_by_one():
    """ts[:, :-1] goes in, ts[:, 1:] is to come out"""
    answer = "62"
    row = answer_row(answer)
    xs = steps(len(row), 112, 56)
    pairs = list(zip(xs, row[:-1], row[1:], strict=False))
    y = 56
    low, middle, high = levels("tile", "softmax", "tile", top=132)
    return draw(
        low.bottom + 8,
        WORDS["shift"].format(
            row=spelt(row),
            pairs=", ".join(
                WORDS["pair"].format(given=spelt(given), target=spelt(target))
                for _, given, target in pairs
            ),
        ),
        WORDS["shift caption"].format(answer=answer),
        [tile(x, y, character, "answer") for x, character in zip(xs, row, strict=True)],
        text(24, y, "ts", kind="mono", anchor="start"),
        brace(xs[1] - 14, xs[-1] + 14, y - 20, "ts[:, 1:]", kind="mono"),
        brace(xs[0] - 14, xs[-2] + 14, y + 20, "ts[:, :-1]", above=False, kind="mono"),
        [
            [
                tile(x, low.y, given, "answer"),
                arrow((x, low.top - 1), (x, middle.bottom + 1.5)),
                arrow((x, middle.top - 1), (x, high.bottom + 1.5)),
                tile(x, high.y, target, "answer", dashed=True),
            ]
            for x, given, target in pairs
        ],
        layer(
            "softmax",
            (xs[0] + xs[-2]) / 2,
            middle.y,
            width=xs[-2] - xs[0] + 44,
            label=WORDS["decoder"],
        ),
        text(24, low.y, WORDS["inputs"], "muted", anchor="start"),
        text(24, high.y, WORDS["targets"], "muted", anchor="start"),
    )


def _block(left, top, size, role):
    """Three rows and four columns of vectors of one size, seen from the front and the right"""
    width, height = 68, 33
    across, rise = 0.5 * size, 0.1 * size
    front = f"M{n(left)} {n(top)}h{width}v{height}h{-width}z"
    grid = "".join(f"M{n(left + 17 * k)} {n(top)}v{height}" for k in (1, 2, 3))
    grid += "".join(f"M{n(left)} {n(top + 11 * k)}h{width}" for k in (1, 2))
    over = f"M{n(left)} {n(top)}l{n(across)} {n(-rise)}h{width}l{n(-across)} {n(rise)}z"
    side = f"M{n(left + width)} {n(top)}l{n(across)} {n(-rise)}v{height}l{n(-across)} {n(rise)}z"
    depth = [outline(over, role, tint=0.05), outline(side, role, tint=0.25)] if size else []
    return [*depth, outline(front, role, tint=TINT), outline(grid, role, line=0.7)]
