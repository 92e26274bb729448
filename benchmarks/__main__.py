"""One table, one run: medians, and the ratios that hold on any machine.

Each measurement runs in a process of its own, because BLAS reads the number of threads at its
start. What is compared is run in turn, A B A B ..., so that both meet the same weather.
"""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

from seq2seq_lib import VARIANTS, Recipe, Trainer, load_pretrained, make_additions

MEASUREMENTS = {}


def measurement(function):
    """Mark a function that ``measured`` may run in a process of its own."""
    MEASUREMENTS[function.__name__] = function
    return function


def medians(*functions, runs, warm_up=5):
    """Run functions in turn; the median seconds of each."""
    seconds = [[] for _ in functions]
    for run in range(warm_up + runs):
        for function, times in zip(functions, seconds, strict=True):
            start = time.perf_counter()
            function()
            if run >= warm_up:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in seconds]


def _trainer_and_batch(variant):
    recipe = Recipe.of(variant, train_size=2000, validation_size=1, test_size=1)
    trainer = Trainer(recipe)
    return trainer, trainer.questions[: recipe.batch_size], trainer.answers[: recipe.batch_size]


@measurement
def our_step(variant, threads):
    """Seconds of a training step: ours"""
    trainer, xs, ts = _trainer_and_batch(variant)
    return medians(lambda: trainer.step(xs, ts), runs=100, warm_up=20)


@measurement
def pytorch_step(variant, threads):
    """Seconds of a training step: PyTorch's"""
    import torch

    from benchmarks.pytorch_model import pytorch_step

    torch.set_num_threads(int(threads))
    trainer, xs, ts = _trainer_and_batch(variant)
    return medians(pytorch_step(trainer.recipe, xs, ts), runs=100, warm_up=20)


@measurement
def against_step_by_step(threads):
    """Seconds of a training step: with the library's LSTM, with the blackboard's"""
    from benchmarks.step_by_step import StepByStepLSTM

    class WithoutSwitches(StepByStepLSTM):
        def forward(self, xs, context=None, keep=None):  # the baseline uses neither
            return super().forward(xs)

    fast, xs, ts = _trainer_and_batch("baseline")
    plain, _, _ = _trainer_and_batch("baseline")
    for part in (plain.model.encoder, plain.model.decoder):
        lstm = WithoutSwitches(**part.lstm.params, stateful=part.lstm.stateful)
        lstm.grads = part.lstm.grads  # the very arrays that the optimizer reads
        part.lstm = lstm
    return medians(lambda: fast.step(xs, ts), lambda: plain.step(xs, ts), runs=100, warm_up=10)


@measurement
def answering():
    """Seconds for 5,000 questions: in batches, one at a time"""
    solver = load_pretrained("reverse+peeky")
    questions = make_additions(5000, np.random.default_rng(0)).questions
    together = medians(lambda: solver(questions), runs=5, warm_up=1)
    alone = medians(lambda: [solver(question) for question in questions], runs=1, warm_up=0)
    return [*together, *alone]


@measurement
def every_sum():
    """Seconds for all million sums, and the process's largest memory in GB"""
    from seq2seq_lib.evaluation import every_sum

    solver = load_pretrained("reverse+peeky")
    start = time.perf_counter()
    every_sum(solver.model, solver.layout)
    return [time.perf_counter() - start, _peak_memory()]


@measurement
def training_memory():
    """The largest memory, in GB, of a process that trains on 45,000 questions"""
    trainer = Trainer(Recipe.of("reverse+peeky"))
    batch = trainer.recipe.batch_size
    for start in range(0, 10 * batch, batch):
        places = slice(start, start + batch)
        trainer.step(trainer.questions[places], trainer.answers[places])
    return [_peak_memory()]


def _peak_memory():
    try:
        import resource
    except ImportError:  # on Windows
        return float("nan")

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def measured(name, *arguments, threads=2):
    """Run one measurement in a fresh process with that many BLAS threads."""
    environment = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "benchmarks", name, *map(str, arguments)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def in_turn(first, second, variant, threads):
    """The medians of two measurements, three times each in turn, each time in a fresh process.

    In one process the idle threads of the one would spin where those of the other want to work.
    """
    rounds = [
        [measured(name, variant, threads, threads=threads)[0] for name in (first, second)]
        for _ in range(3)
    ]
    return [statistics.median(seconds) for seconds in zip(*rounds, strict=True)]


def seconds_to_import(module):
    """The median of seven fresh processes"""
    code = f"from time import perf_counter as t; s = t(); import {module}; print(t() - s)"
    return statistics.median(
        float(subprocess.check_output([sys.executable, "-c", code], text=True)) for _ in range(7)
    )


def rows():
    """Yield (what, ours, other, ratio, target) as texts, as they are measured."""
    for threads in (1, 2):
        for variant in VARIANTS:
            ours, other = in_turn("our_step", "pytorch_step", variant, threads)
            what = f"training step, {variant}, {threads} thread{'s'[: threads - 1]}"
            yield (what, _ms(ours), f"PyTorch {_ms(other)}", ours / other, 1.25)
    for threads in (1, 2):
        ours, other = measured("against_step_by_step", threads, threads=threads)
        what = f"training step, baseline, {threads} thread{'s'[: threads - 1]}"
        yield (what, _ms(ours), f"step by step {_ms(other)}", ours / other, 0.6)
    together, alone = measured("answering")
    other = f"one at a time, each twice {alone:.2f} s"
    yield ("5,000 questions", f"{together:.3f} s", other, together / alone, 1 / 30)
    seconds, memory = measured("every_sum")
    yield ("all million sums", f"{seconds:.1f} s", "60 s", seconds / 60, 1)
    yield ("memory for all million sums", f"{memory:.2f} GB", "1 GB", memory, 1)
    (memory,) = measured("training_memory")
    yield ("memory in training", f"{memory:.2f} GB", "", None, None)
    numpy = seconds_to_import("numpy")
    more = seconds_to_import("seq2seq_lib") - numpy
    yield ("import, beyond NumPy's own", _ms(more), f"100 ms (NumPy {_ms(numpy)})", more / 0.1, 1)


def _ms(seconds):
    return f"{seconds * 1000:.2f} ms"


def main():
    """Print the table, a row as soon as it is known."""
    if importlib.util.find_spec("torch") is None:
        sys.exit("the table compares with PyTorch: make bench installs it, or pip install torch")
    line = "{:<44} {:>12}  {:<26} {:>7} {:>8}"
    print(line.format("what (medians)", "ours", "compared with", "ratio", "at most"))
    for what, ours, other, ratio, target in rows():
        figures = ("", "") if ratio is None else (f"{ratio:.3f}", f"{target:.3f}")
        print(line.format(what, ours, other, *figures), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        name, *arguments = sys.argv[1:]
        print(json.dumps(MEASUREMENTS[name](*arguments)))
    else:
        main()
