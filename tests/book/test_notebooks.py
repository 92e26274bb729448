"""Each chapter runs alone and in time, complains about nothing, and keeps the rules of its form."""

import ast
import itertools
import json
import re
import statistics
import time

import pytest
import yaml
from chapters import (
    BOOK,
    CHAPTERS,
    DROPDOWN,
    HIDDEN,
    NOTEBOOKS,
    ROOT,
    cells,
    every_chapter,
    every_notebook,
    prose,
    solutions,
    source,
    tags,
    visible_code,
)

SECONDS = 90
SMALL = "epochs=1, train_size=500, validation_size=100, test_size=100"
NEVER = re.compile(r"\b(just|simply|obvious(?:ly)?|trivial(?:ly)?|of course)\b", re.IGNORECASE)


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


def printed(cell):
    """Whether an executed cell shows anything"""
    return cell["cell_type"] == "code" and bool(cell["outputs"])


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
@every_notebook
def test_a_chapter_runs_alone_and_in_time_and_its_solutions_run_after_it(chapter):
    quick = [re.sub(r"epochs=\d+", SMALL, code) for code in solutions(chapter)]
    start = time.perf_counter()
    executed = run(chapter, BOOK, quick)
    seconds = time.perf_counter() - start
    assert complaints(executed) == []
    assert seconds < SECONDS
    assert all(map(printed, meant_to_break(executed))), "what should break did not"
    for result in results_of_predictions(executed):
        assert "hide-output" in tags(result), source(result)


def meant_to_break(content):
    """The cells that print the error they provoke"""
    return [
        cell
        for cell in content
        if cell["cell_type"] == "code" and re.search(r"except \w+ as error", source(cell))
    ]


def results_of_predictions(executed):
    """The first thing that is shown after each prediction; steppers and drawings are none"""
    for place, cell in enumerate(executed):
        if "```{admonition} Predict first" in source(cell):
            yield next(
                each
                for each in executed[place:]
                if printed(each) and not HIDDEN & tags(each) and "steppers." not in source(each)
            )


@pytest.mark.slow
@pytest.mark.usefixtures("jupyter_at_home")
def test_a_chapter_finds_its_files_from_any_folder_of_the_checkout():
    assert complaints(run("variants", ROOT / "tests" / "book")) == []


# The form of cells


