"""The stepper in a live notebook, in JupyterLab and in Notebook 7, as its reader has it.

All tests of one of them share a page, for it takes a while to start; each begins where it wants.
"""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from looking import faults, keep, watch

from seq2seq_lib import load_pretrained, steppers
from seq2seq_lib.frames.parts import plain

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

SNAPSHOTS = Path(__file__).parents[2] / "book" / "results" / "snapshots.json"
START = 60_000  # milliseconds that a kernel may take, on a slow machine
PACE = 0.3  # seconds a frame while playing, so that a test need not wait for long

CELLS = {
    "one": "show(steppers.generation())",
    "two": "show(steppers.generation())",
    "comparison": "show(steppers.comparison())",
    "forcing": "show(steppers.forcing())",
    "cell": "show(steppers.cell())",
    "training": f"show(steppers.training(load_results({str(SNAPSHOTS)!r})))",
}
IMPORTS = f"""from seq2seq_lib import steppers, widgets
from seq2seq_lib.results import load_results
from seq2seq_lib.widgets import show
widgets.PACE = {PACE}
"""
CLOSING = """import asyncio, ipywidgets.widgets.widget as registry
before = len(registry._instances)
closed = show(steppers.generation())
display(closed)
closed.play()
closed.close()
await asyncio.sleep(0)
print("left:", len(registry._instances) - before, "widgets,",
      sum("_play_on" in repr(task) for task in asyncio.all_tasks()), "tasks")
"""

# What Notebook 7 says of itself while it starts, before there is any cell.
NOISE = (
    # Its shortcuts ask for the settings of a plug-in that is not there yet.
    "error: Cannot read properties of undefined (reading 'schema')",
    # Its file browser, which is on another page of it, asks for a command that is not there.
    "error: Command 'filebrowser:open-path' not registered.",
)


class Notebook:
    """A notebook that was opened and run"""

    def __init__(self, page, ui):
        self.page, self.ui = page, ui
        self.cells = page.locator(".jp-Notebook .jp-Cell")
        self.cells.first.wait_for(timeout=START)
        page.wait_for_function(  # before there is a kernel it is idle, too
            """() => document.querySelector(".jp-Toolbar-kernelName")?.textContent != "No Kernel" &&
            document.querySelector(".jp-Notebook-ExecutionIndicator")?.dataset.status == "idle" """,
            timeout=START,
        )
        if ui == "lab":
            page.keyboard.press("Control+b")  # the file browser would leave no room on a phone
        self.choose("Run", "Run All Cells")
        expect(page.locator(".s2s.stepper")).to_have_count(len(CELLS), timeout=START)

    def choose(self, *names):
        for name in names:
            entries = self.page.locator(".lm-MenuBar-item, .lm-Menu-item")
            entries.get_by_text(name, exact=True).click()

    def stepper(self, name):
        return Stepper(self.page, f".jp-OutputArea-output .it-is-{name}")


class Stepper:
    """A stepper as its reader has it"""

    def __init__(self, page, selector):
        self.page, self.selector, self.root = page, selector, page.locator(selector)
        self.question, self.model = self.root.get_by_label("Sum"), self.root.get_by_label("Model")
        self.steps = self.root.get_by_label("Step", exact=True)
        self.inside = self.root.get_by_label("Gates and cell")
        self.error = self.root.get_by_role("alert")
        self.frame = self.root.locator(".frame")
        self.says = self.root.locator(".says")

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def ask(self, question):
        self.question.fill(question)
        self.question.press("Enter")

    def is_at(self, step):
        expect(self.root.locator(".head")).to_contain_text(f"Step {step} of ")
        expect(self.steps).to_have_value(re.compile(f"^{step} of "))

    def start(self, question="57+5", model="baseline"):
        self.ask(question)
        self.model.select_option(model)
        self.inside.set_checked(False)
        expect(self.error).to_have_count(0)
        self.shows(question)
        self.button("First").click()
        self.is_at(1)

    def shows(self, question):
        """Wait for the tape of a question that is read from its front."""
        tiles = "".join(f"{each.strip()}{k}" for k, each in enumerate(question.ljust(7), 1))
        expect(self.frame.locator(".asked ol")).to_have_text(tiles)


