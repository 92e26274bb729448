"""A Sphinx extension for what the theme lacks: a site that asks no other host for anything."""

import importlib.util
import shutil
from pathlib import Path

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


def setup(app):
    # Jupyter Book sets this value even when the extension that reads it is not loaded.
    app.add_config_value("comments_config", {}, "")
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
