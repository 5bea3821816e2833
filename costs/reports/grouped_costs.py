"""Usage and cost by any grouping: one exact line for each group and currency.

For programs, which add lines up: nothing is rounded, no usage is in two lines, and the lines of a query add up to what
an export of the same days holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Max, Min, Q
from django.db.models.functions import TruncMonth

from core.days import DateRange
from core.prepared import PreparedQuery
from costs.reports.selection import Usage
from costs.reports.totals import NOTHING, Totals, all_usage, totals_by
from providers.models import Project

# What can be grouped by, with the fields of sums.
GROUPS: Final[Mapping[str, str]] = {
    "company": "company_id",
    "project": "project_id",
    "model": "model",
    "provider": "provider_id",
    "day": "day",
    "month": "month",
}
# Where it is another field of the usage itself.
_OF_USAGE: Final = {"provider": "project__provider_id"}


_SHARING: Final = PreparedQuery(
    lambda: Project.objects.filter(is_allocated=True).order_by().values_list("pk", flat=True)
)

# What is longer is cut to the days of which anything is stored: each day of a range is looked at.
_ANY_DAYS: Final = timedelta(days=3660)


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
    allocated: bool = False  # some of it is a share of what was reported for several together

    @property
    def key(self) -> tuple[str, ...]:
        """Orders lines, whatever they are called and however much they hold: pages can begin after one."""
        return (*(_ordered(value) for value in self.group), self.currency)


def grouped_costs(query: GroupedCostsQuery) -> list[GroupedCost]:
    """The lines of all groups in which anything was used, in the order of their keys; two queries to three."""
    usage = _usage(query)
    if usage is None:
        return []
    parts: dict[tuple[Any, ...], dict[str, Totals]] = defaultdict(dict)
    for (*group, currency), totals in _sums(query, usage).items():
        if not totals.is_idle:
            parts[tuple(group)][currency] = totals
    allocated = _allocated(query, usage)
    lines = [
        GroupedCost(
            group,
            currency,
            totals.costs[0].amount if totals.costs else None,
            totals,
            not allocated.isdisjoint((*group, each) for each in summed),
        )
        for group, by_currency in parts.items()
        for currency, (totals, summed) in _lines(by_currency).items()
    ]
    return sorted(lines, key=lambda line: line.key)


def _sums(query: GroupedCostsQuery, usage: Usage) -> dict[tuple[Any, ...], Totals]:
    """By group and currency; companies with a mark-up are summed apart first, since each has its own."""
    fields = [*(GROUPS[name] for name in query.group_by), "currency"]
    if not query.markups:
        return totals_by(usage, *fields)
    result: dict[tuple[Any, ...], Totals] = defaultdict(Totals)
    for (*group, company_id), totals in totals_by(usage, *fields, "company_id").items():
        result[tuple(group)] += totals.with_markup(query.markups.get(company_id))
    return result


def _allocated(query: GroupedCostsQuery, usage: Usage) -> set[tuple[Any, ...]]:
    """The groups, each with a currency, of which some usage is a share; read from the usage, since no sum tells it.

    One query where nothing is shared.
    """
    sharing = _SHARING.ask()
    if not sharing:
        return set()
    rows = usage.filter(project__in=sharing).rows().filter(allocated=True).used()
    fields = [_OF_USAGE.get(name, GROUPS[name]) for name in query.group_by]
    months = rows.order_by().annotate(month=TruncMonth("day"))
    return set(months.values_list(*fields, "currency").distinct())


def days_of_usage(query: GroupedCostsQuery, *, today: date) -> DateRange:
    """The days of ``query``; where it leaves an end open, as far as anything is stored."""
    stored = _stored() if query.first is None or query.last is None else None
    return DateRange(
        query.first or (stored.first if stored else today), query.last or (stored.last if stored else today)
    )


def _stored() -> DateRange | None:
    """The days of which anything is stored; one query."""
    found = all_usage().sums_of_days().aggregate(first=Min("day"), last=Max("day"))
    return DateRange(found["first"], found["last"]) if found["first"] else None


def _lines(by_currency: Mapping[str, Totals]) -> dict[str, tuple[Totals, tuple[str, ...]]]:
    """By the currency of each line its sum, and the currencies that it is of."""
    priced = [currency for currency in by_currency if currency]
    if len(priced) != 1:
        return {currency: (totals, (currency,)) for currency, totals in by_currency.items()}
    return {priced[0]: (by_currency[priced[0]] + by_currency.get("", NOTHING), (priced[0], ""))}


def _usage(query: GroupedCostsQuery) -> Usage | None:
    """None: there is none on such days, which may be any; one query where they are, or where an end is open."""
    usage = all_usage()
    if query.first is not None and query.last is not None and query.last - query.first < _ANY_DAYS:
        usage = usage.between(query.first, query.last)
    elif query.first is not None or query.last is not None:
        stored = _stored()
        if stored is None:
            return None
        first, last = max(query.first or stored.first, stored.first), min(query.last or stored.last, stored.last)
        if first > last:
            return None
        usage = usage.between(first, last)
    if query.companies is not None:
        named = Q(company__in=[company for company in query.companies if company is not None])
        usage = usage.where("company", named | Q(company=None) if None in query.companies else named)
    for about, wanted in (("provider", query.providers), ("project", query.projects), ("model", query.models)):
        if wanted is not None:
            usage = usage.filter(**{f"{about}__in": wanted})
    return usage


def _ordered(value: Any) -> str:
    """Text that sorts as the values do; None comes first."""
    if value is None:
        return ""
    return f"{value:020d}" if isinstance(value, int) else str(value)
