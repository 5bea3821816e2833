"""What a day ordinarily costs: by its weekday, and by how much more or less than that has been spent lately.

Pure functions over the days of one series. Forecasts and the search for unusual spending both go by it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

WEEKS = 8
# So many days before a day are looked at.
REACH = timedelta(weeks=WEEKS)

NOTHING = Decimal(0)


def median(values: Iterable[Decimal]) -> Decimal:
    """The middle one, of an even number the mean of the two; 0 of none."""
    ordered = sorted(values)
    if not ordered:
        return NOTHING
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


@dataclass(frozen=True)
class Rhythm:
    """What each weekday costs (Monday first), times the level of lately."""

    base: tuple[Decimal, ...]
    level: Decimal

    def expected(self, day: date) -> Decimal:
        return self.base[day.weekday()] * self.level


def weekday_medians(costs: Mapping[date, Decimal], days: Collection[date]) -> tuple[Decimal, ...]:
    """The median of each weekday over ``days``; a day without a cost cost nothing."""
    of_weekday: tuple[list[Decimal], ...] = ([], [], [], [], [], [], [])
    for day in days:
        of_weekday[day.weekday()].append(costs.get(day, NOTHING))
    return tuple(median(values) for values in of_weekday)
