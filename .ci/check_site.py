"""Fail when a page of _toc.yml is missing from the built site, or a page asks another host."""

import re
import sys
from pathlib import Path

import yaml

# What a browser fetches by itself. A link that a reader may click is not among them.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\s(?:src|data|poster)="(?:https?:)?//[^"]+"
      | <link\b(?=[^>]*rel="(?:stylesheet|preload|modulepreload|icon|preconnect|dns-prefetch)")
        [^>]*href="(?:https?:)?//[^"]+" """,
    re.VERBOSE | re.IGNORECASE,
)
FETCHED_BY_STYLE = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])(?:https?:)?//[^"')]+""", re.I)


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


def missing_pages(toc, site):
    """One sentence for each page that a reader would miss."""
    names = list(pages(yaml.safe_load(Path(toc).read_text(encoding="utf-8"))))
    if not names:
        yield f"{toc} names no page"
    for name in names:
        page = Path(site) / (re.sub(r"\.(md|ipynb)$", "", name) + ".html")
        if not page.is_file():
            yield f"{toc} names {name}, but {page} was not built"
        elif "<h1" not in page.read_text(encoding="utf-8"):
            yield f"{page} was built without a title"


def foreign_requests(site):
    """One sentence for each thing that a page or a style sheet would fetch from another host."""
    for file in sorted(Path(site).rglob("*")):
        pattern = {".html": FETCHED, ".css": FETCHED_BY_STYLE}.get(file.suffix)
        if pattern and file.is_file():
            for hit in pattern.finditer(file.read_text(encoding="utf-8")):
                yield f"{file} asks another host: {hit.group()[:120]}"


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_site.py FOLDER_OF_THE_SITE")
    site = sys.argv[1]
    found = [*missing_pages("_toc.yml", site), *foreign_requests(site)]
    sys.exit("\n".join(found) or 0)


if __name__ == "__main__":
    main()
