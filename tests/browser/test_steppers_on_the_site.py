"""The steppers of the built site: they show what the trace says, to everyone, and quickly."""

import re
from pathlib import Path

import numpy as np
import pytest
from looking import faults, keep, width_of

from seq2seq_lib import load_pretrained
from seq2seq_lib.frames.parts import plain

SITE = Path(__file__).parents[2] / "_build" / "html"
PAGES = {
    "sequence": ["first-look"],
    "layers": ["cell"],
    "decoder": ["generation", "forcing"],
    "reverse": ["comparison"],
    "variants": ["training"],
}
PAGE_OF = {name: page for page, names in PAGES.items() for name in names}
every_page = pytest.mark.parametrize("page_name", PAGES)
every_stepper = pytest.mark.parametrize(
    ("page_name", "name"), [(page, name) for name, page in PAGE_OF.items()]
)


class Stepper:
    """A stepper as its reader has it"""

    def __init__(self, page, name):
        self.page, self.root = page, page.locator(f"#{name}")
        page.locator(f"#{name}.live").wait_for()

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click(force=True)  # at an end too

    @property
    def frame(self):
        frames = self.root.locator(".frame:visible")
        assert frames.count() == 1
        return frames

    @property
    def head(self):
        return self.frame.locator(".head").inner_text()

    @property
    def step(self):
        return int(self.root.get_by_role("slider").input_value())

    @property
    def steps(self):
        return int(self.root.get_by_role("slider").get_attribute("max"))


@pytest.fixture
def stepper(open_page, site):
    def stepper(name, link="", **options):
        return Stepper(open_page(f"{site}/book/{PAGE_OF[name]}.html{link}", **options), name)

    return stepper


def bars(frame):
    """[(share in %, is it chosen?, is it right?)] of the bars of a frame"""
    return frame.locator(".bars").evaluate(
        """figure => [...figure.querySelectorAll(".bar")].map(bar => [
            Number(getComputedStyle(bar).getPropertyValue("--p") || 0),
            bar.classList.contains("chosen"), bar.classList.contains("right")])"""
    )


@pytest.mark.parametrize("model", ["baseline", "reverse+peeky"])
@pytest.mark.parametrize("question", ["57+5", "999+1"])
def test_each_step_shows_the_numbers_of_the_trace(stepper, question, model):
    it, solver = stepper("generation"), load_pretrained(model)
    it.root.get_by_label("Sum").select_option(question)
    it.root.get_by_label("Model").select_option(model)
    trace, characters = solver.trace(question), solver.layout.characters
    it.press("First")
    for k, h in enumerate(trace.encoder.h):
        assert it.step == k + 1 and f"Step {k + 1} of 12" in it.head
        label = it.frame.locator(".machine > .grid.h svg").get_attribute("aria-label")
        above, below, near = map(int, re.findall(r"\d+", label))
        assert above == np.sum(h >= 0.5 / 3.5) and below == np.sum(h <= -0.5 / 3.5)
        assert above + below + near == len(h)
        it.press("Next")
    assert "hand-over" in it.head
    total = str(sum(map(int, question.split("+")))).ljust(4)
    for k, probabilities in enumerate(trace.probabilities):
        it.press("Next")
        shown = bars(it.frame)
        np.testing.assert_allclose([p for p, *_ in shown], 100 * probabilities, atol=0.0501)
        assert [chosen for _, chosen, _ in shown].index(True) == trace.choices[k]
        assert [right for *_, right in shown].index(True) == characters.index(total[k])
        written = it.frame.locator(".written li").evaluate_all(
            "tiles => tiles.map(e => e.matches('.sp') ? ' ' : e.firstChild.textContent)"
        )
        wanted = "".join(characters[c] for c in trace.choices[: k + 1])
        assert "".join(written) == wanted.ljust(4, "·")


@every_stepper
def test_the_keyboard_alone_steps_to_every_frame_and_back(stepper, page_name, name):
    it = stepper(name)
    it.root.get_by_role("button", name="Next", exact=True).focus()
    heads = [it.head]
    for k in range(2, it.steps + 1):
        it.page.keyboard.press("ArrowRight")
        assert it.step == k
        heads.append(it.head)
    assert len(set(heads)) == it.steps > 3
    it.page.keyboard.press("ArrowRight")
    assert it.step == it.steps
    it.page.keyboard.press("Home")
    assert (it.step, it.head) == (1, heads[0])
    it.page.keyboard.press("ArrowLeft")
    assert it.step == 1
    it.page.keyboard.press("End")
    it.page.keyboard.press("ArrowLeft")
    assert it.head == heads[-2]
    focused = it.page.evaluate("document.activeElement.dataset.go")
    assert focused == "next"


def test_every_control_is_reached_with_the_tab_key(stepper):
    it = stepper("generation")
    it.root.get_by_label("Sum").focus()
    reached = []
    for _ in range(9):
        reached.append(
            it.page.evaluate(
                "(e => e.dataset.pick || e.dataset.go || e.type || e.tagName)"
                "(document.activeElement)"
            )
        )
        it.page.keyboard.press("Tab")
    assert reached == [
        *("question", "choice", "first", "back", "play", "next", "last", "range", "SUMMARY")
    ]


