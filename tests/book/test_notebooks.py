"""Each chapter runs alone and in time, complains about nothing, and keeps the rules of its form."""

import ast
import itertools
import json
import re
import statistics
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from seq2seq_lib import VARIANTS, Recipe, load_pretrained
from seq2seq_lib.experiments import NEAR, UNITS
from seq2seq_lib.results import load_results, recipe_of, select

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


@pytest.fixture(scope="module")
def results():
    return {file.stem: load_results(file) for file in (BOOK / "results").glob("*.json")}


def exact(runs, **wanted):
    """Test accuracies, in %, of the runs with such recipes; at least five"""
    found = [100 * run["test_accuracy"] for run in select(runs, **wanted)]
    assert len(found) >= 5
    return np.array(found)


def test_order_and_padding_are_as_the_findings_say(results):
    before, moved = results["variants"], results["order-or-padding"]
    for blanks_moved in exact(moved, variant="baseline"), exact(moved, variant="reverse"):
        assert len(blanks_moved) == 5
    assert exact(moved, variant="baseline").mean() < exact(before, variant="baseline").mean()
    assert exact(moved, variant="reverse").min() > exact(before, variant="reverse").max()


def test_peeking_and_size_are_as_the_findings_say(results):
    before, wide = results["variants"], results["peeking-or-size"]
    small = exact(before, variant="baseline").mean()
    assert exact(wide, variant="baseline").mean() < 1.1 * small
    assert exact(wide, variant="reverse").mean() > 1.1 * exact(before, variant="reverse").mean()
    assert exact(wide, variant="baseline").mean() < exact(before, variant="peeky").mean() / 4
    assert exact(wide, variant="reverse").max() < exact(before, variant="reverse+peeky").min() / 1.5
    lowest, second, third = np.sort(exact(before, variant="peeky"))[:3]
    best_wide = exact(wide, variant="baseline").max()
    assert lowest < best_wide < second < 1.3 * best_wide < 2 * best_wide < third


def shares(runs, question, **wanted):
    """Shares (seeds, places of the question, places of the answer), each column adding up to 1"""
    lengths = np.array([run[question] for run in select(runs, **wanted)])
    assert len(lengths) == 5
    return lengths / lengths.sum(axis=1, keepdims=True)


def test_the_gradients_paths_are_as_the_findings_say(results):
    runs = results["gradient-paths"]
    for variant, last in ("baseline", -1), ("reverse", 0):
        first = -1 - last  # the places that are read last and first
        untrained = shares(runs, "full", variant=variant, epochs=0)
        assert (untrained.argmax(axis=1) == last % 7).all()
        steps = np.diff(untrained.mean(axis=(0, 2)))
        assert (steps > 0).all() if last else (steps < 0).all()
        early = shares(runs, "full", variant=variant, epochs=1).mean(axis=2)
        assert (early[:, first] > early[:, last]).all()
    trained = shares(runs, "full", variant="baseline", epochs=25).mean(axis=0)
    assert (np.sort(trained.argsort(axis=0)[-2:], axis=0).T == [0, 4]).all()  # the hundreds
    assert np.ptp(trained, axis=1).max() < 0.05  # the columns are alike
    thousands, hundreds, tens, units = shares(runs, "full", variant="reverse", epochs=25).mean(0).T
    assert min(tens[[1, 5]].sum(), units[[1, 5]].sum()) > 1.5 * thousands[[1, 5]].sum()
    blanks = [
        shares(runs, "short", variant="baseline", epochs=e)[:, 4:].sum(1).mean() for e in (0, 25)
    ]
    assert blanks[0] > 0.7 and blanks[1] < 0.2


def by_carries(run):
    rows = np.array([row for row in run["new_by_kind"] if row[:2] == [3, 3]])
    return rows[:, 3] / rows[:, 4]


def test_the_mistakes_are_as_the_findings_say(results):
    sums = results["every-sum"]
    near = {}
    for variant in VARIANTS:
        runs = select(sums, variant=variant)
        each = np.array([by_carries(run) for run in runs])
        assert np.ptp(each.mean(axis=0)) < 0.05 and each[:, 3].min() > 0
        counts = [dict(map(tuple, run["frequent_errors"])) for run in runs]
        near[variant] = [
            {d: count.get(d, 0) / run["wrong"] for d in (1, 2, 10, 100, -1, -2, -10, -100)}
            for count, run in zip(counts, runs, strict=True)
        ]
        trained, mirrored = (
            np.mean([run["known"][kind][0] / run["known"][kind][1] for run in runs])
            for kind in ("trained", "mirrored")
        )
        assert 0.9 * trained < mirrored < trained
        assert 0 < 100 * trained - exact(results["variants"], variant=variant).mean() < 4
    assert all(run["error_sizes"]["100 or more"] < 100 for run in select(sums, variant="baseline"))
    one_digit = [sum(d[k] for k in d if abs(k) != 2) for d in near["reverse+peeky"]]
    assert min(one_digit) > 0.6
    close = [sum(d[k] for k in d if abs(k) < 3) for d in near["reverse"]]
    assert np.mean(close) > 0.7
    assert max(max(d.values()) for d in near["baseline"][:4]) < 0.15


def test_longer_numbers_and_places_are_as_the_findings_say(results):
    for run in results["mistakes"]:
        assert all(right == 0 for right, _ in run["longer"].values())
        assert run["free"]["exact"] == run["forced"]["exact"]
    for run in select(results["mistakes"], variant="baseline"):
        assert np.argmin(run["free"]["by_position"]) == 2
        gains = np.subtract(run["forced"]["by_position"], run["free"]["by_position"])
        assert gains.max() < 0.15 and gains.min() >= 0


