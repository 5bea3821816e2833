"""Usage over time in a few series – what a stacked chart draws and the table beside it lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from core.days import DateRange
from costs.models import Span
from costs.reports.breakdowns import OTHER, column_label
from costs.reports.comparison import previous_range
from costs.reports.days import Day, Step, mark_days
from costs.reports.metrics import Metric
from costs.reports.selection import Division, Usage, divide
from costs.reports.spending import NO_COST, DailySpend, SpendingDays, costs_of
from costs.reports.totals import Totals, totals_of_parts
from costs.usage.coverage import Coverage

# A stacked chart shows this many groups; the rest is one more.
LARGEST = 10

_SPANS = {Step.DAY: Span.DAY, Step.WEEK: Span.WEEK, Step.MONTH: Span.MONTH}


@dataclass(frozen=True)
class Series:
    """One colour of a stacked chart."""

    label: str
    by_day: Mapping[date, Totals]  # by the first day of each step
    group: Any = None  # what it is of; of what is unassigned None
    is_rest: bool = False  # all groups that have no series of their own


@dataclass(frozen=True)
class Before:
    """The period before, step beside step."""

    days: DateRange
    by_day: Mapping[date, Totals]  # of all usage, by the first day of the step of now


@dataclass(frozen=True)
class DailySeries:
    """The days of a range, or its weeks or months, by the groups that hold most of a metric."""

    metric: Metric
    currency: str  # that a chart of money draws; Totals hold every currency
    step: Step
    days: tuple[Day, ...]  # oldest first
    series: tuple[Series, ...]  # largest first, then all others as one; none: nothing was used
    recent: Mapping[date, Totals]  # of all usage on the days that a forecast needs; empty without a forecast
    field: str = ""  # that the groups are values of
    before: Before | None = None  # where it was asked for
    offered: Sequence[Step] = ()  # by which its days can be taken together


@dataclass(frozen=True)
class Stack:
    """Usage over time: the largest groups each as a series, all others as one more."""

    series: tuple[Series, ...]
    by_day: Mapping[date, Totals]  # of all usage, also of groups that no series holds
    single: Mapping[date, Totals]  # the same of single days


def daily_series(
    usage: Usage,
    field: str,
    by_group: Mapping[Any, Totals],
    labels: Mapping[Any, str],
    *,
    days: DateRange,
    coverage: Coverage,
    metric: Metric,
    currency: str,
    window: DateRange | None = None,
    step: Step | None = None,
    with_before: bool = False,
) -> DailySeries:
    """The sums of ``days`` by group and step, and those of ``window``, the days that a forecast needs.

    ``by_group`` are the sums of ``usage`` by ``field`` in ``days``, and ``coverage`` is of ``days``; ``usage`` itself
    must not be narrowed to a range. Without ``step`` it is the one for a range of that length. One query, of the period
    before as well, ``with_before``.
    """
    offered = Step.offered(days)
    step = step if step in offered else Step.of(days)
    recent = frozenset(window or ())
    before = previous_range(days) if with_before else None
    weigh = partial(metric.value, currency=currency)
    found = stack(usage, field, by_group, labels, days, step=step, single=recent.union(before or ()), weigh=weigh)
    return DailySeries(
        metric=metric,
        currency=currency,
        step=step,
        days=tuple(mark_days(found.by_day, days, coverage, step=step)),
        series=found.series,
        recent={day: sums for day, sums in found.single.items() if day in recent},
        field=field,
        before=_before(found.single, days, before, step) if before else None,
        offered=offered,
    )


def _before(sums: Mapping[date, Totals], days: DateRange, previous: DateRange, step: Step) -> Before:
    """Each day of the period before beside the one of now that is as far from the beginning."""
    by_day: dict[date, Totals] = {}
    for now, before in zip(days, previous, strict=False):
        if before in sums:
            _add(by_day, max(step.around(now).first, days.first), sums[before])
    return Before(previous, by_day)


def stack(
    usage: Usage,
    field: str,
    by_group: Mapping[Any, Totals],
    labels: Mapping[Any, str],
    days: DateRange,
    *,
    weigh: Callable[[Totals], Decimal | int | None],
    step: Step = Step.DAY,
    single: Collection[date] = (),
) -> Stack:
    """The steps of ``days`` of the ten groups that ``weigh`` heaviest, heaviest first, then of all others as "Other".

    What is unassigned (None) is no group among others: it has a series of its own, after them. ``by_group`` are sums by
    ``field``. Together the series hold all that was used of these groups. Days that are ``single``
    are told one by one as well.
    """
    noun = field.removesuffix("_id")
    names = {
        group: column_label(labels.get(group) or str(group), noun)
        for group, sums in by_group.items()
        if not sums.is_idle
    }
    ranked = sorted(names.keys() - {None}, key=lambda group: (-(weigh(by_group[group]) or 0), names[group].casefold()))
    largest = [*ranked[:LARGEST], *([None] if None in names else [])]
    steps = _divided(days, step)
    division = _division(steps, single)
    by_number: list[dict[date, Totals]] = [{} for _ in range(len(largest) + 1)]
    by_single: dict[date, Totals] = {}
    sums_of = totals_of_parts(usage, {"": division}, "series", "span", "day", series=(field, largest))
    for (number, span, start), sums in sums_of.items():
        if first := steps.get((span, start)):
            _add(by_number[number], first, sums)
        if span == Span.DAY and start in single:
            _add(by_single, start, sums)
    series = [Series(names[group], by_number[number], group) for number, group in enumerate(largest)]
    rest = Series(OTHER, by_number[-1], is_rest=True)
    return Stack(tuple([*series, rest] if len(ranked) > LARGEST else series), days_of([*series, rest]), by_single)


def steps_by(
    usage: Usage, field: str, days: DateRange, step: Step, *, window: DateRange, currency: str
) -> tuple[dict[Any, dict[date, Decimal]], dict[Any, DailySpend]]:
    """What each group cost in ``currency`` on each step of ``days`` with usage, by its first day; one query.

    And what it spent on each day of ``window``.
    """
    steps = _divided(days, step)
    by_step: dict[Any, dict[date, Decimal]] = defaultdict(dict)
    recent: dict[Any, SpendingDays] = defaultdict(SpendingDays)
    for group, span, start, paid_in, cost, *waiting in costs_of(usage, field, _division(steps, window)):
        if first := steps.get((span, start)):
            by_step[group][first] = by_step[group].get(first, NO_COST) + (cost if paid_in == currency else NO_COST)
        if span == Span.DAY and window.first <= start <= window.last:
            recent[group].add(start, paid_in, cost, *waiting)
    return by_step, {group: spent.ended() for group, spent in recent.items()}


def first_use_of(usage: Usage, recent: Mapping[date, Totals], window: DateRange) -> date | None:
    """The first day of ``usage``, of what lies before ``window`` its first day, which tells a forecast as much.

    ``recent`` are the sums of ``window``; a query only where they leave it open.
    """
    return window.first if window.first in recent else usage.first_day()


def days_of(series: Iterable[Series]) -> dict[date, Totals]:
    """The sums of ``series`` by day; no query."""
    result: dict[date, Totals] = {}
    for one in series:
        for day, sums in one.by_day.items():
            _add(result, day, sums)
    return result


def _divided(days: DateRange, step: Step) -> dict[tuple[Span, date], date]:
    """What makes up each step, with the first day of it: a whole one is read as such, one that is cut in parts."""
    found: dict[tuple[Span, date], date] = {}
    for each in step.within(days):
        if each == step.around(each.first):
            found[_SPANS[step], each.first] = each.first
            continue
        for span, starts in divide(each).items():
            found |= {(span, start): each.first for start in starts or ()}
    return found


def _division(steps: Iterable[tuple[Span, date]], single: Iterable[date]) -> Division:
    """What to read for ``steps``, and each of the days ``single`` as well."""
    wanted: dict[Span, set[date]] = {span: set() for span in Span}
    for span, start in steps:
        wanted[span].add(start)
    wanted[Span.DAY].update(single)
    return {span: sorted(starts) for span, starts in wanted.items()}


def _add(by_day: dict[date, Totals], day: date, sums: Totals) -> None:
    by_day[day] = by_day[day] + sums if day in by_day else sums
