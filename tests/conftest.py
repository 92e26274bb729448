"""What all tests share: a generator with a fixed seed, and hypothesis' profiles."""

import itertools
import os
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("fixed", derandomize=True, max_examples=300, deadline=None)
settings.register_profile("nightly", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pytest_addoption(parser):
    parser.addoption("--seconds", type=float, help="skip the tests that would begin after these")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    limit, begun = item.config.getoption("--seconds"), item.session.begun
    if limit and time.monotonic() - begun > limit:
        pytest.skip(f"the {limit:g} seconds are over: make test runs all")


def pytest_sessionstart(session):
    session.begun = time.monotonic()


def pytest_terminal_summary(terminalreporter):
    """The minutes of each part, which have a budget in CI."""
    seconds = Counter()
    for report in itertools.chain(*terminalreporter.stats.values()):
        folder, _, rest = getattr(report, "nodeid", "").removeprefix("tests/").partition("/")
        seconds[folder if "::" in rest else "library"] += getattr(report, "duration", 0)
    parts = [f"{part} {total / 60:.1f}" for part, total in sorted(seconds.items())]
    terminalreporter.write_line(f"minutes: {', '.join(parts)}")


def pytest_sessionfinish(session):
    """In CI (the variable CI is set) a skipped test is a failure: nobody reads a skip there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter and reporter.stats.get("skipped")
    if os.environ.get("CI") and skipped and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("a test was skipped, and CI is set: that is a failure", red=True)


def pytest_collection_modifyitems(items):
    """Tests in a browser come last: Playwright's event loop stays, and others need none there."""
    items.sort(key=lambda item: "browser" in item.path.parts)
