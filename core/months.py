"""Months: as dates of their first days, as ranges, as words, and as a part of a URL."""

from __future__ import annotations

from datetime import date, timedelta

from core.days import EARLIEST_DAY, DateRange

LAST_YEAR = 2100


def first_of(day: date) -> date:
    """The month of ``day``."""
    return day.replace(day=1)


def following(month: date) -> date:
    return first_of(month + timedelta(days=31))


def preceding(month: date) -> date:
    return first_of(month - timedelta(days=1))


def days_of(month: date) -> DateRange:
    return DateRange(month, following(month) - timedelta(days=1))


def name_of(month: date) -> str:
    """ "October 2026"."""
    return f"{month:%B %Y}"


def months_between(first: date, last: date) -> list[date]:
    """From ``first`` to ``last``, both inclusive, newest first."""
    months = []
    month = last
    while month >= first:
        months.append(month)
        month = preceding(month)
    return months


def parse_month(text: str) -> date:
    """The month of "YYYY-MM"; raises ValueError with a sentence for people."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ValueError(f"“{text}” is not a month (YYYY-MM).") from None
    if f"{month:%Y-%m}" != text or not EARLIEST_DAY <= month <= date(LAST_YEAR, 12, 1):
        raise ValueError(f"“{text}” is not a month between {EARLIEST_DAY:%Y-%m} and {LAST_YEAR}-12.")
    return month


class MonthConverter:
    """A month in a URL: "2026-10"; what is no month of usage that could be is no such URL."""

    regex = "[0-9]{4}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        return parse_month(value)

    def to_url(self, value: date) -> str:
        return f"{value:%Y-%m}"
