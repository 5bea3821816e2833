"""The days of a range as pages mark them: what was used, whether it has been read, whether it may still change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from core.days import DateRange
from costs.reports.totals import NOTHING, Totals
from costs.usage.coverage import Coverage, Reading


@dataclass(frozen=True)
class Day:
    """A day of a range as the pages mark it."""

    day: date
    totals: Totals
    is_read: bool  # False: unknown, not zero
    is_provisional: bool  # may still be restated

    @property
    def reading(self) -> Reading:
        return Reading.WHOLE if self.is_read else Reading.NONE


def mark_days(by_day: Mapping[date, Totals], days: DateRange, coverage: Coverage) -> list[Day]:
    """Every day of ``days`` that has begun, oldest first.

    Unread days before the first one of which anything is known are left out – the provider was not connected for them –
    and so are days without usage after it was disconnected.
    """
    known = coverage.read | set(coverage.unread) | by_day.keys()
    marked = [
        Day(
            day=day,
            totals=by_day.get(day, NOTHING),
            is_read=day in coverage.read,
            is_provisional=day in coverage.provisional,
        )
        for day in days
        if day in known
    ]
    beginning = next((index for index, day in enumerate(marked) if day.is_read or not day.totals.is_empty), 0)
    return marked[beginning:]
