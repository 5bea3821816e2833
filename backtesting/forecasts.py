"""How far off forecasts are: each month of each series, foreseen after its 7th, 15th and 22nd day."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from backtesting.series import DailyCosts
from core.days import DateRange
from core.months import days_of, following, preceding
from costs.reports import forecast
from costs.reports.rhythm import REACH

AFTER_DAYS = (7, 15, 22)
# What pages show – by weekday wherever that can be –, what they showed before, and two that anybody would think of.
WEEKDAYS, PACE = forecast.Basis.WEEKDAYS.value, forecast.Basis.PACE.value
STRAIGHT, LAST_MONTH = "straight line through the month so far", "as much as last month"
METHODS = (WEEKDAYS, PACE, STRAIGHT, LAST_MONTH)


@dataclass(frozen=True)
class Errors:
    """Of one method after so many days: how far off, as shares of what the month came to, smallest first."""

    method: str
    after: int
    sizes: tuple[float, ...]

    @property
    def median(self) -> float:
        return self.sizes[len(self.sizes) // 2]

    @property
    def mean(self) -> float:
        return sum(self.sizes) / len(self.sizes)

    @property
    def ninth(self) -> float:
        """Nine of ten are smaller."""
        return self.sizes[len(self.sizes) * 9 // 10]


@dataclass(frozen=True)
class ForecastReport:
    months: int
    errors: tuple[Errors, ...]
    held: Mapping[int, float]  # how often the range that pages show held the month, after so many days

    def of(self, method: str, after: int) -> Errors:
        return next(one for one in self.errors if (one.method, one.after) == (method, after))


def measure(all_series: Iterable[DailyCosts]) -> ForecastReport:
    sizes: dict[tuple[str, int], list[float]] = defaultdict(list)
    held: dict[int, list[bool]] = defaultdict(list)
    months = 0
    for series in all_series:
        for month in _months(series):
            months += 1
            for after in AFTER_DAYS:
                actual = sum((series.costs[day] for day in month), Decimal(0))
                shown, foreseen = _foreseen(series, month, after)
                for method, amount in foreseen.items():
                    sizes[method, after].append(float(abs(amount - actual) / actual))
                held[after].append(shown.low <= actual <= shown.high)
    return ForecastReport(
        months=months,
        errors=tuple(Errors(method, after, tuple(sorted(found))) for (method, after), found in sizes.items()),
        held={after: sum(found) / len(found) for after, found in held.items()},
    )


def _months(series: DailyCosts) -> Iterator[DateRange]:
    """Those before which there is as much history as is looked at, and in which anything was spent."""
    month = min(series.costs).replace(day=1)
    while days_of(month).last <= max(series.costs):
        days = days_of(month)
        if days.first - REACH >= min(series.costs) and sum(series.costs[day] for day in days) >= 1:
            yield days
        month = following(month)


def _foreseen(series: DailyCosts, month: DateRange, after: int) -> tuple[forecast.Forecast, dict[str, Decimal]]:
    today = month.first + timedelta(days=after)
    known = {day: cost for day, cost in series.costs.items() if day < today}
    shown = forecast.forecast(known, known.keys(), today=today, first_use=min(known))
    assert shown is not None
    to_come = [day for day in month if day >= today]
    so_far = sum((known[day] for day in month if day < today), Decimal(0))
    pace = forecast.by_pace(known, sorted(known)[-forecast.BASIS_DAYS :], to_come)
    before = days_of(preceding(month.first))
    return shown, {
        WEEKDAYS: shown.amount,
        PACE: so_far + pace.amount,
        STRAIGHT: so_far / after * _length(month.first),
        LAST_MONTH: sum((known.get(day, Decimal(0)) for day in before), Decimal(0)),
    }


def _length(month: date) -> int:
    return monthrange(month.year, month.month)[1]
