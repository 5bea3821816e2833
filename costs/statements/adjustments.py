"""What closed months have come to cost since they were billed: the lines that the next statement carries.

A month's cost may change after it was closed, by restatements, late prices, reassignments and another rate for
estimates alike. What it has come to cost less is credited as it was billed: line by line, the latest first, each with
the mark-up that was billed for it. What it has come to cost more takes the mark-up of the month's own statement or,
where the company had none, its present one. What has no price any more waits for one (costs.statements.waiting).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import CharField, DateField, DecimalField, Max, Min, Q, QuerySet, Sum, Value

from core.days import DateRange
from core.months import days_of
from core.sums import ExactSum
from costs.models import ClosedMonth, StatementLine
from costs.reports.selection import Usage
from costs.reports.totals import all_usage
from costs.statements.causes import Bill, Causes, Traces, causes_of, traces_since
from costs.statements.uses import Paid, read_uses
from costs.statements.waiting import changes_without_waiting
from providers.models import Company

CompanyLine = tuple[int, StatementLine]  # with the company's id
Percent = Decimal | None

CHANGED_SINCE = "Restated, priced late or reassigned since"
RATE_CHANGED = "Rate for estimates changed here"
WAITS = "Has no price any more: nothing is credited for it until it is priced again"

_Group = tuple[date, int, str]  # the closed month, the company's id, the currency


@dataclass
class _Billed:
    """A part of what was billed."""

    percent: Percent
    cost: Decimal


@dataclass
class _History:
    """What a closed month costs now, and what was billed for it, oldest first."""

    now: Decimal = Decimal(0)
    has_estimates: bool = False
    lines: list[_Billed] = field(default_factory=list)
    billed_estimates: Decimal = Decimal(0)
    carried: Decimal | None = None  # the change where some of it waits

    @property
    def difference(self) -> Decimal:
        return self.now - sum(line.cost for line in self.lines)

    @property
    def change(self) -> Decimal:
        return self.difference if self.carried is None else self.carried

    @property
    def waits(self) -> bool:
        return self.change != self.difference


@dataclass(frozen=True)
class ClosedMonths:
    """The closed months, which are closed in order: from the first to the last one, and when that was."""

    first: date
    last: date
    closed_at: datetime

    def __contains__(self, month: date) -> bool:
        return self.first <= month <= self.last


def closed_months() -> ClosedMonths | None:
    """None where no month is closed; one query."""
    span = ClosedMonth.objects.aggregate(first=Min("month"), last=Max("month"), closed_at=Max("closed_at"))
    return ClosedMonths(**span) if span["first"] else None


def span_of(closed: Collection[ClosedMonth]) -> ClosedMonths | None:
    """The same of all of them, for who has them."""
    months = [each.month for each in closed]
    return ClosedMonths(min(months), max(months), max(each.closed_at for each in closed)) if months else None


def pending_adjustments(
    closed: ClosedMonths | None, *, company: Company | None = None, with_reasons: bool = False
) -> list[CompanyLine]:
    """What no statement has carried yet of the ``closed`` months: unsaved lines, oldest month first.

    What the month's usage costs now, minus what was frozen of it, minus what statements have carried for it since: a
    line per month, company and currency, or several where what is credited was billed with several mark-ups. Where
    something of it waits for a price, one more without a cost says so, which is never stored. One query, another where
    usage of a closed month has no price, one where there are changes of estimates, or up to three for the reasons of
    changes.
    """
    if closed is None:
        return []
    histories, percents = _histories(closed, company)
    changed = {group: history for group, history in sorted(histories.items()) if history.change}
    waiting = sorted({(month, pk) for (month, pk, _currency), history in histories.items() if history.waits})
    return [
        *_changes(changed, percents, closed, with_reasons=with_reasons),
        *(_waiting_line(*each) for each in waiting),
    ]


def _waiting_line(month: date, company_id: int) -> CompanyLine:
    return company_id, StatementLine(kind=StatementLine.Kind.ADJUSTMENT, month=month, unpriced=True, reason=WAITS)


def _changes(
    changed: Mapping[_Group, _History], percents: _Percents, closed: ClosedMonths, *, with_reasons: bool
) -> list[CompanyLine]:
    if not changed:
        return []
    estimates, reasons = _origins(changed, closed.closed_at, with_reasons=with_reasons)
    return [
        (
            company_id,
            StatementLine(
                kind=StatementLine.Kind.ADJUSTMENT,
                month=month,
                currency=currency,
                cost=part.cost,
                markup_percent=part.percent,
                estimated=(month, company_id, currency) in estimates.changed,
                reason=reasons.get((month, company_id), (CHANGED_SINCE, CHANGED_SINCE))[0],
                client_reason=reasons.get((month, company_id), (CHANGED_SINCE, CHANGED_SINCE))[1],
            ),
        )
        for (month, company_id, currency), history in changed.items()
        for part in _parts(history, percents.own(month, company_id))
    ]


def _histories(closed: ClosedMonths, company: Company | None) -> tuple[dict[_Group, _History], _Percents]:
    """What each closed month costs and was billed, and the mark-up of each statement; at most two queries."""
    usage = all_usage().filter(company__isnull=False)
    billed = StatementLine.objects.all()
    if company is not None:
        usage, billed = usage.filter(company=company), billed.filter(statement__company=company)
    histories: dict[_Group, _History] = defaultdict(_History)
    percents = _Percents()
    unpriced: set[Bill] = set()
    for row in sorted(_billed(billed).union(_now(usage, closed), all=True), key=_by_carrier):
        kind, carrier, of_line, of_statement, present, month, company_id, currency, cost, estimates, without_price = row
        percents.present[company_id] = present
        if without_price:
            unpriced.add((month, company_id))
        if carrier:
            percents.stated[carrier, company_id] = of_statement
        if not currency:
            continue
        history = histories[month, company_id, currency]
        if carrier:
            history.lines.append(_Billed(of_statement if kind == StatementLine.Kind.USAGE else of_line, cost))
            history.billed_estimates += estimates or 0
        else:
            history.now, history.has_estimates = cost, bool(estimates)
    for group, change in changes_without_waiting(unpriced).items():
        if group in histories:
            histories[group].carried = change
    return histories, percents


def _by_carrier(row: Sequence[Any]) -> tuple[Any, ...]:
    """What was billed in its order, first what no statement carries: usage."""
    _kind, carrier, of_line, *_rest = row
    return carrier or date.min, of_line is None, of_line or 0


# The two parts of one query, alike in their columns.


def _billed(lines: QuerySet[StatementLine]) -> QuerySet[StatementLine, Any]:
    return (
        lines.order_by()
        .values_list(
            "kind",
            "statement__closed_month__month",
            "markup_percent",
            "statement__markup_percent",
            "statement__company__markup_percent",
            "month",
            "statement__company_id",
            "currency",
        )
        .annotate(total=ExactSum("cost"), estimates=ExactSum("cost", filter=Q(estimated=True)), without_price=Value(0))
    )


def _now(usage: Usage, closed: ClosedMonths) -> QuerySet[Any]:
    never = Value(None, output_field=DateField())
    unknown = Value(None, output_field=DecimalField())
    found: QuerySet[Any] = (
        usage.sums_of_months()
        .between(closed.first, closed.last)
        .order_by()
        .values_list(
            Value("", output_field=CharField()),
            never,
            unknown,
            unknown,
            "company__markup_percent",
            "day",
            "company_id",
            "currency",
        )
        .annotate(total=ExactSum("cost"), estimates=ExactSum("estimated_rows"), without_price=Sum("unpriced_rows"))
    )
    return found


# --- At which mark-up -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Percents:
    stated: dict[Bill, Percent] = field(default_factory=dict)  # by each statement
    present: dict[int, Percent] = field(default_factory=dict)  # of each company

    def own(self, month: date, company_id: int) -> Percent:
        """That of the month's own statement or, where the company had none, its present one."""
        return self.stated[month, company_id] if (month, company_id) in self.stated else self.present[company_id]


