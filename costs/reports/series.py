"""Usage day by day in a few series – what a stacked chart draws and the table beside it lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from django.db.models import Q

from core.days import DateRange
from costs.models import DailyTotalQuerySet
from costs.reports.breakdowns import Series, days_of, stack
from costs.reports.days import Day, mark_days
from costs.reports.metrics import Metric
from costs.reports.totals import Totals
from costs.usage.coverage import Coverage


@dataclass(frozen=True)
class DailySeries:
    """The days of a range, by the groups that hold most of a metric."""

    metric: Metric
    currency: str  # that a chart of money draws; Totals hold every currency
    days: tuple[Day, ...]  # oldest first
    series: tuple[Series, ...]  # largest first, then all others as one; none: nothing was used
    recent: Mapping[date, Totals]  # of all usage on the days that a forecast needs; empty without a forecast


def daily_series(
    usage: DailyTotalQuerySet,
    field: str,
    by_group: Mapping[Any, Totals],
    labels: Mapping[Any, str],
    *,
    days: DateRange,
    coverage: Coverage,
    metric: Metric,
    currency: str,
    window: DateRange | None = None,
) -> DailySeries:
    """The sums of ``days`` by group, and those of ``window``, the days that a forecast needs; one query.

    ``by_group`` are the sums of ``usage`` by ``field`` in ``days``, and ``coverage`` is of ``days``; ``usage`` itself
    must not be narrowed to a range.
    """
    within = _within(days) | _within(window) if window else _within(days)
    found = stack(usage.filter(within), field, by_group, labels, weigh=partial(metric.value, currency=currency))
    series = tuple(Series(one.label, _cut(one.by_day, days)) for one in found.series)
    return DailySeries(
        metric=metric,
        currency=currency,
        days=tuple(mark_days(days_of(series), days, coverage)),
        series=series,
        recent=_cut(found.by_day, window) if window else {},
    )


def _within(days: DateRange) -> Q:
    return Q(day__range=(days.first, days.last))


def _cut(by_day: Mapping[date, Totals], days: DateRange) -> dict[date, Totals]:
    return {day: sums for day, sums in by_day.items() if days.first <= day <= days.last}
