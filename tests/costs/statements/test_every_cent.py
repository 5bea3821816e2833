"""Whatever is restated, reassigned and closed in any order: no cent is lost or billed twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.months import days_of, first_of, following
from costs.models import (
    SUMS,
    AttributedUsage,
    ClosedMonth,
    DailyUsage,
    Restatement,
    StatementLine,
    UsagePart,
)
from costs.reports.totals import totals_by, usage_by_key
from costs.statements.adjustments import closed_months, pending_adjustments
from providers.models import BEGINNING, Assignment, AssignmentShare, Company, Project, Provider
from providers.signals import notify_assignments_changed
from tests.costs.worlds import (
    AUGUST,
    LATER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    close,
    make_settled,
)
from tests.factories import (
    make_company,
    make_project,
    make_usage,
)
from tests.properties import tried_by_both

pytestmark = pytest.mark.django_db


MONTHS = (AUGUST, SEPTEMBER, OCTOBER, NOVEMBER)
DAYS = [month + timedelta(days=offset) for month in MONTHS for offset in (0, 13, 27)]
SPLITS: list[tuple[str, ...]] = [(), ("100",), ("50", "50"), ("33.33", "33.33", "33.34"), ("99", "1")]


@dataclass
class World:
    projects: list[Project]
    companies: list[Company]


Step = Callable[[World], None]


@st.composite
def restatements(draw: st.DrawFn) -> Step:
    """A day of a key is used, restated, priced, moved to another currency, becomes zero, or has no price any more."""
    index, day = draw(st.integers(0, 2)), draw(st.sampled_from(DAYS))
    units = draw(st.one_of(st.none(), st.integers(0, 40), st.integers(0, 10**13)))
    currency = draw(st.sampled_from(["usd", "usd", "eur"]))

    def step(world: World) -> None:
        project = world.projects[index]
        before = DailyUsage.objects.filter(project=project, day=day).first()
        cost = None if units is None else Decimal(units).scaleb(-10)
        if before:
            before.delete()
        after = make_usage(project=project, day=day, cost=cost, **({} if cost is None else {"currency": currency}))
        if before:
            Restatement.objects.create(
                project=project,
                day=day,
                model=after.model,
                restated_at=LATER,
                cost_before=before.cost,
                currency_before=before.currency,
            )

    return step


@st.composite
def reassignments(draw: st.DrawFn) -> Step:
    """A key gets a period: to nobody, to one company, or split."""
    index, starts_on = draw(st.integers(0, 2)), draw(st.sampled_from([BEGINNING, *DAYS]))
    shares, order = draw(st.sampled_from(SPLITS)), draw(st.permutations(range(3)))

    def step(world: World) -> None:
        project = world.projects[index]
        Assignment.objects.filter(project=project, starts_on=starts_on).delete()
        assignment = Assignment.objects.create(project=project, starts_on=starts_on)
        for company_index, percent in zip(order, shares, strict=False):
            AssignmentShare.objects.create(
                assignment=assignment, company=world.companies[company_index], percent=Decimal(percent)
            )
        notify_assignments_changed([project.pk])

    return step


def close_next(_world: World) -> None:
    latest = ClosedMonth.objects.order_by("month").last()
    month = following(latest.month) if latest else AUGUST
    if month <= NOVEMBER:
        close(month, LATER)


@tried_by_both(60)
@given(
    steps=st.lists(
        st.one_of(restatements(), restatements(), reassignments(), st.just(close_next)), min_size=4, max_size=20
    )
)
def test_no_cent_is_lost_or_billed_twice(db: None, steps: list[Step]) -> None:
    """Whatever changes: what was billed for the closed months, with what is pending, is what they cost.

    Except where a price was taken back: there nothing is credited for it until it is priced again.
    """
    known: Rows = {}
    leftovers: tuple[Any, ...] = (ClosedMonth, UsagePart, DailyUsage, *SUMS, Provider, Company)
    for model in leftovers:
        model._default_manager.all().delete()
    provider = make_settled(AUGUST, days_of(NOVEMBER).last)
    world = World([make_project(provider=provider) for _ in range(3)], [make_company() for _ in range(3)])

    for step in steps:
        frozen_before, closed_before = frozen(), ClosedMonth.objects.count()
        step(world)

        taken_back = bills_with(known)
        if ClosedMonth.objects.count() > closed_before:
            assert without(billed(), taken_back) == without(current(), taken_back)
            assert pending() == {}
            known = known_rows(known)
        assert frozen_before.items() <= frozen().items()
        assert without(with_pending(billed()), taken_back) == without(current(), taken_back)
        assert all(-amount <= lost(known, *bill) for bill, amount in pending().items() if amount < 0)


Amounts = dict[tuple[int, date, str], Decimal]
# What each company's part of a row cost when a month was closed last, or before it had no price any more.
Rows = dict[tuple[int, int, date, str], Decimal]


def known_rows(before: Rows) -> Rows:
    """By company, key, day and currency."""
    parts = list(AttributedUsage.objects.exclude(company=None))
    unknown = {(part.company_id, part.project_id, part.day) for part in parts if part.cost is None}
    return {row: cost for row, cost in before.items() if row[:3] in unknown} | {
        (part.company_id, part.project_id, part.day, part.currency): part.cost
        for part in parts
        if part.company_id is not None and part.cost is not None
    }


def unpriced_rows() -> set[tuple[int | None, int, date]]:
    return {(part.company_id, part.project_id, part.day) for part in AttributedUsage.objects.filter(cost=None)}


def bills_with(known: Rows) -> set[tuple[int, date]]:
    """The companies and months of what had a price and has none now."""
    unpriced = unpriced_rows()
    return {(row[0], first_of(row[2])) for row, cost in known.items() if cost and row[:3] in unpriced}


def lost(known: Rows, company_id: int, month: date, currency: str) -> Decimal:
    """How much less a company's keys cost whose every price is still known."""
    unpriced = {(company, project, first_of(day)) for company, project, day in unpriced_rows()}
    waiting = {project for company, project, day, _currency in known if (company, project, first_of(day)) in unpriced}
    changes: dict[int, Decimal] = defaultdict(Decimal)
    for (company, project, day, of_row), cost in known.items():
        if (company, first_of(day), of_row) == (company_id, month, currency):
            changes[project] += cost
    for part in AttributedUsage.objects.filter(company=company_id, currency=currency):
        if first_of(part.day) == month:
            changes[part.project_id] -= part.cost or 0
    return sum((change for project, change in changes.items() if change > 0 and project not in waiting), Decimal(0))


