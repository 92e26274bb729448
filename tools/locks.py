"""The locks: how they are written, and whether they are whole."""

import re
import shutil
import sys
import tempfile

from tools.environment import (
    BOOK,
    CACHE,
    DEVELOPMENT,
    INSTALLER,
    ROOT,
    STRICTLY,
    python,
    run,
    set_up,
    sources_of_packages,
    uv,
)

PYTORCH = "torch==2.13.0"  # not in a lock: each system has another one, of up to several GB

#: What README promises.
PYTHONS = "3.11", "3.12", "3.13"
SYSTEMS = (
    *("x86_64-manylinux_2_28", "aarch64-manylinux_2_28"),
    *("x86_64-apple-darwin", "aarch64-apple-darwin"),
    "x86_64-pc-windows-msvc",
)

#: One file for all of them; an extra is written out, for those who read a lock with another tool.
COMPILE = (
    *("pip", "compile", "--quiet", "--universal", "--python-version", PYTHONS[0]),
    *("--fork-strategy", "fewest", "--generate-hashes", "--no-strip-extras"),
    *("--no-emit-index-url", "--no-annotate", "--no-header", "--no-emit-package", "seq2seq-lib"),
)


def pinned(lock):
    """The names that a lock pins"""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9][a-z0-9.-]*)(?:\[.*?\])?==", text, flags=re.MULTILINE)


def resolve(*options):
    """Write all locks; the second of the environment's holds only what the first does not."""
    first, second = DEVELOPMENT
    compile_, sources = (*COMPILE, *options), sources_of_packages()
    uv(*compile_, "tools/uv.in", "--output-file", INSTALLER, **sources)
    book = "requirements.txt", "pyproject.toml", "--extra", "book"
    uv(*compile_, *book, "--output-file", first, **sources)
    already = [part for name in pinned(first) for part in ("--no-emit-package", name)]
    development = "pyproject.toml", "--extra", "development", "--constraints", first
    uv(*compile_, *development, *already, "--output-file", second, **sources)


def check():
    """Ask the package index whether the locks are whole, for every Python and system."""
    sources = sources_of_packages()
    for version in PYTHONS:
        for system in SYSTEMS:
            for locks in (BOOK, DEVELOPMENT):
                with tempfile.TemporaryDirectory() as nowhere:
                    where = "--target", nowhere, "--python-version", version
                    files = [part for lock in locks for part in ("-r", lock)]
                    uv(
                        *("pip", "install", "--dry-run", *STRICTLY, *files),
                        *("--python-platform", system, *where),
                        **sources,
                    )
            print(f"Python {version} on {system}: whole")


def add_pytorch():
    """Install PyTorch with pip, which finds the build that this machine is meant to have."""
    python("-m", "pip", "install", "--quiet", PYTORCH, **sources_of_packages())


def try_newest():
    """In a copy of what is committed, resolve the locks to today's versions and run everything."""
    set_up(locks=())
    copy, sources = CACHE / "newest", sources_of_packages()
    if copy.exists():
        shutil.rmtree(copy)
    run("git", "clone", "--quiet", ROOT, copy)
    for command in (["lock", "--upgrade"], ["strict-book"], ["lint"], ["test"]):
        run(sys.executable, "-m", "tools", *command, folder=copy, **sources)
