"""Closing a month: when it may be done, and doing it. The one writer of ClosedMonth, Statement and StatementLine.

A month is closed for all companies at once, and months are closed in order: the first may be any that is known, every
other is the one after the latest. It has to be settled: every day of it, of every provider that is connected, was read
again when its figures no longer changed. Nothing that was closed is opened again; what changes later is carried by the
next statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from core.audit import audit_event
from core.csv_files import plain
from core.days import DateRange
from core.months import days_of, first_of, following, months_between, preceding
from core.sums import TotalTooLargeError
from costs.models import SETTLES_AFTER, ClosedMonth, Letterhead, Statement, StatementLine, end_of
from costs.reports.totals import all_usage
from costs.statements.adjustments import ClosedMonths, span_of
from costs.statements.contents import draft_sheets, sum_of
from costs.usage.attribution import locked
from costs.usage.coverage import coverage_by_provider
from providers.models import Provider

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_Unsettled = Mapping[tuple[int, date], Sequence[date]]


class Hindrance(Enum):
    """What keeps a month from being closed."""

    CLOSED = "closed"  # it is already, perhaps by a concurrent request
    NOT_OVER = "not_over"
    NOT_KNOWN = "not_known"  # no provider's history reaches back to it
    PASSED = "passed"  # a later month is closed
    NOT_NEXT = "not_next"  # an earlier one comes first
    UNSETTLED = "unsettled"  # days of a provider
    UNREAD = "unread"  # days of a provider that have settled, but were not read since
    BEFORE_HISTORY = "before_history"  # days of a provider that only a manual sync reads
    TOO_LARGE = "too_large"  # see TotalTooLargeError


@dataclass(frozen=True)
class LackingDays:
    """Days of a month that were not read after they had settled."""

    provider: Provider
    days: Sequence[date]

    @property
    def settles_at(self) -> datetime:
        return end_of(self.days[-1]) + SETTLES_AFTER

    def hindrance(self, now: datetime) -> Hindrance:
        if self.settles_at > now:
            return Hindrance.UNSETTLED
        return Hindrance.BEFORE_HISTORY if self.days[0] < self.provider.history_from else Hindrance.UNREAD


@dataclass(frozen=True)
class Reason:
    """Why ``month`` can't be closed now."""

    hindrance: Hindrance
    month: date
    other: date | None = None  # the month that is closed already or comes first
    lacking: LackingDays | None = None


class NotClosableError(Exception):
    """The month can't be closed now, for these reasons."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(", ".join(reason.hindrance.value for reason in reasons))
        self.reasons = tuple(reasons)


class AlreadyClosedError(NotClosableError):
    """The month is closed already, perhaps by a concurrent request."""

    def __init__(self, month: date) -> None:
        super().__init__([Reason(Hindrance.CLOSED, month)])


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
    reasons: tuple[Reason, ...] = ()  # why it can't be closed now
    final: tuple[LackingDays, ...] = ()  # of disconnected providers: what closing leaves as it was last read
    closed: ClosedMonth | None = None
    all_closed: ClosedMonths | None = None  # None: no month is closed yet

    @property
    def settles_at(self) -> datetime | None:
        """When the last of the days that it waits for settles; None where it waits for none."""
        return max((reason.lacking.settles_at for reason in self.reasons if reason.lacking), default=None)

    @property
    def resync(self) -> tuple[Provider, ...]:
        """Providers whose days only a manual sync reads, once nothing has to settle any more."""
        if self.state is not State.WAITING:
            return ()
        return tuple(
            reason.lacking.provider
            for reason in self.reasons
            if reason.lacking and reason.hindrance is Hindrance.BEFORE_HISTORY
        )


@dataclass(frozen=True)
class LeftBehind:
    """Months that can't be closed any more once a later one is; oldest first."""

    months: Sequence[date]
    used: Sequence[date]  # of any of them and of earlier ones, those with usage


