"""Where seq2seq is used: the chapter's functions are right, and what it says of dates holds."""

import itertools
from collections import Counter
from datetime import date

import numpy as np
import pytest
from chapters import BOOK, cells, defined, solutions, source

from seq2seq_lib import Recipe, Solver, Trainer, load_pretrained

SEEDS = 0, 1, 2
COPIED = "1989-11-09"
SETTINGS = {
    "hidden_size": 64,
    "batch_size": 32,
    "epochs": 8,
    "learning_rate": 0.01,
    "schedule": "cosine",
}


@pytest.fixture(scope="module")
def chapter():
    return defined("uses")


@pytest.fixture(scope="module")
def examples(chapter):
    return chapter["make_dates"](15_000, np.random.default_rng(0))


def code(cell_id):
    (text,) = [source(cell) for cell in cells("uses") if cell["id"] == cell_id]
    return text


# Dates


def test_each_form_is_named_by_what_it_makes_of_the_ninth_of_november(chapter):
    forms = chapter["writings"](date(1989, 11, 9))
    assert len(forms) == 6 and all(name == text for name, text in forms.items())


@pytest.mark.parametrize(
    ("form", "layout"),
    [
        ("november 9, 1989", "%B %d, %Y"),
        ("nov 9 1989", "%b %d %Y"),
        ("9 november 1989", "%d %B %Y"),
        ("09/11/89", "%d/%m/%y"),
        ("9.11.1989", "%d.%m.%Y"),
        (COPIED, "%Y-%m-%d"),
    ],
)
def test_a_program_that_knows_the_form_reads_back_the_day(chapter, form, layout):
    import datetime

    for month, year in itertools.product(range(1, 13), (1970, 1999, 2000, 2029)):
        day = date(year, month, 9 + month)
        text = chapter["writings"](day)[form]
        century = text[:-2] + str(year) if form == "09/11/89" else text
        layout_now = layout.replace("%y", "%Y")
        assert datetime.datetime.strptime(century, layout_now).date() == day
        assert text == text.lower()


def test_no_day_is_drawn_twice_and_all_forms_come_about_equally_often(chapter, examples):
    assert len(examples.questions) == len(set(examples.answers)) == 15_000
    days = [date.fromisoformat(answer) for answer in examples.answers]
    assert min(days).year == 1970 and max(days).year == 2029
    assert (date(2029, 12, 31) - date(1970, 1, 1)).days + 1 == 21_915
    drawn = Counter()
    for question, day in zip(examples.questions, days, strict=True):
        (form,) = [form for form, text in chapter["writings"](day).items() if text == question]
        drawn[form] += 1
    assert len(drawn) == 6 and all(2_300 < count < 2_700 for count in drawn.values())


def test_no_day_of_the_test_is_in_the_training_data_in_any_form(examples):
    splits = Recipe.of("reverse+peeky").for_examples(examples).splits(examples)
    train, validation, test = (set(part.answers) for part in splits)
    assert not (train & test or train & validation or validation & test)
    assert [len(part.questions) for part in splits] == [12_000, 1_500, 1_500]


def test_right_by_form_writes_the_same_days_in_every_form(chapter):
    answers = ["1989-11-09", "2004-02-29", "1994-09-27", "2020-01-01"]

    def copies(questions):
        return list(questions)

    shares = chapter["right_by_form"](copies, answers)
    assert shares == {form: float(form == COPIED) for form in shares} and len(shares) == 6
    assert set(chapter["right_by_form"](lambda _: [*answers[:2], "", ""], answers).values()) == {
        0.5
    }


def test_the_model_of_sums_refuses_a_date():
    with pytest.raises(ValueError, match="two numbers"):
        load_pretrained("best")("9 november 1989")


# What was trained


def test_the_recipe_of_these_tests_is_the_chapter_s(examples):
    names = {"examples": examples}
    exec(code("uses-recipe"), names)
    assert names["recipe"] == Recipe.of("reverse+peeky", **SETTINGS).for_examples(examples)


def trained(chapter, examples, **changes):
    """A trained solver, the accuracy by form after each epoch, and the exact match on the test"""
    recipe = Recipe.of("reverse+peeky", **SETTINGS).replace(**changes).for_examples(examples)
    trainer = Trainer(recipe, recipe.splits(examples))
    solver = Solver(trainer.model, recipe)
    validation, test = trainer.splits.validation, trainer.splits.test
    by_form = [chapter["right_by_form"](solver, validation.answers[:300]) for _ in trainer.run()]
    right = np.mean([a == b for a, b in zip(solver(test.questions), test.answers, strict=True)])
    return solver, by_form, right


@pytest.fixture(scope="module")
def runs(chapter, examples):
    return [trained(chapter, examples, seed=seed) for seed in SEEDS]


@pytest.mark.slow
def test_fewer_than_one_in_a_hundred_unseen_days_is_wrong_in_each_of_three_runs(runs):
    assert all(right > 0.99 for _, _, right in runs)


@pytest.mark.slow
def test_the_form_that_only_has_to_be_copied_is_learnt_last_in_each_of_three_runs(runs):
    for _, by_form, _ in runs:
        others = [share for form, share in by_form[2].items() if form != COPIED]
        assert by_form[2][COPIED] < min(others) - 0.05


@pytest.mark.slow
def test_whatever_goes_in_something_of_the_form_of_a_date_comes_out(runs):
    odd = ["31.2.1994", "september 31, 1994", "29 february 1995", "99/99/94", "hello"]
    odd += ["9 november 1889", "1989/11/09", "45.3.2001"]
    for solver, _, _ in runs:
        for answer in solver(odd):
            assert [len(part) for part in answer.split("-")] == [4, 2, 2]
            assert answer.replace("-", "").isdecimal()
        assert solver(["september 31, 1994", "29 february 1995"]) == ["1994-09-31", "1995-02-29"]
        assert solver(["9 nov 1989"]) == ["1989-11-09"] != solver(["1989/11/09"])
        fine, other = solver(["99/99/94", "9 november 1889"])
        assert date.fromisoformat(fine).month == 9 and 1970 <= int(other[:4]) <= 2029


