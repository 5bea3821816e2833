"""Reports: everything that a page, its files and other readers need, from one call and few queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from core.days import DateRange
from core.money import Money
from costs.reports.companies import companies_report
from costs.reports.company import company_report, sources_of
from costs.reports.dashboard import dashboard_report
from costs.reports.metrics import COST
from costs.reports.models import model_report, models_report
from providers.models import Company, Provider
from tests.factories import (
    TODAY,
    make_assignment,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)

pytestmark = pytest.mark.django_db

MODEL = "eleven_multilingual_v2"
THIS_MONTH = DateRange(date(2026, 11, 1), TODAY)


@pytest.fixture
def acme() -> Company:
    """Acme paid $1 a day from 1 October to 21 November on its one key; another key is nobody's and cost $10 once."""
    provider, company = make_provider(name="Production"), make_company(name="Acme")
    make_read_days(provider=provider, first=TODAY - timedelta(days=120), last=TODAY)
    key, unassigned = make_project(provider=provider), make_project(provider=provider)
    make_assignment(project=key, company=company)
    for day in DateRange(date(2026, 10, 1), date(2026, 11, 21)):
        make_usage(project=key, day=day, model=MODEL, cost=Decimal(1))
    make_usage(project=unassigned, day=date(2026, 11, 5), model="flash", cost=Decimal(10))
    return company


def usd(amount: int) -> tuple[Money, ...]:
    return (Money("usd", Decimal(amount)),)


def everybody() -> list[Provider]:
    return list(Provider.objects.all())


def dashboard(grouping: str = "company") -> Any:
    return dashboard_report(everybody(), days=THIS_MONTH, today=TODAY, grouping=grouping)


def of_company() -> Any:
    sources = sources_of(Company.objects.get())
    return company_report(sources, days=THIS_MONTH, today=TODAY, everybody=everybody())


def of_model() -> Any:
    return model_report(MODEL, everybody(), days=THIS_MONTH, today=TODAY, metric=COST)


def test_the_dashboard_has_spend_change_and_keys_of_each_company(acme: Company) -> None:
    """Last what is unassigned; together they are the total."""
    report = dashboard()

    lines = {line.label: (line.totals.costs, line.change.before.costs, line.keys) for line in report.companies}
    assert lines == {"Acme": (usd(21), usd(21), 1), "Unassigned": (usd(10), (), 1)}
    assert report.total.costs == usd(31)
    assert report.unassigned.costs == usd(10)
    assert report.change.ratio("usd") == Decimal(10) / 21


def test_days_beyond_the_range_are_read_for_the_forecast_alone(acme: Company) -> None:
    """One query reads both; the series hold the range."""
    report = dashboard_report(everybody(), days=DateRange(TODAY, TODAY), today=TODAY)

    assert report.daily.series == ()
    assert report.total.costs == ()
    assert report.expected.by_currency["usd"].amount == Decimal(31 + 9)


@pytest.mark.parametrize(
    ("grouping", "series"),
    [
        ("company", {"Acme": 21, "Unassigned": 10}),
        ("provider", {"Production": 31}),
        ("model", {MODEL: 21, "flash": 10}),
    ],
)
def test_the_days_of_every_grouping_add_up_to_the_spend(acme: Company, grouping: str, series: dict[str, int]) -> None:
    """By company, provider or model."""
    daily = dashboard(grouping).daily

    assert {one.label: sum(sums.sort_amount for sums in one.by_day.values()) for one in daily.series} == series


def test_a_company_has_its_models_keys_and_parts(acme: Company) -> None:
    """And nothing of anybody else."""
    report = of_company()

    assert [(line.label, line.totals.costs) for line in report.models.lines] == [(MODEL, usd(21))]
    assert [line.totals.costs for line in report.projects.lines] == [usd(21)]
    assert [part.percent for part in report.parts] == [100]
    assert report.keys == 1
    assert report.expected.by_currency["usd"].amount == 30


def test_a_company_report_for_a_client_says_nothing_of_keys(acme: Company) -> None:
    """The figures are the same."""
    report = company_report(sources_of(acme), days=THIS_MONTH, today=TODAY, everybody=everybody(), for_client=True)

    assert report.projects is None
    assert report.parts == ()
    assert report.total == of_company().total


def test_a_model_has_the_companies_and_keys_that_used_it(acme: Company) -> None:
    """The key that used another model is none of them."""
    report = of_model()

    assert [(line.label, line.totals.costs) for line in report.companies.lines] == [
        ("Acme", usd(21)),
        ("Unassigned", ()),
    ]
    assert [line.totals.costs for line in report.projects.lines] == [usd(21)]


@pytest.mark.parametrize(
    ("report", "queries"),
    [
        (dashboard, 10),
        (lambda: dashboard("model"), 11),
        (lambda: companies_report(everybody(), days=THIS_MONTH, today=TODAY), 10),
        (lambda: models_report(everybody(), days=THIS_MONTH, today=TODAY), 4),
        (of_company, 11),
        (of_model, 8),
    ],
    ids=["dashboard", "dashboard by model", "companies", "models", "company", "model"],
)
def test_a_report_is_frozen_and_takes_few_queries(
    acme: Company, django_assert_max_num_queries: DjangoAssertNumQueries, report: Callable[[], Any], queries: int
) -> None:
    """What was used and how it compares is read from the range once; counted with the query for providers."""
    with django_assert_max_num_queries(queries):
        found = report()

    with pytest.raises(FrozenInstanceError):
        found.total = None
