"""The days of a range as pages mark them: what was used, whether it has been read, whether it may still change.

Of a long range they are taken together by the week or month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from core.days import DateRange
from core.months import days_of, first_of
from costs.reports.totals import NOTHING, Totals
from costs.usage.coverage import Coverage, Reading

# A chart has at most about a hundred bars, and its table as many rows.
_LONGEST = {"day": 92, "week": 53 * 7}
# A line in a table's cell has fewer points.
_LONGEST_LINE = 45
# A person may ask for more of them.
_MOST_DAYS = 366


class Step(Enum):
    """How many days a bar of a chart takes together; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @classmethod
    def of(cls, days: DateRange) -> Step:
        """The smallest one that shows ``days`` well."""
        return next((step for step in (cls.DAY, cls.WEEK) if len(days) <= _LONGEST[step.value]), cls.MONTH)

    @classmethod
    def of_line(cls, days: DateRange) -> Step:
        """The one for a small line of ``days``."""
        return cls.DAY if len(days) <= _LONGEST_LINE else max(cls.of(days), cls.WEEK, key=list(cls).index)

    @classmethod
    def offered(cls, days: DateRange) -> list[Step]:
        """Those that tell something of ``days``: more than one of them, and not too many."""
        found = [
            *([cls.DAY] if len(days) <= _MOST_DAYS else []),
            *([cls.WEEK] if len(days) > len(cls.WEEK.around(days.first)) else []),
            *([cls.MONTH] if first_of(days.first) != first_of(days.last) else []),
        ]
        return found or [cls.of(days)]

    def around(self, day: date) -> DateRange:
        """The whole day, week or month."""
        match self:
            case Step.DAY:
                return DateRange(day, day)
            case Step.WEEK:
                monday = day - timedelta(days=day.weekday())
                return DateRange(monday, monday + timedelta(days=6))
        return days_of(first_of(day))

    def within(self, days: DateRange) -> list[DateRange]:
        """All of them in ``days``, the first and the last one cut where these begin and end."""
        found = []
        first = days.first
        while first <= days.last:
            last = min(self.around(first).last, days.last)
            found.append(DateRange(first, last))
            first = last + timedelta(days=1)
        return found


@dataclass(frozen=True)
class Day:
    """A day of a range as the pages mark it – or the days of a week or a month that lie in the range."""

    day: date  # the first
    days: DateRange  # without those before the first of which anything is known
    totals: Totals
    reading: Reading  # NONE: unknown, not zero
    is_provisional: bool  # some of it may still be restated

    @property
    def is_read(self) -> bool:
        return self.reading is Reading.WHOLE


def mark_days(
    by_day: Mapping[date, Totals], days: DateRange, coverage: Coverage, *, step: Step = Step.DAY
) -> list[Day]:
    """Every step of ``days`` that has begun, oldest first; ``by_day`` are sums by the first day of each.

    Unread days before the first one of which anything is known are left out – the provider was not connected for them –
    and so are days without usage after it was disconnected.
    """
    unread = frozenset(coverage.unread)
    begins = max(coverage.since, days.first) if coverage.since else days.last
    marked = []
    for each in step.within(days):
        totals = by_day.get(each.first, NOTHING)
        shown = DateRange(begins, each.last) if each.first < begins <= each.last else each
        missing = not unread.isdisjoint(shown)
        if missing or not coverage.read.isdisjoint(shown):
            reading = Reading.WHOLE if not missing else _part_of(shown, coverage)
        elif each.first in by_day:
            reading = Reading.NONE
        else:
            continue
        is_provisional = not coverage.provisional.isdisjoint(shown)
        marked.append(Day(each.first, shown, totals, reading, is_provisional))
    beginning = next(
        (index for index, day in enumerate(marked) if day.reading is not Reading.NONE or not day.totals.is_empty), 0
    )
    return marked[beginning:]


def _part_of(days: DateRange, coverage: Coverage) -> Reading:
    return Reading.NONE if coverage.read.isdisjoint(days) else Reading.PART
