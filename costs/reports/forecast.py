"""What a month will have cost at its end: its complete days as they are, and every other day as days lately went.

Where there are weeks enough, and what was spent lately is anything like them, a day counts as its weekday does; else as
the mean of the last seven complete days. docs/forecast.md says how far off both are.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from enum import Enum

from core.days import DateRange
from costs.reports.rhythm import NOTHING as ZERO
from costs.reports.rhythm import REACH, WEEKS, Rhythm, weekday_medians
from costs.reports.spending import DailySpend

BASIS_DAYS = 7
# A pace that is older than this says nothing of today.
OLDEST_BASIS = timedelta(days=14)
# Of seven values: four of five sums of such days lie within this many standard deviations (Student's t, six degrees of
# freedom).
SPREAD = Decimal("1.440")

# Complete days that are needed to go by weekdays: four of each.
FEWEST_BY_WEEKDAY = 28
LEVEL_DAYS = 14
# Weeks of which lately was less than half or more than twice say nothing of days to come: something began, or ended.
LOWEST_LEVEL, HIGHEST_LEVEL = Decimal("0.5"), Decimal(2)
# A tenth of the months of the back-test came to less, and a tenth to more, in standard deviations of the days to come.
LOW_SPREAD, HIGH_SPREAD = Decimal("-1.0"), Decimal("2.0")


class Basis(Enum):
    """What a forecast goes by, as pages say it."""

    WEEKDAYS = f"by weekday, from the last {WEEKS} weeks"
    PACE = f"from the last {BASIS_DAYS} complete days"


@dataclass(frozen=True)
class Forecast:
    """The month's cost in one currency, with the range that holds it four times out of five."""

    amount: Decimal
    low: Decimal
    high: Decimal
    basis: Basis = Basis.PACE


@dataclass(frozen=True)
class _Foreseen:
    """What the days to come will cost together."""

    amount: Decimal
    low: Decimal
    high: Decimal
    basis: Basis


def window(today: date) -> DateRange:
    """The days whose sums forecast() needs."""
    return DateRange(min(today.replace(day=1), today - REACH), today)


def basis(complete: Collection[date], *, today: date, first_use: date | None) -> tuple[date, ...]:
    """The last seven complete days since ``first_use``, of the last fourteen; nothing where there are fewer."""
    if first_use is None:
        return ()
    since = max(first_use, today - OLDEST_BASIS)
    days = sorted(day for day in complete if since <= day < today)[-BASIS_DAYS:]
    return tuple(days) if len(days) == BASIS_DAYS else ()


def forecast(
    cost_by_day: Mapping[date, Decimal],
    complete: Collection[date],
    *,
    today: date,
    first_use: date | None,
    period: DateRange | None = None,
) -> Forecast | None:
    """The cost of ``period``, ordinarily ``today``'s month; None where there are no seven full days of data to go by.

    It is never less than what has been spent already.
    """
    days = basis(complete, today=today, first_use=first_use)
    if not days or first_use is None:
        return None
    month = period or DateRange(today.replace(day=1), today.replace(day=monthrange(today.year, today.month)[1]))
    known = sum((cost_by_day.get(day, ZERO) for day in month if day in complete), ZERO)
    spent = sum((cost_by_day.get(day, ZERO) for day in month), ZERO)
    missing = [day for day in month if day not in complete]
    recent = sorted(day for day in complete if max(first_use, today - REACH) <= day < today)
    with localcontext() as context:
        context.prec = 40
        rest = by_weekday(cost_by_day, recent, missing) or by_pace(cost_by_day, days, missing)
        return Forecast(
            max(known + rest.amount, spent), max(known + rest.low, spent), max(known + rest.high, spent), rest.basis
        )


def by_pace(cost_by_day: Mapping[date, Decimal], days: Sequence[date], missing: Collection[date]) -> _Foreseen:
    """Each missing day as the mean of ``days``."""
    pace = [cost_by_day.get(day, ZERO) for day in days]
    mean = sum(pace, ZERO) / len(days)
    deviation = (sum(((value - mean) ** 2 for value in pace), ZERO) / (len(days) - 1)).sqrt()
    amount = len(missing) * mean
    spread = SPREAD * _of_sum(deviation, len(missing), len(days))
    return _Foreseen(amount, amount - spread, amount + spread, Basis.PACE)


def by_weekday(
    cost_by_day: Mapping[date, Decimal], days: Sequence[date], missing: Collection[date]
) -> _Foreseen | None:
    """Each missing day as the median of its weekday over ``days``, times how the last fourteen of them compare.

    None where there are too few, or those fourteen are nothing like the others.
    """
    if len(days) < FEWEST_BY_WEEKDAY:
        return None
    base = weekday_medians(cost_by_day, days)
    lately = days[-LEVEL_DAYS:]
    ordinary = sum((base[day.weekday()] for day in lately), ZERO)
    level = sum((cost_by_day.get(day, ZERO) for day in lately), ZERO) / ordinary if ordinary else ZERO
    if not LOWEST_LEVEL <= level <= HIGHEST_LEVEL:
        return None
    rhythm = Rhythm(base, level)
    amount = sum((rhythm.expected(day) for day in missing), ZERO)
    residuals = [cost_by_day.get(day, ZERO) - rhythm.expected(day) for day in days]
    deviation = (sum((one * one for one in residuals), ZERO) / len(residuals)).sqrt()
    spread = _of_sum(deviation, len(missing), LEVEL_DAYS)
    return _Foreseen(amount, amount + LOW_SPREAD * spread, amount + HIGH_SPREAD * spread, Basis.WEEKDAYS)


def _of_sum(deviation: Decimal, days: int, known_from: int) -> Decimal:
    """The deviation of a sum of days around a mean that is itself only known from some."""
    return deviation * (days + Decimal(days * days) / known_from).sqrt()


@dataclass(frozen=True)
class Expected:
    """What a month will have cost, as far as that can be said."""

    by_currency: Mapping[str, Forecast]  # empty where there is nothing to go by
    is_unpriced: bool = False  # no price of any usage is known
    is_partly_unpriced: bool = False  # complete days that count lack prices
    estimated: bool = False  # some of the costs are estimates

    @property
    def basis(self) -> Basis:
        """What all of them go by: what decides is known of days, not of currencies."""
        return next((one.basis for one in self.by_currency.values()), Basis.PACE)


def expect(
    spend: DailySpend, complete: Collection[date], *, today: date, first_use: date | None, currency: str
) -> Expected:
    """The forecast of each currency that was paid in on the days of window(); ``currency`` names a zero.

    ``spend`` is of these days. Usage of which no price is known makes the cost unknown, not zero.
    """
    since = min(today.replace(day=1), today - OLDEST_BASIS)
    recent = {
        name: sum((cost for day, cost in by_day.items() if day >= since), ZERO) for name, by_day in spend.costs.items()
    }
    paid = [name for name, cost in recent.items() if cost]
    if not paid and any(day >= since for day in spend.unpriced):
        return Expected({}, is_unpriced=True)
    found = {
        name: forecast(spend.cost_by_day(name), complete, today=today, first_use=first_use)
        for name in sorted(paid) or [currency]
    }
    known = {name: one for name, one in found.items() if one}
    by_weeks = any(one.basis is Basis.WEEKDAYS for one in known.values())
    pace = basis(complete, today=today, first_use=first_use)

    def counts(day: date) -> bool:
        return by_weeks or day >= today.replace(day=1) or day in pace

    return Expected(
        known,
        is_partly_unpriced=any(counts(day) and day in complete for day in spend.unpriced),
        estimated=any(counts(day) for day in spend.estimated),
    )
