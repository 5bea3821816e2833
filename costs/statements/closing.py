"""Closing a month: when it may be done, and doing it. The one writer of ClosedMonth, Statement and StatementLine.

A month is closed for all companies at once, and months are closed in order: the first may be any that is known, every
other is the one after the latest. It has to be settled: every day of it, of every provider that is connected, was read
again when its figures no longer changed. Nothing that was closed is opened again; what changes later is carried by the
next statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Min, Q

from core import wording
from core.audit import audit_event
from core.csv_files import plain
from core.months import days_of, first_of, following, months_between, name_of, preceding
from core.sums import TotalTooLargeError
from core.wording import count
from costs.models import SETTLES_AFTER, ClosedMonth, DailyTotal, ReadDay, Statement, StatementLine, end_of
from costs.reports.totals import Totals
from costs.statements.adjustments import closed_months
from costs.statements.contents import StatementView, draft_sheets, sum_of
from costs.usage.attribution import locked
from providers.models import Provider
from providers.registry import words_for

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Unsettled = Mapping[tuple[int, date], Sequence[date]]


class NotClosableError(Exception):
    """The month can't be closed now; ``reasons`` are sentences for the person."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


class AlreadyClosedError(NotClosableError):
    """The month is closed already, perhaps by a concurrent request."""


class State(Enum):
    OPEN = "open"  # not over
    SETTLING = "settling"
    READY = "ready"
    WAITING = "waiting"  # settled, but not its turn
    CLOSED = "closed"


@dataclass(frozen=True)
class MonthStatus:
    """The state of a month: whether it is closed, can be closed, or why not yet."""

    month: date
    state: State
    label: str  # "Settling until 8 Nov 2026"
    reasons: tuple[str, ...] = ()  # why it can't be closed now
    warnings: tuple[str, ...] = ()  # what is final although it was never read again
    closed: ClosedMonth | None = None
    is_first: bool = False  # no month is closed yet
    resync: tuple[Provider, ...] = ()  # whose days only a manual sync reads


def known_since(providers: Iterable[Provider], first_closed: date | None) -> date | None:
    """The first month of which anything is known; None where nothing is. One query."""
    days = [
        *(provider.history_from for provider in providers),
        DailyTotal.objects.aggregate(first=Min("day"))["first"],
        first_closed,
    ]
    known = [day for day in days if day is not None]
    return first_of(min(known)) if known else None


def month_statuses(
    months: Sequence[date], *, providers: Sequence[Provider], now: datetime, since: date | None = None
) -> list[MonthStatus]:
    """The status of each of ``months``; ``providers`` are all of them. At most three queries.

    ``since`` is the first month of which anything is known, if the caller has it already.
    """
    closed = {each.month: each for each in ClosedMonth.objects.select_related("closed_by")}
    over = [month for month in months if month not in closed and days_of(month).last < now.date()]
    unsettled = _unsettled(providers, over)
    since = since or min((first_of(provider.history_from) for provider in providers), default=date.max)
    if over and min(over) < since:  # what was read again on demand may be older
        since = known_since(providers, min(closed, default=None)) or date.max
    result = []
    for month in months:
        if month in closed:
            result.append(MonthStatus(month, State.CLOSED, "Closed", closed=closed[month]))
        elif month not in over:
            settles = wording.day((end_of(days_of(month).last) + SETTLES_AFTER).date())
            reason = f"{name_of(month)} is not over yet. It can be closed from {settles} on."
            result.append(MonthStatus(month, State.OPEN, "Open", (reason,)))
        elif month < since:
            reason = f"Nothing is known of {name_of(month)}: no provider's history reaches back to it."
            result.append(MonthStatus(month, State.WAITING, "Nothing known", (reason,)))
        else:
            result.append(_status(month, providers, unsettled, closed.keys(), now))
    return result


def next_to_close(statuses: Iterable[MonthStatus]) -> MonthStatus | None:
    """The month to offer: once any is closed the next one, until then the first with usage or, without any, the latest.

    At most one query.
    """
    ready = sorted((status for status in statuses if status.state is State.READY), key=lambda status: status.month)
    if len(ready) < 2:
        return ready[0] if ready else None
    used = _months_with_usage(before=following(ready[-1].month))
    return next((status for status in ready if status.month in used), ready[-1])


