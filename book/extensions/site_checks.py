"""What must hold for every page of the built site; the build fails where it does not.

Each page of the table of contents is there and has a title. No page asks another host for
anything. No page shows a directive or a role as text, as a fence does whose title holds a
backtick.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

from sphinx.errors import ExtensionError

FOREIGN = r"(?:(?:https?|wss?|ftp):)?//[\w\[]"
FETCHING_LINKS = {"stylesheet", "preload", "modulepreload", "icon", "preconnect", "dns-prefetch"}
FETCHING_LINKS |= {"prefetch", "prerender", "manifest", "apple-touch-icon", "mask-icon"}

#: Attributes whose text is shown or kept, and never fetched by itself.
QUIET = re.compile(
    r"(?:alt|title|value|placeholder|content|cite|class|id|lang|xmlns.*|(?:aria|data)-.*)$"
)

#: A request in a script: a call, an import, or an address given to an element or to the window.
REQUEST = re.compile(
    rf"""\b(?:fetch|import|importScripts|sendBeacon|WebSocket|EventSource|Worker|SharedWorker
            |Request|Image|Audio|open|load|ajax|get|getJSON|post)\s*\(\s*[^()]*?["'`]{FOREIGN}
       | \b(?:from|import)\s*["'`]{FOREIGN}
       | (?:\.(?:src|srcset|href|action|data|poster)|\blocation)\s*=\s*["'`]{FOREIGN}""",
    re.VERBOSE,
)

#: MyST's and reStructuredText's marks, where a reader would see them.
MARKUP = re.compile(
    r"""(?:`{3,}|~{3,}|:{3,})               # a fence
      | \{[a-z][\w:+.-]*\}\s?`              # {role}`text`
      | \.\.\s[a-z][\w:.-]*::               # .. directive::
      | (?<![\w:]):[a-z][\w:+.-]*:`         # :role:`text`
      | ^\s*:[a-z][a-z_-]*:\s               # :option: value
      | ^\s*\{[a-z][\w:+.-]*\}(?:\s+\S)     # {directive} title
      | \{\{.*?\}\} | \{[\#.][\w-]+[^}]*\}  # {{ substitution }}, {#label .class}""",
    re.VERBOSE | re.MULTILINE,
)

#: A role whose text has become code: {role}`text` with a blank, or :role:`text`.
ROLE = re.compile(r"(?:\{[a-zA-Z][\w:+.-]*\}|(?<![\w:]):[a-z][\w:+.-]*:)\s*$")

#: Classes of what a reader takes for code or for a formula, whatever stands in it.
CODE = re.compile(r"\bhighlight-(?!none|default|text)|\bmath\b")

EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"}
EMPTY |= {"track", "wbr"}


class Page(HTMLParser):
    """What a page fetches from other hosts, and what it shows of its markup."""

    def __init__(self, text):
        super().__init__()
        self.foreign, self.markup, self.titled = [], [], False
        self.inside = []  # [(tag, whether it holds code)], from the outermost
        self.before = ""  # the text that was shown last
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        self.titled |= tag == "h1"
        for name, value in attributes.items():
            if fetched(tag, name, attributes):
                self.foreign += addresses(name, value)
        for name in ("alt", "title", "aria-label", "placeholder"):
            self.markup += MARKUP.findall(attributes.get(name, ""))
        if tag == "code" and ROLE.search(self.before):
            self.markup.append(self.before[-40:])
        if tag not in EMPTY:
            outer = self.inside[-1][1] if self.inside else False
            code = tag in ("script", "style") or CODE.search(attributes.get("class", ""))
            self.inside.append((tag, outer or bool(code)))

    def handle_endtag(self, tag):
        tags = [opened for opened, _ in self.inside]
        if tag in tags:
            del self.inside[len(tags) - 1 - tags[::-1].index(tag) :]

    def handle_data(self, text):
        tag, code = self.inside[-1] if self.inside else ("", False)
        if tag == "style":
            self.foreign += in_a_style(text)
        elif tag == "script":
            self.foreign += re.findall(rf"""["'`]{FOREIGN}[^"'`]*""", text)
        elif not code:
            self.before = text
            self.markup += (found.group() for found in MARKUP.finditer(text))


def fetched(tag, name, attributes):
    """Whether a browser fetches by itself what this attribute names."""
    if tag in ("a", "area") and name == "href":
        return False
    if tag == "link" and name == "href":
        return bool(FETCHING_LINKS & set(attributes.get("rel", "").lower().split()))
    if tag == "meta" and name == "content":
        return attributes.get("http-equiv", "").lower() == "refresh"
    return not QUIET.match(name)


def addresses(name, value):
    """The addresses at other hosts in an attribute's value."""
    if name == "style":
        return in_a_style(value)
    if name == "srcdoc":
        return Page(value).foreign
    value = re.sub(r"[\t\n\r]", "", value).replace("\\", "/")
    return re.findall(rf"(?:^|[\s,;=(\"'])({FOREIGN}[^\s\"')]*)", value, flags=re.IGNORECASE)


def in_a_style(text):
    """The addresses at other hosts in a style sheet; a picture may be in the sheet itself."""
    text = re.sub(r"/\*.*?\*/|@namespace[^;]*;", "", text, flags=re.DOTALL)
    text = re.sub(r"""url\(\s*(["']?)data:.*?\1\s*\)""", "", text, flags=re.DOTALL)
    return re.findall(rf"{FOREIGN}[^\s\"')]*", text, flags=re.IGNORECASE)


def in_a_script(text):
    """The requests to other hosts in a script, as far as their addresses stand in the call."""
    return [found.group() for found in REQUEST.finditer(text)]


def faults_of(file):
    """One sentence for each thing that is wrong in a file of the site."""
    text = file.read_text(encoding="utf-8")
    if file.suffix in (".html", ".svg"):
        page = Page(text)
        foreign, markup = page.foreign, page.markup
    else:
        foreign, markup = {".css": in_a_style, ".js": in_a_script}[file.suffix](text), []
    yield from (f"{file} asks another host: {what[:120]}" for what in foreign)
    yield from (f"{file} shows markup as text: {what[:120]}" for what in markup)


def faults(site, documents):
    """One sentence for each thing that is wrong in the whole site, whose pages these should be."""
    site = Path(site)
    if not documents:
        yield "the table of contents names no page"
    for name in sorted(documents):
        page = site / f"{name}.html"
        if not page.is_file():
            yield f"{name} is in the table of contents, but {page} was not built"
        elif not Page(page.read_text(encoding="utf-8")).titled:
            yield f"{page} was built without a title"
    for file in sorted(site.rglob("*")):
        if file.suffix in (".html", ".svg", ".css", ".js") and file.is_file():
            yield from faults_of(file)


def check(app, exception):
    """Fail the build when something is wrong in what it has built."""
    if exception is None and app.builder.format == "html":
        found = list(faults(app.outdir, list(app.env.external_site_map)))
        if found:
            raise ExtensionError("\n".join(["the site has faults:", *found]))


def setup(app):
    app.connect("build-finished", check, priority=900)  # when all files are in their places
    return {"parallel_read_safe": True, "parallel_write_safe": True}
