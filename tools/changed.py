"""Which tests have to do with what has changed: those whose file names or imports name it."""

import re
import subprocess

from tools.environment import ROOT, Refused

#: What every page and every chapter must keep.
ABOUT_ALL_PAGES = (
    *("tests/book/test_notebooks.py", "tests/book/test_back_matter.py"),
    "tests/book/test_welcome.py",
)

#: What the settings of the site, the set-up and these commands have in common.
ABOUT_THE_REPOSITORY = "tests/test_tools.py", "tests/book/test_site_settings.py"


def git(*arguments):
    """The lines that git answers; none when it cannot"""
    command = ["git", "-c", "core.quotepath=off", *arguments]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return answer.stdout.splitlines() if answer.returncode == 0 else []


def files():
    """What differs from where this branch left the published main, new files included"""
    if not git("rev-parse", "HEAD"):
        raise Refused("check asks git what has changed, and git does not know this folder")
    (start,) = git("merge-base", "HEAD", "origin/main") or ["HEAD"]
    changed = git("diff", "--name-only", "--no-renames", start)
    changed += git("ls-files", "--others", "--exclude-standard")
    return sorted(set(changed))


def tests_of(changed):
    """The test files for these files; first those that are named after one of them"""
    stems = {stem for name in changed for stem in _stems(name)}
    named, importing, everything = [], [], any("conftest" in name for name in changed)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        name = file.relative_to(ROOT).as_posix()
        if "browser" in file.parts and name not in changed:
            continue
        if (
            everything
            or name in changed
            or _stem(name) in stems
            or stems & set(_stem(name).split("_"))
        ):
            named.append(name)
        elif stems & _imported(file.read_text(encoding="utf-8")):
            importing.append(name)
    about = ABOUT_THE_REPOSITORY if _elsewhere(changed) else ()
    if any(
        name.startswith("book/") and name.endswith((".md", ".ipynb", ".bib")) for name in changed
    ):
        about = (*ABOUT_ALL_PAGES, *about)
    return list(dict.fromkeys([*named, *importing, *about]))


def _stem(name):
    """A file's name without folders, ending and what marks it as a test"""
    stem = name.rpartition("/")[2].partition(".")[0]
    return re.sub(r"^(test_chapter_|test_)", "", stem).replace("-", "_")


def _stems(name):
    """The words that name a file: its stem, and its folder's name where that is a package"""
    folders = name.split("/")[:-1]
    of_a_package = folders[:1] == ["seq2seq_lib"] and (folders[1:] or _stem(name) == "__init__")
    return {_stem(name), *(folders[-1:] if of_a_package else [])}


def _imported(source):
    """Every word of a module's import statements"""
    statements = re.findall(r"^(?:from|import) (?:[^\n(]|\([^)]*\))*", source, flags=re.MULTILINE)
    return set(re.findall(r"\w+", " ".join(statements)))


def _elsewhere(changed):
    """Whether something changed that is neither library nor test nor chapter"""
    return any(not name.startswith(("seq2seq_lib/", "tests/", "book/")) for name in changed)
