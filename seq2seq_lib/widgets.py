"""Steppers in a live notebook. It shows frames and holds no mathematics.

>>> from seq2seq_lib import steppers
>>> from seq2seq_lib.widgets import show
>>> stepper = show(steppers.generation(["57+5"]))
"""

import asyncio
import html
import os

try:
    import ipywidgets
except ImportError as error:
    raise ImportError("steppers need ipywidgets: pip install 'seq2seq-lib[widgets]'") from error

from seq2seq_lib.pages import BUTTONS, SITE, WORDS, key, page, style

PACE = 1.5  # seconds a frame while playing
INSIDE = "Gates and cell"


def show(stepper):
    """A ``Stepper`` to look at: widgets in a notebook; plain HTML while the website is built."""
    return _Page(stepper) if os.environ.get(SITE) else StepperBox(stepper)


class _Page:
    def __init__(self, stepper):
        self.stepper = stepper

    def _repr_html_(self):
        return page(self.stepper)


class StepperBox(ipywidgets.VBox):
    """A ``Stepper`` with a box for any sum, a menu of steps and buttons.

    ``IntSlider`` and ``Play`` have no names that a screen reader could say, so a menu takes the
    place of the one and a task of the kernel's own loop that of the other.
    """

    def __init__(self, stepper):
        self.stepper = stepper
        self._frames, self._at, self._drawing, self._task = [], 0, False, None
        question, choice = stepper.prepared[0]
        self.question = ipywidgets.Text(
            value=question,
            description=WORDS["question"],
            continuous_update=False,
            **_wide(10, 16),
        )
        self.choice = ipywidgets.Dropdown(
            options=stepper.choices or [""],
            value=choice,
            description=stepper.choice,
            **_wide(5 + len(stepper.choice + max(stepper.choices, key=len, default="")) / 2, 24),
        )
        self.buttons = {
            name: ipywidgets.Button(description=WORDS[name], layout=_wide(0, 7)["layout"])
            for name in BUTTONS
        }
        self.step = ipywidgets.Dropdown(description=WORDS["step"], **_wide(20, 30))
        self.inside = ipywidgets.Checkbox(
            description=INSIDE, indent=False, layout={"width": "auto"}
        )
        self.error, self.frame = ipywidgets.HTML(), ipywidgets.HTML()
        picks = [self.question] * bool(question) + [self.choice] * bool(stepper.choices)
        title = f'<p class="s2s in-notebook title">{html.escape(stepper.title)}</p>'
        wrap = {"flex_flow": "row wrap", "grid_gap": "0 8px"}
        super().__init__(
            [
                ipywidgets.HTML(f"<style>{style()}</style>{title}"),
                ipywidgets.HBox(picks, layout=wrap),
                self.error,
                ipywidgets.HBox(list(self.buttons.values())),
                ipywidgets.HBox([self.step, self.inside], layout=wrap),
                self.frame,
            ]
        )
        self._load()
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: self.go(name))
        for widget in self.question, self.choice:
            widget.observe(lambda _: self._load(), "value")
        self.step.observe(lambda _: self._drawing or self._move(self.step.value), "value")
        self.inside.observe(lambda _: self._draw(), "value")

    def go(self, name):
        """What a button does: one of ``BUTTONS``."""
        if name == "play":
            return self.pause() if self._task else self.play()
        last = len(self._frames) - 1
        to = {"first": 0, "back": self._at - 1, "next": self._at + 1, "last": last}[name]
        self._move(to)

    def play(self):
        """Step on by itself until the last frame, or until somebody moves."""
        self.pause()
        if self._at == len(self._frames) - 1:
            self._at = 0
            self._draw()
        self._task = asyncio.get_running_loop().create_task(self._play_on())
        self.buttons["play"].description = WORDS["pause"]

    def pause(self):
        """Stop playing."""
        if self._task:
            self._task.cancel()
        self._task = None
        self.buttons["play"].description = WORDS["play"]

    async def _play_on(self):
        while self._at < len(self._frames) - 1:
            await asyncio.sleep(PACE)
            self._at += 1
            self._draw()
        self._task = None
        self.buttons["play"].description = WORDS["play"]

    def _load(self):
        """The frames of what is asked now; if it is no question, say so and keep the old ones"""
        self.pause()
        try:
            self._frames = self.stepper.frames(self.question.value, self.choice.value)
        except ValueError as error:
            self.error.value = (
                f'<p role="alert" class="s2s in-notebook error">{html.escape(str(error))}</p>'
            )
            return
        self.error.value = ""
        self._at = min(self._at, len(self._frames) - 1)
        named = WORDS["step"]  # as the menu is already
        options = tuple(
            (frame.label.removeprefix(named).strip(), k) for k, frame in enumerate(self._frames)
        )
        self._drawing = True
        with self.step.hold_sync():  # new options alone would show the first of them
            if self.step.options != options:
                self.step.options = options
            self.step.value = self._at
        self._drawing = False
        folded = any("<details" in frame.picture for frame in self._frames)
        self.inside.layout.display = None if folded else "none"
        self._draw()

    def _move(self, to):
        self.pause()
        self._at = max(0, min(len(self._frames) - 1, to))
        self._draw()

    def _draw(self):
        if not self._frames:  # until a first question is one
            return
        frame = self._frames[self._at].html(unfolded=self.inside.value)
        state = " unfolded" if self.inside.value else ""
        self.frame.value = (
            f'<div class="s2s stepper in-notebook{state}"><div class="frame">{frame}</div>'
            f"{key(frame)}</div>"
        )
        self._drawing = True
        self.step.value = self._at
        self._drawing = False

    def close(self):
        """Stop, and leave nothing behind: neither a task nor a widget."""
        self.pause()
        boxes = [self, self.question, self.choice]  # which a stepper without them does not show
        while boxes:
            widget = boxes.pop()
            boxes += getattr(widget, "children", ())
            for part in "layout", "style":
                if getattr(widget, part, None) is not None:
                    getattr(widget, part).close()
            ipywidgets.Widget.close(widget)


def _wide(least, most):
    """A control as wide as there is room, in em; on a phone the next one goes below it"""
    layout = {"min_width": "0", "max_width": f"{most}em", "flex": f"1 1 {least:g}em"}
    layout |= {"width": "auto", "padding": "0"}
    return {"layout": layout, "style": {"description_width": "initial"}}