def _parts(history: _History, own: Percent) -> list[_Billed]:
    """The lines of a change: one of an increase, one for each mark-up of what a credit takes back."""
    change = history.change
    if change > 0:
        return [_Billed(own, change)]
    credited = [_Billed(percent, -cost) for percent, cost in _take(_outstanding(history.lines), -change).items()]
    rest = change - sum(part.cost for part in credited)  # more than was billed: of no month that was closed by us
    return [*credited, _Billed(own, rest)] if rest else credited


def _outstanding(lines: Iterable[_Billed]) -> list[_Billed]:
    """What is billed after the credits, oldest first.

    A credit took back what was billed last with its own mark-up; one whose mark-up was never billed, what was billed
    last.
    """
    outstanding: list[_Billed] = []
    for line in lines:
        if line.cost > 0:
            outstanding.append(_Billed(line.percent, line.cost))
        else:
            of_this_rate = [billed for billed in outstanding if billed.percent == line.percent]
            taken = _take(of_this_rate, -line.cost)
            _take(outstanding, -line.cost - sum(taken.values()))
    return outstanding


def _take(billed: Sequence[_Billed], amount: Decimal) -> dict[Percent, Decimal]:
    """Take ``amount`` off ``billed``, the latest first; what was taken, by mark-up."""
    taken: dict[Percent, Decimal] = {}
    for line in reversed(billed):
        if part := min(line.cost, amount):
            line.cost -= part
            amount -= part
            taken[line.percent] = taken.get(line.percent, Decimal(0)) + part
    return taken


