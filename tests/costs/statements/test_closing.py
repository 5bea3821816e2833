"""Closing a month: when it may be done, what is frozen, and what the next statement carries."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from core.audit import audit_signal
from costs.models import (
    ClosedMonth,
    Statement,
    StatementLine,
)
from costs.pages.closing_words import unpriced_warnings
from costs.statements.adjustments import closed_months
from costs.statements.closing import (
    AlreadyClosedError,
    close_month,
)
from costs.statements.contents import draft_sheets, frozen_sheets
from providers.models import Company, Project
from tests.costs.worlds import (
    AUGUST,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    close,
    lines,
    make_key,
    make_settled,
    reassign,
    restate,
)
from tests.factories import (
    NOW,
    make_company,
    make_project,
    make_split,
    make_usage,
)

pytestmark = pytest.mark.django_db


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

    assert unpriced_warnings(draft_sheets(SEPTEMBER, closed=closed_months()), [usage.project.provider]) == [
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
