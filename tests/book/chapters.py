"""What the tests of the chapters share: their cells, their prose, what they define, the results."""

import ast
import json
import re
import textwrap
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from seq2seq_lib.results import load_results, select

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
CHAPTERS = [
    Path(entry["file"]).stem
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    for entry in part["chapters"]
    if (ROOT / f"{entry['file']}.ipynb").is_file()
]
NOTEBOOKS = ["intro", *CHAPTERS]
HIDDEN = {"remove-cell", "remove-input", "hide-input", "hide-cell"}
DROPDOWN = re.compile(r"^```\{dropdown\} ([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
every_notebook = pytest.mark.parametrize("chapter", NOTEBOOKS)


def cells(chapter):
    return json.loads((BOOK / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return set(cell["metadata"].get("tags", []))


def prose(chapter):
    return "\n\n".join(source(cell) for cell in cells(chapter) if cell["cell_type"] == "markdown")


def visible_code(chapter):
    """The lines of each code cell that a reader of the site sees"""
    return [
        source(cell).splitlines()
        for cell in cells(chapter)
        if cell["cell_type"] == "code" and not HIDDEN & tags(cell)
    ]


def solutions(chapter):
    """The code of each folded solution"""
    for title, text in DROPDOWN.findall(prose(chapter)):
        code = re.findall(r"(?:^    .*\n|^\n)+", text, flags=re.MULTILINE)
        code = textwrap.dedent("".join(code)).strip()
        if title == "Solution" and code:
            yield code


def defined(chapter):
    """What a chapter imports and defines, classes and functions, run in a namespace of its own"""
    names = {"__name__": chapter}
    kept = ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef
    for cell in cells(chapter):
        if cell["cell_type"] == "code" and "remove-cell" not in tags(cell):
            tree = ast.parse(source(cell))
            tree.body = [node for node in tree.body if isinstance(node, kept)]
            exec(compile(tree, chapter, "exec"), names)
    return names


@cache
def results(name):
    """The runs of one result file"""
    return load_results(BOOK / "results" / f"{name}.json")


def exact(runs, **wanted):
    """Test accuracies, in %, of the runs with such recipes; at least five"""
    found = [100 * run["test_accuracy"] for run in select(runs, **wanted)]
    assert len(found) >= 5
    return np.array(found)
