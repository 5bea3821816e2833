"""What PostgreSQL reads for pages and for the questions that they ask: it must not grow with all that is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client

from benchmarks.measuring import Reads, reads_of, recorded_statements
from core.days import DateRange
from costs.models import SUMS, TOTALS, CompanySum, DailyUsage, ModelSum, ReadDay, SettledDays, Span, SpanSum
from costs.reports.companies import _first_uses
from costs.reports.scope import scope_of
from costs.usage.coverage import coverage, record_reading
from costs.usage.sums import mark_changed
from costs.usage.totals import add_up
from providers.models import Company, Project, Provider
from tests.factories import (
    NOW,
    TODAY,
    derive,
    make_assignment,
    make_company,
    make_project,
    make_provider,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite does not say what it reads."),
]

DAYS = 400
MODELS = 4
A_YEAR = DateRange(TODAY - timedelta(days=364), TODAY)
ROWS = ("costs_dailyusage", "costs_attributedusage")


def make_years(provider: Provider, company: Company, *, days: int = DAYS) -> Project:
    """A key of ``company`` that used every model every day; today one of them has no price yet."""
    key = make_project(provider=provider)
    make_assignment(project=key, company=company)
    DailyUsage.objects.bulk_create(
        DailyUsage(
            project=key,
            day=TODAY - timedelta(days=offset),
            model=f"model {number}",
            credits=Decimal(1),
            cost=None if offset == 0 and number == 0 else Decimal(1),
            currency="" if offset == 0 and number == 0 else "usd",
            updated_at=NOW,
        )
        for offset in range(days)
        for number in range(MODELS)
    )
    derive([key.pk])
    return key


def measured(act: Callable[[], Any]) -> tuple[Any, Reads]:
    """As of a large table: of a small one PostgreSQL would read all.

    Its indexes are made anew: what other tests took back lies in them, and nobody vacuums here.
    """
    tables: list[type[Model]] = [DailyUsage, ReadDay, SettledDays, *SUMS, *TOTALS]
    with connection.cursor() as cursor:
        for model in tables:
            cursor.execute(f"REINDEX TABLE {model._meta.db_table}")
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")
    with recorded_statements() as statements:
        found = act()
    reads = reads_of(statements)
    assert reads is not None
    return found, reads


def test_unpriced_days_are_found_in_the_latest_days() -> None:
    """And of a provider that has priced something, the latest price suffices."""
    providers = [make_provider() for _number in range(4)]
    for provider in providers:
        make_years(provider, make_company())

    found, reads = measured(lambda: coverage(providers, A_YEAR, today=TODAY, with_prices=True))

    assert found.unpriced == {TODAY}
    assert reads.by_table["costs_companysum"] <= 4 * 20


def test_first_use_of_companies_at_one_provider_reads_that_provider_alone() -> None:
    """Once, however many companies never used it."""
    one, other = make_provider(), make_provider()
    mine, theirs = make_company(), [make_company() for _number in range(5)]
    make_years(one, mine, days=30)
    for company in theirs:
        make_years(other, company)
    scope = scope_of([one, other], days=DateRange(TODAY, TODAY), today=TODAY, provider=one)

    found, reads = measured(lambda: _first_uses(scope))

    assert found == {mine.pk: TODAY - timedelta(days=29)}
    assert reads.by_table["costs_companysum"] <= 2 * 30


@pytest.fixture
def year(operator: User) -> Provider:
    """Two companies, each with a key in the same workspace, more than a year."""
    provider = make_provider()
    record_reading(provider, DateRange(TODAY - timedelta(days=DAYS), TODAY), NOW)
    for name in ("Acme", "Globex"):
        make_years(provider, make_company(name=name))
    add_up()
    return provider


@pytest.mark.parametrize(
    "path", ["/", "/?by=provider", "/?by=model", "/companies/", "/models/", "/providers/", "/statements/"]
)
@pytest.mark.parametrize("days", [DateRange(TODAY.replace(day=1), TODAY), A_YEAR], ids=["a month", "a year"])
def test_pages_read_sums_and_no_usage(signed_in: Client, year: Provider, path: str, days: DateRange) -> None:
    """Of a year hardly more than of a month: its months, and a few weeks and days.

    But for what moved: of the few companies that moved most a dashboard reads the keys' days beside weeks and months,
    and once more those of the keys that moved most, which here are all.
    """
    url = f"{path}{'&' if '?' in path else '?'}{days.query}"

    _page, reads = measured(lambda: signed_in.get(url))

    read = sum(reads.by_table.get(table, 0) for table in ROWS)
    assert 0 < read <= 2 * 28 * 2 * MODELS if path.partition("?")[0] == "/" else read == 0
    assert reads.by_table.get("costs_readday", 0) <= 20
    summed: list[type[SpanSum]] = [*TOTALS, CompanySum, ModelSum]
    assert sum(reads.by_table.get(model._meta.db_table, 0) for model in summed) <= 900


@pytest.mark.parametrize("changed", [0, 2])
def test_all_companies_are_read_as_if_there_were_one_workspace(signed_in: Client, year: Provider, changed: int) -> None:
    """Of days that have changed since, and their weeks and months, every workspace's sums."""
    for number in range(4):
        provider = make_provider(name=f"Beside {number}")
        record_reading(provider, DateRange(TODAY - timedelta(days=DAYS), TODAY), NOW)
        for company in Company.objects.all():
            make_years(provider, company)
    add_up()
    if changed:
        mark_changed([(Span.DAY, TODAY - timedelta(days=number)) for number in range(changed)])

    for path in ("/", "/companies/"):
        _page, reads = measured(partial(signed_in.get, f"{path}?{A_YEAR.query}"))

        assert reads.by_table["costs_companytotal"] <= 700
        # Beside what is asked of each: first days, and days that wait for prices.
        assert reads.by_table.get("costs_companysum", 0) <= 60 + changed * 4 * 5 * 2
    for path in ("/models/?", "/?by=model&"):
        _page, reads = measured(partial(signed_in.get, f"{path}{A_YEAR.query}"))

        assert 0 < reads.by_table["costs_modeltotal"] <= 130 * MODELS
        assert reads.by_table.get("costs_modelsum", 0) <= changed * MODELS * 5 * 2
    _page, reads = measured(partial(signed_in.get, f"/?by=provider&{A_YEAR.query}"))

    assert 0 < reads.by_table["costs_providertotal"] <= 5 * 130