def known_since(providers: Iterable[Provider], first_closed: date | None) -> date | None:
    """The first month of which anything is known; None where nothing is. One query."""
    days = [
        *(provider.history_from for provider in providers),
        all_usage().first_day(),
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
            result.append(MonthStatus(month, State.CLOSED, closed=closed[month]))
        elif month not in over:
            result.append(MonthStatus(month, State.OPEN, (Reason(Hindrance.NOT_OVER, month),)))
        elif month < since:
            result.append(MonthStatus(month, State.WAITING, (Reason(Hindrance.NOT_KNOWN, month),)))
        else:
            result.append(_status(month, providers, unsettled, closed.keys(), now))
    all_closed = span_of(closed.values())
    return [replace(each, all_closed=all_closed) for each in result]


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
    used = Q(*((f"{name}__gt", 0) for name in figures), _connector=Q.OR)
    months = all_usage().sums_of_months().filter(used, day__lt=before)
    return set(months.order_by().values_list("day", flat=True).distinct())


@transaction.atomic
def close_month(*, month: date, closed_by: User | None = None, now: datetime) -> ClosedMonth:
    """Freeze the statement of every company that has usage of ``month`` or an adjustment.

    Raises NotClosableError – AlreadyClosedError where it is closed – and then changes nothing.
    """
    # No sync and no assignment changes what is summed up here until it is frozen; a second close waits, too.
    providers = locked(list(Provider.objects.values_list("pk", flat=True)))
    (status,) = month_statuses([month], providers=providers, now=now)
    if status.state is State.CLOSED:
        raise AlreadyClosedError(month)
    if status.state is not State.READY:
        raise NotClosableError(status.reasons)
    # What waits for a price is nothing that could be billed.
    sheets = [sheet for sheet in draft_sheets(month, closed=status.all_closed, with_reasons=True) if sheet.lines]
    try:
        with transaction.atomic():
            letterhead = Letterhead.objects.present()
            closed = ClosedMonth.objects.create(
                month=month,
                closed_at=now,
                closed_by=closed_by,
                letterhead=None if letterhead.is_empty else letterhead,
            )
    except IntegrityError:  # where no provider is left, there was nothing to wait for
        raise AlreadyClosedError(month) from None
    serial = (Statement.objects.aggregate(latest=Max("serial"))["latest"] or 0) + 1
    statements = Statement.objects.bulk_create(
        Statement(
            serial=serial + place,
            number=letterhead.number(serial + place, month),
            amounts=sheet.amounts_shown,
            lines_by=sheet.lines_by,
            closed_month=closed,
            company=sheet.company,
            company_name=sheet.company_name,
            markup_percent=sheet.markup_percent,
        )
        for place, sheet in enumerate(sheets)
    )
    for statement, sheet in zip(statements, sheets, strict=True):
        for line in sheet.lines:
            line.statement = statement
    try:
        StatementLine.objects.bulk_create((line for sheet in sheets for line in sheet.lines), batch_size=2000)
    except TotalTooLargeError:
        raise NotClosableError([Reason(Hindrance.TOO_LARGE, month)]) from None
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


def left_behind_by(status: MonthStatus, providers: Iterable[Provider]) -> LeftBehind | None:
    """What closing this month first would leave behind for ever; None where nothing. At most two queries."""
    month = status.month
    since = known_since(providers, None) if status.state is State.READY and not status.all_closed else None
    if since is None or since >= month:
        return None
    return LeftBehind(months_between(since, preceding(month))[::-1], sorted(_months_with_usage(before=month)))


# --- Whether it has settled -------------------------------------------------------------------------------------------


def _unsettled(providers: Sequence[Provider], months: Sequence[date]) -> _Unsettled:
    """The days of ``months`` that were not read after they had settled, by provider id.

    Of a provider that was disconnected: up to that day.
    """
    if not months:
        return {}
    span = DateRange(min(months), days_of(max(months)).last)
    by_provider = coverage_by_provider(providers, span, today=span.last)
    found: dict[tuple[int, date], dict[date, list[date]]] = {}  # by what is known and the last day
    result: dict[tuple[int, date], Sequence[date]] = {}
    for provider in providers:
        last = provider.disconnected_at.date() if provider.disconnected_at else date.max
        known = by_provider[provider.pk]
        if (id(known), last) not in found:
            settled = known.read - known.provisional
            found[id(known), last] = {
                month: [day for day in days_of(month) if day <= last and day not in settled] for month in months
            }
        result |= {(provider.pk, month): days for month, days in found[id(known), last].items() if days}
    return result


def _status(
    month: date, providers: Sequence[Provider], unsettled: _Unsettled, closed: Iterable[date], now: datetime
) -> MonthStatus:
    """Of a month that is over, known, and not closed."""
    lacking = [
        LackingDays(provider, unsettled[provider.pk, month])
        for provider in providers
        if (provider.pk, month) in unsettled
    ]
    # A disconnected provider can't be read again, and must not keep months open for ever.
    final = tuple(each for each in lacking if each.provider.disconnected_at)
    latest = max(closed, default=None)
    if latest is not None and month < latest:
        return MonthStatus(month, State.WAITING, (Reason(Hindrance.PASSED, month, other=latest),), final)
    reasons = [
        Reason(each.hindrance(now), month, lacking=each) for each in lacking if not each.provider.disconnected_at
    ]
    if latest is not None and month != following(latest):
        reasons.insert(0, Reason(Hindrance.NOT_NEXT, month, other=following(latest)))
    if not reasons:
        return MonthStatus(month, State.READY, (), final)
    is_settling = any(reason.hindrance is Hindrance.UNSETTLED for reason in reasons)
    return MonthStatus(month, State.SETTLING if is_settling else State.WAITING, tuple(reasons), final)
