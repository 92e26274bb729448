"""Training: batches in a new order each epoch, one update a batch, a look at validation after."""

import copy
import time

import numpy as np

from seq2seq_lib.checkpoint import Checkpoint
from seq2seq_lib.encoding import shown
from seq2seq_lib.evaluation import exact_match, write_answers
from seq2seq_lib.optimizers import Adam, clip_gradients

LARGEST_LOSS = 1000.0  # nats a character; guessing costs ln 13 = 2.6


class DivergedError(ArithmeticError):
    """The numbers went out of bounds; names the step, the learning rate and the parameter."""


class Trainer:
    """One run of a recipe, epoch by epoch.

    ``history`` has a dict an epoch: "loss", the mean over the epoch's batches, in nats a counted
    character; "accuracy", the exact match on the validation questions afterwards, 0 to 1;
    "seconds". The test questions are not touched here.
    """

    def __init__(self, recipe, splits=None, *, resume=None):
        """splits : ``Splits``; None draws the recipe's additions
        resume : the ``Checkpoint`` of an unfinished run of the same recipe
        """
        self.recipe, self.layout = recipe, recipe.layout
        self.splits = recipe.splits() if splits is None else splits
        self.questions, self.answers = self._encoded(self.splits.train)
        self.validation = self._encoded(self.splits.validation)
        self.model, self.history = recipe.build_model(), []
        self.optimizer = Adam(self.model.params, recipe.learning_rate)
        if resume is not None:
            self._resume(resume)

    def _encoded(self, examples):
        encode_questions, encode_answers = self.layout.encode_questions, self.layout.encode_answers
        questions, answers = examples
        if len(questions) != len(answers):
            raise ValueError(
                f"splits: expected as many answers as questions, {len(questions)}, "
                f"got {len(answers)}"
            )
        return encode_questions(questions), encode_answers(answers)

    def _resume(self, checkpoint):
        if checkpoint.moments is None:
            raise ValueError("resume: expected a checkpoint with the optimizer's state, got none")
        before, now = checkpoint.recipe.to_dict(), self.recipe.to_dict()
        for name in before:
            if name == "epochs" and self.recipe.schedule == "constant":
                continue  # with any other schedule their number decides every rate
            if before[name] != now[name]:
                raise ValueError(
                    f"resume: expected {name} {shown(before[name])}, as in the checkpoint, "
                    f"got {shown(now[name])}"
                )
        if len(checkpoint.history) > self.recipe.epochs:
            raise ValueError(
                f"epochs: expected at least the {len(checkpoint.history)} that are done, "
                f"got {self.recipe.epochs}"
            )
        self.history = copy.deepcopy(checkpoint.history)
        self.optimizer.t = checkpoint.steps
        arrays = checkpoint.model.params, *checkpoint.moments
        for mine, theirs in zip(self._arrays(), arrays, strict=True):
            for name, array in mine.items():
                array[...] = theirs[name]

    def _arrays(self):
        return self.model.params, self.optimizer.m, self.optimizer.v

    @property
    def steps_an_epoch(self):
        """How many batches an epoch has; the last may be a smaller one"""
        return -(-len(self.questions) // self.recipe.batch_size)

    @property
    def updates(self):
        """How many updates the whole run has"""
        return self.recipe.epochs * self.steps_an_epoch

    def run(self, on_step=lambda loss: None):
        """Train the epochs that are left; yield ``history[-1]`` after each.

        ``on_step(loss)`` is called after every update. Raises DivergedError.
        """
        while len(self.history) < self.recipe.epochs:
            start = time.perf_counter()
            order = self.recipe.rng(len(self.history) + 1).permutation(len(self.questions))
            losses = []
            for first in range(0, len(order), self.recipe.batch_size):
                batch = order[first : first + self.recipe.batch_size]
                losses.append(self.step(self.questions[batch], self.answers[batch]))
                on_step(losses[-1])
            self.history.append(
                {
                    "loss": float(np.mean(losses)),
                    "accuracy": self.accuracy(),
                    "seconds": time.perf_counter() - start,
                }
            )
            yield self.history[-1]

    def step(self, xs, ts):
        """One update on questions xs (N, T) and answers ts (N, S) -> the loss before it, float"""
        with np.errstate(all="ignore"):  # what overflows is caught, and named, right here
            loss = self.model.forward(xs, ts)
            self.model.backward()
            norm = clip_gradients(self.model.grads, self.recipe.max_norm)
        if not (np.isfinite(norm) and loss <= LARGEST_LOSS):
            raise DivergedError(self._divergence(loss, norm))
        self.optimizer.rate = self.recipe.rate(self.optimizer.t, self.updates)
        self.optimizer.update(self.model.grads)
        return loss

    def _divergence(self, loss, norm):
        arrays = [*self.model.params.items(), *self.model.grads.items()]
        where = next((name for name, a in arrays if not np.isfinite(a).all()), None)
        found = f"the loss is {loss:.3g}, the norm of all gradients {norm:.3g}"
        if where:
            found = f"{where} is not finite"
        return (
            f"training diverged at step {self.optimizer.t + 1}: {found} "
            f"(learning rate {self.recipe.learning_rate:g}); try a smaller one"
        )

    def accuracy(self):
        """Exact match on the validation questions, 0 to 1"""
        xs, ts = self.validation
        return exact_match(write_answers(self.model, self.layout, xs), ts, self.layout)

    def checkpoint(self, *, resumable=True):
        """A copy of the run so far; without the optimizer's state if not ``resumable``"""
        model, *moments = copy.deepcopy(self._arrays())
        copied = self.recipe.build_model()
        for name, array in copied.params.items():
            array[...] = model[name]
        history = copy.deepcopy(self.history)
        moments = tuple(moments) if resumable else None
        return Checkpoint(copied, self.recipe, history, moments, self.optimizer.t)
