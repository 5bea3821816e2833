"""Stacked bars of days, weeks or months, and their twin, the same figures as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from django.http import HttpRequest

from core.days import DateRange
from core.money import SYMBOLS, UNKNOWN, Money, format_number
from core.querystate import Choice, link
from core.table_csv import csv_url
from core.tables import Column, Row, Table
from costs.pages import bars, formatters
from costs.pages.colours import Look, looks
from costs.pages.marks import DayMark, Marks
from costs.pages.words import PageWords, words_for
from costs.reports.days import Day, Step
from costs.reports.metrics import Metric
from costs.reports.series import Before, DailySeries
from costs.reports.totals import NOTHING, Totals, total_of
from costs.usage.coverage import Reading

# A longer twin is fetched when it is opened.
LONG_TWIN: Final = 40
# The parameter that opens it on the page, and the one that draws the period before.
OPEN_PARAMETER: Final = "table"
BEFORE_PARAMETER: Final = "compare"


@dataclass(frozen=True)
class LegendEntry:
    label: str
    look: Look
    path: str  # its bars


@dataclass(frozen=True)
class Hit:
    """What a bar is to the pointer: its days, and a link to them alone."""

    place: bars.Place
    url: str  # empty: the page shows no others


@dataclass(frozen=True)
class Drawing:
    """The chart as SVG; see costs.pages.bars."""

    box: str  # the viewBox of the bars
    ticks: tuple[bars.Tick, ...]
    labels: tuple[bars.DayLabel, ...]
    provisional: tuple[bars.Place, ...]
    marked: tuple[tuple[bars.Place, DayMark], ...]  # bars that something is to be said of, and what
    before: str  # the path of the period before; empty: not asked for
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Chart:
    title: str
    step: str  # what a bar is of: "day", "week" or "month"
    legend: tuple[LegendEntry, ...]
    drawing: Drawing
    has_provisional: bool
    has_estimates: bool
    data: dict[str, Any]  # for charts.js, which shows a bar's figures and draws one series alone
    table: Table
    words: PageWords
    marks: tuple[DayMark, ...] = ()  # what the signs of marked bars lead to, each once
    steps: tuple[Choice, ...] = ()  # empty where there is nothing to choose
    before: Choice | None = None  # draws the period before as a line, or no more; None: not offered
    before_days: str = ""  # while it is drawn
    twin_url: str = ""  # the page with the twin open
    is_twin_open: bool = False
    waits_for_twin: bool = False  # the twin is long and was not asked for

    @property
    def is_empty(self) -> bool:
        """No day has any usage."""
        return not self.legend


def wants_before(request: HttpRequest) -> bool:
    """Whether the URL asks for the period before as well."""
    return request.GET.get(BEFORE_PARAMETER) == "before"


def daily_chart(
    request: HttpRequest,
    daily: DailySeries,
    *,
    title: str,
    words: PageWords | None = None,
    marks: Marks | None = None,
    offers_before: bool = False,
) -> Chart:
    """A chart of the metric per step and series; of money, ``daily.currency`` is drawn and every currency is listed.

    ``marks`` say something of days: the bars that hold them carry a sign. Links keep the view of ``request``.
    """
    metric, currency, days, series = daily.metric, daily.currency, daily.days, daily.series
    words = words or words_for()
    drawn = [[_drawn(metric, one.by_day.get(day.day, NOTHING), currency) for day in days] for one in series]
    before = _before(daily)
    heights = [sum(filter(None, column)) for column in zip(*drawn, strict=True)] if drawn else []
    axis = bars.axis(max([*heights, *filter(None, before)], default=0))
    prefix = (SYMBOLS.get(currency, f"{currency.upper()} ")) if metric.slug == "cost" else ""
    is_open = OPEN_PARAMETER in request.GET
    waits = len(days) > LONG_TWIN and not is_open and "csv" not in request.GET
    listed = replace(daily, days=()) if waits else daily  # it would be a quarter of a page's work
    return Chart(
        title=title,
        step=daily.step.value,
        legend=tuple(
            LegendEntry(one.label, look, path)
            for one, look, path in zip(series, looks(series, daily.field), bars.paths(drawn, axis[-1]), strict=True)
        ),
        drawing=_drawing(daily, heights, axis, before, prefix, marks or {}, _linking(request)),
        has_provisional=any(day.is_provisional for day in days),
        has_estimates=metric.slug == "cost" and any(day.totals.estimated for day in days),
        data={
            "prefix": prefix,
            "titles": [day.days.days + (" (provisional)" if day.is_provisional else "") for day in days],
            "days": [[day.days.first.isoformat(), day.days.last.isoformat()] for day in days],
            "totals": [_text(metric, day.totals, currency, is_read=day.is_read) for day in days],
            "before": _before_texts(daily),
            "series": [
                {
                    "label": one.label,
                    "values": values,
                    "texts": [
                        _text(metric, one.by_day.get(day.day, NOTHING), currency, is_read=day.is_read) if value else ""
                        for day, value in zip(days, values, strict=True)
                    ],
                }
                for one, values in zip(series, drawn, strict=True)
            ],
        },
        table=_twin(title, listed, csv_url(request, "days"), words, _linking(request)),
        words=words,
        marks=tuple(dict.fromkeys((marks or {}).values())),
        steps=_steps(request, daily),
        before=_offer_of_before(request) if offers_before else None,
        before_days=daily.before.days.days if daily.before else "",
        twin_url=link(request, **{OPEN_PARAMETER: "days"}),
        is_twin_open=is_open,
        waits_for_twin=waits,
    )


def _linking(request: HttpRequest) -> Callable[[DateRange], str]:
    """To this view of other days."""

    def url(days: DateRange) -> str:
        dates = {"from": days.first.isoformat(), "to": days.last.isoformat()}
        return link(request, **dates, step=None, page=None, csv=None, **{OPEN_PARAMETER: None})

    return url


def _steps(request: HttpRequest, daily: DailySeries) -> tuple[Choice, ...]:
    if len(daily.offered) < 2:
        return ()
    return tuple(
        Choice(step.value.capitalize(), link(request, step=step.value), step is daily.step) for step in daily.offered
    )


def _offer_of_before(request: HttpRequest) -> Choice:
    is_drawn = wants_before(request)
    return Choice("Period before", link(request, **{BEFORE_PARAMETER: None if is_drawn else "before"}), is_drawn)


def _drawing(
    daily: DailySeries,
    heights: Sequence[float],
    axis: Sequence[float],
    before: Sequence[float | None],
    prefix: str,
    marks: Marks,
    link_to: Callable[[DateRange], str],
) -> Drawing:
    days, highest = daily.days, axis[-1]
    provisional = [index for index, day in enumerate(days) if day.is_provisional and heights and heights[index]]
    marked = {index: found[0] for index, day in enumerate(days) if (found := _marks_of(day, marks))}
    heads = bars.places(heights, highest, list(marked)) if heights else []
    return Drawing(
        box=f"0 0 {bars.WIDTH * max(len(days), 1)} {bars.HEIGHT}",
        ticks=tuple(bars.ticks(axis, prefix)),
        labels=tuple(bars.day_labels([_short(day.day, daily.step) for day in days])),
        provisional=tuple(bars.places(heights, highest, provisional)) if heights else (),
        marked=tuple(zip(heads, marked.values(), strict=True)) if heads else (),
        before=bars.line(before, highest),
        hits=tuple(
            Hit(place, link_to(day.days) if len(days) > 1 else "")
            for place, day in zip(bars.columns(len(days)), days, strict=True)
        ),
    )


def _marks_of(day: Day, marks: Marks) -> list[DayMark]:
    return [mark for marked, mark in marks.items() if day.days.first <= marked <= day.days.last]


def _before(daily: DailySeries) -> list[float | None]:
    """The height of the line over each bar; none where there was nothing, or the period before had no such day."""
    if daily.before is None:
        return []
    by_day = daily.before.by_day
    return [_drawn(daily.metric, by_day[day.day], daily.currency) if day.day in by_day else None for day in daily.days]


def _before_texts(daily: DailySeries) -> list[str]:
    if daily.before is None:
        return []
    by_day = daily.before.by_day
    return [
        _text(daily.metric, by_day[day.day], daily.currency, is_read=True) if day.day in by_day else UNKNOWN
        for day in daily.days
    ]


def _short(day: date, step: Step) -> str:
    """A step by its first day, as the axis has room for it."""
    return f"{day:%b %Y}" if step is Step.MONTH else f"{day.day} {day:%b}"


def _drawn(metric: Metric, totals: Totals, currency: str) -> float | None:
    """The height of a bar – the only place where a figure may be a float, since it is drawn and not read."""
    value = metric.value(totals, currency)
    return float(value) if value else None


def _text(metric: Metric, totals: Totals, currency: str, *, is_read: bool) -> str:
    """A figure in a bubble of the chart, without its reasons."""
    if metric.slug != "cost":
        value = metric.value(totals, currency)
        return format_number(0 if value is None and totals.is_idle and is_read else value, metric.digits)
    if totals.is_unpriced or (not totals.costs and not is_read):
        return UNKNOWN
    text = " + ".join(str(money) for money in totals.costs) or str(Money(currency, NOTHING.sort_amount))
    return f"{text} (Estimated)" if totals.estimated else text


def _twin(title: str, daily: DailySeries, csv_url: str, words: PageWords, link_to: Callable[[DateRange], str]) -> Table:
    """The newest first; the last column and the last row are the totals."""
    metric, currency, days, series = daily.metric, daily.currency, daily.days, daily.series
    reading = Reading.WHOLE if all(day.is_read for day in days) else Reading.PART
    sums = [total_of(one.by_day.get(day.day, NOTHING) for day in days) for one in series]
    table = Table(
        caption=f"{title}, as a table",
        columns=(
            Column(daily.step.value.capitalize(), is_number=False),
            *(Column(one.label, is_name=True) for one in series),
            Column("Total"),
        ),
        rows=tuple(
            Row(
                (
                    formatters.marked_days(
                        day.days,
                        is_provisional=day.is_provisional,
                        words=words,
                        url=link_to(day.days) if len(days) > 1 else "",
                    ),
                    *(
                        formatters.figure(
                            metric, one.by_day.get(day.day, NOTHING), currency, reading=day.reading, words=words
                        )
                        for one in series
                    ),
                    formatters.figure(metric, day.totals, currency, reading=day.reading, words=words),
                ),
            )
            for day in reversed(days)
        ),
        total=Row(
            (
                "Total",
                *(formatters.figure(metric, sum_, currency, words=words) for sum_ in sums),
                formatters.figure(metric, total_of(day.totals for day in days), currency, reading=reading, words=words),
            ),
        ),
        is_dense=True,
        csv_url=csv_url,
        adds_across=True,
    )
    return _with_before(table, daily, daily.before, words) if daily.before else table


def _with_before(table: Table, daily: DailySeries, before: Before, words: PageWords) -> Table:
    """The same with a column of the period before, which is no part of the totals."""
    whole = total_of(before.by_day.values())
    cells = [
        formatters.figure(daily.metric, before.by_day.get(day.day, NOTHING), daily.currency, words=words)
        if day.day in before.by_day
        else formatters.unknown("Nothing is known of this day of the period before")
        for day in reversed(daily.days)
    ]
    figure = formatters.figure(daily.metric, whole, daily.currency, words=words)
    return replace(
        table,
        columns=(*table.columns, Column(before.days.days)),
        rows=tuple(replace(row, cells=(*row.cells, cell)) for row, cell in zip(table.rows, cells, strict=True)),
        total=table.total and replace(table.total, cells=(*table.total.cells, figure)),
        says_rounding=table.rounding_shows,
        adds_across=False,
    )