@every_stepper
def test_the_slider_shows_the_step_it_says(stepper, page_name, name):
    it = stepper(name)
    slider = it.root.get_by_role("slider")
    slider.focus()
    it.page.keyboard.press("End")
    assert it.step == it.steps
    assert slider.get_attribute("aria-valuetext") == it.frame.locator(".head").text_content()
    it.page.keyboard.press("Home")
    assert it.step == 1
    assert slider.get_attribute("aria-valuetext") == it.frame.locator(".head").text_content()


def test_at_the_ends_buttons_say_so_and_keep_the_focus(stepper):
    it = stepper("cell")
    state = {
        name: it.root.get_by_role("button", name=name, exact=True)
        for name in ("First", "Back", "Next", "Last")
    }

    def off():
        return [name for name in state if state[name].get_attribute("aria-disabled") == "true"]

    assert off() == ["First", "Back"]
    state["Last"].focus()
    it.page.keyboard.press("Enter")
    assert off() == ["Next", "Last"]
    it.page.keyboard.press("Enter")
    assert it.step == it.steps
    assert it.page.evaluate("document.activeElement.dataset.go") == "last"


def test_play_goes_on_to_the_end_and_any_move_stops_it(stepper):
    it = stepper("cell")
    it.page.clock.install()
    it.press("Play")
    it.page.clock.run_for(1600)
    assert it.step == 2
    it.press("Pause")
    it.page.clock.run_for(5000)
    assert it.step == 2
    it.press("Play")
    it.press("Next")
    it.page.clock.run_for(5000)
    assert it.step == 3
    it.press("Play")
    it.page.clock.run_for(20_000)
    assert it.step == it.steps
    assert it.root.get_by_role("button", name="Play", exact=True).is_visible()
    it.press("Play")
    assert it.step == 1


def test_nothing_moves_by_itself(stepper):
    it = stepper("generation")
    it.page.clock.install()
    it.page.clock.run_for(60_000)
    assert it.step == 1


def test_a_step_is_spoken_once_it_is_quiet_and_not_while_playing(stepper):
    it = stepper("generation")
    it.page.clock.install()
    status = it.root.get_by_role("status")
    it.press("Next")
    it.press("Next")
    it.page.clock.run_for(400)
    assert status.text_content() == ""
    it.page.clock.run_for(200)
    assert status.text_content() == it.frame.locator(".says").text_content()
    said = status.text_content()
    it.press("Play")
    it.page.clock.run_for(1600)
    assert status.text_content() == said
    it.page.clock.run_for(60_000)
    assert status.text_content() == it.frame.locator(".says").text_content() != said


def test_what_is_unfolded_stays_unfolded_from_step_to_step(stepper):
    it = stepper("generation")
    it.frame.locator("summary").click()
    it.press("Next")
    assert it.frame.locator("details").get_attribute("open") is not None
    it.frame.locator("summary").press("ArrowRight")
    assert it.step == 3
    assert it.page.evaluate("document.activeElement.tagName") == "SUMMARY"
    it.frame.locator("summary").click()
    it.press("Next")
    assert it.frame.locator("details").get_attribute("open") is None


def test_a_link_points_at_one_sum_and_one_step(stepper):
    it = stepper("generation", link="#generation-999+1-reverse+peeky-10")
    assert it.step == 10
    assert it.root.get_by_label("Sum").input_value() == "999+1"
    assert it.root.get_by_label("Model").input_value() == "reverse+peeky"
    assert it.page.evaluate("scrollY") > 0
    it.press("Next")
    assert it.page.evaluate("location.hash") == "#generation-999+1-reverse+peeky-11"
    assert it.page.evaluate("history.length") == 2  # the blank page, and this one
    again = stepper("generation", link=it.page.evaluate("location.hash"))
    assert again.head == it.head


@pytest.mark.parametrize(
    ("link", "step"),
    [
        ("#generation-999%2B1-baseline-9", 9),
        ("#generation-999+1-baseline-99", 12),
        ("#generation-999+1-baseline-0", 1),
        ("#generation-1+1-baseline-3", 1),
        ("#%", 1),
    ],
)
def test_a_link_that_is_odd_or_wrong_breaks_nothing(stepper, link, step):
    assert stepper("generation", link=link).step == step


def test_another_sum_keeps_the_step_and_both_menus_agree_with_the_frame(stepper):
    it = stepper("generation")
    for _ in range(9):
        it.press("Next")
    it.root.get_by_label("Sum").select_option("628+521")
    assert it.step == 10
    solver = load_pretrained(it.root.get_by_label("Model").input_value())
    shown = bars(it.frame)
    expected = 100 * solver.trace("628+521").probabilities[1]
    np.testing.assert_allclose([p for p, *_ in shown], expected, atol=0.0501)


