"""Sums that leave something out say so: credits that a workspace no longer tells, prices that are still to come."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from costs.models import StatementLine
from costs.pages.formatters import SHARE_OF_PRICED, UNPRICED_ON_COMPARED_DAYS
from costs.reports.totals import all_usage, totals, totals_by, usage_by_key
from costs.statements.contents import totals_of
from elevenlabs_sync.words import WORDS
from providers.models import Company, Project
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
)
from tests.pages import download, figure, page_of, printed

pytestmark = pytest.mark.any_engine


def nov(day: int) -> date:
    return date(2026, 11, day)


def make_key(company: Company | None = None, **overrides: Any) -> Project:
    provider = make_provider(**overrides)
    make_read_days(provider=provider, first=TODAY - timedelta(days=120), last=TODAY)
    key = make_project(provider=provider)
    if company:
        make_assignment(project=key, company=company)
    return key


def make_moved(company: Company | None = None) -> Project:
    """A key of a workspace that told credits until the tenth and costs alone since."""
    key = make_key(company)
    for day in range(1, 10):
        make_usage(project=key, day=nov(day), credits=Decimal(100), minutes=None, requests=10, cost=Decimal(1))
    for day in range(10, 22):
        make_usage(project=key, day=nov(day), credits=None, minutes=None, requests=None, cost=Decimal(1))
    return key


def one_row(client: Client, url: str) -> dict[str, str]:
    [row] = download(client, url)
    return row


# Credits, minutes, requests -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_some_usage_does_not_tell_is_known_of_a_sum() -> None:
    """From the daily totals and from the rows of keys alike; minutes, which none of it tells, too."""
    make_moved()

    assert totals(all_usage()).untold == {"credits", "minutes", "requests"}
    assert totals(all_usage()) == totals(usage_by_key())


@pytest.mark.django_db
def test_sum_in_which_nothing_lacks_is_whole() -> None:
    """Rows of zeros lack nothing either."""
    key = make_key()
    make_usage(project=key)
    make_usage(project=key, day=nov(3), credits=Decimal(0), minutes=None, requests=0, cost=Decimal(0))

    assert totals(all_usage()).untold == frozenset()


@pytest.mark.django_db
def test_parts_of_a_split_row_lack_what_the_row_lacks() -> None:
    """Each company's sum says so."""
    key = make_key()
    make_split(project=key, shares={make_company(): 50, make_company(): 50})
    make_usage(project=key, credits=None)

    assert {sums.untold for sums in totals_by(all_usage(), "company_id").values()} == {frozenset({"credits"})}


def test_credits_of_a_workspace_that_moved_to_cost_billing_are_marked(signed_in: Client) -> None:
    """In the tiles of its company's page."""
    company = make_company(name="Acme")
    make_moved(company)

    tiles = figure(page_of(signed_in, company.get_absolute_url()), "Forecast November", until="Spend per day")

    assert f"Credits 900 * {WORDS.partly_not_reported} 90 * {WORDS.partly_not_reported} requests" in tiles


def test_tables_mark_partial_figures(signed_in: Client) -> None:
    """Per model, per key and in the list, with the reason in the file."""
    company = make_company(name="Acme")
    key = make_moved(company)

    model = one_row(signed_in, f"{company.get_absolute_url()}?csv=models")
    of_key = one_row(signed_in, f"{key.provider.get_absolute_url()}?csv=keys")

    assert (model["Credits"], model["Requests"]) == ("900", "90")
    assert f"Credits: {WORDS.partly_not_reported}" in model["Notes"]
    assert f"Requests: {WORDS.partly_not_reported}" in of_key["Notes"]


def test_credits_beside_a_workspace_billed_by_cost_are_marked(signed_in: Client) -> None:
    """The total of both; a company of the one alone has all of its credits."""
    told, untold = make_company(name="Told"), make_company(name="Untold")
    make_usage(project=make_key(told), credits=Decimal(900))
    make_usage(project=make_key(untold), credits=None, minutes=None, requests=None, cost=Decimal(5))

    total = printed(signed_in, "/companies/", "Company")[-1]
    rows = {row["Company"]: row for row in download(signed_in, "/companies/?csv=companies")}

    assert (total[0], *total[-2:]) == ("Total", f"900 * {WORDS.partly_not_reported}", "2")
    assert (rows["Told"]["Credits"], "Credits" in rows["Told"]["Notes"]) == ("900", False)
    assert rows["Untold"]["Credits"] == ""


