"""Like for like: a range's complete days beside the same days of the period before it.

A month – or its first days – is compared with the same days of the month before, clamped to the shorter of the two; any
other range with as many days right before it. A day counts when it is complete on both sides: over, read since it
ended by every provider, and priced or no longer waited for. What is compared is therefore never part of a day against a
whole one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from core.days import DateRange
from costs.models import SETTLES_AFTER, DailyTotalQuerySet
from costs.reports.totals import NOTHING, Totals, Usage, totals_by


@dataclass(frozen=True)
class Comparison:
    """The days that are compared, in pairs."""

    now: frozenset[date]
    before: frozenset[date]
    previous: DateRange  # the period that the days before are taken from

    @property
    def is_possible(self) -> bool:
        return bool(self.now)

    @property
    def days(self) -> str:
        """The days before, as pages print them: "1–21 Oct 2026", or "19 days of 1–21 Oct 2026" where some lack."""
        if not self.before:
            return self.previous.days
        span = DateRange(min(self.before), max(self.before))
        return span.days if len(span) == len(self.before) else f"{len(self.before)} days of {span.days}"


@dataclass(frozen=True)
class Change:
    """What something cost on the compared days, now and before."""

    now: Totals = NOTHING
    before: Totals = NOTHING

    @property
    def is_unpriced(self) -> bool:
        """Of one side no price is known at all: there is nothing to compare."""
        return self.now.is_unpriced or self.before.is_unpriced

    def ratio(self, currency: str) -> Decimal | None:
        """How much more (0.1 is 10 % more) in ``currency``; None where there was nothing before."""
        now, before = self.now.cost_in(currency), self.before.cost_in(currency)
        return (now - before) / before if before else None

    def currencies(self, preferred: str) -> list[str]:
        """Those that anything was paid in, ``preferred`` first; that alone where there is none."""
        paid = {money.currency for money in (*self.now.costs, *self.before.costs) if money.amount}
        return sorted(paid, key=lambda currency: (currency != preferred, currency)) or [preferred]


def previous_range(days: DateRange) -> DateRange:
    """The period that ``days`` are compared with."""
    if days.first.day == 1 and (days.first.year, days.first.month) == (days.last.year, days.last.month):
        last_month = days.first - timedelta(days=1)
        last = min(days.last.day, last_month.day)
        return DateRange(last_month.replace(day=1), last_month.replace(day=last))
    return DateRange(days.first - timedelta(days=len(days)), days.first - timedelta(days=1))


def compare(days: DateRange, complete: Collection[date]) -> Comparison:
    """Which days of ``days`` can be compared with which of previous_range(days); ``complete`` are those of both."""
    previous = previous_range(days)
    pairs = [
        (now, before) for now, before in zip(days, previous, strict=False) if now in complete and before in complete
    ]
    return Comparison(frozenset(now for now, _ in pairs), frozenset(before for _, before in pairs), previous)


def unpriced_days(usage: DailyTotalQuerySet, *, today: date) -> frozenset[date]:
    """The days of ``usage`` that wait for the price of something that was used; one query.

    A price is waited for as long as figures take to settle. After that a day counts without it, and what is made of it
    says so: what is never priced would be waited for for ever. A provider that has priced nothing at all is not waited
    for: its costs are missing on both sides alike.
    """
    pricing = usage.exclude(currency="").order_by().values("provider")
    unpriced = usage.unpriced().filter(provider__in=pricing, day__gte=today - SETTLES_AFTER).order_by()
    return frozenset(unpriced.values_list("day", flat=True).distinct())


def changes_by(usage: Usage, comparison: Comparison, *fields: str) -> dict[tuple[Any, ...], Change]:
    """The change of each combination of ``fields`` that occurs on the compared days; one query.

    ``usage`` must not be narrowed to a range yet.
    """
    if not comparison.is_possible:
        return {}
    compared = usage.filter(_within(comparison.now) | _within(comparison.before))
    first = min(comparison.now)
    result: dict[tuple[Any, ...], Change] = {}
    for (*key, is_current), sums in totals_by(compared.with_period(first), *fields, "is_current").items():
        change = result.get(tuple(key), Change())
        result[tuple(key)] = Change(sums, change.before) if is_current else Change(change.now, sums)
    return result


def total_change(changes: Mapping[Any, Change]) -> Change:
    """All of them together."""
    return Change(
        sum((change.now for change in changes.values()), NOTHING),
        sum((change.before for change in changes.values()), NOTHING),
    )


def _within(days: Collection[date]) -> Q:
    """As a range where the days are one: the database then needs no list of them."""
    span = DateRange(min(days), max(days))
    return Q(day__range=(span.first, span.last)) if len(span) == len(days) else Q(day__in=sorted(days))
