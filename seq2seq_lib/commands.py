"""What the command line can do: each command is a function that yields lines of text."""

import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from seq2seq_lib import evaluation
from seq2seq_lib.checkpoint import load_checkpoint, save_checkpoint, to_bytes
from seq2seq_lib.data import number_of_carries
from seq2seq_lib.encoding import shown
from seq2seq_lib.experiments import (
    EXPERIMENTS,
    RESULTS,
    forget_weights,
    run_experiment,
    ship_weights,
)
from seq2seq_lib.files import check_writable
from seq2seq_lib.question_files import read_examples
from seq2seq_lib.recipe import Recipe
from seq2seq_lib.solver import PRETRAINED, SUM, load_pretrained, load_solver, pretrained_file
from seq2seq_lib.training import Trainer

SIZES = {"train_size", "validation_size", "test_size"}
BOM = "\ufeff".encode()
LONGEST_LINE = 100_000  # bytes of standard input without a line end


def train(variant, out, resume, data, **changes):
    """Train, saving after each epoch: the file is usable, and resumable, at any time."""
    changes = {name: value for name, value in changes.items() if value is not None}
    if data is not None and (ignored := SIZES & changes.keys()):
        raise ValueError(f"{min(ignored)}: expected no such option with a file, which has its size")
    examples = read_examples(data) if data is not None else None
    unfinished = load_checkpoint(resume) if resume is not None else None
    if unfinished:
        recipe = unfinished.recipe.replace(**changes)
        if variant not in (None, recipe.variant):
            raise ValueError(f"variant: expected {recipe.variant}, as in {resume}, got {variant}")
    else:
        recipe = Recipe.of(variant or "baseline", **changes)
        recipe = recipe.for_examples(examples) if examples else recipe
    if out is None and resume is None:
        out = f"{recipe.variant}-seed{recipe.seed}.npz"
        if Path(out).exists():
            raise ValueError(f"{out}: exists; go on with --resume, or name a file with --out")
    out = resume if out is None else out
    check_writable(out)
    trainer = Trainer(recipe, recipe.splits(examples), resume=unfinished)
    to_bytes(trainer.checkpoint())  # what could not be loaded again is refused before the work
    left = recipe.epochs - len(trainer.history)
    with _progress(left * trainer.steps_an_epoch, "batch") as bar:

        def on_step(loss):
            accuracy = trainer.history[-1]["accuracy"] if trainer.history else 0
            bar.set_postfix_str(f"loss {loss:.3f}, validation {accuracy:.1%}", refresh=False)
            bar.update()

        for epoch in trainer.run(on_step):
            save_checkpoint(out, trainer.checkpoint())
            bar.clear()
            yield (
                f"epoch {len(trainer.history)} of {recipe.epochs}: loss {epoch['loss']:.4f}, "
                f"validation {epoch['accuracy']:.2%}, {epoch['seconds']:.1f} s"
            )
    if not left:
        save_checkpoint(out, trainer.checkpoint())
    yield f"saved {out}"


def evaluate(model, data, on):
    """Exact match and per-character accuracy; for additions, also by number of carries."""
    solver = _solver(model)
    examples = read_examples(data) if data is not None else None
    if examples is None or solver.recipe.is_for(examples):
        examples = getattr(solver.recipe.splits(examples), on or "test")
    elif on:
        raise ValueError(f"on: expected no such option with {data}, which is used as a whole")
    layout = solver.layout
    questions, answers = _encoded(layout, examples, data)
    written = evaluation.write_answers(solver.model, layout, questions)
    characters = evaluation.per_character_accuracy(written, answers, layout)
    yield f"questions              {len(questions):9,}"
    yield f"exact match            {evaluation.exact_match(written, answers, layout):9.2%}"
    yield f"per-character accuracy {characters:9.2%}"
    sums = [SUM.fullmatch(question) for question in examples.questions]
    if all(sums):
        carries = number_of_carries(*np.array([found.groups() for found in sums]).astype(int).T)
        right = evaluation.right_answers(written, answers, layout)
        for group, (share, n) in evaluation.accuracy_by_group(right, carries).items():
            yield f"  {group} carries            {share:9.2%} of {n:,}"


def _encoded(layout, examples, path):
    try:
        return layout.encode_questions(examples.questions), layout.encode_answers(examples.answers)
    except ValueError:
        for line, (question, answer) in enumerate(zip(*examples, strict=True), start=1):
            try:
                layout.encode_questions([question]), layout.encode_answers([answer])
            except ValueError as error:
                raise ValueError(f"{path}: line {line}: {error}") from error
        raise


