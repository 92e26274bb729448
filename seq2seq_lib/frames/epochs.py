"""Training, an epoch at a time: the curves up to there, and what is answered to fixed questions."""

import html

from seq2seq_lib.frames.frame import Frame
from seq2seq_lib.frames.parts import bold, scrolling
from seq2seq_lib.palette import LINES, variable

DASHES = {":": "1.5 3.5", "--": "7 4", "-.": "8 3 1.5 3", "-": "none"}

# Every text of this module that a reader sees or hears.
WORDS = {
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
    "answers": "Answers after this epoch",
    "known": "Trained: the question was learnt from. Mirrored: its mirror image was.",
    "ok": "right",
    "bad": "wrong",
    "empty": "(empty)",
}


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
    return scrolling(
        "answers",
        WORDS["answers"],
        f'<table><thead><tr><th scope="col">{WORDS["question"]}</th>{names}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table><p>{WORDS['known']}</p>",
    )
