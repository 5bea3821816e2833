"""How pages show the change against the days before."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from core.money import Money
from costs.models import ReadDay
from costs.reports.totals import Totals
from providers.services.managing import disconnect_provider
from tests.costs.comparing import day, make_key, make_read_provider, spend
from tests.factories import (
    NOW,
    make_assignment,
    make_company,
    make_provider,
    make_read_days,
    make_usage,
)
from tests.pages import cells, download, figure, page_of

pytestmark = pytest.mark.any_engine

NOT_COMPARABLE = "— There are no complete days to compare yet: days that are over, read and priced"


def usd(amount: str) -> Totals:
    return Totals(costs=(Money("usd", Decimal(amount)),))


def change_of(client: Client, url: str = "/") -> str:
    page = page_of(client, url)
    label = "vs the same days last month" if "vs the same days last month" in page else "vs the days before"
    return figure(page, label, until="Forecast" if "Forecast November" in page else "Credits")


def test_the_dashboard_compares_the_same_days_of_last_month(signed_in: Client) -> None:
    """Without today, and without what October spent later."""
    key = make_key(make_read_provider())
    for text, cost in (("2026-11-05", "11"), ("2026-11-22", "50"), ("2026-10-05", "10"), ("2026-10-22", "70")):
        spend(key, text, cost)

    assert change_of(signed_in) == "▲ +10.0 % $10.00 on 1–21 Oct 2026 1–21 Oct 2026"


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        ("9", "10", "▼ −10.0 % $10.00 on 1–21 Oct 2026"),
        ("0", "10", "▼ −100.0 % $10.00 on 1–21 Oct 2026"),
        ("10.005", "10", "▲ +0.1 % $10.00 on 1–21 Oct 2026"),  # half-up
        ("10.0049", "10", "No change $10.00 on 1–21 Oct 2026"),
        ("9.9951", "10", "No change $10.00 on 1–21 Oct 2026"),
        ("10", "10", "No change $10.00 on 1–21 Oct 2026"),
        ("12345.6", "0.1", "▲ +12,345,500.0 % $0.10 on 1–21 Oct 2026"),
        ("5", "0", "New Nothing was spent on 1–21 Oct 2026"),
        ("0", "0", "No change"),
    ],
)
def test_a_change_has_a_direction_a_sign_and_what_it_is_compared_with(
    signed_in: Client, now: str, before: str, shown: str
) -> None:
    """One decimal, half-up; nothing before is new, and nothing at all no change."""
    key = make_key(make_read_provider())
    spend(key, "2026-11-05", now)
    spend(key, "2026-10-05", before)

    assert change_of(signed_in) == f"{shown} 1–21 Oct 2026"


def test_other_ranges_are_called_the_days_before(signed_in: Client) -> None:
    """Seven days beside the seven before them; today still lacks, and with it its twin."""
    key = make_key(make_read_provider())
    for text, cost in (("2026-11-21", "3"), ("2026-11-14", "2"), ("2026-11-15", "100"), ("2026-11-22", "100")):
        spend(key, text, cost)

    page = page_of(signed_in, "/?from=2026-11-16&to=2026-11-22")

    assert "▲ +50.0 % $2.00 on 9–14 Nov 2026" in figure(page, "vs the days before", until="Forecast November")


def test_a_whole_month_is_compared_up_to_the_shorter_one(signed_in: Client) -> None:
    """31 March has no twin: what it cost is in the spend and not in the change."""
    key = make_key(make_read_provider(back=400))
    for text, cost in (("2026-03-28", "2"), ("2026-03-31", "100"), ("2026-02-28", "1")):
        spend(key, text, cost)

    url = "/?from=2026-03-01&to=2026-03-31"

    assert cells(signed_in, f"{url}&csv=companies", "Spend (USD)", "Change (%)") == {"Unassigned": ("102", "100")}
    assert "▲ +100.0 % $1.00 on 1–28 Feb 2026" in change_of(signed_in, url)


def test_unpriced_days_are_left_out_with_their_twins(signed_in: Client) -> None:
    """As long as their prices are waited for."""
    key = make_key(make_read_provider())
    for text, cost in (("2026-11-05", "11"), ("2026-10-05", "10"), ("2026-10-16", "90"), ("2026-10-17", "90")):
        spend(key, text, cost)
    spend(key, "2026-11-16", None)
    spend(key, "2026-11-17", None)

    assert change_of(signed_in) == "▲ +10.0 % $10.00 on 19 days of 1–21 Oct 2026 19 days of 1–21 Oct 2026"


def test_days_that_no_one_has_read_are_left_out_with_their_twins(signed_in: Client) -> None:
    """A hole of any provider is a hole."""
    key = make_key(make_read_provider())
    other = make_read_provider()
    ReadDay.objects.filter(provider=other, day=day("2026-10-06")).delete()
    for text, cost in (("2026-11-05", "11"), ("2026-10-05", "10"), ("2026-11-06", "90")):
        spend(key, text, cost)

    assert "▲ +10.0 % $10.00 on 20 days of 1–21 Oct 2026" in change_of(signed_in)
    assert "▲ +910.0 % $10.00 on 1–21 Oct 2026" in change_of(signed_in, f"/?provider={key.provider_id}")


def test_without_comparable_days_there_is_a_dash_with_its_reason(signed_in: Client) -> None:
    """On the dashboard, in the lists and on the company's page."""
    company = make_company(name="Acme")
    key = make_key(make_read_provider(back=20), company)
    spend(key, "2026-11-05", "11")

    assert change_of(signed_in) == f"{NOT_COMPARABLE} 1–22 Oct 2026"
    assert change_of(signed_in, company.get_absolute_url()) == f"{NOT_COMPARABLE} 1–22 Oct 2026"
    reason = f"Change: {NOT_COMPARABLE.removeprefix('— ')}"
    for url, name in (("/companies/?csv=companies", "Acme"), ("/models/?csv=models", "eleven_multilingual_v2")):
        spent, change, notes = cells(signed_in, url, "Spend (USD)", "Change (%)", "Notes")[name]
        assert (spent, change) == ("11", ""), url
        assert reason in notes, url
    assert "Change: complete days" not in page_of(signed_in, "/companies/")


