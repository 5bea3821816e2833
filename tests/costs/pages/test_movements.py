"""What changed against the period before, and why."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from costs.reports import movements
from costs.reports.totals import totals_of_parts
from providers.models import Company, Project, Provider
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)
from tests.pages import cells, page_of

pytestmark = pytest.mark.any_engine


NOW, BEFORE = date(2026, 11, 10), date(2026, 10, 10)
MODEL = "flash"


@pytest.fixture
def provider(db: None) -> Provider:
    made = make_provider(model_names={MODEL: "Flash", "turbo": "Turbo"})
    make_read_days(provider=made, first=TODAY - timedelta(days=80), last=TODAY)
    return made


@pytest.fixture
def acme(provider: Provider) -> Company:
    return make_company(name="Acme")


def make_key(provider: Provider, company: Company | None, name: str = "support") -> Project:
    key = make_project(provider=provider, name=name)
    if company:
        make_assignment(project=key, company=company)
    return key


def use(key: Project, day: date, cost: str, amount: str = "1000", model: str = MODEL) -> None:
    make_usage(project=key, day=day, cost=Decimal(cost), credits=Decimal(amount), model=model)


def because(client: Client, url: str = "/") -> dict[str, tuple[str, ...]]:
    return cells(client, f"{url}?csv=movements", "Difference (USD)", "Mostly because")


def test_more_usage_is_told_by_its_quantity(signed_in: Client, provider: Provider, acme: Company) -> None:
    """Of the key and model that moved most of it."""
    key = make_key(provider, acme)
    use(key, BEFORE, "1", "1000")
    use(key, NOW, "3", "3000")

    found = because(signed_in)

    assert found == {"Acme": ("2", "support with Flash: more used, 1,000 → 3,000 credits (+200.0 %)")}


def test_a_price_that_rose_is_told_by_both_prices(signed_in: Client, provider: Provider, acme: Company) -> None:
    """Where it moved more than the quantity did."""
    key = make_key(provider, acme)
    use(key, BEFORE, "1", "1000")
    use(key, NOW, "2", "1000")

    found = because(signed_in)

    assert found["Acme"][1] == "support with Flash: price up, $1.0000 → $2.0000 per 1,000 credits (+100.0 %)"


def test_a_key_that_nobody_used_before_is_new(signed_in: Client, provider: Provider, acme: Company) -> None:
    """One that is no longer used is told likewise."""
    use(make_key(provider, acme, "new"), NOW, "2")
    use(make_key(provider, make_company(name="Globex"), "old"), BEFORE, "5")

    found = because(signed_in)

    assert found == {
        "Globex": ("-5", "old is no longer used"),
        "Acme": ("2", "new was not used before, mostly Flash now"),
    }


def test_a_key_that_changed_companies_says_where_it_went(signed_in: Client, provider: Provider, acme: Company) -> None:
    """On both sides."""
    key = make_key(provider, acme)
    make_assignment(project=key, company=make_company(name="Globex"), starts_on=date(2026, 11, 1))
    use(key, BEFORE, "2")
    use(key, NOW, "2")

    found = because(signed_in)

    assert found == {"Acme": ("-2", "support went to Globex"), "Globex": ("2", "support came from Acme")}


def test_a_model_that_a_key_did_not_use_before_is_told(signed_in: Client, provider: Provider, acme: Company) -> None:
    """The key itself is not new."""
    key = make_key(provider, acme)
    use(key, BEFORE, "1")
    use(key, NOW, "1")
    use(key, NOW, "4", model="turbo")

    assert because(signed_in) == {"Acme": ("4", "support uses Turbo now")}


def test_a_part_says_how_much_it_moved(signed_in: Client, provider: Provider, acme: Company) -> None:
    """Where it is not the whole."""
    use(make_key(provider, acme, "one"), NOW, "3")
    use(make_key(provider, acme, "two"), NOW, "1")

    assert because(signed_in)["Acme"] == ("4", "one was not used before, mostly Flash now ($3.00)")


def test_the_five_largest_are_shown(signed_in: Client, provider: Provider) -> None:
    """By how far they moved, up or down."""
    for number in range(1, 8):
        use(make_key(provider, make_company(name=f"Client {number}")), NOW if number % 2 else BEFORE, str(number))

    assert list(because(signed_in)) == [f"Client {number}" for number in (7, 6, 5, 4, 3)]


def test_without_a_period_to_compare_nothing_is_said(signed_in: Client, provider: Provider, acme: Company) -> None:
    """Neither where nothing moved."""
    key = make_key(provider, acme)
    use(key, NOW, "1")
    use(key, BEFORE, "1")

    assert "What changed" not in page_of(signed_in, "/")
    assert "What changed" not in page_of(signed_in, "/?from=2026-01-01&to=2026-01-31")


def test_what_is_unassigned_moves_too(signed_in: Client, provider: Provider) -> None:
    """It leads nowhere, and is named as everywhere."""
    use(make_key(provider, None), NOW, "2")

    assert because(signed_in) == {"Unassigned": ("2", "support was not used before, mostly Flash now")}


@pytest.mark.parametrize("path", ["/", "company"])
def test_what_became_somebody_elses_while_a_page_is_made_is_left_out(
    signed_in: Client, provider: Provider, acme: Company, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Between looking for what moved most and reading all of its figures; the next page tells of it."""
    key = make_key(provider, acme)
    use(key, BEFORE, "1")
    use(key, NOW, "3")

    def read_late(*arguments: Any, **options: Any) -> Any:
        if arguments[2:] == ("part", "company_id", "project_id", "model"):
            make_assignment(project=key, company=make_company(name="Globex"), starts_on=BEFORE)
        return totals_of_parts(*arguments, **options)

    monkeypatch.setattr(movements, "totals_of_parts", read_late)

    page = page_of(signed_in, acme.get_absolute_url() if path == "company" else path)

    assert "What changed" not in page
