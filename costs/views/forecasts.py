"""Forecasts as pages show them: of everything in a scope, and of each company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import OuterRef, Subquery

from costs import cells
from costs.cells import Cell
from costs.forecast import BASIS_DAYS, Forecast, forecast
from costs.money import Money
from costs.totals import Totals, totals_by
from costs.views.scope import Scope
from providers.models import Company


@dataclass(frozen=True)
class MonthForecast:
    """The dashboard's and a company's figure."""

    month: str  # "November"
    value: str  # a line per currency; empty where there is nothing to go by
    note: str

    @property
    def is_known(self) -> bool:
        return bool(self.value)


def month_forecast(scope: Scope, currency: str) -> MonthForecast:
    """Of all usage in the scope, whatever its range; two queries. ``currency`` names a zero."""
    by_day = {day: sums for (day,), sums in totals_by(scope.recent_usage, "day").items()}
    first_use = scope.every_day.order_by("day").values_list("day", flat=True).first()
    expected = _by_currency(by_day, scope, first_use, currency)
    month = f"{scope.today:%B}"
    if not expected:
        return MonthForecast(month, "", cells.NO_FORECAST)
    value = cells.lines(Money(name, one.amount) for name, one in expected.items())
    return MonthForecast(month, value, f"{cells.forecast_range(expected)}, from the last {BASIS_DAYS} complete days")


def forecasts_by_company(scope: Scope, currency: str) -> dict[int | None, Cell]:
    """A cell for each company that ever had usage, and for what is unassigned (None); three queries."""
    recent: dict[int | None, dict[date, Totals]] = defaultdict(dict)
    for (company_id, day), sums in totals_by(scope.recent_usage, "company_id", "day").items():
        recent[company_id][day] = sums
    return {
        company_id: cells.forecast(_by_currency(recent[company_id], scope, first_use, currency))
        for company_id, first_use in _first_uses(scope).items()
        if first_use
    }


def _by_currency(
    by_day: Mapping[date, Totals], scope: Scope, first_use: date | None, currency: str
) -> dict[str, Forecast]:
    """For each currency that was paid in lately; nothing where there is nothing to go by."""
    paid = {money.currency for sums in by_day.values() for money in sums.costs if money.amount}
    found = {
        name: forecast(
            {day: sums.cost_in(name) for day, sums in by_day.items()},
            scope.complete_recently,
            today=scope.today,
            first_use=first_use,
        )
        for name in sorted(paid) or [currency]
    }
    return {name: one for name, one in found.items() if one}


def _first_uses(scope: Scope) -> dict[int | None, date | None]:
    """The first day with usage of each company, looked up in the index of each; None: of what is unassigned."""
    of_company = scope.every_day.filter(company=OuterRef("pk")).order_by("day").values("day")[:1]
    unassigned = scope.every_day.filter(company=None).order_by("day").values_list("day", flat=True).first()
    return {None: unassigned} | dict(
        Company.objects.order_by().annotate(first_use=Subquery(of_company)).values_list("pk", "first_use")
    )
