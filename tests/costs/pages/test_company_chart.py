"""The page of a company: its days by model, API key or figure, and why its spend changed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Role
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
from tests.pages import cells, download, page_of

pytestmark = pytest.mark.any_engine


NOW, BEFORE = date(2026, 11, 10), date(2026, 10, 10)


@pytest.fixture
def acme(db: None) -> Company:
    """Its key "support" used more of Flash; "sales", which was Globex's, came to it."""
    provider = make_provider(model_names={"flash": "Flash"})
    make_read_days(provider=provider, first=TODAY - timedelta(days=80), last=TODAY)
    acme = make_company(name="Acme", markup_percent=Decimal(100))
    support, sales = (make_project(provider=provider, name=name) for name in ("support", "sales"))
    make_assignment(project=support, company=acme)
    make_assignment(project=sales, company=make_company(name="Globex"))
    make_assignment(project=sales, company=acme, starts_on=date(2026, 11, 1))
    for key, day, cost, amount in ((support, BEFORE, 1, 1000), (support, NOW, 3, 3000), (sales, BEFORE, 1, 50)):
        make_usage(project=key, day=day, model="flash", cost=Decimal(cost), credits=Decimal(amount))
    make_usage(project=sales, day=NOW, model="flash", cost=Decimal(1), credits=Decimal(50))
    return acme


@pytest.mark.parametrize(
    ("query", "heads"),
    [
        ("", ["Flash (USD)", "Total (USD)"]),
        ("&by=key", ["support (USD)", "sales (USD)", "Total (USD)"]),
        ("&by=key&metric=credits", ["support", "sales", "Total"]),
        ("&by=nonsense&metric=nonsense", ["Flash (USD)", "Total (USD)"]),
    ],
)
def test_its_days_are_of_the_figure_and_grouping_of_the_url(
    signed_in: Client, acme: Company, query: str, heads: list[str]
) -> None:
    """By model and in money, where it says nothing."""
    days = download(signed_in, f"{acme.get_absolute_url()}?csv=days{query}")

    assert [head for head in days[0] if head not in {"Day", "Notes"}] == heads


def test_keys_of_one_name_are_told_apart(signed_in: Client, acme: Company) -> None:
    """In the chart and its table."""
    other = make_project(provider=Provider.objects.get(), name="support", hint="9xyz")
    make_assignment(project=other, company=acme)
    make_usage(project=other, day=NOW, cost=Decimal(2))

    assert "support (9xyz) (USD)" in download(signed_in, f"{acme.get_absolute_url()}?csv=days&by=key")[0]


def test_what_changed_is_told_by_key_and_model(signed_in: Client, acme: Company) -> None:
    """With where a key came from."""
    found = cells(signed_in, f"{acme.get_absolute_url()}?csv=movements", "Difference (USD)", "Mostly because")

    assert found == {
        "support with Flash": ("2", "More used, 1,000 → 3,000 credits (+200.0 %)"),
        "sales with Flash": ("1", "sales came from Globex"),
    }


def test_who_sees_no_keys_learns_of_models_at_prices(client: Client, acme: Company) -> None:
    """Neither a key, nor a workspace, nor what the agency pays."""
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))
    url = acme.get_absolute_url()

    found = cells(client, f"{url}?csv=movements", "Difference (USD)", "Mostly because")

    assert found == {"Flash": ("6", "More used, 1,000 → 3,050 credits (+205.0 %)")}
    assert "Globex" not in page_of(client, f"{url}?by=key")
    assert "support" not in page_of(client, f"{url}?by=key")


def test_its_links_stay_within_it(signed_in: Client, acme: Company) -> None:
    """A model opens as far as the company used it."""
    html = signed_in.get(acme.get_absolute_url()).content.decode()

    assert f'href="/models/usage/?company={acme.pk}&amp;model=flash"' in html
    assert 'href="/models/usage/?model=flash"' not in html