@pytest.mark.slow
def test_the_model_is_nearly_as_sure_of_a_day_that_does_not_exist(runs):
    solver = runs[0][0]
    sure = {
        question: solver.trace(question).probabilities.max(axis=-1).min()
        for question in ("9 november 1989", "september 31, 1994", "hello")
    }
    assert sure["9 november 1989"] > 0.97 and sure["september 31, 1994"] > 0.9 > sure["hello"]


@pytest.mark.slow
def test_a_capital_letter_is_refused(runs):
    with pytest.raises(ValueError, match="'N'"):
        runs[0][0]("9 November 1989")


@pytest.mark.slow
def test_the_model_is_sure_of_the_century_that_is_not_in_the_question(runs):
    trace = runs[0][0].trace("09/11/89")
    assert trace.probabilities[:2].max(axis=-1).min() > 0.97
    assert runs[0][0](["09/11/70", "09/11/99", "09/11/00", "09/11/29"]) == [
        f"{year}-11-09" for year in (1970, 1999, 2000, 2029)
    ]


@pytest.mark.slow
def test_the_baseline_needs_blanks_in_front_and_the_cell(chapter, examples):
    asked = ["9 november 1989", "1.2.2003", "hello", "1975-08-30"]
    plain = {"reverse": False, "peeky": False}
    solver, _, right = trained(chapter, examples, **plain)
    assert right < 0.01 and len(set(solver(asked))) == 1
    solver, _, right = trained(chapter, examples, **plain, padding="front")
    years = [answer[:4] for answer in solver([asked[0], asked[1], asked[3]])]
    assert right < 0.01 and years == ["1989", "2003", "1975"]
    _, _, right = trained(chapter, examples, **plain, padding="front", pass_cell=True)
    assert 0.85 < right < 0.95


@pytest.mark.slow
@pytest.mark.parametrize(("form", "least", "most"), [("nov 9 1989", 0.4, 0.7), (COPIED, 0, 0.02)])
def test_of_a_form_that_was_left_out_about_half_or_hardly_any_is_right(
    chapter, examples, form, least, most
):
    pairs = enumerate(zip(*examples, strict=True))
    kept = [
        place
        for place, (question, answer) in pairs
        if question != chapter["writings"](date.fromisoformat(answer))[form]
    ]
    fewer = examples.take(kept)
    assert 12_000 < len(fewer.questions) < 13_000
    _, by_form, right = trained(chapter, fewer)
    assert least <= by_form[-1][form] <= most and right > 0.97


@pytest.mark.slow
def test_with_more_forms_that_begin_with_the_year_the_copied_one_is_not_the_last(chapter, examples):
    namespace = {**chapter, "np": np, "examples": examples, "seen": []}
    namespace["recipe"] = Recipe.of("reverse+peeky", **SETTINGS).for_examples(examples)
    (research,) = [text for text in solutions("uses") if "more_writings" in text]
    exec(research.replace("print(", "seen.append("), namespace)
    for shares in namespace["seen"][1:3]:
        assert shares[COPIED] > sorted(shares.values())[1]


# Scores and attention


def test_shared_runs_of_the_example_of_the_paper_on_bleu(chapter):
    """Papineni et al., section 2.1: "the" counts at most as often as it is in the reference"""
    assert chapter["shared_runs"]("the the the the the the the", "the cat is on the mat", 1) == (
        2,
        7,
    )


@pytest.mark.parametrize(
    ("text", "reference", "length", "counts"),
    [
        ("tonight i will come home late", "i will be home late tonight", 1, (5, 6)),
        ("tonight i will come home late", "i will be home late tonight", 2, (2, 5)),
        ("i will be home early tonight", "i will be home late tonight", 1, (5, 6)),
        ("i will be home early tonight", "i will be home late tonight", 2, (3, 5)),
        ("late be tonight home will i", "i will be home late tonight", 1, (6, 6)),
        ("late be tonight home will i", "i will be home late tonight", 2, (0, 5)),
        ("cars cars cars", "the old bridge is closed to cars", 1, (1, 3)),
        ("no cars on the old bridge", "the old bridge is closed to cars", 1, (4, 6)),
        ("no cars on the old bridge", "the old bridge is closed to cars", 2, (2, 5)),
        ("a b", "a b c", 3, (0, 0)),
    ],
)
def test_shared_runs_as_counted_by_hand(chapter, text, reference, length, counts):
    assert chapter["shared_runs"](text, reference, length) == counts


@pytest.mark.parametrize("count", [1, 3, 40])
def test_attention_is_a_mean_of_the_states_with_weights_from_their_scores(chapter, count, rng):
    query, states = rng.standard_normal(5), rng.standard_normal((count, 5))
    weights, mixed = chapter["attend"](query, states)
    scores = [sum(q * s for q, s in zip(query, state, strict=True)) for state in states]
    total = sum(np.exp(score) for score in scores)
    np.testing.assert_allclose(weights, [np.exp(s) / total for s in scores], rtol=0, atol=1e-12)
    by_hand = sum(w * state for w, state in zip(weights, states, strict=True))
    np.testing.assert_allclose(mixed, by_hand, rtol=0, atol=1e-12)
    assert mixed.shape == query.shape


def test_the_numbers_of_the_question_on_attention_are_right():
    assert 40 * 512 == 20_480
    assert "20,480" in (BOOK / "uses.ipynb").read_text(encoding="utf-8")
