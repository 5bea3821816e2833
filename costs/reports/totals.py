"""Exact sums of usage.

Credits, minutes and requests are None where no row knows them. Money is one exact sum per currency, never added across
currencies; what has no price yet is counted beside it, so that a page can say that a sum is not the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import compress
from typing import Any

from django.db.models import QuerySet

from core.amounts import DEFAULT_CURRENCY
from core.money import Money
from core.sums import whole
from costs.models import (
    COUNTED,
    COUNTS,
    FIGURES,
    AttributedUsage,
    AttributedUsageQuerySet,
    DailyUsage,
    Span,
    price_of,
    series_of,
)
from costs.reports.selection import Division, Usage, divide, sources_of
from providers.models import Provider

_NONE: frozenset[str] = frozenset()


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
        if other is NOTHING:
            return self
        if self is NOTHING:
            return other
        return Totals(
            credits=_add(self.credits, other.credits),
            minutes=_add(self.minutes, other.minutes),
            requests=_add(self.requests, other.requests),
            costs=_add_costs(self.costs, other.costs),
            unpriced_rows=self.unpriced_rows + other.unpriced_rows,
            estimated=self.estimated or other.estimated,
            untold=self.untold | other.untold,
        )

    def with_markup(self, percent: Decimal | None) -> Totals:
        """The same with prices for costs, exactly."""
        if percent is None:
            return self
        prices = (replace(money, amount=price_of(money.amount, percent)) for money in self.costs)
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

    def told(self, figure: str) -> Decimal | int | None:
        """The sum of credits, minutes or requests; None where none is told, or nothing but zeros beside what is not."""
        value: Decimal | int | None = getattr(self, figure)
        return None if figure in self.untold and not value else value

    def cost_in(self, currency: str) -> Decimal:
        """The exact sum in one currency; 0 where there is none."""
        return next((money.amount for money in self.costs if money.currency == currency), Decimal(0))

    @property
    def sort_amount(self) -> Decimal:
        """For ordering rows by spend; with several currencies the larger numbers come first."""
        return sum((money.amount for money in self.costs), Decimal(0))


NOTHING = Totals()


def total_of(parts: Iterable[Totals]) -> Totals:
    """The sum of ``parts``, in less time than adding one after the other."""
    credits_: list[Decimal] = []
    minutes: list[Decimal] = []
    requests: list[int] = []
    amounts: dict[str, list[Decimal]] = defaultdict(list)
    unpriced, estimated, untold = 0, False, _NONE
    for part in parts:
        if part.credits is not None:
            credits_.append(part.credits)
        if part.minutes is not None:
            minutes.append(part.minutes)
        if part.requests is not None:
            requests.append(part.requests)
        for money in part.costs:
            amounts[money.currency].append(money.amount)
        unpriced += part.unpriced_rows
        estimated = estimated or part.estimated
        if part.untold:
            untold |= part.untold
    return Totals(
        credits=sum(credits_[1:], credits_[0]) if credits_ else None,
        minutes=sum(minutes[1:], minutes[0]) if minutes else None,
        requests=sum(requests) if requests else None,
        costs=tuple(Money(currency, sum(each[1:], each[0])) for currency, each in sorted(amounts.items())),
        unpriced_rows=unpriced,
        estimated=estimated,
        untold=untold,
    )


def totals(usage: Usage | AttributedUsageQuerySet) -> Totals:
    """The sum of all of ``usage``."""
    return totals_by(usage).get((), NOTHING)


def totals_by(usage: Usage | AttributedUsageQuerySet, *fields: str) -> dict[tuple[Any, ...], Totals]:
    """The sums of ``usage`` for each combination of ``fields``, perhaps "day" or "month", that occurs; one query."""
    if not isinstance(usage, Usage):
        return _added_up([usage], fields)
    if usage.days is None:
        division: Division = {Span.DAY if "day" in fields else Span.MONTH: None}
    else:
        division = {Span.DAY: list(usage.days)} if "day" in fields else divide(usage.days)
    return _added_up(sources_of(usage, _told(fields), {"": division}), fields, usage.markup_percent)


def totals_of_parts(
    usage: Usage,
    parts: Mapping[str, Division],
    *fields: str,
    series: tuple[str, Sequence[Any]] | None = None,
) -> dict[tuple[Any, ...], Totals]:
    """The sums of parts of ``usage`` for each combination of ``fields``.

    These may be "part", the "span" and "day" of the sums, and the number of the "series": of one field's groups.
    One query.
    """
    told = _told((*fields, series[0]) if series else fields)
    added = {"series": series_of(*series)} if series else {}
    sources = sources_of(usage, told, parts, added=added)
    return _added_up(sources, fields, usage.markup_percent)


@dataclass
class Costs:
    """What some usage cost, as the database gave it: of very many groups, of which few are looked at closely."""

    by_currency: dict[str, int] = field(default_factory=dict)  # in the smallest unit that is stored
    unpriced_rows: int = 0
    markup_percent: Decimal | None = None

    def cost_in(self, currency: str) -> Decimal:
        """As Totals have it."""
        cost: Decimal = unscaled(self.by_currency.get(currency, 0), DailyUsage.COST_SCALE)
        return price_of(cost, self.markup_percent)

    @property
    def is_unpriced(self) -> bool:
        return bool(self.unpriced_rows) and not any(self.by_currency.values())


def costs_in_parts(
    usage: Usage, parts: Mapping[str, Division], *fields: str
) -> dict[str, dict[tuple[Any, ...], Costs]]:
    """What ``parts`` of ``usage`` cost by ``fields``; one query."""
    result: dict[str, dict[tuple[Any, ...], Costs]] = {
        name: defaultdict(lambda: Costs(markup_percent=usage.markup_percent)) for name in parts
    }
    for part, *key, currency, cost, unpriced in sums_from(
        sources_of(usage, _told(fields), parts),
        ("part", *fields, "currency"),
        figures=("cost",),
        counts=("unpriced_rows",),
    ):
        costs = result[part][tuple(key)]
        if currency:
            costs.by_currency[currency] = costs.by_currency.get(currency, 0) + int(whole(cost))
        costs.unpriced_rows += unpriced
    return result


def sums_by(usage: Usage | AttributedUsageQuerySet, field: str) -> dict[Any, Totals]:
    """The sums of ``usage`` for each value of ``field``; one query."""
    return {value: sums for (value,), sums in totals_by(usage, field).items()}


def all_usage() -> Usage:
    """All usage; pages narrow it down."""
    return Usage()


def usage_by_key() -> AttributedUsageQuerySet:
    """Every row of it, for what sums don't tell."""
    return AttributedUsage.objects.all()


