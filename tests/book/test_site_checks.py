"""The checks of the built site see what they are there for."""

import pytest
import site_checks


@pytest.fixture
def faults(tmp_path):
    """A function: a file's name and text -> what is wrong with it"""

    def faults(text, name="page.html"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return list(site_checks.faults_of(tmp_path / name))

    return faults


def test_a_page_that_was_not_built_is_named(tmp_path):
    (tmp_path / "intro.html").write_text("<h1>Title</h1>", encoding="utf-8")
    (fault,) = site_checks.faults(tmp_path, ["intro", "one"])
    assert fault.startswith("one is in the table of contents") and "was not built" in fault


def test_a_page_without_a_title_is_named(tmp_path):
    (tmp_path / "intro.html").write_text("<html></html>", encoding="utf-8")
    (fault,) = site_checks.faults(tmp_path, ["intro"])
    assert "without a title" in fault


def test_a_table_of_contents_without_pages_is_named(tmp_path):
    assert list(site_checks.faults(tmp_path, [])) == ["the table of contents names no page"]


REQUESTS = [
    '<script async src="https://cdn.example/x.js"></script>',
    '<SCRIPT SRC = "HTTPS://cdn.example/x.js"></SCRIPT>',
    "<img src=https://example.org/x.png>",
    '<img alt="" src="//example.org/x.png">',
    '<img src=" https://example.org/x.png">',
    '<img src="ht\ntps://example.org/x.png">',
    r'<img src="\\example.org/x.png">',
    '<img srcset="a.png 1x, https://example.org/x.png 2x">',
    '<link rel="stylesheet" href="https://example.org/x.css">',
    '<link href="https://example.org/x.css" rel="alternate stylesheet">',
    "<link rel=preconnect href=https://example.org>",
    '<base href="https://example.org/">',
    '<meta http-equiv=refresh content="0; url=https://example.org/">',
    '<a ping="https://example.org/" href="#">a link</a>',
    '<form action="https://example.org/"></form>',
    "<video poster=//example.org/x></video>",
    '<object data="https://example.org/x"></object>',
    '<svg><image href="https://example.org/x.svg"/></svg>',
    '<svg><use xlink:href="https://example.org/x.svg#y"/></svg>',
    '<div style="background: url(https://example.org/x.png)"></div>',
    "<iframe srcdoc='<img src=https://example.org/x>'></iframe>",
    '<button onclick="fetch(&quot;https://example.org&quot;)">a button</button>',
    '<style>@import "https://example.org/x.css";</style>',
    '<script>fetch("https://example.org/x")</script>',
    '<script>const there = "https://example.org/x"; fetch(there)</script>',
    '<script type="module">import x from "https://example.org/x.js"</script>',
    '<script type="importmap">{"imports": {"x": "https://example.org/x.js"}}</script>',
    '<noscript><img src="https://example.org/x"></noscript>',
]


@pytest.mark.parametrize("text", REQUESTS)
def test_a_request_to_another_host_is_named(faults, text):
    (fault,) = faults(text)
    assert "page.html asks another host" in fault


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("style.css", "@import 'https://example.org/x.css';"),
        ("style.css", "@import url(//example.org/x.css);"),
        ("style.css", "@font-face { src: url(https://example.org/x.woff2) }"),
        ("style.css", 'a { background: image-set("https://example.org/x.png" 1x) }'),
        ("script.js", 'fetch("https://example.org/x")'),
        ("script.js", 'import{x}from"https://example.org/x.js"'),
        ("script.js", 'import("//example.org/x.js")'),
        ("script.js", "navigator.sendBeacon(`https://example.org/x`)"),
        ("script.js", 'request.open("GET", "https://example.org/x")'),
        ("script.js", 'new Image().src = "https://example.org/x"'),
        ("script.js", 'new WebSocket("wss://example.org/x")'),
        ("script.js", 'window.location.href = "https://example.org/"'),
        ("picture.svg", '<svg><image href="https://example.org/x.png"/></svg>'),
    ],
)
def test_a_request_of_a_style_a_script_or_a_picture_is_named(faults, name, text):
    (fault,) = faults(text, name)
    assert f"{name} asks another host" in fault


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", '<a href="https://example.org/">a link to click</a>'),
        ("page.html", '<script src="_static/x.js"></script>'),
        ("page.html", '<link rel="canonical" href="https://example.org/">'),
        ("page.html", '<meta property="og:url" content="https://example.org/">'),
        ("page.html", '<svg xmlns="http://www.w3.org/2000/svg"></svg>'),
        ("page.html", "<p>https://example.org/</p>"),
        ("style.css", "/* https://example.org/ */ a { color: red }"),
        ("style.css", "a { background: url(\"data:image/svg+xml,%3Csvg xmlns='http://w3.org'\") }"),
        ("script.js", '// https://example.org/\nconst here = "x.js";'),
    ],
)
def test_a_link_or_a_file_of_the_site_is_no_request_to_another_host(faults, name, text):
    assert faults(text, name) == []


@pytest.mark.parametrize(
    "text",
    [
        "<p>```{dropdown} C. The <code>9</code> that it has written</p>",
        "<p><code>{dropdown} C. The `9` that it has written Right.</code></p>",
        "<p>:::{note}</p>",
        "<p>see {term}`encoder`</p>",
        "<p>see {cite:p}`saitoh2018`</p>",
        "<p>see :doc:<code>encoder</code></p>",
        "<p>see {doc} <code>encoder</code></p>",
        "<p>.. note:: this</p>",
        "<p>:class: tip</p>",
        "<p>{#a-label}</p>",
        "<td>{numref}`fig-one`</td>",
        "<figcaption>as in {numref}`fig-one`</figcaption>",
        '<img alt="as in {numref}`fig-one`">',
        '<div class="highlight-none"><pre>```{dropdown} D</pre></div>',
        '<div class="output"><pre>{doc}`encoder`</pre></div>',
        "<div class='highlight-python'><pre>code</pre></div><p>{doc}`encoder`</p>",
        "<p>one<br>{doc}`encoder`</p>",
    ],
)
def test_a_directive_or_a_role_that_shows_as_text_is_named(faults, text):
    (fault,) = faults(text)
    assert "shows markup as text" in fault


@pytest.mark.parametrize(
    "text",
    [
        "<p>A set {a, b} and the shape (N, T, D): a matrix.</p>",
        "<p>The name <code>{question}</code> is filled in.</p>",
        "<p>In words: <code>57+5</code>.</p>",
        '<div class="highlight-ipython3"><pre>print(f"{doc}`{x}`")</pre></div>',
        "<script>let x = `{a}`</script>",
        '<div class="math">\\(x_{t}`\\)</div>',
    ],
)
def test_code_and_braces_are_no_markup(faults, text):
    assert faults(text) == []
