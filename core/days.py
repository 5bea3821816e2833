"""Days as people and URLs write them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode


def utc_now() -> datetime:
    return datetime.now(UTC)


def parse_day(text: str) -> date:
    """A day as YYYY-MM-DD, and in none of the other ways that ISO 8601 knows; raises ValueError."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(f"{text!r} is not written as YYYY-MM-DD.")
    return day


def as_date(value: date | str) -> date:
    """A day from a cursor: SQLite gives those of temporary tables and views as text."""
    return value if isinstance(value, date) else date.fromisoformat(value)


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


# The first UTC day that a provider can report.
EARLIEST_DAY = date(2020, 1, 1)