def test_steppers_of_one_page_do_not_disturb_one_another(stepper):
    it = stepper("generation")
    other = Stepper(it.page, "forcing")
    other.press("Next")
    assert (it.step, other.step) == (1, 2)
    it.press("Last")
    assert (it.step, other.step) == (12, 2)


def test_training_shows_the_answers_of_the_result_file(stepper):
    from seq2seq_lib.results import load_results, recipe_of

    runs = load_results(SITE.parents[1] / "book" / "results" / "snapshots.json")
    it = stepper("training")
    for epoch in range(0, 26, 5):
        it.root.get_by_role("slider").fill(str(epoch + 1))
        rows = it.frame.locator("tbody tr").all()
        for row in rows:
            question = row.locator("th").inner_text().split()[0]
            cells = [cell.inner_text().split("\n")[0] for cell in row.locator("td").all()]
            for run, cell in zip(runs, cells, strict=True):
                answer = run["answers"][question][epoch]
                assert cell.startswith(answer.strip() or "("), recipe_of(run).variant


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
@every_stepper
def test_every_stepper_fits_and_axe_finds_nothing_serious(stepper, page_name, name, width, mode):
    it = stepper(name, width=width, color_scheme=mode, reduced_motion="reduce")
    for fold in "as it comes", "unfolded":
        for button in "First", "Last":
            it.press(button)
            if fold == "unfolded":
                for summary in it.frame.locator("summary").all():
                    if summary.evaluate("each => !each.parentElement.open"):
                        summary.click()
            assert width_of(it.page) <= width
            box = it.root.bounding_box()
            overflowing = it.root.evaluate(
                """root => [...root.querySelectorAll(".frame:not([hidden]) *")].filter(e =>
                    e.getClientRects().length && !e.closest(".sr") &&
                    e.getBoundingClientRect().right > root.getBoundingClientRect().right + 1)
                    .map(e => e.outerHTML.slice(0, 80))"""
            )
            assert overflowing == [] and box["width"] <= width
    assert faults(it.page, f"#{name}") == []
    it.root.scroll_into_view_if_needed()
    keep(it.page, f"{page_name}-{name}-{width}-{mode}")


def test_controls_are_large_enough_to_touch(stepper):
    it = stepper("generation", width=390, has_touch=True)
    for button in it.root.get_by_role("button").all():
        box = button.bounding_box()
        assert box["width"] >= 44 and box["height"] >= 44
    it.root.get_by_role("button", name="Next", exact=True).tap()
    assert it.step == 2


@every_page
def test_without_scripts_every_step_is_there_to_read_in_order(open_page, site, page_name):
    page = open_page(f"{site}/book/{page_name}.html", java_script_enabled=False)
    for name in PAGES[page_name]:
        root = page.locator(f"#{name}")
        assert root.get_by_role("button").count() == 0
        for run in root.locator(".run").all():
            steps = int(run.get_attribute("data-steps"))
            heads = run.locator(".frame .head").all_text_contents()
            assert len(heads) == len(set(heads)) == steps
            numbers = [int(re.search(r"\d+", head)[0]) for head in heads if "Before" not in head]
            assert numbers == sorted(numbers)
        assert root.locator(".run").first.locator(".frame").first.is_visible()


def test_on_paper_all_steps_of_the_chosen_run_are_there_and_no_control(stepper):
    it = stepper("cell")
    it.press("Next")
    steps = it.steps  # told by the slider, which is not printed
    it.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    it.page.emulate_media(media="print")
    assert it.root.locator(".frame:visible").count() == steps > 1
    assert it.root.get_by_role("button").count() == 0


@every_page
def test_all_steppers_of_a_page_weigh_less_than_a_megabyte(page_name):
    text = (SITE / "book" / f"{page_name}.html").read_text(encoding="utf-8")
    found = re.findall(r'<section class="s2s stepper.*?</section>', text, flags=re.DOTALL)
    assert len(found) == len(PAGES[page_name])
    assert 20_000 < sum(len(each.encode()) for each in found) < 1_000_000


def test_on_a_slow_phone_a_step_is_drawn_at_once(stepper):
    """Not timed, which would fail on a busy machine: a step touches few elements."""
    it = stepper("generation", width=390, slower=6)
    it.press("Next")
    touched = it.page.evaluate(
        """() => new Promise(resolve => {
            let count = 0;
            const watch = new MutationObserver(list => { count += list.length; });
            watch.observe(document.querySelector("#generation"),
                {subtree: true, childList: true, attributes: true});
            document.querySelector("#generation [data-go=next]").click();
            setTimeout(() => resolve(count), 100);
        })"""
    )
    assert 1 <= touched < 40


def test_the_sentences_are_those_of_the_frames(stepper):
    from seq2seq_lib import steppers

    frames = steppers.generation(["57+5"]).frames("57+5", "baseline")
    it = stepper("generation")
    it.root.get_by_label("Model").select_option("baseline")
    for frame in frames:
        assert it.frame.locator(".says").text_content() == plain(frame.sentence)
        it.press("Next")
