"""The book's settings agree with each other and with the rest of the repository."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def pages(node):
    """Every document that a table of contents names, in order"""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from [str(value)] if key in ("root", "file") else pages(value)
    elif isinstance(node, list):
        for item in node:
            yield from pages(item)


@pytest.fixture
def config():
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


@pytest.fixture
def committed_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    return files or [file for file in (ROOT / "book").rglob("*") if file.is_file()]


def text_of(file):
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_the_table_of_contents_names_only_files_that_exist():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = list(pages(toc))
    missing = [
        name
        for name in names
        if not any((ROOT / f"{name}{end}").is_file() for end in (".md", ".ipynb", ""))
    ]
    assert names and not missing


def test_every_chapter_in_the_book_folder_is_in_the_table_of_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = {f"book/{file.stem}" for file in (ROOT / "book").glob("*.ipynb")}
    assert chapters <= set(pages(toc))


def test_every_mention_of_the_repository_is_the_address_in_the_configuration(
    config, committed_files
):
    address = config["repository"]["url"]
    name = address.rsplit("/", 1)[-1]
    mention = re.compile(rf"github\.com/[\w.-]+/{re.escape(name)}\b")
    wrong = {
        str(file.relative_to(ROOT)): found
        for file in committed_files
        for found in mention.findall(text_of(file))
        if f"https://{found}" != address
    }
    assert not wrong, f"_config.yml says {address}"


def test_no_chapter_is_committed_with_outputs():
    notebooks = sorted((ROOT / "book").glob("*.ipynb"))
    with_outputs = [
        notebook.name
        for notebook in notebooks
        if re.search(r'"execution_count": \d', text_of(notebook))
        or re.search(r'"outputs": \[\s*\{', text_of(notebook))
    ]
    assert notebooks and not with_outputs


def test_the_pinned_versions_satisfy_the_stated_ranges():
    from packaging.requirements import Requirement

    lock = text_of(ROOT / "requirements.lock") + text_of(ROOT / "development.lock")
    pinned = dict(re.findall(r"(?m)^([a-z0-9][a-z0-9.-]*)(?:\[.*?\])?==([^\s;]+)", lock))
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    lines = [line.split("#")[0].strip() for line in text_of(ROOT / "requirements.txt").splitlines()]
    stated = [line for line in lines if line and not line.startswith("-")]
    stated += project["dependencies"]
    stated += [line for extra in ("book", "development") for line in extras[extra]]
    for requirement in map(Requirement, stated):
        assert requirement.name in pinned, f"{requirement} is in no lock: make lock"
        assert requirement.specifier.contains(pinned[requirement.name]), (
            f"the lock has {pinned[requirement.name]} for {requirement}: make lock"
        )


def test_the_library_needs_numpy_alone():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    assert [re.split(r"\W", line)[0] for line in project["dependencies"]] == ["numpy"]


def test_the_citation_and_the_package_carry_the_same_version():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    citation = yaml.safe_load(text_of(ROOT / "CITATION.cff"))
    assert str(citation["version"]) == project["version"]


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_every_action_of_a_workflow_is_pinned_by_its_commit():
    used = [use for file in WORKFLOWS for use in re.findall(r"uses: (\S+)(.*)", text_of(file))]
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.search(r"# v\d", comment), f"{action}: say which release that is"


def test_workflows_may_only_read_unless_they_say_why():
    assert WORKFLOWS
    for file in WORKFLOWS:
        assert yaml.safe_load(text_of(file))["permissions"] == {"contents": "read"}, file
        writing = re.findall(r"^.*write\b.*$", text_of(file), flags=re.MULTILINE)
        assert all(re.search(r"^ +[a-z-]+: write +# \w", line) for line in writing), writing


def test_every_command_that_a_text_tells_is_one_of_the_tools():
    from tools.__main__ import COMMANDS

    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / ".ci" / "run", *WORKFLOWS]
    texts += [*(ROOT / "book").glob("*.md"), *(ROOT / "book").glob("*.ipynb")]
    typed = r"(?:^|[`>\"] *|run: |^ +)(?:make|\S*py\S*(?: -3\.\d+)? -m tools) ([a-z][a-z-]*)"
    told = {(name, file.name) for file in texts for name in re.findall(typed, text_of(file), re.M)}
    assert len(told) >= 10
    assert {(name, file) for name, file in told if name not in COMMANDS} == set()
