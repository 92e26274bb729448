"""A solver takes what a person would type and answers in text, one question or many."""

import doctest
import importlib
import pkgutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import finished, small_checkpoint, small_recipe

import seq2seq_lib
from seq2seq_lib import (
    VARIANTS,
    Examples,
    Recipe,
    Solver,
    load_pretrained,
    load_solver,
    save_checkpoint,
)

NUMBERS = st.integers(0, 999)
BLANKS = st.text(" \t", max_size=3)


@pytest.fixture(scope="module")
def solver():
    checkpoint = small_checkpoint()
    return Solver(checkpoint.model, checkpoint.recipe)


@given(NUMBERS, NUMBERS, st.tuples(BLANKS, BLANKS, BLANKS, BLANKS))
def test_blanks_around_numbers_change_nothing(solver, a, b, blanks):
    before, left, right, behind = blanks
    typed = f"{before}{a}{left}+{right}{b}{behind}"
    assert solver.normalised(typed) == f"{a}+{b}"
    assert solver(typed) == solver(f"{a}+{b}")


@given(st.text("0123456789+- \t\n_abc٣５", max_size=9))
def test_a_text_is_answered_exactly_if_it_is_a_sum_of_two_numbers_up_to_999(solver, text):
    a, plus, b = (part.strip(" \t\n") for part in text.partition("+"))
    known = {str(number) for number in range(1000)}
    if plus and a in known and b in known:
        assert solver.normalised(text) == f"{a}+{b}"
    else:
        with pytest.raises(ValueError, match=r"expected two numbers from 0 to 999 joined by a"):
            solver(text)


@given(st.lists(st.builds("{}+{}".format, NUMBERS, NUMBERS), max_size=5))
def test_many_questions_get_the_answers_of_each_alone(solver, questions):
    answers = solver(questions)
    assert answers == [solver(question) for question in questions] == solver(tuple(questions))
    assert all(isinstance(answer, str) for answer in answers)


@pytest.mark.parametrize(
    "question",
    [
        *[None, 3, 57.5, b"1+1", {"1+1"}, {"1+1": 2}, np.array(["1+1"]), iter(["1+1"])],
        *[("1+1", None), ["1+1", 2], [["1+1"]], [b"1+1"], [None], [0], [[]]],
    ],
    ids=ascii,
)
def test_what_is_no_text_is_refused(solver, question):
    with pytest.raises(ValueError, match=r"expected a question.*, got"):
        solver(question)


def test_a_solver_of_other_questions_takes_them_as_they_are():
    examples = Examples([f"猫{n}" for n in range(40)], ["吾輩"] * 40)
    recipe = small_recipe(epochs=30, learning_rate=0.01).for_examples(examples)
    trainer = finished(recipe, splits=recipe.splits(examples))
    solver = Solver(trainer.model, recipe)
    assert solver(" 猫7 ") == "吾輩" and solver(["猫1", "猫39"]) == ["吾輩"] * 2
    for question in ("", "  ", "猫123", "犬1", "猫_"):
        with pytest.raises(ValueError, match="expected"):
            solver(question)


def test_encode_gives_all_that_the_decoder_will_know(solver):
    h = solver.encode("57+5")
    assert h.shape == (16,) and h.dtype == np.float32
    assert np.array_equal(h, solver.trace(" 57 + 5 ").bridge_h)
    assert not np.array_equal(h, solver.encode("5+57"))


def test_a_trace_ends_in_the_answer(solver):
    trace = solver.trace("57+5")
    assert solver.layout.decode_answers(trace.choices[None]) == [solver("57+5")]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_variants_that_come_with_the_library_load_and_say_which_they_are(variant):
    solver = load_pretrained(variant)
    assert solver.recipe.variant == variant
    assert solver.recipe == Recipe.of(variant, seed=solver.recipe.seed)


def test_the_best_variant_adds():
    solver = load_pretrained("reverse+peeky")
    assert solver(["57+5", "628+521", "220+8"]) == ["62", "1149", "228"]


def test_the_best_model_adds_and_had_no_more_data_numbers_or_epochs_than_the_variants():
    best, common = load_pretrained("best"), Recipe()
    assert best(["1+1", "57+5", "340+12", "628+521"]) == ["2", "62", "352", "1149"]
    for name in ("train_size", "data_seed", "data", "epochs", "hidden_size"):
        assert getattr(best.recipe, name) == getattr(common, name)


@pytest.mark.parametrize("variant", ["", "reverse-peeky", "../baseline", None, 3, ["peeky"], {}])
def test_a_variant_that_does_not_come_with_the_library_is_refused(variant):
    with pytest.raises(ValueError, match=r"model: expected one of baseline, .*, got "):
        load_pretrained(variant)


def test_a_solver_is_loaded_from_a_file(tmp_path, solver):
    save_checkpoint(tmp_path / "model.npz", small_checkpoint())
    questions = [f"{n}+{n}" for n in range(50)]
    assert load_solver(tmp_path / "model.npz")(questions) == solver(questions)


MODULES = [module.name for module in pkgutil.iter_modules(seq2seq_lib.__path__, "seq2seq_lib.")]


@pytest.mark.parametrize("name", ["seq2seq_lib", *MODULES])
def test_examples_in_docstrings_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_package_opens_with_an_example():
    assert doctest.testmod(seq2seq_lib).attempted >= 3


def test_threads_may_share_a_solver(solver):
    chunks = [[f"{a}+{b}" for b in range(0, 1000, 20)] for a in range(0, 1000, 60)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(solver, chunks))
    assert together == [solver(chunk) for chunk in chunks]
