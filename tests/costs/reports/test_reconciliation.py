"""Our credits of a billing period beside ElevenLabs' count: equal, explained, not comparable, or flagged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.days import DateRange
from costs.pages.reconciliation_words import explanation, summary
from costs.reports.reconciliation import Reconciliation, Verdict, reconcile, running_period
from costs.usage.coverage import coverage_of_ranges
from elevenlabs_sync.words import WORDS
from providers.models import Provider
from tests.factories import NOW, TODAY, make_project, make_provider, make_read_days, make_usage

pytestmark = pytest.mark.django_db

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
AFTERNOON = datetime(2026, 12, 1, 14, 5, tzinfo=UTC)


def snapshot(used: int, *, resets: datetime = MIDNIGHT, **more: Any) -> dict[str, Any]:
    return {
        "used": used,
        "included": 500_000,
        "resets_at": resets.isoformat(),
        "period_months": 1,
    } | more


def make_billed(subscription: Any, *, credits_by_day: dict[date, int], read_from: date = date(2026, 11, 1)) -> Provider:
    provider = make_provider(subscription=subscription, subscription_read_at=NOW)
    key = make_project(provider=provider)
    for day, credits_ in credits_by_day.items():
        make_usage(project=key, day=day, credits=Decimal(credits_))
    make_read_days(provider=provider, first=read_from, last=TODAY)
    return provider


def reconciled(provider: Provider) -> Reconciliation:
    period = running_period(provider)
    assert period is not None
    (known,) = coverage_of_ranges([provider], [period.days], today=TODAY)
    return reconcile(provider=provider, period=period, coverage=known[provider.pk])


def november(day: int) -> date:
    return date(2026, 11, day)


# The period -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resets", "months", "begins"),
    [
        (MIDNIGHT, 1, datetime(2026, 11, 1, tzinfo=UTC)),
        (AFTERNOON, 1, datetime(2026, 11, 1, 14, 5, tzinfo=UTC)),
        (datetime(2027, 1, 31, tzinfo=UTC), 3, datetime(2026, 10, 31, tzinfo=UTC)),
        (datetime(2027, 2, 28, tzinfo=UTC), 12, datetime(2026, 2, 28, tzinfo=UTC)),
        (MIDNIGHT, None, datetime(2026, 11, 1, tzinfo=UTC)),
        (MIDNIGHT, 10**9, datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_period_begins_its_length_before_the_reset(resets: datetime, months: object, begins: datetime) -> None:
    """A month where the snapshot does not say."""
    provider = make_provider(subscription=snapshot(0, resets=resets, period_months=months), subscription_read_at=NOW)

    period = running_period(provider)

    assert period is not None
    assert period.begins == begins
    assert period.days == DateRange(begins.date(), TODAY)


def test_a_short_month_ends_on_its_last_day() -> None:
    """A month before 31 March is the end of February."""
    read_at = datetime(2026, 3, 15, tzinfo=UTC)
    plan = snapshot(0, resets=datetime(2026, 3, 31, 10, tzinfo=UTC))

    period = running_period(make_provider(subscription=plan, subscription_read_at=read_at))

    assert period is not None
    assert period.begins == datetime(2026, 2, 28, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "subscription",
    [
        None,
        [],
        {},
        snapshot(0) | {"used": None},
        snapshot(0) | {"used": "many"},
        snapshot(0) | {"resets_at": None},
        snapshot(0) | {"resets_at": True},
        snapshot(0) | {"resets_at": "9999-99-99"},
        snapshot(0, resets=NOW - timedelta(days=1)),
        snapshot(0, resets=NOW + timedelta(days=300)),
    ],
)
def test_a_snapshot_that_tells_no_running_period_has_none(subscription: Any) -> None:
    """Nothing is guessed."""
    assert running_period(make_provider(subscription=subscription, subscription_read_at=NOW)) is None


# The comparison -------------------------------------------------------------------------------------------------------


def test_equal_numbers_need_no_explanation() -> None:
    """Credits before the period don't count, nor do those after ElevenLabs was asked."""
    provider = make_billed(
        snapshot(300), credits_by_day={date(2026, 10, 31): 7, november(1): 100, november(20): 200, november(23): 9}
    )

    found = reconciled(provider)

    assert (found.verdict, found.difference, explanation(found, WORDS)) == (Verdict.EQUAL, Decimal(0), "")
    assert (
        summary(found, WORDS) == "1–22 Nov 2026, UTC: 300 credits in these rows, 300 by ElevenLabs' count – the same."
    )


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [
        (350, Verdict.EXPLAINED),  # 50 fewer here: may be reported later
        (250, Verdict.EXPLAINED),  # 50 more: used after the question
        (360, Verdict.EXPLAINED),  # exactly what yesterday and today hold
        (361, Verdict.UNEXPLAINED),
        (239, Verdict.UNEXPLAINED),
    ],
)
def test_the_latest_day_explains_as_much_as_it_holds(theirs: int, verdict: Verdict) -> None:
    """Yesterday's 40 and today's 20; a reset at midnight leaves nothing open at the beginning."""
    provider = make_billed(
        snapshot(theirs), credits_by_day={november(1): 100, november(10): 140, november(21): 40, november(22): 20}
    )

    found = reconciled(provider)

    assert (found.verdict, found.explainable) == (verdict, Decimal(60))
    assert found.is_flagged == (verdict is Verdict.UNEXPLAINED)


