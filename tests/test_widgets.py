"""The stepper of a live notebook, driven from Python as its front end would."""

import asyncio
import dataclasses
import html
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq_lib import load_pretrained, steppers, widgets
from seq2seq_lib.pages import BUTTONS, SITE, WORDS, page
from seq2seq_lib.results import load_results
from seq2seq_lib.widgets import StepperBox, show

ipywidgets = pytest.importorskip("ipywidgets")
registry = importlib.import_module("ipywidgets.widgets.widget")._instances


@pytest.fixture(autouse=True)
def nothing_left():
    """Whatever a test opens is closed with it."""
    before = set(registry)
    yield
    for name in set(registry) - before:
        if name in registry:
            registry[name].close()
    assert set(registry) == before


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(widgets, "PACE", 0)


@pytest.fixture
def box():
    return StepperBox(STEPPERS["generation"])


SNAPSHOTS = Path(__file__).parents[1] / "book" / "results" / "snapshots.json"
STEPPERS = {
    "generation": steppers.generation(),
    "comparison": steppers.comparison(),
    "forcing": steppers.forcing(),
    "cell": steppers.cell(),
    "training": steppers.training(load_results(SNAPSHOTS)),
}
every_stepper = pytest.mark.parametrize("name", STEPPERS)
every_one_that_is_asked = pytest.mark.parametrize("name", [*STEPPERS][:-1])


def widgets_of(box):
    """A box and all that is in it, in the order of the page"""
    yield box
    for child in getattr(box, "children", ()):
        yield from widgets_of(child)


def controls(box):
    kinds = ipywidgets.Text, ipywidgets.Dropdown, ipywidgets.Button, ipywidgets.Checkbox
    return [each for each in widgets_of(box) if isinstance(each, kinds)]


def shows(box, frame, *, unfolded=False):
    """Is it this frame, and only this one, that is seen?"""
    drawn = box.frame.value
    return frame.html(unfolded=unfolded) in drawn and drawn.count('class="head"') == 1


def names_of(frames):
    return [frame.label.removeprefix("Step ") for frame in frames]


def alert(box):
    return re.sub("<[^>]*>", "", box.error.value)


# Steps


@every_stepper
def test_next_goes_through_all_frames_and_stays_at_the_last(name):
    stepper = STEPPERS[name]
    box, frames = StepperBox(stepper), stepper.frames(*stepper.prepared[0])
    for k, frame in enumerate(frames):
        assert shows(box, frame) and box.step.value == k
        box.buttons["next"].click()
    box.buttons["next"].click()
    assert shows(box, frames[-1]) and box.step.value == len(frames) - 1 > 2


@every_stepper
def test_the_menu_has_every_step_by_its_name_and_goes_there(name):
    stepper = STEPPERS[name]
    box, frames = StepperBox(stepper), stepper.frames(*stepper.prepared[0])
    labels = names_of(frames)
    assert [label for label, _ in box.step.options] == labels
    assert len(set(labels)) == len(labels)
    for k in reversed(range(len(frames))):
        box.step.value = k
        assert shows(box, frames[k]) and box.step.label == labels[k]


def test_buttons_go_where_they_say(box):
    last = len(box.step.options) - 1
    for name, to in {"back": 0, "last": last, "next": last, "first": 0}.items():
        box.buttons[name].click()
        assert box.step.value == to
    box.step.value = 5
    box.buttons["back"].click()
    assert box.step.value == 4
    box.buttons["next"].click()
    assert box.step.value == 5


def test_the_checkbox_unfolds_gates_and_cell_and_stays_for_every_step(box):
    frames = box.stepper.frames(*box.stepper.prepared[0])
    box.inside.value = True
    assert "<details open" in box.frame.value
    for k in 1, 8, 11:
        box.step.value = k
        assert shows(box, frames[k], unfolded=True)
    box.inside.value = False
    assert shows(box, frames[11]) and "<details open" not in box.frame.value


# Questions and choices


@every_one_that_is_asked
@pytest.mark.parametrize("question", ["0+0", "999+999", "8+100", " 57 + 5 "])
def test_any_sum_shows_its_own_frames(name, question):
    stepper = STEPPERS[name]
    box = StepperBox(stepper)
    box.question.value = question
    frames = stepper.frames(question, box.choice.value)
    assert box.error.value == "" and len(box.step.options) == len(frames)
    for k, frame in enumerate(frames):
        box.step.value = k
        assert shows(box, frame)


