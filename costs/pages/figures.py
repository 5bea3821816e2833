"""The figures of one report as cells: in its currency, by its comparison, in the words of the providers it counts."""

from __future__ import annotations

from dataclasses import dataclass

from core.cells import Cell
from costs.pages import formatters, usage_tables
from costs.pages.words import PageWords
from costs.reports.comparison import Change
from costs.reports.forecast import Expected
from costs.reports.scope import Scope
from costs.reports.totals import Totals
from costs.usage.coverage import Reading


@dataclass(frozen=True)
class Figures:
    """Of ``is_total`` what has not been read is said; rows under it are not marked one by one."""

    scope: Scope
    currency: str
    words: PageWords

    def money(self, totals: Totals, *, is_total: bool = False) -> Cell:
        return formatters.money(totals, self.currency, reading=self._reading(is_total=is_total), words=self.words)

    def amount(self, totals: Totals, figure: str, *, is_total: bool = False) -> Cell:
        return formatters.amount(totals, figure, reading=self._reading(is_total=is_total), words=self.words)

    def spend(self, totals: Totals, *, is_total: bool = False) -> tuple[str, ...]:
        """The cells of SPEND_COLUMNS."""
        return usage_tables.spend(totals, self.currency, self._reading(is_total=is_total), self.words)

    def others(self, totals: Totals, *, is_total: bool = False) -> tuple[str, ...]:
        """The cells of OTHER_COLUMNS."""
        return usage_tables.others(totals, self._reading(is_total=is_total), self.words)

    def change(self, change: Change) -> Cell:
        return formatters.change(change, self.currency, self.scope.comparison, words=self.words)

    def share(self, totals: Totals, whole: Totals) -> Cell:
        return formatters.share(totals, whole, self.currency, words=self.words)

    def forecast(self, expected: Expected, *, with_range: bool = True) -> Cell:
        waits = self.scope.waits_for_prices
        return formatters.forecast(expected, waits_for_prices=waits, with_range=with_range, words=self.words)

    def _reading(self, *, is_total: bool) -> Reading:
        return self.scope.coverage.reading if is_total else self.scope.coverage.row_reading
