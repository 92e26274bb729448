"""The pages for looking things up agree with the library, the chapters and each other."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from chapters import BOOK, CHAPTERS, ROOT, prose

from seq2seq_lib import Recipe

PAGES = ["intro", *sorted(path.stem for path in BOOK.glob("*.md"))]
every_text = pytest.mark.parametrize("name", [*CHAPTERS, *PAGES])


def text_of(name):
    page = BOOK / f"{name}.md"
    return page.read_text(encoding="utf-8") if page.is_file() else prose(name)


def table(name, first):
    """The rows of the table whose head begins with a word, as lists of cells"""
    head = rf"^\| {re.escape(first)} \|.*\n\|[-| ]+\n((?:\|.*\n)+)"
    (rows,) = re.findall(head, text_of(name), flags=re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def test_the_parameters_on_the_page_of_shapes_are_those_of_the_models():
    sizes = {"V": 13, "D": 16, "H": 128}
    plain, peeky = (Recipe.of(name).build_model().params for name in ("baseline", "peeky"))
    rows = {name.strip("`"): shapes for name, _, *shapes in table("notation", "name")}
    assert list(rows) == list(plain) == list(peeky)
    for name, shapes in rows.items():
        for shape, params in zip(shapes, (plain, peeky), strict=True):
            formula = re.sub(r"4H", "4 * H", shape.strip("$"))
            assert eval(formula, dict(sizes)) == params[name].shape, name


def test_the_sizes_on_the_page_of_shapes_are_those_of_the_baseline():
    recipe = Recipe()
    sizes = {letter.strip("$"): size for letter, _, size in table("notation", "letter")}
    assert sizes["N"] == str(recipe.batch_size)
    assert sizes["D"] == str(recipe.wordvec_size) and sizes["H"] == str(recipe.hidden_size)
    assert sizes["V"] == str(len(recipe.layout.characters))
    asked, written = re.findall(r"\d", sizes["T"])
    assert int(asked) == recipe.layout.question_width
    assert int(written) == recipe.layout.sample_size


def test_every_module_is_in_the_reference():
    documented = re.findall(r"automodule:: seq2seq_lib\.(\w+)", text_of("api"))
    library = ROOT / "seq2seq_lib"
    modules = {path.stem for path in library.glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in library.glob("*/__init__.py")}
    assert len(documented) == len(set(documented))
    assert set(documented) == modules | packages


def test_the_citation_is_that_of_the_repository():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    page = text_of("cite")
    assert f"title  = {{{citation['title']}}}" in page
    assert f"author = {{{{{citation['authors'][0]['name']}}}}}" in page
    assert f"url    = {{{config['repository']['url']}}}" in page
    assert f"year   = {{{config['copyright']}}}" in page


def test_the_glossary_is_in_order_and_the_text_links_to_every_term():
    terms = re.findall(r"^(\w.*)\n  \w", text_of("glossary"), flags=re.MULTILINE)
    assert terms == sorted(terms, key=str.lower)
    links = {
        term
        for name in [*CHAPTERS, "intro", "notation"]
        for pair in re.findall(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`<]+))`", text_of(name))
        for term in pair
    }
    assert set(terms) <= links


def test_every_paper_is_cited_and_says_where_it_is_to_be_read():
    entries = re.split(r"\n(?=@)", (BOOK / "references.bib").read_text(encoding="utf-8").strip())
    cited = {
        key.strip()
        for name in [*CHAPTERS, *PAGES]
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text_of(name))
        for key in keys.split(",")
    }
    for entry in entries:
        key = re.match(r"@\w+\{(\w+),", entry)[1]
        assert key in cited
        assert re.search(r"^\s+(url|doi|publisher)\s*=", entry, flags=re.MULTILINE), key


@every_text
def test_links_are_well_formed(name):
    text = re.sub(r"```bibtex.*?```", "", text_of(name), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]*)\)", text):
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            assert parts.scheme == "https" and "." in parts.netloc, target
        else:
            assert (BOOK / parts.path).exists() or target.startswith("#"), target
    for target in re.findall(r"\{doc\}`(?:[^`<]*<)?([\w./-]+)>?`", text):
        assert Path(target).name in [*CHAPTERS, *PAGES], target