def test_the_numbers_on_the_bars_are_those_of_the_trace(box):
    box.question.value, box.choice.value = "628+521", "peeky"
    trace = load_pretrained("peeky").trace("628+521")
    for k, probabilities in enumerate(trace.probabilities):
        box.step.value = 8 + k
        drawn = [
            float((re.search(r"--p:([\d.]+)", bar) or [0, 0])[1])
            for bar in re.findall(r'<span class="bar\b[^>]*>', box.frame.value)
        ]
        assert drawn == pytest.approx(100 * probabilities, abs=0.0501)


@every_one_that_is_asked
def test_every_choice_shows_its_own_frames_at_the_step_where_one_is(name):
    stepper = STEPPERS[name]
    box = StepperBox(stepper)
    question, choice = stepper.prepared[0]
    assert (box.question.value, box.choice.value) == (question, choice)
    assert box.choice.options == stepper.choices
    box.step.value = 2
    for choice in stepper.choices:
        box.choice.value = choice
        frames = stepper.frames(question, choice)
        assert box.step.value == 2 and shows(box, frames[2])
        assert [label for label, _ in box.step.options] == names_of(frames)


def test_a_new_menu_of_steps_and_its_place_reach_the_page_together(box, monkeypatch):
    box.step.value, sent = 5, []

    def send_state(widget, key=None):
        if widget is box.step:
            sent.append(set(key))

    monkeypatch.setattr(ipywidgets.Widget, "send_state", send_state)
    box.choice.value = "reverse"
    assert box.step.value == 5
    assert len(sent) == 1 and sent[0] >= {"_options_labels", "index"}


def test_fewer_steps_end_at_the_last_of_them():
    def frames(question, choice):
        return STEPPERS["generation"].frames("1+1", "baseline")[: len(question)]

    box = StepperBox(steppers.Stepper("name", "title", frames, (("eight888", ""),)))
    box.buttons["last"].click()
    box.question.value = "two"
    assert box.step.value == 2 and shows(box, frames("two", "")[2])


@every_stepper
def test_a_checkbox_is_only_seen_where_there_is_something_to_unfold(name):
    stepper = STEPPERS[name]
    box = StepperBox(stepper)
    folded = any("<details" in frame.picture for frame in stepper.frames(*stepper.prepared[0]))
    assert folded == (name in ("generation", "comparison", "forcing"))
    assert (box.inside.layout.display != "none") == folded


@every_stepper
def test_a_title_says_what_it_is(name):
    box = StepperBox(STEPPERS[name])
    assert f">{html.escape(STEPPERS[name].title)}</p>" in box.children[0].value


def test_a_title_and_names_of_choices_are_texts():
    tag = "<b onclick=x>"
    stepper = steppers.generation(["1+1"], {tag: load_pretrained("best")})
    box = StepperBox(dataclasses.replace(stepper, title=tag, choice=tag))
    assert "&lt;b onclick=x&gt;</p>" in box.children[0].value and tag not in box.children[0].value
    assert not box.choice.description_allow_html


def test_a_stepper_without_questions_shows_no_box_for_them():
    box = StepperBox(STEPPERS["training"])
    assert box.question not in controls(box) and box.choice not in controls(box)


def test_a_solver_of_ones_own_is_asked_what_it_was_trained_on(box):
    mine = StepperBox(steppers.generation(["1+1"], {"mine": load_pretrained("best")}))
    assert mine.choice.options == ("mine",)
    assert (mine.frame.value != box.frame.value) and "1+1" == mine.question.value


# What is no question

