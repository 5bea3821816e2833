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
from functools import cached_property
from typing import Any, TypeVar

from core.days import DateRange
from costs.reports.selection import Usage, divide
from costs.reports.totals import NOTHING, Totals, total_of, totals_of_parts

_Group = TypeVar("_Group")


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


@dataclass(frozen=True)
class Spend:
    """What some usage of a range comes to by group, and how that compares with the days before."""

    by_group: Mapping[Any, Totals]  # of the whole range
    changes: Mapping[Any, Change]  # of the compared days; also of groups with usage before alone

    def change_of(self, group: Any) -> Change:
        return self.changes.get(group, Change())

    @cached_property
    def change(self) -> Change:
        """Of all groups together."""
        return total_change(self.changes)


def spend_by(usage: Usage, field: str, days: DateRange, comparison: Comparison) -> Spend:
    """The sums of ``days`` and their comparison for each value of ``field``, from one reading of both.

    ``usage`` must not be narrowed to a range yet.
    """
    parts = {
        "now": divide(comparison.now),
        "before": divide(comparison.before),
        "rest": divide(set(days) - comparison.now),
    }
    sides: dict[str, dict[Any, Totals]] = {name: {} for name in parts}
    for (side, group), sums in totals_of_parts(usage, parts, "part", field).items():
        sides[side][group] = sums
    now, before, rest = (sides[name] for name in parts)
    by_group = dict(now)
    for group, sums in rest.items():
        by_group[group] = by_group[group] + sums if group in by_group else sums
    return Spend(by_group, changes_between(now, before))


def changes_between(now: Mapping[_Group, Totals], before: Mapping[_Group, Totals]) -> dict[_Group, Change]:
    """Of each group that is in either."""
    return {group: Change(now.get(group, NOTHING), before.get(group, NOTHING)) for group in {**now, **before}}


def total_change(changes: Mapping[Any, Change]) -> Change:
    """All of them together."""
    return Change(
        total_of(change.now for change in changes.values()),
        total_of(change.before for change in changes.values()),
    )