def solve(questions, model):
    """The answer to each question, in their order."""
    solver = _solver(model)
    if questions:
        yield from solver(questions)
        return
    before, mark = 0, BOM
    for lines in _arriving_lines(sys.stdin.buffer) if sys.stdin else ():
        asked, fault = [], None
        for number, line in enumerate(lines, start=before + 1):
            try:
                line, mark = line.removeprefix(mark), b""  # editors on Windows begin with it
                asked.append(solver.normalised(line.decode()) if line.strip() else "")
            except UnicodeDecodeError:
                fault = ValueError(
                    f"standard input, line {number}: expected UTF-8 text, got {shown(line)}"
                )
                break
            except ValueError as error:
                fault = ValueError(f"standard input, line {number}: {error}")
                break
        answers = iter(solver([question for question in asked if question]))
        yield from (next(answers) if question else "" for question in asked)
        if fault:
            raise fault
        before += len(lines)
    if not before:
        raise ValueError("standard input: expected questions, one a line, got nothing")


def _arriving_lines(stream):
    """Whole lines as they arrive, a list at a time: no more than one chunk is ever in memory."""
    rest = b""
    while chunk := stream.read1(LONGEST_LINE):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise ValueError(f"standard input: expected lines of at most {LONGEST_LINE:,} bytes")
        yield lines
    if rest:
        yield [rest]


def info(model):
    """A model's recipe and how its training went."""
    if model in PRETRAINED:
        with pretrained_file(model) as path:
            checkpoint = load_checkpoint(path)
    else:
        checkpoint = load_checkpoint(model)
    recipe = checkpoint.recipe
    yield f"variant       {recipe.variant}"
    yield f"parameters    {sum(array.size for array in checkpoint.model.params.values()):,}"
    yield f"epochs        {len(checkpoint.history)} of {recipe.epochs}"
    for epoch, record in enumerate(checkpoint.history, start=1):
        yield f"  {epoch:3}  loss {record['loss']:.4f}  validation {record['accuracy']:7.2%}"
    yield "recipe"
    for name, value in recipe.to_dict().items():
        yield f"  {name:16} {ascii(value) if isinstance(value, str) else value}"


def results(names, jobs, scheduler, again):
    """Run what is missing of the experiments, and ship the weights that they choose."""
    for name in names:
        if name not in EXPERIMENTS:
            raise ValueError(f"experiment: expected one of {', '.join(EXPERIMENTS)}, got {name}")
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs: expected at least 1, got {jobs}")
    if jobs is not None and scheduler is not None:
        raise ValueError("jobs: expected no such option with a scheduler, which has its workers")
    if not RESULTS.is_dir():
        raise ValueError(f"expected a checkout of the project here, found no folder {RESULTS}")
    names = names or list(EXPERIMENTS)
    if again:
        forget_weights(names)
    options, failures = {"jobs": jobs, "scheduler": scheduler, "again": again}, 0
    every = {(name, recipe): 0 for name in names for recipe in EXPERIMENTS[name].recipes}
    with _progress(sum(recipe.epochs for _, recipe in every), "epoch") as bar:
        for name in names:
            for kind, recipe, payload in run_experiment(name, **options):
                every[name, recipe] = payload if kind == "told" else recipe.epochs
                bar.n = sum(every.values())
                if kind in ("done", "failed"):
                    bar.clear()
                    failures += kind == "failed"
                    yield f"{name}: {recipe.variant} seed {recipe.seed}: {_outcome(kind, payload)}"
                bar.refresh()
    if failures:
        raise ChildProcessError(f"{failures} of {len(every)} runs failed")
    if {"variants", "road"} & set(names):
        for name, recipe in ship_weights().items():
            yield f"pretrained {name}: seed {recipe.seed}"


def _outcome(kind, payload):
    if kind == "done":
        return f"test {payload['test_accuracy']:.2%}"
    return f"failed: {type(payload).__name__}: {payload}"


def _solver(model):
    return load_pretrained(model) if model in PRETRAINED else load_solver(model)


def _progress(total, unit):
    """A progress bar on a terminal; elsewhere, or without tqdm, only the lines written."""
    try:
        from tqdm import tqdm
    except ImportError:
        return _NoBar()
    bar = tqdm(total=total, unit=unit, disable=None, dynamic_ncols=True)
    return bar if not bar.disable else _NoBar()


class _NoBar(nullcontext):
    def __enter__(self):
        return self

    def __getattr__(self, name):
        return lambda *args, **kwargs: None
