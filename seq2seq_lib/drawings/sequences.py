"""Drawings of rows of characters: in which order they are read, and what becomes of blanks."""

from seq2seq_lib.drawings.columns import LIFT, answer_row, encoder, spelt
from seq2seq_lib.drawings.lines import arrow, brace, dots, ended, up
from seq2seq_lib.drawings.shapes import (
    BOX,
    box,
    draw,
    layer,
    levels,
    steps,
    text,
    tile,
)
from seq2seq_lib.encoding import PAD, Layout

# Every text of this module that a reader sees or hears.
WORDS = {
    "forwards": "forwards",
    "reversed": "reversed",
    "1 step": "1 step",
    "steps": "{count} steps",
    "average": "on average {mean:g}",
    "orders": (
        "The question {question} in two rows, each followed by its answer {answer}. Beneath each "
        "character of the question stands its distance to the start of the answer. Forwards the "
        "first digit is {far} steps away, reversed it is {near}. The average is {mean:g} in both."
    ),
    "orders caption": (
        "The same question forwards and reversed, as the encoder reads it. The number under a tile "
        "counts the steps to the first character of the answer. Reversing brings the first digit "
        "(filled) near and moves the last one away; the average stays."
    ),
    "targets": "targets",
    "losses": "losses",
    "loss": "loss",
    "mean": "mean of {count}",
    "not counted": "not counted",
    "end mark": "end mark",
    "blanks": "blanks",
    "one loss": "−ln p",
    "mask": (
        "Five targets, {targets}, each with its loss above. The losses of the first {counted} go "
        "into a mean. The losses of the blanks end at a bar."
    ),
    "mask caption": (
        "The loss mask, for the answer {answer}. Blanks do not count, so they teach nothing. The "
        "end mark does count: from it the model learns to stop."
    ),
    "unchanged": "handed on unchanged",
    "pass": (
        "The last four steps of an encoder: {read}. At the two characters, the LSTM makes new c "
        "and h. At the two blanks, c and h run straight through an empty frame, and the line from "
        "below ends at a bar."
    ),
    "pass caption": (
        "Pass-through. At a blank the LSTM does not compute; c and h of the step before are handed "
        "on as they are. The last h is that of the question without its blanks."
    ),
}
QUESTION = "628+521"  # as wide as a question gets, so that no blanks take part


def reading_orders():
    """F10: the question forwards and reversed, and how far each digit is from the answer"""
    answer = str(sum(map(int, QUESTION.split("+"))))
    orders = {name: order(reverse) for name, reverse in (("forwards", False), ("reversed", True))}
    (_, far), (_, near) = orders["forwards"][0], orders["reversed"][-1]
    mean = sum(steps_away for _, steps_away in orders["forwards"]) / len(QUESTION)
    return draw(
        222,
        WORDS["orders"].format(question=QUESTION, answer=answer, far=far, near=near, mean=mean),
        WORDS["orders caption"],
        [
            _order(56 + 120 * k, WORDS[name], read, answer)
            for k, (name, read) in enumerate(orders.items())
        ],
    )


def order(reverse):
    """[(character, steps from reading it to the answer's first character)], in reading order"""
    layout = Layout(reverse=reverse)
    (read,) = layout.vocabulary.decode(layout.encode_questions([QUESTION]))
    return [(character, len(read) - k) for k, character in enumerate(read)]