BAD = {
    "a script": "<script>alert(1)</script>",
    "an image": "<img src=x onerror=alert(1)>",
    "a quote": "'\"><b>",
    "an ampersand": "&lt;1+1",
    "nothing": "",
    "a blank": " ",
    "no second number": "12+",
    "no first number": "+12",
    "four digits": "1000+1",
    "minus": "1-1",
    "three numbers": "1+2+3",
    "Devanagari digits": "५+३",
    "full-width digits": "５+3",
    "300 characters": "1" * 300,
    "a megabyte": "1+" * 500_000,
    "two lines": "1+1\n2+2",
    "right to left": "\u202e1+1",
    "NUL": "1+1\x00",
    "a surrogate": "\udc80+1",
    "an emoji": "🐈+1",
    "a format": "{}+%s",
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("generation", kind) for kind in BAD]
    + [(name, "a script") for name in ("comparison", "forcing", "cell")],
)
def test_what_is_no_sum_is_answered_in_one_sentence_and_the_frame_stays(name, kind):
    box = StepperBox(STEPPERS[name])
    box.step.value = 1
    before, steps = box.frame.value, box.step.options
    box.question.value = BAD[kind]
    assert re.fullmatch(
        r'<p role="alert" class="s2s in-notebook error">[^<>]+</p>', box.error.value
    )
    assert alert(box).isprintable() and len(alert(box)) < 300
    assert "expected two numbers" in alert(box) and " got " in alert(box)
    assert (box.frame.value, box.step.options, box.step.value) == (before, steps, 1)
    box.buttons["next"].click()
    assert box.step.value == 2 and box.error.value != ""
    box.question.value = "1+2"
    assert box.error.value == ""
    assert shows(box, box.stepper.frames("1+2", box.choice.value)[2])


def test_the_sentence_stands_right_below_the_box_that_it_is_about(box):
    rows = list(box.children)
    above = rows[rows.index(box.error) - 1]
    assert box.question in above.children


def test_a_stepper_that_starts_with_no_sum_says_so_and_waits_for_one():
    box = StepperBox(steppers.generation(["1+"], ["baseline"]))
    assert "expected two numbers" in alert(box)
    for button in "first", "back", "next", "last":
        box.buttons[button].click()
    box.inside.value = True
    assert box.frame.value == ""
    box.question.value = "1+1"
    assert box.error.value == "" and len(box.step.options) == 12
    assert shows(box, box.stepper.frames("1+1", "baseline")[0], unfolded=True)


# Playing


def run(steps):
    """Run a coroutine; no task may be left in its loop."""

    async def and_look():
        await steps
        await asyncio.sleep(0)  # in which what was cancelled ends
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(and_look())


async def until(box, step):
    for _ in range(100):
        if box.step.value == step:
            return
        await asyncio.sleep(0)
    raise AssertionError(f"step {box.step.value}, and not {step}")


async def a_while():
    for _ in range(30):
        await asyncio.sleep(0)


def label(box):
    return box.buttons["play"].description


def test_play_draws_every_step_and_ends_with_the_last(box, at_once):
    frames, seen = box.stepper.frames(*box.stepper.prepared[0]), []
    box.frame.observe(lambda change: seen.append(change.new), "value")

    async def steps():
        assert label(box) == WORDS["play"]
        box.buttons["play"].click()
        assert label(box) == WORDS["pause"] and seen == []
        await until(box, 11)
        await a_while()
        assert label(box) == WORDS["play"]

    run(steps())
    assert len(seen) == len(frames) - 1
    assert all(frame.html() in drawn for frame, drawn in zip(frames[1:], seen, strict=True))


def test_play_at_the_end_starts_over(box, at_once):
    async def steps():
        box.buttons["last"].click()
        box.buttons["play"].click()
        assert box.step.value == 0 and label(box) == WORDS["pause"]
        await until(box, 11)

    run(steps())


