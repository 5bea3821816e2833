"""What a month will have cost at its end, from its complete days and the pace of the last seven of them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext

from core.days import DateRange
from costs.reports.totals import NOTHING, Totals

BASIS_DAYS = 7
# A pace that is older than this says nothing of today.
OLDEST_BASIS = timedelta(days=14)
# Of seven values: four of five sums of such days lie within this many standard deviations (Student's t, six degrees of
# freedom).
SPREAD = Decimal("1.440")


@dataclass(frozen=True)
class Forecast:
    """The month's cost in one currency, with the range that holds it four times out of five."""

    amount: Decimal
    low: Decimal
    high: Decimal


def window(today: date) -> DateRange:
    """The days whose sums forecast() needs."""
    return DateRange(min(today.replace(day=1), today - OLDEST_BASIS), today)


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

    Complete days count as they are, every other day of the period as the mean of the last seven complete ones. It is
    never less than what has been spent already.
    """
    days = basis(complete, today=today, first_use=first_use)
    if not days:
        return None
    month = period or DateRange(today.replace(day=1), today.replace(day=monthrange(today.year, today.month)[1]))
    with localcontext() as context:
        context.prec = 40
        pace = [cost_by_day.get(day, Decimal(0)) for day in days]
        mean = sum(pace, Decimal(0)) / BASIS_DAYS
        deviation = (sum(((value - mean) ** 2 for value in pace), Decimal(0)) / (BASIS_DAYS - 1)).sqrt()
        known = sum((cost_by_day.get(day, Decimal(0)) for day in month if day in complete), Decimal(0))
        spent = sum((cost_by_day.get(day, Decimal(0)) for day in month), Decimal(0))
        missing = Decimal(sum(1 for day in month if day not in complete))
        # Of a sum of days around a mean that is itself only known from seven.
        spread = SPREAD * deviation * (missing + missing * missing / BASIS_DAYS).sqrt()
        amount = known + missing * mean
        return Forecast(max(amount, spent), max(amount - spread, spent), max(amount + spread, spent))


@dataclass(frozen=True)
class Expected:
    """What a month will have cost, as far as that can be said."""

    by_currency: Mapping[str, Forecast]  # empty where there is nothing to go by
    is_unpriced: bool = False  # no price of any usage is known
    is_partly_unpriced: bool = False  # complete days that count lack prices
    estimated: bool = False  # some of the costs are estimates


def expect(
    by_day: Mapping[date, Totals], complete: Collection[date], *, today: date, first_use: date | None, currency: str
) -> Expected:
    """The forecast of each currency that was paid in on the days of window(); ``currency`` names a zero.

    Usage of which no price is known makes the cost unknown, not zero.
    """
    recent = sum(by_day.values(), NOTHING)
    if recent.is_unpriced:
        return Expected({}, is_unpriced=True)
    paid = {money.currency for money in recent.costs if money.amount}
    found = {
        name: forecast(
            {day: sums.cost_in(name) for day, sums in by_day.items()}, complete, today=today, first_use=first_use
        )
        for name in sorted(paid) or [currency]
    }
    pace = basis(complete, today=today, first_use=first_use)
    counted = [(day, sums) for day, sums in by_day.items() if day >= today.replace(day=1) or day in pace]
    return Expected(
        {name: one for name, one in found.items() if one},
        is_partly_unpriced=any(sums.unpriced_rows and day in complete for day, sums in counted),
        estimated=any(sums.estimated for _day, sums in counted),
    )