def test_table_of_a_chart_marks_partial_figures(signed_in: Client) -> None:
    """The day on which one of two keys tells no credits."""
    key, other = make_key(), make_key()
    make_usage(project=key, credits=Decimal(7))
    make_usage(project=other, credits=None)

    days = download(signed_in, "/models/usage/?model=eleven_multilingual_v2&metric=credits&csv=days")

    assert days[1]["Total"] == "7"
    assert f"Total: {WORDS.partly_not_reported}" in days[1]["Notes"]


def test_statement_marks_partial_figures(signed_in: Client) -> None:
    """The draft of a month in which the workspace moved: its line, and the sum of its lines."""
    company = make_company(name="Acme")
    make_moved(company)

    rows = printed(signed_in, f"/companies/{company.pk}/statements/2026-11/", "API key and model")

    assert [row[1] for row in rows] == [f"900 * {WORDS.partly_not_reported}"] * 2


def test_frozen_line_says_what_it_does_not_tell() -> None:
    """Also one of before that was kept: a figure that it lacks was not told."""
    kept = StatementLine(kind="usage", credits=Decimal(9), minutes=Decimal(1), requests=1, untold="credits")
    before = StatementLine(kind="usage", credits=None, minutes=Decimal(1), requests=1)
    adjustment = StatementLine(kind="adjustment", cost=Decimal(1), currency="usd")

    assert [totals_of(line).untold for line in (kept, before, adjustment)] == [{"credits"}, {"credits"}, set()]


# Money ----------------------------------------------------------------------------------------------------------------


def make_priced_and_unpriced() -> tuple[Company, Company]:
    """Acme pays $30, its other model has no price; Globex's only model has none. All longer ago than is waited for."""
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    key = make_key(acme)
    other = make_project(provider=key.provider)
    make_assignment(project=other, company=globex)
    for day in (nov(2), date(2026, 10, 2)):
        make_usage(project=key, day=day, cost=Decimal(30))
        make_usage(project=other, day=day, cost=None)
    make_usage(project=key, day=nov(2), model="free", cost=None)
    return acme, globex


def companies(client: Client) -> dict[str, dict[str, str]]:
    return {row["Company"]: row for row in download(client, "/companies/?csv=companies")}


def test_share_beside_unpriced_usage_says_so(signed_in: Client) -> None:
    """It is a part of what is known; of what has no price it is unknown."""
    make_priced_and_unpriced()

    rows = companies(signed_in)

    assert rows["Acme"]["Share (%)"] == "100"
    assert f"Share: {SHARE_OF_PRICED}" in rows["Acme"]["Notes"]
    assert (rows["Globex"]["Share (%)"], f"Share: {WORDS.unpriced}" in rows["Globex"]["Notes"]) == ("", True)


def test_change_of_usage_without_a_price_is_unknown(signed_in: Client) -> None:
    """Not "No change"; that of what is partly priced says what it leaves out."""
    make_priced_and_unpriced()

    rows = companies(signed_in)

    assert (rows["Globex"]["Change (%)"], f"Change: {WORDS.unpriced}" in rows["Globex"]["Notes"]) == ("", True)
    assert rows["Acme"]["Change (%)"] == "0"
    assert f"Change: {UNPRICED_ON_COMPARED_DAYS}" in rows["Acme"]["Notes"]


def test_change_and_forecast_of_estimates_say_so(signed_in: Client) -> None:
    """As the amounts do that they come from."""
    key = make_key(make_company(name="Acme"))
    for day in range(1, 22):
        make_usage(project=key, day=nov(day), cost=Decimal(2), estimated=True)
    make_usage(project=key, day=date(2026, 10, 2), cost=Decimal(2), estimated=True)

    page, row = page_of(signed_in, "/"), companies(signed_in)["Acme"]

    assert f"Estimated $60.00 {WORDS.estimated} from the last 7" in figure(
        page, "Forecast November", until="Unassigned spend"
    )
    assert figure(page, "vs the same days last month", until="Forecast").startswith("Estimated ▲ +2,000.0 %")
    for column in ("Spend", "Change", "Share", "Forecast Nov"):
        assert f"{column}: {WORDS.estimated}" in row["Notes"]
