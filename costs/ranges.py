"""The range of days that a page shows: read from its URL, named, and printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from providers.days import parse_day
from providers.models import EARLIEST_DAY


class RangeError(ValueError):
    """The URL's range can't be used; the text is for the person."""


@dataclass(frozen=True)
class DateRange:
    """UTC days from ``first`` to ``last``, both inclusive."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=offset) for offset in range(len(self)))

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        """As every page prints it: "1–22 Nov 2026, UTC"."""
        return f"{self.days}, UTC"

    @property
    def days(self) -> str:
        """Without the time zone: "22 Nov 2026", "1–22 Nov 2026", "3 Oct – 2 Nov 2026", "30 Dec 2025 – 4 Jan 2026"."""
        first, last = self.first, self.last
        end = f"{last.day} {last:%b %Y}"
        if first == last:
            return end
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{end}"
        if first.year == last.year:
            return f"{first.day} {first:%b} – {end}"
        return f"{first.day} {first:%b %Y} – {end}"

    @property
    def query(self) -> str:
        """The URL's query string for this range."""
        return urlencode({"from": self.first.isoformat(), "to": self.last.isoformat()})


@dataclass(frozen=True)
class Preset:
    """A range with a name, offered as a link."""

    label: str
    range: DateRange


def presets(today: date) -> list[Preset]:
    """The named ranges of ``today`` (UTC), the default one first."""
    month_start = today.replace(day=1)
    last_month_end = month_start - timedelta(days=1)
    named = [
        Preset("This month", DateRange(month_start, today)),
        Preset("Last month", DateRange(last_month_end.replace(day=1), last_month_end)),
    ]
    return named + [Preset(f"{days} days", DateRange(today - timedelta(days=days - 1), today)) for days in (7, 30, 90)]


def from_query(query: Mapping[str, str], *, today: date) -> DateRange:
    """The range that ``?from=YYYY-MM-DD&to=YYYY-MM-DD`` asks for; this month where it says nothing.

    One end alone is completed: no ``from`` means from the first of ``to``'s month, no ``to`` until today.
    Raises RangeError with a sentence for the person.
    """
    last = _day(query.get("to", ""), "to") or today
    first = _day(query.get("from", ""), "from") or last.replace(day=1)
    if first > last:
        raise RangeError(f"The range ends ({last.isoformat()}) before it begins ({first.isoformat()}).")
    return DateRange(first, last)


def _day(text: str, name: str) -> date | None:
    if not text:
        return None
    try:
        day = parse_day(text)
    except ValueError:
        raise RangeError(f"“{name}” is not a date. Write it as YYYY-MM-DD.") from None
    if not EARLIEST_DAY <= day <= date(2100, 12, 31):
        raise RangeError(f"“{name}” must be between {EARLIEST_DAY.isoformat()} and 2100-12-31.")
    return day
