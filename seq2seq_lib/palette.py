"""Every colour of the book in one place: by role, for light pages and for dark ones.

A role is what a colour stands for, the same in figures and steppers. Every colour but the papers'
and ``edge`` has a contrast of at least 4.5 on both papers, so that it may be text; no meaning hangs
on colour alone.
"""

MODES = "light", "dark"

# role: (light, dark)
COLOURS = {
    "paper": ("#ffffff", "#14181e"),
    "panel": ("#f5f6f8", "#1c222b"),
    "ink": ("#1b2430", "#d6dde6"),
    "muted": ("#4f5b6b", "#9fabba"),
    "edge": ("#7f8a99", "#75808f"),  # lines and frames: at least 3
    "positive": ("#0b4a8f", "#9ec8f9"),
    "negative": ("#ad560c", "#dd7a1c"),
    "question": ("#3f62b5", "#aebdff"),
    "answer": ("#86185c", "#e26fa6"),
    "embedding": ("#6b7300", "#d3da6a"),
    "lstm": ("#414d5e", "#9dabbc"),
    "affine": ("#6a3208", "#c8824a"),
    "h": ("#14705f", "#86e3cf"),
    "c": ("#5b2390", "#bd78e6"),
    "f": ("#8a5210", "#f2b06c"),
    "i": ("#1f6fa3", "#86cbf5"),
    "o": ("#293285", "#8596e6"),
    "g": ("#6b1024", "#e6727c"),
    "correct": ("#07421b", "#a5e8a0"),
    "wrong": ("#c4432a", "#ea6a50"),
    "baseline": ("#707070", "#8591a0"),
    "reverse": ("#b0400c", "#e8803a"),
    "peeky": ("#0a4f9c", "#72c4f8"),
    "reverse+peeky": ("#220a30", "#fbf3c8"),
}

# A variant's line is told apart by its dashes and its marks, and by its colour besides.
LINES = {
    "baseline": (":", "o"),
    "reverse": ("--", "s"),
    "peeky": ("-.", "^"),
    "reverse+peeky": ("-", "D"),
}

# How a page says that it is dark: this site, JupyterLab, Colab, VS Code.
DARK_PAGES = (
    "html[data-theme=dark]",
    "body[data-jp-theme-light=false]",
    "html[theme=dark]",
    "body.vscode-dark",
)


def colour(role, mode="light"):
    """The hex code of a role. Raises ValueError for a role or a mode that there is none of."""
    if role not in COLOURS or mode not in MODES:
        raise ValueError(
            f"expected a role among {', '.join(COLOURS)} and a mode among {', '.join(MODES)}, "
            f"got {role!r} and {mode!r}"
        )
    return COLOURS[role][MODES.index(mode)]


def variable(role):
    """A role as CSS writes it: the page's colour, the light one where the page has none."""
    return f"var({_name(role)}, {colour(role)})"


def style_sheet(selector):
    """CSS that gives every role its colour within ``selector``, on light pages and on dark ones"""
    light, dark = (
        ";".join(f"{_name(role)}:{colour(role, mode)}" for role in COLOURS) for mode in MODES
    )
    dark_selectors = ",".join(f"{page} {selector}" for page in DARK_PAGES)
    return f"{selector}{{{light}}}\n{dark_selectors}{{{dark}}}\n"


def _name(role):
    return "--s2s-" + role.replace("+", "-")
