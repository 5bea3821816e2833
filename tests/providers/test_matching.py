"""Which names a rule fits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.matching import matches

STARTS_WITH, CONTAINS, MATCHES = "starts_with", "contains", "matches"


@pytest.mark.parametrize(
    ("kind", "pattern", "name"),
    [
        (STARTS_WITH, "acme", "Acme – hotline"),
        (STARTS_WITH, "ACME", "acme"),
        (STARTS_WITH, "*", "*literally"),
        (CONTAINS, "hotline", "Acme – Hotline 2"),
        (CONTAINS, "ÄRZTE", "die ärzte"),
        (MATCHES, "acme*", "Acme"),
        (MATCHES, "*web*", "acme-web-2"),
        (MATCHES, "key ?", "Key 7"),
        (MATCHES, "stra?e", "STRAẞE"),
        (MATCHES, "e\u0301t?", "ÉTÉ"),
        (MATCHES, "[test] *", "[TEST] a"),
        (MATCHES, "a!b]", "a!b]"),
        (MATCHES, "line*", "line one\nline two"),
        (MATCHES, "a.c", "a.c"),
        (MATCHES, "plain", "Plain"),
    ],
)
def test_names_that_fit(kind: str, pattern: str, name: str) -> None:
    """Whatever the capitals; a wildcard stands for any character that people see as one."""
    assert matches(kind, pattern, name)


@pytest.mark.parametrize(
    ("kind", "pattern", "name"),
    [
        (STARTS_WITH, "acme", "the acme"),
        (STARTS_WITH, "ac*", "acme"),
        (CONTAINS, "a?m", "acme"),
        (MATCHES, "acme", "acme 2"),
        (MATCHES, "key ?", "key 12"),
        (MATCHES, "key ?", "key "),
        (MATCHES, "[ab]", "a"),
        (MATCHES, "a.c", "abc"),
        (MATCHES, "*", ""),
        (CONTAINS, "", ""),
        ("unheard of", "acme", "acme"),
    ],
)
def test_names_that_do_not_fit(kind: str, pattern: str, name: str) -> None:
    """Nothing but * and ? is special, and a key without a name fits nothing."""
    assert not matches(kind, pattern, name)


@given(pattern=st.text("aB*?[]!-", max_size=8), name=st.text("abAB[]!-", min_size=1, max_size=8))
def test_wildcards_mean_what_they_say(pattern: str, name: str) -> None:
    """The same as a regular expression that is written for the purpose."""
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)

    assert matches(MATCHES, pattern, name) == bool(re.fullmatch(expression, name, re.IGNORECASE))


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("*a" * 100, False),
        ("a*" * 100, True),
        ("*?" * 100, True),
        ("*" * 199 + "b", False),
        ("?*" * 99 + "b", False),
        ("*a*?" * 50, True),
        ("[" * 200, False),
    ],
)
def test_no_pattern_makes_the_search_endless(pattern: str, *, fits: bool) -> None:
    """Where one that tries every way would not come to an end, on the longest of names."""
    assert matches(MATCHES, pattern, "a" * 199 + "c") == fits
