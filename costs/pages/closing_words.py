"""How pages and commands say whether a month can be closed, why not, and what to know before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from core import wording
from core.months import days_of, months_between, name_of
from core.sums import TotalTooLargeError
from core.wording import count
from costs.models import SETTLES_AFTER, end_of
from costs.pages.statement_tables import statement_words
from costs.reports.totals import Totals
from costs.statements.closing import Hindrance, LackingDays, LeftBehind, MonthStatus, Reason, State
from costs.statements.contents import StatementView
from providers.models import Provider


def status_label(status: MonthStatus) -> str:
    """ "Settling until 8 Nov 2026"."""
    hindrances = {reason.hindrance for reason in status.reasons}
    match status.state:
        case State.OPEN:
            return "Open"
        case State.CLOSED:
            return "Closed"
        case State.READY:
            return "Ready to close"
        case State.SETTLING if status.settles_at:
            return f"Settling until {wording.day(status.settles_at.date())}"
    if Hindrance.NOT_KNOWN in hindrances:
        return "Nothing known"
    if Hindrance.PASSED in hindrances:
        return "Not closed"
    if Hindrance.BEFORE_HISTORY in hindrances:
        return "Not read"
    return "Waiting for a sync" if Hindrance.UNREAD in hindrances else "Settled"


def sentences(reasons: Iterable[Reason]) -> list[str]:
    """Why the month can't be closed now, and what ends it."""
    return [_sentence(reason) for reason in reasons]


def _sentence(reason: Reason) -> str:
    month, other = name_of(reason.month), name_of(reason.other) if reason.other else ""
    match reason.hindrance:
        case Hindrance.CLOSED:
            return f"{month} is already closed."
        case Hindrance.NOT_OVER:
            settles = wording.day((end_of(days_of(reason.month).last) + SETTLES_AFTER).date())
            return f"{month} is not over yet. It can be closed from {settles} on."
        case Hindrance.NOT_KNOWN:
            return f"Nothing is known of {month}: no provider's history reaches back to it."
        case Hindrance.PASSED:
            return f"Months are closed in order, and {other} is closed already."
        case Hindrance.NOT_NEXT:
            return f"Close {other} first: months are closed in order."
        case Hindrance.TOO_LARGE:
            return TotalTooLargeError.text
    return _of_days(reason.hindrance, reason.lacking, month) if reason.lacking else ""


def _of_days(hindrance: Hindrance, lacking: LackingDays, month: str) -> str:
    provider, is_one = lacking.provider, len(lacking.days) == 1
    them, they_settle = ("it", "it settles") if is_one else ("them", "they settle")
    lead = f"{provider.name}: {count(len(lacking.days), 'day')} of {month} {'has' if is_one else 'have'}"
    if hindrance is Hindrance.UNSETTLED:
        return f"{lead} not settled yet; {they_settle} on {wording.day(lacking.settles_at.date())}."
    if hindrance is Hindrance.BEFORE_HISTORY:
        begins = wording.day(provider.history_from)
        return f"{lead} not been read: its history begins on {begins}. Re-sync {them} on its page, under Manage."
    advice = (
        f"Resume its syncing to read {them}, or disconnect it to close without."
        if provider.paused_at
        else f"The next sync that succeeds reads {them}."
    )
    return f"{lead} not been read since {'it' if is_one else 'they'} settled. {advice}"


# --- What to know before ----------------------------------------------------------------------------------------------


def final_warnings(status: MonthStatus) -> list[str]:
    """A sentence for each disconnected provider of which days were never read again."""
    return [_final(lacking, name_of(status.month)) for lacking in status.final]


def unpriced_warnings(sheets: Iterable[StatementView], providers: Sequence[Provider]) -> list[str]:
    """A sentence for each company some of whose usage is on the statement without a cost."""
    return [_unpriced(sheet, statement_words([sheet], providers).name) for sheet in sheets if sheet.unpriced]


def unassigned_warnings(unassigned: Totals) -> list[str]:
    """A sentence where some of a month's usage is on no statement."""
    if unassigned.is_idle:
        return []
    amounts = " and ".join(str(money) for money in unassigned.costs if money.amount)
    return [
        (
            f"There is {f'{amounts} of ' if amounts else ''}unassigned usage, which is on nobody's statement. "
            "Once a company is assigned, its next statement carries it."
        )
    ]


def left_behind_warnings(left: LeftBehind | None, month: date) -> list[str]:
    """A sentence where closing ``month`` first would leave earlier ones that never can be."""
    if left is None:
        return []
    lost = f" Usage of {_named(left.used)} will be on no statement." if left.used else ""
    return [
        (
            f"Closing begins with {name_of(month)}: {_named(left.months)} can't be "
            f"closed any more after it, nor can any month before.{lost}"
        )
    ]


def _final(lacking: LackingDays, month: str) -> str:
    provider = lacking.provider
    since = wording.day(provider.disconnected_at.date()) if provider.disconnected_at else ""
    return (
        f"{provider.name} was disconnected on {since}: {count(len(lacking.days), 'day')} of {month} "
        f"{'was' if len(lacking.days) == 1 else 'were'} not read after settling. What was read until then is final."
    )


def _unpriced(sheet: StatementView, provider: str) -> str:
    have = "has" if sheet.unpriced == 1 else "have"
    return (
        f"{sheet.company_name}: {count(sheet.unpriced, 'line')} of usage {have} no price yet. "
        f"Once {provider} has priced it, the next statement carries the cost."
    )


def _named(months: Sequence[date]) -> str:
    """ "August 2026", "August 2026 and October 2026", "November 2025 to October 2026"; oldest first."""
    in_a_row = len(months) > 2 and list(months) == months_between(months[0], months[-1])[::-1]
    if in_a_row:
        return f"{name_of(months[0])} to {name_of(months[-1])}"
    *others, last = (name_of(month) for month in months)
    return f"{', '.join(others)} and {last}" if others else last
