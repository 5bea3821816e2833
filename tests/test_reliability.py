"""The fault table of docs/reliability.md names tests: each of them exists."""

import ast
import re
from functools import cache

import pytest

from tests.services.product import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
FAULTS = [*range(1, 20), 26, 27]


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _path, name in NAMED])
def test_named_test_exists(path: str, name: str) -> None:
    """A promise whose test was renamed or removed is noticed."""
    assert name in functions(path)


@pytest.mark.parametrize("number", FAULTS)
def test_fault_has_a_row_that_names_a_test(number: int) -> None:
    """Every fault that is promised for has one row, and at least one test in it."""
    rows = re.findall(rf"^\| {number} \|.*$", PAGE, re.MULTILINE)

    assert len(rows) == 1
    assert "::test_" in rows[0]