@pytest.fixture(scope="module", params=["lab", "notebook"])
def notebook(request, browser, jupyter):
    ui, (address, folder) = request.param, jupyter
    cells = (
        [IMPORTS]
        + [
            f"{name} = {code}\n{name}.add_class('it-is-{name}')\n{name}"
            for name, code in CELLS.items()
        ]
        + [CLOSING]
    )
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, folder / f"{ui}.ipynb")
    place = {"lab": f"lab/tree/{ui}.ipynb?reset", "notebook": f"notebooks/{ui}.ipynb"}[ui]
    context, wrong = browser.new_context(viewport={"width": 1280, "height": 1200}), []
    page = context.new_page()
    page.set_default_timeout(10_000)
    watch(page, address, wrong)
    page.goto(f"{address}/{place}")
    yield Notebook(page, ui)
    context.close()
    assert [each for each in wrong if each not in NOISE] == []


@pytest.fixture
def it(notebook):
    stepper = notebook.stepper("one")
    stepper.start()
    return stepper


def bars(frame):
    """[(share in %, is it chosen?, is it right?)] of the bars of a frame"""
    return frame.locator(".bars").evaluate(
        """figure => [...figure.querySelectorAll(".bar")].map(bar => [
            Number(getComputedStyle(bar).getPropertyValue("--p") || 0),
            bar.classList.contains("chosen"), bar.classList.contains("right")])"""
    )


def test_any_sum_typed_shows_its_frames_and_the_numbers_of_the_trace(it):
    question, model = "628+94", "reverse+peeky"
    it.ask(question)
    it.model.select_option(model)
    solver = load_pretrained(model)
    trace, characters = solver.trace(question), solver.layout.characters
    frames = steppers.generation().frames(question, model)
    for k, frame in enumerate(frames, 1):
        it.is_at(k)
        expect(it.says).to_have_text(plain(frame.sentence))
        if k > 8:
            shown, probabilities = bars(it.frame), trace.probabilities[k - 9]
            np.testing.assert_allclose([p for p, *_ in shown], 100 * probabilities, atol=0.0501)
            assert [chosen for _, chosen, _ in shown].index(True) == trace.choices[k - 9]
            assert [right for *_, right in shown].index(True) == characters.index("722 "[k - 9])
        it.button("Next").click()
    it.is_at(len(frames))


def test_the_keyboard_alone_does_all_that_a_mouse_does(it):
    press = it.page.keyboard.press
    names = ["Sum", "Model", "First", "Back", "Play", "Next", "Last", "Step", "Gates and cell"]

    def focused():
        return it.page.evaluate(
            "(e => e.labels?.[0]?.textContent || e.textContent)(document.activeElement).trim()"
        )

    def opened(key):
        press(key)
        it.page.wait_for_function("document.activeElement.matches(':open')")

    it.question.focus()
    reached = [focused()]
    for _ in names[1:]:
        press("Tab")
        reached.append(focused())
    assert reached == names

    it.question.focus()
    press("Control+a")
    it.page.keyboard.type("8+9")
    press("Enter")
    it.shows("8+9")
    expect(it.says).to_have_text(plain(steppers.generation().frames("8+9", "baseline")[0].sentence))
    press("Tab")
    opened("Space")
    press("ArrowDown")
    press("Enter")
    expect(it.model).to_have_value("reverse")
    expect(it.says).to_contain_text("from its last character to its first")
    for _ in range(4):
        press("Tab")
    assert focused() == "Next"
    press("Enter")
    it.is_at(2)
    press("Space")
    it.is_at(3)
    assert focused() == "Next"
    press("Shift+Tab")
    press("Shift+Tab")
    press("Enter")
    it.is_at(2)
    for _ in range(4):
        press("Tab")
    assert focused() == "Step"
    opened("Enter")  # the arrows of a menu that is shut are Jupyter's: they go to another cell
    for _ in range(3):
        press("ArrowDown")
    press("Enter")
    it.is_at(5)
    assert focused() == "Step"
    press("End")
    it.is_at(12)
    press("Home")
    it.is_at(1)
    press("Tab")
    press("Space")
    expect(it.frame.locator(".inside").first).to_be_visible()
    assert focused() == "Gates and cell"


def test_play_goes_on_to_the_end_and_any_move_stops_it(it):
    seen = it.says.text_content()
    it.button("Play").click()
    expect(it.says).not_to_have_text(seen)
    it.button("Pause").click()
    expect(it.button("Play")).to_be_visible()
    seen = it.says.text_content()
    it.page.wait_for_timeout(3000 * PACE)
    assert it.says.text_content() == seen
    it.button("Play").click()
    expect(it.button("Pause")).to_be_visible()
    it.button("First").click()
    expect(it.button("Play")).to_be_visible()
    it.is_at(1)
    it.steps.select_option(index=9)
    it.button("Play").click()
    it.is_at(12)
    expect(it.button("Play")).to_be_visible()
    it.button("Play").click()
    it.is_at(1)
    it.button("Pause").click()


