"""One drawn step, and the line that says where it is.

No widget toolkit and no script is needed to look at a frame, and no other frame: each is HTML that
stands alone, given the styles of ``stepper.css``.
"""

from dataclasses import dataclass

from seq2seq_lib.frames.parts import plain

# Every text of this module that a reader sees or hears.
WORDS = {
    "step": "Step {step} of {steps}",
    "encoder": "encoder",
    "bridge": "hand-over",
    "decoder": "decoder",
}


@dataclass(frozen=True)
class Frame:
    """One drawn step, as HTML.

    head     : where we are, on one line
    sentence : what the picture shows, in words
    picture  : the drawing, with what is for experts folded away in a ``<details>``
    """

    head: str
    sentence: str
    picture: str

    @property
    def label(self):
        """The head as text, for a menu"""
        return plain(self.head)

    def html(self, *, unfolded=False):
        """The whole frame"""
        picture = self.picture.replace("<details", "<details open") if unfolded else self.picture
        return f'<p class="head">{self.head}</p><p class="says">{self.sentence}</p>{picture}'


def head(part, title, step, steps):
    """The first line of a frame. ``part``: "encoder", "bridge" or "decoder"."""
    place = WORDS["step"].format(step=step, steps=steps)
    return f'<span>{place}</span> <b class="part {part}">{WORDS[part]}</b> <b>{title}</b>'
