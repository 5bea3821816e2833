"""Figures whose words were wrong: a used-up plan, a zero's currency, a range that is none, a rate nobody can set."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Role
from core.csv_files import plain
from core.money import Money, format_number
from costs.pages.subscription import read_plan
from costs.pages.words import words_for
from providers.models import Company, Provider
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
    make_user,
)
from tests.pages import download, figure, page_of

pytestmark = pytest.mark.any_engine


@pytest.fixture
def provider(db: None) -> Provider:
    provider = make_provider(name="Production")
    make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=TODAY)
    return provider


def make_used_by(company: Company, provider: Provider, **overrides: object) -> None:
    key = make_project(provider=provider)
    make_assignment(project=key, company=company)
    make_usage(project=key, **overrides)


@pytest.mark.parametrize(
    ("used", "limit", "words"),
    [
        (1_799_999, 2_000_000, ""),
        (1_800_000, 2_000_000, "Nearly used up"),
        (2_000_000, 2_000_000, "Used up"),
        (21_060_000, 2_000_000, "Used up: 19,060,000 credits over"),
        (5, 0, "Used up: 5 credits over"),
        (0, 0, ""),
    ],
)
def test_plan_says_how_far_it_is_used_up(used: int, limit: int, words: str) -> None:
    """And by how much it is passed."""
    plan = read_plan({"used": used, "included": limit}, words_for())

    assert plan is not None
    assert plan.usage_warning == words


def test_page_of_a_provider_shows_a_plan_that_is_passed(signed_in: Client, provider: Provider) -> None:
    """Beside the overage."""
    provider.subscription = {
        "used": 21_060_000,
        "included": 2_000_000,
        "overage": {"amount": "3430", "currency": "usd"},
    }
    provider.save()

    page = page_of(signed_in, provider.get_absolute_url())

    assert "Used up: 19,060,000 credits over Overage this period: $3,430.00" in page


@pytest.mark.parametrize("amount", ["1e26", "1e400", "-1e26", "NaN", "-Infinity", "-0", "0", "x"])
def test_overage_that_is_no_amount_is_not_shown(amount: str) -> None:
    """The page it would be shown on is."""
    plan = read_plan({"overage": {"amount": amount, "currency": "usd"}}, words_for())

    assert plan is not None
    assert plan.overage == ""


def test_zero_of_a_filtered_workspace_has_its_currency(signed_in: Client, provider: Provider) -> None:
    """On the page of a company that pays in dollars elsewhere."""
    acme, euros = make_company(name="Acme"), make_provider(currency="eur")
    make_read_days(provider=euros, first=TODAY - timedelta(days=60), last=TODAY)
    make_used_by(acme, provider)
    make_used_by(acme, euros, currency="eur", day=TODAY - timedelta(days=50))

    page = page_of(signed_in, f"{acme.get_absolute_url()}?provider={euros.pk}")

    assert figure(page, "Spend this month", until="1–22 Nov").startswith("€0.00")
    assert "$0.00" not in page


def test_range_of_one_amount_is_no_range(signed_in: Client, provider: Provider) -> None:
    """Today alone is more than the pace foretells: the forecast is what was spent."""
    acme = make_company(name="Acme")
    key = make_project(provider=provider)
    make_assignment(project=key, company=acme)
    make_usage(project=key, day=TODAY - timedelta(days=20), cost=Decimal(1))
    make_usage(project=key, day=TODAY, cost=Decimal(729))

    shown = figure(page_of(signed_in, "/"), "Forecast November", until="Unassigned spend")
    listed = page_of(signed_in, "/companies/")

    assert shown == "$730.00 from the last 7 complete days"
    assert "Likely" not in listed


def test_credit_rate_is_offered_where_no_cost_is_reported(signed_in: Client, provider: Provider) -> None:
    """Where costs are reported the form would only refuse it."""
    make_usage(project=make_project(provider=provider), cost=None)
    assert "Set a credit rate" in page_of(signed_in, provider.get_absolute_url())

    make_usage(project=make_project(provider=provider), cost=Decimal(0))
    assert "Set a credit rate" not in page_of(signed_in, provider.get_absolute_url())


@pytest.mark.parametrize("zero", [Decimal("-0"), Decimal("-0.0000000000"), Decimal("-0E-10"), -0, Decimal(0)])
def test_no_zero_is_negative(zero: Decimal | int) -> None:
    """In files and on pages."""
    assert plain(zero) == "0"
    assert format_number(zero) == "0"
    assert str(Money("usd", Decimal(zero))) == "$0.00"


def test_numbers_below_zero_have_a_sign_of_their_own() -> None:
    """What rounds to nothing is no zero with a sign."""
    assert [format_number(Decimal(value)) for value in ("-0.4", "-1.5", "-1234")] == ["−<1", "−2", "−1,234"]


# The model of a company -----------------------------------------------------------------------------------------------


def test_model_of_a_company_is_narrowed_to_it(signed_in: Client, provider: Provider) -> None:
    """Figures, companies and keys; the link on the company's page leads there."""
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    make_used_by(acme, provider, model="tts", cost=Decimal(3))
    make_used_by(globex, provider, model="tts", cost=Decimal(4))
    url = f"/models/usage/?company={acme.pk}&model=tts"

    page = page_of(signed_in, url)

    assert f'href="{url.replace("&", "&amp;")}"' in signed_in.get(acme.get_absolute_url()).content.decode()
    assert figure(page, "Spend this month", until="1–22 Nov") == "$3.00"
    assert "Used by Acme" in page
    assert "Globex" not in page
    assert [row["Spend (USD)"] for row in download(signed_in, f"{url}&csv=keys")] == ["3"]
    assert [row["Company"] for row in download(signed_in, f"{url}&csv=companies")] == ["Acme"]


@pytest.mark.parametrize("asked", ["x", "-1", "9" * 400, "4711", "²"])
def test_model_of_a_company_that_is_none_is_not_found(signed_in: Client, provider: Provider, asked: str) -> None:
    """Nothing else is shown in its place."""
    make_usage(project=make_project(provider=provider), model="tts")

    assert signed_in.get("/models/usage/", {"model": "tts", "company": asked}).status_code == 404


def test_company_viewer_is_led_to_no_model(client: Client, provider: Provider) -> None:
    """Models belong to workspaces, which a client of the agency knows nothing of."""
    acme = make_company(name="Acme")
    make_used_by(acme, provider, model="tts")
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))

    assert "/models/" not in client.get(acme.get_absolute_url()).content.decode()
    assert client.get("/models/usage/", {"model": "tts", "company": str(acme.pk)}).status_code in {403, 404}
