"""Which changes of a closed month wait for a price, because an unknown cost is not zero.

A provider may withdraw a price. Until it reports one again – perhaps 0 – or removes the usage, such usage is neither
credited nor billed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Exists, Max, OuterRef, Q, QuerySet, Sum, Value, When

from core.months import days_of, first_of
from core.sums import ExactSum
from costs.models import Restatement, StatementLine
from costs.reports.totals import all_usage
from providers.models import Project, Provider

_Bill = tuple[date, int]  # the closed month, the company's id
_Part = tuple[str, str, str]  # the key's provider where its id is no key's own, that id as reported, the model
_Group = tuple[date, int, str]  # with the currency


# What every provider calls its usage without a key and its totals.
_SHARED_IDS = frozenset({Project.KEYLESS_ID, Project.ACCOUNT_ID})
# What a row of the query is of, where it is no line of a statement.
_NOW, _RESTATED = "now", "restated"


@dataclass
class _Costs:
    """Of one bill in one currency."""

    now: dict[_Part, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    billed: dict[_Part, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    models_alone: set[str] = field(default_factory=set)  # of lines that don't tell whose they are
    has_adjustments: bool = False


def changes_without_waiting(unpriced: Collection[_Bill]) -> dict[_Group, Decimal]:
    """By how much each currency of these bills, which hold usage without a price, changes apart from what waits.

    Only of those of which something waits: usage of a key and model that had a price once. Keys and models are compared
    one by one: those that wait are credited nothing, the others are adjusted as ever. An adjustment that a statement
    has carried does not say which keys it is of. Nor does a line that was frozen before key ids were kept, or one of
    usage without a key whose provider has another name now: any unpriced usage of its model counts as having had a
    price. Where there is one, it may be of what waits, and so nothing at all is carried. No query without ``unpriced``,
    else one.
    """
    if not unpriced:
        return {}
    costs, without_price, had_price = _read(unpriced)
    result = {}
    for (month, company_id, currency), of_group in costs.items():
        waiting = {
            part
            for part in without_price[month, company_id]
            if of_group.billed[part] or part[-1] in of_group.models_alone or (month, part, currency) in had_price
        }
        if waiting:
            result[month, company_id, currency] = _change(of_group, waiting)
    return result


def _change(costs: _Costs, waiting: Collection[_Part]) -> Decimal:
    if costs.models_alone or costs.has_adjustments:
        return Decimal(0)
    changes = {part: costs.now[part] - costs.billed[part] for part in {*costs.now, *costs.billed}}
    return sum((change for part, change in changes.items() if change > 0 or part not in waiting), Decimal(0))


def _read(
    unpriced: Collection[_Bill],
) -> tuple[Mapping[_Group, _Costs], Mapping[_Bill, set[_Part]], Collection[tuple[date, _Part, str]]]:
    """What these bills cost now and what was billed of it, which parts of them hold usage without a price, and of
    which months, parts and currencies a price was restated.
    """
    costs: dict[_Group, _Costs] = defaultdict(_Costs)
    without_price: dict[_Bill, set[_Part]] = defaultdict(set)
    had_price: set[tuple[date, _Part, str]] = set()
    companies = {company_id for _month, company_id in unpriced}
    months = {month for month, _id in unpriced}
    rows = _now(companies, months).union(_billed(companies, months), _restated(months), all=True)
    for what, day, company_id, provider, key_id, model, currency, cost, flag in rows:
        part, group = _part(provider, key_id, model), (day, company_id, currency)
        if what == _RESTATED:
            had_price.add((first_of(day), part, currency))
        elif what == _NOW:
            if flag:
                without_price[day, company_id].add(part)
            if currency:
                costs[group].now[part] += cost
        elif what == StatementLine.Kind.ADJUSTMENT:
            costs[group].has_adjustments = True
        elif key_id and (key_id not in _SHARED_IDS or flag):
            costs[group].billed[part] += cost
        else:
            costs[group].models_alone.add(model)
    return costs, without_price, had_price


# The three parts of one query, alike in their columns: of whom, cost, and a flag.


def _now(companies: Collection[int], months: Collection[date]) -> QuerySet[Any]:
    """The flag: how much of it has no price."""
    key = ("project__provider__name", "project__external_id", "model", "currency")
    found: QuerySet[Any] = (
        all_usage()
        .filter(company__in=companies)
        .sums_of_months("project", "model")
        .filter(day__in=months)
        .order_by()
        .values_list(Value(_NOW, output_field=CharField()), "day", "company_id", *key)
        .annotate(sum_cost=ExactSum("cost"), sum_unpriced=Sum("unpriced_rows"))
    )
    return found


def _billed(companies: Collection[int], months: Collection[date]) -> QuerySet[Any]:
    """The flag: a provider still has that name."""
    named = Exists(Provider.objects.filter(name=OuterRef("provider_name")))
    return (
        StatementLine.objects.filter(statement__company__in=companies, month__in=months)
        .exclude(currency="")
        .order_by()
        .values_list("kind", "month", "statement__company_id", "provider_name", "key_id", "model", "currency")
        .annotate(total=ExactSum("cost"), is_named=Max(Case(When(named, then=1), default=0)))
    )


def _restated(months: Collection[date]) -> QuerySet[Any]:
    """What had a price before."""
    in_months = Q(*(Q(day__gte=month, day__lte=days_of(month).last) for month in months), _connector=Q.OR)
    key = ("project__provider__name", "project__external_id", "model", "currency_before")
    nothing = Value(0)
    return (
        Restatement.objects.filter(in_months)
        .exclude(cost_before=None)
        .order_by()
        .values_list(Value(_RESTATED, output_field=CharField()), "day", nothing, *key, nothing, nothing)
        .distinct()
    )


def _part(provider: str, key_id: str, model: str) -> _Part:
    return provider if key_id in _SHARED_IDS else "", key_id, model