def without(amounts: Amounts, bills: set[tuple[int, date]]) -> Amounts:
    return {key: cost for key, cost in amounts.items() if key[:2] not in bills}


def pending() -> Amounts:
    return with_pending({})


def frozen() -> dict[int, str]:
    return {line.pk: repr(line.__dict__ | {"_state": None}) for line in StatementLine.objects.all()}


def billed() -> Amounts:
    result: Amounts = {}
    for line in StatementLine.objects.exclude(cost=None).select_related("statement"):
        key = (line.statement.company_id, line.month, line.currency)
        result[key] = result.get(key, Decimal(0)) + (line.cost or 0)
    return {key: cost for key, cost in result.items() if cost}


def with_pending(amounts: Amounts) -> Amounts:
    result = dict(amounts)
    for company_id, line in pending_adjustments(closed_months()):
        if line.cost is None:
            continue
        key = (company_id, line.month, line.currency)
        result[key] = result.get(key, Decimal(0)) + (line.cost or 0)
    return {key: cost for key, cost in result.items() if cost}


def current() -> Amounts:
    """What the closed months cost now, by the usage itself."""
    result: Amounts = {}
    for closed in ClosedMonth.objects.all():
        days = days_of(closed.month)
        usage = usage_by_key().between(days.first, days.last).filter(company__isnull=False)
        for (company_id,), sums in totals_by(usage, "company_id").items():
            for money in sums.costs:
                if money.amount:
                    result[company_id, closed.month, money.currency] = money.amount
    return result
