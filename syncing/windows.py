"""Which days a sync reads, and in which pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

PIECE_DAYS = 30


@dataclass(frozen=True)
class Window:
    """UTC days from ``first`` to ``last``, both inclusive."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def bounds(self, *, now: datetime) -> tuple[datetime, datetime]:
        """The half-open span [start, end) to ask for: whole UTC days, the running one up to ``now``."""
        start, end = self.whole_days
        return start, max(min(end, now), start + timedelta(milliseconds=1))

    @property
    def whole_days(self) -> tuple[datetime, datetime]:
        """The half-open span [start, end) from midnight to midnight, UTC."""
        return _midnight(self.first), _midnight(self.last + timedelta(days=1))

    def halves(self) -> tuple[Window, Window]:
        """The later and the earlier half of a window of at least two days."""
        middle = self.first + timedelta(days=len(self) // 2)
        return Window(middle, self.last), Window(self.first, middle - timedelta(days=1))


def due_days(*, today: date, history_from: date, trailing_days: int, settled: frozenset[date]) -> list[date]:
    """The days that a scheduled sync reads, newest first.

    The trailing ones, and every other since ``history_from`` that is unread or was last read before it had settled – so
    that an outage longer than the trailing days leaves no gap.
    """
    trailing_from = today - timedelta(days=trailing_days - 1)
    span = (today - min(history_from, trailing_from)).days + 1
    days = (today - timedelta(days=offset) for offset in range(span))
    return [day for day in days if day >= trailing_from or day not in settled]


def pieces(days: Iterable[date]) -> list[Window]:
    """``days`` as windows of at most 30 days, newest first; a short gap between two days is read along."""
    windows: list[Window] = []
    for day in sorted(days, reverse=True):
        if windows and (windows[-1].last - day).days < PIECE_DAYS:
            windows[-1] = Window(day, windows[-1].last)
        else:
            windows.append(Window(day, day))
    return windows


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
