"""One sum, however it is cut: companies + unassigned = providers = models = keys = exports = what is stored.

And a key that moves on a day keeps the days before it with whom they were, wherever one looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.days import DateRange
from costs.models import SUMS, TOTALS, ChangedSpan, DailyUsage, ReadDay, UsagePart
from costs.reports import breakdowns
from costs.reports.totals import Totals, all_usage, sums_by, totals, totals_by, usage_by_key
from costs.usage.totals import add_up
from costs.usage.writing import Usage, write_usage
from providers.models import BEGINNING, Assignment, AssignmentShare, Company, Project, Provider
from providers.services.assigning import assign_projects
from providers.signals import notify_assignments_changed, notify_sharing_changed
from tests.factories import (
    NOW,
    TODAY,
    make_assignment,
    make_company,
    make_keyless,
    make_project,
    make_provider,
    make_read_days,
    make_usage,
)
from tests.pages import download, sums
from tests.properties import tried_by_both

LENGTH = 20
DAYS = [TODAY - timedelta(days=offset) for offset in range(LENGTH)]
MODELS = ["", "tts", "stt"]
FIGURES = ("Credits", "Minutes", "Requests")
PARTS = [(), (100,), (50, 50), ("33.33", "33.33", "33.34"), ("99.99", "0.01")]

Cell = tuple[int, int, str]  # project, days ago, model
Figures = tuple[int | None, int | None, int | None, int | None, str]  # in units of storage, and the currency
Reading = Mapping[Cell, Figures]
Period = tuple[int, date, tuple[Any, ...], list[int]]  # project, first day, percents, whose


@dataclass(frozen=True)
class Plan:
    """What a world is made of."""

    readings: list[Reading]  # each replaces what stood: a restatement
    periods: list[Period]
    sharing: tuple[str, str]
    adds_up: bool  # totals of companies are made after each reading
    range: DateRange


amounts = st.one_of(st.none(), st.integers(0, 9), st.integers(0, 10**13))
readings = st.dictionaries(
    st.tuples(st.integers(0, 5), st.integers(0, LENGTH - 1), st.sampled_from(MODELS)),
    st.tuples(
        amounts, amounts, st.one_of(st.none(), st.integers(0, 999)), amounts, st.sampled_from(["usd", "usd", "eur"])
    ),
    min_size=8,
    max_size=30,
)
ranges = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).map(lambda ends: DateRange(min(ends), max(ends)))
plans = st.builds(
    Plan,
    readings=st.lists(readings, min_size=1, max_size=2),
    periods=st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from([BEGINNING, *DAYS]),
            st.sampled_from(PARTS),
            st.permutations(range(3)),
        ),
        max_size=8,
        unique_by=lambda period: (period[0], period[1]),
    ),
    sharing=st.tuples(*[st.sampled_from(Provider.KeylessSharing.values)] * 2),
    adds_up=st.booleans(),
    range=st.one_of(st.just(DateRange(DAYS[-1], DAYS[0])), ranges),
)


def make_world(plan: Plan) -> None:
    """Two providers with two keys and keyless usage each, and three companies."""
    leftovers: tuple[Any, ...] = (UsagePart, DailyUsage, *SUMS, *TOTALS, ReadDay, Provider, Company, ChangedSpan)
    for leftover in leftovers:
        leftover.objects.all().delete()
    providers = [make_provider(keyless_sharing=sharing) for sharing in plan.sharing]
    projects = [make_project(provider=providers[number % 2]) for number in range(4)]
    projects += [make_keyless(provider=provider) for provider in providers]
    companies = [make_company() for _ in range(3)]
    for number, starts_on, percents, order in plan.periods:
        assignment = Assignment.objects.create(project=projects[number], starts_on=starts_on)
        for index, percent in zip(order, percents, strict=False):
            AssignmentShare.objects.create(assignment=assignment, company=companies[index], percent=Decimal(percent))
    notify_assignments_changed([project.pk for project in projects])
    for reading in plan.readings:
        for provider in providers:
            rows = [row for row in rows_of(reading, projects) if row.project_id in provider_keys(provider, projects)]
            write_usage(
                provider=provider, first=DAYS[-1], last=DAYS[0], rows=rows, read_at=NOW, accept_implausible=True
            )
        if plan.adds_up:
            add_up()
    for provider in providers:
        notify_sharing_changed(provider)


def provider_keys(provider: Provider, projects: Iterable[Project]) -> set[int]:
    return {project.pk for project in projects if project.provider_id == provider.pk}


def rows_of(reading: Reading, projects: list[Project]) -> list[Usage]:
    return [
        Usage(
            project_id=projects[number].pk,
            day=DAYS[ago],
            model=model,
            credits=scaled(credits_used, 4),
            minutes=scaled(minutes, 6),
            requests=requests,
            cost=scaled(cost, 10),
            currency="" if cost is None else currency,
        )
        for (number, ago, model), (credits_used, minutes, requests, cost, currency) in reading.items()
        if any((credits_used, minutes, requests, cost))
    ]


def scaled(units: int | None, digits: int) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(-digits)


def costs_of(sums_: Totals) -> dict[str, Decimal]:
    return {money.currency: money.amount for money in sums_.costs if money.amount}


def together(parts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    result: dict[str, Decimal] = {}
    for part in parts:
        for currency, amount in part.items():
            result[currency] = result.get(currency, Decimal(0)) + amount
    return result


def stored(days: DateRange, **filters: Any) -> dict[str, Decimal]:
    """What was read, added up by hand."""
    return together(
        {row.currency: row.cost}
        for row in DailyUsage.objects.between(days.first, days.last).filter(**filters)
        if row.cost
    )


def exported(rows: Iterable[Mapping[str, str]], cost: str = "cost", currency: str = "currency") -> dict[str, Decimal]:
    return together({row[currency].lower(): Decimal(row[cost])} for row in rows if Decimal(row[cost] or 0))


@tried_by_both(12)
@given(plan=plans)
def test_every_page_and_export_adds_up_to_what_is_stored(signed_in: Client, plan: Plan) -> None:
    """Whatever was used, restated, assigned, split, shared, unpriced, in whichever currency: to the last digit."""
    make_world(plan)
    days, query = plan.range, plan.range.query
    whole = stored(days)

    def file(path: str, slug: str) -> list[dict[str, str]]:
        return download(signed_in, f"{path}{'&' if '?' in path else '?'}{query}&csv={slug}")

    # All of it, by what it can be grouped by.
    companies = file("/companies/", "companies")
    models = file("/models/", "models")
    everything = download(signed_in, f"/exports/usage.csv?{query}")
    assert sums(file("/", "companies"), "Spend") == whole
    assert sums(companies, "Spend") == whole
    assert sums(models, "Spend") == whole
    assert exported(everything) == whole
    assert exported(download(signed_in, f"/exports/focus.csv?{query}"), "BilledCost", "BillingCurrency") == whole
    for by in ("company", "provider", "model"):
        assert sums(file(f"/?by={by}", "days"), "Total") == whole
    for name in FIGURES:
        used = sum((Decimal(row[name] or 0) for row in models), Decimal(0))
        exported_use = sum((Decimal(row[name.lower()] or 0) for row in everything), Decimal(0))
        found = DailyUsage.objects.between(days.first, days.last)
        assert used == exported_use == sum((getattr(row, name.lower()) or 0 for row in found), Decimal(0))

    # Each part from each side.
    unassigned = [row for row in companies if row["Company"] == "Unassigned"]
    parts = [sums(unassigned, "Spend")]
    for company in Company.objects.all():
        of_company = sums([row for row in companies if row["Company"] == company.name], "Spend")
        for slug, column in (("keys", "Spend"), ("models", "Spend"), ("days", "Total")):
            assert sums(file(company.get_absolute_url(), slug), column) == of_company
        assert exported(row for row in everything if row["company"] == company.name) == of_company
        parts.append(of_company)
    assert together(parts) == whole
    parts = []
    for provider in Provider.objects.all():
        of_provider = stored(days, project__provider=provider)
        for slug, column in (("keys", "Spend"), ("models", "Spend"), ("days", "Total")):
            assert sums(file(provider.get_absolute_url(), slug), column) == of_provider
        assert sums(file(f"/companies/?provider={provider.pk}", "companies"), "Spend") == of_provider
        parts.append(of_provider)
    assert together(parts) == whole
    for model in DailyUsage.objects.order_by().values_list("model", flat=True).distinct():
        path = f"/models/usage/?{urlencode({'model': model})}"
        for slug, column in (("companies", "Spend"), ("keys", "Spend"), ("days", "Total")):
            assert sums(file(path, slug), column) == stored(days, model=model)


@tried_by_both(20)
@given(plan=plans, more=st.lists(ranges, min_size=3, max_size=3))
def test_every_report_adds_up_to_what_is_stored(db: None, plan: Plan, more: list[DateRange]) -> None:
    """As exact decimals, before anything is shown: by company, provider, model, key and day."""
    make_world(plan)
    for days in (plan.range, *more):
        usage = all_usage().between(days.first, days.last)
        by_key = usage_by_key().between(days.first, days.last)
        whole = stored(days)
        by_company = breakdowns.company_breakdown(sums_by(usage, "company_id"))
        by_model = {model: found for (model,), found in totals_by(usage, "model").items()}

        assert costs_of(totals(usage)) == whole
        assert costs_of(totals(by_key)) == whole
        assert costs_of(by_company.total) == whole
        assert together(costs_of(line.totals) for line in by_company.lines) == whole
        assert costs_of(breakdowns.provider_breakdown(usage, Provider.objects.all()).total) == whole
        assert costs_of(breakdowns.breakdown_of(by_model, {}).total) == whole
        assert costs_of(breakdowns.project_breakdown(by_key, Project.objects.all()).total) == whole
        assert together(costs_of(found) for found in totals_by(usage, "day").values()) == whole
        for line in by_company.lines:
            mine = usage.filter(company=line.subject)
            keys = breakdowns.project_breakdown(by_key.filter(company=line.subject), Project.objects.all())
            assert costs_of(keys.total) == costs_of(line.totals) == costs_of(totals(mine))


# A key that moves -----------------------------------------------------------------------------------------------------

FIFTEENTH = date(2026, 11, 15)


@pytest.fixture
def moved(db: None) -> tuple[Project, Company, Company]:
    """$1 on the first of November, $2 on the second …; Acme's until the fourteenth, then Globex's."""
    provider = make_provider(name="Production")
    make_read_days(provider=provider, first=date(2026, 10, 1), last=TODAY)
    key, acme, globex = (
        make_project(provider=provider, name="Key"),
        make_company(name="Acme"),
        make_company(name="Globex"),
    )
    make_assignment(project=key, company=acme)
    for day in range(1, 22):
        make_usage(project=key, day=date(2026, 11, day), model="tts", cost=Decimal(day))
    assign_projects(projects=[key], company=globex, starts_on=FIFTEENTH, now=NOW)
    return key, acme, globex


def test_a_month_reassigned_from_a_day_keeps_the_days_before(
    signed_in: Client, moved: tuple[Project, Company, Company]
) -> None:
    """14 November stays with the old company on every page and in every export; 15 November is the new one's."""
    _key, acme, globex = moved
    fourteenth = date(2026, 11, 14)

    for day, owner, other in ((fourteenth, acme, globex), (FIFTEENTH, globex, acme)):
        only = DateRange(day, day).query
        cost = {"usd": Decimal(day.day)}
        for url in (
            f"/?{only}&csv=companies",
            f"/companies/?{only}&csv=companies",
            f"/models/usage/?model=tts&{only}&csv=companies",
        ):
            rows = {row["Company"]: sums([row], "Spend") for row in download(signed_in, url)}
            assert rows.pop(owner.name) == cost, url
            assert not any(rows.values()), url
        [twin] = download(signed_in, f"/?{only}&csv=days")
        assert list(twin)[:3] == ["Day", f"{owner.name} (USD)", "Total (USD)"]
        for slug, column in (("keys", "Spend"), ("models", "Spend"), ("days", "Total")):
            assert sums(download(signed_in, f"{owner.get_absolute_url()}?{only}&csv={slug}"), column) == cost
            assert sums(download(signed_in, f"{other.get_absolute_url()}?{only}&csv={slug}"), column) == {}
        [row] = download(signed_in, f"/exports/usage.csv?{only}")
        assert (row["date"], row["company"], row["cost"]) == (day.isoformat(), owner.name, str(day.day))
        [row] = download(signed_in, f"/exports/focus.csv?{only}")
        assert (row["x_CompanyName"], row["BilledCost"]) == (owner.name, f"{day.day}.0")
        assert row["ChargePeriodStart"] == f"{day.isoformat()}T00:00:00Z"


