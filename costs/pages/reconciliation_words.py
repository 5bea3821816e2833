"""How pages and the API say what a reconciliation found."""

from __future__ import annotations

from core.money import format_number
from core.wording import clock, count
from costs.reports.reconciliation import Reconciliation, Verdict
from providers.type_words import TypeWords


def summary(found: Reconciliation, words: TypeWords) -> str:
    """Both numbers, in the unit of the type's plans."""
    days, theirs = found.period.days, format_number(found.theirs)
    if found.verdict is Verdict.UNKNOWN:
        return f"{days}: {theirs} {words.plan_unit} by {words.whose} count."
    return (
        f"{days}: {format_number(found.ours)} {words.plan_unit} in these rows, "
        f"{theirs} by {words.whose} count – {_compared(found)}."
    )


def explanation(found: Reconciliation, words: TypeWords) -> str:
    """Why they differ, or that nothing here says why; empty where they don't."""
    unit, begins_at = words.plan_unit, found.period.begins
    edges = (
        f"The period began on {begins_at.day} {begins_at:%b} at {clock(begins_at)} and days are counted whole; "
        "the latest usage may not be reported yet. "
        f"The days at its edges hold {format_number(found.explainable)} {unit}"
    )
    match found.verdict:
        case Verdict.EQUAL:
            return ""
        case Verdict.EXPLAINED:
            return f"{edges}, which explains it."
        case Verdict.OVERAGE:
            return f"The plan's {unit} are used up: usage beyond them is overage, which that count leaves out."
        case Verdict.UNREAD:
            have = "has" if len(found.unread) == 1 else "have"
            return f"{count(len(found.unread), 'day')} of the period {have} not been read yet."
        case Verdict.UNKNOWN:
            return f"Some usage of the period is reported by cost only, without {unit}."
        case Verdict.UNEXPLAINED:
            return f"{edges}: less than the difference. Re-sync the period; if it stays, ask {words.name}."


def _compared(found: Reconciliation) -> str:
    if not found.difference:
        return "the same"
    return f"{format_number(abs(found.difference))} {'more' if found.difference > 0 else 'fewer'} here"
