"""Training learns, is the same bit for bit each time, and stops where numbers go out of bounds."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from runs import bits, finished, small_checkpoint, small_recipe

from seq2seq_lib import Examples, Trainer
from seq2seq_lib.data import Splits
from seq2seq_lib.training import DivergedError

VARIANTS = ["baseline", "reverse", "peeky", "reverse+peeky"]
SWITCHES = ["pass_cell", "end_mark", "units_first", "mask_loss", "pass_through"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_loss_falls(variant):
    trainer = finished(small_recipe(variant, epochs=6, learning_rate=0.01))
    losses = [epoch["loss"] for epoch in trainer.history]
    assert losses[-1] < 0.9 * losses[0] and losses[0] < 1.05 * np.log(13)


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"pass_cell": True},
        {"end_mark": True, "mask_loss": True},
        {"pass_through": True, "reverse": True, "padding": "front"},
        {"units_first": True, "schedule": "cosine"},
    ],
)
def test_a_tiny_task_is_learnt_by_heart(switches):
    questions = [f"{a}+{b}" for a in range(4) for b in range(4)]
    examples = Examples(questions, [str(sum(map(int, q.split("+")))) for q in questions])
    recipe = small_recipe("peeky", epochs=300, learning_rate=0.01, batch_size=8, hidden_size=32)
    trainer = Trainer(recipe.replace(**switches), Splits(examples, examples, examples))
    assert any(epoch["accuracy"] == 1.0 for epoch in trainer.run())


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_recipe_gives_the_same_bits(variant):
    again = finished(small_recipe(variant)).checkpoint()
    assert bits(again) == bits(small_checkpoint(variant))


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"data_seed": 1},
        {"learning_rate": 0.0011},
        {"max_norm": 0.01},
        {"batch_size": 31},
        {"schedule": "cosine"},
        {"padding": "front"},
        *({switch: True} for switch in SWITCHES),
    ],
)
def test_another_recipe_gives_other_numbers(changes):
    other = finished(small_recipe(**changes)).checkpoint()
    assert bits(other)[0] != bits(small_checkpoint())[0]


def seen_in(epoch, recipe):
    """A trainer and the questions of each of this epoch's batches."""
    batches = []

    class Watched(Trainer):
        def step(self, xs, ts):
            batches.append(xs.copy())
            return super().step(xs, ts)

    trainer = Watched(recipe.replace(epochs=epoch))
    for _ in trainer.run():
        pass
    return trainer, batches[-trainer.steps_an_epoch :]


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(64, [64, 64, 64, 8]), (200, [200]), (999, [200])]
)
def test_every_question_is_seen_once_an_epoch_the_last_batch_being_smaller(batch_size, sizes):
    trainer, batches = seen_in(1, small_recipe(batch_size=batch_size))
    assert [len(batch) for batch in batches] == sizes
    assert trainer.steps_an_epoch == len(sizes) == trainer.optimizer.t
    assert sorted(np.concatenate(batches).tolist()) == sorted(trainer.questions.tolist())


def test_every_epoch_has_an_order_of_its_own():
    orders = [seen_in(epoch, small_recipe())[1] for epoch in (1, 2)]
    assert not np.array_equal(orders[0][0], orders[1][0])


def test_the_loss_of_an_epoch_is_the_mean_of_those_told_on_the_way():
    trainer, losses = Trainer(small_recipe(epochs=1)), []
    (epoch,) = trainer.run(losses.append)
    assert epoch is trainer.history[0] and epoch["loss"] == np.mean(losses)
    assert len(losses) == trainer.steps_an_epoch == 7


def test_no_epochs_train_nothing():
    trainer = Trainer(small_recipe(epochs=0))
    before = copy.deepcopy(trainer.model.params)
    assert list(trainer.run()) == [] and trainer.history == []
    assert all(np.array_equal(before[name], p) for name, p in trainer.model.params.items())
    assert 0 <= trainer.accuracy() <= 1


@pytest.mark.parametrize(
    "changes", [{"hidden_size": 1}, {"wordvec_size": 1}, {"batch_size": 1}, {"train_size": 1}]
)
def test_the_smallest_sizes_train(changes):
    trainer = finished(small_recipe(**changes))
    assert len(trainer.history) == 2 and np.isfinite(trainer.history[-1]["loss"])