def test_each_company_has_its_own_change(signed_in: Client) -> None:
    """New, gone, and the sum of all of them below."""
    provider = make_read_provider()
    acme, globex, initech = (make_company(name=name) for name in ("Acme", "Globex", "Initech"))
    for company, now, before in ((acme, "30", "20"), (globex, "10", None), (initech, None, "5")):
        key = make_key(provider, company)
        if now:
            spend(key, "2026-11-05", now)
        if before:
            spend(key, "2026-10-05", before)

    page = page_of(signed_in, "/companies/")

    assert cells(signed_in, "/companies/?csv=companies", "Spend (USD)", "Change (%)") == {
        "Acme": ("30", "50"),
        "Globex": ("10", "New"),
        "Initech": ("0", "-100"),
        "Unassigned": ("0", ""),
    }
    for change in ("▲ +50.0 % $20.00 on", "New Nothing was spent on", "▼ −100.0 % $5.00 on"):
        assert f"{change} 1–21 Oct 2026" in page
    assert "Total $40.00 ▲ +60.0 % $25.00 on 1–21 Oct 2026" in page
    assert "Change: complete days of this range beside 1–21 Oct 2026." in page
    assert "▲ +50.0 % $20.00 on 1–21 Oct 2026" in change_of(signed_in, acme.get_absolute_url())


def test_companies_are_sorted_by_their_change(signed_in: Client) -> None:
    """What is new comes before what grew, before what shrank."""
    provider = make_read_provider()
    for name, now, before in (("Shrank", "1", "2"), ("New", "1", "0"), ("Grew", "9", "3"), ("Idle", "0", "0")):
        key = make_key(provider, make_company(name=name))
        spend(key, "2026-11-05", now)
        spend(key, "2026-10-05", before)

    names = [row["Company"] for row in download(signed_in, "/companies/?sort=-change&csv=companies")]

    assert names == ["New", "Grew", "Idle", "Shrank", "Unassigned"]


