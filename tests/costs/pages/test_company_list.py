"""The list of companies: finding one, the small lines, and what the month will come to in all."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)
from tests.pages import cells, page_of, printed


@pytest.fixture(autouse=True)
def companies(db: None) -> None:
    """Acme spends a dollar a day, Globex two; a key is unassigned."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=40), last=TODAY)
    for name, cost in (("Acme", 1), ("Globex", 2), ("", 4)):
        key = make_project(provider=provider)
        if name:
            make_assignment(project=key, company=make_company(name=name))
        for ago in range(1, 41):
            make_usage(project=key, day=TODAY - timedelta(days=ago), cost=Decimal(cost))


def test_a_company_is_found_by_a_part_of_its_name(signed_in: Client) -> None:
    """In the page and in its file; the total is of what is shown."""
    assert list(cells(signed_in, "/companies/?q=GLOB&csv=companies", "Spend (USD)").items()) == [("Globex", ("42",))]
    assert printed(signed_in, "/companies/?q=glob", "Company")[-1][:2] == ("Total", "$42.00")


def test_a_search_keeps_the_rest_of_the_address(signed_in: Client) -> None:
    """Range, sorting, and what else was chosen."""
    html = signed_in.get("/companies/?sort=name&from=2026-11-01&to=2026-11-05&q=x").content.decode()

    form = html[html.index('class="search-field') :].partition("</form>")[0]
    kept = {"sort": "name", "from": "2026-11-01", "to": "2026-11-05"}
    assert dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)) == kept
    assert "No companies match “zzz”. Clear the search" in page_of(signed_in, "/companies/?q=zzz")


def test_the_total_has_a_forecast(signed_in: Client) -> None:
    """The one of the dashboard."""
    assert printed(signed_in, "/companies/", "Company")[-1][5].startswith("$210.00")
    assert "Forecast November $210.00" in page_of(signed_in, "/")


def test_the_forecast_is_of_what_is_found(signed_in: Client) -> None:
    """As every total."""
    assert printed(signed_in, "/companies/?q=acme", "Company")[-1][5].startswith("$30.00")


def test_a_line_shows_each_companys_days(signed_in: Client) -> None:
    """Drawn without a script, and said in words."""
    html = signed_in.get("/companies/?from=2026-11-01&to=2026-11-07").content.decode()

    lines = re.findall(r'<svg class="spark"[^>]*aria-label="([^"]*)"><polyline points="([^"]*)"', html)
    assert [says for says, _points in lines][:2] == ["Most on 1 Nov 2026: $2.00", "Most on 1 Nov 2026: $1.00"]
    assert len(lines[0][1].split()) == 7


def test_a_long_range_has_short_lines(signed_in: Client) -> None:
    """By weeks, and by months."""
    html = signed_in.get("/companies/?from=2025-01-01&to=2026-11-22").content.decode()

    points = re.findall(r'<polyline points="([^"]*)"', html)
    assert len(points) == 3
    assert all(len(line.split()) == 23 for line in points)


def test_many_companies_come_in_pages(signed_in: Client) -> None:
    """Fifty of them, with what is unassigned, the sums and the forecast of all; the file has the forecast of each."""
    for number in range(50):
        make_company(name=f"Company {number:02}")

    first = printed(signed_in, "/companies/?sort=name", "Company")
    second = printed(signed_in, "/companies/?sort=name&page=2", "Company")
    forecasts = cells(signed_in, "/companies/?sort=name&csv=companies", "Forecast Nov (USD)")

    assert "1–50 of 52" in page_of(signed_in, "/companies/?sort=name")
    assert [first[0][0], first[0][5], first[49][0], len(first)] == ["Acme", "$30.00", "Company 48", 52]
    assert [row[0] for row in second[:-1]] == ["Company 49", "Globex", "Unassigned"]
    assert first[-2:] == second[-2:]
    assert [first[-1][1], first[-1][5]] == ["$147.00", "$210.00"]
    assert {name: forecast for name, (forecast,) in forecasts.items() if forecast} == {
        "Acme": "30",
        "Globex": "60",
        "Unassigned": "120",
    }
