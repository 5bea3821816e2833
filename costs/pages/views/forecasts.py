"""The forecast of the current month as a figure of a page."""

from __future__ import annotations

from dataclasses import dataclass

from costs.pages import formatters
from costs.pages.figures import Figures
from costs.reports.forecast import Expected


@dataclass(frozen=True)
class MonthForecast:
    """The dashboard's and a company's figure."""

    month: str  # "November"
    value: str  # a line per currency; empty where there is nothing to go by
    note: str

    @property
    def is_known(self) -> bool:
        return bool(self.value)


def month_forecast(expected: Expected, figures: Figures) -> MonthForecast:
    """``expected`` with its range as a note, or the reason why there is none."""
    cell = figures.forecast(expected, with_range=False)
    month = f"{figures.scope.today:%B}"
    if cell.value is None:
        return MonthForecast(month, "", cell.note)
    parts = (formatters.forecast_range(expected), expected.basis.value)
    return MonthForecast(month, cell, ", ".join(filter(None, parts)))
