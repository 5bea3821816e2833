"""Forecasts as pages show them: of everything in a scope, and of each company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import OuterRef, Subquery

from core.cells import Cell
from costs.pages import formatters
from costs.pages.views.scope import Scope
from costs.reports.forecast import BASIS_DAYS, Expected, expect
from costs.reports.totals import Totals, totals_by
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
    expected = _expected(by_day, scope, first_use, currency)
    cell = formatters.forecast(expected, waits_for_prices=scope.waits_for_prices, with_range=False, words=scope.words)
    month = f"{scope.today:%B}"
    if cell.value is None:
        return MonthForecast(month, "", cell.note)
    parts = (formatters.forecast_range(expected), f"from the last {BASIS_DAYS} complete days")
    return MonthForecast(month, cell, ", ".join(filter(None, parts)))


def forecasts_by_company(scope: Scope, currency: str) -> dict[int | None, Cell]:
    """A cell for each company that ever had usage, and for what is unassigned (None); three queries."""
    recent: dict[int | None, dict[date, Totals]] = defaultdict(dict)
    for (company_id, day), sums in totals_by(scope.recent_usage, "company_id", "day").items():
        recent[company_id][day] = sums
    return {
        company_id: formatters.forecast(
            _expected(recent[company_id], scope, first_use, currency),
            waits_for_prices=scope.waits_for_prices,
            words=scope.words,
        )
        for company_id, first_use in _first_uses(scope).items()
        if first_use
    }


def _expected(by_day: Mapping[date, Totals], scope: Scope, first_use: date | None, currency: str) -> Expected:
    return expect(by_day, scope.complete_recently, today=scope.today, first_use=first_use, currency=currency)


def _first_uses(scope: Scope) -> dict[int | None, date | None]:
    """The first day with usage of each company, looked up in the index of each; None: of what is unassigned."""
    of_company = scope.every_day.filter(company=OuterRef("pk")).order_by("day").values("day")[:1]
    unassigned = scope.every_day.filter(company=None).order_by("day").values_list("day", flat=True).first()
    return {None: unassigned} | dict(
        Company.objects.order_by().annotate(first_use=Subquery(of_company)).values_list("pk", "first_use")
    )
