"""The order of the house: who may import whom, what loads when, who prints."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

PACKAGE = Path(__file__).parents[1] / "seq2seq_lib"
TABLE = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
RANKS = {
    module: int(rank) for rank, module in re.findall(r"^\| (\d+) \| `([\w.]+)` \|", TABLE, re.M)
}
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
MODULES = sorted(FILES)
every_module = pytest.mark.parametrize("module", MODULES)


def imported_modules(source):
    """Modules of this package that a source text imports, at any depth of its functions"""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            paths = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = "seq2seq_lib" if node.level else None
            base = ".".join(filter(None, [package, node.module]))
            inside = base == "seq2seq_lib"
            paths = [f"{base}.{alias.name}" for alias in node.names] if inside else [base]
        else:
            continue
        for path in paths:
            package, _, rest = path.partition(".")
            if package == "seq2seq_lib":
                yield next((m for m in (rest, rest.rpartition(".")[0]) if m in FILES), "__init__")


def calls(source, function):
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == function
    ]


def source_of(module):
    return FILES[module].read_text(encoding="utf-8")


def test_imports_are_found_in_every_form_and_at_every_depth():
    source = """
import numpy, seq2seq_lib.lstm
from seq2seq_lib import data
from seq2seq_lib.models import Seq2seq
from .files import read
def f():
    if True:
        import seq2seq_lib
        from . import trace
"""
    assert list(imported_modules(source)) == [
        *("lstm", "data", "models", "files", "__init__", "trace")
    ]
    assert calls("def f():\n    print(1)\n", "print") == [2]


@every_module
def test_every_module_has_a_rank_and_imports_only_from_ranks_below_it(module):
    for imported in imported_modules(source_of(module)):
        assert RANKS[imported] < RANKS[module], f"{module} imports {imported}"


@every_module
def test_only_the_command_line_prints(module):
    assert module == "__main__" or not calls(source_of(module), "print")


def test_the_wheel_holds_every_file_of_the_library_and_nothing_else(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=PACKAGE.parent, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = [name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name]
    listed = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sorted(held) == sorted(path.relative_to(PACKAGE.parent).as_posix() for path in listed)


def test_neither_library_nor_benchmarks_unpickle_anything():
    for folder in (PACKAGE, PACKAGE.parent / "benchmarks"):
        for path in folder.rglob("*.py"):
            text = path.read_text(encoding="utf-8").replace(" ", "")
            assert "allow_pickle=True" not in text, path
            assert "importpickle" not in text, path


LOADED = """
import sys, numpy, numpy.random
before = set(sys.modules)
import seq2seq_lib
new = {name.split(".")[0] for name in set(sys.modules) - before}
sys.stderr.write(" ".join(sorted(new - set(sys.stdlib_module_names))))
"""


def test_importing_the_library_loads_nothing_but_numpy_and_prints_nothing():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOADED],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert done.stderr == "seq2seq_lib"
