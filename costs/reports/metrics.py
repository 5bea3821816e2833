"""The four figures of usage, and what each of them means."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from costs.reports.totals import Totals


@dataclass(frozen=True)
class Metric:
    slug: str
    label: str
    explanation: str
    digits: int = 0  # that are shown

    def value(self, totals: Totals, currency: str) -> Decimal | int | None:
        """The exact figure – of cost, the part in ``currency``; None where none is known."""
        if self.slug != "cost":
            return getattr(totals, self.slug)  # type: ignore[no-any-return]  # one of three fields of Totals
        return next((money.amount for money in totals.costs if money.currency == currency), None)


COST = Metric("cost", "Cost", "Actual spend as ElevenLabs reports it for your plan and usage.")
CREDITS = Metric(
    "credits",
    "Credits",
    "ElevenLabs credits consumed: characters for text to speech, minutes for speech to text.",
)
MINUTES = Metric("minutes", "Minutes", "Minutes of audio, as ElevenLabs reports them.", digits=1)
REQUESTS = Metric("requests", "Requests", "Number of API calls.")

METRICS = {metric.slug: metric for metric in (COST, CREDITS, MINUTES, REQUESTS)}