def main_currency(totals: Totals, providers: Iterable[Provider]) -> str:
    """The currency that a chart draws: of several the one with the largest amount, of none the providers' own."""
    if totals.costs:
        return max(totals.costs, key=lambda money: money.amount).currency
    return next((provider.currency for provider in providers if provider.currency), DEFAULT_CURRENCY)


# What is no field of a sum but said of it.
_SAID = frozenset({"day", "month", "span", "part", "series"})


def _told(fields: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in fields if name not in _SAID)


def _added_up(
    sources: Iterable[QuerySet[Any]], fields: Sequence[str], markup_percent: Decimal | None = None
) -> dict[tuple[Any, ...], Totals]:
    """Sums by ``fields``, from one query."""
    result: dict[tuple[Any, ...], Totals] = {}
    for key, found in _found(sources, fields):
        part = _part(*found).with_markup(markup_percent)
        result[key] = result[key] + part if key in result else part
    return result


def _found(
    sources: Iterable[QuerySet[Any]], fields: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """What _part() takes, for each combination of ``fields`` that occurs; more than once where currencies differ."""
    names = tuple(dict.fromkeys((*fields, "currency")))
    at, places, count = names.index("currency"), [names.index(name) for name in fields], len(names)
    for group in sums_from(sources, names):
        yield tuple([group[place] for place in places]), (group[at], *group[count:])


def _part(
    currency: str,
    credits_: Any,
    minutes: Any,
    requests: Any,
    cost: Any,
    unpriced: int,
    estimated: int,
    *untold: int,
) -> Totals:
    """Of FIGURES and COUNTS, as the database gives them."""
    return Totals(
        unscaled(credits_, DailyUsage.CREDITS_SCALE),
        unscaled(minutes, DailyUsage.MINUTES_SCALE),
        None if requests is None else int(whole(requests)),
        (Money(currency, unscaled(cost, DailyUsage.COST_SCALE)),) if currency else (),
        unpriced,
        bool(estimated),
        frozenset(compress(COUNTED, untold)) if any(untold) else _NONE,
    )


def sums_from(
    sources: Iterable[QuerySet[Any]],
    names: Sequence[str],
    *,
    figures: Sequence[str] = FIGURES,
    counts: Sequence[str] = tuple(COUNTS),
) -> Iterable[tuple[Any, ...]]:
    """For each combination of ``names`` that a source has the sums, as the database gives them; one query."""
    found: list[Any] = [
        source.order_by().values_list(*names).annotate(sums=source.model.objects.sums(figures, counts))
        for source in sources
    ]
    return found[0].union(*found[1:], all=True) if len(found) > 1 else found[0] if found else ()


def unscaled(value: Any, scale: int) -> Any:
    """The figure that a whole number of RawSums is."""
    return None if value is None else Decimal(whole(value)).scaleb(-scale)


def _add_costs(one: tuple[Money, ...], other: tuple[Money, ...]) -> tuple[Money, ...]:
    """By currency."""
    if not one or not other:
        return one or other
    if len(one) == 1 == len(other) and one[0].currency == other[0].currency:
        return (Money(one[0].currency, one[0].amount + other[0].amount),)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for money in (*one, *other):
        amounts[money.currency] += money.amount
    return tuple(sorted(Money(currency, amount) for currency, amount in amounts.items()))


def _add(one: Any, other: Any) -> Any:
    """Unknown plus known is the known part; unknown plus unknown stays unknown."""
    if one is None or other is None:
        return other if one is None else one
    return one + other
