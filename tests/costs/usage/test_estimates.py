"""Estimated costs: exact, rewritten with the rate, never in the place of a reported cost, and marked wherever shown."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from costs.models import DailyUsage
from costs.usage.estimates import set_credit_rate
from costs.usage.writing import Usage, estimated_cost, write_usage
from providers.models import Project, Provider
from tests.claims import take_claim
from tests.conftest import FakeType
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

pytestmark = pytest.mark.django_db

RATE = Decimal("0.3")
REASON = "Holds amounts that come from credits at a rate that was set here; ElevenLabs reports no cost for them"


def set_rate(provider: Provider, rate: str | Decimal | None = RATE, currency: str = "usd") -> int:
    return set_credit_rate(
        provider=provider, rate=None if rate is None else Decimal(rate), currency=currency, now=NOW + timedelta(hours=1)
    )


def make_unpriced(credits_: str | None = "1000", **more: Any) -> DailyUsage:
    return make_usage(cost=None, credits=None if credits_ is None else Decimal(credits_), **more)


def as_stored(row: DailyUsage) -> tuple[Decimal | None, str, bool]:
    row.refresh_from_db()
    return row.cost, row.currency, row.estimated


# Setting the rate -----------------------------------------------------------------------------------------------------


def test_a_rate_estimates_what_has_no_cost() -> None:
    """Exactly, in its currency, and marked."""
    row = make_unpriced("1234.5678")

    changed = set_rate(row.project.provider, "0.123456", "eur")

    assert changed == 1
    assert as_stored(row) == (Decimal("0.1524148023"), "eur", True)
    assert row.updated_at == NOW + timedelta(hours=1)


def test_a_changed_rate_rewrites_the_estimates() -> None:
    """In the new currency too; the same rate again writes nothing."""
    row = make_unpriced()
    provider = row.project.provider
    set_rate(provider)

    assert set_rate(provider, "0.5", "gbp") == 1
    assert as_stored(row) == (Decimal("0.5"), "gbp", True)
    assert set_rate(provider, "0.5", "gbp") == 0


def test_without_a_rate_estimates_are_unknown_again() -> None:
    """As if there had never been one."""
    row = make_unpriced()
    provider = row.project.provider
    set_rate(provider)

    set_rate(provider, None)

    provider.refresh_from_db()
    assert as_stored(row) == (None, "", False)
    assert (provider.credit_rate, provider.credit_rate_currency) == (None, "")


def test_what_has_neither_cost_nor_credits_stays_unknown() -> None:
    """There is nothing to estimate from."""
    row = make_unpriced(None)

    set_rate(row.project.provider)

    assert as_stored(row) == (None, "", False)


def test_another_providers_rows_are_left_alone() -> None:
    """A rate is one provider's."""
    mine, other = make_unpriced(), make_unpriced()

    set_rate(mine.project.provider)

    assert as_stored(other) == (None, "", False)


def test_reported_costs_are_never_touched() -> None:
    """They refuse a new rate; one that stood before they came can be removed, and takes only the estimates along."""
    estimate = make_unpriced()
    provider = estimate.project.provider
    set_rate(provider)
    reported = make_usage(project=estimate.project, model="b", cost=Decimal(0))

    with pytest.raises(ValidationError, match="reports costs"):
        set_rate(provider, "9")
    before = as_stored(estimate)
    set_rate(provider, None)

    assert before == (RATE, "usd", True)
    assert as_stored(estimate) == (None, "", False)
    assert as_stored(reported) == (Decimal(0), "usd", False)


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_that_cannot_be_meant_is_refused(rate: str) -> None:
    """Nothing is written."""
    row = make_unpriced()

    with pytest.raises(ValidationError):
        set_rate(row.project.provider, rate)

    assert as_stored(row) == (None, "", False)


def test_an_unknown_currency_is_refused() -> None:
    """Amounts of it could not be shown."""
    with pytest.raises(ValidationError):
        set_rate(make_provider(), currency="xyz")