# --- What it comes from -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Estimates:
    """What of the changes comes from costs that were estimated, now or when they were billed."""

    changed: Collection[_Group] = ()
    rated: Collection[Bill] = ()  # where the rate was changed

    @classmethod
    def of(cls, asked: Mapping[_Group, _History], paid: Iterable[Paid]) -> _Estimates:
        """``asked`` are the changes of which something is or was estimated, ``paid`` what their companies pay now."""
        now: dict[_Group, Decimal] = defaultdict(Decimal)
        payers: dict[tuple[int, date], set[int]] = defaultdict(set)  # of a key, by month
        for use in paid:
            payers[use.project_id, use.month].add(use.company_id)
            now[use.month, use.company_id, use.currency] += use.cost if use.estimated else 0
        changed = {group for group, history in asked.items() if now[group] != history.billed_estimates}
        rated = {(use.project_id, use.month) for use in paid if use.is_rated} if changed else set()
        return cls(changed, {(month, payer) for key, month in rated for payer in payers[key, month]})


def _origins(
    changed: Mapping[_Group, _History], since: datetime, *, with_reasons: bool
) -> tuple[_Estimates, dict[Bill, tuple[str, str]]]:
    """What comes from estimates and, if asked for, what each line says, to the agency and to the company.

    No query where neither is to be found out; else one, with reasons three.
    """
    estimated = {group: each for group, each in changed.items() if each.has_estimates or each.billed_estimates}
    bills = {(month, company_id) for month, company_id, _currency in changed}
    days = _days_of(changed)
    traces = traces_since(since, days) if with_reasons else Traces()
    uses = read_uses(
        paid_by={company_id for _month, company_id, _currency in estimated},
        paid_days=_days_of(estimated) if estimated else days,
        keys=traces.projects,
        key_days=days,
        companies={*traces.payers, *(pk for _month, pk in bills)} if traces.projects else (),
        since=since,
    )
    estimates = _Estimates.of(estimated, uses.paid)
    if not with_reasons:
        return estimates, {}
    causes = causes_of(bills, traces, uses)
    return estimates, {
        bill: (
            _said(causes.text(bill), is_rated=bill in estimates.rated, causes=causes, company_id=bill[1]),
            _said(causes.client_text(bill), is_rated=bill in estimates.rated, causes=causes, company_id=bill[1]),
        )
        for bill in bills
    }


def _days_of(groups: Collection[_Group]) -> DateRange:
    return DateRange(min(groups)[0], days_of(max(groups)[0]).last)


def _said(named: str, *, is_rated: bool, causes: Causes, company_id: int) -> str:
    if named:
        return f"{named}; {RATE_CHANGED[0].lower()}{RATE_CHANGED[1:]}" if is_rated else named
    if is_rated and company_id in causes.reassigned:
        return f"{RATE_CHANGED}, or {CHANGED_SINCE[0].lower()}{CHANGED_SINCE[1:]}"
    return RATE_CHANGED if is_rated else CHANGED_SINCE
