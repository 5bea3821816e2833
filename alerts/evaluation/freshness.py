"""How far the figures of a message reach, what may still change, and what belongs to no company, in sentences."""

from __future__ import annotations

from core.days import DateRange
from core.wording import day, joined
from costs.reports.totals import Totals
from costs.usage.coverage import Coverage


def freshness_sentences(coverage: Coverage, days: DateRange) -> list[str]:
    """Of what is known of ``days``; everything in UTC."""
    if not coverage.read:
        return ["No day has been read yet of every provider."]
    through = f"Figures reach through {day(max(coverage.read))}, UTC"
    changing = [one for one in (*coverage.provisional, *coverage.unread) if days.first <= one <= days.last]
    return [
        f"{through}; those from {day(min(changing))} on may still change."
        if changing
        else f"{through}, and have settled."
    ]


def unassigned_sentence(totals: Totals, period: str) -> str:
    amounts = [str(money) for money in totals.costs if money.amount]
    return f"{joined(amounts) if amounts else 'Nothing'} of {period} is assigned to no company."
