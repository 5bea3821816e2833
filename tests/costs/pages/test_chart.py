"""The chart of a page: its bars, what is beside them, and its long twin."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from tests.costs.worlds import make_workspace
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)
from tests.pages import download

pytestmark = pytest.mark.any_engine


WEEK = "/?from=2026-11-16&to=2026-11-22"


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def data_of(html: str) -> Any:
    found = re.search(r'<script id="daily-data" type="application/json">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


def make_companies(count: int) -> None:
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=TODAY)
    for number in range(1, count + 1):
        key = make_project(provider=provider)
        make_assignment(project=key, company=make_company(name=f"Client {number}"))
        make_usage(project=key, day=TODAY, cost=Decimal(number))
    make_usage(project=make_project(provider=provider), day=TODAY, cost=Decimal("0.5"))


def test_the_ten_largest_companies_are_drawn_and_what_is_unassigned(signed_in: Client) -> None:
    """However little that is; everybody else is one series more."""
    make_companies(12)

    labels = [one["label"] for one in data_of(page(signed_in, "/"))["series"]]

    assert labels == [*(f"Client {number}" for number in range(12, 2, -1)), "Unassigned", "Other"]


def test_it_is_drawn_without_a_script(signed_in: Client) -> None:
    """A path for each series, a link to each day."""
    make_workspace()

    html = page(signed_in, WEEK)

    assert re.findall(r'<path class="chart__bars series--(\w+)" d="M', html)[1] == "unassigned"
    assert '<a href="/?from=2026-11-20&amp;to=2026-11-20" tabindex="-1">' in html


def test_companies_of_one_colour_are_told_apart_by_stripes(signed_in: Client) -> None:
    """In the bars and in the legend; the larger one is plain."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY, last=TODAY)
    for pk, cost in ((5, 2), (6, 3), (17, 1)):
        key = make_project(provider=provider)
        make_assignment(project=key, company=make_company(pk=pk))
        make_usage(project=key, day=TODAY, cost=Decimal(cost))

    html = page(signed_in, "/")

    assert re.findall(r'class="swatch series--([^"]*)"', html) == ["6", "5", "5 swatch--thin"]
    assert html.count('fill="url(#daily-data-thin)"') == 1


def test_each_day_of_the_table_leads_to_it(signed_in: Client) -> None:
    """By keyboard as well."""
    make_workspace()

    link = '<a class="row-link" href="/?from=2026-11-20&amp;to=2026-11-20">20 Nov 2026</a>'

    assert link in page(signed_in, WEEK)


def test_a_day_alone_leads_nowhere(signed_in: Client) -> None:
    """It is shown already."""
    make_workspace()

    assert 'tabindex="-1"><rect' not in page(signed_in, "/?from=2026-11-21&to=2026-11-21")


def test_days_can_be_taken_together(signed_in: Client) -> None:
    """By what the range allows."""
    make_workspace()
    url = "/?from=2026-10-01&to=2026-11-22&step=month"

    links = re.findall(r'aria-label="Take days together by">(.*?)</nav>', page(signed_in, url))

    assert re.findall(r"step=(\w+)\"[^>]*>(\w+)</a>", links[0]) == [
        ("day", "Day"),
        ("week", "Week"),
        ("month", "Month"),
    ]
    assert "Month" in download(signed_in, f"{url}&csv=days")[0]


@pytest.mark.parametrize("step", ["month", "week", "nonsense"])
def test_a_step_that_tells_nothing_of_the_range_is_not_taken(signed_in: Client, step: str) -> None:
    """Seven days are no month."""
    make_workspace()

    assert "Day" in download(signed_in, f"{WEEK}&step={step}&csv=days")[0]


def test_the_period_before_is_a_line_and_a_column(signed_in: Client) -> None:
    """Each day beside the one as far from the beginning."""
    provider, _acme = make_workspace(keys=1, days=1)
    make_usage(project=provider.projects.get(), day=date(2026, 11, 14), cost=Decimal(3))

    html = page(signed_in, f"{WEEK}&compare=before")
    rows = {row["Day"]: row["9–15 Nov 2026 (USD)"] for row in download(signed_in, f"{WEEK}&compare=before&csv=days")}

    assert '<path class="chart__before" d="M' in html
    assert rows["2026-11-21"] == "3"


def test_the_period_before_stays_within_the_queries_of_a_page(
    signed_in: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """It takes one more."""
    make_workspace()

    with django_assert_max_num_queries(15):
        page(signed_in, f"{WEEK}&compare=before")


def test_a_long_table_comes_when_it_is_opened(signed_in: Client) -> None:
    """Without scripts by a link to the page with it."""
    make_companies(2)
    url = "/?from=2026-10-01&to=2026-11-22"

    html = page(signed_in, url)

    assert '<details class="twin"' not in html
    assert f'href="{url.replace("&", "&amp;")}&amp;table=days#daily-data-twin"' in html
    assert '<details class="twin" id="daily-data-twin" open>' in page(signed_in, f"{url}&table=days")


def test_a_long_table_that_nobody_opened_is_not_made(signed_in: Client) -> None:
    """Its cells would be much of a page's work; opened or as a file it has them all."""
    make_companies(2)
    url = "/?from=2026-10-01&to=2026-11-22"

    closed, opened = (signed_in.get(each).context["chart"].table for each in (url, f"{url}&table=days"))

    assert len(closed.rows) == 0
    assert len(opened.rows) == 53
