"""The dashboard: its figures, its chart, and what is unknown, zero or provisional."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from providers.models import Company
from tests.alerts.worlds import evaluate, make_budget
from tests.conftest import FakeType
from tests.costs.worlds import make_workspace
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_episode,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)
from tests.pages import cells, download, printed, text_of

pytestmark = pytest.mark.any_engine


UNPRICED = "ElevenLabs has not priced this yet; it can take 24 hours"


# Dashboard ------------------------------------------------------------------------------------------------------------


def test_an_empty_dashboard_offers_to_connect(signed_in: Client, elevenlabs: FakeType) -> None:
    """And nothing else."""
    page = text_of(signed_in.get("/").content)

    assert "Connect ElevenLabs to see what each company spends" in page
    assert "Add Provider" in page
    assert "Try it with a simulated workspace" in page
    assert "$0.00" not in page


def test_the_dashboard_adds_up(signed_in: Client) -> None:
    """Total, unassigned, and what they are compared with."""
    make_workspace()

    page = text_of(signed_in.get("/").content)

    assert "Spend this month $4.00 1–22 Nov 2026" in page
    assert "vs the same days last month New Nothing was spent on 1–21 Oct 2026 1–21 Oct 2026" in page
    assert "Forecast November — Forecast appears after 7 full days of data" in page
    assert "Unassigned spend $2.00 1 of 2 API keys" in page


def test_the_dashboard_has_a_row_for_each_company(signed_in: Client) -> None:
    """What is unassigned comes last, above the sum."""
    make_workspace()

    rows = cells(signed_in, "/?csv=companies", "Spend (USD)", "Change (%)", "Share (%)", "API keys today")

    assert list(rows.items()) == [("Acme", ("2", "New", "50", "1")), ("Unassigned", ("2", "New", "50", "1"))]
    assert printed(signed_in, "/", "Company")[-1][:2] == ("Total", "$4.00")


def test_a_stale_provider_is_named(signed_in: Client) -> None:
    """With how long ago it was synced."""
    make_provider(name="Production ElevenLabs", last_synced_at=NOW - timedelta(hours=9))

    page = text_of(signed_in.get("/").content)

    assert "Production ElevenLabs last synced 9 hours ago. Figures may be incomplete." in page


def test_simulated_data_is_called_so(signed_in: Client) -> None:
    """On every page with its figures."""
    provider = make_provider(region="simulated")
    make_assignment(project=make_project(provider=provider), company=make_company())

    for path in (
        "/",
        "/companies/",
        f"/companies/{Company.objects.get().pk}/",
        "/providers/",
        provider.get_absolute_url(),
    ):
        assert "Simulated data" in text_of(signed_in.get(path).content), path


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("company", ["Acme (USD)", "Unassigned (USD)"]),
        ("provider", ["Production (USD)"]),
        ("model", ["eleven_multilingual_v2 (USD)"]),
        ("nonsense", ["Acme (USD)", "Unassigned (USD)"]),
    ],
)
def test_the_chart_is_grouped_by_the_url(signed_in: Client, by: str, groups: list[str]) -> None:
    """An unknown grouping is the default one."""
    make_workspace()

    headings = list(download(signed_in, f"/?by={by}&csv=days")[0])

    assert headings == ["Day", *groups, "Total (USD)", "Notes"]


# Unknown, zero, provisional -------------------------------------------------------------------------------------------


def test_unpriced_usage_is_a_dash_with_its_reason(signed_in: Client) -> None:
    """Never $0.00."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY)
    make_usage(project=make_project(provider=provider), cost=None)

    page = text_of(signed_in.get("/").content)

    assert f"Spend this month — {UNPRICED}" in page


def test_a_sum_that_lacks_prices_says_so(signed_in: Client) -> None:
    """With a mark and a reason."""
    provider, _acme = make_workspace(keys=1, days=1)
    make_usage(project=provider.projects.get(), day=TODAY, cost=None)

    page = text_of(signed_in.get("/").content)

    assert "Spend this month $1.00 * Includes usage that ElevenLabs has not priced yet" in page


def test_a_day_read_without_usage_is_zero_and_an_unread_one_unknown(signed_in: Client) -> None:
    """The twin of the chart tells them apart; young days are provisional."""
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=3), last=TODAY - timedelta(days=2))
    make_usage(project=make_project(provider=provider), day=TODAY - timedelta(days=3), cost=Decimal(5))

    days = cells(signed_in, f"{provider.get_absolute_url()}?csv=days", "Total (USD)", "Notes")

    assert days["2026-11-21"][0] == ""
    assert "These days have not been read yet" in days["2026-11-21"][1]
    assert days["2026-11-20"] == ("0", "Day: ElevenLabs may still restate this day")
    assert "20 of 22 days of this range have not been read yet" in text_of(
        signed_in.get(provider.get_absolute_url()).content
    )


def test_usage_in_euros_is_shown_in_euros(signed_in: Client) -> None:
    """Beside dollars, never added."""
    provider, _acme = make_workspace(keys=1, days=1)
    make_usage(project=provider.projects.get(), model="other", cost=Decimal(7), currency="eur")

    page = text_of(signed_in.get("/").content)

    assert "Spend this month €7.00 $1.00" in page


@pytest.mark.parametrize("query", ["", "?by=model&compare=before", "?by=provider&compare=before&step=week"])
def test_the_fullest_dashboard_takes_fifteen_queries(
    signed_in: Client, django_assert_max_num_queries: DjangoAssertNumQueries, query: str
) -> None:
    """With movements, the period before, usage without a key, a budget, and a day that is marked."""
    provider, company = make_provider(history_from=TODAY - timedelta(days=90)), make_company()
    make_read_days(provider=provider, first=TODAY - timedelta(days=90), last=TODAY)
    key = make_project(provider=provider)
    make_assignment(project=key, company=company)
    for number in range(0, 91, 7):
        make_usage(project=key, day=TODAY - timedelta(days=number), cost=Decimal(100 - number))
    make_usage(project=make_keyless(provider=provider), day=TODAY - timedelta(days=1))
    make_episode(company=company)
    make_budget(company=company)
    evaluate()

    with django_assert_max_num_queries(15):
        html = signed_in.get(f"/{query}").content.decode()

    assert 'class="chart__mark"' in html
    assert "What changed" in html
    assert "usage without an API key" in html
