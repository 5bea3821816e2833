"""Sums beyond 64 bits: exact on both engines, and a sentence where a stored total can't hold one."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import Q
from django.test import Client

from core.sums import ExactSum, TotalTooLargeError
from costs.models import ClosedMonth, ModelSum, Span
from costs.reports.totals import all_usage, totals, totals_by, usage_by_key
from costs.statements.closing import close_month
from costs.usage.writing import Usage, write_usage
from providers.models import Assignment, Company, Provider
from tests.costs.worlds import not_closable
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
from tests.pages import download, page_of

pytestmark = pytest.mark.django_db

YESTERDAY = TODAY - timedelta(days=1)
# The largest cost that a row can hold.
LARGEST = Decimal("922337203.6854775807")


@pytest.fixture
def large() -> Provider:
    """Three days of the largest amount, which all together pass 64 bits."""
    provider, acme = make_provider(), make_company(name="Acme")
    make_read_days(provider=provider, first=TODAY - timedelta(days=60), last=TODAY)
    key = make_project(provider=provider)
    make_assignment(project=key, company=acme)
    for days in (1, 2, 3):
        make_usage(project=key, day=TODAY - timedelta(days=days), cost=LARGEST)
    return provider


def test_sum_of_a_range_passes_64_bits(large: Provider) -> None:
    """To the last digit, from the daily totals and from the rows of keys alike."""
    assert totals(all_usage()).cost_in("usd") == 3 * LARGEST
    assert totals(usage_by_key()).cost_in("usd") == 3 * LARGEST


def test_sum_of_some_rows(large: Provider) -> None:
    """As filtered aggregates are, beside the sum of all."""
    make_usage(project=large.projects.get(), cost=Decimal(1), model="small")
    small, every = ExactSum("cost", filter=Q(model="small")), ExactSum("cost")

    days = ModelSum.objects.of_span(Span.DAY)
    assert days.aggregate(small=small, every=every) == {"small": 1, "every": 3 * LARGEST + 1}


def test_sums_by_group_stay_apart(large: Provider) -> None:
    """A group's halves are its own."""
    by_day = totals_by(all_usage(), "day")

    assert {sums.cost_in("usd") for sums in by_day.values()} == {LARGEST}


@pytest.mark.parametrize("url", ["/", "/companies/", "/models/", "/providers/", "/statements/"])
def test_pages_show_sums_beyond_64_bits(signed_in: Client, large: Provider, url: str) -> None:
    """Where they answered that the database was away."""
    assert "$2,767,011,611.06" in page_of(signed_in, url)


def test_statement_of_a_month_passes_64_bits(signed_in: Client, large: Provider) -> None:
    """Drafts add up in Python what no column holds."""
    assert "$2,767,011,611.06" in page_of(signed_in, "/statements/2026-11/")


def test_file_holds_the_exact_sum(signed_in: Client, large: Provider) -> None:
    """As every figure of a file."""
    rows = download(signed_in, "/?csv=companies")

    assert {row["Company"]: row["Spend (USD)"] for row in rows}["Acme"] == "2767011611.0564327421"


def test_total_that_cannot_be_stored_is_refused_in_a_sentence(large: Provider) -> None:
    """Two keys of one company, model and day; nothing of the second one is kept."""
    first, second = make_project(provider=large), make_project(provider=large)
    rows = [Usage(key.pk, YESTERDAY, "same", Decimal(1), None, 1, LARGEST, "usd") for key in (first, second)]

    with pytest.raises(TotalTooLargeError, match="more than can be stored"):
        write_usage(provider=large, first=YESTERDAY, last=YESTERDAY, rows=rows, read_at=NOW, accept_implausible=True)

    assert not ModelSum.objects.filter(model="same").exists()


def test_assignment_whose_total_cannot_be_stored_is_refused(signed_in: Client, large: Provider) -> None:
    """In a sentence; the key stays with nobody."""
    acme, key = Company.objects.get(), make_project(provider=large)
    make_usage(project=key, day=YESTERDAY, cost=LARGEST)
    form = {"projects": [key.pk], "company": acme.pk, "applies_to": "all"}

    response = signed_in.post(f"/providers/{large.pk}/assign/", form)

    assert response.status_code == 422
    assert "more than can be stored" in response.content.decode()
    assert not Assignment.objects.filter(project=key).exists()


def test_month_of_which_a_line_cannot_be_stored_is_not_closed() -> None:
    """Two days of one key and model that pass 64 bits together; nothing of the month is frozen."""
    first, last = date(2026, 10, 1), date(2026, 10, 31)
    provider = make_provider(history_from=first)
    make_read_days(provider=provider, first=first, last=last)
    key = make_project(provider=provider)
    make_assignment(project=key, company=make_company())
    for day in (first, last):
        make_usage(project=key, day=day, cost=LARGEST)

    with not_closable("more than can be stored"):
        close_month(month=first, now=NOW)

    assert not ClosedMonth.objects.exists()


def test_answer_whose_sums_pass_64_bits_is_compared_with_what_stands(large: Provider) -> None:
    """The check for implausible answers adds up whole windows."""
    key = large.projects.get()
    days = [TODAY - timedelta(days=back) for back in (20, 21, 22)]
    rows = [Usage(key.pk, day, "m", Decimal(1), None, 1, LARGEST, "usd") for day in days]
    write_usage(provider=large, first=days[-1], last=days[0], rows=rows, read_at=NOW)

    again = write_usage(provider=large, first=days[-1], last=days[0], rows=rows, read_at=NOW)

    assert again.unchanged == 3
