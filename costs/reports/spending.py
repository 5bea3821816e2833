"""What companies, providers and API keys spend day by day: many subjects in few queries, for who watches them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, Final

from core.days import DateRange
from core.money import Money
from costs.models import DailyUsage, Span, price_of
from costs.reports.selection import Division, Usage, sources_of
from costs.reports.totals import Totals, all_usage, sums_from, totals_by, unscaled
from costs.usage.coverage import Coverage, coverage_by_provider, joint_coverage
from providers.models import Provider

NO_COST: Final = Decimal(0)


class Subject(Enum):
    """By what spend is watched, and the field of usage that holds it; EVERYTHING has one subject, None."""

    EVERYTHING = ""
    COMPANY = "company_id"
    PROVIDER = "provider_id"
    PROJECT = "project_id"


@dataclass(frozen=True)
class DailySpend:
    """What somebody's days cost, in each currency – "" where there is no price; a day without usage is not there."""

    costs: Mapping[str, Mapping[date, Decimal]]
    unpriced: frozenset[date]  # days of which some usage has no price
    estimated: frozenset[date] = frozenset()  # days of which some costs are estimates

    @classmethod
    def of(cls, by_day: Mapping[date, Totals]) -> DailySpend:
        """What sums of days tell of cost."""
        spent = SpendingDays()
        for day, sums in by_day.items():
            for money in sums.costs or [Money("", NO_COST)]:
                spent.add(day, money.currency, money.amount, sums.unpriced_rows, sums.estimated)
        return spent.ended()

    @cached_property
    def first_use(self) -> date | None:
        return min((min(by_day) for by_day in self.costs.values()), default=None)

    def cost_by_day(self, currency: str) -> Mapping[date, Decimal]:
        return self.costs.get(currency, {})


NO_SPEND = DailySpend({}, frozenset())


class SpendingDays:
    """A DailySpend in the making."""

    def __init__(self) -> None:
        self._costs: dict[str, dict[date, Decimal]] = {}
        self._unpriced: set[date] = set()
        self._estimated: set[date] = set()

    def add(self, day: date, currency: str, cost: Decimal, unpriced: int, estimated: int) -> None:
        of_currency = self._costs.setdefault(currency, {})
        of_currency[day] = of_currency[day] + cost if day in of_currency else cost
        if unpriced:
            self._unpriced.add(day)
        if estimated:
            self._estimated.add(day)

    def ended(self) -> DailySpend:
        return DailySpend(self._costs, frozenset(self._unpriced), frozenset(self._estimated))


def daily_spend(subject: Subject, days: DateRange, ids: Collection[int] | None = None) -> dict[int | None, DailySpend]:
    """Of each of ``ids``, or – None – of all of them that used something in ``days``; one query.

    Costs alone, since there may be thousands of them with dozens of days each. The id None is what is assigned to no
    company.
    """
    if subject is Subject.EVERYTHING:
        return {None: together(daily_spend(Subject.PROVIDER, days).values())}
    usage = all_usage().between(days.first, days.last)
    if ids is not None:
        usage = usage.filter(**{f"{subject.value.removesuffix('_id')}__in": ids})
    spent: dict[int | None, SpendingDays] = defaultdict(SpendingDays)
    for pk, _span, day, currency, cost, unpriced, estimated in costs_of(usage, subject.value, {Span.DAY: list(days)}):
        spent[pk].add(day, currency, cost, unpriced, estimated)
    return {pk: of_one.ended() for pk, of_one in spent.items()}


def costs_of(usage: Usage, field: str, division: Division) -> Iterator[tuple[Any, Span, date, str, Decimal, int, int]]:
    """What each group of ``field`` used in each span of ``division``; one query.

    The group, the span and its first day, a currency – "" where there is no price –, the exact sum in it, how many
    rows have no price, and how many only an estimated one. Plain values, since there may be very many.
    """
    found = sums_from(
        sources_of(usage, (field,), {"": division}),
        (field, "span", "day", "currency"),
        figures=("cost",),
        counts=("unpriced_rows", "estimated_rows"),
    )
    for group, span, start, currency, cost, unpriced, estimated in found:
        amount = price_of(unscaled(cost, DailyUsage.COST_SCALE) or NO_COST, usage.markup_percent)
        yield group, span, start, currency, amount, unpriced, estimated


def together(spends: Iterable[DailySpend]) -> DailySpend:
    """The sum of several, day by day."""
    spent = SpendingDays()
    for spend in spends:
        for currency, by_day in spend.costs.items():
            for day, cost in by_day.items():
                spent.add(day, currency, cost, day in spend.unpriced, day in spend.estimated)
    return spent.ended()


def unassigned(days: DateRange) -> Totals:
    """What of ``days`` is assigned to no company; one query."""
    return spend_total(all_usage().between(days.first, days.last).filter(company=None))


def spend_total(usage: Usage) -> Totals:
    return totals_by(usage).get((), Totals())


@dataclass(frozen=True)
class KnownDays:
    """What is known of some days: for all providers together, and for each by itself."""

    days: DateRange
    by_provider: Mapping[int, Coverage]

    @cached_property
    def of_all(self) -> Coverage:
        return joint_coverage(self.by_provider.values())

    def of(self, provider_id: int | None) -> Coverage:
        """One provider's days, or – None – those of all."""
        return self.of_all if provider_id is None else self.by_provider.get(provider_id, Coverage())

    def complete(self, coverage: Coverage) -> frozenset[date]:
        """Without days of which anybody waits for a price."""
        return coverage.finished - self.of_all.unpriced


def known_days(providers: Iterable[Provider], days: DateRange, *, today: date) -> KnownDays:
    """What is known of ``days``; one query."""
    return KnownDays(days, coverage_by_provider(providers, days, today=today, with_prices=True))