def test_the_test_questions_are_not_touched():
    splits = small_recipe().splits()
    hidden = Splits(splits.train, splits.validation, None)
    assert bits(finished(small_recipe(), splits=hidden).checkpoint()) == bits(small_checkpoint())


def test_the_callers_questions_are_not_changed():
    splits = small_recipe().splits()
    before = copy.deepcopy(splits)
    finished(small_recipe("reverse"), splits=splits)
    assert splits == before


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["encoder.embed.W", "encoder.lstm.Wh", "decoder.affine.b"])
def test_a_weight_that_is_no_number_stops_training_at_that_step_and_is_named(name, number):
    trainer = Trainer(small_recipe())
    steps = trainer.run(on_step=lambda loss: trainer.model.params[name].fill(number))
    with pytest.raises(DivergedError) as stopped:
        next(steps)
    assert str(stopped.value) == (
        f"training diverged at step 2: {name} is not finite (learning rate 0.001); "
        "try a smaller one"
    )
    assert trainer.optimizer.t == 1


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_stops_training_before_it_is_used(monkeypatch, number):
    trainer = Trainer(small_recipe())
    backward = trainer.model.backward

    def spoilt():
        backward()
        if trainer.optimizer.t == 4:
            trainer.model.grads["decoder.lstm.Wx"][0, 0] = number

    monkeypatch.setattr(trainer.model, "backward", spoilt)
    with pytest.raises(DivergedError, match=r"at step 5: decoder.lstm.Wx is not finite"):
        next(trainer.run())
    assert all(np.isfinite(p).all() for p in trainer.model.params.values())


@pytest.mark.parametrize("rate", [1e3, 999_999.0])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_learning_rate_far_too_large_stops_training_and_is_named(variant, rate):
    trainer = Trainer(small_recipe(variant, learning_rate=rate))
    with pytest.raises(DivergedError, match=rf"at step 2: the loss is .*rate {rate:g}\)"):
        next(trainer.run())
    assert trainer.history == []


def test_a_run_that_diverged_keeps_the_epochs_before():
    trainer = Trainer(small_recipe())
    epochs = trainer.run()
    first = next(epochs)
    trainer.model.params["decoder.affine.W"][:] = np.nan
    with pytest.raises(DivergedError):
        next(epochs)
    assert trainer.history == [first]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 1}, "resume: expected seed .*, as in the checkpoint, got 1"),
        ({"hidden_size": 17}, "resume: expected hidden_size 16, .* got 17"),
        ({"schedule": "cosine"}, "resume: expected schedule 'constant', .* got 'cosine'"),
        ({"epochs": 1}, "epochs: expected at least the 2 that are done, got 1"),
    ],
)
def test_a_run_is_resumed_only_with_its_own_recipe(changes, named):
    with pytest.raises(ValueError, match=named):
        Trainer(small_recipe(**changes), resume=small_checkpoint())


def test_a_run_is_resumed_only_with_the_state_of_its_optimizer():
    with pytest.raises(ValueError, match="resume: expected a checkpoint with the optimizer's"):
        Trainer(small_recipe(epochs=3), resume=replace(small_checkpoint(), moments=None))


def test_a_checkpoint_is_a_copy_that_going_on_does_not_change():
    trainer = Trainer(small_recipe())
    run = trainer.run()
    next(run)
    checkpoint = trainer.checkpoint()
    before = bits(checkpoint)
    next(run)
    assert bits(checkpoint) == before
    assert bits(trainer.checkpoint()) != before
    resumed = [finished(small_recipe(), resume=checkpoint).checkpoint() for _ in range(2)]
    assert bits(checkpoint) == before
    assert bits(resumed[0]) == bits(resumed[1]) == bits(trainer.checkpoint())


def test_as_many_answers_as_questions_are_expected():
    splits = small_recipe().splits()
    fewer = Splits(Examples(splits.train.questions, splits.train.answers[1:]), *splits[1:])
    with pytest.raises(ValueError, match="as many answers as questions, 200, got 199"):
        Trainer(small_recipe(), fewer)