def test_a_company_is_compared_in_the_currency_that_it_pays_in(signed_in: Client) -> None:
    """Also where most of the others pay in another one; currencies are never added."""
    dollars, euros = make_read_provider(), make_read_provider(currency="eur")
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    key, other = make_key(dollars, acme), make_key(euros, globex)
    for text, cost in (("2026-11-05", "100"), ("2026-10-05", "50")):
        spend(key, text, cost)
    for text, cost in (("2026-11-05", "6"), ("2026-10-05", "4")):
        spend(other, text, cost, currency="eur")

    rows = cells(signed_in, "/companies/?csv=companies", "Spend (EUR)", "Spend (USD)", "Change (%)")

    assert (rows["Acme"], rows["Globex"]) == (("", "100", "100"), ("6", "", "50"))
    assert "▲ +100.0 % $50.00 on 1–21 Oct 2026" in change_of(signed_in, acme.get_absolute_url())
    assert "▲ +50.0 % €4.00 on 1–21 Oct 2026" in change_of(signed_in, globex.get_absolute_url())


def test_each_currency_has_its_own_change(signed_in: Client) -> None:
    """On the dashboard, where both are paid."""
    key, other = make_key(make_read_provider()), make_key(make_read_provider(currency="eur"))
    for text, cost in (("2026-11-05", "100"), ("2026-10-05", "50")):
        spend(key, text, cost)
    for text, cost in (("2026-11-05", "3"), ("2026-10-05", "4")):
        spend(other, text, cost, currency="eur")

    change = change_of(signed_in)

    assert "USD ▲ +100.0 % $50.00 on 1–21 Oct 2026" in change
    assert "EUR ▼ −25.0 % €4.00 on 1–21 Oct 2026" in change


def test_a_company_changes_by_the_same_on_every_page(signed_in: Client) -> None:
    """Also where another company's usage has no price yet: all pages compare the same days."""
    provider, acme = make_read_provider(), make_company(name="Acme")
    key, other = make_key(provider, acme), make_key(provider)
    for text, cost in (("2026-11-05", "30"), ("2026-11-16", "90"), ("2026-10-05", "20"), ("2026-10-16", "10")):
        spend(key, text, cost)
    make_usage(project=other, day=date(2026, 11, 16), cost=None)

    assert cells(signed_in, "/companies/?csv=companies", "Spend (USD)", "Change (%)")["Acme"] == ("120", "50")
    assert change_of(signed_in, acme.get_absolute_url()).startswith("▲ +50.0 %")


def test_a_workspace_that_prices_nothing_does_not_end_the_comparison(signed_in: Client) -> None:
    """A free plan: its costs are missing on both sides alike."""
    key, free = make_key(make_read_provider()), make_key(make_read_provider())
    for text, cost in (("2026-11-05", "11"), ("2026-10-05", "10")):
        spend(key, text, cost)
    make_usage(project=free, day=date(2026, 11, 5), cost=None)

    assert change_of(signed_in).startswith("▲ +10.0 %")


def test_a_reassignment_moves_the_change_with_its_days(signed_in: Client) -> None:
    """A key that moved on 15 November is new to its company, and its old one is compared with all that it paid."""
    key = make_key(make_read_provider())
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    make_assignment(project=key, company=acme)
    make_assignment(project=key, company=globex, starts_on=day("2026-11-15"))
    for text in ("2026-10-14", "2026-10-15", "2026-11-14", "2026-11-15"):
        spend(key, text, "1")

    rows = cells(signed_in, "/companies/?csv=companies", "Spend (USD)", "Change (%)")

    assert (rows["Acme"], rows["Globex"]) == (("1", "-50"), ("1", "New"))
    assert change_of(signed_in, acme.get_absolute_url()).startswith("▼ −50.0 % $2.00 on")


def test_a_disconnected_provider_does_not_end_the_comparison(signed_in: Client) -> None:
    """Of what it spent last month nothing is left this month."""
    key = make_key(make_read_provider())
    gone = make_provider()
    ended = NOW - timedelta(days=32)
    make_read_days(provider=gone, first=day("2026-09-01"), last=day("2026-10-21"), read_at=ended)
    gone_key = make_key(gone)
    disconnect_provider(provider=gone, now=ended)
    for text in ("2026-11-05", "2026-10-05"):
        spend(key, text, "10")
    spend(gone_key, "2026-10-05", "10")

    assert change_of(signed_in) == "▼ −50.0 % $20.00 on 1–20 Oct 2026 1–20 Oct 2026"
