"""Usage and cost by any grouping: one exact line for each group and currency.

For programs, which add lines up: nothing is rounded, no usage is in two lines, and the lines of a query add up to what
an export of the same days holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db.models import Max, Min, Q
from django.db.models.functions import TruncMonth

from core.days import DateRange
from costs.models import AttributedUsage, DailyTotal
from costs.reports.totals import NOTHING, Totals, Usage, totals_by

# What can be grouped by, with the fields of DailyTotal; of AttributedUsage the provider is its project's.
GROUPS: Final[Mapping[str, str]] = {
    "company": "company_id",
    "project": "project_id",
    "model": "model",
    "provider": "provider_id",
    "day": "day",
    "month": "month",
}


@dataclass(frozen=True)
class GroupedCostsQuery:
    """``None`` does not narrow; an empty collection leaves nothing. Companies are ids, None among them: unassigned."""

    first: date | None = None
    last: date | None = None
    group_by: Sequence[str] = ()
    companies: Collection[int | None] | None = None
    providers: Collection[int] | None = None
    projects: Collection[int] | None = None
    models: Collection[str] | None = None
    markups: Mapping[int, Decimal] = field(
        default_factory=dict
    )  # in percent, of companies whose costs are to be prices

    @property
    def is_by_project(self) -> bool:
        return "project" in self.group_by or self.projects is not None


@dataclass(frozen=True)
class GroupedCost:
    """A group – ids, a model's id, a day or the first day of a month, in the order of ``group_by`` – in one currency.

    Usage without a price is part of the line of its group's only currency; of several it has a line of its own, without
    a cost.
    """

    group: tuple[Any, ...]
    currency: str
    cost: Decimal | None
    totals: Totals = field(repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """Orders lines, whatever they are called and however much they hold: pages can begin after one."""
        return (*(_ordered(value) for value in self.group), self.currency)


def grouped_costs(query: GroupedCostsQuery) -> list[GroupedCost]:
    """The lines of all groups in which anything was used, in the order of their keys; one query."""
    parts: dict[tuple[Any, ...], dict[str, Totals]] = defaultdict(dict)
    for (*group, currency), totals in _sums(query).items():
        if not totals.is_idle:
            parts[tuple(group)][currency] = totals
    lines = [
        GroupedCost(group, currency, totals.costs[0].amount if totals.costs else None, totals)
        for group, by_currency in parts.items()
        for currency, totals in _lines(by_currency).items()
    ]
    return sorted(lines, key=lambda line: line.key)


def _sums(query: GroupedCostsQuery) -> dict[tuple[Any, ...], Totals]:
    """By group and currency; companies with a mark-up are summed apart first, since each has its own."""
    fields = [*(_field(name, query) for name in query.group_by), "currency"]
    usage = _usage(query)
    if not query.markups:
        return totals_by(usage, *fields)
    result: dict[tuple[Any, ...], Totals] = defaultdict(Totals)
    for (*group, company_id), totals in totals_by(usage, *fields, "company_id").items():
        result[tuple(group)] += totals.with_markup(query.markups.get(company_id))
    return result


def days_of_usage(query: GroupedCostsQuery, *, today: date) -> DateRange:
    """The days of ``query``; where it leaves an end open, as far as anything is stored."""
    stored = {"first": query.first, "last": query.last}
    if query.first is None or query.last is None:
        stored = DailyTotal.objects.aggregate(first=Min("day"), last=Max("day"))
    return DateRange(query.first or stored["first"] or today, query.last or stored["last"] or today)


def _lines(by_currency: Mapping[str, Totals]) -> dict[str, Totals]:
    priced = [currency for currency in by_currency if currency]
    if len(priced) != 1:
        return dict(by_currency)
    return {priced[0]: by_currency[priced[0]] + by_currency.get("", NOTHING)}


def _usage(query: GroupedCostsQuery) -> Usage:
    wanted = Q()
    if query.first is not None:
        wanted &= Q(day__gte=query.first)
    if query.last is not None:
        wanted &= Q(day__lte=query.last)
    if query.companies is not None:
        named = Q(company__in=[company for company in query.companies if company is not None])
        wanted &= named | Q(company=None) if None in query.companies else named
    if query.providers is not None:
        wanted &= Q(**{f"{_field('provider', query)}__in": query.providers})
    if query.projects is not None:
        wanted &= Q(project__in=query.projects)
    if query.models is not None:
        wanted &= Q(model__in=query.models)
    usage: Usage = (AttributedUsage if query.is_by_project else DailyTotal).objects.filter(wanted)
    return usage.annotate(month=TruncMonth("day")) if "month" in query.group_by else usage


def _field(name: str, query: GroupedCostsQuery) -> str:
    return "project__provider_id" if name == "provider" and query.is_by_project else GROUPS[name]


def _ordered(value: Any) -> str:
    """Text that sorts as the values do; None comes first."""
    if value is None:
        return ""
    return f"{value:020d}" if isinstance(value, int) else str(value)