def loss_mask():
    """Blanks are not counted, the end mark is"""
    answer = "62"
    _, *targets = answer_row(answer, end_mark=True)
    counted = [target != PAD for target in targets]
    xs = steps(len(targets), 98, 66)
    low, single, mean = levels("tile", "softmax", "softmax", top=34)
    kept = [x for x, yes in zip(xs, counted, strict=True) if yes]
    blanks = xs[len(kept) :]
    middle = (kept[0] + kept[-1]) / 2
    return draw(
        low.bottom + 34,
        WORDS["mask"].format(targets=spelt(targets), counted=len(kept)),
        WORDS["mask caption"].format(answer=answer),
        [
            [
                tile(x, low.y, target, "answer", dashed=True),
                up(x, low, single),
                layer("softmax", x, single.y, label=WORDS["one loss"]),
            ]
            for x, target in zip(xs, targets, strict=True)
        ],
        [up(x, single, mean) for x in kept],
        [ended(x, single.top - 1, x, single.top - 17) for x in blanks],
        text(sum(blanks) / len(blanks), mean.y, WORDS["not counted"], "muted"),
        layer(
            "softmax",
            middle,
            mean.y,
            width=kept[-1] - kept[0] + BOX,
            label=WORDS["mean"].format(count=len(kept)),
        ),
        arrow((middle, mean.top - 1), (middle, 10)),
        text(middle + 10, 16, WORDS["loss"], anchor="start"),
        text(8, low.y, WORDS["targets"], "muted", anchor="start"),
        text(8, single.y, WORDS["losses"], "muted", anchor="start"),
        brace(kept[-1] - 14, kept[-1] + 14, low.bottom + 4, WORDS["end mark"], above=False),
        brace(blanks[0] - 14, blanks[-1] + 14, low.bottom + 4, WORDS["blanks"], above=False),
    )


def pass_through():
    """At a blank, c and h go by"""
    layout = Layout(question_width=6)
    (row,) = layout.vocabulary.decode(layout.encode_questions(["57+5"]))
    read = row[-4:]
    xs, rows = steps(4, 88), levels("tile", "embed", "lstm", top=44)
    low, embed, lstm = rows
    text_columns = [k for k, character in enumerate(read) if character != PAD]
    last, blanks = xs[text_columns[-1]], xs[len(text_columns) :]
    start, end = last + BOX / 2 + 1.5, xs[-1] + BOX / 2 + 24
    return draw(
        low.bottom + 8,
        WORDS["pass"].format(read=spelt(read)),
        WORDS["pass caption"],
        encoder(xs[: len(text_columns)], rows, read[: len(text_columns)], both=True),
        [
            [
                tile(x, low.y, PAD, "question"),
                up(x, low, embed),
                layer("embed", x, embed.y),
                ended(x, embed.top - 1, x, lstm.bottom + 5),
                box(x - BOX / 2, lstm.top, BOX, 36, "lstm", corner=9, tint=0, dashed=True),
            ]
            for x in blanks
        ],
        [
            [
                arrow((start, lstm.y + lift), (end, lstm.y + lift), role=name, line=2),
                text(end + 9, lstm.y + lift, name, name, kind="symbol", size=15),
                arrow((38, lstm.y + lift), (xs[0] - BOX / 2 - 1.5, lstm.y + lift), role=name),
            ]
            for name, lift in (("c", -LIFT), ("h", LIFT))
        ],
        dots(22, lstm.y),
        brace(blanks[0] - BOX / 2, blanks[-1] + BOX / 2, lstm.top - 7, WORDS["unchanged"]),
    )


def _order(y, name, read, answer):
    """One row: the question as it is read, the answer, the distances"""
    xs = steps(len(read), 31, 32)
    written = steps(len(answer), xs[-1] + 50, 32)
    first = QUESTION[0]
    place = [character for character, _ in read].index(first)
    x, away = xs[place], read[place][1]
    words = WORDS["1 step"] if away == 1 else WORDS["steps"].format(count=away)
    mean = sum(steps_away for _, steps_away in read) / len(read)
    return [
        [
            tile(at, y, character, "question", filled=k == place)
            for k, (at, (character, _)) in enumerate(zip(xs, read, strict=True))
        ],
        [tile(at, y, character, "answer") for at, character in zip(written, answer, strict=True)],
        arrow((xs[-1] + 15, y), (written[0] - 15.5, y), role="h"),
        arrow(
            (x, y - 15), (x, y - 28), (written[0], y - 28), (written[0], y - 15.5), role="question"
        ),
        text((x + written[0]) / 2, y - 38, words),
        [
            text(at, y + 26, str(steps_away), "ink" if k == place else "muted", bold=k == place)
            for k, (at, (_, steps_away)) in enumerate(zip(xs, read, strict=True))
        ],
        text(written[0] - 14, y + 26, WORDS["average"].format(mean=mean), "muted", anchor="start"),
        text(written[-1] + 14, y - 38, name, bold=True, anchor="end"),
    ]