def _months_with_usage(*, before: date) -> set[date]:
    figures = ("credits", "minutes", "requests", "cost", "unpriced_rows")
    used = DailyTotal.objects.filter(Q(*((f"{name}__gt", 0) for name in figures), _connector=Q.OR), day__lt=before)
    return set(used.order_by().dates("day", "month"))


@transaction.atomic
def close_month(*, month: date, closed_by: User | None = None, now: datetime) -> ClosedMonth:
    """Freeze the statement of every company that has usage of ``month`` or an adjustment.

    Raises NotClosableError – AlreadyClosedError where it is closed – and then changes nothing.
    """
    # No sync and no assignment changes what is summed up here until it is frozen; a second close waits, too.
    providers = locked(list(Provider.objects.values_list("pk", flat=True)))
    (status,) = month_statuses([month], providers=providers, now=now)
    if status.state is State.CLOSED:
        raise AlreadyClosedError([f"{name_of(month)} is already closed."])
    if status.state is not State.READY:
        raise NotClosableError(status.reasons)
    # What waits for a price is nothing that could be billed.
    sheets = [sheet for sheet in draft_sheets(month, closed=closed_months(), with_reasons=True) if sheet.lines]
    try:
        with transaction.atomic():
            closed = ClosedMonth.objects.create(month=month, closed_at=now, closed_by=closed_by)
    except IntegrityError:  # where no provider is left, there was nothing to wait for
        raise AlreadyClosedError([f"{name_of(month)} is already closed."]) from None
    statements = Statement.objects.bulk_create(
        Statement(
            closed_month=closed,
            company=sheet.company,
            company_name=sheet.company_name,
            markup_percent=sheet.markup_percent,
        )
        for sheet in sheets
    )
    for statement, sheet in zip(statements, sheets, strict=True):
        for line in sheet.lines:
            line.statement = statement
    try:
        StatementLine.objects.bulk_create((line for sheet in sheets for line in sheet.lines), batch_size=2000)
    except TotalTooLargeError as error:
        raise NotClosableError([error.text]) from None
    audit_event(
        "month.closed",
        closed,
        actor=closed_by,
        new={
            "month": f"{month:%Y-%m}",
            "statements": len(statements),
            "cost": {amounts.currency: plain(amounts.cost) for amounts in sum_of(sheets)},
        },
    )
    return closed


def unpriced_warnings(sheets: Iterable[StatementView]) -> list[str]:
    """A sentence for each company some of whose usage is on the statement without a cost."""
    return [
        f"{sheet.company_name}: {count(sheet.unpriced, 'line')} of usage {'has' if sheet.unpriced == 1 else 'have'} no "
        f"price yet. Once {words_for().name} has priced it, the next statement carries the cost."
        for sheet in sheets
        if sheet.unpriced
    ]


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


def left_behind_warnings(status: MonthStatus, providers: Iterable[Provider]) -> list[str]:
    """A sentence where closing a month first would leave earlier ones that never can be; at most two queries."""
    month = status.month
    since = known_since(providers, None) if status.is_first else None
    if since is None or since >= month:
        return []
    used = sorted(_months_with_usage(before=month))
    lost = f" Usage of {_named(used)} will be on no statement." if used else ""
    return [
        (
            f"Closing begins with {name_of(month)}: {_named(months_between(since, preceding(month))[::-1])} can't be "
            f"closed any more after it, nor can any month before.{lost}"
        )
    ]


def _named(months: Sequence[date]) -> str:
    """ "August 2026", "August 2026 and October 2026", "November 2025 to October 2026"; oldest first."""
    in_a_row = len(months) > 2 and list(months) == months_between(months[0], months[-1])[::-1]
    if in_a_row:
        return f"{name_of(months[0])} to {name_of(months[-1])}"
    *others, last = (name_of(month) for month in months)
    return f"{', '.join(others)} and {last}" if others else last


