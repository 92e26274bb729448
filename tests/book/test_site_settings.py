"""The book's settings agree with each other and with the rest of the repository."""

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def load(path):
    """Import a script that lies in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_site = load(ROOT / ".ci" / "check_site.py")


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
    names = list(check_site.pages(toc))
    missing = [
        name
        for name in names
        if not any((ROOT / f"{name}{end}").is_file() for end in (".md", ".ipynb", ""))
    ]
    assert names and not missing


def test_every_chapter_in_the_book_folder_is_in_the_table_of_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = {f"book/{file.stem}" for file in (ROOT / "book").glob("*.ipynb")}
    assert chapters <= set(check_site.pages(toc))


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

    lock = text_of(ROOT / "requirements.lock")
    pinned = dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^\s;]+)", lock, flags=re.MULTILINE))
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    lines = [line.split("#")[0].strip() for line in text_of(ROOT / "requirements.txt").splitlines()]
    stated = [line for line in lines if line]
    stated += project["dependencies"] + project["optional-dependencies"]["development"]
    for requirement in map(Requirement, stated):
        assert requirement.name in pinned, f"{requirement} is not in requirements.lock: make lock"
        assert requirement.specifier.contains(pinned[requirement.name]), (
            f"requirements.lock has {pinned[requirement.name]} for {requirement}: make lock"
        )


def test_every_pinned_version_has_a_hash():
    blocks = re.split(r"\n(?=\S)", text_of(ROOT / "requirements.lock").strip())
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_library_needs_numpy_alone():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    assert [re.split(r"\W", line)[0] for line in project["dependencies"]] == ["numpy"]


def test_the_citation_and_the_package_carry_the_same_version():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    citation = yaml.safe_load(text_of(ROOT / "CITATION.cff"))
    assert str(citation["version"]) == project["version"]


def test_a_page_that_was_not_built_is_named(tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "root: intro\nparts:\n- chapters:\n  - file: one\n    sections:\n    - file: two.md\n",
        encoding="utf-8",
    )
    for name in ("intro", "two"):
        (tmp_path / f"{name}.html").write_text("<h1>Title</h1>", encoding="utf-8")
    (fault,) = check_site.missing_pages(tmp_path / "_toc.yml", tmp_path)
    assert "one" in fault and "was not built" in fault


def test_a_page_without_a_title_is_named(tmp_path):
    (tmp_path / "_toc.yml").write_text("root: intro\n", encoding="utf-8")
    (tmp_path / "intro.html").write_text("<html></html>", encoding="utf-8")
    (fault,) = check_site.missing_pages(tmp_path / "_toc.yml", tmp_path)
    assert "without a title" in fault


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.html", '<script async src="https://cdn.example/x.js"></script>'),
        ("page.html", '<img alt="" src="//example.org/x.png">'),
        ("page.html", '<link rel="stylesheet" href="https://example.org/x.css">'),
        ("page.html", '<link href="https://example.org/x.css" rel="stylesheet">'),
        ("style.css", "@import 'https://example.org/x.css';"),
        ("style.css", "@font-face { src: url(https://example.org/x.woff2) }"),
    ],
)
def test_a_request_to_another_host_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert len(list(check_site.foreign_requests(tmp_path))) == 1


@pytest.mark.parametrize(
    "text",
    [
        '<a href="https://example.org/">a link to click</a>',
        '<script src="_static/x.js"></script>',
        '<link rel="canonical" href="https://example.org/">',
    ],
)
def test_a_link_or_a_file_of_the_site_is_no_request_to_another_host(tmp_path, text):
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    assert list(check_site.foreign_requests(tmp_path)) == []
