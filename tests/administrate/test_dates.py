"""Dates are written in one way, on the pages of Django's admin as well: 22 Nov 2026, times on 24 hours."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.template import Context, Template

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
ONE_WAY = {"j M Y", "j M Y, H:i", "j M Y, H:i:s", "F Y"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (date(2026, 11, 2), "2 Nov 2026"),
        (datetime(2026, 11, 2, 15, 4, tzinfo=UTC), "2 Nov 2026, 15:04"),
    ],
)
def test_dates_without_a_format_are_written_as_all_others(value: date, written: str) -> None:
    """As Django's own pages have them."""
    assert Template("{{ value }}").render(Context({"value": value})) == written


def test_templates_write_dates_in_one_way() -> None:
    """A day, a moment, or a month."""
    formats = {found for path in TEMPLATES.rglob("*.html") for found in re.findall(r'\|date:"(.*?)"', path.read_text())}

    assert formats <= ONE_WAY


def test_moments_say_that_they_are_utc() -> None:
    """After the time, in the same text."""
    without = [
        path.name
        for path in TEMPLATES.rglob("*.html")
        if re.search(r'\|date:"[^"]*H:i(:s)?" *}}(?! UTC)', path.read_text())
    ]

    assert without == []
