"""Fail when a page of _toc.yml is missing from the built site, or is an empty shell."""

import sys
from pathlib import Path

import yaml


def pages(node):
    """Every document that a table of contents names, in order."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("root", "file"):
                yield str(value)
            else:
                yield from pages(value)
    elif isinstance(node, list):
        for item in node:
            yield from pages(item)


def faults(toc, site):
    """One sentence for each page that a reader would miss."""
    names = list(pages(yaml.safe_load(Path(toc).read_text(encoding="utf-8"))))
    if not names:
        yield f"{toc} names no page"
    for name in names:
        stem = name.removesuffix(".md").removesuffix(".ipynb")
        page = Path(site) / f"{stem}.html"
        if not page.is_file():
            yield f"{toc} names {name}, but {page} was not built"
        elif "<h1" not in page.read_text(encoding="utf-8"):
            yield f"{page} was built without a title"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: check_pages.py FOLDER_OF_THE_SITE")
    found = list(faults("_toc.yml", sys.argv[1]))
    sys.exit("\n".join(found) or 0)
