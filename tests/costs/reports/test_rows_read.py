"""What PostgreSQL reads for questions that pages ask beside their sums: it must not grow with all that is stored."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from benchmarks.measuring import reads_of, recorded_statements
from core.days import DateRange
from costs.models import DailyTotal
from costs.reports.companies import _first_uses
from costs.reports.comparison import unpriced_days
from costs.reports.scope import scope_of
from providers.models import Company, Provider
from tests.factories import TODAY, make_company, make_provider

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite does not say what it reads."),
]

DAYS = 365
MODELS = 5


def make_totals(provider: Provider, company: Company, *, days: int = DAYS) -> None:
    DailyTotal.objects.bulk_create(
        DailyTotal(
            provider=provider,
            company=company,
            day=TODAY - timedelta(days=offset),
            model=f"model {number}",
            credits=Decimal(1),
            cost=None if offset == 0 and number == 0 else Decimal(1),
            currency="" if offset == 0 and number == 0 else "usd",
            unpriced_rows=1 if offset == 0 and number == 0 else 0,
        )
        for offset in range(days)
        for number in range(MODELS)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE costs_dailytotal")


def test_unpriced_days_are_found_in_the_latest_days() -> None:
    """And of a provider that has priced something, the latest price suffices."""
    for _number in range(4):
        make_totals(make_provider(), make_company())

    with recorded_statements() as statements:
        found = unpriced_days(DailyTotal.objects.between(TODAY - timedelta(days=DAYS), TODAY), today=TODAY)

    assert found == {TODAY}
    reads = reads_of(statements)
    assert reads is not None
    assert reads.by_table["costs_dailytotal"] <= 4 * MODELS * 20


def test_first_use_of_companies_at_one_provider_reads_that_provider_alone() -> None:
    """Once, however many companies never used it."""
    one, other = make_provider(), make_provider()
    mine, theirs = make_company(), [make_company() for _number in range(5)]
    make_totals(one, mine, days=30)
    for company in theirs:
        make_totals(other, company)
    scope = scope_of([one, other], days=DateRange(TODAY, TODAY), today=TODAY, provider=one)

    with recorded_statements() as statements:
        found = _first_uses(scope)

    assert found == {mine.pk: TODAY - timedelta(days=29)}
    reads = reads_of(statements)
    assert reads is not None
    assert reads.by_table["costs_dailytotal"] <= 30 * MODELS
