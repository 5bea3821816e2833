"""What is never priced: nobody waits for it for ever, and nothing that is made without it passes for whole."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from costs.pages.formatters import UNPRICED_IN_FORECAST, WAITS_FOR_PRICES
from elevenlabs_sync.words import WORDS
from providers.models import Company, Project
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)
from tests.pages import download, figure, page_of

DAYS = 60


@pytest.fixture
def acme() -> Company:
    return make_company(name="Acme")


def make_key(company: Company) -> Project:
    provider = make_provider()
    make_read_days(provider=provider, first=TODAY - timedelta(days=120), last=TODAY)
    key = make_project(provider=provider)
    make_assignment(project=key, company=company)
    return key


def use_daily(key: Project, *, cost: Decimal | None, model: str = "known", days: int = DAYS) -> None:
    for back in range(1, days + 1):
        make_usage(project=key, day=TODAY - timedelta(days=back), model=model, cost=cost)


def forecast_of(client: Client, url: str = "/") -> str:
    until = "Credits" if url.startswith("/companies/") else "Unassigned spend"
    return figure(page_of(client, url), "Forecast November", until=until)


@pytest.mark.django_db
def test_cost_that_nobody_reports_is_forecast_as_unknown(signed_in: Client, acme: Company) -> None:
    """Not as $0.00: on the dashboard, in the list and on the company's page."""
    use_daily(make_key(acme), cost=None)

    row = {row["Company"]: row for row in download(signed_in, "/companies/?csv=companies")}["Acme"]

    assert forecast_of(signed_in) == f"— {WORDS.unpriced}"
    assert forecast_of(signed_in, acme.get_absolute_url()) == f"— {WORDS.unpriced}"
    assert row["Forecast Nov"] == ""
    assert f"Forecast Nov: {WORDS.unpriced}" in row["Notes"]


@pytest.mark.django_db
def test_change_of_a_cost_that_nobody_reports_is_unknown(signed_in: Client, acme: Company) -> None:
    """Not "No change"."""
    use_daily(make_key(acme), cost=None)

    for url in ("/", acme.get_absolute_url()):
        change = figure(page_of(signed_in, url), "vs the same days last month", until="Forecast")
        assert change.startswith(f"— {WORDS.unpriced}")


@pytest.mark.django_db
def test_model_that_is_never_priced_does_not_end_the_forecast(signed_in: Client, acme: Company) -> None:
    """Days whose prices are no longer waited for set the pace; the forecast says what it leaves out."""
    key = make_key(acme)
    use_daily(key, cost=Decimal(2))
    use_daily(key, cost=None, model="never")

    shown = forecast_of(signed_in)

    assert shown == f"$60.00 * {UNPRICED_IN_FORECAST} by weekday, from the last 8 weeks"


@pytest.mark.django_db
def test_model_that_is_never_priced_does_not_end_the_comparison(signed_in: Client, acme: Company) -> None:
    """The days that have settled are compared: 1 to 14 November."""
    key = make_key(acme)
    use_daily(key, cost=Decimal(2))
    use_daily(key, cost=None, model="never")

    change = figure(page_of(signed_in, "/"), "vs the same days last month", until="Forecast")

    assert change.startswith("No change * $28.00 on 1–14 Oct 2026")


@pytest.mark.django_db
def test_price_that_is_late_is_waited_for(signed_in: Client, acme: Company) -> None:
    """A week is too short to know that there is none; why there is no forecast is said."""
    key = make_key(acme)
    use_daily(key, cost=Decimal(2), days=10)
    use_daily(key, cost=None, model="late", days=10)

    assert forecast_of(signed_in) == f"— Forecast appears after 7 full days of data; {WAITS_FOR_PRICES}"


@pytest.mark.django_db
def test_first_use_that_has_no_price_yet_is_not_new(signed_in: Client, acme: Company) -> None:
    """Nobody knows what was spent before."""
    key = make_key(acme)
    make_usage(project=key, day=date(2026, 10, 5), cost=None)
    make_usage(project=key, day=date(2026, 11, 5), cost=Decimal(3))

    change = figure(page_of(signed_in, "/"), "vs the same days last month", until="Forecast")

    assert change.startswith(f"— {WORDS.unpriced}")