# --- Whether it has settled -------------------------------------------------------------------------------------------


def _unsettled(providers: Sequence[Provider], months: Sequence[date]) -> Unsettled:
    """The days of ``months`` that were not read after they had settled, by provider id.

    Of a provider that was disconnected: up to that day.
    """
    if not months:
        return {}
    settled = {
        (read_day.provider_id, read_day.day)
        for read_day in ReadDay.objects.between(min(months), days_of(max(months)).last)
        if read_day.is_settled
    }
    result = {}
    for provider in providers:
        last = provider.disconnected_at.date() if provider.disconnected_at else date.max
        for month in months:
            if days := [day for day in days_of(month) if day <= last and (provider.pk, day) not in settled]:
                result[provider.pk, month] = days
    return result


def _status(
    month: date, providers: Sequence[Provider], unsettled: Unsettled, closed: Iterable[date], now: datetime
) -> MonthStatus:
    """Of a month that is over, known, and not closed."""
    lacking = [(provider, unsettled[provider.pk, month]) for provider in providers if (provider.pk, month) in unsettled]
    warnings = tuple(_final(provider, days, month) for provider, days in lacking if provider.disconnected_at)
    waited_for = [(provider, days) for provider, days in lacking if not provider.disconnected_at]
    latest = max(closed, default=None)
    if latest is not None and month < latest:
        reason = f"Months are closed in order, and {name_of(latest)} is closed already."
        return MonthStatus(month, State.WAITING, "Not closed", (reason,), warnings)
    reasons = tuple(_reason(provider, days, month, now) for provider, days in waited_for)
    if latest is not None and month != following(latest):
        reasons = (f"Close {name_of(following(latest))} first: months are closed in order.", *reasons)
    if not reasons:
        return MonthStatus(month, State.READY, "Ready to close", (), warnings, is_first=latest is None)
    settles = max((_settles_at(days) for _provider, days in waited_for), default=now)
    if settles > now:
        return MonthStatus(month, State.SETTLING, f"Settling until {wording.day(settles.date())}", reasons, warnings)
    unread = tuple(provider for provider, days in waited_for if _is_before_history(provider, days))
    label = "Not read" if unread else "Waiting for a sync" if waited_for else "Settled"
    return MonthStatus(month, State.WAITING, label, reasons, warnings, resync=unread)


def _settles_at(days: Sequence[date]) -> datetime:
    return end_of(days[-1]) + SETTLES_AFTER


def _is_before_history(provider: Provider, days: Sequence[date]) -> bool:
    """Whether no sync reads the first of ``days`` by itself."""
    return days[0] < provider.history_from


def _reason(provider: Provider, days: Sequence[date], month: date, now: datetime) -> str:
    """Why a provider's days keep the month open, and what ends it."""
    is_one = len(days) == 1
    lead = f"{provider.name}: {count(len(days), 'day')} of {name_of(month)} {'has' if is_one else 'have'}"
    if _settles_at(days) > now:
        settles = f"{'it settles' if is_one else 'they settle'} on {wording.day(_settles_at(days).date())}"
        return f"{lead} not settled yet; {settles}."
    them = "it" if is_one else "them"
    if _is_before_history(provider, days):
        begins = wording.day(provider.history_from)
        return f"{lead} not been read: its history begins on {begins}. Re-sync {them} on its page, under Manage."
    advice = (
        f"Resume its syncing to read {them}, or disconnect it to close without."
        if provider.paused_at
        else f"The next sync that succeeds reads {them}."
    )
    return f"{lead} not been read since {'it' if is_one else 'they'} settled. {advice}"


def _final(provider: Provider, days: Sequence[date], month: date) -> str:
    """A disconnected provider can't be read again, and must not keep months open for ever."""
    since = wording.day(provider.disconnected_at.date()) if provider.disconnected_at else ""
    return (
        f"{provider.name} was disconnected on {since}: {count(len(days), 'day')} of {name_of(month)} "
        f"{'was' if len(days) == 1 else 'were'} not read after settling. What was read until then is final."
    )