@every_notebook
def test_cells_have_ids_and_no_outputs(chapter):
    content = json.loads((BOOK / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    assert set(content["metadata"]) == {"kernelspec", "language_info"}
    assert content["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in content["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith(f"{chapter}-") for name in ids)
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
def test_a_chapter_asks_for_predictions(chapter):
    assert prose(chapter).count("```{admonition} Predict first") >= 2


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
        for chapter in NOTEBOOKS
    }
    (setup,) = first
    assert f"{address}\n" in setup
    name = address.rsplit("/", 1)[-1]
    assert setup.count(name) == 3


# Words, terms, citations, figures


@every_notebook
def test_no_word_belittles_what_a_reader_may_find_hard(chapter):
    assert NEVER.findall(prose(chapter)) == []


@every_notebook
def test_terms_and_citations_exist(chapter):
    glossary = (BOOK / "glossary.md").read_text(encoding="utf-8")
    terms = set(re.findall(r"^(\w.*)\n  \w", glossary, flags=re.MULTILINE))
    linked = re.findall(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`<]+))`", prose(chapter))
    assert {one or other for one, other in linked} <= terms
    references = (BOOK / "references.bib").read_text(encoding="utf-8")
    cited = re.findall(r"\{cite(?::\w)?\}`([^`]+)`", prose(chapter))
    keys = {key.strip() for keys in cited for key in keys.split(",")}
    assert keys <= set(re.findall(r"@\w+\{(\w+),", references))


def test_every_figure_has_a_name_of_its_own_and_the_text_points_to_it():
    names = [
        cell["metadata"]["figure"]
        for chapter in CHAPTERS
        for cell in cells(chapter)
        if "figure" in cell["metadata"]
    ]
    assert len(set(names)) == len(names) >= 13
    assert all(re.fullmatch(r"fig-[a-z0-9-]+", name) for name in names)
    pointed = {
        name for chapter in CHAPTERS for name in re.findall(r"\{numref\}`([^`]+)`", prose(chapter))
    }
    assert pointed == set(names)


# Teaching

KNOWN = r"^````\{dropdown\} Do you know this already\?.*?^```\{dropdown\} Answers$.*?^```$\s*^````$"


@every_chapter
def test_a_chapter_begins_with_what_it_gives_and_ends_with_what_it_gave(chapter):
    text = prose(chapter)
    for start in ("You will build", "You will learn", "You need", "It takes"):
        assert f"**{start}**" in text[:1600]
    assert re.search(KNOWN, text[:3500], flags=re.DOTALL | re.MULTILINE)
    if chapter != CHAPTERS[0]:
        assert "**Two questions from before.**" in text[:5000]
    for heading in ("Key points", "Exercises", "Where next"):
        assert f"## {heading}\n" in text
    assert "What this chapter leaves open" in text
    assert "/issues/new" in text.split("## Where next\n")[1]
    assert len(key_points(chapter)) >= len(objectives(chapter)) >= 3


def objectives(chapter):
    header = prose(chapter).split("**You will learn** to")[1].split("**You need**")[0]
    return re.findall(r"^- ", header, flags=re.MULTILINE)


def key_points(chapter):
    points = prose(chapter).split("## Key points\n")[1].split("**What this chapter leaves")[0]
    return re.findall(r"^- ", points, flags=re.MULTILINE)


def marked(chapter, kind):
    """[(the cell's text, its metadata of that kind)] of self-checks or exercises"""
    return [
        (source(cell), cell["metadata"][kind])
        for cell in cells(chapter)
        if kind in cell["metadata"]
    ]


@every_chapter
def test_every_objective_is_asked_about(chapter):
    asked = {
        number
        for kind in ("check", "exercise")
        for _, about in marked(chapter, kind)
        for number in about["objectives"]
    }
    assert asked == set(range(1, len(objectives(chapter)) + 1))


@every_chapter
def test_a_question_comes_at_least_every_1200_words(chapter):
    since = 0
    for cell in cells(chapter):
        if {"check", "exercise"} & set(cell["metadata"]) or re.search(
            r"\{admonition\} (Predict|Question)|\{dropdown\} Answer", source(cell)
        ):
            since = 0
        elif cell["cell_type"] == "markdown":
            since += len(re.findall(r"\w+", source(cell)))
            assert since <= 1200


MISCONCEPTIONS = dict(
    re.findall(
        r"^\| (\d+) \|.*\| (.*?) \|$",
        (BOOK / "misconceptions.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
)


@every_chapter
def test_every_option_of_a_self_check_has_an_answer_and_every_wrong_one_a_misconception(chapter):
    checks = marked(chapter, "check")
    assert len(checks) >= 2
    for text, about in checks:
        assert text.startswith("**Check yourself.**")
        options = {title[0]: (title, answer) for title, answer in DROPDOWN.findall(text)}
        assert all(re.match(r"[A-E]\. \S", title) for title, _ in options.values())
        assert set(options) == set(about["options"])
        assert 3 <= len(options) and list(about["options"].values()).count("right") == 1
        for letter, what in about["options"].items():
            assert what in ("right", "unsure") or str(what) in MISCONCEPTIONS
            assert len(options[letter][1].split()) >= 5


def test_the_place_of_an_option_does_not_tell_whether_it_is_right():
    places = [
        letter
        for chapter in CHAPTERS
        for _, about in marked(chapter, "check")
        for letter, what in about["options"].items()
        if what == "right"
    ]
    assert max(map(places.count, "ABCDE")) < 0.45 * len(places)


def test_every_misconception_is_met_by_a_question_and_its_page_says_where():
    met = {number: set() for number in MISCONCEPTIONS}
    for chapter in CHAPTERS:
        for _, about in marked(chapter, "check"):
            for what in about["options"].values():
                if what not in ("right", "unsure"):
                    met[str(what)].add(chapter)
    named = {n: set(re.findall(r"\{doc\}`(\w+)`", where)) for n, where in MISCONCEPTIONS.items()}
    assert named == met and all(met.values())


KINDS = {
    *("recall", "trace", "predict", "blanks", "order", "bug hunt", "variation", "test"),
    *("label", "experiment", "judge", "compute", "research"),
}


@every_chapter
def test_exercises_are_numbered_timed_solved_and_of_several_kinds(chapter):
    found = marked(chapter, "exercise")
    assert 4 <= len(found) <= 7
    assert {about["kind"] for _, about in found} <= KINDS
    assert len({about["kind"] for _, about in found}) >= 4
    quick = slow = 0
    for place, (text, _) in enumerate(found, 1):
        begin = re.match(r"\*\*(\d)\. \w[^*]*\((\d+) to (\d+) minutes[^)]*\)\.\*\*", text)
        assert begin, text[:80]
        assert int(begin[1]) == place
        quick, slow = quick + int(begin[2]), slow + int(begin[3])
        assert [title for title, _ in DROPDOWN.findall(text)].count("Solution") == 1
    said = re.search(r"\*\*It takes\*\*[^.]*?and (\d+) to (\d+) more for the ex", prose(chapter))
    assert abs(quick - int(said[1])) <= 2 and abs(slow - int(said[2])) <= 2  # in fives


@every_chapter
def test_something_breaks_on_purpose(chapter):
    assert meant_to_break(cells(chapter))
