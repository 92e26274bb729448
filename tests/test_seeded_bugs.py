"""The table of seeded bugs fits the library as it is now; ``make bugs`` runs it."""

import ast
from pathlib import Path

import pytest
from seeded_bugs import BUGS, wrong_source


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_is_one_replacement_in_today_s_source_and_names_a_test(bug):
    ast.parse(wrong_source(bug))
    file, _, rest = bug.test.partition("::")
    test = rest.partition("[")[0]
    assert f"def {test}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_every_seeded_bug_has_its_own_name():
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 40