def test_a_rate_whose_amounts_could_not_be_stored_is_refused() -> None:
    """Each of them would fit, but not their sum."""
    row = make_unpriced("500000000")
    make_unpriced("500000000", project=row.project, model="another")

    with pytest.raises(ValidationError, match="more than can be stored"):
        set_rate(row.project.provider, "1000")

    assert as_stored(row) == (None, "", False)


def test_a_million_on_one_day_is_estimated() -> None:
    """₹1,000,000 is no absurd cost of a day."""
    row = make_unpriced("20000000")

    set_rate(row.project.provider, "50", "inr")

    assert as_stored(row) == (Decimal(1_000_000), "inr", True)


def test_a_sync_that_began_before_the_rate_was_set_writes_at_the_new_one() -> None:
    """Its worker has read the provider before; the write path takes the rate from the row that it locks."""
    key = make_project()
    as_the_sync_began = Provider.objects.get()
    set_rate(key.provider, "0.3")

    write_usage(
        provider=as_the_sync_began,
        first=TODAY,
        last=TODAY,
        rows=[Usage(key.pk, TODAY, "m", Decimal(1000), None, None, None, "")],
        read_at=NOW,
    )

    assert as_stored(key.usage.get()) == (Decimal("0.3"), "usd", True)


def test_a_rate_set_while_a_sync_holds_the_provider_rewrites_what_it_wrote() -> None:
    """The sync's claim keeps other syncs away, not the rate; the claim stays the sync's."""
    row = make_unpriced()
    take_claim(provider=row.project.provider, owner="a worker", now=NOW + timedelta(hours=1))

    set_rate(row.project.provider)

    assert as_stored(row) == (Decimal("0.3"), "usd", True)
    assert Provider.objects.get().claimed_by == "a worker"


@given(
    amounts=st.lists(st.decimals(min_value=0, max_value=10**8, places=4), min_size=1, max_size=5),
    rate=st.decimals(min_value=Decimal("0.000001"), max_value=10, places=6),
)
def test_stored_estimates_equal_those_of_the_write_path(amounts: list[Decimal], rate: Decimal) -> None:
    """Whichever came first, the rate or the usage."""
    key: Project = make_project()
    provider = key.provider
    rows = [Usage(key.pk, TODAY, f"m{number}", amount, None, None, None, "") for number, amount in enumerate(amounts)]

    def written() -> list[tuple[Any, ...]]:
        write_usage(provider=provider, first=TODAY, last=TODAY, rows=rows, read_at=NOW)
        return list(key.usage.order_by("model").values_list("model", "cost", "currency", "estimated"))

    written()
    set_rate(provider, rate)
    rewritten = list(key.usage.order_by("model").values_list("model", "cost", "currency", "estimated"))

    assert rewritten == written()
    assert [cost for _model, cost, _currency, _estimated in rewritten] == [
        estimated_cost(amount, rate) for amount in amounts
    ]


def test_many_rows_are_rewritten_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left out at the edges."""
    monkeypatch.setattr("costs.usage.writing._CHUNK", 3)
    key = make_project()
    for number in range(7):
        make_unpriced(project=key, model=f"m{number}")

    assert set_rate(key.provider) == 7
    assert DailyUsage.objects.filter(estimated=True).count() == 7


# The form -------------------------------------------------------------------------------------------------------------


def form_url(provider: Provider) -> str:
    return f"/providers/{provider.pk}/credit-rate/"


def test_the_form_sets_and_removes_the_rate(signed_in: Client) -> None:
    """And the provider's page tells it."""
    row = make_unpriced()
    provider = row.project.provider

    page = signed_in.post(form_url(provider), {"rate": "0.30", "currency": "eur"}, follow=True).content.decode()
    estimated = as_stored(row)
    signed_in.post(form_url(provider), {"remove": "1", "rate": "nonsense"})

    assert "The credit rate was set; 1 amount was estimated anew." in page
    assert "amounts are estimated at €0.30 per 1,000 credits and marked so" in page
    assert estimated == (RATE, "eur", True)
    assert as_stored(row) == (None, "", False)