@pytest.mark.parametrize(
    "question", ["<script>ran = 1</script>", "<img src=x onerror=ran=1>", "12+", "1" * 300]
)
def test_what_is_no_sum_is_answered_in_words_beside_the_box(it, question):
    before = it.frame.inner_html()
    it.ask(question)
    expect(it.error).to_contain_text("expected two numbers from 0 to 999")
    assert question[:20] in it.error.text_content()
    assert it.error.locator("*").count() == 0
    assert it.root.locator("script, img").count() == 0
    assert it.page.evaluate("window.ran") is None
    assert it.frame.inner_html() == before
    assert it.page.get_by_text("Traceback").count() == 0
    box, said = it.question.bounding_box(), it.error.bounding_box()
    assert 0 <= said["y"] - (box["y"] + box["height"]) < 30
    assert it.root.evaluate("root => root.scrollWidth <= root.clientWidth")
    it.ask("1+2")
    it.shows("1+2")
    expect(it.error).to_have_count(0)


def test_steppers_of_one_page_do_not_disturb_one_another(notebook, it):
    other = notebook.stepper("two")
    other.start("999+1", "peeky")
    other.button("Next").click()
    other.is_at(2)
    kept = other.frame.inner_html()
    it.button("Last").click()
    it.is_at(12)
    it.inside.check()
    it.ask("no sum")
    expect(it.error).to_have_count(1)
    expect(other.error).to_have_count(0)
    assert other.frame.inner_html() == kept
    other.button("Last").click()
    other.is_at(12)
    it.is_at(12)
    expect(it.question).to_have_value("no sum")
    expect(other.question).to_have_value("999+1")


def test_what_is_unfolded_stays_so_and_can_be_folded_by_itself(it):
    it.inside.check()
    inside = it.frame.locator(".inside")
    expect(inside.locator(".terms")).to_be_visible()
    it.button("Next").click()
    it.is_at(2)
    expect(inside.locator(".terms")).to_be_visible()
    inside.locator("summary").click()
    expect(inside.locator(".terms")).to_be_hidden()
    expect(inside.locator("summary")).to_be_visible()
    it.inside.uncheck()
    expect(inside).to_be_hidden()


def test_a_closed_stepper_leaves_nothing_behind(notebook):
    output = notebook.cells.last.locator(".jp-OutputArea")
    expect(output).to_contain_text("left: 0 widgets, 0 tasks")
    assert output.locator(".jupyter-widgets, .s2s, style").count() == 0


CLIPPED = """root => {
    const pen = document.createElement("canvas").getContext("2d");
    const right = root.getBoundingClientRect().right + 1;
    const wide = [...root.querySelectorAll("*")].filter(e => e.getClientRects().length &&
        !e.closest(".answers, .feeding") && e.getBoundingClientRect().right > right);
    const cut = [...root.querySelectorAll("label, button, .bars figcaption")].filter(e =>
        e.scrollWidth > e.clientWidth);
    // JupyterLab leaves 270 pixels of a phone's 390; there a long name is read in the open menu.
    const menus = root.clientWidth < 300 ? [] : [...root.querySelectorAll("select")].filter(e => {
        pen.font = getComputedStyle(e).font;
        const texts = [...e.options].map(option => pen.measureText(option.text).width);
        return e.getClientRects().length && Math.max(...texts) + 28 > e.clientWidth;
    });
    return [...wide, ...cut, ...menus].map(e => e.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("mode", ["Dark", "Light"])
def test_every_stepper_fits_is_named_and_can_be_read(notebook, mode):
    page = notebook.page
    page.set_viewport_size({"width": 1280, "height": 1200})
    notebook.stepper("one").ask("12+")
    notebook.choose("Settings", "Theme", f"JupyterLab {mode}")
    page.locator(f"body[data-jp-theme-light={str(mode == 'Light').lower()}]").wait_for(
        state="attached"
    )
    for name in CELLS:
        it = notebook.stepper(name)
        it.root.scroll_into_view_if_needed()
        it.button("Last").click()
        if it.inside.is_visible():
            it.inside.set_checked(name in ("two", "comparison"))
    found = {}
    for width in 390, 768, 1280:
        page.set_viewport_size({"width": width, "height": 1200})
        for name in CELLS:
            it = notebook.stepper(name)
            it.root.evaluate("root => root.scrollIntoView({block: 'start'})")
            found[width, name] = it.root.evaluate(CLIPPED)
            if notebook.ui == "lab" or name == "one":
                keep(page, f"notebook-{notebook.ui}-{name}-{width}-{mode.lower()}")
        found[width, "axe"] = faults(page, "[class*=it-is-]")
    assert {which: faults for which, faults in found.items() if faults} == {}