def test_playing_takes_its_time(box, monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    async def steps():
        with monkeypatch.context() as patch:
            patch.setattr(widgets.asyncio, "sleep", sleep)
            box.play()
            await box._task

    run(steps())
    assert waited == [widgets.PACE] * 11 and 1 <= widgets.PACE <= 3


STOPS = {
    "pause": lambda box: box.buttons["play"].click(),
    "next": lambda box: box.buttons["next"].click(),
    "back": lambda box: box.buttons["back"].click(),
    "first": lambda box: box.buttons["first"].click(),
    "last": lambda box: box.buttons["last"].click(),
    "the menu of steps": lambda box: setattr(box.step, "value", 9),
    "another sum": lambda box: setattr(box.question, "value", "8+9"),
    "what is no sum": lambda box: setattr(box.question, "value", "8+"),
    "another model": lambda box: setattr(box.choice, "value", "peeky"),
    "closing": lambda box: box.close(),
}


@pytest.mark.parametrize("kind", STOPS)
def test_play_stops_with(box, at_once, kind):
    async def steps():
        box.buttons["play"].click()
        await until(box, 3)
        STOPS[kind](box)
        assert label(box) == WORDS["play"]
        stopped = box.step.value
        await a_while()
        assert box.step.value == stopped

    run(steps())


def test_gates_and_cell_unfold_while_it_plays_on(box, at_once):
    async def steps():
        box.buttons["play"].click()
        await until(box, 3)
        box.inside.value = True
        await until(box, 11)

    run(steps())
    assert "<details open" in box.frame.value


def test_playing_is_one_task_however_often_it_is_started(box, at_once):
    async def steps():
        alone = len(asyncio.all_tasks())
        for _ in range(5):
            box.play()
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == alone + 1
        for _ in range(5):
            box.buttons["play"].click()  # pause, play, pause, ...
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == alone

    run(steps())


def test_play_after_pause_goes_on_where_it_was(box, at_once):
    async def steps():
        box.buttons["play"].click()
        await until(box, 3)
        box.buttons["play"].click()
        box.buttons["play"].click()
        assert box.step.value == 3
        await until(box, 11)

    run(steps())


def test_nothing_moves_by_itself(box, at_once):
    run(a_while())
    assert box.step.value == 0 and label(box) == WORDS["play"]


# Several, and closing


def test_steppers_of_one_page_do_not_disturb_one_another(at_once):
    stepper = STEPPERS["generation"]
    one, other = StepperBox(stepper), StepperBox(stepper)

    async def steps():
        one.question.value, one.choice.value = "1+1", "reverse+peeky"
        before = other.frame.value
        one.buttons["play"].click()
        await until(one, 5)
        one.question.value = "no sum"
        one.inside.value = True
        assert (other.question.value, other.step.value) == ("57+5", 0)
        assert (other.frame.value, other.error.value, label(other)) == (before, "", WORDS["play"])
        other.buttons["play"].click()
        await until(other, 3)
        one.close()
        await until(other, 11)

    run(steps())


@every_stepper
def test_closing_leaves_no_widget_and_no_task_behind(name, at_once):
    before = dict(registry)
    box = StepperBox(STEPPERS[name])
    assert len(registry) > len(before) + 20

    async def steps():
        box.play()
        await until(box, 2)
        box.close()
        assert registry == before
        box.close()  # twice is no fault

    run(steps())
    assert registry == before and box.comm is None


def test_closing_one_of_two_closes_no_widget_of_the_other():
    before = dict(registry)
    other = StepperBox(STEPPERS["cell"])
    its = dict(registry)
    StepperBox(STEPPERS["cell"]).close()
    assert registry == its != before
    other.buttons["next"].click()
    assert other.step.value == 1


# Where it is shown


def test_a_notebook_gets_widgets_and_a_site_gets_html(monkeypatch):
    stepper = STEPPERS["cell"]
    monkeypatch.delenv(SITE, raising=False)
    assert isinstance(show(stepper), StepperBox)
    before = dict(registry)
    monkeypatch.setenv(SITE, "1")
    shown = show(stepper)
    assert shown._repr_html_() == page(stepper)
    assert not hasattr(shown, "_repr_mimebundle_") and registry == before


@every_stepper
def test_every_control_has_a_name_and_none_needs_a_slider_an_icon_or_a_script(name):
    box = StepperBox(STEPPERS[name])
    for control in controls(box):
        assert control.description.strip(), control
    assert [each.description for each in box.buttons.values()] == [WORDS[each] for each in BUTTONS]
    found = list(widgets_of(box))
    kinds = {type(each).__name__ for each in found}
    assert kinds <= {"StepperBox", "HBox", "HTML", "Text", "Dropdown", "Button", "Checkbox"}
    assert not any(getattr(each, "icon", "") for each in found)
    drawn = "".join(each.value for each in found if type(each).__name__ == "HTML")
    assert not re.search(r"<script|<link|@import|url\(|https?://|\son\w+=|fa-", drawn)


def test_without_ipywidgets_the_message_names_what_to_install():
    code = "import sys; sys.modules['ipywidgets'] = None; import seq2seq_lib.widgets"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: steppers need ipywidgets: pip install 'seq2seq-lib[widgets]'" in (
        done.stderr
    )
