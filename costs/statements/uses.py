"""What the adjustments of closed months ask the usage itself, which no sum tells – all of it in one query.

Of estimates: what companies' usage cost by month, and of which of it the rate was changed. Of causes: who used the keys
that were assigned anew or restated, and what these and the companies are called.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField, CharField, Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, TruncMonth

from core.days import DateRange
from core.sums import ExactSum
from costs.models import AttributedUsage, DailyUsage, Restatement
from providers.models import Company

_PAID, _USED, _CALLED = "paid", "used", "called"


@dataclass(frozen=True)
class Paid:
    """What a company pays of a key in a month, in one currency, estimated or not."""

    project_id: int
    company_id: int
    month: date
    currency: str
    estimated: bool
    cost: Decimal
    is_rated: bool  # its rate was changed


@dataclass(frozen=True)
class Used:
    """A key that was used in a month, and one of those who pay for that – None: nobody."""

    project_id: int
    company_id: int | None
    month: date
    label: str
    name: str
    hint: str


@dataclass(frozen=True)
class Uses:
    paid: tuple[Paid, ...] = ()
    used: tuple[Used, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)  # of companies


def read_uses(
    *,
    paid_by: Collection[int],
    paid_days: DateRange,
    keys: Collection[int],
    key_days: DateRange,
    companies: Collection[int],
    since: datetime,
) -> Uses:
    """``paid_by``, ``keys`` and ``companies`` are ids; of each what is empty is not asked for. At most one query.

    A rate was changed where a row without a reported cost was written ``since``, and no sync restated it.
    """
    asked = [
        *([_paid(paid_by, paid_days, since)] if paid_by else []),
        *([_used(keys, key_days)] if keys else []),
        *([_called(companies)] if companies else []),
    ]
    if not asked:
        return Uses()
    paid, used, called = [], [], []
    first, *more = asked
    for what, project_id, company_id, month, currency, estimated, label, name, hint, cost, rated in (
        first.union(*more, all=True) if more else first
    ):
        if what == _PAID:
            paid.append(Paid(project_id, company_id, _day(month), currency, estimated, cost or Decimal(0), rated > 0))
        elif what == _USED:
            used.append(Used(project_id, company_id, _day(month), label, name, hint))
        else:
            called.append((company_id, name))
    return Uses(tuple(paid), tuple(used), dict(called))


def _paid(companies: Collection[int], days: DateRange, since: datetime) -> QuerySet[Any]:
    """First of a union, it tells the types of its columns."""
    same = {name: OuterRef(name) for name in ("project", "day", "model")}
    by_estimate = Q(estimated=True) | Q(cost=None, credits__gt=0)
    written = Exists(DailyUsage.objects.filter(updated_at__gt=since, **same))
    restated = Exists(Restatement.objects.filter(restated_at__gt=since, **same))
    found: QuerySet[Any] = (
        _of(days)
        .filter(company__in=companies)
        .values_list(_text(_PAID), "project_id", "company_id", "month", "currency", "estimated", *(_text(""),) * 3)
        .annotate(total=ExactSum("cost"), rated=Count("day", filter=by_estimate & written & ~restated))
    )
    return found


def _used(keys: Collection[int], days: DateRange) -> QuerySet[Any]:
    named = ("project__label", "project__name", "project__hint")
    return (
        _of(days)
        .filter(project__in=keys)
        .values_list(_text(_USED), "project_id", "company_id", "month", _text(""), _NO, *named, _NOTHING, _NOTHING)
        .distinct()
    )


def _called(companies: Collection[int]) -> QuerySet[Any]:
    empty = _text("")
    return (
        Company.objects.filter(pk__in=companies)
        .order_by()
        .values_list(_text(_CALLED), "pk", "pk", empty, empty, _NO, empty, "name", empty, _NOTHING, _NOTHING)
    )


_NO = Value(value=False, output_field=BooleanField())
_NOTHING = Value(0)


def _text(text: str) -> Value:
    return Value(text, output_field=CharField())


def _of(days: DateRange) -> QuerySet[Any]:
    """With the month as a text, which every engine and every part of a union has alike."""
    month = Cast(TruncMonth("day"), CharField())
    rows: QuerySet[Any] = AttributedUsage.objects.filter(day__range=(days.first, days.last)).annotate(month=month)
    return rows.order_by()


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])