def test_a_first_day_that_belongs_to_two_periods_explains_as_much_as_it_holds() -> None:
    """The reset is at 14:05: what was used before it is counted here and not there."""
    provider = make_billed(snapshot(150, resets=AFTERNOON), credits_by_day={november(1): 100, november(10): 140})

    found = reconciled(provider)

    assert (found.verdict, found.difference, found.explainable) == (Verdict.EXPLAINED, Decimal(90), Decimal(100))
    assert "The period began on 1 Nov at 14:05 UTC and days are counted whole" in explanation(found, WORDS)


def test_unread_days_make_a_comparison_impossible() -> None:
    """Unless these rows hold more than could be."""
    days = {november(10): 100}
    fewer = make_billed(snapshot(5000), credits_by_day=days, read_from=november(3))
    more = make_billed(snapshot(10), credits_by_day=days, read_from=november(3))

    assert reconciled(fewer).verdict is Verdict.UNREAD
    assert explanation(reconciled(fewer), WORDS) == "2 days of the period have not been read yet."
    assert not reconciled(fewer).is_compared
    assert reconciled(more).verdict is Verdict.UNEXPLAINED


@pytest.mark.parametrize("cost", [Decimal(2), None])
def test_usage_without_credits_makes_a_comparison_impossible(cost: Decimal | None) -> None:
    """Days that are billed by cost, priced or not; unknown is not zero."""
    provider = make_billed(snapshot(500), credits_by_day={november(2): 100})
    make_usage(project=provider.projects.get(), day=november(5), credits=None, minutes=None, requests=None, cost=cost)

    found = reconciled(provider)

    assert found.verdict is Verdict.UNKNOWN
    assert summary(found, WORDS) == "1–22 Nov 2026, UTC: 500 credits by ElevenLabs' count."


def test_beyond_the_plans_credits_more_is_overage() -> None:
    """A count that stopped at the limit."""
    provider = make_billed(snapshot(500_000), credits_by_day={november(2): 620_000})

    assert reconciled(provider).verdict is Verdict.OVERAGE


def test_the_sum_is_exact() -> None:
    """To the last of four digits."""
    provider = make_billed(snapshot(1), credits_by_day={})
    key = provider.projects.get()
    for model, credits_ in (("a", "0.3333"), ("b", "0.3333"), ("c", "0.3335")):
        make_usage(project=key, day=november(3), model=model, credits=Decimal(credits_))

    assert reconciled(provider).ours == Decimal("1.0001")
