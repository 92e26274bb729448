"""What can be stepped through: names, choices, prepared questions, and clear refusals."""

import html

import pytest
from cases import RECIPES, SUM, elements, solver
from reading import having, parsed, text

from seq2seq_lib import Recipe, Solver, frames, steppers
from seq2seq_lib.pages import page
from seq2seq_lib.solver import PRETRAINED

SCRIPT = "<script>alert(1)</script>"
OWN = {"one": "small", "two": "reversed", "three": "peeking"}
KINDS = ["generation", "comparison", "forcing"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def own(*names):
    return {name: solver(OWN[name]) for name in names or OWN}


def of_own(kind, *questions):
    return getattr(steppers, kind)(questions or ("57+5",), own())


def shipped():
    return {
        "generation": steppers.generation(),
        "comparison": steppers.comparison(),
        "forcing": steppers.forcing(),
        "cell": steppers.cell(),
    }


def first(stepper, question):
    """The frames of a question with the first of the choices that are prepared"""
    return stepper.frames(question, stepper.prepared[0][1])


@pytest.mark.parametrize("kind", [*KINDS, "cell"])
def test_what_is_prepared_is_among_the_choices_and_can_be_drawn(kind):
    stepper = shipped()[kind]
    assert {choice for _, choice in stepper.prepared} <= set(stepper.choices)
    assert all(isinstance(frame, frames.Frame) for frame in stepper.frames(*stepper.prepared[-1]))


@pytest.mark.parametrize(
    ("kind", "called", "choices"),
    [
        ("generation", "Model", PRETRAINED),
        ("forcing", "Model", PRETRAINED),
        ("cell", "Character", tuple("1234567")),
    ],
)
def test_everything_that_is_shipped_can_be_chosen(kind, called, choices):
    stepper = shipped()[kind]
    assert (stepper.name, stepper.choice, stepper.choices) == (kind, called, choices)


def test_any_two_models_can_be_compared():
    stepper = shipped()["comparison"]
    assert len(stepper.choices) == len(set(stepper.choices)) == 10
    assert stepper.prepared[0][1] == "baseline and reverse" == stepper.choices[0]


@every_kind
def test_one_s_own_models_take_the_place_of_the_shipped_ones(kind):
    choices = {"comparison": ("one and two", "one and three", "two and three")}
    assert of_own(kind).choices == choices.get(kind, ("one", "two", "three"))


def test_a_stepper_has_the_title_and_the_name_it_is_given():
    for kind in KINDS:
        stepper = getattr(steppers, kind)(["1+1"], own(), name="mine")
        assert stepper.name == "mine" and stepper.title
    assert steppers.training([], name="mine").name == "mine"


@pytest.mark.parametrize("name", OWN)
def test_an_answer_is_drawn_from_the_trace_of_the_chosen_model(name):
    model = solver(OWN[name])
    drawn = steppers.generation(["57+5"], own()).frames("9+90", name)
    assert drawn == frames.generation(model.trace("9+90"), model.recipe, "99")


def test_a_comparison_is_drawn_from_the_traces_of_the_two_in_their_order():
    names = "two", "three"
    models = [solver(OWN[name]) for name in names]
    drawn = of_own("comparison").frames("9+90", "two and three")
    traces, recipes = [m.trace("9+90") for m in models], [m.recipe for m in models]
    assert drawn == frames.comparison(traces, recipes, names, "99")


@pytest.mark.parametrize("models", [["reverse", "peeky"], ["peeky", "reverse"]])
def test_the_models_asked_for_are_compared_first_whatever_their_order(models):
    prepared = steppers.comparison(["57+5"], models).prepared
    assert prepared == (("57+5", "reverse and peeky"),)


def test_forcing_is_drawn_from_a_trace_fed_the_right_answer_and_one_fed_its_own():
    model = solver("small")
    drawn = of_own("forcing").frames("9+90", "one")
    free, forced = model.trace("9+90"), model.trace("9+90", answer="99")
    assert drawn == frames.forcing(free, forced, model.recipe, "99")


@pytest.mark.parametrize("place", [1, 4, 7])
def test_a_character_is_counted_from_one_as_it_is_read(place):
    model = steppers.load_pretrained("baseline")
    drawn = steppers.cell().frames("57+5", str(place))
    assert drawn == frames.cell(model.trace("57+5"), model.recipe, place - 1)


@every_kind
@pytest.mark.parametrize("question", ["0+0", "999+999", " 7 + 8 ", "100+1"])
def test_any_sum_can_be_asked_not_only_those_that_are_prepared(kind, question):
    stepper = of_own(kind)
    bare = question.replace(" ", "")
    assert first(stepper, question) == first(stepper, bare)


BAD = ["", " ", "57", "57+", "1+2+3", "1000+1", "01+1", "57-5", "５+1", SCRIPT, None, 57, ["1+1"]]


@every_kind
@pytest.mark.parametrize("question", BAD, ids=repr)
def test_what_is_no_sum_is_refused_saying_what_is_expected_and_what_came(kind, question):
    came = ascii(question)[:40]
    with pytest.raises(ValueError, match=r"^expected (two numbers|a question)") as refused:
        first(of_own(kind), question)
    assert f"got {came}" in str(refused.value)


@pytest.mark.parametrize("kind", [*KINDS, "cell"])
@pytest.mark.parametrize("choice", ["none", "", "0", SCRIPT, None, 4, ["baseline"]], ids=repr)
def test_an_unknown_choice_is_refused_with_all_that_there_are(kind, choice):
    stepper = shipped()[kind]
    with pytest.raises(ValueError, match=r"^choice: expected one of ") as refused:
        stepper.frames("57+5", choice)
    assert str(refused.value).endswith(f"{', '.join(stepper.choices)}, got {choice!a}")


@every_kind
def test_an_unknown_model_is_refused_at_once(kind):
    with pytest.raises(ValueError, match=r"expected one of baseline, reverse, .*, got 'Peeky'"):
        getattr(steppers, kind)(["57+5"], ["baseline", "Peeky"])


@pytest.mark.parametrize("models", [[], ["baseline"], ["baseline", "baseline"]])
def test_a_comparison_needs_two_different_models(models):
    with pytest.raises(ValueError, match="models: expected at least two, got"):
        steppers.comparison(["57+5"], models)


@pytest.mark.parametrize("questions", [[], ["57+5", "57+5"]], ids=["none", "one twice"])
@every_kind
def test_nothing_prepared_or_one_thing_twice_is_refused(kind, questions):
    with pytest.raises(ValueError, match=r"prepared: expected at least one .* each of them once"):
        getattr(steppers, kind)(questions, own())


def test_models_that_read_rows_of_other_widths_cannot_be_compared():
    wide = Recipe(answer_width=5, **SUM)
    models = {"narrow": solver("small"), "wide": Solver(wide.build_model(), wide)}
    with pytest.raises(ValueError, match="expected equally many steps"):
        steppers.comparison(["57+5"], models).frames("57+5", "narrow and wide")


def test_what_is_no_addition_is_drawn_without_a_right_answer():
    model = solver("hostile")
    drawn = steppers.generation(['<b&"'], {"<mine>": model}).frames('<b&"', "<mine>")
    assert drawn == frames.generation(model.trace('<b&"'), model.recipe)


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("hostile")])
def test_a_hostile_question_is_shown_as_it_was_asked(name):
    for element in elements("generation", name):
        (asked,) = having(element, "asked")
        assert [tile.text for tile in asked.find("ol") if tile.text] == list('<b&"')


@every_kind
def test_a_script_asked_as_a_question_is_refused_by_a_page(kind):
    with pytest.raises(ValueError, match="expected two numbers"):
        page(of_own(kind, "57+5", SCRIPT))


@every_kind
def test_a_script_asked_in_a_notebook_is_answered_in_words_that_hold_no_script(kind):
    pytest.importorskip("ipywidgets")
    from seq2seq_lib.widgets import StepperBox

    box = StepperBox(of_own(kind))
    before = box.frame.value
    box.question.value = SCRIPT
    assert html.escape(SCRIPT) in box.error.value
    assert SCRIPT in text(parsed(box.error.value)) and "<script" not in box.error.value
    assert box.frame.value == before
    box.question.value = "1+1"
    assert box.error.value == ""
    box.close()


def test_training_is_drawn_once_without_a_question():
    run = {"recipe": Recipe().to_dict(), "untrained_accuracy": 0.0, "validation_accuracy": [0.5]}
    run |= {"answers": {"2+5": ["", "7"]}, "known": {"2+5": "new"}}
    stepper = steppers.training([run])
    assert (stepper.prepared, stepper.choices) == ((("", ""),), ())
    assert stepper.frames("", "") == frames.epochs({"baseline": run})