def test_a_year_of_one_company_reads_few_days_of_usage(signed_in: Client, year: Provider) -> None:
    """Its keys and models: weeks and months are summed, and of the days that are left there are at most 24."""
    company = Company.objects.get(name="Acme")

    _page, reads = measured(lambda: signed_in.get(f"{company.get_absolute_url()}?{A_YEAR.query}"))

    assert reads.by_table.get("costs_dailyusage", 0) + reads.by_table.get("costs_attributedusage", 0) <= 4 * 24 * MODELS


def test_a_year_of_one_model_reads_few_days_of_usage(signed_in: Client, year: Provider) -> None:
    """Of both keys: nothing is forecast of a model, so that no day is read for that."""
    url = f"/models/usage/?model=model+1&{A_YEAR.query}"

    _page, reads = measured(lambda: signed_in.get(url))

    assert reads.by_table.get("costs_dailyusage", 0) + reads.by_table.get("costs_attributedusage", 0) <= 2 * 24


def test_statements_of_a_month_read_sums_by_company(signed_in: Client, year: Provider) -> None:
    """However many API keys and models there are: lines are read where they are shown."""
    month = f"{TODAY - timedelta(days=31):%Y-%m}"

    _page, reads = measured(lambda: signed_in.get(f"/statements/{month}/"))

    assert reads.by_table["costs_companysum"] <= 30
    assert not {table for table in ("costs_keysum", *ROWS) if reads.by_table.get(table)}
