"""What closed months have come to cost since they were billed: the lines that the next statement carries.

A month's cost may change after it was closed, by restatements, late prices, reassignments and another rate for
estimates alike. What it has come to cost less is credited as it was billed: line by line, the latest first, each with
the mark-up that was billed for it. What it has come to cost more takes the mark-up of the month's own statement or,
where the company had none, its present one. What has no price any more waits for one (costs.statements.waiting).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from core.months import days_of
from core.sums import ExactSum
from costs.models import AttributedUsage, ClosedMonth, DailyUsage, Restatement, StatementLine
from costs.reports.totals import all_usage
from costs.statements.causes import Bill, Causes, causes_since
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


def pending_adjustments(
    closed: ClosedMonths | None, *, company: Company | None = None, with_reasons: bool = False
) -> list[CompanyLine]:
    """What no statement has carried yet of the ``closed`` months: unsaved lines, oldest month first.

    What the month's usage costs now, minus what was frozen of it, minus what statements have carried for it since: a
    line per month, company and currency, or several where what is credited was billed with several mark-ups. Where
    something of it waits for a price, one more without a cost says so, which is never stored. Two queries, four more
    where usage of a closed month has no price, one where a company had no statement of a month that has changed,
    another where there are estimates, and up to four for their reasons.
    """
    if closed is None:
        return []
    histories, stated = _histories(closed, company)
    changed = {group: history for group, history in sorted(histories.items()) if history.change}
    waiting = sorted({(month, pk) for (month, pk, _currency), history in histories.items() if history.waits})
    own = _own_percents(changed, stated, company)
    return [*_changes(changed, closed, own, with_reasons=with_reasons), *(_waiting_line(*each) for each in waiting)]


def _waiting_line(month: date, company_id: int) -> CompanyLine:
    return company_id, StatementLine(kind=StatementLine.Kind.ADJUSTMENT, month=month, unpriced=True, reason=WAITS)


def _changes(
    changed: Mapping[_Group, _History], closed: ClosedMonths, own: Mapping[Bill, Percent], *, with_reasons: bool
) -> list[CompanyLine]:
    if not changed:
        return []
    estimates = _Estimates.of(changed)
    reasons = _reasons(changed, estimates, closed.closed_at) if with_reasons else {}
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
        for part in _parts(history, own[month, company_id])
    ]


def _histories(closed: ClosedMonths, company: Company | None) -> tuple[dict[_Group, _History], Mapping[Bill, Percent]]:
    """What each closed month costs and was billed, and the mark-up of each statement; two queries, or six."""
    usage = all_usage().filter(company__isnull=False)
    billed = StatementLine.objects.all()
    if company is not None:
        usage, billed = usage.filter(company=company), billed.filter(statement__company=company)
    histories: dict[_Group, _History] = defaultdict(_History)
    stated: dict[Bill, Percent] = {}
    unpriced: set[tuple[date, int]] = set()
    for company_id, month, currency, cost, estimated, without_price in (
        usage.sums_of_months()
        .between(closed.first, closed.last)
        .order_by()
        .values_list("company_id", "day", "currency")
        .annotate(total=ExactSum("cost"), estimated=ExactSum("estimated_rows"), without_price=Sum("unpriced_rows"))
    ):
        if without_price:
            unpriced.add((month, company_id))
        if not currency:
            continue
        history = histories[month, company_id, currency]
        history.now, history.has_estimates = cost, bool(estimated)
    for company_id, month, currency, kind, of_statement, of_line, carrier, estimated, cost in (
        billed.order_by("statement__closed_month__month", "markup_percent")
        .values_list(
            "statement__company_id",
            "month",
            "currency",
            "kind",
            "statement__markup_percent",
            "markup_percent",
            "statement__closed_month__month",
            "estimated",
        )
        .annotate(total=ExactSum("cost"))
    ):
        stated[carrier, company_id] = of_statement
        if not currency:
            continue
        history = histories[month, company_id, currency]
        history.lines.append(_Billed(of_statement if kind == StatementLine.Kind.USAGE else of_line, cost))
        history.billed_estimates += cost if estimated else 0
    for group, change in changes_without_waiting(unpriced).items():
        if group in histories:
            histories[group].carried = change
    return histories, stated


# --- At which mark-up -------------------------------------------------------------------------------------------------


def _own_percents(
    groups: Iterable[_Group], stated: Mapping[Bill, Percent], company: Company | None
) -> dict[Bill, Percent]:
    """The mark-up of each month's own statement or, where the company had none, its present one.

    One query where it is not only about ``company`` and somebody had none.
    """
    wanted = {(month, company_id) for month, company_id, _currency in groups}
    lacking = {company_id for month, company_id in wanted if (month, company_id) not in stated}
    present: dict[int, Percent] = {}
    if company is not None:
        present[company.pk] = company.markup_percent
    elif lacking:
        present = dict(Company.objects.filter(pk__in=lacking).values_list("pk", "markup_percent"))
    return {bill: stated[bill] if bill in stated else present[bill[1]] for bill in wanted}


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

    days: Mapping[str, date] = field(default_factory=dict)
    payers: Mapping[tuple[int, date], set[int]] = field(default_factory=dict)  # by project and month
    changed: frozenset[_Group] = frozenset()

    @classmethod
    def of(cls, changed: Mapping[_Group, _History]) -> _Estimates:
        """No query where there are no estimates, else one."""
        asked = {group: each for group, each in changed.items() if each.has_estimates or each.billed_estimates}
        if not asked:
            return cls()
        days = {"day__gte": min(asked)[0], "day__lte": days_of(max(asked)[0]).last}
        payers: dict[tuple[int, date], set[int]] = defaultdict(set)
        now: dict[_Group, Decimal] = defaultdict(Decimal)
        for project_id, month, company_id, currency, estimated, cost in (
            AttributedUsage.objects.filter(company__in={company_id for _month, company_id, _currency in asked}, **days)
            .order_by()
            .annotate(month=TruncMonth("day"))
            .values_list("project_id", "month", "company_id", "currency", "estimated")
            .annotate(total=ExactSum("cost"))
        ):
            payers[project_id, month].add(company_id)
            now[month, company_id, currency] += cost if estimated else 0
        differ = {group for group, history in asked.items() if now[group] != history.billed_estimates}
        return cls(days, payers, frozenset(differ))

    def rated(self, since: datetime) -> set[tuple[date, int]]:
        """Where the rate was changed since the latest month was closed, by month and company; at most one query.

        A row without a reported cost that was written ``since``, and that no sync restated, had its rate changed.
        """
        if not self.changed:
            return set()
        restated = Restatement.objects.filter(restated_at__gt=since, **self.days)
        same_row = restated.filter(project=OuterRef("project"), day=OuterRef("day"), model=OuterRef("model"))
        by_estimate = Q(estimated=True) | Q(cost=None, credits__gt=0)
        return self._concerned(
            DailyUsage.objects.filter(by_estimate, ~Exists(same_row), updated_at__gt=since, **self.days)
        )

    def _concerned(self, rows: QuerySet[Any]) -> set[tuple[date, int]]:
        used = rows.order_by().annotate(month=TruncMonth("day")).values_list("project_id", "month").distinct()
        return {(month, payer) for project_id, month in used for payer in self.payers.get((project_id, month), ())}


def _reasons(changed: Iterable[_Group], estimates: _Estimates, since: datetime) -> dict[Bill, tuple[str, str]]:
    """What each line says, to the agency and to the company; at most four queries."""
    bills = {(month, company_id) for month, company_id, _currency in changed}
    causes = causes_since(since, bills)
    rated = estimates.rated(since)
    return {
        bill: (
            _said(causes.text(bill), is_rated=bill in rated, causes=causes, company_id=bill[1]),
            _said(causes.client_text(bill), is_rated=bill in rated, causes=causes, company_id=bill[1]),
        )
        for bill in bills
    }


def _said(named: str, *, is_rated: bool, causes: Causes, company_id: int) -> str:
    if named:
        return f"{named}; {RATE_CHANGED[0].lower()}{RATE_CHANGED[1:]}" if is_rated else named
    if is_rated and company_id in causes.reassigned:
        return f"{RATE_CHANGED}, or {CHANGED_SINCE[0].lower()}{CHANGED_SINCE[1:]}"
    return RATE_CHANGED if is_rated else CHANGED_SINCE
