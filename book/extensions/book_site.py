"""A Sphinx extension for what the theme lacks: a site that asks no other host for anything.

It also brings the steppers: their styles, which the library makes, their script, and word to the
chapters' kernels that there is no Python behind this site. And it makes numbered figures of what
cells draw.
"""

import html
import importlib.util
import os
import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

from seq2seq_lib.pages import SITE, style

# What a page of formulas loads. The package holds fifteen times more (other input and output
# formats, speech in ten languages) that no page asks for.
MATHJAX_FILES = ["tex-chtml.js", "input/tex/extensions", "output/chtml/fonts/woff-v2"]


def mathjax_folder():
    # The module's name has hyphens, so it cannot be imported the usual way.
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    return Path(spec.origin).parent / "static" / "mathjax"


def copy_mathjax(app, exception):
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "mathjax"
    for name in MATHJAX_FILES:
        source = mathjax_folder() / name
        if source.is_dir():
            shutil.copytree(source, target / name, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def write_stepper_styles(app):
    folder = Path(app.doctreedir) / "stepper"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stepper.css").write_text(style(), encoding="utf-8")
    app.config.html_static_path.append(str(folder))


class NumberedFigures(SphinxTransform):
    """What a cell draws becomes a figure that Sphinx numbers and that the text can point to.

    The cell's metadata name it: ``{"figure": "fig-some-name"}``. What it draws is HTML that ends
    with its caption, as that of ``seq2seq_lib.captions``.
    """

    default_priority = 800  # before Sphinx collects what can be pointed to
    drawn = re.compile(
        r'<figure class="s2s">(.*?)\s*<figcaption>(.*?)</figcaption></figure>', re.DOTALL
    )

    def apply(self):
        cells = self.document.findall(nodes.container)
        for cell in [each for each in cells if "figure" in each.get("cell_metadata", {})]:
            self.number(cell, cell["cell_metadata"]["figure"])

    def number(self, cell, name):
        for bundle in cell.findall(nodes.container):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            raws = [raw for raw in bundle.findall(nodes.raw) if self.drawn.search(raw.rawsource)]
            if not raws:
                continue
            (raw,) = raws
            caption = html.unescape(self.drawn.search(raw.rawsource)[2])
            bare = self.drawn.sub(r'<div class="s2s drawn">\1</div>', raw.rawsource)
            raw.rawsource, raw.children = bare, [nodes.Text(bare)]
            figure = nodes.figure("", nodes.caption(caption, caption), classes=["numbered"])
            figure["names"].append(name)
            self.document.note_explicit_target(figure)
            bundle.replace_self(figure)
            figure.insert(0, bundle)
            return
        raise ValueError(f"{self.env.docname}: the cell of {name} draws no figure with a caption")


FIELD = re.compile(r"^\w+(, \w+)* +: ")  # of a docstring: ``h, c : (T, H)  what it is``


def set_fields_off(app, what, name, obj, options, lines):
    """In a docstring's text, stretches of fields keep their lines: they become a block of code."""
    text, block = [], []
    for line in [*lines, ""]:
        if FIELD.match(line) or (block and line.startswith(" ")):
            block.append(f"   {line}")
        else:
            if block:
                text += ["", ".. code-block:: none", "", *block, ""]
                block = []
            text.append(line)
    lines[:] = text


def setup(app):
    os.environ[SITE] = "1"
    app.add_transform(NumberedFigures)
    app.connect("autodoc-process-docstring", set_fields_off)
    app.connect("builder-inited", write_stepper_styles)
    app.add_css_file("stepper.css")
    app.add_js_file("stepper.js", loading_method="async")
    # Jupyter Book sets this value even when the extension that reads it is not loaded.
    app.add_config_value("comments_config", {}, "")
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
