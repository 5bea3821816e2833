"""Closing a month: when it may be done, what is frozen, and what the next statement carries."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.audit import audit_signal
from core.months import days_of, first_of, following
from costs.models import (
    AttributedUsage,
    ClosedMonth,
    DailyTotal,
    DailyUsage,
    Restatement,
    Statement,
    StatementLine,
    end_of,
)
from costs.reports.totals import all_usage, totals_by
from costs.statements.adjustments import closed_months, pending_adjustments
from costs.statements.closing import (
    AlreadyClosedError,
    NotClosableError,
    State,
    close_month,
    month_statuses,
    unpriced_warnings,
)
from costs.statements.contents import draft_sheets, frozen_sheets
from providers.models import BEGINNING, Assignment, AssignmentShare, Company, Project, Provider
from providers.signals import notify_assignments_changed
from tests.costs.worlds import (
    AUGUST,
    HALLOWEEN,
    LATER,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    close,
    make_key,
    make_settled,
    reassign,
    restate,
    status,
)
from tests.factories import (
    NOW,
    make_company,
    make_project,
    make_provider,
    make_read_days,
    make_split,
    make_usage,
)

pytestmark = pytest.mark.django_db


def lines(company: Company, month: date) -> list[tuple[str, date, Decimal | None]]:
    found = StatementLine.objects.filter(statement__company=company, statement__closed_month__month=month)
    return [(line.kind, line.month, line.cost) for line in found]


# When it may be done --------------------------------------------------------------------------------------------------


def test_settled_month_is_ready() -> None:
    """Every day of it was read seven days after its end or later."""
    make_settled()

    assert (status().state, status().label, status().reasons) == (State.READY, "Ready to close", ())


def test_month_that_is_not_over_is_open() -> None:
    """With the day from which on it can be closed."""
    make_settled()

    assert status(NOVEMBER).state is State.OPEN
    assert status(NOVEMBER).reasons == ("November 2026 is not over yet. It can be closed from 8 Dec 2026 on.",)


@pytest.mark.parametrize(
    ("now", "read", "label", "reason"),
    [
        (
            datetime(2026, 11, 6, 12, tzinfo=UTC),
            None,
            "Settling until 8 Nov 2026",
            "Production: 3 days of October 2026 have not settled yet; they settle on 8 Nov 2026.",
        ),
        (
            datetime(2026, 11, 9, tzinfo=UTC),
            None,
            "Waiting for a sync",
            (
                "Production: 3 days of October 2026 have not been read since they settled. The next sync that succeeds "
                "reads them."
            ),
        ),
        (
            datetime(2026, 11, 7, 23, 59, tzinfo=UTC),
            date(2026, 10, 30),
            "Settling until 8 Nov 2026",
            "Production: 1 day of October 2026 has not settled yet; it settles on 8 Nov 2026.",
        ),
        (
            datetime(2026, 11, 8, tzinfo=UTC),
            date(2026, 10, 30),
            "Waiting for a sync",
            (
                "Production: 1 day of October 2026 has not been read since it settled. The next sync that succeeds "
                "reads it."
            ),
        ),
    ],
)
def test_month_with_unsettled_days_says_whose_and_until_when(
    now: datetime, read: date | None, label: str, reason: str
) -> None:
    """Before the moment it waits for time, after it for a sync."""
    provider = make_settled(AUGUST, read or date(2026, 10, 28), name="Production")
    for day in days_of(OCTOBER):
        if day > (read or date(2026, 10, 28)) and day != HALLOWEEN:
            make_read_days(provider=provider, first=day, last=day, read_at=end_of(day) + timedelta(days=6, hours=23))

    found = status(now=now)

    assert (found.label, found.reasons) == (label, (reason,))
    with pytest.raises(NotClosableError, match=r"Production: "):
        close(now=now)
    assert not ClosedMonth.objects.exists()


def test_paused_provider_says_what_to_do() -> None:
    """Nothing reads its days by itself."""
    make_settled(AUGUST, date(2026, 10, 30), name="Production", paused_at=NOW)

    (reason,) = status().reasons

    assert reason.endswith("Resume its syncing to read it, or disconnect it to close without.")


def test_month_before_a_providers_history_is_read_before_it_is_closed() -> None:
    """Nobody knows whether the workspace was used then."""
    make_settled(AUGUST)
    make_settled(date(2026, 11, 1), date(2026, 11, 10), name="New")

    assert (status().state, status().label) == (State.WAITING, "Not read")
    (reason,) = status().reasons
    assert reason == (
        "New: 31 days of October 2026 have not been read: its history begins on 1 Nov 2026. "
        "Re-sync them on its page, under Manage."
    )


def test_month_that_a_providers_history_begins_in_is_read_whole_before_it_is_closed() -> None:
    """A statement would be frozen without the usage of days that nobody has read."""
    make_settled(AUGUST)
    make_settled(date(2026, 10, 20), name="New")

    assert status().state is State.WAITING
    (reason,) = status().reasons
    assert reason == (
        "New: 19 days of October 2026 have not been read: its history begins on 20 Oct 2026. "
        "Re-sync them on its page, under Manage."
    )


def test_disconnected_provider_keeps_no_month_open_and_is_warned_of() -> None:
    """What was read of it is final; days after its end are none of its."""
    make_settled(AUGUST, date(2026, 10, 13), name="Old", disconnected_at=datetime(2026, 10, 20, 9, tzinfo=UTC))

    assert status().state is State.READY
    (warning,) = status().warnings
    assert warning == (
        "Old was disconnected on 20 Oct 2026: 7 days of October 2026 were not read after settling. "
        "What was read until then is final."
    )


def test_every_provider_has_to_be_settled() -> None:
    """One is not enough."""
    make_settled()
    make_provider(name="New", history_from=date(2026, 10, 31))

    assert [reason.split(":")[0] for reason in status().reasons] == ["New"]


def test_first_close_may_be_any_month_and_then_they_are_closed_in_order() -> None:
    """A month before the first one is never closed, one after the next has to wait."""
    make_settled(AUGUST, days_of(NOVEMBER).last)
    close(SEPTEMBER)

    assert [status(month, LATER).state for month in (AUGUST, SEPTEMBER, OCTOBER, NOVEMBER)] == [
        State.WAITING,
        State.CLOSED,
        State.READY,
        State.WAITING,
    ]
    assert status(NOVEMBER, LATER).reasons == ("Close October 2026 first: months are closed in order.",)
    assert status(AUGUST, LATER).reasons == ("Months are closed in order, and September 2026 is closed already.",)
    for month in (AUGUST, NOVEMBER):
        with pytest.raises(NotClosableError):
            close(month, LATER)
    assert ClosedMonth.objects.count() == 1


def test_month_of_which_nothing_is_known_is_not_closed() -> None:
    """Else all that follow would have to be, one by one."""
    make_settled()

    with pytest.raises(NotClosableError, match=r"Nothing is known of May 2021"):
        close(date(2021, 5, 1))


def test_nothing_can_be_closed_without_a_provider() -> None:
    """There is nothing to be closed."""
    assert status().state is State.WAITING
    with pytest.raises(NotClosableError, match=r"Nothing is known"):
        close()


def test_months_go_on_being_closed_after_a_provider_was_deleted() -> None:
    """Its usage is gone; the next statement says so."""
    acme = make_company()
    key = make_key(acme)
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(3))
    close(SEPTEMBER)
    AttributedUsage.objects.all().delete()
    DailyTotal.objects.all().delete()
    key.provider.delete()

    close(OCTOBER)

    assert lines(acme, OCTOBER) == [("adjustment", SEPTEMBER, Decimal(-3))]


def test_month_is_closed_once() -> None:
    """The second of two operators is told, and nothing changes."""
    make_usage(project=make_key(make_company()), day=OCTOBER)
    first = close()

    with pytest.raises(AlreadyClosedError, match=r"October 2026 is already closed\."):
        close()

    assert ClosedMonth.objects.get() == first
    assert Statement.objects.count() == 1


def test_statuses_of_two_years_cost_few_queries(django_assert_max_num_queries: Any) -> None:
    """However many months and providers."""
    providers = [make_settled(date(2026, 1, 1)) for _ in range(3)]
    close(SEPTEMBER)

    with django_assert_max_num_queries(4):
        month_statuses([OCTOBER, SEPTEMBER, AUGUST, date(2025, 7, 1)], providers=providers, now=NOW)


# What is frozen -------------------------------------------------------------------------------------------------------


def test_closing_freezes_each_companys_usage_by_key_and_model(operator: User) -> None:
    """Names, figures and marks as they are; nothing of other months, of nobody, or of nothing but zeros."""
    provider = make_settled(name="Production", model_names={"eleven_v3": "Eleven v3"})
    acme = make_company(name="Acme", markup_percent=Decimal("12.5"))
    key = make_key(acme, provider=provider, name="Support", hint="a91f")
    make_usage(project=key, day=date(2026, 10, 1), model="eleven_v3", cost=Decimal("0.1000000001"), credits=Decimal(5))
    make_usage(
        project=key, day=date(2026, 10, 31), model="eleven_v3", cost=Decimal("0.2"), estimated=True, minutes=None
    )
    make_usage(project=key, day=date(2026, 10, 2), model="eleven_v3", cost=Decimal(7), currency="eur", requests=None)
    make_usage(project=key, day=date(2026, 10, 3), model="", cost=None)
    make_usage(project=key, day=date(2026, 10, 4), model="idle", cost=Decimal(0), credits=0, minutes=None, requests=0)
    for day in (date(2026, 9, 30), date(2026, 11, 1)):
        make_usage(project=key, day=day)
    make_usage(project=make_key(None, provider=provider), day=OCTOBER)
    make_company(name="Idle")

    closed = close_month(month=OCTOBER, closed_by=operator, now=NOW)
    statement = Statement.objects.get()

    assert (closed.month, closed.closed_at, closed.closed_by) == (OCTOBER, NOW, operator)
    assert (statement.company, statement.company_name, statement.markup_percent) == (acme, "Acme", Decimal("12.5"))
    assert {(line.provider_name, line.key_name, line.key_hint, line.kind) for line in statement.lines.all()} == {
        ("Production", "Support", "a91f", "usage")
    }
    assert [
        (line.model_name, line.cost, line.currency, line.credits, line.minutes, line.requests, line.estimated)
        for line in statement.lines.order_by("currency")
    ] == [
        ("No model reported", None, "", Decimal(1000), Decimal("1.5"), 10, False),
        ("Eleven v3", Decimal(7), "eur", Decimal(1000), Decimal("1.5"), None, False),
        ("Eleven v3", Decimal("0.3000000001"), "usd", Decimal(1005), Decimal("1.5"), 20, True),
    ]
    assert [line.unpriced for line in statement.lines.order_by("currency")] == [True, False, False]


def test_frozen_statement_outlives_every_change() -> None:
    """Renaming, restating, reassigning and a new mark-up change what pages show, not what was billed."""
    acme = make_company(name="Acme", markup_percent=Decimal(20))
    key = make_key(acme, name="Support")
    usage = make_usage(project=key, day=OCTOBER, cost=Decimal(3))
    close()
    before = [
        (sheet.company_name, sheet.markup_percent, sheet.amounts) for sheet in frozen_sheets(ClosedMonth.objects.all())
    ]

    restate(usage, Decimal(9))
    reassign(key, make_company())
    Project.objects.update(name="Renamed")
    Company.objects.filter(pk=acme.pk).update(name="Acme Ltd", markup_percent=None)

    (sheet,) = frozen_sheets(ClosedMonth.objects.all())
    assert [(sheet.company_name, sheet.markup_percent, sheet.amounts)] == before
    assert sheet.lines[0].key_name == "Support"


def test_closing_is_told_for_the_audit_log(operator: User) -> None:
    """With what it came to."""
    make_usage(project=make_key(make_company()), day=OCTOBER, cost=Decimal("1.50"))
    told: list[dict[str, Any]] = []

    def listen(**what: Any) -> None:
        told.append(what)

    audit_signal.connect(listen)
    try:
        closed = close_month(month=OCTOBER, closed_by=operator, now=NOW)
    finally:
        audit_signal.disconnect(listen)

    assert [(each["action"], each["target"], each["actor"], each["new"]) for each in told] == [
        ("month.closed", closed, operator, {"month": "2026-10", "statements": 1, "cost": {"usd": "1.5"}})
    ]


def test_closing_stands_or_falls_as_one() -> None:
    """A receiver that fails leaves nothing behind."""
    make_usage(project=make_key(make_company()), day=OCTOBER)

    def fail(**_what: Any) -> None:
        raise RuntimeError

    audit_signal.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            close()
    finally:
        audit_signal.disconnect(fail)

    assert not ClosedMonth.objects.exists()
    assert not Statement.objects.exists()


def test_unpriced_usage_is_warned_of_and_carried_once_it_is_priced() -> None:
    """It never keeps a month open."""
    acme = make_company(name="Acme")
    usage = make_usage(project=make_key(acme), day=SEPTEMBER, cost=None)

    assert unpriced_warnings(draft_sheets(SEPTEMBER, closed=closed_months())) == [
        "Acme: 1 line of usage has no price yet. Once ElevenLabs has priced it, the next statement carries the cost."
    ]
    close(SEPTEMBER)
    restate(usage, Decimal("0.75"))
    close(OCTOBER)

    assert lines(acme, SEPTEMBER) == [("usage", SEPTEMBER, None)]
    assert lines(acme, OCTOBER) == [("adjustment", SEPTEMBER, Decimal("0.75"))]


# What the next one carries --------------------------------------------------------------------------------------------


def test_restatement_is_carried_once() -> None:
    """By the next statement, with its sign; the one after has nothing to carry."""
    acme = make_company()
    usage = make_usage(project=make_key(acme), day=AUGUST, cost=Decimal(10))
    close(AUGUST)

    restate(usage, Decimal("9.9999999999"))
    close(SEPTEMBER)
    close(OCTOBER)

    assert lines(acme, SEPTEMBER) == [("adjustment", AUGUST, Decimal("-0.0000000001"))]
    assert lines(acme, OCTOBER) == []


def test_reassignment_takes_from_one_and_gives_to_the_other() -> None:
    """Also where the other had no statement of that month."""
    acme, globex = make_company(name="Acme"), make_company(name="Globex")
    key = make_key(acme)
    make_usage(project=key, day=date(2026, 9, 14), cost=Decimal(4))
    make_usage(project=key, day=date(2026, 9, 15), cost=Decimal(6))
    close(SEPTEMBER)

    reassign(key, globex, date(2026, 9, 15))
    close(OCTOBER)

    assert lines(acme, OCTOBER) == [("adjustment", SEPTEMBER, Decimal(-6))]
    assert lines(globex, OCTOBER) == [("adjustment", SEPTEMBER, Decimal(6))]


def test_each_month_and_currency_is_adjusted_for_itself() -> None:
    """Amounts of two currencies are never added."""
    acme = make_company()
    key = make_key(acme)
    first = make_usage(project=key, day=AUGUST, cost=Decimal(1))
    second = make_usage(project=key, day=SEPTEMBER, cost=Decimal(2))
    close(AUGUST)
    close(SEPTEMBER)

    restate(first, Decimal(1), "eur")
    restate(second, Decimal(5))
    close(OCTOBER)

    assert sorted(
        StatementLine.objects.adjustments().values_list("month", "currency", "cost"),
    ) == [(AUGUST, "eur", Decimal(1)), (AUGUST, "usd", Decimal(-1)), (SEPTEMBER, "usd", Decimal(3))]


def test_adjustment_keeps_the_mark_up_of_its_month() -> None:
    """Of a company that had no statement then, the present one."""
    acme, globex = make_company(markup_percent=Decimal(10)), make_company(markup_percent=Decimal(30))
    key = make_key(acme)
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(1))
    close(SEPTEMBER)
    Company.objects.filter(pk=acme.pk).update(markup_percent=Decimal(25))

    reassign(key, globex)
    close(OCTOBER)

    assert dict(StatementLine.objects.adjustments().values_list("statement__company", "markup_percent")) == {
        acme.pk: Decimal(10),
        globex.pk: Decimal(30),
    }
    (sheet,) = frozen_sheets(ClosedMonth.objects.filter(month=OCTOBER), company=acme)
    assert [(each.cost, each.markup, each.total) for each in sheet.amounts] == [
        (Decimal(-1), Decimal("-0.1"), Decimal("-1.1"))
    ]


def test_draft_of_the_next_month_alone_carries_what_is_pending() -> None:
    """A later one would carry it twice."""
    acme = make_company()
    usage = make_usage(project=make_key(acme), day=SEPTEMBER, cost=Decimal(1))
    close(SEPTEMBER)

    restate(usage, Decimal(2))

    closed = closed_months()
    (sheet,) = draft_sheets(OCTOBER, closed=closed)
    assert [line.cost for line in sheet.adjustments] == [Decimal(1)]
    assert draft_sheets(NOVEMBER, closed=closed) == []
    assert draft_sheets(AUGUST, closed=closed) == []


# The property ---------------------------------------------------------------------------------------------------------

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


@settings(
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
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
    for model in (ClosedMonth, AttributedUsage, DailyTotal, Provider, Company):
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
        usage = all_usage().between(days.first, days.last).filter(company__isnull=False)
        for (company_id,), sums in totals_by(usage, "company_id").items():
            for money in sums.costs:
                if money.amount:
                    result[company_id, closed.month, money.currency] = money.amount
    return result


def test_split_key_is_frozen_in_its_parts() -> None:
    """Each company has its share, and together they are the row."""
    one, two = make_company(), make_company()
    key = make_project(provider=make_settled())
    make_split(project=key, shares={one: "33.33", two: "66.67"})
    make_usage(project=key, day=OCTOBER, cost=Decimal("0.0000000004"), requests=3)

    close()

    assert sorted(StatementLine.objects.values_list("statement__company", "cost", "requests")) == [
        (one.pk, Decimal("0.0000000001"), 1),
        (two.pk, Decimal("0.0000000003"), 2),
    ]


@pytest.mark.django_db(transaction=True)
def test_two_operators_who_close_at_once_close_once() -> None:
    """One of them is told that it is closed already; every statement is there once."""
    for _number in range(3):
        make_usage(project=make_key(make_company()), day=OCTOBER, cost=Decimal(1))
    start, outcomes = threading.Barrier(4), []

    def act() -> None:
        start.wait()
        try:
            close()
            outcomes.append("closed")
        except AlreadyClosedError:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=act) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["closed", "told", "told", "told"]
    assert (ClosedMonth.objects.count(), Statement.objects.count(), StatementLine.objects.count()) == (1, 3, 3)
