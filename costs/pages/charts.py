"""Stacked bars of days, weeks or months, and their twin, the same figures as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from core.money import SYMBOLS, UNKNOWN, Money, format_number
from core.tables import Column, Row, Table
from costs.pages import formatters
from costs.pages.words import PageWords, words_for
from costs.reports.breakdowns import OTHER
from costs.reports.days import Step
from costs.reports.metrics import Metric
from costs.reports.series import DailySeries
from costs.reports.totals import NOTHING, Totals
from costs.usage.coverage import Reading


@dataclass(frozen=True)
class LegendEntry:
    label: str
    colour: str  # "1" to "5", or "other"


@dataclass(frozen=True)
class Chart:
    title: str
    step: str  # what a bar is of: "day", "week" or "month"
    legend: tuple[LegendEntry, ...]
    has_provisional: bool
    has_estimates: bool
    data: dict[str, Any]  # for charts.js
    table: Table
    words: PageWords

    @property
    def is_empty(self) -> bool:
        """No day has any usage."""
        return not self.legend


def daily_chart(daily: DailySeries, *, title: str, csv_url: str = "", words: PageWords | None = None) -> Chart:
    """A chart of the metric per step and series; of money, ``daily.currency`` is drawn and every currency is listed."""
    metric, currency, days, series = daily.metric, daily.currency, daily.days, daily.series
    words = words or words_for()
    return Chart(
        title=title,
        step=daily.step.value,
        legend=tuple(
            LegendEntry(one.label, "other" if index >= 5 and one.label == OTHER else str(index + 1))
            for index, one in enumerate(series)
        ),
        has_provisional=any(day.is_provisional for day in days),
        has_estimates=metric.slug == "cost" and any(day.totals.estimated for day in days),
        data={
            "prefix": SYMBOLS.get(currency, f"{currency.upper()} ") if metric.slug == "cost" else "",
            "days": [_short(day.days.first, daily.step) for day in days],
            "titles": [day.days.days + (" (provisional)" if day.is_provisional else "") for day in days],
            "provisional": [day.is_provisional for day in days],
            "totals": [_text(metric, day.totals, currency, is_read=day.is_read) for day in days],
            "series": [
                {
                    "label": one.label,
                    "values": [_drawn(metric, one.by_day.get(day.day, NOTHING), currency) for day in days],
                    "texts": [
                        _text(metric, one.by_day.get(day.day, NOTHING), currency, is_read=day.is_read) for day in days
                    ],
                }
                for one in series
            ],
        },
        table=_twin(title, daily, csv_url, words),
        words=words,
    )


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


def _twin(title: str, daily: DailySeries, csv_url: str, words: PageWords) -> Table:
    """The newest first; the last column and the last row are the totals."""
    metric, currency, days, series = daily.metric, daily.currency, daily.days, daily.series
    reading = Reading.WHOLE if all(day.is_read for day in days) else Reading.PART
    sums = [sum((one.by_day.get(day.day, NOTHING) for day in days), NOTHING) for one in series]
    return Table(
        caption=f"{title}, as a table",
        columns=(
            Column(daily.step.value.capitalize(), is_number=False),
            *(Column(one.label, is_name=True) for one in series),
            Column("Total"),
        ),
        rows=tuple(
            Row(
                (
                    formatters.marked_days(day.days, is_provisional=day.is_provisional, words=words),
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
                formatters.figure(
                    metric, sum((day.totals for day in days), NOTHING), currency, reading=reading, words=words
                ),
            ),
        ),
        is_dense=True,
        csv_url=csv_url,
        adds_across=True,
    )
