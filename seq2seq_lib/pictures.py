"""A figure or a table that shows itself in a notebook and on a page, in the page's colours."""

import base64
import hashlib
import html
import io
import re
import struct
import zlib

try:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
except ImportError as error:
    raise ImportError("figures need matplotlib: pip install 'seq2seq-lib[plots]'") from error

from seq2seq_lib.captions import STYLE, captioned
from seq2seq_lib.palette import COLOURS, colour, variable

# This module alone meets matplotlib; what the figures need of it, they have from here.
__all__ = [
    "SETTINGS",
    "WIDTH",
    "Path",
    "PathPatch",
    "Picture",
    "Table",
    "grid",
    "matplotlib",
]

WIDTH = 400  # units; a phone shows about 360 pixels
FONT = 12.5  # units
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "seq2seq",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same layout everywhere
    "font.size": FONT,
}
PAGE_FONTS = {  # what the layout was made with: what the page shows, which is not wider
    "DejaVu Sans Mono": "ui-monospace,Menlo,Consolas,monospace",
    "DejaVu Sans": "system-ui,-apple-system,Segoe UI,Roboto,Noto Sans,sans-serif",
}

# Every text of this module that a reader hears.
WORDS = {"right": "right", "wrong": "wrong"}


class Picture(Figure):
    """A matplotlib figure that shows itself as SVG in the page's colours, text as text.

    sentence : what a reader sees in it, for who cannot
    caption  : how to read it, and the recipe of what it shows
    """

    def __init__(self, height, sentence, caption):
        super().__init__(figsize=(WIDTH / 72, height / 72), facecolor="none")
        self.sentence, self.caption, self.height = sentence, caption, height
        self.stencils = []

    def panel(self, left, bottom, width, height):
        """Axes at a place in units, with quiet lines and no frame"""
        axes = self.add_axes(
            (left / WIDTH, bottom / self.height, width / WIDTH, height / self.height),
            facecolor="none",
        )
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, pad=6, labelcolor=colour("muted"))
        return axes

    def stencil(self, axes, levels, role):
        """Lay a role's colour over axes, as strong at each point as ``levels`` says, 0 to 15.

        levels : rows from the top; an even number of columns
        """
        left, bottom, right, top = axes.get_position().extents
        box = {
            "x": f"{left * WIDTH:g}",
            "y": f"{(1 - top) * self.height:g}",
            "width": f"{(right - left) * WIDTH:g}",
            "height": f"{(top - bottom) * self.height:g}",
        }
        place = " ".join(f'{name}="{value}"' for name, value in box.items())
        name = f"stencil{len(self.stencils)}"
        image = base64.b64encode(_png(levels)).decode()
        self.stencils.append(
            f'<mask id="{name}" maskUnits="userSpaceOnUse" {place}><image {place} '
            f'preserveAspectRatio="none" href="data:image/png;base64,{image}"/></mask>'
            f'<rect {place} style="fill: {colour(role)}" mask="url(#{name})"/>'
        )

    def svg(self):
        """The picture as one SVG element: the same bytes each time, its colours left to CSS"""
        text = io.StringIO()
        with matplotlib.rc_context(SETTINGS):
            FigureCanvasSVG(self).print_svg(text, metadata={"Date": None})
        svg = text.getvalue().replace("</svg>", "".join(self.stencils) + "</svg>")
        return _for_a_page(svg, self.sentence)

    def _repr_html_(self):
        return captioned(self.svg(), self.caption)


class Table:
    """Rows of cells under a head; a cell is a text, or (text, is it right?)."""

    def __init__(self, head, rows, sentence, caption):
        self.head, self.rows, self.sentence, self.caption = head, rows, sentence, caption

    def _repr_html_(self):
        head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in self.head)
        rows = "".join(
            f'<tr><th scope="row">{html.escape(first)}</th>{"".join(map(_cell, cells))}</tr>'
            for first, *cells in self.rows
        )
        return (
            f'<style>{STYLE}</style><div class="s2s"><div role="region" tabindex="0" '
            f'aria-label="{html.escape(self.sentence)}"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div><p>{html.escape(self.caption)}</p></div>"
        )


def grid(axes, axis="y"):
    """Thin lines at the ticks, behind everything else"""
    axes.grid(axis=axis, color=colour("edge"), linewidth=0.6, alpha=0.45)
    axes.set_axisbelow(True)


def _png(levels):
    """Rows of levels, 0 to 15 -> a PNG file in shades of grey, two points to a byte"""
    height, width = levels.shape
    rows = (levels[:, ::2] << 4 | levels[:, 1::2]).astype("uint8")
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 9)
    head = struct.pack(">2I5B", width, height, 4, 0, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _for_a_page(svg, sentence):
    """Matplotlib's SVG file -> an element that may stand many times in a page"""
    svg = svg[svg.index("<svg") :]
    for unwanted in (r"\s*<metadata>.*?</metadata>", r"<!--.*?-->\s*", r"<style.*?</style>\s*"):
        svg = re.sub(unwanted, "", svg, flags=re.S)  # the style would hold for the whole page
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    for ours, pages in PAGE_FONTS.items():
        svg = re.sub(rf"'{ours}'[^;\"]*", pages, svg)
    for role in COLOURS:
        svg = svg.replace(colour(role), variable(role))

    prefix = "s2s-" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    used = set(re.findall(r'(?:url\(|href=")#([\w-]+)', svg))
    svg = re.sub(
        r' id="([\w.-]+)"',
        lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "",
        svg,
    )
    svg = re.sub(r'(url\(|href=")#([\w-]+)', rf"\1#{prefix}-\2", svg)

    label = f'role="img" aria-label="{html.escape(sentence)}" stroke-linejoin="round"'
    return svg.replace("<svg ", f"<svg {label} ", 1).strip()


def _cell(cell):
    if isinstance(cell, str):
        return f"<td>{html.escape(cell)}</td>"
    text, right = cell
    kind, mark = ("right", "✓") if right else ("wrong", "✗")
    return (
        f'<td class="{kind}">{html.escape(text)} '
        f'<span role="img" aria-label="{WORDS[kind]}">{mark}</span></td>'
    )
