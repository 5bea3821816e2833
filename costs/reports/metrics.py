"""The four figures of usage; what each of them means is the provider type's to say."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from costs.reports.totals import Totals


@dataclass(frozen=True)
class Metric:
    slug: str
    label: str
    explanation: str = ""  # of the provider type that a page counts
    digits: int = 0  # that are shown

    def value(self, totals: Totals, currency: str) -> Decimal | int | None:
        """The exact figure – of cost, the part in ``currency``; None where none is known."""
        if self.slug != "cost":
            return getattr(totals, self.slug)  # type: ignore[no-any-return]  # one of three fields of Totals
        return next((money.amount for money in totals.costs if money.currency == currency), None)


COST = Metric("cost", "Cost")
CREDITS = Metric("credits", "Credits")
MINUTES = Metric("minutes", "Minutes", digits=1)
REQUESTS = Metric("requests", "Requests")

METRICS = {metric.slug: metric for metric in (COST, CREDITS, MINUTES, REQUESTS)}