def test_a_reassigned_month_is_cut_in_two(signed_in: Client, moved: tuple[Project, Company, Company]) -> None:
    """1 + … + 14 here, 15 + … + 21 there; the workspace's sum is what it was."""
    key, acme, globex = moved
    expected = {"Acme": {"usd": Decimal(105)}, "Globex": {"usd": Decimal(126)}, "Unassigned": {}}

    for url in ("/?csv=companies", "/companies/?csv=companies", "/models/usage/?model=tts&csv=companies"):
        assert {row["Company"]: sums([row], "Spend") for row in download(signed_in, url)} == expected, url
    for company in (acme, globex):
        for slug, column in (("keys", "Spend"), ("models", "Spend"), ("days", "Total")):
            rows = download(signed_in, f"{company.get_absolute_url()}?csv={slug}")
            assert sums(rows, column) == expected[company.name], (company, slug)
    for kind, cost, name, currency in (
        ("usage", "cost", "company", "currency"),
        ("focus", "BilledCost", "x_CompanyName", "BillingCurrency"),
    ):
        rows = download(signed_in, f"/exports/{kind}.csv")
        for company in (acme, globex):
            mine = [row for row in rows if row[name] == company.name]
            assert exported(mine, cost, currency) == expected[company.name], (company, kind)
    assert sums(download(signed_in, f"{key.provider.get_absolute_url()}?csv=keys"), "Spend") == {"usd": Decimal(231)}