def test_the_memory_cell_is_as_the_findings_say(results):
    before, cell = results["variants"], results["memory-cell"]
    source = {"pass_cell": True, "learning_rate": Recipe().learning_rate}
    old = [exact(before, variant=name).mean() for name in VARIANTS]
    new = [exact(cell, variant=name, **source).mean() for name in VARIANTS]
    assert old == sorted(old) and new == sorted(new)
    gains = np.subtract(new, old)
    assert gains.min() > 0 and list(VARIANTS)[gains.argmax()] == "reverse"
    apart = [
        exact(cell, variant=name, **source).min() > exact(before, variant=name).max()
        for name in VARIANTS
    ]
    assert apart == [name == "reverse" for name in VARIANTS]
    study = {"pass_cell": True, "learning_rate": 0.002, "batch_size": 256}
    tests = {name: exact(cell, variant=name, **study) for name in VARIANTS}
    reverse, peeky = tests["reverse"], tests["peeky"]
    assert abs(reverse.mean() - peeky.mean()) < 5 < reverse[:3].mean() - peeky[:3].mean()
    assert reverse.min() < peeky.min() and peeky.max() < reverse.max()
    study_means = [tests[name].mean() for name in VARIANTS]
    assert study_means == sorted(study_means)
    assert abs(tests["baseline"].mean() - new[0]) < 5


def test_strict_padding_is_as_the_findings_say(results):
    plain, strict = exact(results["variants"], variant="baseline"), results["strict-padding"]
    mask = exact(strict, mask_loss=True, end_mark=False)
    end = exact(strict, mask_loss=False, end_mark=True)
    through = exact(strict, mask_loss=False, pass_through=True)
    everything = exact(strict, mask_loss=True, end_mark=True, pass_through=True)
    assert mask.max() < 2
    for group in end, through, everything:
        assert group.min() < plain.max() and group.max() > plain.min()
        assert group.mean() < exact(results["variants"], variant="reverse").mean()
    assert min(through.mean(), everything.mean()) > max(plain.mean(), end.mean())
    for group in mask, end, through, everything:
        assert len(group) == 5


def test_the_road_is_as_the_findings_say(results):
    constant, road = results["every-sum"], results["road"]
    falling = {"schedule": "cosine", "learning_rate": 0.005, "batch_size": 128}
    wrong = {name: select(road, variant=name, **falling)[0]["wrong"] for name in VARIANTS}
    before = {name: [r["wrong"] for r in select(constant, variant=name)] for name in VARIANTS}
    for name in "baseline", "reverse", "reverse+peeky":
        assert wrong[name] < min(before[name])
    assert wrong["baseline"] > 500_000
    assert wrong["reverse"] < min(wrong["peeky"], min(before["reverse"]) / 5)
    assert min(before["peeky"]) < wrong["peeky"]
    assert wrong["reverse+peeky"] < 1000 < min(before["reverse+peeky"])
    best = min(road, key=lambda run: run["wrong"])
    assert best["recipe"] == load_pretrained("best").recipe.to_dict()
    near = [min(min(n % 100, -n % 100) for n in pair) <= 10 for *pair, _ in best["wrong_sums"]]
    assert np.mean(near) > 0.9
    assert [2, 2, 3] in best["wrong_sums"]
    assert "4" not in Recipe().splits().train.answers
    five = [
        [run["wrong"] for run in road if recipe_of(run).replace(seed=0) == recipe]
        for recipe in (
            Recipe.of("reverse+peeky", **NEAR, pass_cell=True),
            Recipe.of("reverse+peeky", **UNITS),
        )
    ]
    assert [len(runs) for runs in five] == [5, 5]
    assert max(five[0]) < 300 and min(five[0]) == best["wrong"] < max(five[0]) / 3.5
    assert max(map(max, five)) > 200 and min(map(min, five)) < 50


def test_the_sums_that_are_stepped_through_are_as_the_chapters_say(results):
    baseline, reverse = load_pretrained("baseline"), load_pretrained("reverse")
    assert baseline("57+5") == "60"
    assert [baseline("999+1")[0], reverse("999+1")] == ["9", "1000"]
    choices = {
        character
        for solver in (baseline, reverse)
        for character in np.argsort(solver.trace("999+1").probabilities[0])[-2:]
    }
    assert choices == {1, 9}
    assert baseline("340+12")[:2] == "35" != baseline("340+12") and reverse("340+12") == "352"
    free, forced = baseline.trace("999+1"), baseline.trace("999+1", answer="1000")
    assert free.choices[0] == 9 and abs(int(baseline("999+1")) - 1000) < 10
    assert (free.choices[1:] != forced.choices[1:]).any()


def test_the_epochs_that_are_stepped_through_are_as_the_chapter_says(results):
    answers = {recipe_of(run).variant: run["answers"] for run in results["snapshots"]}

    def right(variant, question):
        total = str(sum(map(int, question.split("+"))))
        return [epoch for epoch, text in enumerate(answers[variant][question]) if text == total]

    first = {name: min(right(name, "57+5"), default=99) for name in VARIANTS}
    assert sorted(first, key=first.get)[:2] == ["reverse+peeky", "peeky"]
    assert first["reverse+peeky"] < first["peeky"] < first["reverse"]
    assert len(right("peeky", "999+1")) > 5 and 25 not in right("peeky", "999+1")
    assert not any(25 in right(name, "2+5") for name in VARIANTS)
