"""Forecasts as pages show them: of everything in a scope, and of each company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from costs import cells
from costs.cells import Cell
from costs.forecast import BASIS_DAYS, forecast
from costs.money import Money
from costs.totals import totals_by
from costs.views.scope import Scope


@dataclass(frozen=True)
class MonthForecast:
    """The dashboard's and a company's figure."""

    month: str  # "November"
    value: str  # empty where there is nothing to go by
    note: str

    @property
    def is_known(self) -> bool:
        return bool(self.value)


def month_forecast(scope: Scope, first_use: date | None, currency: str) -> MonthForecast:
    """Of all usage in the scope, whatever its range; one query."""
    by_day = {day: sums.cost_in(currency) for (day,), sums in totals_by(scope.recent_usage, "day").items()}
    expected = forecast(by_day, scope.complete_recently, today=scope.today, first_use=first_use)
    month = f"{scope.today:%B}"
    if expected is None:
        return MonthForecast(month, "", cells.NO_FORECAST)
    between = f"{Money(currency, expected.low)} to {Money(currency, expected.high)}"
    return MonthForecast(
        month, str(Money(currency, expected.amount)), f"{between}, from the last {BASIS_DAYS} complete days"
    )


def forecasts_by_company(scope: Scope, first_uses: Mapping[Any, date], currency: str) -> dict[Any, Cell]:
    """A cell for each company with usage lately; one query."""
    by_company: dict[Any, dict[date, Any]] = {}
    for (company_id, day), sums in totals_by(scope.recent_usage, "company_id", "day").items():
        by_company.setdefault(company_id, {})[day] = sums.cost_in(currency)
    return {
        company_id: cells.forecast(
            forecast(by_day, scope.complete_recently, today=scope.today, first_use=first_uses.get(company_id)), currency
        )
        for company_id, by_day in by_company.items()
    }
