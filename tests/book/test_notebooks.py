"""Each chapter runs alone and in time, complains about nothing, and keeps the rules of its form."""

import ast
import itertools
import json
import re
import statistics
import textwrap
import time
from pathlib import Path

import pytest
import yaml

from seq2seq_lib import VARIANTS, Recipe

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
CHAPTERS = sorted(path.stem for path in BOOK.glob("*.ipynb"))
SECONDS = 90
SMALL = "epochs=1, train_size=500, validation_size=100, test_size=100"
NEVER = re.compile(r"\b(just|simply|obvious(?:ly)?|trivial(?:ly)?|of course)\b", re.IGNORECASE)
HIDDEN = {"remove-cell", "remove-input", "hide-input", "hide-cell"}
DROPDOWN = re.compile(r"^```\{dropdown\} Solution\n(.*?)^```$", re.DOTALL | re.MULTILINE)

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


def cells(chapter):
    return json.loads((BOOK / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def prose(chapter):
    return "\n\n".join(source(cell) for cell in cells(chapter) if cell["cell_type"] == "markdown")


def visible_code(chapter):
    """The lines of each code cell that a reader of the site sees"""
    return [
        source(cell).splitlines()
        for cell in cells(chapter)
        if cell["cell_type"] == "code" and not HIDDEN & set(cell["metadata"].get("tags", []))
    ]


def solutions(chapter):
    """The code of each folded solution"""
    for text in DROPDOWN.findall(prose(chapter)):
        code = re.findall(r"(?:^    .*\n|^\n)+", text, flags=re.MULTILINE)
        code = textwrap.dedent("".join(code)).strip()
        if code:
            yield code


# Running


def run(chapter, folder, extra=()):
    """Run all cells in a fresh kernel that starts in ``folder``; return the cells."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(BOOK / f"{chapter}.ipynb", as_version=4)
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in extra]
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(
        notebook, timeout=2 * SECONDS, kernel_name="python3", resources=resources
    )
    client.execute()
    return notebook.cells


def complaints(executed):
    return [
        output["text"]
        for cell in executed
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream" and output["name"] == "stderr"
    ]


@pytest.fixture
def jupyter_at_home(tmp_path, monkeypatch):
    """Kernels keep their settings and histories in a folder of the test."""
    names = "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"
    for name in (*names, "MPLCONFIGDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")


@pytest.mark.slow
@pytest.mark.usefixtures("jupyter_at_home")
@every_chapter
def test_a_chapter_runs_alone_and_in_time_and_its_solutions_run_after_it(chapter):
    quick = [re.sub(r"epochs=\d+", SMALL, code) for code in solutions(chapter)]
    start = time.perf_counter()
    executed = run(chapter, BOOK, quick)
    seconds = time.perf_counter() - start
    assert complaints(executed) == []
    assert seconds < SECONDS


@pytest.mark.slow
@pytest.mark.usefixtures("jupyter_at_home")
def test_a_chapter_finds_its_files_from_any_folder_of_the_checkout():
    assert complaints(run("variants", ROOT / "tests" / "book")) == []


# The form


@every_chapter
def test_cells_have_ids_and_no_outputs(chapter):
    content = json.loads((BOOK / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    assert set(content["metadata"]) == {"kernelspec", "language_info"}
    assert content["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in content["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


@every_chapter
def test_cells_are_short_and_prose_is_long_enough(chapter):
    lengths = [len(lines) for lines in visible_code(chapter)]
    assert max(lengths) <= 20
    assert statistics.median(lengths) <= 5
    words = len(re.findall(r"\w+", prose(chapter)))
    assert words >= 10 * sum(lengths)


@every_chapter
def test_prose_stands_before_every_code_cell(chapter):
    kinds = [cell["cell_type"] for cell in cells(chapter)]
    assert kinds[0] == "markdown"
    assert ("code", "code") not in itertools.pairwise(kinds)


@every_chapter
def test_no_word_belittles_what_a_reader_may_find_hard(chapter):
    assert NEVER.findall(prose(chapter)) == []


@every_chapter
def test_terms_and_citations_exist(chapter):
    glossary = (BOOK / "glossary.md").read_text(encoding="utf-8")
    terms = set(re.findall(r"^(\w.*)\n  \w", glossary, flags=re.MULTILINE))
    linked = re.findall(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`<]+))`", prose(chapter))
    assert {one or other for one, other in linked} <= terms
    references = (BOOK / "references.bib").read_text(encoding="utf-8")
    cited = re.findall(r"\{cite(?::\w)?\}`([^`]+)`", prose(chapter))
    keys = {key.strip() for keys in cited for key in keys.split(",")}
    assert keys <= set(re.findall(r"@\w+\{(\w+),", references))


@every_chapter
def test_a_chapter_begins_with_what_it_gives_and_ends_with_what_it_gave(chapter):
    text = prose(chapter)
    for start in ("You will build", "You will learn", "You need", "It takes"):
        assert f"**{start}**" in text[:1500]
    for heading in ("Key points", "Exercises", "Where next"):
        assert f"## {heading}\n" in text
    assert "What this chapter leaves open" in text
    exercises = text.split("## Exercises\n")[1]
    numbered = re.findall(r"^\*\*(\d)\. \w[^*]*\(\d+ minutes.*?\)\.\*\*", exercises, re.MULTILINE)
    assert numbered == [str(place) for place in range(1, len(numbered) + 1)]
    assert 3 <= len(numbered) <= 5
    assert len(DROPDOWN.findall(exercises)) == len(numbered)


@every_chapter
def test_a_result_that_is_to_be_predicted_is_folded(chapter):
    content = cells(chapter)
    for place, cell in enumerate(content):
        if "```{admonition} Predict first" in source(cell):
            coming = [each for each in content[place:] if each["cell_type"] == "code"][:2]
            folded = ["hide-output" in each["metadata"].get("tags", []) for each in coming]
            assert any(folded), source(cell)


@every_chapter
def test_the_code_of_every_solution_can_be_read_by_python(chapter):
    for code in solutions(chapter):
        ast.parse(code)


def test_the_first_code_cell_is_the_same_everywhere_and_fetches_the_book_from_its_address():
    address = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"][
        "url"
    ]
    first = {
        source(next(cell for cell in cells(chapter) if cell["cell_type"] == "code"))
        for chapter in CHAPTERS
    }
    (setup,) = first
    assert f"{address}\n" in setup
    name = address.rsplit("/", 1)[-1]
    assert setup.count(name) == 3


def test_the_results_are_as_the_chapter_of_the_variants_says():
    runs = json.loads((BOOK / "results" / "variants.json").read_text(encoding="utf-8"))["runs"]
    tests = {}
    for each in runs:
        name = Recipe.from_dict(each["recipe"]).variant
        tests.setdefault(name, []).append(100 * each["test_accuracy"])
    assert sorted(tests, key=lambda name: statistics.mean(tests[name])) == list(VARIANTS)
    spans = {name: max(values) - min(values) for name, values in tests.items()}
    assert max(spans, key=spans.get) == "peeky"
    values = sorted(tests["peeky"])
    gap, last_below = max((b - a, a) for a, b in itertools.pairwise(values))
    assert gap > 40 and last_below < 1.05 * max(tests["reverse"])  # two groups, nothing between
    assert min(values[values.index(last_below) + 1 :]) > 90
