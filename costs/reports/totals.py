"""Exact sums of usage.

Credits, minutes and requests are None where no row knows them. Money is one exact sum per currency, never added across
currencies; what has no price yet is counted beside it, so that a page can say that a sum is not the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from core.amounts import DEFAULT_CURRENCY
from core.money import Money
from costs.models import COUNTED, AttributedUsage, AttributedUsageQuerySet, DailyTotal, DailyTotalQuerySet, marked_up
from providers.models import Provider

# What can be added up: both have the same figures, per company.
Usage = AttributedUsageQuerySet | DailyTotalQuerySet


@dataclass(frozen=True)
class Totals:
    """The sum of some usage rows."""

    credits: Decimal | None = None
    minutes: Decimal | None = None
    requests: int | None = None
    costs: tuple[Money, ...] = ()
    unpriced_rows: int = 0
    estimated: bool = False  # some of the costs are not reported but come from a rate per 1,000 credits
    untold: frozenset[str] = frozenset()  # of credits, minutes and requests those that some of the usage does not tell

    def __add__(self, other: Totals) -> Totals:
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for money in (*self.costs, *other.costs):
            amounts[money.currency] += money.amount
        return Totals(
            credits=_add(self.credits, other.credits),
            minutes=_add(self.minutes, other.minutes),
            requests=_add(self.requests, other.requests),
            costs=tuple(sorted(Money(currency, amount) for currency, amount in amounts.items())),
            unpriced_rows=self.unpriced_rows + other.unpriced_rows,
            estimated=self.estimated or other.estimated,
            untold=self.untold | other.untold,
        )

    def with_markup(self, percent: Decimal | None) -> Totals:
        """The same with prices for costs, exactly."""
        if percent is None:
            return self
        prices = (replace(money, amount=money.amount + marked_up(money.amount, percent)) for money in self.costs)
        return replace(self, costs=tuple(prices))

    @property
    def is_empty(self) -> bool:
        return self == NOTHING

    @property
    def is_idle(self) -> bool:
        """Nothing was used: every figure is zero or unknown, and nothing waits for its price."""
        known = (self.credits, self.minutes, self.requests, *(money.amount for money in self.costs))
        return not any(known) and not self.unpriced_rows

    @property
    def is_unpriced(self) -> bool:
        """There is usage, and no price of any of it is known."""
        return bool(self.unpriced_rows) and not any(money.amount for money in self.costs)

    def cost_in(self, currency: str) -> Decimal:
        """The exact sum in one currency; 0 where there is none."""
        return next((money.amount for money in self.costs if money.currency == currency), Decimal(0))

    @property
    def sort_amount(self) -> Decimal:
        """For ordering rows by spend; with several currencies the larger numbers come first."""
        return sum((money.amount for money in self.costs), Decimal(0))


NOTHING = Totals()


def totals(usage: Usage) -> Totals:
    """The sum of all of ``usage``."""
    return totals_by(usage).get((), NOTHING)


def totals_by(usage: Usage, *fields: str) -> dict[tuple[Any, ...], Totals]:
    """The sums of ``usage`` for each combination of ``fields`` that occurs; one query."""
    groups = usage.order_by().values(*fields, "currency").annotate(**usage.sums())
    percent = usage.markup_percent
    result: dict[tuple[Any, ...], Totals] = {}
    for group in groups:
        key = tuple(group[name] for name in fields)
        costs = (Money(group["currency"], group["sum_cost"]),) if group["currency"] else ()
        part = Totals(
            credits=group["sum_credits"],
            minutes=group["sum_minutes"],
            requests=group["sum_requests"],
            costs=costs,
            unpriced_rows=group["sum_unpriced"],
            estimated=bool(group["sum_estimated"]),
            untold=frozenset(name for name in COUNTED if group[f"sum_untold_{name}"]),
        )
        result[key] = result.get(key, NOTHING) + part.with_markup(percent)
    return result


def sums_by(usage: Usage, field: str) -> dict[Any, Totals]:
    """The sums of ``usage`` for each value of ``field``; one query."""
    return {value: sums for (value,), sums in totals_by(usage, field).items()}


def all_usage() -> DailyTotalQuerySet:
    """All usage, by day, provider, company and model; pages narrow it down."""
    return DailyTotal.objects.all()


def usage_by_key() -> AttributedUsageQuerySet:
    """All usage, by API key besides; pages narrow it down."""
    return AttributedUsage.objects.all()


def main_currency(totals: Totals, providers: Iterable[Provider]) -> str:
    """The currency that a chart draws: of several the one with the largest amount, of none the providers' own."""
    if totals.costs:
        return max(totals.costs, key=lambda money: money.amount).currency
    return next((provider.currency for provider in providers if provider.currency), DEFAULT_CURRENCY)


def _add(one: Any, other: Any) -> Any:
    """Unknown plus known is the known part; unknown plus unknown stays unknown."""
    if one is None or other is None:
        return other if one is None else one
    return one + other
