"""What can be typed after `make` or `python -m tools`: one function each, in the order of need.

A function's first line is its help. What follows a command on the line is handed to it.
"""

import shutil

from tools import changed, environment, locks, site
from tools.environment import DEVELOPMENT, ROOT, Refused, python

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}  # more get in each other's way: our arrays are small


def set_up():
    """create .venv with what the book needs; the other commands do it when needed"""
    environment.set_up()


def book():
    """build the website"""
    environment.set_up()
    site.build()


def serve(port="8000"):
    """show the website on this machine only, at the port that you name (8000)"""
    if not (port.isdecimal() and 0 < int(port) < 65536):
        raise Refused(f"serve: expected a port from 1 to 65535, got {port!r}")
    book()
    site.serve(int(port))


def notebooks(*options):
    """open the chapters in JupyterLab; as root, add --allow-root"""
    environment.set_up()
    python("-m", "jupyterlab", "--ip", "127.0.0.1", "book", *options)


def check(*options):
    """lint, and the tests of what you have changed: less than a minute"""
    lint()
    tests = changed.tests_of(changed.files())
    if tests:
        python("-m", "pytest", "-m", "not slow", "--seconds=45", *tests, *options, **ONE_THREAD)
    else:
        print("Nothing has changed that a test has to do with.")


def test(*options):
    """build the website, then run every test; options of pytest may follow"""
    environment.set_up(DEVELOPMENT)
    site.build()
    python("-m", "pytest", *options, **ONE_THREAD)


def lint():
    """check style, formatting and spelling"""
    environment.set_up(DEVELOPMENT)
    python("-m", "ruff", "check", ".")
    python("-m", "ruff", "format", "--check", ".")
    python("-m", "codespell_lib")


def format():
    """mend what can be mended of style and formatting; lint tells of the rest"""
    environment.set_up(DEVELOPMENT)
    python("-m", "ruff", "check", "--fix", "--exit-zero", "--quiet", ".")
    python("-m", "ruff", "format", ".")


def strict_book():
    """build the website from nothing; every warning is an error"""
    environment.set_up()
    site.build(strictly=True)


def results(*options):
    """run what is missing in book/results, and ship the weights that it chooses"""
    environment.set_up(DEVELOPMENT)
    python("-m", "seq2seq_lib", "results", *options)


def bench(*options):
    """compare our speed with PyTorch's"""
    pytorch()
    python("-m", "benchmarks", *options)


def pytorch():
    """add PyTorch to .venv, for the speed table and the parity tests"""
    environment.set_up(DEVELOPMENT)
    locks.add_pytorch()


def bugs(*options):
    """show which test catches which seeded bug"""
    environment.set_up(DEVELOPMENT)
    python("-m", "tests.seeded_bugs", *options)


def lock(*options):
    """write the locks again after a change of what is needed; with --upgrade, today's versions"""
    environment.set_up(locks=())
    locks.resolve(*options)


def check_locks():
    """ask the package index whether the locks are whole for every Python and system"""
    environment.set_up(locks=())
    locks.check()


def night(*options):
    """what takes too long for every day; with --newest, all tests on today's newest versions"""
    if options not in ((), ("--newest",)):
        raise Refused(f"night: expected nothing or --newest, got {' '.join(options)!r}")
    if options:
        locks.try_newest()
    else:
        environment.set_up(DEVELOPMENT)
        python("-m", "pytest", "-m", "hypothesis", HYPOTHESIS_PROFILE="nightly", **ONE_THREAD)


def clean():
    """delete all that these commands have made"""
    made = (".venv", ".cache", "_build", "build", "seq2seq_lib.egg-info")
    for name in (*made, ".pytest_cache", ".ruff_cache", ".hypothesis", ".coverage"):
        place = ROOT / name
        if place.is_dir():
            shutil.rmtree(place)
        elif place.exists():
            place.unlink()
    for name in ("seq2seq_lib", "tests", "benchmarks", "book", "tools"):
        for cache in sorted((ROOT / name).rglob("__pycache__")):
            shutil.rmtree(cache)


ALL = (
    *(set_up, book, serve, notebooks),
    *(check, test, lint, format, strict_book),
    *(results, pytorch, bench, bugs),
    *(lock, check_locks, night, clean),
)