def test_where_costs_are_reported_the_form_says_why_not(signed_in: Client) -> None:
    """And a post is refused all the same."""
    provider = make_usage().project.provider

    page = signed_in.get(form_url(provider)).content.decode()
    response = signed_in.post(form_url(provider), {"rate": "0.30", "currency": "usd"})

    assert "so no rate can be set" in page
    assert 'name="rate"' not in page
    assert response.status_code == 422
    assert Provider.objects.get().credit_rate is None


@pytest.mark.parametrize(
    ("rate", "currency", "sentence"),
    [
        ("", "usd", "Enter the cost of 1,000 credits."),
        ("cheap", "usd", "Enter a number, for example 0.30."),
        ("NaN", "usd", "Enter a number, for example 0.30."),
        ("0", "usd", "The rate must be more than 0."),
        ("-1", "usd", "The rate must be more than 0."),
        ("1001", "usd", "The rate must be at most 1,000."),
        ("1e400", "usd", "The rate must be at most 1,000."),
        ("0.0000001", "usd", "no more than 6 decimal places"),
        ("9" * 100_000, "usd", "The rate must be at most 1,000."),
        ("0.3", "xyz", "Choose one of the list."),
        ("0.3", "", "Choose a currency."),
        ("a\0b", "usd", "Enter a number, for example 0.30."),
    ],
)
def test_a_bad_rate_is_refused_with_a_sentence(signed_in: Client, rate: str, currency: str, sentence: str) -> None:
    """422 and nothing stored."""
    provider = make_unpriced().project.provider

    response = signed_in.post(form_url(provider), {"rate": rate, "currency": currency})

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert Provider.objects.get().credit_rate is None


# Where they show ------------------------------------------------------------------------------------------------------


def test_every_sum_that_holds_an_estimate_is_marked(signed_in: Client, elevenlabs: FakeType) -> None:
    """On the dashboard, the companies' and the providers' pages: tables, figures, and charts with their twins."""
    company = make_company(name="Acme")
    row = make_unpriced(day=TODAY - timedelta(days=1))
    provider = row.project.provider
    make_assignment(project=row.project, company=company)
    make_read_days(provider=provider, first=TODAY.replace(day=1), last=TODAY)
    set_rate(provider)

    for path in ("/", "/companies/", company.get_absolute_url(), "/providers/", provider.get_absolute_url()):
        page = signed_in.get(path).content.decode()
        shown = page.count("$0.30<")  # not those of the chart's bubbles, which are JSON
        marked = page.count(
            '<span class="hint__label">Estimated</span> $0.30'
            f'<span class="hint__text"> <span data-sign="Estimated">{REASON}</span></span>'
        )
        assert shown == marked > 0, path
        for text in re.findall(r'"\$0\.30[^"]*"', page):
            assert text == '"$0.30 (Estimated)"', path


def test_reported_sums_are_not_marked(signed_in: Client) -> None:
    """Nor are rows of an estimated nothing."""
    row = make_unpriced("0", requests=1)
    set_rate(row.project.provider)
    make_usage()

    assert "hint__label" not in signed_in.get("/").content.decode()


def test_a_mixed_sum_is_marked_and_keeps_its_other_reason(signed_in: Client) -> None:
    """Estimated, and not the whole."""
    row = make_unpriced()
    set_rate(row.project.provider)
    make_usage(project=make_project(), cost=Decimal(1))
    make_unpriced(None, project=make_project())

    page = signed_in.get("/").content.decode()

    assert '<span class="hint__label">Estimated</span> $1.30<span class="hint__mark" aria-hidden="true">*' in page
    assert f'{REASON}</span>. <span data-sign="*">Includes usage that ElevenLabs has not priced yet' in page
